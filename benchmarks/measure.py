"""Running a command and measuring the whole process: seconds and peak memory."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = [sys.executable, "-m", "datasets_me"]

# Linux counts what a process held before it became another program, so the measuring is done from a small one.
_STARTER = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, seconds, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime]))
"""


@dataclass(frozen=True)
class Measured:
    """Median seconds over the runs, the largest resident set of any of them in MB, and the least seconds of CPU."""

    seconds: float
    megabytes: float
    cpu: float


def measure(command: Sequence[str | Path], cwd: Path, runs: int = 5, fine: tuple[int, ...] = (0,)) -> Measured:
    """Run a command several times, each as a process of its own."""
    seconds, memory, cpu = [], [], []
    for _ in range(runs):
        starter = [sys.executable, "-S", "-c", _STARTER, *map(str, command)]
        done = subprocess.run(starter, cwd=cwd, stdout=subprocess.PIPE, text=True, check=True)
        code, took, megabytes, used = json.loads(done.stdout)
        if code not in fine:
            sys.exit(f"{command} failed with exit code {code}")
        seconds.append(took)
        memory.append(megabytes)
        cpu.append(used)
    return Measured(statistics.median(seconds), max(memory), min(cpu))
