"""Cutting an array along time into segments that tile it, each with context on both sides."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def tiles(array: NDArray[np.generic], length: int, context: int) -> Iterator[tuple[int, NDArray[np.generic]]]:
    """Segments of an array (n, …): ``ceil(n / length)`` pairs of a start and a piece (length + 2 * context, …).

    Piece ``i`` holds ``array[start - context : start + length + context]`` with ``start = i * length``, zero beyond
    the ends of the array. The pieces are views of one padded copy.
    """
    count = -(-len(array) // length)
    padded = np.zeros((count * length + 2 * context, *array.shape[1:]), array.dtype)
    padded[context : context + len(array)] = array
    for start in range(0, count * length, length):
        yield start, padded[start : start + length + 2 * context]
