"""HTTP/2 attacks beside a client that behaves."""
import json
import os
import select
import socket
import statistics
import struct
import subprocess
import sys
import time

from world import HERE, Failure, World, expect, free_port, tls_context, wait_for

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, _, PING, _, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS = 1, 4
REQUEST = b"\x82\x87\x84\x41\x09localhost"  # GET https / localhost, HPACK
POSTING = b"\x83\x87\x84\x41\x09localhost"
SLICES = 5
STATISTICS = 200  # samples at least for a 99th percentile


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)


def each_stream(make):
    return lambda: (b"".join(make(stream) for stream in range(first, first + 200, 2)) for first in range(1, 1 << 30, 200))


def endlessly(start, piece, times=200):
    def attack():
        yield start
        while True:
            yield piece * times
    return attack


def zero_window():
    """Answers are asked for and no window is given for them."""
    yield frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0)) + b"".join(
        frame(HEADERS, END_STREAM | END_HEADERS, stream, REQUEST) for stream in range(1, 200, 2))
    while True:
        time.sleep(0.1)
        yield frame(PING, 1, 0, bytes(8))  # an answer that was not asked for keeps nothing alive


# One entry of 4,000 bytes in the table, then named over and over.
BOMB = REQUEST + b"\x40\x01x\x7f\xa1\x1e" + b"y" * 4000 + b"\xbe" * 12000

