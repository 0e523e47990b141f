"""Reading files, and keeping other processes out."""

from __future__ import annotations

import errno
import hashlib
import stat
import zlib
from pathlib import Path
from zipfile import BadZipFile

NPZ_ERRORS = (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error)
"""What ``np.load`` and looking up an array raise for an npz that is damaged or lacks it."""


def read_regular(path: Path) -> bytes:
    """The content of a file; reading a pipe or a device would never end.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    return path.read_bytes()


def checksum(path: Path) -> str:
    """The SHA-256 of a file, which is read piece by piece.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
