"""Gigabytes through the edge, with the process's memory watched."""
import subprocess
import time

from world import World, expect


def run(options):
    size = int(options.gib * (1 << 30))
    with World(options.binary) as world:
        base = f"https://localhost:{world.port}"
        subprocess.run(["curl", "-sk", base], check=True, stdout=subprocess.DEVNULL)  # what is made once is made
        for protocol in ("--http1.1", "--http2"):
            curl = ["curl", "-sSk", protocol, "--max-time", "600", "-w", "%{http_code} %{size_download}"]
            watch(world, f"{protocol} download", [*curl, "-o", "/dev/null", f"{base}/big?{size}"], f"200 {size}")
            # From a pipe: chunked in HTTP/1.1, no length in HTTP/2.
            watch(world, f"{protocol} upload",
                  ["sh", "-c", f"head -c {size} /dev/zero | \"$@\"", "sh", *curl, "-T", "-", "-X", "POST", "-o",
                   world.path("answer"), f"{base}/up"], f"200 {len(str(size))}")
            with open(world.path("answer")) as file:
                expect(file.read() == str(size), f"the upstream received all {size} bytes")


def watch(world, name, command, wanted):
    before, most, began = world.memory_kib(), 0, time.monotonic()
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    while running.poll() is None:
        most = max(most, world.memory_kib() - before)
        time.sleep(0.05)
    took = time.monotonic() - began
    said = running.stdout.read()
    expect(said == wanted, f"{name}: {said} (wanted {wanted}) in {took:.0f} s")
    # What a stream may hold, and the step in which the heap grows.
    expect(most <= 256 + 132, f"{name}: memory grew by {most} KiB at most")
