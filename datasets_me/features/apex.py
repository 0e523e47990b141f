"""Where an expression is at its strongest, from the motion of the face."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Apex(NamedTuple):
    """The estimated apex, as frames after the onset, and how clear it is, from 0 to 1.

    ``confidence`` is the part of the motion that is gone again at the end: near 1 where the face returns to where it
    was at the onset, 0 where the strongest motion is the last.
    """

    frame: int
    confidence: float


def estimate_apex(motion: NDArray[np.floating]) -> Apex | None:
    """The frame in which the face has moved furthest since the onset.

    The motion of each region is added up from the onset on; what counts is the root mean square of its distance over
    all regions, smoothed over three frames. An apex on one of the ends is none, so those are left out where there are
    others.

    Args:
        motion: (n, R, 2), from each frame to the next, from the onset on; NaN where it is not known.

    Returns:
        None where there is no motion that is known, or no frame besides the onset.
    """
    known = np.isfinite(motion).all(axis=(1, 2)) if motion.size else np.zeros(0, bool)
    if not known.any():
        return None
    moved = np.cumsum(np.where(known[:, None, None], motion, 0.0), axis=0)
    distance = np.concatenate([[0.0], np.sqrt((moved**2).sum(axis=2).mean(axis=1))])
    smooth = np.convolve(np.pad(distance, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    inner = smooth[1:-1] if len(smooth) > 2 else smooth[1:]
    frame = 1 + int(np.argmax(inner))
    peak = smooth[frame]
    return Apex(frame, float(np.clip((peak - smooth[-1]) / peak, 0, 1)) if peak > 0 else 0.0)
