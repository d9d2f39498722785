"""The book as Redis holds it, read without gatebook: every stream, every key's deadline."""
import re
import socket
import time

from names import MOST, number_of

KEY = re.compile(r"gb:visits:\{([^{}]+)\.(\d+)\.(\d+)\}\Z")
RETENTION = 30 * 86_400_000  # ms, visit.retention by default
INDEX = re.compile(r"gb:index:\{([^{}]+)\.(\d+)\.(\d+)\}\Z")
ELEMENT = 7  # octets of an index's element; the first is the minute of the hour
MINUTE = 60_000
SLACK = 30_000  # ms: a record may be that much later than its arrival
PAGE = 2000  # entries


class Redis:
    """RESP2 over a Unix socket."""

    def __init__(self, path):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(60)
        self.link.connect(path)
        self.file = self.link.makefile("rb", 1 << 20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.link.close()

    def ask(self, *words):
        return self.ask_all([words])[0]

    def ask_all(self, commands):
        self.link.sendall(b"".join(self.encode(words) for words in commands))
        return [self.reply() for _ in commands]

    @staticmethod
    def encode(words):
        texts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        return b"*%d\r\n" % len(texts) + b"".join(b"$%d\r\n%s\r\n" % (len(text), text) for text in texts)

    def reply(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode("latin-1")  # an octet a character
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest.decode()
        raise OSError(f"Redis says {line!r}")


class Book:
    """What was found, and what is wrong with it: a list of sentences."""

    def __init__(self, socket_path):
        self.times = bytearray(MOST)  # per number: how often it stands there
        self.visits, self.closings, self.streams, self.keys, self.wrong = 0, 0, 0, 0, []
        self.dns_checks, self.sessions = {}, set()
        self.facts, self.indexed = {}, {}  # per worker and minute: entries that say facts in whole, elements of the index
        with Redis(socket_path) as redis:
            self.read(redis)

    def read(self, redis):
        cursor, now = "0", time.time() * 1000
        seen = set()
        while True:
            cursor, keys = redis.ask("SCAN", cursor, "COUNT", 1000)
            keys = [key for key in keys if key not in seen]
            seen.update(keys)
            for key, deadline in zip(keys, redis.ask_all([("PEXPIRETIME", key) for key in keys])):
                if deadline <= now:
                    self.wrong.append(f"{key} has no deadline ahead of it (PEXPIRETIME {deadline})")
                if match := KEY.match(key):
                    self.read_stream(redis, key, int(match.group(3)), deadline)
                elif match := INDEX.match(key):
                    self.read_index(redis, key, match)
            if cursor == "0":
                break
        self.keys = len(seen)
        for minute, facts in self.facts.items():
            if self.indexed.get(minute, 0) < facts:
                self.wrong.append(f"the index has {self.indexed.get(minute, 0)} elements for {minute}, whose stream has {facts}")

    def read_stream(self, redis, key, minute, deadline):
        self.streams += 1
        begin, end = minute * MINUTE, (minute + 1) * MINUTE
        if not begin - SLACK + RETENTION <= deadline <= end + RETENTION:
            self.wrong.append(f"{key} expires at {deadline}, {deadline - begin - RETENTION} ms from its minute + retention")
        after = "-"
        while page := redis.ask("XRANGE", key, after, "+", "COUNT", PAGE):
            for entry, fields in page:
                self.read_entry(key, entry, fields, begin, end)
            after = "(" + page[-1][0]

    def read_index(self, redis, key, match):
        index = redis.ask("GETRANGE", key, 0, -1)
        if len(index) % ELEMENT:
            self.wrong.append(f"{key} has {len(index)} octets, which is no whole number of elements")
        for minute in index[::ELEMENT]:
            worker = match.group(1), match.group(2), int(match.group(3)) * 60 + ord(minute)
            self.indexed[worker] = self.indexed.get(worker, 0) + 1

    def read_entry(self, key, entry, fields, begin, end):
        if fields[0] != "v" or fields[2] != "c" or len(fields) != 4:
            return self.wrong.append(f"{key} {entry} is no visit: {fields}")
        facts = fields[3].split("\t")
        if facts[0].startswith("^"):
            self.closings += 1
            return
        self.visits += 1
        if not begin <= int(entry.partition("-")[0]) < end:
            self.wrong.append(f"{key} {entry} belongs to another minute")
        if not facts[0].startswith("="):
            self.sessions.add(facts[0])
            self.dns_checks[facts[2]] = self.dns_checks.get(facts[2], 0) + 1
            worker = KEY.match(key).group(1), KEY.match(key).group(2), begin // MINUTE
            self.facts[worker] = self.facts.get(worker, 0) + 1
        visit = fields[1].split("\t")
        number = number_of(visit[4])
        if number is None:
            self.wrong.append(f"{key} {entry} has a path that nobody asked for: {fields[1]}")
        elif self.times[number] < 255:
            self.times[number] += 1
