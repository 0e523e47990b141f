"""Which images of many are copies of each other: equal, near, or near once one was mirrored, turned or cropped.

Two steps: pairs whose hashes differ in few bits are found without comparing all with all, and then looked at closer.
Sixty-four bits of 100,000 images agree often by chance; the frequencies that they are made of tell such pairs apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.near import components, near_pairs
from datasets_me.formats.image_records import OfImage
from datasets_me.images.looks import embeddings, hashes
from datasets_me.images.looks.hashes import Places

Edges = tuple[Places, Places]

NEAR = 4
"""Bits in which hashes of near duplicates differ at most, of 64. Copies that were made smaller or compressed again
differ in 0 to 2; different pictures of aligned faces are alike enough to differ in 8."""

LIKE = 0.97
"""The least cosine of the weighted low frequencies of near duplicates. Copies that were made smaller or compressed
again have .99 and more, other pictures with near hashes .93 and less, and pictures of one person in one sitting, a
moment later, .90 to .99."""

LIKE_CROPPED = 0.95
"""The same where one is cropped: the crops that are tried are not quite the one that was made."""

_ROWS = 1 << 17  # pairs that are compared at a time


class HashRow(OfImage):
    """What is kept of an image for the search: facts of its row, and what `hashes.hashes` gives.

    The last three are empty where the image cannot be decoded.
    """

    split: str | None = None
    label: str | None = None
    sequence: str | None = None
    sha256: str | None = None
    pixels: float = 0
    size: float = 0
    phash: bytes = b""
    variants: bytes = b""
    frequencies: bytes = b""


@dataclass(frozen=True)
class Alike:
    """Embeddings of the images (N, D), of length 1, and the least cosine of near ones."""

    vectors: embeddings.Vectors
    least: float


def likeness(most: int, way: int | None = None) -> float:
    """The least cosine of images whose hashes may differ in so many bits, one of them changed in one of `hashes.WAYS`.

    Whoever allows more than `NEAR` bits wants pictures that are less alike, so it is lower then.
    """
    least = LIKE if way is None or way < hashes.TURNS else LIKE_CROPPED
    return 1 - (1 - least) * max(most, NEAR) / NEAR


def clusters(
    rows: Sequence[HashRow], most: int = NEAR, *, transformed: bool = True, alike: Alike | None = None
) -> Places:
    """Which cluster each image is in, (n,): the position of its first image.

    Images are joined that are equal byte for byte, or whose hashes differ in at most ``most`` bits and whose
    frequencies are alike, see `likeness`, unless they are of one sequence: neighbouring frames of a film are always
    near. With ``transformed``, so are images one of which is so near after it was mirrored, turned or cropped. With
    ``alike``, so are images of near embeddings.
    """
    joined = _Joined(rows)
    joined.add(*_equal(rows))
    _join_near(joined, rows, most, transformed)
    if alike is not None:
        near = np.array(list(embeddings.near(alike.vectors, alike.least)), np.int64).reshape(-1, 2)
        joined.add(*joined.open(near[:, 0], near[:, 1]))
    return joined.clusters()


class _Joined:
    """The clusters of some images so far."""

    def __init__(self, rows: Sequence[HashRow]) -> None:
        self.films = _films(rows)
        self._first = np.arange(len(rows))
        self._pairs: list[Edges] = []
        self._size = 0

    def open(self, first: Places, second: Places) -> Edges:
        """Those of some pairs that are not known to be of one cluster, and may be: not of one film."""
        one, two = self.films[first], self.films[second]
        wanted = ((one < 0) | (one != two)) & (self._first[first] != self._first[second])
        return first[wanted], second[wanted]

    def add(self, first: Places, second: Places) -> None:
        """Join pairs."""
        self._pairs.append((first, second))
        self._size += len(first)
        if self._size > _ROWS:
            self.clusters()

    def clusters(self) -> Places:
        """The position of the first image of each one's cluster, (n,)."""
        pairs = [*self._pairs, (np.arange(len(self._first)), self._first)]
        self._first = components(len(self._first), np.concatenate([np.stack(pair, axis=1) for pair in pairs]))
        self._pairs, self._size = [], 0
        return self._first


def _films(rows: Sequence[HashRow]) -> Places:
    """A number for the sequence of each image, -1 without one, (n,)."""
    numbers: dict[tuple[str, str], int] = {}
    return np.array(
        [-1 if row.sequence is None else numbers.setdefault((row.dataset, row.sequence), len(numbers)) for row in rows],
        np.int64,
    )


