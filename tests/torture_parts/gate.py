"""A gate between gatebook and Redis: lets pass, delays, splits into single bytes, cuts, or swallows what comes back."""
import asyncio
import contextlib
import multiprocessing
import os
import random

from world import die_with_parent, wait_for

OPEN, DELAY, SINGLE_BYTES, CUT_REQUEST, CUT_REPLY, SWALLOW_REPLIES = range(6)
WORDS = ("open", "delays", "splits into single bytes", "cuts requests", "cuts replies", "swallows replies")
PIECE = 65536
MOST_SPLIT = 2048  # bytes of a piece that go singly; the rest follows whole
LONGEST_LIFE = 30_000  # bytes after which a direction is cut, at most


class Link:
    """One connection, both directions. Whatever ends one of them ends both."""

    def __init__(self, mode, chance):
        self.mode, self.chance, self.ended = mode, chance, asyncio.Event()
        self.left = {CUT_REQUEST: None, CUT_REPLY: None}

    async def carry(self, reader, writer, cut):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(PIECE):
                if not await self.pass_on(data, writer, cut):
                    break
        self.ended.set()

    async def pass_on(self, data, writer, cut):
        mode = self.mode.value
        if mode == SWALLOW_REPLIES and cut == CUT_REPLY:
            return True
        if mode == DELAY:
            await asyncio.sleep(self.chance.uniform(0.001, 0.2))
        if mode == SINGLE_BYTES:
            for at in range(min(len(data), MOST_SPLIT)):
                if writer.is_closing():
                    return False
                writer.write(data[at:at + 1])
                await asyncio.sleep(0)
            data = data[MOST_SPLIT:]
        if mode == cut:
            if self.left[cut] is None:
                self.left[cut] = self.chance.randint(1, LONGEST_LIFE)
            data, self.left[cut] = data[:self.left[cut]], self.left[cut] - len(data)
        writer.write(data)
        await writer.drain()
        return mode != cut or self.left[cut] > 0


def be(*arguments):
    die_with_parent()
    asyncio.run(serve(*arguments))


async def serve(path, target, mode, chance):
    async def come_in(reader, writer):
        link = Link(mode, chance)
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_unix_connection(target, limit=PIECE)
            both = [asyncio.create_task(link.carry(reader, back, CUT_REQUEST)),
                    asyncio.create_task(link.carry(there, writer, CUT_REPLY))]
            await link.ended.wait()
            for task in both:
                task.cancel()
            back.close()
        writer.close()

    server = await asyncio.start_unix_server(come_in, path, limit=PIECE)
    await server.serve_forever()


class Gate:
    """A process of its own, so that it holds nobody else up. `path`: where gatebook finds it."""

    def __init__(self, path, target, seed):
        self.mode = multiprocessing.Value("i", OPEN, lock=False)
        self.process = multiprocessing.Process(
            target=be, args=(path, target, self.mode, random.Random(f"{seed}/gate")), daemon=True)
        self.process.start()
        wait_for(lambda: os.path.exists(path), "the gate to open")

    def be(self, mode):
        self.mode.value = mode
