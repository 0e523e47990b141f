"""Attacks from seeds, and what they showed.

::

    python -m tests.hostile --attacks 10000              many, of every kind
    python -m tests.hostile --kind workbooks --seed 17   one, named by its seed
    python -m tests.hostile --kind workbooks --case row-99999999 --keep /tmp/attack
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2

from tests.hostile import oracle, runs
from tests.hostile.attack import listed
from tests.hostile.kinds import ALWAYS, KINDS
from tests.hostile.oracle import Outcome
from tests.hostile.world import build
from tests.places import in_memory

FRESH = 40
"""Every so manieth attack meets a Python of its own, as a user starts it; the others a fork of this one."""

_IMPORTED = ("matplotlib.figure", "matplotlib.backends.backend_agg", "PIL.Image", "rich.progress", "xlrd")


def main() -> None:
    """Run the attacks that were asked for; exit code 1 where something did not hold."""
    asked = _asked()
    if asked.seed is not None or asked.case is not None:
        if len(asked.kind) != 1:
            sys.exit("a seed or a case is one of a --kind")
        chosen = [(asked.kind[0], asked.case or str(asked.seed))]
    else:
        kinds = {name: KINDS[name] for name in asked.kind or KINDS}
        chosen = listed(kinds, asked.attacks, ALWAYS, asked.first)
    if asked.keep:
        asked.keep.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="hostile-", dir=in_memory()) as folder:
        outcomes = []
        for outcome in _outcomes(chosen, Path(folder), asked):
            outcomes.append(outcome)
            if outcome.faults:
                print(report(outcome), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    if asked.keep:
        for outcome in outcomes:
            print(f"me-datasets {outcome.line}\n{outcome.said}exit code {outcome.code}")
    print(summary(outcomes))
    sys.exit(any(outcome.faults for outcome in outcomes))


def report(outcome: Outcome) -> str:
    """One outcome that is not as it should be, with the command that shows it again."""
    name = f"--seed {outcome.name}" if outcome.name.isdecimal() else f"--case {outcome.name}"
    lines = [f"{outcome.kind} {outcome.name}: {'; '.join(outcome.faults)}"]
    lines += [f"  me-datasets {outcome.line[:300]}", f"  exit code {outcome.code}, {outcome.seconds:.1f} s"]
    lines += [f"  | {line[:200]!r}" for line in outcome.said.strip().splitlines()[-4:]]
    lines.append(f"  again: python -m tests.hostile --kind {outcome.kind} {name} --keep FOLDER")
    return "\n".join(lines)


def summary(outcomes: list[Outcome]) -> str:
    """Attacks, exit codes, failures, the longest and the largest of each kind."""
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_kind[outcome.kind].append(outcome)
    lines = [f"{'kind':14} attacks  code 0  code 1  code 2  failed  longest, s  most, MB"]
    for kind, own in [*by_kind.items(), ("all", outcomes)]:
        codes = Counter(outcome.code for outcome in own)
        lines.append(
            f"{kind:14} {len(own):7}  {codes[0]:6}  {codes[1]:6}  {codes[2]:6}  "
            f"{sum(bool(outcome.faults) for outcome in own):6}  "
            f"{max((outcome.seconds for outcome in own), default=0):10.1f}  "
            f"{max((outcome.megabytes for outcome in own), default=0):8}"
        )
    return "\n".join(lines)


def _asked() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__.splitlines()[0])
    parser.add_argument("--attacks", type=int, default=200, help="how many; half of them from seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of the seeds")
    parser.add_argument("--kind", action="append", choices=KINDS, default=[], help="on this kind of input alone")
    parser.add_argument("--seed", type=int, help="one attack, of this seed")
    parser.add_argument("--case", help="one attack, of this name")
    parser.add_argument("--seconds", type=float, default=runs.SECONDS, help="computing for longer is a hang")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--json", type=Path, help="write all outcomes to this file")
    parser.add_argument("--keep", type=Path, help="leave the folders of the attacks in this new one")
    return parser.parse_args()


def _outcomes(chosen: list[tuple[str, str]], folder: Path, asked: Any) -> Iterator[Outcome]:
    """The outcomes as they come."""
    cv2.setNumThreads(1)
    for name in _IMPORTED:
        importlib.import_module(name)
    os.environ["MPLCONFIGDIR"] = str(folder / "matplotlib")
    base = folder / "base"
    base.mkdir()
    build(base, lambda *arguments: runs.quietly(arguments))
    gc.freeze()  # forks then share what is there
    own = asked.keep or folder
    jobs = [
        (number, kind, name, own / f"{kind}-{name}", base, asked.seconds, asked.keep is None)
        for number, (kind, name) in enumerate(chosen)
    ]
    if asked.jobs == 1 or len(jobs) == 1:
        yield from map(_play, jobs)
        return
    began = time.monotonic()
    with ProcessPoolExecutor(asked.jobs, multiprocessing.get_context("fork")) as pool:
        for number, outcome in enumerate(pool.map(_play, jobs), start=1):
            yield outcome
            if sys.stderr.isatty() or number % 500 == 0:
                print(f"{number} of {len(jobs)} attacks, {time.monotonic() - began:.0f} s", file=sys.stderr, end="\r")


def _play(job: tuple[int, str, str, Path, Path, float, bool]) -> Outcome:
    number, kind, name, place, base, seconds, tidy = job
    try:
        return oracle.play(KINDS[kind], name, place, base, runs.Way(seconds, fresh=number % FRESH == 0))
    finally:
        if tidy:
            _writable(place)
            shutil.rmtree(place)


def _writable(place: Path) -> None:
    """Give back the permissions that an attack took away."""
    for folder, folders, _ in os.walk(place):
        for name in folders:
            path = Path(folder) / name
            if not path.is_symlink():
                path.chmod(0o700)


if __name__ == "__main__":
    main()
