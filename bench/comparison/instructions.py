"""Instructions of the hot paths, which repeat where times do not, held against a stored baseline."""
import json
import os
import re
import subprocess

from .machine import Failure, find_program

BASELINE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "instructions.json")
FEW, MANY = 1000, 3000  # the difference has nothing of what it takes to begin
TOLERANCE = 0.03  # other processors take other ways through memcpy


def collected(program, path, times):
    done = subprocess.run([find_program("valgrind"), "--tool=callgrind", "--callgrind-out-file=/dev/null", program, path,
                           str(times)], capture_output=True, text=True)
    counted = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not counted:
        raise Failure(f"{path} was not counted: {done.stderr}")
    return int(counted.group(1))


def count(build):
    """Instructions a run of each path."""
    program = os.path.join(build, "bench/gatebook_hot_paths")
    if not os.path.exists(program):
        raise Failure(f"there is no {program}: cmake --build --preset release")
    paths = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    return {path: round((collected(program, path, MANY) - collected(program, path, FEW)) / (MANY - FEW))
            for path in paths}


def store(build):
    counts = count(build)
    with open(BASELINE, "w") as file:
        json.dump(counts, file, indent=2)
        file.write("\n")
    return counts


def check(build):
    """Prints each path; a Failure names those that cost more than they did."""
    with open(BASELINE) as file:
        baseline = json.load(file)
    counts, worse = count(build), []
    if missing := baseline.keys() - counts.keys():
        raise Failure(f"not counted: {', '.join(sorted(missing))}")
    for path, now in counts.items():
        before = baseline.get(path)
        if before is None:
            raise Failure(f"{path} has no baseline: bench/compare --store")
        print(f"{path}: {now:,} instructions, {now / before:.3f} of the baseline")
        if now > before * (1 + TOLERANCE):
            worse.append(path)
        elif now < before * (1 - TOLERANCE):
            print(f"{path}: costs less than the baseline says; bench/compare --store keeps it that way")
    if worse:
        raise Failure(f"more instructions than the baseline allows: {', '.join(worse)}")
