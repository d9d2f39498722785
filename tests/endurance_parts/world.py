"""The world of an endurance test: gatebook, a Redis, an upstream; ended by their pids."""
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Failure(Exception):
    """A sentence for the person at the terminal."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class World:
    def __init__(self, binary):
        self.binary, self.running = binary, []
        self.directory = tempfile.mkdtemp(prefix="gatebook-endurance.")
        self.port, self.upstream_port = free_port(), free_port()
        self.make_certificate("first")
        self.use_certificate("first")
        self.admin = self.path("admin.sock")
        self.configure(self.plain_upstream())

    def __enter__(self):
        self.start("redis-server", "--port", "0", "--unixsocket", self.path("redis.sock"), "--dir", self.directory,
                   "--appendonly", "yes", "--save", "")
        self.start(sys.executable, os.path.join(HERE, "upstream.py"), str(self.upstream_port))
        self.gatebook = self.start(self.binary, "run", "-c", self.path("gatebook.toml"))
        wait_for(lambda: self.answers_on(self.port) and self.answers_on(self.upstream_port), "the servers to come up")
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(40)
                except subprocess.TimeoutExpired:
                    process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self, *command):
        with open(self.path(f"{len(self.running)}.log"), "wb") as log:
            process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=subprocess.STDOUT)
        self.running.append(process)
        return process

    @staticmethod
    def answers_on(port):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return True
        except OSError:
            return False

    # ---- configuration

    def plain_upstream(self, more=""):
        return (f'[[upstream]]\nname = "service"\nservers = ["127.0.0.1:{self.upstream_port}"]\n{more}\n'
                '[[route]]\nupstream = "service"\n')

    def configure(self, upstreams):
        with open(self.path("gatebook.toml.new"), "w") as file:
            file.write(f"""
[edge]
name = "endurance"
workers = 1
[[listen]]
address = "127.0.0.1:{self.port}"
[[certificate]]
chain = "{self.path('chain.pem')}"
key = "{self.path('key.pem')}"
{upstreams}
[session]
key_file = "{self.path('session.key')}"
[redis]
url = "unix://{self.path('redis.sock')}"
[journal]
directory = "{self.path('journal')}"
[dns]
enabled = false
[admin]
address = "unix:{self.admin}"
""")
        os.rename(self.path("gatebook.toml.new"), self.path("gatebook.toml"))

    def make_certificate(self, name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", self.path(f"{name}.key"), "-out", self.path(f"{name}.chain"), "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)

    def use_certificate(self, name, pause=0.0):
        """Puts it where the config says, each file by renaming, the key `pause` seconds after the chain."""
        for kind, target in (("chain", "chain.pem"), ("key", "key.pem")):
            shutil.copy(self.path(f"{name}.{kind}"), self.path(f"{target}.new"))
            os.rename(self.path(f"{target}.new"), self.path(target))
            time.sleep(pause)

    def reload(self):
        return subprocess.run([self.binary, "reload", "--wait", "-c", self.path("gatebook.toml")], capture_output=True,
                              text=True)

    # ---- looking

    def metrics(self):
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(5)
            link.connect(self.admin)
            link.sendall(b"GET /metrics HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n")
            answer = b""
            while piece := link.recv(65536):
                answer += piece
        rows = (line.rsplit(" ", 1) for line in answer.decode().splitlines() if line.startswith("gatebook_"))
        return {name: float(value) for name, value in rows}

    def memory_kib(self):
        with open(f"/proc/{self.gatebook.pid}/smaps_rollup") as file:
            return int(re.search(r"Anonymous:\s+(\d+)", file.read()).group(1))

    def still_runs(self):
        if self.gatebook.poll() is not None:
            raise Failure("gatebook ended")


def tls_context(alpn=None):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


def wait_for(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"waited in vain for {what}")
        time.sleep(0.05)


def expect(holds, sentence):
    print(("  held    " if holds else "  BROKEN  ") + sentence, flush=True)
    if not holds:
        raise Failure(sentence)
