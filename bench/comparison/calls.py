"""System calls a request, by strace: where the kernel's part of the costs comes from."""
import os
import signal
import subprocess

from .machine import Failure, find_program

SHOWN = 0.01  # a request; what is rarer is not shown by itself


def count(contender, load, seconds):
    """(requests, {system call: how often a request}) of one load."""
    log = contender.machine.path("calls")
    load.ask(contender.port, 1)
    processes = contender.running.tree()
    tracer = subprocess.Popen([find_program("strace"), "-f", "-c", "-o", log] +
                              [word for pid in processes for word in ("-p", str(pid))], stderr=subprocess.PIPE, text=True)
    for _ in processes:
        if " attached" not in (line := tracer.stderr.readline()):
            raise Failure(f"strace: {line}")
    requests = load.ask(contender.port, seconds)
    tracer.send_signal(signal.SIGINT)
    tracer.communicate()
    if not os.path.exists(log) or requests == 0:
        raise Failure(f"strace saw nothing of {contender.name}")
    calls = {}
    with open(log) as file:
        for row in (line.split() for line in file):
            if len(row) >= 5 and row[3].isdigit() and row[-1] != "total":
                calls[row[-1]] = int(row[3]) / requests
    return requests, calls


def tell(contender, load, seconds):
    """A line of Markdown."""
    requests, calls = count(contender, load, seconds)
    often = ", ".join(f"{name} {times:.2f}" for name, times in sorted(calls.items(), key=lambda each: -each[1])
                      if times >= SHOWN)
    return f"| {load.name} | {contender.name} | {sum(calls.values()):.1f} | {often} |"
