"""What stands around the contenders: certificate, upstream, Redis, name server, places."""
import os
import socket
import subprocess

from .machine import OTHERS_CPU, find_program, free_port, listens
from .mmdb import loopback_database

SMALL = 1024
BIG = 1 << 20


class Services:
    def __init__(self, machine):
        self.machine = machine
        self._certificate()
        self.mmdb = machine.write("places.mmdb", loopback_database())
        self._upstream()
        self._redis()
        self._dns()

    def _certificate(self):
        self.key, self.chain = self.machine.path("key.pem"), self.machine.path("chain.pem")
        subprocess.run([find_program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost", "-keyout", self.key, "-out", self.chain],
                       check=True, capture_output=True)
        with open(self.chain) as chain, open(self.key) as key:
            self.chain_and_key = self.machine.write("both.pem", chain.read() + key.read())
        os.chmod(self.key, 0o644)

    def _upstream(self):
        place = self.machine.path
        os.mkdir(place("files"))
        self.machine.write("files/big", os.urandom(BIG))
        self.upstream_port = free_port()
        scratch = "\n".join(f"{kind}_temp_path {place('up.' + kind)};"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        conf = self.machine.write("upstream.conf", f"""
{user} daemon off; worker_processes 1; pid {place('upstream.pid')}; error_log stderr warn;
events {{ worker_connections 10000; }}
http {{
  {scratch}
  access_log off; sendfile on; keepalive_requests 1000000000; keepalive_timeout 600s;
  server {{
    listen 127.0.0.1:{self.upstream_port} backlog=4096; root {place('files')};
    location / {{ default_type text/plain; return 200 "{'x' * SMALL}"; }}
    location = /big {{ }}
  }}
}}
""")
        self.machine.start("upstream", ["nginx", "-c", conf], OTHERS_CPU, listens(self.upstream_port))

    def _redis(self):
        self.redis_socket = self.machine.path("redis.sock")
        os.mkdir(self.machine.path("redis"))
        self.redis_server = self.machine.start(
            "redis", ["redis-server", "--port", "0", "--unixsocket", self.redis_socket, "--unixsocketperm", "777", "--dir",
                      self.machine.path("redis"), "--appendonly", "yes", "--save", ""],
            OTHERS_CPU, lambda: self._redis_answers())

    def redis_steps_aside(self):
        """From now on it runs only where load and upstream leave it time: it is their latency that is measured, and in
        earnest it would not share their core."""
        subprocess.run([find_program("chrt"), "--all-tasks", "--idle", "--pid", "0", str(self.redis_server.process.pid)],
                       check=True, capture_output=True)

    def _redis_answers(self):
        try:
            return self.redis("ping") == "PONG"
        except OSError:
            return False

    def redis(self, *words):
        """One command; the first line of the reply without its mark."""
        command = "*%d\r\n" % len(words) + "".join("$%d\r\n%s\r\n" % (len(word), word) for word in words)
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(30)
            link.connect(self.redis_socket)
            link.sendall(command.encode())
            return link.recv(65536).split(b"\r\n")[0][1:].decode()

    def _dns(self):
        self.dns_port = free_port()
        user = "root" if os.geteuid() == 0 else os.environ.get("USER", "nobody")
        self.machine.start("dnsmasq", ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file",
                                       f"--port={self.dns_port}", "--listen-address=127.0.0.1", "--bind-interfaces",
                                       "--no-resolv", "--no-hosts", f"--user={user}",
                                       "--host-record=localhost,127.0.0.1"],
                           OTHERS_CPU, listens(self.dns_port))
