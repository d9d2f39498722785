"""Processes of a comparison: started on a given core, measured, and stopped by pid."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PROXY_CPU = 0   # the contender alone
OTHERS_CPU = 1  # load, upstream, Redis, name server


class Failure(Exception):
    """A sentence for the person at the terminal."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find_program(name):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    found = shutil.which(name, path=path)
    if not found:
        raise Failure(f"{name} is not installed: scripts/install-packages bench")
    return found


class Running:
    """A child process with its log and its whole tree's costs."""

    def __init__(self, name, process, log):
        self.name, self.process, self.log = name, process, log

    def tree(self):
        pids, rest = [], [self.process.pid]
        while rest:
            pid = rest.pop()
            pids.append(pid)
            for task in self._tasks(pid):
                try:
                    with open(f"/proc/{pid}/task/{task}/children") as file:
                        rest += map(int, file.read().split())
                except OSError:
                    pass
        return pids

    @staticmethod
    def _tasks(pid):
        try:
            return os.listdir(f"/proc/{pid}/task")
        except OSError:
            return []

    def cpu_us(self):
        """Time on a CPU of all threads of all its processes (schedstat: nanoseconds)."""
        total = 0
        for pid in self.tree():
            for task in self._tasks(pid):
                try:
                    with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                        total += int(file.read().split()[0])
                except OSError:
                    pass
        return total / 1000

    def memory_kib(self):
        """Memory of its own. Pages of files (logs, the mapped journal) are the page cache's and count for nobody."""
        total = 0
        for pid in self.tree():
            try:
                with open(f"/proc/{pid}/smaps_rollup") as file:
                    total += sum(int(line.split()[1]) for line in file if line.startswith("Anonymous:"))
            except OSError:
                pass
        return total

    def last_words(self):
        with open(self.log, errors="replace") as file:
            return file.read()[-1500:]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Machine:
    """A directory and the processes that live in it; leaves neither behind."""

    def __init__(self):
        if (os.cpu_count() or 1) < 2:
            raise Failure("a comparison needs two cores: one for the proxy, one for the rest")
        self.directory = tempfile.mkdtemp(prefix="gatebook-compare.")
        os.chmod(self.directory, 0o755)
        self.running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for running in reversed(self.running):
            running.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, content):
        path = self.path(name)
        with open(path, "wb" if isinstance(content, bytes) else "w") as file:
            file.write(content)
        return path

    def start(self, name, command, cpu, ready, environment=None):
        """Starts `command` on a core and returns once `ready()` is true."""
        log = self.path(f"{name}.{len(self.running)}.log")
        with open(log, "wb") as output:
            # Whatever becomes of us, it does not outlive us.
            process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(cpu),
                                        find_program(command[0])] + command[1:],
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                       start_new_session=True, env={**os.environ, **(environment or {})})
        running = Running(name, process, log)
        self.running.append(running)
        deadline = time.monotonic() + 15
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{name} did not come up:\n{running.last_words()}")
            time.sleep(0.05)
        return running

    def stop(self, running):
        running.stop()
        self.running.remove(running)


def listens(port):
    def ready():
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return True
        except OSError:
            return False
    return ready


def run_load(command):
    """Runs a load generator beside the proxy; its standard output."""
    done = subprocess.run(["taskset", "-c", str(OTHERS_CPU), find_program(command[0])] + command[1:],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
