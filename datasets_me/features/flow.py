"""Dense optical flow between grey frames, in px, and the 8-bit storage of the published features.

All methods give the flow from frame t to frame t + step on the grid of frame t. ``flow_stream`` takes frames
as they come and holds only the few it needs; ``flow`` is the same on a whole array, and gives the same bits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.choices import FlowMethod
from datasets_me.features.coarse import CoarseFlow
from datasets_me.features.lk import lk_stream

METHODS: tuple[FlowMethod, ...] = get_args(FlowMethod)

TEMPORAL = 5
"""Neighbouring pairs that ``lk`` averages by default, with weights 1 2 3 2 1."""

STORED_RANGE = 10.0
"""Motion in px that the published 8-bit files can hold, in both directions."""

FARNEBACK_WINDOW = 0.26
"""Farneback's window as a fraction of the width of the face: 35 px on a face of 133 px."""

BATCH = 16
"""Pairs computed at once on a GPU."""

Frames = Iterable[NDArray[np.uint8] | None]
Field = NDArray[np.float32]
Number = TypeVar("Number", np.float32, np.uint8)


def flow_stream(
    frames: Frames,
    method: FlowMethod = "lk",
    *,
    step: int = 1,
    temporal: int = TEMPORAL,
    face_width: float | None = None,
    device: str = "cpu",
    landmarks: Sequence[NDArray[np.float32]] | None = None,
) -> Iterator[CoarseFlow | Field | None]:
    """Flow of each pair (t, t + step) as the frames come, in constant memory.

    ``lk`` takes what is in the middle of the picture for the face, and its motion for that of the head: give
    it a crop.

    Args:
        frames: grey (H, W) uint8 of one size; None for a frame that is missing.
        method: ``lk``, windowed least squares (the default, and the most accurate for small motion), or
            OpenCV's ``tvl1`` (DualTVL1 with its defaults), ``dis`` (medium preset) or ``farneback``.
        step: distance of the two frames of a pair, in frames.
        temporal: for ``lk``, the odd number of neighbouring pairs averaged; 1 looks at the pair alone.
        face_width: distance between the ears in px, to which windows are scaled; two thirds of the image if
            unknown.
        device: ``cpu``, or for ``tvl1`` a device of torch, such as ``cuda``; it computes sixteen pairs at a time.
        landmarks: a list whose last item is the landmarks (68, 2) of the frame that comes, in px: ``lk`` computes flow
            around them only, and it is NaN elsewhere.

    Yields:
        T - step fields, of ``lk`` on a coarser grid, of the others (H, W, 2) float32 in px, x and y; None where a frame
        of the pair is missing.

    Raises:
        ValueError: for an unknown method, a bad option, or a frame of another size or type.
    """
    if method not in METHODS:
        raise ValueError(f"unknown flow method {method!r}; choose one of {', '.join(METHODS)}")
    if step < 1:
        raise ValueError(f"step is a number of frames and at least 1, not {step}")
    if temporal < 1 or temporal % 2 == 0:
        raise ValueError(f"temporal is an odd number of pairs, not {temporal}")
    if face_width is not None and not face_width > 0:
        raise ValueError(f"the width of the face must be positive, not {face_width}")
    if device != "cpu" and method != "tvl1":
        raise ValueError(f"only tvl1 can be computed on {device}, not {method}")
    checked = _checked(frames)
    if device != "cpu":
        return _batched(checked, device, step)
    if method == "lk":
        return lk_stream(checked, step=step, temporal=temporal, face_width=face_width, landmarks=landmarks)
    return _pairwise(checked, _opencv(method, face_width), step)


def dense(fields: Iterable[CoarseFlow | Field | None]) -> Iterator[Field | None]:
    """What ``flow_stream`` yields, with the flow of every pixel: fields (H, W, 2) float32 in px, x and y."""
    return (field.everywhere() if isinstance(field, CoarseFlow) else field for field in fields)


def flow(
    frames: NDArray[np.uint8] | Sequence[NDArray[np.uint8] | None],
    method: FlowMethod = "lk",
    *,
    step: int = 1,
    temporal: int = TEMPORAL,
    face_width: float | None = None,
    device: str = "cpu",
) -> Field:
    """Flow of a whole stack of frames; see ``flow_stream``.

    Args:
        frames: (T, H, W) uint8, or a list of T frames in which None stands for a missing one.

    Returns:
        (T - step, H, W, 2) float32 in px, NaN where a frame of the pair is missing.
    """
    shape = next((frame.shape for frame in frames if frame is not None), (0, 0))
    out = np.full((max(len(frames) - step, 0), *shape, 2), np.nan, np.float32)
    for row, field in zip(
        out,
        dense(flow_stream(frames, method, step=step, temporal=temporal, face_width=face_width, device=device)),
        strict=True,
    ):
        if field is not None:
            row[:] = field
    return out


