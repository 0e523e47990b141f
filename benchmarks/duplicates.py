"""Near pairs among 100,000 hashes of 64 bits: time, memory, and comparing all with all.

Once of random hashes with planted copies; once of hashes that are alike, as those of aligned faces: each bit is set
with a chance of its own between 5 and 50 %.

python benchmarks/duplicates.py [HASHES]
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

from datasets_me.core.near import distance, near_pairs

Pair = tuple[int, int]
_SAMPLE = 10_000  # hashes that are compared all with all


def hashes(count: int) -> np.ndarray:
    """Random hashes, and of one in ten a copy with 0 to 12 bits flipped."""
    rng = np.random.default_rng(0)
    own = rng.integers(0, 2**64, count - count // 11, dtype=np.uint64)
    copies = own[: count // 11].copy()
    for bits in range(12):
        chosen = rng.integers(0, 13, len(copies)) > bits
        copies[chosen] ^= np.uint64(1) << rng.integers(0, 64, int(chosen.sum())).astype(np.uint64)
    return np.unique(np.concatenate([own, copies]))


def alike(count: int) -> np.ndarray:
    """Hashes whose bits are not set evenly."""
    rng = np.random.default_rng(1)
    bits = rng.random((count, 64)) < rng.uniform(0.05, 0.5, 64)
    return np.unique((bits.astype(np.uint64) << np.arange(64, dtype=np.uint64)).sum(axis=1, dtype=np.uint64))


def all_with_all(values: np.ndarray, most: int) -> set[Pair]:
    """Every near pair, by every comparison."""
    found: set[Pair] = set()
    for at in range(len(values) - 1):
        rest = values[at + 1 :]
        near = np.flatnonzero(distance(np.full(len(rest), values[at]), rest) <= most)
        found.update((at, at + 1 + int(other)) for other in near)
    return found


def pairs(values: np.ndarray, most: int) -> set[Pair]:
    """Every near pair, by the index."""
    return {pair for i, j, _ in near_pairs(values, most) for pair in zip(i.tolist(), j.tolist(), strict=True)}


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print("| hashes | distance | pairs | seconds | all with all, seconds | same pairs on a sample | peak MB |")
    print("| --- | ---: | ---: | ---: | ---: | --- | ---: |")
    for kind, values, distances in (("random", hashes(count), (2, 4, 6, 8, 12)), ("alike", alike(count), (4, 8))):
        sample = np.sort(np.concatenate([values[: _SAMPLE // 2], values[-_SAMPLE // 2 :]]))
        for most in distances:
            began = time.perf_counter()
            found = sum(len(first) for first, _, _ in near_pairs(values, most))
            took = time.perf_counter() - began
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            began = time.perf_counter()
            wanted = all_with_all(sample, most)
            scaled = (time.perf_counter() - began) * (len(values) / len(sample)) ** 2
            same = f"yes, {len(wanted):,}" if pairs(sample, most) == wanted else "NO"
            print(f"| {kind} | {most} | {found:,} | {took:.2f} | {scaled:.0f} | {same} | {peak:.0f} |")
    print(f"\n{count:,} hashes of each kind; all with all measured on {_SAMPLE:,} and scaled")


if __name__ == "__main__":
    main()
