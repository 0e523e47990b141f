"""Which motion is that of the skin: a region that something covers, or that blinks, does not look like itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.features.regions import RegionSet

PATCH = 0.2
"""Side of what is looked at around a region's centre, as a fraction of the face's width."""

SIZE = 8
"""Side that it is reduced to, in px: what noise and an expression change, and a hand does not, is left out."""

LIKENESS = 0.88
"""Correlation with the region's usual look from which on it is the region. On synthetic faces that talk, turn or show
expressions of up to 4 px it stays above 0.93; below a hand half of the regions are under 0.55."""

CONTRAST = 5.0
"""Grey values (standard deviation) below which a patch is smooth, and its correlation says little."""

FASTEST = 0.03
"""Motion of one step that skin does not have, as a fraction of the face's width: 4 px on a face of 133 px."""

Patches = NDArray[np.uint8]


def watched(
    pictures: Iterator[NDArray[np.uint8] | None],
    landmarks: Sequence[NDArray[np.float32]],
    regions: RegionSet,
    face_width: float,
    patches: list[Patches | None],
) -> Iterator[NDArray[np.uint8] | None]:
    """The same pictures; of each, what its regions look like is added to ``patches``, (R, 64) uint8.

    Args:
        pictures: grey (H, W) uint8; None for a missing one.
        landmarks: a list whose last item is the landmarks (68, 2) of the picture that comes.
        regions: the table of windows.
        face_width: in px.
        patches: what is added to; None for a picture or landmarks that are missing.
    """
    side = max(3, round(PATCH * face_width))
    matrix = regions.matrix()
    for picture in pictures:
        points = landmarks[-1]
        if picture is None or not np.isfinite(points).all():
            patches.append(None)
        else:
            cut = (cv2.getRectSubPix(picture, (side, side), (x, y)) for x, y in (matrix @ points).tolist())
            small = [cv2.resize(part, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for part in cut]
            patches.append(np.stack(small).reshape(len(small), -1))
        yield picture


def skin(patches: Sequence[Patches | None], feature: NDArray[np.float32], step: int, limit: float) -> NDArray[np.bool_]:
    """Which motion (T - step, R) is believed to be that of the skin.

    Args:
        patches: what the regions look like in T frames, (R, 64) uint8 each; None where it is not known.
        feature: (T - step, R, 2), the motion.
        step: distance of the two frames of a pair.
        limit: length of the fastest motion, in the unit of the feature.
    """
    known = [index for index, patch in enumerate(patches) if patch is not None]
    like = np.zeros((len(patches), feature.shape[1]), bool)
    if known:
        seen = np.stack([patch for patch in patches if patch is not None])
        usual = np.median(seen, axis=0).astype(np.float32)
        usual -= usual.mean(axis=1, keepdims=True)
        smooth = seen.shape[2] * CONTRAST**2
        for index, patch in zip(known, seen, strict=True):
            now = patch - patch.mean(axis=1, keepdims=True, dtype=np.float32)
            together = (now * usual).sum(axis=1) + smooth
            alone = ((now**2).sum(axis=1) + smooth) * ((usual**2).sum(axis=1) + smooth)
            like[index] = together > LIKENESS * np.sqrt(alone)
    count = len(feature)
    slow = np.nan_to_num(np.linalg.norm(feature, axis=2), nan=np.inf) <= limit
    return np.asarray(slow & like[:count] & like[step : step + count])
