"""Arrays of an uncompressed npz, read through a memory map of the file."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.arrays import ArrayError, Header, stored
from datasets_me.core.errors import MeDatasetsError


class Members:
    """The positions of arrays in npz files, looked up once per process."""

    def __init__(self) -> None:
        self._places: dict[Path, dict[str, Header]] = {}

    def read(self, path: Path, names: tuple[str, ...]) -> dict[str, NDArray[np.generic]]:
        """Copies of some arrays of a file.

        Raises:
            MeDatasetsError: the file is missing or damaged, or lacks one of them.
        """
        try:
            if path not in self._places:
                self._places[path] = stored(path)
            places = self._places[path]
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                return {name: _copy(mapped, places[name]) for name in names}
        except (ArrayError, OSError, ValueError, KeyError) as error:
            raise MeDatasetsError(f"the item cannot be read: {error}", where=str(path), fix="export again") from error


def _copy(mapped: mmap.mmap, header: Header) -> NDArray[np.generic]:
    values = np.frombuffer(mapped, header.dtype, header.size // header.dtype.itemsize, header.offset)
    return values.reshape(header.shape, order="F" if header.fortran else "C").copy()
