"""One process at a time, on one machine or several that share a disk.

The lock of ``out/name.json`` is the file ``out/.name.json.lock`` beside it. It is removed with the lock; only a killed
process leaves one behind, which locks nothing and is taken over by the next, or removed by `remove_left`. `is_lock`
says what may be passed over.
"""

from __future__ import annotations

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
        WriteError: the lock cannot be had: another user's, a link, or a place that cannot be written to.
    """
    from filelock import FileLock

    place = path.with_name(f".{path.name}{_SUFFIX}")
    lock = FileLock(place)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise WriteError(
            f"the lock cannot be taken: {error.strerror or error}",
            where=str(place),
            fix="remove it if nothing else writes there, or choose another place",
        ) from error
    try:
        yield
    finally:
        _remove(lock, place)
        lock.release()


def remove_left(folder: Path) -> None:
    """Remove the locks under a folder that killed processes left; those that are held stay."""
    from filelock import FileLock, Timeout

    for place in folder.rglob(f".*{_SUFFIX}"):
        lock = FileLock(place, blocking=False)
        with suppress(OSError, Timeout):
            lock.acquire()
            _remove(lock, place)
            lock.release()


def _remove(lock: BaseFileLock, place: Path) -> None:
    """Remove the file of a lock that is held: whoever waits for it sees that it has no name any more, and begins anew.

    Other kinds of locks remove themselves; what is not empty is none of ours.
    """
    from filelock import UnixFileLock

    with suppress(OSError):
        if isinstance(lock, UnixFileLock) and place.lstat().st_size == 0:
            place.unlink()


def is_lock(name: str) -> bool:
    """Whether a file is a lock by its name, so that it belongs to nobody."""
    return name.startswith(".") and name.endswith(_SUFFIX)
