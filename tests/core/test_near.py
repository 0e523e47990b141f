"""Near pairs of hashes: exactly those that comparing all with all gives."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.errors import ImagesError
from datasets_me.core.near import FARTHEST, components, distance, near_pairs


def apart(first: int, second: int) -> int:
    return (first ^ second).bit_count()


@st.composite
def hashes(draw: st.DrawFn) -> list[int]:
    """Different hashes, many of them a few flipped bits away from each other."""
    bases = draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6))
    flips = draw(st.lists(st.lists(st.integers(0, 63), max_size=14), max_size=25))
    made = set(bases)
    for at, places in enumerate(flips):
        value = bases[at % len(bases)]
        for place in places:
            value ^= 1 << place
        made.add(value)
    return sorted(made)


@given(hashes(), st.integers(0, FARTHEST))
def test_all_near_pairs_once_and_no_other(values: list[int], most: int) -> None:
    found = [
        (int(i), int(j), int(d))
        for first, second, bits in near_pairs(np.array(values, np.uint64), most)
        for i, j, d in zip(first, second, bits, strict=True)
    ]
    wanted = [
        (i, j, apart(values[i], values[j]))
        for i, j in combinations(range(len(values)), 2)
        if most and apart(values[i], values[j]) <= most
    ]
    assert sorted(found) == wanted


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_distance_counts_bits(first: int, second: int) -> None:
    assert distance(np.array([first], np.uint64), np.array([second], np.uint64)) == apart(first, second)


def test_many_hashes_in_few_comparisons() -> None:
    rng = np.random.default_rng(0)
    values = np.unique(rng.integers(0, 2**64, 30_000, dtype=np.uint64, endpoint=False))
    near = np.unique(values[:50] ^ np.uint64(0b1011))
    every = np.unique(np.concatenate([values, near]))
    found = {(int(every[i]), int(every[j])) for a, b, _ in near_pairs(every, 4) for i, j in zip(a, b, strict=True)}
    assert {tuple(sorted((int(v), int(v ^ np.uint64(0b1011))))) for v in values[:50]} <= found
    assert len(found) < 60


def test_distances_out_of_range() -> None:
    with pytest.raises(ImagesError, match="a distance is 0 to 12 bits, not 13"):
        list(near_pairs(np.zeros(2, np.uint64), 13))


@given(st.integers(1, 30), st.data())
def test_components_are_what_can_be_reached(count: int, data: st.DataObject) -> None:
    node = st.integers(0, count - 1)
    pairs = data.draw(st.lists(st.tuples(node, node), max_size=30))
    made = components(count, np.array(pairs, np.int64).reshape(-1, 2)).tolist()
    reached = {at: {at} for at in range(count)}
    for _ in range(count):
        for one, other in pairs:
            both = reached[one] | reached[other]
            reached.update(dict.fromkeys(both, both))
    assert made == [min(reached[at]) for at in range(count)]


def test_a_pair_that_stands_there_often_joins_all_the_same() -> None:
    assert components(3, np.array([(0, 2)] * 256)).tolist() == [0, 1, 0]
