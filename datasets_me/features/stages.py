"""The stages that ``extract_video`` chains: each takes a stream of pictures and passes one on, holding a few at a time.

What is known of a frame besides its picture is left in a ``Log``, about a kilobyte a frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import chain, islice, repeat
from typing import TypeGuard, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.features.boxes import Box
from datasets_me.features.coarse import CoarseFlow, CoarseFlows
from datasets_me.features.crop import clamped, cut
from datasets_me.features.flow import quantise_8bit
from datasets_me.features.landmarks import (
    GONE,
    Points,
    Tracker,
    align,
    bridged,
    finite,
    smooth_stream,
    stable_motion,
    steadied,
    track,
)
from datasets_me.features.mdmo import RegionMotion, mdmo
from datasets_me.features.regions import RegionSet
from datasets_me.features.rigid import rigid_free
from datasets_me.features.trust import Patches

Image = NDArray[np.uint8]
Pictures = Iterator[Image | None]
Item = TypeVar("Item")

LOOKAHEAD = 16
"""Frames held at the start, to find the size, the box and the width of the face in a stream."""

BLOCK_BYTES = 1 << 24
"""Flow is reduced to features in blocks of about this size."""

BLOCK = 96
"""Frames that one stage works on before the next one does, at most."""

PICTURE_BYTES = 1 << 22
"""What the pictures of these frames may take."""

PUBLISHED_JPEG = 95
"""The quality cv2.imwrite uses when it is not told, which is how the published flow was stored."""


class Log:
    """What the stages leave behind, one entry per frame."""

    def __init__(self) -> None:
        self.missing: list[bool] = []
        """The picture cannot be used."""
        self.residual: list[float] = []
        self.own: list[bool] = []
        """The frame has landmarks of its own."""
        self.near: list[bool] = []
        """It, or a frame near enough to fill in for it, has."""
        self.points: list[Points] = []
        """Landmarks in px of the pictures that flow is computed on."""
        self.unaligned: list[Points] = []
        """Landmarks in px of the crop."""
        self.patches: list[Patches | None] = []
        """What the regions look like."""


def peek(frames: Iterable[Image | None]) -> tuple[list[Image | None], Pictures]:
    """The first frames, up to one that can be used and at least 16, and a stream of all."""
    stream = iter(frames)
    head = list(islice(stream, LOOKAHEAD))
    while not any(_usable(frame) for frame in head):
        more = list(islice(stream, LOOKAHEAD))
        if not more:
            break
        head += more
    return head, chain(head, stream)


def common_shape(frames: Sequence[Image | None]) -> tuple[int, int] | None:
    """The height and width that most frames have, the earlier of equals; None if none can be used."""
    shapes = [frame.shape[:2] for frame in frames if _usable(frame)]
    return max(shapes, key=shapes.count) if shapes else None


def _usable(frame: Image | None) -> TypeGuard[Image]:
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.size == 0:
        return False
    return frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] == 3)


def fits(frame: Image | None, shape: tuple[int, int] | None) -> TypeGuard[Image]:
    """Whether a frame can be used and has this height and width."""
    return _usable(frame) and frame.shape[:2] == shape


def in_blocks(items: Iterator[Item], size: int) -> Iterator[Item]:
    """The same items, made so many at a time: each stage then finds its own data in the processor's caches."""
    while block := list(islice(items, size)):
        yield from block


def crop_all(frames: Iterable[Image | None], shape: tuple[int, int] | None, area: Box, log: Log) -> Pictures:
    """The crop of every frame in grey; None for those that do not fit."""
    for frame in frames:
        fine = fits(frame, shape)
        log.missing.append(not fine)
        if frame is None or not fine:
            yield None
            continue
        part = cut(frame, area)
        yield np.ascontiguousarray(part) if part.ndim == 2 else cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)


def add_given(pictures: Pictures, landmarks: Points, log: Log) -> Pictures:
    """Pictures with landmarks (T, 68, 2) that are known beforehand; gaps are interpolated."""
    known = finite(landmarks)
    filled = bridged(landmarks, known)
    # frames beyond the last landmarks still flow, so that their number can be reported
    beyond = (np.full(landmarks.shape[1:], np.nan, np.float32), False)
    rows = chain(zip(filled, known, strict=True), repeat(beyond))
    for picture, (points, own) in zip(pictures, rows, strict=False):
        _note(log, float("nan"), bool(own), bool(own), points)
        yield picture


