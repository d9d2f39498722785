"""Crowds of clients, each in a process of its own, and what they know in the end."""
import array
import asyncio
import multiprocessing
import random
import ssl
import time

import clients
from world import Failure, die_with_parent, tls_context

KINDS = ("h1", "tls", "h2")
MOST_AT_ONCE = 12  # requests of a batch
SILENCE = 60.0  # seconds without an answer after which something is stuck


class Visitors:
    """One process's crowd. Numbers are `first`, `first + step`, …; every one is asked for once and never again."""

    def __init__(self, ports, connections, first, step, wanted, rate, seed, progress):
        self.ports, self.connections, self.progress = ports, connections, progress
        self.next, self.step, self.wanted, self.rate = first, step, wanted, rate
        self.chance = random.Random(seed)
        self.whole, self.when, self.under_way, self.asked = array.array("I"), array.array("d"), 0, 0
        self.statuses, self.lost, self.reset, self.broken = {}, 0, 0, 0
        self.alive = 0
        self.contexts = {"h1": None, "tls": tls_context("http/1.1"), "h2": tls_context("h2")}

    async def run(self):
        self.loop, self.began, self.over = asyncio.get_running_loop(), time.monotonic(), asyncio.Event()
        for which in range(self.connections):
            self.connect(KINDS[which % len(KINDS)])
        await self.over.wait()
        return {"whole": self.whole, "when": self.when, "statuses": self.statuses, "lost": self.lost, "reset": self.reset,
                "broken": self.broken, "asked": self.asked}

    def connect(self, kind):
        self.alive += 1
        self.loop.create_task(self.try_to_connect(kind))

    async def try_to_connect(self, kind):
        while not self.is_done():
            source = f"127.0.0.{self.chance.randint(1, 50)}"
            try:
                await self.loop.create_connection(
                    lambda: (clients.Http2 if kind == "h2" else clients.Http1)(self, kind), "127.0.0.1",
                    self.ports["plain" if kind == "h1" else "tls"], ssl=self.contexts[kind], local_addr=(source, 0),
                    ssl_handshake_timeout=None if kind == "h1" else 10)
                return
            except (OSError, ssl.SSLError):
                await asyncio.sleep(self.chance.uniform(0.02, 0.1))
        self.leave()

    def is_done(self):
        return len(self.whole) + self.under_way >= self.wanted

    def take(self):
        """Numbers for the next batch; or none, and how long to wait; or none and None: it is enough."""
        left = self.wanted - len(self.whole) - self.under_way
        if left <= 0:
            return None, (0.05 if self.under_way else None)
        size = min(left, self.chance.randint(1, MOST_AT_ONCE))
        ahead = self.asked + size - self.rate * (time.monotonic() - self.began)
        if ahead > 0:
            return None, ahead / self.rate + self.chance.uniform(0, 0.02)
        numbers = [self.next + self.step * index for index in range(size)]
        self.next += self.step * size
        self.asked += size
        self.under_way += size
        return numbers, None

    def answered(self, number, status):
        self.under_way -= 1
        self.whole.append(number)
        self.when.append(time.monotonic())
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.progress.value = len(self.whole)

    def refused(self):
        self.under_way -= 1
        self.reset += 1

    def left(self, client, under_way):
        self.under_way -= under_way
        self.lost += under_way
        self.broken += under_way > 0
        if self.is_done() and self.under_way == 0:
            self.leave()
        else:
            self.alive -= 1
            self.connect(client.kind)

    def leave(self):
        self.alive -= 1
        if self.alive == 0:
            self.over.set()


def be(pipe, *arguments):
    die_with_parent()
    pipe.send(asyncio.run(Visitors(*arguments).run()))


class Crowd:
    """All visitors together: begin(), watch how far they are, and take what they know."""

    def __init__(self, ports, options):
        self.processes, self.pipes, self.progress, self.heard = [], [], [], (0, time.monotonic())
        for which in range(options.processes):
            ours, theirs = multiprocessing.Pipe()
            progress = multiprocessing.Value("Q", 0, lock=False)
            share = options.visits // options.processes + (which < options.visits % options.processes)
            arguments = (theirs, ports, options.connections // options.processes, which, options.processes, share,
                         options.visits / options.secs / options.processes, f"{options.seed}/{which}", progress)
            self.processes.append(multiprocessing.Process(target=be, args=arguments, daemon=True))
            self.pipes.append(ours)
            self.progress.append(progress)

    def begin(self):
        for process in self.processes:
            process.start()

    def answers(self):
        return sum(progress.value for progress in self.progress)

    def is_done(self):
        answers = self.answers()
        if answers != self.heard[0]:
            self.heard = answers, time.monotonic()
        elif time.monotonic() - self.heard[1] > SILENCE:
            raise Failure(f"no answer for {SILENCE:.0f} s, after {answers}")
        for process, pipe in zip(self.processes, self.pipes):
            if not process.is_alive() and not pipe.poll():
                raise Failure(f"visitors died with exit code {process.exitcode}")
        return all(pipe.poll() for pipe in self.pipes)

    def knowledge(self):
        """Requires: is_done(). Everything they know, as one."""
        told = [pipe.recv() for pipe in self.pipes]
        sums = {name: sum(one[name] for one in told) for name in ("lost", "reset", "broken", "asked")}
        statuses = {}
        for one in told:
            for status, count in one["statuses"].items():
                statuses[status] = statuses.get(status, 0) + count
        lists = {name: [item for one in told for item in one[name]] for name in ("whole", "when")}
        return {**sums, **lists, "statuses": statuses}