# Name: what is sent, and under which ends it may be counted.
ATTACKS = {
    "rapid resets": (each_stream(lambda stream: frame(HEADERS, END_STREAM | END_HEADERS, stream, REQUEST) +
                                 frame(RST_STREAM, 0, stream, struct.pack(">I", 8))), {"rapid_reset"}),
    "resets that we are made to send": (each_stream(lambda stream: frame(HEADERS, END_HEADERS, stream, POSTING) +
                                                    frame(WINDOW_UPDATE, 0, stream, b"\x7f\xff\xff\xff")), {"provoked_reset"}),
    "CONTINUATION": (endlessly(frame(HEADERS, 0, 1, REQUEST), frame(CONTINUATION, 0, 1, b"\x40\x01a\x01b")),
                     {"continuation_flood", "field_flood"}),
    "HPACK bomb": (each_stream(lambda stream: frame(HEADERS, END_STREAM | END_HEADERS, stream, BOMB)),
                   {"field_flood", "compression", "glitches"}),
    "SETTINGS": (endlessly(b"", frame(SETTINGS, 0, 0)), {"settings_flood", "control_queue"}),
    "PING": (endlessly(b"", frame(PING, 0, 0, bytes(8))), {"ping_flood", "control_queue"}),
    "empty DATA": (endlessly(frame(HEADERS, END_HEADERS, 1, POSTING), frame(DATA, 0, 1)), {"empty_frames"}),
    "PRIORITY": (endlessly(b"", frame(PRIORITY, 0, 1, bytes(4) + b"\x10")), {"priority_flood"}),
    "WINDOW_UPDATE": (endlessly(b"", frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\x01")), {"window_flood"}),
    "unknown frames": (endlessly(b"", frame(0xfe, 0, 0, b"?")), {"unknown_frames"}),
    "zero window": (zero_window, {"stalled_streams"}),
}


def run(options):
    wanted = {options.attack: ATTACKS[options.attack]} if options.attack else ATTACKS
    # Who does not open a window is given two of these spans; with the default a slice would be over first.
    with World(options.binary, sections={"timeouts": 'write_idle = "200ms"'}) as world:
        give_bystander_an_upstream(world)
        for name, (_, ends) in wanted.items():
            print(f"{name}: {options.secs:.0f} s")
            flood(world, name, ends, options.secs)
            world.still_runs()


def give_bystander_an_upstream(world):
    """The attackers' requests keep theirs busy, which is no fault of the edge."""
    port = free_port()
    world.start(sys.executable, os.path.join(HERE, "upstream.py"), str(port))
    wait_for(lambda: world.answers_on(port), "the bystander's upstream")
    world.configure(world.plain_upstream() + f'[[upstream]]\nname = "quiet"\nservers = ["127.0.0.1:{port}"]\n'
                    '[[route]]\npath = "/quiet"\nupstream = "quiet"\n')
    world.reload()


def flood(world, name, ends, seconds):
    """In slices, with peace between them: a shared machine is not always equally quiet."""
    before, memory = world.metrics(), world.memory_kib()
    calm, under, grown, told = [], [], 0, {"connections": 0, "closed": 0, "bytes": 0}
    for _ in range(SLICES):
        calm += watch(world.port, seconds / SLICES)
        # Least of all for the machine: it is the edge that has to hold it back.
        attacker = subprocess.Popen(["nice", "-n", "19", sys.executable, os.path.abspath(__file__), name, str(world.port),
                                     str(seconds / SLICES)], stdout=subprocess.PIPE, text=True,
                                    env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        under += watch(world.port, seconds / SLICES)
        grown = max(grown, world.memory_kib() - memory)
        for what, count in json.loads(attacker.communicate(timeout=60)[0]).items():
            told[what] += count
    counted = {row.split('"')[1]: count - before.get(row, 0) for row, count in world.metrics().items()
               if row.startswith("gatebook_http2_ends_total") and count > before.get(row, 0)}
    listed = ", ".join(f"{reason} {count:.0f}" for reason, count in counted.items()) or "nothing"
    print(f"  {told['connections']} connections, {told['bytes'] / 1e6:.1f} MB, ended: {listed}")
    if ends:
        expect(told["closed"] >= 1, f"the attacker was closed {told['closed']} times")
        expect(not ends.isdisjoint(counted), f"counted as {' or '.join(sorted(ends))}")
    expect(grown < 32 * 1024, f"memory grew by {grown} KiB")
    peace, war = percentile(calm), percentile(under)
    # Below a millisecond the scheduler of a shared machine has more to say than we.
    expect(war <= max(2 * peace, 0.001), f"the bystander's p99: {peace * 1e6:.0f} µs in peace, {war * 1e6:.0f} µs meanwhile")


def percentile(times):
    if len(times) < STATISTICS:
        raise Failure(f"the bystander had only {len(times)} answers")
    return statistics.quantiles(times, n=100)[98]


def watch(port, seconds):
    """The times of a client's requests, one each 3 ms, in seconds."""
    times, end = [], time.monotonic() + seconds
    with tls_context().wrap_socket(socket.create_connection(("127.0.0.1", port), 10)) as link:
        while time.monotonic() < end:
            began = time.monotonic()
            link.sendall(b"GET /quiet HTTP/1.1\r\nHost: localhost\r\n\r\n")
            got = b""
            while len(got.partition(b"\r\n\r\n")[2]) < 1024:
                piece = link.recv(8192)
                if not piece:
                    raise Failure("the bystander was cut off")
                got += piece
            if not got.startswith(b"HTTP/1.1 200"):
                raise Failure(f"the bystander was answered {got[:40]}")
            times.append(time.monotonic() - began)
            time.sleep(0.003)
    return times


def has_ended(link):
    """Reads what is there: who sends little has no other way to learn that the edge is done with it."""
    while link.pending() or select.select([link], [], [], 0)[0]:
        if not link.recv(65536):
            return True
    return False


def attack(name, port, seconds):
    connections = closed = sent = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        connections += 1
        try:
            link = tls_context("h2").wrap_socket(socket.create_connection(("127.0.0.1", port), 5))
            link.sendall(PREFACE)
            link.settimeout(max(0.1, end - time.monotonic()))
            for piece in ATTACKS[name][0]():
                if time.monotonic() > end:
                    break
                link.sendall(piece)
                sent += len(piece)
                if name == "zero window" and has_ended(link):
                    raise ConnectionError
            link.close()
        except TimeoutError:
            break  # it neither reads nor closes: back-pressure
        except OSError:
            closed += 1
    print(json.dumps({"connections": connections, "closed": closed, "bytes": sent}))


if __name__ == "__main__":
    attack(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
