"""The log of a run: what it did, when, on which machine, with which versions; and every item that failed.

Anything in the package may write to the logger ``datasets_me`` or one below it; where it goes is decided here alone.
"""

from __future__ import annotations

import logging
import os
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from datasets_me.cli import show
from datasets_me.core.errors import WriteError
from datasets_me.core.text import printable
from datasets_me.core.version import __version__

if TYPE_CHECKING:
    from datasets_me.findings.finding import Finding

LOGGER = logging.getLogger("datasets_me")
LOGGER.addHandler(logging.NullHandler())  # without --log and -v nothing is written, not even by Python's last resort
LOGGER.propagate = False

_LIBRARIES = (
    *("numpy", "pyarrow", "pandas", "openpyxl", "pillow", "opencv-contrib-python", "dlib-bin", "scipy", "scikit-learn"),
    *("torch", "matplotlib"),
)
_LEVELS = {"error": logging.ERROR, "warning": logging.WARNING, "info": logging.DEBUG}


class _Lines(logging.Formatter):
    """``2026-03-01T12:00:00+0100 INFO message``, on one line whatever is in the message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


class _OnScreen(logging.Handler):
    """Standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        show.echo(self.format(record), err=True)


def start(file: Path | None, verbose: bool) -> None:
    """Write the log to the end of a file, or to standard error, or to both.

    Raises:
        WriteError: the file cannot be written.
    """
    import platform

    handlers: list[logging.Handler] = []
    if file is not None:
        try:
            handlers.append(logging.FileHandler(file, encoding="utf-8", errors="backslashreplace"))
        except OSError as error:
            raise WriteError(f"the log cannot be written: {error.strerror}", where=str(file)) from error
    if verbose:
        handlers.append(_OnScreen())
        show.without_bars()
    for handler in handlers:
        handler.setFormatter(_Lines())
        LOGGER.addHandler(handler)
    if handlers:
        LOGGER.setLevel(logging.INFO)
        LOGGER.info("me-datasets %s", shlex.join(sys.argv[1:]))
        LOGGER.info(
            "version %s, Python %s on %s (%s, %d cores), process %d in %s",
            *(__version__, platform.python_version(), platform.node(), platform.platform()),
            *(os.cpu_count() or 1, os.getpid(), Path.cwd()),
        )
        LOGGER.info("libraries: %s", ", ".join(_versions()))


def _versions() -> Iterator[str]:
    from importlib import metadata

    for name in _LIBRARIES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue


@contextmanager
def part(name: str) -> Iterator[None]:
    """Log the beginning and the end of a part of the work, with its seconds."""
    started = time.monotonic()
    LOGGER.info("%s: begins", name)
    try:
        yield
    except BaseException as error:
        why = "; ".join(line.strip() for line in str(error).splitlines())
        LOGGER.error("%s: ended by %s after %.1f s: %s", name, type(error).__name__, time.monotonic() - started, why)
        raise
    LOGGER.info("%s: done in %.1f s", name, time.monotonic() - started)


def note(findings: Sequence[Finding]) -> None:
    """Log what was found; remarks only where the level is lowered."""
    for finding in findings:
        LOGGER.log(_LEVELS[finding.severity], "%s %s: %s", finding.code, finding.where, finding.message)
