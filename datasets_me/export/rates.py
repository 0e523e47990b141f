"""Frames and annotations at another frame rate, moved together.

Frame k at the new rate begins where frame ``k * old / new`` does at the old one. From 200 to 25 frames a second every
8th frame is kept; an annotated frame belongs to the last kept one at or before it, ``floor(frame * new / old)``,
which is also how the field samples SAMM Long Videos.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_FINEST = 1001 * 100  # 23.976 and 29.97 are 24000/1001 and 30000/1001 frames a second


def ratio(old: float, new: float) -> Fraction:
    """Frames at the old rate per frame at the new one."""
    return exact(old) / exact(new)


def exact(fps: float) -> Fraction:
    """A frame rate as a fraction; 29.97 is 2997/100."""
    return Fraction(str(fps)).limit_denominator(_FINEST)


def moved(frame: int, step: Fraction) -> int:
    """The frame at the new rate that an old frame belongs to; ``step`` old frames make one new."""
    return math.floor(frame / step)


def first_and_count(start: int, count: int, step: Fraction) -> tuple[int, int]:
    """The first new frame, and how many there are, of which all motion is known.

    ``count`` features begin at the old frame ``start``; feature i is the motion from frame ``start + i`` to the next.
    """
    first = math.ceil(start / step)
    return first, max(0, math.floor((start + count) / step) - first)


def resample(feature: NDArray[np.float32], start: int, step: Fraction) -> tuple[int, NDArray[np.float32]]:
    """Motion (n, R, 2) between neighbouring frames, at another rate: the new first frame and (m, R, 2) float32.

    The motion between two kept frames is the sum of the motions between them: of each old pair of frames, the part
    that lies within the new one, so that no motion is lost or counted twice at any ratio. Unknown motion (NaN) makes
    that of the new pair unknown.
    """
    first, count = first_and_count(start, len(feature), step)
    edges = [(first + k) * step - start for k in range(count + 1)]
    known = np.isfinite(feature)
    total = _at(_cumulative(np.where(known, feature, 0)), edges)
    out = np.diff(total, axis=0).astype(np.float32)
    unknown = np.concatenate([np.zeros((1, *feature.shape[1:]), np.int64), np.cumsum(~known, axis=0)])
    low, high = _touched(edges)
    out[unknown[high] - unknown[low] > 0] = np.nan
    return first, out


def all_within(good: NDArray[np.bool_], start: int, step: Fraction) -> NDArray[np.bool_]:
    """Whether each new pair of frames rests on good old ones alone, from what is known of the old (n,)."""
    first, count = first_and_count(start, len(good), step)
    bad = np.concatenate([[0], np.cumsum(~good)])
    low, high = _touched([(first + k) * step - start for k in range(count + 1)])
    return np.asarray(bad[high] == bad[low])


def _cumulative(feature: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros((1, *feature.shape[1:])), np.cumsum(feature, axis=0, dtype=np.float64)])


def _at(total: NDArray[np.float64], edges: list[Fraction]) -> NDArray[np.float64]:
    whole = np.array([math.floor(edge) for edge in edges], np.int64)
    part = np.array([float(edge - math.floor(edge)) for edge in edges])[:, None, None]
    after = np.minimum(whole + 1, len(total) - 1)
    return np.asarray(total[whole] + part * (total[after] - total[whole]))


def _touched(edges: list[Fraction]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each new pair of frames the old pairs it touches, from and up to."""
    low = np.array([math.floor(edge) for edge in edges[:-1]], np.int64)
    high = np.array([math.ceil(edge) for edge in edges[1:]], np.int64)
    return low, high
