"""Talks to an echoing WebSocket service by Python's websockets library. usage: websocket_client.py URL CA"""
import asyncio
import ssl
import sys

import websockets


async def main(url, ca):
    context = ssl.create_default_context(cafile=ca)
    async with websockets.connect(url, ssl=context, max_size=None) as socket:
        for message in ("hello", "", "ä" * 1000, bytes(range(256)) * 4096):
            await socket.send(message)
            assert await socket.recv() == message
        await asyncio.wait_for(await socket.ping(), 10)
        # Many at once, in order.
        for number in range(1000):
            await socket.send(str(number))
        for number in range(1000):
            assert await socket.recv() == str(number)
    print(socket.close_code)


asyncio.run(main(*sys.argv[1:]))
