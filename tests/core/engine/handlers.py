"""What the engine's tests have done with items; a module of its own, so that processes can import it."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datasets_me.core.engine import Report
from datasets_me.core.engine.processes import THREADS
from datasets_me.core.errors import FeaturesError, MeDatasetsError, WriteError


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _read_from_nowhere() -> None:
    ctypes.string_at(0)


def _raise(error: BaseException) -> None:
    raise error


def _orphan() -> None:
    """Die while a child holds the worker's end of the pipe."""
    if os.fork() == 0:
        time.sleep(3)
        os._exit(0)
    _kill()


def _threads() -> tuple[list[str], int]:
    import cv2

    return [os.environ[name] for name in THREADS], cv2.getNumThreads()


def _tunables() -> str:
    return os.environ["GLIBC_TUNABLES"]


SPECIAL: dict[str, Callable[[], Any]] = {
    "kill": _kill,
    "tunables": _tunables,
    "exit": lambda: os._exit(3),
    "segfault": _read_from_nowhere,
    "orphan": _orphan,
    "raise": lambda: _raise(ZeroDivisionError("by zero")),
    "quit": lambda: _raise(SystemExit(4)),
    "memory": lambda: _raise(MemoryError()),
    "known": lambda: _raise(MeDatasetsError("it is broken", fix="mend it")),
    "full": lambda: _raise(WriteError("the file cannot be written: No space left on device", where="/out")),
    "lock": threading.Lock,
    "large": lambda: bytes(3_000_000),
    "threads": _threads,
    "process": os.getpid,
}


def make(config: str) -> Callable[[Any, Report], Any]:
    """Items are names of what is `SPECIAL`, or numbers."""

    def handle(item: Any, report: Report) -> Any:
        report(2)
        return SPECIAL[item]() if item in SPECIAL else f"{config} {item}"

    return handle


def make_none(config: str) -> Callable[[Any, Report], Any]:
    raise FeaturesError(f"there is no {config}", fix="make one")


def make_counted(folder: Path) -> Callable[[Any, Report], Any]:
    """Leaves a file in a folder for each time it is called."""
    (folder / f"made-{os.getpid()}-{time.monotonic_ns()}").touch()
    return lambda item, report: item


def double(item: int) -> int:
    """For a map: 7 is deadly, 40 an error."""
    if item == 7:
        _kill()
    if item == 40:
        raise ValueError("forty")
    return 2 * item


def slow_first(item: int) -> int:
    time.sleep(0.4 if item == 0 else 0)
    return item


def make_marked(folder: Path) -> Callable[[str, Report], None]:
    """Items mark that they are being done, then take forever: asleep, or in a library that lets no thread run."""

    def handle(item: str, report: Report) -> None:
        (folder / f"{item}-{os.getpid()}").touch()
        if item.startswith("deaf"):
            re.match(r"(a|aa)+$", "a" * 100 + "b")
        time.sleep(100)

    return handle


def make_slow(seconds: float) -> Callable[[Any, Report], Any]:
    """Items take some time."""

    def handle(item: Any, report: Report) -> Any:
        time.sleep(seconds)
        return item

    return handle


def make_reporting(folder: Path) -> Callable[[int, Report], None]:
    """Items mark that they are begun, then report progress for a minute."""

    def handle(item: int, report: Report) -> None:
        (folder / f"begun-{item}").touch()
        for _ in range(1_200):
            time.sleep(0.05)
            report(1)

    return handle
