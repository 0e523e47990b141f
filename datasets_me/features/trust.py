"""Which motion is that of the skin: a region that something covers, or that blinks, does not look like itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.features.mdmo import RegionMotion
from datasets_me.features.regions import RegionSet

PATCH = 0.17
"""Side of what is compared around a region's centre, as a fraction of the face's width: its flow rests on as much."""

SIZE = 8
"""Side that it is reduced to, in px: what noise and an expression change, and a hand does not, is left out."""

NEAR = 2
"""Pixels of those by which a patch may lie off the region's centre, in each direction: as far as landmarks do where the
head jerks, or where a hand draws them with it. Half pixels are tried as well, or fine detail would be out of step."""

LIKENESS = 0.88
"""Correlation with the region's usual look from which on it is the region; ``benchmarks/fidelity.py`` shows how many
regions below a hand are told by it, and how many bare ones are taken for such."""

STEADY = 0.8
"""Correlation that a quarter of a video's frames must exceed, or the region has no usual look, since something covers
it most of the time. On synthetic faces without such a thing it is above 0.94, mostly 0.99."""

CONTRAST = 5.0
"""Grey values (standard deviation) below which a patch is smooth, and its correlation says little."""

FASTEST = 0.03
"""Motion of one step that skin does not have, as a fraction of the face's width: 4 px on a face of 133 px."""

TORN = 0.3 / 133
"""Spread of the vectors in a window, as a fraction of the face's width, that skin does not have where it hardly moves:
where the edge of a hand crosses a window, one part of it stays and the other goes. 0.3 px on a face of 133 px, from one
frame to the next; over more frames it grows with their root, since a large expression grows by then, too."""

STRETCH = 0.3
"""The same as a fraction of the motion, where skin moves much; a large expression spreads its window by less."""

MOST = 0.5
"""Part of the regions that has to look like itself for any of a frame to be believed: a frame that is torn or shows
something else does not move as skin does, even where it happens to look alike."""

Patches = NDArray[np.uint8]


def watched(
    pictures: Iterator[NDArray[np.uint8] | None],
    landmarks: Sequence[NDArray[np.float32]],
    regions: RegionSet,
    face_width: float,
    patches: list[Patches | None],
) -> Iterator[NDArray[np.uint8] | None]:
    """The same pictures; of each, what its regions look like is added to ``patches``, (R, 12, 12) uint8.

    Args:
        pictures: grey (H, W) uint8; None for a missing one.
        landmarks: a list whose last item is the landmarks (68, 2) of the picture that comes.
        regions: the table of windows.
        face_width: in px.
        patches: what is added to; None for a picture or landmarks that are missing.
    """
    size = SIZE + 2 * NEAR
    side = max(3, round(PATCH * face_width * size / SIZE))
    matrix = regions.matrix()
    for picture in pictures:
        points = landmarks[-1]
        if picture is None or not np.isfinite(points).all():
            patches.append(None)
        else:
            cut = (cv2.getRectSubPix(picture, (side, side), (x, y)) for x, y in (matrix @ points).tolist())
            patches.append(np.stack([cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA) for part in cut]))
        yield picture


def _middle(patches: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What lies in the middle of each patch (…, 12, 12): (…, 8, 8)."""
    return patches[..., NEAR:-NEAR, NEAR:-NEAR]


def _nearby(patches: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What lies at every place of each patch (R, 12, 12), half a pixel apart: (R, 81, 8, 8)."""
    side = 2 * patches.shape[1] - 1
    fine = np.empty((len(patches), side, side), np.float32)
    fine[:, ::2, ::2] = patches
    fine[:, 1::2, ::2] = (fine[:, :-1:2, ::2] + fine[:, 2::2, ::2]) / 2
    fine[:, :, 1::2] = (fine[:, :, :-1:2] + fine[:, :, 2::2]) / 2
    places = np.lib.stride_tricks.sliding_window_view(fine, (2 * SIZE - 1, 2 * SIZE - 1), axis=(1, 2))
    return places[..., ::2, ::2].reshape(len(patches), -1, SIZE, SIZE)


def _varying(patches: NDArray[np.generic]) -> NDArray[np.float32]:
    """Patches (…, 8, 8) as rows (…, 64) without their mean."""
    rows = patches.reshape(*patches.shape[:-2], -1).astype(np.float32)
    return np.asarray(rows - rows.mean(axis=-1, keepdims=True))


def _likeness(now: NDArray[np.float32], usual: NDArray[np.float32]) -> NDArray[np.float32]:
    """The correlation (…) of the rows (…, 64) of both; smooth ones are alike."""
    smooth = now.shape[-1] * CONTRAST**2
    together = (now * usual).sum(axis=-1) + smooth
    alone = ((now**2).sum(axis=-1) + smooth) * ((usual**2).sum(axis=-1) + smooth)
    return np.asarray(together / np.sqrt(alone))


def skin(patches: Sequence[Patches | None], motion: RegionMotion, step: int, face_width: float) -> NDArray[np.bool_]:
    """Which motion (T - step, R) is believed to be that of the skin.

    Args:
        patches: what the regions look like in T frames, (R, 12, 12) uint8 each; None where it is not known.
        motion: of the T - step pairs.
        step: distance of the two frames of a pair.
        face_width: in the unit of the motion.
    """
    count = len(motion.feature)
    itself = _itself(patches, motion.feature.shape[1])
    speed = np.nan_to_num(np.linalg.norm(motion.feature, axis=2), nan=np.inf)
    whole = motion.spread <= np.maximum(TORN * face_width * np.sqrt(step), STRETCH * speed)
    slow = speed <= FASTEST * face_width * step
    return np.asarray(slow & whole & itself[:count] & itself[step : step + count])


def _itself(patches: Sequence[Patches | None], regions: int) -> NDArray[np.bool_]:
    """Which regions (T, R) look like themselves, in frames most of which does."""
    known = [index for index, patch in enumerate(patches) if patch is not None]
    like = np.zeros((len(patches), regions))
    if known:
        seen = np.stack([patch for patch in patches if patch is not None])
        usual = _varying(np.median(_middle(seen), axis=0))
        for index, patch in zip(known, seen, strict=True):
            like[index] = _likeness(_varying(_middle(patch)), usual)
            unlike = np.flatnonzero(like[index] <= LIKENESS)
            if len(unlike):
                like[index, unlike] = _likeness(_varying(_nearby(patch[unlike])), usual[unlike, None]).max(axis=1)
    steady = np.quantile(like[known], 0.75, axis=0) > STEADY if known else False
    alike = like > LIKENESS
    return np.asarray(alike & steady & (alike.mean(axis=1, keepdims=True) > MOST))
