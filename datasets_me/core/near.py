"""All pairs of 64-bit hashes that are near each other, without comparing every one with every other.

Two hashes that differ in at most k bits agree, in one of m blocks of their bits, up to k // m bits: if all m blocks
differed in more, they would differ in at least m * (k // m + 1) > k. So only hashes that agree so far in some block are
compared (multi-index hashing: Norouzi, Punjani and Fleet, CVPR 2012). Nothing is missed.

Also: which things are joined, directly or through others, by a list of pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import ImagesError

Hashes = NDArray[np.uint64]
Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]

BITS = 64

FARTHEST = 12
"""The largest distance that is searched for: beyond it, most pictures are near most others."""

_CHUNK = 1 << 21  # pairs that are compared at a time

# population count by adding neighbours (SWAR)
_M1, _M2, _M4 = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
_ONES = np.uint64(0x0101010101010101)


def distance(first: Hashes, second: Hashes) -> NDArray[np.uint8]:
    """In how many bits hashes differ, element by element."""
    bits = first ^ second
    bits = bits - ((bits >> np.uint64(1)) & _M1)
    bits = (bits & _M2) + ((bits >> np.uint64(2)) & _M2)
    bits = (bits + (bits >> np.uint64(4))) & _M4
    return ((bits * _ONES) >> np.uint64(56)).astype(np.uint8)


def components(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The component of a graph that each of ``count`` nodes is in, (count,), by the first node of the component.

    Args:
        count: of the nodes, which are 0 to ``count - 1``.
        pairs: of nodes (k, 2), an edge each; one may occur twice, in either order, or join a node to itself.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    total, component = connected_components(graph, directed=False)
    first = np.full(total, count, np.int64)
    np.minimum.at(first, component, np.arange(count))
    return np.asarray(first[component], np.int64)


def near_pairs(hashes: Hashes, most: int) -> Iterator[Pairs]:
    """Every pair i < j of different hashes that differ in at most ``most`` bits, once; some pairs at a time.

    Args:
        hashes: (n,), all different.
        most: 0 to `FARTHEST`; of 0 there are none, since the hashes differ.

    Returns:
        i, j and their distance, for some pairs at a time, in no special order.

    Raises:
        ImagesError: ``most`` is out of range.
    """
    if not 0 <= most <= FARTHEST:
        raise ImagesError(f"a distance is 0 to {FARTHEST} bits, not {most}")
    if most == 0 or len(hashes) < 2:
        return
    blocks, radius = _plan(most, len(hashes))
    keys = [((hashes >> np.uint64(start)) & np.uint64((1 << width) - 1)) for start, width in blocks]
    for block, (_, width) in enumerate(blocks):
        order = np.argsort(keys[block], kind="stable")
        ranked = keys[block][order]
        for flips in range(radius + 1):
            for chosen in combinations(range(width), flips):
                mask = np.uint64(sum(1 << bit for bit in chosen))
                for left, right in _candidates(ranked, mask):
                    yield from _verified(hashes, keys, block, radius, order[left], order[right], most)


def _plan(most: int, count: int) -> tuple[list[tuple[int, int]], int]:
    """The first bit and width of each block, and in how many bits two hashes may differ within one.

    The number of blocks with the fewest expected comparisons is taken, for hashes spread evenly; a search
    for flipped bits costs about as much as a few comparisons per hash.
    """
    best, least = 1, float("inf")
    for number in range(1, most + 2):
        width, radius = BITS // number, most // number
        if width < 2 or radius > 2:
            continue
        ways = sum(1 for flips in range(radius + 1) for _ in combinations(range(width), flips))
        cost = number * ways * (count**2 / 2 / 2**width + 8 * count)
        if cost < least:
            best, least = number, cost
    edges = [BITS * part // best for part in range(best + 1)]
    return [(low, high - low) for low, high in pairwise(edges)], most // best


def _candidates(ranked: NDArray[np.uint64], mask: np.uint64) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Places in the sorted keys whose keys differ by exactly ``mask``, each pair once, about `_CHUNK` at a time."""
    wanted = ranked ^ mask
    if mask:
        low, high = np.searchsorted(ranked, wanted, "left"), np.searchsorted(ranked, wanted, "right")
        low = np.where(wanted > ranked, low, high)  # the other half finds the same pairs
    else:
        low, high = np.arange(1, len(ranked) + 1), np.searchsorted(ranked, wanted, "right")
    counts = high - low
    ends = np.cumsum(counts)
    start = 0
    while start < len(ranked):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _CHUNK, "right")))
        part = counts[start:stop]
        total = int(part.sum())
        if total:
            left = np.repeat(np.arange(start, stop), part)
            offset = np.arange(total) - np.repeat(np.cumsum(part) - part, part)
            yield left, np.repeat(low[start:stop], part) + offset
        start = stop


def _verified(
    hashes: Hashes,
    keys: list[NDArray[np.uint64]],
    block: int,
    radius: int,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    most: int,
) -> Iterator[Pairs]:
    """The pairs that are near, without those that an earlier block has given."""
    apart = distance(hashes[first], hashes[second])
    near = np.flatnonzero(apart <= most)
    first, second, apart = first[near], second[near], apart[near]
    new = np.ones(len(near), bool)
    for key in keys[:block]:
        new &= distance(key[first], key[second]) > radius
    if new.any():
        first, second = first[new], second[new]
        yield np.minimum(first, second), np.maximum(first, second), apart[new]
