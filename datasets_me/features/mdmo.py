"""Main-direction mean optical flow: one vector per region and frame, freed of the motion of the head.

The rule follows the main directional mean optical flow of Liu et al. (IEEE TAFFC 2016) in the form the
AUW-GCN scripts gave it: in a window, the vectors of the fullest sector of directions are kept, of those the
strongest fraction, and the result has the direction of their sum and the mean of their lengths. The same
rule on a box over the nose gives the motion of the head, which is subtracted from every window first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.features.coarse import CoarseFlows
from datasets_me.features.regions import LANDMARKS, TWELVE, RegionSet, Sectors

BLOCK = 32
"""Frames worked on at once: keeps the gathered windows in the processor's cache."""

LENGTH_EPSILON = 1e-6
"""Added to the length of the sum before dividing by it; the published value."""


@dataclass(frozen=True)
class RegionMotion:
    """The motion of T frames in R regions.

    Attributes:
        feature: (T, R, 2) float32 in the unit of the flow; NaN where ``valid`` is False.
        global_motion: (T, 2) float32, the head motion that was subtracted; 0 where the head box lies outside,
            NaN where ``exact`` keeps no vector of it.
        clipped: (T, R) bool, the window reaches over the edge of the image and was cut.
        valid: (T, R) bool, at least one flow vector was left in the window.
        spread: (T, R) float32, how far the window's vectors lie from their mean, as root mean square.
    """

    feature: NDArray[np.float32]
    global_motion: NDArray[np.float32]
    clipped: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    spread: NDArray[np.float32]


def mdmo(
    flow: NDArray[np.float32],
    landmarks: NDArray[np.generic],
    regions: RegionSet = TWELVE,
    *,
    radius: int | None = None,
    exact: bool = False,
) -> RegionMotion:
    """Reduce dense flow to one vector per region and frame.

    Args:
        flow: (T, H, W, 2) float32, x and y, in px or any other unit.
        landmarks: (T, 68, 2) x and y in px of the flow's grid; rounded to whole pixels. A frame with a
            landmark that is not finite has no valid region.
        regions: the table of windows.
        radius: half the side of the windows in px; the table's own by default. See ``scaled_radius``.
        exact: follow the published scripts where they are worse: ``int(n * keep)`` vectors are kept even if
            that is none (NaN), and ties at the cut are broken in raster order. By default at least one
            vector is kept and all that tie with the weakest kept one.

    Windows that leave the image are cut, never wrapped around; see ``RegionMotion`` for how that is marked.

    Raises:
        ValueError: if the shapes do not fit.
    """
    flow = np.asarray(flow, np.float32)
    points = np.asarray(landmarks)
    if flow.ndim != 4 or flow.shape[3] != 2:
        raise ValueError(f"flow must have the shape (T, H, W, 2), not {flow.shape}")
    if points.shape != (len(flow), LANDMARKS, 2):
        raise ValueError(f"landmarks must have the shape ({len(flow)}, {LANDMARKS}, 2), not {points.shape}")
    radius = regions.radius if radius is None else radius
    if radius < 0:
        raise ValueError(f"the radius of a window cannot be negative: {radius}")
    count = len(regions.regions)
    feature = np.full((len(flow), count, 2), np.nan, np.float32)
    head = np.zeros((len(flow), 2), np.float32)
    clipped = np.zeros((len(flow), count), bool)
    valid = np.zeros((len(flow), count), bool)
    spread = np.zeros((len(flow), count), np.float32)
    for start in range(0, len(flow), BLOCK):
        block = slice(start, start + BLOCK)
        feature[block], head[block], clipped[block], valid[block], spread[block] = _block(
            np.ascontiguousarray(flow[block]), points[block].astype(np.float64), regions, radius, exact
        )
    return RegionMotion(feature, head, clipped, valid, spread)


def scaled_radius(face_width: float | None, regions: RegionSet = TWELVE) -> int:
    """The window radius in px that covers as much of a face as the table's covers of one of the table's width.

    Args:
        face_width: distance between the ears (landmarks 0 and 16) in px; None, if unknown, gives the table's
            radius.
    """
    return max(1, round(regions.radius * (face_width or regions.face_width) / regions.face_width))


def _block(
    flow: NDArray[np.float32], landmarks: NDArray[np.float64], regions: RegionSet, radius: int, exact: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float32]]:
    """``mdmo`` on a few frames: feature, head motion, clipped, valid, spread."""
    points, known = finite_points(landmarks, flow.shape, radius)
    head = _head_motion(flow, np.rint(points).astype(np.int64), regions, exact)
    head[~known] = 0.0
    windows = cut_windows(flow, points, regions, radius)
    spread = windows.spread(windows.mean())
    windows.u[:] -= head[:, 0, None, None]
    windows.v[:] -= head[:, 1, None, None]
    feature = _main_direction(windows.u, windows.v, windows.inside, regions.sectors, regions.keep, exact)
    valid = windows.inside.any(axis=2) & known[:, None]
    feature[~valid] = np.nan
    return feature, head, windows.clipped, valid, spread