def _equal(rows: Sequence[HashRow]) -> Edges:
    """The first image with the same bytes, and each."""
    firsts: dict[str, int] = {}
    pairs = [(firsts.setdefault(row.sha256, at), at) for at, row in enumerate(rows) if row.sha256 is not None]
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _join_near(joined: _Joined, rows: Sequence[HashRow], most: int, transformed: bool) -> None:
    """Join images that belong together by their hashes."""
    # pictures with the same frequencies stand for each other, but for sequences: these are told apart
    firsts: dict[tuple[bytes, bytes, int], int] = {}
    same: list[tuple[int, int]] = []
    for at, row in enumerate(rows):
        if row.phash:
            film = int(joined.films[at])
            first = firsts.setdefault((row.phash, row.frequencies, film), at)
            if first != at and film < 0:
                same.append((first, at))
    both = np.array(same, np.int64).reshape(-1, 2)
    joined.add(both[:, 0], both[:, 1])
    if not firsts:
        return
    places = np.fromiter(firsts.values(), np.int64)
    kept = [rows[at] for at in places]
    values = _as_numbers([row.phash for row in kept])
    variants = _as_numbers([row.variants for row in kept]).reshape(len(kept), -1)
    frequencies = hashes.frequencies_of([row.frequencies for row in kept])
    node = np.full(len(rows), -1)
    node[places] = np.arange(len(places))
    for way in (None, *range(variants.shape[1] if transformed else 0)):
        for left, right in _candidates(values if way is None else variants[:, way], values, most):
            one, two = joined.open(places[left], places[right])
            alike = hashes.cosines(frequencies, node[one], node[two], way) >= likeness(most, way)
            joined.add(one[alike], two[alike])


def apart(first: bytes, second: bytes) -> int | None:
    """In how many bits two hashes differ; None where one is missing."""
    if not first or not second:
        return None
    return (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).bit_count()


def difference(row: HashRow, other: HashRow, most: int) -> str | None:
    """The way of `hashes.WAYS` after which one of two images is near the other; None if it is so already, or never."""
    if not row.phash or not other.phash:
        return None
    ways: list[tuple[int, str]] = []
    for one, two in ((row, other), (other, row)):
        frequencies = hashes.frequencies_of([one.frequencies, two.frequencies])
        for way in (None, *range(len(one.variants) // 8)):
            bits = apart(one.phash if way is None else one.variants[8 * way : 8 * way + 8], two.phash)
            if bits is None or bits > most:
                continue
            if hashes.cosines(frequencies, np.array([0]), np.array([1]), way)[0] >= likeness(most, way):
                if way is None:
                    return None
                ways.append((bits, hashes.WAYS[way]))
    return min(ways)[1] if ways else None


def _as_numbers(content: Sequence[bytes]) -> NDArray[np.uint64]:
    return np.frombuffer(b"".join(content), ">u8").astype(np.uint64)


def _candidates(left: NDArray[np.uint64], right: NDArray[np.uint64], most: int) -> Iterator[Edges]:
    """Pairs of places (i, j), where hash i of ``left`` is near hash j of ``right``; some at a time."""
    values, place = np.unique(np.concatenate([left, right]), return_inverse=True)
    here = np.arange(len(values))
    of_left, of_right = _Groups(place[: len(left)], len(values)), _Groups(place[len(left) :], len(values))
    yield from of_left.pairs(here, of_right, here)
    for one, two, _ in near_pairs(values, most):
        yield from of_left.pairs(one, of_right, two)
        yield from of_left.pairs(two, of_right, one)


class _Groups:
    """Which places (n,) have each of some values."""

    def __init__(self, value_at: Places, values: int) -> None:
        self._order = np.argsort(value_at, kind="stable")
        self._count = np.bincount(value_at, minlength=values)
        self._start = np.cumsum(self._count) - self._count

    def pairs(self, mine: Places, other: _Groups, others: Places) -> Iterator[Edges]:
        """Each place of value ``mine[k]`` with each of the other's value ``others[k]``, for all k."""
        times = self._count[mine] * other._count[others]
        ends = np.cumsum(times)
        for start in range(0, int(ends[-1]) if len(ends) else 0, _ROWS):
            flat = np.arange(start, min(start + _ROWS, int(ends[-1])))
            k = np.searchsorted(ends, flat, "right")
            left, right = np.divmod(flat - (ends[k] - times[k]), other._count[others[k]])
            yield self._order[self._start[mine[k]] + left], other._order[other._start[others[k]] + right]
