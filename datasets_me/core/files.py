"""Reading regular files, up to a size."""

from __future__ import annotations

import errno
import hashlib
import json
import stat
from pathlib import Path
from typing import Any


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
