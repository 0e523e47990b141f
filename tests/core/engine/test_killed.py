"""A process that is killed, or interrupted, leaves none of those behind that worked for it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, heed_interrupts

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted under /proc")

KILLS = int(os.environ.get("ME_DATASETS_KILLS", "5"))
"""How often a run is killed at a random moment; 200 times take two minutes."""

NUMBERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)

PROGRAM = """
import sys
from pathlib import Path
from datasets_me.core.engine import run
from tests.core.engine import handlers

folder, *items = sys.argv[1:]
for item, outcome in run(handlers.make_marked, items, Path(folder), workers=2):
    print(item, outcome)
"""


def started(folder: Path, *items: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, folder, *items],
        cwd=REPOSITORY,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )


def in_session(number: int) -> list[str]:
    """The command lines of all processes of a session that live."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
                line = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if int(session) == number and state not in "ZX":
                found.append(line.replace(b"\0", b" ").decode())
    return found


def nobody_left(*processes: subprocess.Popen[bytes]) -> None:
    time.sleep(1)
    left = [in_session(process.pid) for process in processes]
    for process, those in zip(processes, left, strict=True):
        if those:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert left == [[]] * len(processes)


def test_in_the_middle_of_items(tmp_path: Path) -> None:
    """One process is asleep, the other in a library that lets no thread of Python run."""
    processes = {number: started(tmp_path, "asleep", "deaf", "next") for number in NUMBERS}
    while len(list(tmp_path.iterdir())) < 2 * len(processes):
        assert all(process.poll() is None for process in processes.values())
        time.sleep(0.01)
    for number, process in processes.items():
        assert len(in_session(process.pid)) == 3  # no tracker of resources
        os.kill(process.pid, number)
    nobody_left(*processes.values())


def test_by_ctrl_c_in_a_terminal(tmp_path: Path) -> None:
    """Which reaches the workers, too, but only their parent heeds it."""
    process = started(tmp_path, "asleep1", "asleep2")
    while len(list(tmp_path.iterdir())) < 2:
        time.sleep(0.01)
    for path in tmp_path.iterdir():
        os.kill(int(path.name.split("-")[1]), signal.SIGINT)
    time.sleep(0.2)
    assert len(in_session(process.pid)) == 3
    os.killpg(process.pid, signal.SIGINT)
    nobody_left(process)


def test_at_random_moments_of_starting(tmp_path: Path) -> None:
    chance = random.Random(1)
    processes = []
    for _ in range(KILLS):
        processes.append(started(tmp_path, "asleep1", "asleep2"))
        time.sleep(chance.uniform(0.02, 0.6))
        processes[-1].kill()
    nobody_left(*processes)
