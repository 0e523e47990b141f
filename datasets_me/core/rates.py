"""Frames and annotations at another frame rate, moved together.

Frame k at the new rate is the old frame ``floor(k * old / new)``: from 200 to 25 frames a second every 8th is kept. An
annotated frame becomes the first new frame that shows it, or where none does, the last before it. For SAMM Long Videos
at 25 frames a second, this is the field's usual ``floor(frame / 8)``.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FINEST = 1001 * 100  # 23.976 and 29.97 are 24000/1001 and 30000/1001 frames a second


@lru_cache(maxsize=256)  # it is asked for every video, and the rates are few
def ratio(old: float, new: float) -> Fraction:
    """Frames at the old rate per frame at the new one."""
    return exact(old) / exact(new)


def exact(fps: float) -> Fraction:
    """A frame rate as a fraction; 29.97 is 2997/100."""
    return Fraction(str(fps)).limit_denominator(_FINEST)


def moved(frame: int, step: Fraction) -> int:
    """The number at the new rate of a frame at the old one; ``step`` old frames make one new."""
    at_or_after = math.ceil(frame / step)
    return at_or_after if math.floor(at_or_after * step) == frame else at_or_after - 1


def shown(frame: int, step: Fraction) -> int:
    """The old frame that a frame at the new rate is; ``step`` old frames make one new."""
    return math.floor(frame * step)


def resample(feature: NDArray[np.float32], start: int, step: Fraction) -> tuple[int, NDArray[np.float32]]:
    """Motion between neighbouring frames at another rate.

    The motion between two kept frames is the sum of all motions from one to the other, so that none is lost or counted
    twice. At a higher rate than before, the motion between two old frames is divided evenly.
    Unknown motion (NaN) makes that of the new pair unknown.

    Args:
        feature: (n, R, 2), the motion from frame ``start + i`` to the next.
        start: the 0-based number of the first frame.
        step: old frames that make one new.

    Returns:
        The number of the first new frame, and the motion (m, R, 2) float32 from each new frame to the next.
    """
    import numpy as np  # here, because numbers of frames are moved where nothing else needs arrays

    first, edges = _edges(start, len(feature), step)
    known = np.isfinite(feature)
    total = np.concatenate([np.zeros((1, *feature.shape[1:])), np.cumsum(np.where(known, feature, 0), 0, np.float64)])
    whole = np.array([math.floor(edge) for edge in edges], np.int64)
    part = np.array([float(edge - math.floor(edge)) for edge in edges])[:, None, None]
    reached = total[whole] + part * (total[np.minimum(whole + 1, len(total) - 1)] - total[whole])
    out = np.diff(reached, axis=0).astype(np.float32)
    unknown = np.concatenate([np.zeros((1, *feature.shape[1:]), np.int64), np.cumsum(~known, axis=0)])
    low, high = _touched(edges)
    out[unknown[high] > unknown[low]] = np.nan
    return first, out


def all_within(good: NDArray[np.bool_], start: int, step: Fraction) -> NDArray[np.bool_]:
    """Whether each new pair of frames (m, …) rests on good old pairs (n, …) alone."""
    import numpy as np

    _, edges = _edges(start, len(good), step)
    bad = np.concatenate([np.zeros((1, *good.shape[1:]), np.int64), np.cumsum(~good, axis=0)])
    low, high = _touched(edges)
    return np.asarray(bad[high] == bad[low])


def _edges(start: int, count: int, step: Fraction) -> tuple[int, list[Fraction]]:
    """The first new frame, and where each new frame lies among the old, counted from ``start``: at least one."""
    first = math.ceil(start / step)
    end = start + count
    last = math.ceil((end + 1) / step) - 1 if step >= 1 else math.floor(end / step)
    places = (k * step for k in range(first, max(first, last) + 1))
    return first, [min(Fraction(math.floor(place)) if step >= 1 else place, Fraction(end)) - start for place in places]


def _touched(edges: list[Fraction]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each new pair of frames the old pairs it touches, from and up to."""
    import numpy as np

    low = np.array([math.floor(edge) for edge in edges[:-1]], np.int64)
    high = np.array([math.ceil(edge) for edge in edges[1:]], np.int64)
    return low, high
