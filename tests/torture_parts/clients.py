"""Clients of a proxy: what they ask carries a number, and they say which answers came whole.

A client is one connection. It asks a batch at once, pipelined over HTTP/1.1 or as streams of HTTP/2, and the next
when all of it is answered. An answer counts when its last byte is here; what was under way when the connection
broke never counts.
"""
import asyncio
import re
import struct
from collections import deque

from names import path_of

LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
DATA, HEADERS, _, RST_STREAM, SETTINGS, _, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK = 1, 4, 1


class Client(asyncio.Protocol):
    """`visitors` gives the numbers to ask with and takes what was answered (visitors.py)."""

    def __init__(self, visitors, kind):
        self.visitors, self.kind, self.transport = visitors, kind, None
        self.batches = visitors.chance.randint(1, 400)

    def connection_made(self, transport):
        self.transport = transport
        self.greet()
        self.go_on()

    def greet(self):
        pass

    def go_on(self):
        """Nothing is under way: asks the next batch, later, or leaves."""
        if self.transport.is_closing():
            return
        if self.batches == 0:
            return self.transport.close()
        numbers, pause = self.visitors.take()
        if numbers:
            self.batches -= 1
            self.ask(numbers)
        elif pause is not None:
            self.visitors.loop.call_later(pause, self.go_on)
        else:
            self.transport.close()

    def connection_lost(self, error):
        self.visitors.left(self, self.under_way())


class Http1(Client):
    def __init__(self, visitors, kind):
        super().__init__(visitors, kind)
        self.waiting, self.buffer = deque(), b""

    def under_way(self):
        return len(self.waiting)

    def ask(self, numbers):
        self.waiting.extend(numbers)
        self.transport.write(b"".join(f"GET {path_of(number)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
                                      for number in numbers))

    def data_received(self, data):
        buffer, at = self.buffer + data, 0
        while self.waiting and (end := buffer.find(b"\r\n\r\n", at)) >= 0:
            length = LENGTH.search(buffer, at, end + 2)
            after = end + 4 + int(length.group(1)) if length else None
            if after is None or after > len(buffer):
                break
            self.visitors.answered(self.waiting.popleft(), int(buffer[at + 9:at + 12]))
            at = after
        self.buffer = buffer[at:]
        if not self.waiting:
            self.go_on()


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


class Http2(Client):
    """Fields are sent as literals, and none of ours or theirs is kept in a table (HEADER_TABLE_SIZE 0)."""

    def __init__(self, visitors, kind):
        super().__init__(visitors, kind)
        self.open, self.heads, self.buffer, self.stream, self.last = {}, {}, b"", 1, None

    def under_way(self):
        return len(self.open)

    def greet(self):
        self.transport.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, struct.pack(">HI", 1, 0)))

    def go_on(self):
        if self.last is not None:  # a GOAWAY came
            self.transport.close()
        super().go_on()

    def ask(self, numbers):
        frames = []
        for number in numbers:
            path = path_of(number).encode()
            # GET https localhost (RFC 7541 §6.1, §6.2.2: indexed, and literals that are not indexed).
            block = b"\x82\x87\x01\x09localhost\x04" + bytes([len(path)]) + path
            self.open[self.stream] = number
            frames.append(frame(HEADERS, END_STREAM | END_HEADERS, self.stream, block))
            self.stream += 2
        self.transport.write(b"".join(frames))

    def data_received(self, data):
        self.buffer += data
        at, size, taken = 0, len(self.buffer), 0
        while size - at >= 9:
            length = int.from_bytes(self.buffer[at:at + 3], "big")
            if size - at < 9 + length:
                break
            kind, flags = self.buffer[at + 3], self.buffer[at + 4]
            stream = int.from_bytes(self.buffer[at + 5:at + 9], "big") & 0x7fffffff
            payload = self.buffer[at + 9:at + 9 + length]
            at += 9 + length
            taken += length if kind == DATA else 0
            self.on_frame(kind, flags, stream, payload)
        self.buffer = self.buffer[at:]
        if taken:
            self.transport.write(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", taken)))
        if not self.open:
            self.go_on()

    def on_frame(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            self.transport.write(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.transport.write(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            self.last = struct.unpack(">I", payload[:4])[0] & 0x7fffffff
            self.forget(other for other in list(self.open) if other > self.last)
        elif kind == RST_STREAM:
            self.forget([stream])
        elif kind == HEADERS and stream in self.open:
            # That the table's size is 0 may come first (0x20, §6.3); ":status: 200" is 0x88.
            self.heads[stream] = 200 if payload.lstrip(b"\x20")[:1] == b"\x88" else 0
        if kind in (DATA, HEADERS) and flags & END_STREAM and stream in self.heads:
            self.visitors.answered(self.open.pop(stream), self.heads.pop(stream))

    def forget(self, streams):
        for stream in streams:
            self.heads.pop(stream, None)
            if self.open.pop(stream, None) is not None:
                self.visitors.refused()
