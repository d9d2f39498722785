"""Hundreds of WebSockets and a stream of requests through many reloads."""
import asyncio
import os
import resource
import socket
import time

import websockets

from world import Failure, World, expect, tls_context, wait_for

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CONNECTIONS = 20


def run(options):
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    with World(options.binary) as world:
        world.make_certificate("second")
        asyncio.run(through_reloads(world, options))
        wait_for(lambda: world.metrics()["gatebook_generations_live"] == 1, "the old generations to end")
        expect(True, "one generation is left")
        asyncio.run(key_after_chain(world))
        world.still_runs()


async def through_reloads(world, options):
    # A few at a time: it is not the handshakes that are to be seen.
    gate = asyncio.Semaphore(20)

    async def open_socket():
        async with gate:
            return await websockets.connect(f"wss://localhost:{world.port}/socket", ssl=tls_context(), ping_interval=None)

    sockets = await asyncio.gather(*(open_socket() for _ in range(options.sockets)))
    ending = asyncio.Event()
    speakers = [asyncio.create_task(speak(link, ending)) for link in sockets]
    askers = [asyncio.create_task(ask(world.port, options.rate / CONNECTIONS, ending)) for _ in range(CONNECTIONS)]
    began, verdicts = time.monotonic(), {"done": 0, "refused": 0}
    for number in range(options.reloads):
        wanted = change(world, number)
        done = await asyncio.to_thread(world.reload)
        if (done.returncode == 0) != (wanted == "done"):
            raise Failure(f"reload {number}: exit code {done.returncode}, it should be {wanted}\n{done.stdout}{done.stderr}")
        verdicts[wanted] += 1
        await asyncio.sleep(0.1)
    took = time.monotonic() - began
    live = world.metrics()["gatebook_generations_live"]
    ending.set()
    requests = sum(await asyncio.gather(*askers))
    spoken = sum(await asyncio.gather(*speakers))
    print(f"  {verdicts['done']} reloads done and {verdicts['refused']} refused in {took:.0f} s, {live:.0f} generations alive")
    expect(requests > 0.8 * options.rate * took, f"{requests} requests answered ({requests / took:.0f} a second), none failed")
    expect(spoken >= options.sockets, f"{options.sockets} WebSockets held, {spoken} messages came back, none was closed")
    await asyncio.gather(*(link.close() for link in sockets))


def change(world, number):
    """Writes the next config. What the reload has to say to it."""
    more = f"max_idle = {64 + number}" if number % 4 == 2 else ""
    config = world.plain_upstream(more)
    if number % 4 == 0:
        config += '[[route]]\npath = "/added"\nupstream = "service"\n'
    elif number % 4 == 1:
        world.use_certificate("second" if number % 8 == 1 else "first")
    elif number % 4 == 3:
        config += "[[route]]\nupstream = \"nobody\"\n"
    world.configure(config)
    return "refused" if number % 4 == 3 else "done"


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


async def ask(port, rate, ending):
    """Requests at a steady rate over one connection, which stays open throughout."""
    reader, writer = await asyncio.open_connection("localhost", port, ssl=tls_context())
    count, began = 0, time.monotonic()
    while not ending.is_set():
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
    import ssl
    expect(ssl.PEM_cert_to_DER_cert(wanted) in seen, "the renewed certificate was taken by itself")
    expect(len(seen) == 2, f"{handshakes} handshakes meanwhile, none failed, each with the old or the new certificate")
