"""Arrays in .npy and .npz files, which may come from a stranger.

The size in a header is checked before memory is allocated. Nothing is unpickled, and only regular files are read.
"""

from __future__ import annotations

import io
import math
import mmap
import os
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.files import check_regular

_MOST_INFLATED = 1 << 29  # bytes of all compressed arrays of a file; no landmarks and no scores need that many
_PIECE = 1 << 20  # bytes

Array = NDArray[Any]


class ArrayError(Exception):
    """A file of arrays cannot be read; the text says why."""


@dataclass(frozen=True)
class Header:
    """What comes before an array's numbers; ``offset`` is where they begin, in bytes."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    offset: int

    @property
    def size(self) -> int:
        """Bytes of the numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


def load_npy(path: Path) -> Array:
    """The array of a .npy file, memory-mapped and read-only.

    Raises:
        ArrayError: it cannot be read, or is damaged.
    """
    try:
        check_regular(path)
        with path.open("rb") as file:
            header = _header(file, os.fstat(file.fileno()).st_size)
            if not header.size:
                return np.empty(header.shape, header.dtype)
            order: Literal["F", "C"] = "F" if header.fortran else "C"
            return np.memmap(file, header.dtype, "r", header.offset, header.shape, order)
    except OSError as error:
        raise ArrayError(error.strerror or str(error)) from error
    except ValueError as error:
        raise ArrayError(f"it is damaged: {error}") from error


def load_npz(source: Path | bytes, names: Iterable[str] | None = None) -> dict[str, Array]:
    """The arrays of an .npz file, or some of them.

    Raises:
        ArrayError: it cannot be read, is damaged, or lacks one of them.
    """
    try:
        if isinstance(source, Path):
            check_regular(source)
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            members = _members(archive)
            chosen = list(members if names is None else names)
            infos = [_member(members, name) for name in chosen]
            _check_inflated(infos)
            return {name: _read(archive, info) for name, info in zip(chosen, infos, strict=True)}
    except OSError as error:
        raise ArrayError(error.strerror or str(error)) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise ArrayError(f"it is damaged: {error}") from error


def stored(path: Path) -> dict[str, Header]:
    """Where in an uncompressed .npz file its arrays are.

    Raises:
        ArrayError: it cannot be read, is damaged, or compressed.
    """
    try:
        check_regular(path)
        with (
            path.open("rb") as file,
            zipfile.ZipFile(file) as archive,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        ):
            return {name: _stored(archive, info, mapped) for name, info in _members(archive).items()}
    except OSError as error:
        raise ArrayError(error.strerror or str(error)) from error
    except (zipfile.BadZipFile, EOFError, RuntimeError, ValueError) as error:
        raise ArrayError(f"it is damaged: {error}") from error


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    return {info.filename.removesuffix(".npy"): info for info in archive.infolist()}


def _member(members: dict[str, zipfile.ZipInfo], name: str) -> zipfile.ZipInfo:
    if name not in members:
        raise ArrayError(f"it has no array '{name}'")
    return members[name]


def _check_inflated(infos: list[zipfile.ZipInfo]) -> None:
    for info in infos:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArrayError(f"the array '{info.filename}' is compressed in a way that NumPy does not write")
    inflated = sum(info.file_size for info in infos if info.compress_type == zipfile.ZIP_DEFLATED)
    if inflated > _MOST_INFLATED:
        raise ArrayError(f"its arrays unpack to {inflated:,} bytes; compressed ones may have {_MOST_INFLATED:,}")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    with archive.open(info) as member:
        header = _header(member, info.file_size)
        if not header.size:
            return np.empty(header.shape, header.dtype)
        content = np.empty(header.size, np.uint8)  # pages are allocated as they are filled, whatever the archive claims
        for at in range(0, header.size, _PIECE):
            piece = member.read(min(_PIECE, header.size - at))
            if len(piece) < min(_PIECE, header.size - at):
                raise ArrayError(f"the array '{info.filename}' ends early")
            content[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
    return content.view(header.dtype).reshape(header.shape, order="F" if header.fortran else "C")


def _header(file: IO[bytes], size: int) -> Header:
    """The header at the beginning of a file of ``size`` bytes.

    Raises:
        ArrayError: there is no header, or it claims more than there is.
    """
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
    except OSError:
        raise
    except Exception as error:  # NumPy evaluates the header's text, and lets through what that raises
        raise ArrayError(f"its header is damaged: {' '.join(str(error).split())[:200]}") from error
    header = Header(dtype, shape, fortran, file.tell())
    if dtype.hasobject:
        raise ArrayError("it holds Python objects, not numbers or texts")
    if any(length < 0 for length in shape) or (not dtype.itemsize and 0 not in shape):
        raise ArrayError(f"its header claims the shape {shape} of {dtype}")
    if header.size > size - header.offset:
        raise ArrayError(
            f"its header claims {header.size:,} bytes of {dtype} in the shape {shape}; "
            f"the file has {max(0, size - header.offset):,}"
        )
    return header


def _stored(archive: zipfile.ZipFile, info: zipfile.ZipInfo, mapped: mmap.mmap) -> Header:
    if info.compress_type != zipfile.ZIP_STORED:
        raise ArrayError(f"'{info.filename}' is compressed")
    # A local header has 30 bytes before the name; the lengths of name and extra stand at 26 and 28.
    lengths = mapped[info.header_offset + 26 : info.header_offset + 30]
    begin = info.header_offset + 30 + sum(np.frombuffer(lengths, "<u2").tolist())
    with archive.open(info) as member:
        header = _header(member, min(info.file_size, len(mapped) - begin))
    return Header(header.dtype, header.shape, header.fortran, begin + header.offset)
