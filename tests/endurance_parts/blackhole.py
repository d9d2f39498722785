"""A name server that never answers, and one that does, in turn: may a visitor notice?"""
import asyncio
import collections
import json
import random
import socket
import statistics
import subprocess
import time

from world import World, expect, free_port, wait_for

RATE = 400  # requests a second
REQUESTS = 5  # of a connection; each connection comes from an address that nobody has seen before
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
ZONE = """$TTL 300
@ IN SOA ns.visitors.test. admin.visitors.test. 1 3600 600 86400 300
@ IN NS ns.visitors.test.
*"""


def run(options):
    well, black = free_port(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    black.bind(("127.0.0.1", 0))
    servers = {"well": well, "black": black.getsockname()[1]}
    latencies, checks = collections.defaultdict(list), collections.defaultdict(collections.Counter)
    with World(options.binary, "blackhole") as world:
        start_name_server(world, well)
        for number in range(options.rounds):
            # Every other round backwards, so that a slow drift favours nobody.
            for name in ("well", "black") if number % 2 == 0 else ("black", "well"):
                world.sections["dns"] = f'servers = ["127.0.0.1:{servers[name]}"]'
                world.configure(world.plain_upstream())
                begin_anew(world)
                chance = random.Random(f"{name}{number}")
                taken = asyncio.run(visit(world.plain_port, options.secs, chance))
                latencies[name].append(statistics.quantiles(taken, n=100)[98] * 1e6)
                checks[name] += visits(world, len(taken))
                print(f"  round {number + 1}/{options.rounds}  {name:5}  {len(taken)} requests, p50 "
                      f"{statistics.median(taken) * 1e6:.0f} µs, p99 {latencies[name][-1]:.0f} µs", flush=True)
    told = {name: dict(counted) for name, counted in checks.items()}
    expect(set(told["black"]) == {"timeout"}, f"with a black hole all visits say so: {told['black']}")
    expect(not {"timeout", "skipped"} & set(told["well"]), f"with a name server none does: {told['well']}")
    ratio = statistics.median(black / well for well, black in zip(latencies["well"], latencies["black"]))
    expect(ratio <= 1.1, f"p99 with the black hole is {ratio:.2f} of that without, at the median of {options.rounds} rounds")


def start_name_server(world, port):
    with open(world.path("reverse.zone"), "w") as file:
        file.write(ZONE + " IN PTR guest.visitors.test.\n")
    with open(world.path("forward.zone"), "w") as file:
        file.write(ZONE + " IN A 127.0.0.2\n")
    place = world.directory
    with open(world.path("nsd.conf"), "w") as file:
        file.write(f"""server:
  server-count: 1
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{place}"
  pidfile: "{place}/nsd.pid"
  xfrdfile: "{place}/xfrd"
  zonelistfile: "{place}/zone.list"
  xfrdir: "{place}"
remote-control:
  control-enable: no
zone:
  name: 127.in-addr.arpa
  zonefile: reverse.zone
zone:
  name: visitors.test
  zonefile: forward.zone
""")
    world.start("/usr/sbin/nsd", "-d", "-c", world.path("nsd.conf"))
    question = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\x04test\0\0\x06\0\1"

    def answers():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.settimeout(0.2)
            try:
                link.connect(("127.0.0.1", port))
                link.send(question)
                return bool(link.recv(512))
            except OSError:
                return False
    wait_for(answers, "the name server to answer")


def begin_anew(world):
    """Nothing remembered: neither names nor visits."""
    world.gatebook.terminate()
    world.gatebook.wait(30)
    subprocess.run(["redis-cli", "-s", world.redis_socket, "FLUSHALL"], check=True, stdout=subprocess.DEVNULL)
    world.start_gatebook()
    wait_for(world.is_ready, "gatebook to come up")


async def visit(port, seconds, chance):
    taken, visitors = [], set()
    for number in range(int(RATE * seconds / REQUESTS)):
        visitors.add(asyncio.create_task(visitor(port, number * REQUESTS / RATE, chance, taken)))
    await asyncio.gather(*visitors)
    return taken


async def visitor(port, when, chance, taken):
    await asyncio.sleep(when)
    source = f"127.{chance.randint(1, 254)}.{chance.randint(1, 254)}.{chance.randint(1, 254)}"
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    for _ in range(REQUESTS):
        began = time.perf_counter()
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readexactly(1024)
        taken.append(time.perf_counter() - began)
    writer.close()


def visits(world, wanted):
    wait_for(lambda: world.metrics()["gatebook_visits_in_journal"] == 0, "the visits to be in Redis", 30)
    lines = subprocess.run([world.binary, "visits", "--since", "1h", "--json", "-c", world.path("gatebook.toml")], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    expect(len(lines) == wanted, f"{len(lines)} of {wanted} visits are in the book")
    return collections.Counter(json.loads(line)["dns_check"] for line in lines)
