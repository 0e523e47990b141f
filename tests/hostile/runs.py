"""The command line in a process of its own: forked, since starting Python afresh takes longer than most attacks."""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from datasets_me.cli import main

SECONDS = 20.0
"""Longer than this is a hang: of computing, or three times as long in all, since the machine may be busy."""

MEGABYTES = 1024
"""More memory than this is too much for these inputs."""

_GRACE = 1.0  # seconds in which helpers of a process that has ended have to end


@dataclass(frozen=True)
class Way:
    """How a run is made.

    Args:
        seconds: it is ended after so many of computing, and after three times as many in all.
        megabytes: more is too much; three times as much is not even given.
        fresh: Python starts anew, as for a user.
        program: what reads the command line.
    """

    seconds: float = SECONDS
    megabytes: int = MEGABYTES
    fresh: bool = False
    program: Callable[[], None] = main


@dataclass(frozen=True)
class Done:
    """A run that has ended. ``code`` is negative where a signal ended it; ``left`` whether a process outlived it."""

    code: int
    out: bytes
    err: bytes
    seconds: float
    computed: float
    megabytes: int
    hung: bool
    left: bool


def run(arguments: Sequence[str], place: Path, tmp: Path, way: Way) -> Done:
    """The command line with these arguments, in the folder ``place``, with ``tmp`` for temporary files."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = os.fork()
        if process == 0:
            _child(arguments, place, tmp, (out.fileno(), err.fileno()), way)
        hung = not _ends(process, 3 * way.seconds)
        if hung:
            _kill(process)
        _, status, used = os.wait4(process, 0)
        left = _outlived(process)
        out.seek(0)
        err.seek(0)
        computed = used.ru_utime + used.ru_stime
        return Done(
            code=os.waitstatus_to_exitcode(status),
            out=out.read(),
            err=err.read(),
            seconds=time.monotonic() - began,
            computed=computed,
            megabytes=used.ru_maxrss // 1024,
            hung=hung or computed > way.seconds,
            left=left,
        )


def _data() -> int:
    """Bytes that this process holds; a fork holds them, too."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmData:")), 0)


def quietly(arguments: Sequence[str]) -> int:
    """The command line in this process, which then has everything imported; returns its exit code."""
    before, streams = sys.argv, (sys.stdout, sys.stderr)
    try:
        with Path(os.devnull).open("w") as sys.stdout, Path(os.devnull).open("w") as sys.stderr:
            sys.argv = ["me-datasets", *arguments]
            return _code(main)
    finally:
        sys.argv, (sys.stdout, sys.stderr) = before, streams


def _code(program: Callable[[], None]) -> int:
    try:
        program()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _child(arguments: Sequence[str], place: Path, tmp: Path, streams: tuple[int, int], way: Way) -> NoReturn:
    code = 99
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, stream in enumerate(streams, start=1):
            os.dup2(stream, number)
        os.chdir(place)
        os.environ.update(TMPDIR=str(tmp), NO_COLOR="1", TERM="dumb")
        os.environ.pop("ME_DATASETS_ATTACKS", None)
        for limit, most in (
            (resource.RLIMIT_DATA, (3 * way.megabytes << 20) + (0 if way.fresh else _data())),
            (resource.RLIMIT_FSIZE, way.megabytes << 20),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_CPU, int(way.seconds) + 1),
        ):
            resource.setrlimit(limit, (most, most))
        if way.fresh:
            os.execv(sys.executable, [sys.executable, "-m", "datasets_me", *arguments])
        tempfile.tempdir = None
        sys.argv = ["me-datasets", *arguments]
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        code = _code(way.program)
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)  # what this process was told to do at its end is for the one it was forked from


def _ends(process: int, seconds: float) -> bool:
    """Whether a process ends in that time."""
    handle = os.pidfd_open(process)
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _outlived(group: int) -> bool:
    """Whether a process of a group whose first has ended goes on; it is ended then."""
    until = time.monotonic() + _GRACE
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.02)
    _kill(group)
    return True
