"""Reading regular files, up to a size; roots; opening files that are written line by line."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from datasets_me.core.errors import FolderError


def read_regular(path: Path, most: int | None = None) -> bytes:
    """The content of a regular file; reading a pipe or a device could go on for ever.

    Args:
        path: the file.
        most: bytes; a larger file is not read.

    Raises:
        OSError: it cannot be read, is not a regular file, or is too large.
    """
    size = check_regular(path)
    if most is not None and size > most:
        raise OSError(errno.EFBIG, f"it has {size:,} bytes; files of more than {most:,} are not read")
    return path.read_bytes()


def check_regular(path: Path) -> int:
    """The size of a regular file in bytes; opening a pipe would wait for a writer.

    Raises:
        OSError: there is no such file, or it is not a regular one.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    return status.st_size


def check_root(root: Path, fix: str = "give the folder that holds the frames") -> None:
    """Refuse a root that is not a folder.

    Raises:
        FolderError: it is not.
    """
    if not root.is_dir():
        raise FolderError("the root is not a folder", where=str(root), fix=fix)


def open_own(path: Path, flags: int) -> BinaryIO:
    """A file that is written line by line, which must be one of its own and not a symbolic or hard link to another.

    Args:
        path: the file.
        flags: of ``os.open``; ``os.O_RDWR`` opens it for reading and writing, anything else for reading.

    Raises:
        OSError: it cannot be opened, or is a link.
    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a link")
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, 0o666)
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode) or about.st_nlink > 1:
        os.close(handle)
        raise OSError(errno.EINVAL, "it is a link" if about.st_nlink > 1 else "it is not a regular file")
    return os.fdopen(handle, "r+b" if flags & os.O_RDWR else "rb")


MOST_JSON = 100_000_000  # bytes; lists of files of the largest sets have some ten million


def read_json(path: Path, most: int = MOST_JSON) -> Any:
    """The content of a JSON file.

    Raises:
        OSError: it cannot be read, is not a regular file, or is larger than ``most`` bytes.
        ValueError: it is not JSON in UTF-8, or is nested too deeply.
    """
    content = read_regular(path, most)
    try:
        return json.loads(content.decode("utf-8-sig"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def checksum(path: Path) -> str:
    """The SHA-256 of a file of any size, in hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
