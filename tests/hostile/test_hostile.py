"""Attacks from seeds on every verb, and whether they would be noticed if they succeeded."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import REPOSITORY
from tests.hostile import oracle, runs
from tests.hostile.attack import Attack, Kind
from tests.hostile.world import World

ATTACKS = int(os.environ.get("ME_DATASETS_ATTACKS", "28"))
"""How many; with 200, all of ``kinds.ALWAYS`` are among them, with 45 every fourth one."""


def test_no_attack_succeeds() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile", "--attacks", str(ATTACKS)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def _hide(text: str) -> None:
    """An error as it should be, so that nothing else is wrong."""
    sys.stderr.write(f"error: {text}\n  where: here\n")
    sys.exit(2)


def _beside_the_output() -> None:
    Path("out/.it.tmp").touch()


def _half_an_output() -> None:
    Path("out/it").mkdir()
    _hide("x")


def _a_damaged_table() -> None:
    Path("out/it.parquet").write_bytes(b"PAR1")


def _nan_in_json() -> None:
    Path("out/it.json").write_text('{"mean": NaN}')


def _a_process_left() -> None:
    subprocess.Popen(["sleep", "60"])
    Path("out/it").touch()


PROGRAMS: dict[str, tuple[Callable[[], object], str]] = {
    "raises": (lambda: {}["x"], "a traceback: KeyError: 'x'"),
    "exits with another code": (lambda: sys.exit(3), "exit code 3"),
    "is killed": (lambda: os.kill(os.getpid(), 9), "exit code -9"),
    "waits": (lambda: time.sleep(60), "a hang"),
    "takes memory": (lambda: np.ones(500 << 17), "MB of memory"),
    "leaves a process": (_a_process_left, "a process outlived the command"),
    "prints escapes": (lambda: print("\x1b[2J"), "a control character on stdout"),
    "warns": (lambda: sys.stderr.write("/x/y.py:3: RuntimeWarning: divide\n"), "a warning of Python's"),
    "refuses without a place": (lambda: (sys.stderr.write("error: no\n"), sys.exit(2)), "does not say where"),
    "refuses without a word": (lambda: sys.exit(2), "exit code 2 without an error"),
    "changes what is not its own": (lambda: Path("victim/keep.txt").write_text("mine"), "changed: victim/keep.txt"),
    "removes what is not its own": (lambda: Path("victim/empty").rmdir(), "removed: victim/empty"),
    "reads what is not its own": (lambda: Path("victim/keep.txt").read_text(), "read outside: victim/keep.txt"),
    "changes its input": (lambda: Path("in/mine.txt").write_text("x"), "changed: in/mine.txt"),
    "leaves a temporary file": (lambda: Path("tmp/x.lock").touch(), "left: tmp/x.lock"),
    "leaves something beside its output": (_beside_the_output, "litter beside the output: .it.tmp"),
    "leaves half an output": (_half_an_output, "an output, though the verb could not run: it"),
    "writes nothing": (lambda: None, "exit code 0 without its output: it"),
    "writes a damaged table": (_a_damaged_table, "half a file: out/it.parquet"),
    "writes NaN as JSON": (_nan_in_json, "NaN is no JSON"),
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_the_oracle_sees_a_program_that(what: str, tmp_path: Path) -> None:
    program, fault = PROGRAMS[what]
    kind = Kind("mine")

    def make(world: World, chance: object) -> Attack:
        (world.inputs / "mine.txt").write_text("mine")
        names = ("it.parquet",) if "table" in what else ("it.json",) if "JSON" in what else ("it",)
        return Attack(("verb",), outputs=names)

    kind.add("one", make)
    victim = tmp_path / "base" / "victim"
    (victim / "empty").mkdir(parents=True)
    (victim / "keep.txt").write_text("somebody else's\n")
    way = runs.Way(0.5 if what == "waits" else 20, 400, program=program)  # type: ignore[arg-type]
    outcome = oracle.play(kind, "one", tmp_path / "world", tmp_path / "base", way)
    assert any(fault in found for found in outcome.faults), outcome
