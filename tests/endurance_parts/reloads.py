"""Hundreds of WebSockets and a stream of requests through many reloads."""
import asyncio
import os
import resource
import socket
import ssl
import sys
import time

import websockets

from world import HERE, Failure, World, expect, free_port, tls_context, wait_for

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CONNECTIONS = 20
# Of these, those that come anew every so often, with a handshake under whatever is in force.
RETURNING, STAY = 2, 25


def run(options):
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    with World(options.binary, workers=2) as world:
        world.make_certificate("second")
        other = free_port()
        world.start(sys.executable, os.path.join(HERE, "upstream.py"), str(other))
        wait_for(lambda: world.answers_on(other), "the other upstream")
        asyncio.run(through_reloads(world, Changes(world, other), options))
        wait_for(lambda: world.metrics()["gatebook_generations_live"] == 1, "the old generations to end")
        expect(True, "one generation is left")
        asyncio.run(key_after_chain(world))
        world.still_runs()


class Changes:
    """One config after another; what must be in force once each was given to the edge."""

    def __init__(self, world, other_port):
        self.world, self.other_port = world, other_port
        self.certificate, self.served_by, self.has_route = "first", world.upstream_port, False

    def make(self, number):
        """Writes the next config. Whether it is in order."""
        if number % 4 == 3:
            self.write(self.served_by, "[[route]]\nupstream = \"nobody\"\n")
            return False
        self.has_route = number % 4 == 0
        if number % 4 == 1:
            self.certificate = "second" if self.certificate == "first" else "first"
            self.world.use_certificate(self.certificate)
        if number % 4 == 2:
            self.served_by = self.other_port if self.served_by != self.other_port else self.world.upstream_port
        self.write(self.served_by, '[[route]]\npath = "/added"\nupstream = "service"\nresponse_headers = ["set X-Added: yes"]\n'
                   if self.has_route else "")
        return True

    def write(self, port, more):
        self.world.configure(f'[[upstream]]\nname = "service"\nservers = ["127.0.0.1:{port}"]\n'
                             f'[[route]]\nupstream = "service"\n{more}')

    def check(self):
        """As a visitor sees it who comes now."""
        with socket.create_connection(("127.0.0.1", self.world.port), 5) as plain, tls_context().wrap_socket(plain) as link:
            with open(self.world.path(f"{self.certificate}.chain")) as file:
                if link.getpeercert(binary_form=True) != ssl.PEM_cert_to_DER_cert(file.read()):
                    raise Failure(f"the certificate is not the {self.certificate} one")
            link.sendall(b"GET /added HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while piece := link.recv(65536):
                answer += piece
        if (b"\r\nX-Added: yes\r\n" in answer) != self.has_route:
            raise Failure("the added route should " + ("be there" if self.has_route else "not be there"))
        if f"\r\nX-Served-By: {self.served_by}\r\n".encode() not in answer:
            raise Failure(f"the upstream on port {self.served_by} should have answered: {answer[:200]}")


async def through_reloads(world, changes, options):
    # A few at a time: it is not the handshakes that are to be seen.
    gate = asyncio.Semaphore(20)

    async def open_socket():
        async with gate:
            return await websockets.connect(f"wss://localhost:{world.port}/socket", ssl=tls_context(), ping_interval=None)

    sockets = await asyncio.gather(*(open_socket() for _ in range(options.sockets)))
    ending = asyncio.Event()
    speakers = [asyncio.create_task(speak(link, ending)) for link in sockets]
    askers = [asyncio.create_task(ask(world.port, options.rate / CONNECTIONS, STAY if i < RETURNING else 0, ending))
              for i in range(CONNECTIONS)]
    began, verdicts = time.monotonic(), {True: 0, False: 0}
    for number in range(options.reloads):
        wanted = changes.make(number)
        done = await asyncio.to_thread(world.reload)
        if (done.returncode == 0) != wanted:
            raise Failure(f"reload {number}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        verdicts[wanted] += 1
        await asyncio.to_thread(changes.check)
        await asyncio.sleep(0.1)
    took = time.monotonic() - began
    # That which the WebSockets hold, and that in force.
    await asyncio.to_thread(wait_for, lambda: world.metrics()["gatebook_generations_live"] == 2, "the generations between to end")
    numbered = world.metrics()["gatebook_generation"]
    ending.set()
    requests = sum(await asyncio.gather(*askers))
    spoken = sum(await asyncio.gather(*speakers))
    expect(numbered == 1 + verdicts[True],
           f"{verdicts[True]} reloads done and {verdicts[False]} refused in {took:.0f} s, each in force, or not, for who came next")
    expect(requests > 0.8 * options.rate * took, f"{requests} requests answered ({requests / took:.0f} a second), none failed")
    expect(spoken >= options.sockets, f"{options.sockets} WebSockets held, {spoken} messages came back, none was closed")
    await asyncio.gather(*(link.close() for link in sockets))


async def speak(link, ending):
    count = 0
    while not ending.is_set():
        await link.send(f"message {count}")
        if await link.recv() != f"message {count}":
            raise Failure("a WebSocket answered something else")
        count += 1
        try:
            await asyncio.wait_for(ending.wait(), 1)
        except asyncio.TimeoutError:
            pass
    return count


async def ask(port, rate, stay, ending):
    """Requests at a steady rate, over one connection throughout, or over a new one after each `stay` of them."""
    count, began, writer = 0, time.monotonic(), None
    while not ending.is_set():
        if writer is None or (stay and count % stay == 0):
            if writer is not None:
                writer.close()
            reader, writer = await asyncio.open_connection("localhost", port, ssl=tls_context())
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise Failure(f"a request was answered {head[:40]}")
        await reader.readexactly(1024)
        count += 1
        await asyncio.sleep(max(0.0, began + count / rate - time.monotonic()))
    writer.close()
    return count


async def key_after_chain(world):
    """A renewal as a tool makes it that knows nothing of us: for a moment chain and key do not belong together."""
    world.make_certificate("third")
    with open(world.path("third.chain")) as file:
        wanted = file.read()
    stop, handshakes, seen = False, 0, set()

    def shake():
        nonlocal handshakes
        while not stop:
            with tls_context().wrap_socket(socket.create_connection(("127.0.0.1", world.port), 5)) as link:
                seen.add(link.getpeercert(binary_form=True))
                handshakes += 1

    task = asyncio.create_task(asyncio.to_thread(shake))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(world.use_certificate, "third", 0.2)
    await asyncio.sleep(5)
    stop = True
    await task
    expect(ssl.PEM_cert_to_DER_cert(wanted) in seen, "the renewed certificate was taken by itself")
    expect(len(seen) == 2, f"{handshakes} handshakes meanwhile, none failed, each with the old or the new certificate")