def add_tracked(pictures: Pictures, tracker: Tracker, sigma: float, log: Log, area: Box) -> Pictures:
    """Pictures of an area with the landmarks found in them, delayed by as many frames as the smoothing looks ahead.

    None where there is no face at all, so that the flow of its neighbours is not averaged with that of something else.
    """
    size = int(np.clip(PICTURE_BYTES // (area.width * area.height), 1, BLOCK))
    waiting: deque[Image | None] = deque()
    residuals: deque[float] = deque()

    def kept() -> Pictures:
        for picture in in_blocks(pictures, size):
            waiting.append(picture)
            yield picture

    def believed() -> Iterator[Points | None]:
        for tracked in track(kept(), tracker):
            residuals.append(tracked.residual)
            yield tracked.points

    for points, own, near in smooth_stream(in_blocks(believed(), size), sigma):
        residual, picture = residuals.popleft(), waiting.popleft()
        _note(log, residual, own, near, points)
        yield picture if residual < GONE else None


def _note(log: Log, residual: float, own: bool, near: bool, points: Points) -> None:
    log.residual.append(residual)
    log.own.append(own)
    log.near.append(near)
    log.points.append(points)
    log.unaligned.append(points)


def align_all(pictures: Pictures, log: Log) -> Pictures:
    """Pictures warped onto the first one with landmarks; their landmarks move with them."""
    reference: Points | None = None
    motion: NDArray[np.float64] | None = None
    for picture in pictures:
        points = log.points[-1]
        if reference is None and np.isfinite(points).all():
            reference = points
        if picture is not None and reference is not None:
            if np.isfinite(points).all():
                motion = steadied(stable_motion(points, reference), motion, points)
            picture, log.points[-1] = align(picture, points, reference, motion)
        yield picture


def first_width(pictures: Pictures, tracker: Tracker) -> float | None:
    """The distance between the ears in px in the first picture with landmarks; None if there is none."""
    for tracked in track(pictures, tracker):
        if tracked.points is not None:
            return measured_width(tracked.points[None])
    return None


def around(landmarks: Points, height: int, width: int) -> Box:
    """The box around landmarks (T, 68, 2) of all frames with a margin of a quarter of its size.

    It is cut to an image of this size; all of the image if no landmarks are known.
    """
    fine = landmarks[finite(landmarks)].reshape(-1, 2)
    if not len(fine):
        return Box(0, 0, width, height)
    low, high = fine.min(axis=0), fine.max(axis=0)
    margin = (high - low) / 4
    corners = (float(value) for value in (*(low - margin), *(high + margin)))
    return clamped(Box(*corners), (height, width))


def measured_width(landmarks: NDArray[np.generic]) -> float | None:
    """The distance between the ears (landmarks 0 and 16) in px, the median over the frames; None if unknown."""
    fine = landmarks[finite(landmarks)].astype(np.float64)
    if not len(fine):
        return None
    width = float(np.median(np.linalg.norm(fine[:, 16] - fine[:, 0], axis=1)))
    return width if width >= 1 else None


@dataclass(frozen=True)
class Rule:
    """How flow is reduced to the motion of regions.

    Attributes:
        regions: the table of windows.
        radius: half the side of the windows in px, or None for the table's.
        rigid: take out the rigid motion of the head by ``rigid_free``, and not that of the nose by ``mdmo``.
        shift: which frame's landmarks go with a pair, counted from its first.
        published: flow goes through the published 8-bit storage first, and the exact rule of ``mdmo`` is used.
    """

    regions: RegionSet
    radius: int | None
    rigid: bool
    shift: int
    published: bool

    def apply(self, flows: Sequence[CoarseFlow | NDArray[np.float32]], points: NDArray[np.float32]) -> RegionMotion:
        """The motion of the regions: flow (H, W, 2) of T pairs, landmarks (T, 68, 2)."""
        coarse = [flow for flow in flows if isinstance(flow, CoarseFlow)]
        if self.rigid and len(coarse) == len(flows):
            return rigid_free(CoarseFlows(coarse), points, self.regions, radius=self.radius)
        fields = [flow.everywhere() if isinstance(flow, CoarseFlow) else flow for flow in flows]
        if self.rigid:
            return rigid_free(np.stack(fields), points, self.regions, radius=self.radius)
        if self.published:
            fields = [quantise_8bit(field, PUBLISHED_JPEG) for field in fields]
        return mdmo(np.stack(fields), points, self.regions, radius=self.radius, exact=self.published)


def reduce_all(
    flows: Iterator[CoarseFlow | NDArray[np.float32] | None], log: Log, size: tuple[int, int], rule: Rule
) -> RegionMotion:
    """Flow (H, W, 2) of each pair, of this height and width, to the motion of the regions; NaN for pairs without."""
    block = max(1, min(32, BLOCK_BYTES // (8 * size[0] * size[1])))
    parts = [_unknown(0, rule)]
    start = 0
    while chunk := list(islice(flows, block)):
        part = _unknown(len(chunk), rule)
        there = [index for index, field in enumerate(chunk) if field is not None]
        if there:
            fields = [field for field in chunk if field is not None]
            motion = rule.apply(fields, np.stack([log.points[start + rule.shift + index] for index in there]))
            for name in _ARRAYS:
                getattr(part, name)[there] = getattr(motion, name)
        parts.append(part)
        start += len(chunk)
    return RegionMotion(*(np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS))


_ARRAYS = tuple(field.name for field in fields(RegionMotion))


def _unknown(count: int, rule: Rule) -> RegionMotion:
    """The motion of pairs without flow."""
    regions = len(rule.regions.regions)
    return RegionMotion(
        feature=np.full((count, regions, 2), np.nan, np.float32),
        global_motion=np.zeros((count, 2), np.float32),
        clipped=np.zeros((count, regions), bool),
        valid=np.zeros((count, regions), bool),
        spread=np.zeros((count, regions), np.float32),
    )
