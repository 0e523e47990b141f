"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from datasets_me.errors import WriteError


def write_file(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it, then rename it into place.

    Raises:
        WriteError: the place cannot be written to, or the disk is full; what was there before stays.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~umask())
        temporary.replace(path)
    except OSError as error:
        raise WriteError(f"the file cannot be written: {error.strerror or error}", where=str(path)) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(folder: Path, what: str) -> Iterator[Path]:
    """A temporary folder beside ``folder`` that takes its place when the work is done, and is gone if it fails.

    Whether what is there may be replaced is for the caller to ask before. A symbolic link stays, and what it points
    at is replaced.

    Args:
        what: what is written, for the message of an error: "manifest".

    Raises:
        WriteError: the place cannot be written to, or the disk is full; what was there before stays.
    """
    if folder.is_symlink():
        folder = folder.resolve()
    temporary: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        yield temporary
        temporary.chmod(0o777 & ~umask())
        if folder.exists():
            replaced = temporary.with_name(temporary.name + ".old")
            folder.rename(replaced)
            temporary.rename(folder)
            shutil.rmtree(replaced)
        else:
            temporary.rename(folder)
    except OSError as error:
        raise WriteError(f"the {what} cannot be written: {error.strerror or error}", where=str(folder)) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def remove_leftovers(path: Path) -> None:
    """Remove what a killed `write_file` left beside a file that is now written anew."""
    for leftover in path.parent.glob(f".{escape(path.name)}.*"):
        leftover.unlink(missing_ok=True)


def umask() -> int:
    """The permissions that new files of this process do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
