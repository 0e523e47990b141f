"""Expressions of different lengths brought to one number of frames."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]

Method = Literal["tim", "linear"]


def interpolated(frames: Frames, count: int, method: Method = "tim") -> Frames:
    """Frames at ``count`` places spread evenly from the first to the last.

    Args:
        frames: (n, …) uint8, at least one.
        method: ``linear``: between two neighbouring frames. ``tim``: the temporal interpolation model (Zhou, Zhao,
            Pietikäinen: Towards a practical lipreading system, CVPR 2011; for micro-expressions Pfister, Li, Zhao,
            Pietikäinen: Recognising spontaneous facial micro-expressions, ICCV 2011): a curve through all frames, made
            of the eigenvectors of the path graph that they form.

    Returns:
        (count, …) uint8; the frames themselves where there are as many as are asked for.

    Raises:
        ValueError: for no frames, a count below 1, or an unknown method.
    """
    if not len(frames) or count < 1:
        raise ValueError(f"{len(frames)} frames cannot be brought to {count}")
    if method not in ("tim", "linear"):
        raise ValueError(f"unknown interpolation {method!r}; choose tim or linear")
    if count == len(frames):
        return frames.copy()
    if len(frames) == 1:
        return np.repeat(frames, count, axis=0)
    weights = _tim(len(frames), count) if method == "tim" else _linear(len(frames), count)
    flat = frames.reshape(len(frames), -1).astype(np.float32)
    mixed = weights.astype(np.float32) @ flat
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8).reshape(count, *frames.shape[1:])


def _linear(frames: int, count: int) -> NDArray[np.float64]:
    """The part (count, frames) that each frame has in each new one."""
    places = np.linspace(0, frames - 1, count)
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - np.arange(frames))), np.float64)


def _tim(frames: int, count: int) -> NDArray[np.float64]:
    """The part (count, frames) that each frame has in each new one.

    With n frames the curve has the parts sin(pi k t + pi (n - k) / 2n), k = 1 … n - 1, and frame i lies at
    t = (i + 1) / n. Since n - 1 parts and the mean meet n frames exactly, each point of it is a mixture of them; each
    part adds up to 0 over the frames, so that the mean is to be added whole.
    """
    order = np.arange(1, frames)[:, None]

    def curve(places: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.sin(np.pi * order * places + np.pi * (frames - order) / (2 * frames)))

    known = np.arange(1, frames + 1) / frames
    mixture = np.linalg.pinv(curve(known)) @ curve(np.linspace(1 / frames, 1, count))
    return np.asarray((mixture + 1 / frames).T)