def finite_points(
    landmarks: NDArray[np.generic], shape: tuple[int, ...], radius: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Landmarks (T, 68, 2) that can be counted with, 0 where one is not finite, and which frames (T,) have all.

    ``shape`` is that of the flow, (T, H, W, 2): far outside it is as good as just outside, and fits into integers.
    """
    points = np.asarray(landmarks, np.float64)
    known = np.asarray(np.isfinite(points).all(axis=(1, 2)))
    limit = 2.0 * (max(shape[1:3]) + radius)
    return np.clip(np.where(known[:, None, None], points, 0.0), -limit, limit), known


class Windows(NamedTuple):
    """The flow in the windows of T frames: R windows of n pixels each.

    Attributes:
        u, v: (T, R, n) float32; 0 where not inside.
        inside: (T, R, n) bool, the pixel lies in the image and its flow is known.
        clipped: (T, R) bool, the window reaches over the edge of the image.
    """

    u: NDArray[np.float32]
    v: NDArray[np.float32]
    inside: NDArray[np.bool_]
    clipped: NDArray[np.bool_]

    def mean(self) -> NDArray[np.float32]:
        """The mean vector of each window, (T, R, 2); 0 where none is known."""
        count = np.maximum(self.inside.sum(axis=2), 1)
        return np.asarray(np.stack([self.u.sum(axis=2), self.v.sum(axis=2)], axis=-1) / count[..., None], np.float32)

    def spread(self, mean: NDArray[np.float32]) -> NDArray[np.float32]:
        """How far the vectors of each window lie from their mean (T, R, 2): the root of the mean square, (T, R)."""
        count = np.maximum(self.inside.sum(axis=2), 1)
        square = np.einsum("trn,trn->tr", self.u, self.u) + np.einsum("trn,trn->tr", self.v, self.v)
        return np.asarray(np.sqrt(np.maximum(square / count - (mean**2).sum(axis=2), 0)), np.float32)


def cut_windows(
    flow: NDArray[np.float32] | CoarseFlows, points: NDArray[np.float64], regions: RegionSet, radius: int
) -> Windows:
    """The windows around the regions' centres, rounded to whole pixels; points (T, 68, 2) in px."""
    centres = np.rint(regions.matrix() @ points).astype(np.int64)
    span = np.arange(-radius, radius + 1)
    x = centres[:, :, 0, None] + span
    y = centres[:, :, 1, None] + span
    u, v, inside = _gather(flow, x, y)
    height, width = flow.shape[1:3]
    clipped: NDArray[np.bool_] = (x[..., 0] < 0) | (x[..., -1] >= width) | (y[..., 0] < 0) | (y[..., -1] >= height)
    return Windows(u, v, inside, clipped)


def _head_motion(
    flow: NDArray[np.float32], points: NDArray[np.int64], regions: RegionSet, exact: bool
) -> NDArray[np.float32]:
    """The main direction of the head box of every frame: (T, 2); 0 where nothing of the box is in the image."""
    box = regions.head
    eyes = points[:, box.eyes[1], 0] - points[:, box.eyes[0], 0]
    # abs: eyes the wrong way round (a mirrored face) must not make the box empty
    margin = (box.margin * np.abs(eyes) / 2).astype(np.int64)
    along = points[:, list(box.along)]
    low = along.min(axis=1) - margin[:, None]
    high = along.max(axis=1) + margin[:, None]
    low = np.maximum(low, 0)
    high = np.minimum(high, np.array([flow.shape[2] - 1, flow.shape[1] - 1]))
    if not exact:
        size = np.maximum((high - low).max(axis=0) + 1, 1)
        x = low[:, None, 0, None] + np.arange(size[0])
        y = low[:, None, 1, None] + np.arange(size[1])
        x[x > high[:, None, 0, None]] = -1
        y[y > high[:, None, 1, None]] = -1
        u, v, inside = _gather(flow, x, y)
        out = _main_direction(u, v, inside, box.sectors, box.keep, exact)[:, 0]
        return np.nan_to_num(out, nan=0.0)
    rows = np.zeros((len(flow), 2), np.float32)
    for frame, (x0, y0), (x1, y1), row in zip(flow, low, high, rows, strict=True):
        if x0 <= x1 and y0 <= y1:
            row[:] = _published_direction(frame[y0 : y1 + 1, x0 : x1 + 1], box.sectors, box.keep)
    return rows


def _gather(
    flow: NDArray[np.float32] | CoarseFlows, x: NDArray[np.int64], y: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Windows of flow: x (T, R, m) and y (T, R, n) give u, v, inside, each (T, R, n * m).

    Pixels outside the image, or whose flow is not finite, are 0 and not inside.
    """
    if isinstance(flow, CoarseFlows):
        sides = (*x.shape[:2], y.shape[2], x.shape[2])
        across, down = np.broadcast_to(x[:, :, None], sides), np.broadcast_to(y[..., None], sides)
        return flow.at(across.reshape(*sides[:2], -1), down.reshape(*sides[:2], -1))
    frames, height, width = flow.shape[:3]
    inside = ((y >= 0) & (y < height))[..., :, None] & ((x >= 0) & (x < width))[..., None, :]
    rows = (np.arange(frames)[:, None, None] * height + np.clip(y, 0, height - 1)) * width
    index = rows[..., :, None] + np.clip(x, 0, width - 1)[..., None, :]
    # one 8-byte item per pixel: half the look-ups of two separate gathers
    vectors = flow.reshape(frames, height, width * 2).view(np.complex64).reshape(-1).take(index)
    inside &= np.isfinite(vectors)
    if not inside.all():
        vectors[~inside] = 0
    shape = (*inside.shape[:2], inside.shape[2] * inside.shape[3])
    return (
        np.ascontiguousarray(vectors.real).reshape(shape),
        np.ascontiguousarray(vectors.imag).reshape(shape),
        inside.reshape(shape),
    )


def look_up(
    flow: NDArray[np.float32] | CoarseFlows, x: NDArray[np.int64], y: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Flow at pixels x and y (T, n) inside the image: u, v, and which are known, each (T, n); 0 where it is not."""
    u, v, known = _gather(flow, x[..., None], y[..., None])
    return u[..., 0], v[..., 0], known[..., 0]


def _polar(u: NDArray[np.float32], v: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Length and angle in rad by OpenCV's polynomial, which the published feature rests on (off by up to 2e-4)."""
    length, angle = cv2.cartToPolar(u.reshape(1, -1), v.reshape(1, -1))
    return length.reshape(u.shape), angle.reshape(u.shape)


def _sector_masks(angle: NDArray[np.float32], sectors: Sectors) -> list[NDArray[np.bool_]]:
    """Which angles lie in each sector; an angle of exactly 2 pi, which OpenCV can give, counts as the last."""
    masks = []
    for low, high in np.deg2rad(np.array(sectors)):
        above, below = angle >= low, angle < high
        masks.append(above & below if low < high else above | below)
    return masks


def _main_direction(
    u: NDArray[np.float32],
    v: NDArray[np.float32],
    inside: NDArray[np.bool_],
    sectors: Sectors,
    keep: float,
    exact: bool,
) -> NDArray[np.float32]:
    """The main direction of many windows (..., n) at once: (..., 2); NaN where none is kept."""
    length, angle = _polar(u, v)
    best = np.zeros(inside.shape, bool)
    fullest: NDArray[np.int64] = np.zeros(inside.shape[:-1], np.int64)
    for mask in _sector_masks(angle, sectors):
        mask &= inside
        size = np.count_nonzero(mask, axis=-1)
        fuller = size > fullest  # strictly: the first of equals wins
        best[fuller] = mask[fuller]
        fullest[fuller] = size[fuller]
    # truncated, as the published ``int(n * keep)``
    wanted: NDArray[np.int64] = (fullest * keep).astype(np.int64)
    if not exact:
        wanted = np.maximum(wanted, 1)
    strength = np.where(best, -length, np.float32(np.inf))
    if exact:
        order = np.argsort(strength, axis=-1, kind="stable")
        kept = np.zeros(best.shape, bool)
        first = np.arange(strength.shape[-1]) < np.expand_dims(wanted, -1)
        np.put_along_axis(kept, order, first, axis=-1)
    else:
        weakest = np.take_along_axis(np.sort(strength, axis=-1), np.maximum(wanted - 1, 0)[..., None], axis=-1)
        kept = (strength <= weakest) & best
    count = np.count_nonzero(kept, axis=-1)
    # in float64, where sums of float32 of like size are exact and do not depend on the padding of the windows
    east, south, size = (np.sum(part, axis=-1, where=kept, dtype=np.float64) for part in (u, v, length))
    with np.errstate(invalid="ignore"):
        scale = size / count / (np.hypot(east, south) + LENGTH_EPSILON)
    return np.asarray(np.stack([east * scale, south * scale], axis=-1), np.float32)


def _published_direction(window: NDArray[np.float32], sectors: Sectors, keep: float) -> NDArray[np.float32]:
    """The main direction of one window (h, w, 2), with the published order of every float32 operation.

    The head motion is subtracted from flow that has few distinct values, where a difference in the last bit
    can decide whether a pixel is at rest; so this one vector is not left to a different order of summation.
    """
    vectors = window.reshape(-1, 2)
    length, angle = _polar(np.ascontiguousarray(vectors[:, 0]), np.ascontiguousarray(vectors[:, 1]))
    best = max((np.flatnonzero(mask) for mask in _sector_masks(angle, sectors)), key=len)
    strongest = best[np.argsort(-length[best], kind="stable")[: int(len(best) * keep)]]
    if not len(strongest):
        return np.full(2, np.nan, np.float32)
    total = vectors[strongest].sum(axis=0)
    unit = total / (np.linalg.norm(total) + LENGTH_EPSILON)
    return np.asarray(unit * length[strongest].mean(), np.float32)
