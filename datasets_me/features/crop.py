"""One box for a whole video, so that the picture holds still and only the face moves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import plural
from datasets_me.features.boxes import Box, Detection, FaceDetector
from datasets_me.features.faces import landmark_detector

Image = NDArray[np.uint8]

Source = Literal["given", "sample", "all-frames", "subject", "whole-frame"]

PADDINGS = (0.25, 0.4, 0.6, 0.8)
"""Margins tried on each side of the median box, in sides of it, until the face is found again inside: a
tight crop of a detector's own box often is not."""


class Margin(NamedTuple):
    """Room on one side of a face box: a part of the box's longer side, and px; infinite px reach to the picture's edge,
    negative ones cut off so much.
    """

    part: float = 0.0
    px: float = 0.0


class Margins(NamedTuple):
    """Room around a face box."""

    left: Margin
    top: Margin
    right: Margin
    bottom: Margin


SAMPLE = 7
"""Frames looked at first."""

OUTLIER_SHIFT = 0.3
"""A detection whose centre is further from the median than this many sides of the median box is dropped."""

OUTLIER_SIZE = 1.4
"""As is one larger or smaller than the median by this factor."""


@dataclass(frozen=True)
class Crop:
    """The box of a video and how it was come by.

    Attributes:
        box: whole px, inside the image.
        face: the median detection in px of the raw frame, or None if no face was found.
        source: `given`; `sample` (found in the sampled frames); `all-frames` (only in others); `subject`
            (the boxes of the subject's other videos); `whole-frame` (nothing helped).
        confirmed: the detector found the face again in the crop.
        found: frames with a face, of those `looked` at.
        dropped: detections left out as outliers, or as a second face.
        tried: the steps of the chain with what came of each, for the record.
    """

    box: Box
    face: Box | None
    source: Source
    confirmed: bool
    found: int
    looked: int
    dropped: int
    tried: Mapping[str, str]


def choose_crop(
    frames: Sequence[Image | None] | Image,
    detector: FaceDetector,
    *,
    shape: tuple[int, int] | None = None,
    fallbacks: Sequence[Box] = (),
    sample: int = SAMPLE,
    paddings: Sequence[float] = PADDINGS,
    margins: Margins | None = None,
) -> Crop:
    """The box of one video.

    Args:
        frames: some or all frames, grey or BGR, of one size; None where one cannot be read. They are looked
            at by index and one at a time, so that a lazy sequence may read them then.
        detector: what finds faces.
        shape: height and width of the frames to look at, others are passed over; the first frame's by
            default.
        fallbacks: boxes of the subject's other videos, already padded; their mean is taken where no face is
            found.
        sample: frames looked at first, spread over the video. Only if they show no face, up to three times
            as many others are.
        paddings: margins to try, the same on every side.
        margins: tried before them; then each side has a padding at least, unless some of it is to be cut off.

    Raises:
        ValueError: if there is no frame at all that can be read.
    """
    tried: dict[str, str] = {}
    image: Image | None = None
    first = _spread(len(frames), sample)
    pools: tuple[tuple[Source, Iterable[int]], ...] = (
        ("sample", first),
        ("all-frames", sorted(set(_spread(len(frames), 4 * sample)) - set(first))),
        # looked through only if not one of the others could be read
        ("all-frames", (index for index in range(len(frames)) if image is None)),
    )
    looked = 0
    for source, indices in pools:
        detections = []
        for index in indices:
            frame = frames[index]
            if frame is None or not _fits(frame, shape):
                continue
            image, shape = frame, frame.shape[:2]
            looked += 1
            if faces := detector.detect(frame):
                detections.append((index, faces))
        if detections and image is not None:
            face, kept, dropped = _median_face([faces for _, faces in detections])
            tried[source] = f"a face in {len(detections)} of {looked} frames"
            shown = frames[detections[kept[0]][0]]
            shown = image if shown is None else shown
            if detector.finds_crops:
                crop = given_crop(face, shown, detector)
                return replace(crop, source=source, found=len(detections), looked=looked, dropped=dropped, tried=tried)
            padded = [padded_square(face, padding) for padding in paddings]
            if margins is not None:
                padded = [padded_box(face, margins, least) for least in (-math.inf, *paddings)]
            box, confirmed = _confirmed(shown, face, detector, padded)
            return Crop(box, face, source, confirmed, len(detections), looked, dropped, tried)
        tried[source] = f"no face in {looked} frames"
    if image is None:
        raise ValueError(f"none of {len(frames)} frames can be read")
    if fallbacks:
        crop = crop_of_others(fallbacks, image.shape[:2])
        return replace(crop, looked=looked, tried=tried | dict(crop.tried))
    tried["subject"] = "no boxes of other videos"
    whole = Box(0, 0, image.shape[1], image.shape[0])
    return Crop(whole, None, "whole-frame", False, 0, looked, 0, tried)


