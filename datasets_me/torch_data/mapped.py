"""Arrays of an uncompressed npz, read through a memory map of the file."""

from __future__ import annotations

import mmap
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.files import NPZ_ERRORS

_HEADER = 30  # bytes of a local header of a zip file before the name; the lengths of name and extra stand at 26 and 28


class Members:
    """Where the arrays of npz files lie. What was looked up once is remembered, in each process by itself."""

    def __init__(self) -> None:
        self._places: dict[Path, dict[str, tuple[np.dtype[np.generic], tuple[int, ...], int]]] = {}

    def read(self, path: Path, names: tuple[str, ...]) -> dict[str, NDArray[np.generic]]:
        """Copies of some arrays of a file.

        Raises:
            MeDatasetsError: the file is missing or damaged, or lacks one of them.
        """
        try:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                places = self._places.get(path)
                if places is None:
                    places = self._places[path] = _places(path, mapped)
                return {name: _copy(mapped, *places[name]) for name in names}
        except NPZ_ERRORS as error:
            raise MeDatasetsError(f"the item cannot be read: {error}", where=str(path), fix="export again") from error


def _copy(mapped: mmap.mmap, dtype: np.dtype[np.generic], shape: tuple[int, ...], offset: int) -> NDArray[np.generic]:
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(mapped, dtype, count, offset).reshape(shape).copy()


def _places(path: Path, mapped: mmap.mmap) -> dict[str, tuple[np.dtype[np.generic], tuple[int, ...], int]]:
    """dtype, shape and offset of each array of an npz."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"'{info.filename}' is compressed")
            lengths = mapped[info.header_offset + 26 : info.header_offset + _HEADER]
            begin = info.header_offset + _HEADER + sum(np.frombuffer(lengths, "<u2").tolist())
            with archive.open(info) as member:
                version = np.lib.format.read_magic(member)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, fortran, dtype = read(member)
                if (fortran and len(shape) > 1) or dtype.hasobject:
                    raise ValueError(f"'{info.filename}' is not as an export writes it")
                found[info.filename.removesuffix(".npy")] = (dtype, shape, begin + member.tell())
    return found
