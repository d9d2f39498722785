"""A web service: "/" 1 KiB with X-Served-By: PORT, "/socket" an echoing WebSocket, "/big?BYTES" so many, POST anything: its size.

usage: upstream.py PORT
"""
import asyncio
import base64
import hashlib
import re
import sys

PIECE = b"x" * 262144
PORT = sys.argv[1].encode()


async def serve(reader, writer):
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            if not await answer(head, reader, writer):
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def answer(head, reader, writer):
    method, target = head.split(b" ", 2)[:2]
    if key := re.search(rb"(?i)\r\nsec-websocket-key: *(\S+)", head):
        accept = base64.b64encode(hashlib.sha1(key.group(1) + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                     b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        await echo(reader, writer)
        return False
    size = await read_body(head, reader)
    if target.startswith(b"/big?"):
        left = int(target[5:])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % left)
        while left > 0:
            writer.write(PIECE[:left])
            left -= len(PIECE)
            await writer.drain()
        return True
    body = b"%d" % size if method == b"POST" else b"x" * 1024
    writer.write(b"HTTP/1.1 200 OK\r\nX-Served-By: %s\r\nContent-Length: %d\r\n\r\n" % (PORT, len(body)) + body)
    await writer.drain()
    return True


async def read_body(head, reader):
    size = 0
    if length := re.search(rb"(?i)\r\ncontent-length: *(\d+)", head):
        while size < int(length.group(1)):
            piece = await reader.read(min(262144, int(length.group(1)) - size))
            if not piece:
                raise ConnectionError
            size += len(piece)
    elif re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
        while chunk := int(await reader.readuntil(b"\n"), 16):  # an end within is an error that serve() knows
            size += chunk
            while chunk > 0:
                piece = await reader.read(min(262144, chunk))
                if not piece:
                    raise ConnectionError
                chunk -= len(piece)
            await reader.readexactly(2)
        await reader.readexactly(2)
    return size


async def echo(reader, writer):
    """Frames of a client go back unmasked (RFC 6455 §5); small ones only."""
    while True:
        first, second = await reader.readexactly(2)
        length = second & 127
        if length > 125:
            return
        mask = await reader.readexactly(4)
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(await reader.readexactly(length)))
        opcode = first & 15
        writer.write(bytes([0x80 | (10 if opcode == 9 else opcode), length]) + payload)
        await writer.drain()
        if opcode == 8:
            return


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(PORT), backlog=2048, limit=1 << 20)
    await server.serve_forever()


asyncio.run(main())