def crop_of_others(boxes: Sequence[Box], shape: tuple[int, int]) -> Crop:
    """The mean of the boxes of a subject's other videos, for frames of this height and width; no face is looked for."""
    box = clamped(Box(*(float(value) for value in np.mean(np.array(boxes), axis=0))), shape)
    return Crop(
        box, None, "subject", False, 0, 0, 0, {"subject": f"the mean box of {plural(len(boxes), 'other video')}"}
    )


def given_crop(box: Box, frame: Image, detector: FaceDetector) -> Crop:
    """A box from outside (an override, a CSV), clamped to the image and looked at a second time."""
    inside = clamped(box, frame.shape)
    faces = landmark_detector(detector).detect(cut(frame, inside))
    face = _moved(faces[0].box, inside) if faces else None
    return Crop(inside, face, "given", bool(faces), len(faces[:1]), 1, 0, {"given": " ".join(map(str, box))})


def padded_square(face: Box, padding: float) -> Box:
    """The square around a face, with `padding` sides of it added on each side."""
    half = max(face.width, face.height) * (0.5 + padding)
    x, y = face.centre
    return Box(x - half, y - half, x + half, y + half)


def padded_box(face: Box, margins: Margins, least: float = -math.inf) -> Box:
    """A face box with room of its own on each side: ``least`` parts of the box's longer side at least, but where some
    of it is to be cut off. The box may reach over any picture.
    """
    side = max(face.width, face.height)
    room = [margin.part * side + margin.px for margin in margins]
    left, top, right, bottom = (px if px < 0 else max(px, least * side) for px in room)
    return Box(face.x0 - left, face.y0 - top, face.x1 + right, face.y1 + bottom)


def clamped(box: Box, shape: Sequence[int]) -> Box:
    """The part of a box that lies in an image of this shape (H, W, …), in whole px; the whole image if none
    does."""
    height, width = shape[:2]
    x0, y0 = int(np.floor(max(0, box.x0))), int(np.floor(max(0, box.y0)))
    x1, y1 = int(np.ceil(min(width, box.x1))), int(np.ceil(min(height, box.y1)))
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else Box(0, 0, width, height)


def cut(image: Image, box: Box) -> Image:
    """The pixels (h, w) or (h, w, 3) of a box of whole px inside the image; a view, not a copy."""
    return image[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]


def _fits(frame: Image, shape: tuple[int, int] | None) -> bool:
    fine = isinstance(frame, np.ndarray) and frame.size > 0 and frame.dtype == np.uint8
    return fine and shape in (None, frame.shape[:2])


def _spread(count: int, wanted: int) -> list[int]:
    return sorted({int(index) for index in np.linspace(0, count - 1, min(count, wanted)).round()}) if count else []


def _moved(box: Box, origin: Box) -> Box:
    return Box(box.x0 + origin.x0, box.y0 + origin.y0, box.x1 + origin.x0, box.y1 + origin.y0)


def _near(face: Box, median: Box) -> bool:
    shift = np.hypot(face.centre[0] - median.centre[0], face.centre[1] - median.centre[1])
    ratio = face.width / max(median.width, 1e-9)
    return bool(shift <= OUTLIER_SHIFT * median.width and 1 / OUTLIER_SIZE <= ratio <= OUTLIER_SIZE)


def _median_face(frames: list[list[Detection]]) -> tuple[Box, list[int], int]:
    """The median of the detections without outliers: the box, the frames that agree with it, and how many do
    not.

    The largest face of each frame votes first; then, in frames with several faces, the one nearest to the
    vote is taken, so that somebody in the background does not pull the box away.
    """
    median = _median([faces[0].box for faces in frames])
    kept: list[int] = []
    boxes: list[Box] = []
    for index, faces in enumerate(frames):
        near = [face.box for face in faces if _near(face.box, median)]
        if near:
            kept.append(index)
            x, y = median.centre
            boxes.append(min(near, key=lambda box: np.hypot(box.centre[0] - x, box.centre[1] - y)))
    if not boxes:  # no two agree: the surest detection of all
        index = max(range(len(frames)), key=lambda i: frames[i][0].score)
        kept, boxes = [index], [frames[index][0].box]
    dropped = sum(len(faces) for faces in frames) - len(boxes)
    return _median(boxes), kept, dropped


def _median(boxes: Sequence[Box]) -> Box:
    return Box(*(float(value) for value in np.median(np.array(boxes), axis=0)))


def _confirmed(image: Image, face: Box, detector: FaceDetector, padded: Sequence[Box]) -> tuple[Box, bool]:
    """The first of some padded boxes in which the face is found again; the last, unconfirmed, if in none."""
    box = clamped(face, image.shape)
    for wanted in padded:
        box = clamped(wanted, image.shape)
        if any(_near(_moved(again.box, box), face) for again in detector.detect(cut(image, box))):
            return box, True
    return box, False
