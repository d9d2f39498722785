"""The loads, and what is measured under each."""
import os
import re
import socket
import ssl
import subprocess
import sys
import time

from .machine import OTHERS_CPU, Failure, run_load

HOLDER = os.path.join(os.path.dirname(__file__), "hold_connections.py")
EVEN_LOAD = "gatebook_even_load"  # where gatebook was built, bench/compare says
RESUMER = os.path.join(os.path.dirname(__file__), "resume_connections.py")
# As long as what browsers send.
AGENT = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0")
HEADERS = ["-H", f"User-Agent: {AGENT}", "-H", "Referer: https://www.example.org/some/page", "-H",
           "Accept: text/html,application/xhtml+xml", "-H", "Accept-Language: en-GB,en;q=0.7"]


class CpuPerRequest:
    """With wrk: HTTP/1.1."""
    unit = "µs CPU a request"

    def __init__(self, name, title, arguments, path="/"):
        self.name, self.title, self.arguments, self.path = name, title, arguments, path

    def ask(self, port, seconds):
        """How many requests there were."""
        output = run_load(["wrk", "-t1", f"-d{seconds}s", *self.arguments, *HEADERS,
                           f"https://localhost:{port}{self.path}"])
        if bad := re.search(r"Non-2xx.*|Socket errors: (?!connect 0, read 0, write 0, timeout 0).*", output):
            # wrk counts the close after "Connection: close" as no error; anything here is one.
            raise Failure(f"{self.name}: {bad.group(0)}")
        return int(re.search(r"(\d+) requests in", output).group(1))

    def measure(self, contender, seconds):
        running = contender.running
        self.ask(contender.port, 1)
        wait_settled(contender)
        before, began = running.cpu_us(), time.monotonic()
        requests = self.ask(contender.port, seconds)
        ended = time.monotonic()
        # Work put off until after the load is work for these requests all the same.
        wait_settled(contender)
        return (running.cpu_us() - before) / max(requests, 1), f"{requests / (ended - began):,.0f}/s"


class CpuPerStream(CpuPerRequest):
    """With h2load: HTTP/2."""

    def ask(self, port, seconds):
        output = run_load(["h2load", "-t1", f"-D{seconds}", "--warm-up-time=0", *self.arguments, *HEADERS,
                           f"https://localhost:{port}{self.path}"])
        well = re.search(r"(\d+) succeeded, 0 failed, 0 errored, 0 timeout\nstatus codes: \d+ 2xx, 0 3xx, 0 4xx, 0 5xx",
                         output)
        if not well or "Application protocol: h2\n" not in output:
            raise Failure(f"{self.name}:\n{output}")
        return int(well.group(1))


class CpuPerResumption(CpuPerRequest):
    """With a client of our own: wrk and h2load don't resume."""

    def __init__(self, name, title):
        super().__init__(name, title, [])

    def ask(self, port, seconds):
        return int(run_load([sys.executable, RESUMER, str(port), str(seconds)]))


class CpuInACrowd(CpuPerRequest):
    """Beside many who are connected and say nothing."""

    def __init__(self, name, title, arguments, crowd):
        super().__init__(name, title, arguments)
        self.crowd = crowd

    def measure(self, contender, seconds):
        with Held(contender, self.crowd):
            return super().measure(contender, seconds)


class AddedLatency:
    """What the way through the proxy takes longer than the straight way to the upstream, at half of the load that the
    first contender of the run can bear."""
    unit = "µs added"
    connections = 16
    rate = None  # requests a second

    def __init__(self, name, title, percentile):
        self.name, self.title, self.percentile = name, title, percentile

    def measure(self, contender, seconds):
        if not AddedLatency.rate:
            output = run_load(["wrk", "-t1", "-c32", "-d2s", *HEADERS, f"https://localhost:{contender.port}/"])
            AddedLatency.rate = float(re.search(r"Requests/sec:\s*([\d.]+)", output).group(1)) / 2
        # Both percentiles are of one load, and the straight way was measured a moment before.
        if not hasattr(contender, "latency"):
            contender.services.redis_steps_aside()
            straight = self._percentiles("plain", contender.services.upstream_port, seconds)
            through = self._percentiles("tls", contender.port, seconds)
            contender.latency = {percent: through[percent] - straight[percent] for percent in straight}, through
        added, whole = contender.latency
        return max(added[self.percentile], 1), f"{whole[self.percentile]:.0f} in all, at {self.rate:,.0f}/s"

    def _percentiles(self, how, port, seconds):
        output = run_load([EVEN_LOAD, how, str(port), str(self.connections), f"{self.rate:.1f}", str(seconds)])
        _, median, slow = map(float, output.split())
        return {50: median, 99: slow}


class IdleMemory:
    name, title, unit = "idle", "idle TLS connection", "KiB a connection"
    # Those that come first fill what a proxy keeps for all (pools, arenas), or find it filled by earlier loads.
    first, more = 500, 2000

    def measure(self, contender, _seconds):
        with Held(contender, self.first):
            before = contender.running.memory_kib()
            with Held(contender, self.more):
                after = contender.running.memory_kib()
        return (after - before) / self.more, f"{after / 1024:.0f} MiB in all"


class Held:
    """Connections that have made one request each and are kept; by a process of its own, on the other core."""

    def __init__(self, contender, count):
        self.contender, self.count = contender, count

    def __enter__(self):
        self.holder = subprocess.Popen(["taskset", "-c", str(OTHERS_CPU), sys.executable, HOLDER,
                                        str(self.contender.port), str(self.count)],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "held\n":
            self.__exit__()
            raise Failure(f"{self.contender.name}: could not hold {self.count} connections")
        wait_settled(self.contender)

    def __exit__(self, *_):
        self.holder.stdin.close()
        self.holder.wait()


def wait_settled(contender):
    time.sleep(0.3)  # nginx with Lua flushes every 50 ms; logs are written late
    deadline = time.monotonic() + 60
    while not contender.is_settled():
        if time.monotonic() > deadline:
            raise Failure(f"{contender.name} did not finish its work in a minute")
        time.sleep(0.05)


ALL = (
    CpuPerRequest("h1", "HTTP/1.1 keep-alive, 1 KiB", ["-c32"]),
    CpuPerStream("h2", "HTTP/2, 8 connections of 32 streams, 1 KiB", ["-c8", "-m32"]),
    CpuPerRequest("handshake", "full handshake a request", ["-c16", "-H", "Connection: close"]),
    CpuPerResumption("resumed", "resumed handshake a request"),
    CpuPerRequest("big", "1 MiB answers", ["-c8"], "/big"),
    IdleMemory(),
    CpuInACrowd("crowd", "HTTP/1.1 keep-alive, 1 KiB, beside 8,000 idle connections", ["-c32"], 8_000),
    AddedLatency("p50", "latency added at half load, median", 50),
    AddedLatency("p99", "latency added at half load, 99th percentile", 99),
)


def fetch(port, path, agent=AGENT):
    """One request; status and body."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname="localhost") as link:
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {agent}\r\n"
                     "Connection: close\r\n\r\n".encode())
        answer = b""
        while piece := link.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body
