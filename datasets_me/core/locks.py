"""One process at a time, on one machine or several that share a disk.

The lock of ``out/name.json`` is the file ``out/.name.json.lock`` beside it. It is removed when the lock is released.
Only a killed process leaves one behind, which locks nothing: the next process takes it over, or `remove_left` removes
it. `is_lock` tells locks from other files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from datasets_me.core.errors import WriteError

if TYPE_CHECKING:
    from filelock import BaseFileLock

_SUFFIX = ".lock"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until no other process holds the lock of a file, and hold it.

    Raises:
        WriteError: the lock cannot be taken: it is another user's, a link, or in a place that cannot be written to.
    """
    from filelock import FileLock

    place = path.with_name(f".{path.name}{_SUFFIX}")
    lock = FileLock(place)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        fix = "remove it if nothing else writes there" if os.path.lexists(place) else "see that you may write there"
        raise WriteError(
            f"the lock cannot be taken: {error.strerror or error}",
            where=str(place),
            fix=f"{fix}, or choose another place",
        ) from error
    try:
        yield
    finally:
        _remove(lock, place)
        lock.release()


def remove_left(folder: Path) -> None:
    """Remove the locks under a folder that killed processes left; those that are held stay."""
    from filelock import FileLock, Timeout

    for parent, _, names in os.walk(folder):
        for place in (Path(parent, name) for name in names if is_lock(name)):
            lock = FileLock(place, blocking=False)
            with suppress(OSError, Timeout):
                lock.acquire()
                _remove(lock, place)
                lock.release()


def _remove(lock: BaseFileLock, place: Path) -> None:
    """Remove the file of a lock that is held. A process that waits for it notices, and begins again with a new file.

    Other kinds of locks remove themselves. A file that is not empty is not one of ours.
    """
    from filelock import UnixFileLock

    with suppress(OSError):
        if isinstance(lock, UnixFileLock) and place.lstat().st_size == 0:
            place.unlink()


def is_lock(name: str) -> bool:
    """Whether a file is a lock, by its name."""
    return name.startswith(".") and name.endswith(_SUFFIX)