def quantise_8bit(field: Field, jpeg: int | None = None) -> Field:
    """Flow as it comes back from the published 8-bit files: clipped to +-10 px, in units of **20 px**.

    Args:
        field: (..., 2) in px.
        jpeg: quality of the JPEG files it goes through, component by component, as the published scripts do;
            then ``field`` is (H, W, 2). None only rounds.

    Returns:
        The same shape, float32: round((clip(f) + 10) / 20 * 255) / 255 - 0.5. Zero comes back as +0.00196,
        that is +0.039 px; a step is 0.078 px.
    """
    codes: NDArray[np.uint8] = np.rint(
        (np.clip(field, -STORED_RANGE, STORED_RANGE) + STORED_RANGE) / (2 * STORED_RANGE) * 255
    ).astype(np.uint8)
    if jpeg is not None:
        quality = [cv2.IMWRITE_JPEG_QUALITY, jpeg]
        files = [cv2.imencode(".jpg", codes[..., axis], quality)[1] for axis in (0, 1)]
        codes = np.stack([cv2.imdecode(file, cv2.IMREAD_GRAYSCALE) for file in files], axis=-1)
    return np.asarray(codes.astype(np.float32) / np.float32(255) - np.float32(0.5))


def _checked(frames: Frames) -> Iterator[NDArray[np.uint8] | None]:
    shape: tuple[int, ...] | None = None
    for index, frame in enumerate(frames):
        if frame is not None:
            shape = shape or frame.shape
            if frame.dtype != np.uint8 or frame.ndim != 2 or frame.shape != shape:
                raise ValueError(
                    f"frame {index} is {frame.dtype} {frame.shape}; flow needs grey uint8 frames of one size"
                    f" ({shape[0]} x {shape[1]} here)"
                )
        yield frame


def _pairwise(
    frames: Frames, between: Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[Number]], step: int
) -> Iterator[NDArray[Number] | None]:
    recent: deque[NDArray[np.uint8] | None] = deque(maxlen=step + 1)
    for frame in frames:
        recent.append(frame)
        if len(recent) > step:
            first, second = recent[0], recent[-1]
            yield None if first is None or second is None else between(first, second)


def _batched(frames: Frames, device: str, step: int) -> Iterator[Field | None]:
    """TV-L1 on a device of torch, some pairs at a time; what cannot be computed keeps its place."""
    from datasets_me.features.tvl1_torch import flow_batch

    pairs = _pairwise(frames, lambda first, second: np.stack([first, second]), step)
    while batch := list(islice(pairs, BATCH)):
        whole = [pair for pair in batch if pair is not None]
        stacked = np.stack(whole, axis=1) if whole else None
        fields = iter(() if stacked is None else flow_batch(stacked[0], stacked[1], device))
        yield from (None if pair is None else next(fields) for pair in batch)


def _opencv(method: FlowMethod, face_width: float | None) -> Callable[[NDArray[np.uint8], NDArray[np.uint8]], Field]:
    """OpenCV's flow of one pair.

    Images below its algorithms' smallest size are enlarged by repeating their border.
    """

    def padded(call: Callable[[NDArray[np.uint8], NDArray[np.uint8]], Field], least: int) -> Callable[..., Field]:
        def between(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Field:
            height, width = first.shape
            below, right = max(0, least - height), max(0, least - width)
            if below or right:
                edge = (0, below, 0, right, cv2.BORDER_REPLICATE)
                first, second = cv2.copyMakeBorder(first, *edge), cv2.copyMakeBorder(second, *edge)
            return np.asarray(call(first, second), np.float32)[:height, :width]

        return between

    if method == "tvl1":
        # a fresh start for every pair: nothing is carried over, so the order of pairs does not matter
        return padded(lambda a, b: cv2.optflow.DualTVL1OpticalFlow_create().calc(a, b, None), 16)
    if method == "dis":
        dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        return padded(lambda a, b: dis.calc(a, b, None), 32)

    def farneback(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Field:
        window = max(5, round(FARNEBACK_WINDOW * (face_width or first.shape[1] * 2 / 3)))
        # three levels for motion of the head, one iteration: more of them follow the noise
        out = cv2.calcOpticalFlowFarneback(first, second, None, 0.5, 3, window, 1, 7, 1.5, 0)
        return np.asarray(out)

    return padded(farneback, 32)
