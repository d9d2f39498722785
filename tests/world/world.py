"""The world of a long test: gatebook, a Redis, an upstream; each can die and come again. Ended by their pids."""
import ctypes
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


def die_with_parent():
    """For a process that was forked: it ends when who made it does, however that ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class World:
    """`sections`: lines for a section of the config, over what stands there by default. `redis_at`: the socket where
    gatebook looks for Redis, if something stands between."""

    def __init__(self, binary, name="endurance", workers=1, sections=None, redis_at="redis.sock"):
        self.binary, self.running, self.logs, self.keep = binary, [], 0, False
        self.directory = tempfile.mkdtemp(prefix=f"gatebook-{name}.")
        self.port, self.plain_port, self.upstream_port = free_port(), free_port(), free_port()
        self.make_certificate("first")
        self.use_certificate("first")
        self.admin, self.redis_socket = self.path("admin.sock"), self.path("redis.sock")
        self.redis_settings, self.environment = ["--appendonly", "yes", "--save", ""], {}
        self.sections = {
            "edge": f'name = "{name}"\nworkers = {workers}',
            "session": f'key_file = "{self.path("session.key")}"',
            "redis": f'url = "unix://{self.path(redis_at)}"',
            "journal": f'directory = "{self.path("journal")}"',
            "retention": f'ledger = "{self.path("retention.ledger")}"',
            "dns": "enabled = false",
            "admin": f'address = "unix:{self.admin}"',
        }
        for section, lines in (sections or {}).items():
            self.say(section, lines)
        self.configure(self.plain_upstream())

    def __enter__(self):
        try:
            self.start_redis()
            self.start(sys.executable, os.path.join(HERE, "upstream.py"), str(self.upstream_port))
            self.start_gatebook()
            wait_for(lambda: self.is_ready() and self.answers_on(self.upstream_port), "the servers to come up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(40)
                except subprocess.TimeoutExpired:
                    process.kill()
        if self.keep:
            print(f"kept: {self.directory}", flush=True)
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    def start_redis(self):
        self.redis = self.start("redis-server", "--port", "0", "--unixsocket", self.redis_socket, "--dir", self.directory,
                                *self.redis_settings, environment=self.environment)

    def start_gatebook(self):
        self.gatebook = self.start(self.binary, "run", "-c", self.path("gatebook.toml"), environment=self.environment)

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self, *command, environment=None):
        self.running = [process for process in self.running if process.poll() is None]
        self.logs += 1
        with open(self.path(f"{self.logs}.{os.path.basename(command[0])}.log"), "wb") as log:
            process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})})
        self.running.append(process)
        return process

    def is_ready(self):
        try:
            return self.ask_admin("/readyz").startswith(b"HTTP/1.1 200")
        except OSError:
            return False

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

    def say(self, section, lines):
        self.sections[section] = self.sections.get(section, "") + "\n" + lines

    def configure(self, upstreams):
        with open(self.path("gatebook.toml.new"), "w") as file:
            file.write(f"""
[[listen]]
address = "127.0.0.1:{self.port}"
[[listen]]
address = "127.0.0.1:{self.plain_port}"
tls = false
[[certificate]]
chain = "{self.path('chain.pem')}"
key = "{self.path('key.pem')}"
{upstreams}
""")
            for section, lines in self.sections.items():
                file.write(f"[{section}]\n{lines}\n")
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

    def ask_admin(self, path):
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(5)
            link.connect(self.admin)
            link.sendall(f"GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while piece := link.recv(65536):
                answer += piece
        return answer

    def metrics(self):
        lines = self.ask_admin("/metrics").decode().splitlines()
        rows = (line.rsplit(" ", 1) for line in lines if line.startswith("gatebook_"))
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
