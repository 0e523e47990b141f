"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import os
import tempfile
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


def remove_leftovers(path: Path) -> None:
    """Remove what a killed `write_file` left beside a file that is now written anew."""
    for leftover in path.parent.glob(f".{escape(path.name)}.*"):
        leftover.unlink(missing_ok=True)


def umask() -> int:
    """The permissions that new files of this process do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
