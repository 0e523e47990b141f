"""One box for a whole video, so that the picture holds still and only the face moves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import plural
from datasets_me.features.boxes import Box, Detection, FaceDetector, glance, has_glance
from datasets_me.features.faces import landmark_detector

Image = NDArray[np.uint8]

Source = Literal["given", "sample", "all-frames", "subject", "whole-frame"]

PADDINGS = (0.25, 0.4, 0.6, 0.8)
"""Margins tried on each side of the median box, in sides of it, until the face is found again inside: a
tight crop of a detector's own box often is not."""


class Margin(NamedTuple):
    """Room on one side of a face box: a part of the box's longer side, and px.

    Infinite px reach to the picture's edge; negative ones cut off so much.
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

FEW = 3
"""Of those, how many are enough where they show one face in one place."""

STILL = 0.1
"""How far its edges may lie apart there, as a fraction of its width."""

OUTLIER_SHIFT = 0.3
"""A detection whose centre is further from the median than this many sides of the median box is dropped."""

OUTLIER_SIZE = 1.4
"""As is one larger or smaller than the median by this factor."""


@dataclass(frozen=True)
class Crop:
    """The box of a video and how it was found.

    Attributes:
        box: whole px, inside the image.
        face: the median detection in px of the raw frame, or None if no face was found.
        source: ``given``; ``sample`` (found in the sampled frames); ``all-frames`` (only in others); ``subject``
            (the boxes of the subject's other videos); ``whole-frame`` (nothing helped).
        confirmed: the detector found the face again in the crop.
        found: frames with a face, of those ``looked`` at.
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
        sample: frames looked at first, spread over the video; fewer where the face holds still. Only if they show no
            face, up to three times as many others are.
        paddings: margins to try, the same on every side.
        margins: tried before them; then each side has a padding at least, unless some of it is to be cut off.

    Raises:
        ValueError: if there is no frame at all that can be read.
    """
    search = _Search(frames, detector, shape)
    source, tried = search.run(sample)
    if search.image is None:
        raise ValueError(f"none of {len(frames)} frames can be read")
    if search.faces:
        return _framed(search, source, tried, paddings, margins)
    if fallbacks:
        crop = crop_of_others(fallbacks, search.image.shape[:2])
        return replace(crop, looked=len(search.looked), tried=tried | dict(crop.tried))
    tried["subject"] = "no boxes of other videos"
    whole = Box(0, 0, search.image.shape[1], search.image.shape[0])
    return Crop(whole, None, "whole-frame", False, 0, len(search.looked), 0, tried)


class _Search:
    """The frames of a video that were looked at: ``looked``, one that can be used, and those with ``faces``."""

    def __init__(
        self, frames: Sequence[Image | None] | Image, detector: FaceDetector, shape: tuple[int, int] | None
    ) -> None:
        self.frames, self.detector, self.shape = frames, detector, shape
        self.image: Image | None = None
        self.looked: set[int] = set()
        self.faces: dict[int, list[Detection]] = {}

    def run(self, sample: int) -> tuple[Source, dict[str, str]]:
        """Look for a face in ever more frames; returns which ones it was found in, and what came of each step."""
        count = len(self.frames)
        first = _spread(count, sample)
        few = [first[index] for index in _spread(len(first), FEW)]
        self.look(few, glance)
        if not self.still(few):
            self.look(first, glance)
        if not self.faces and has_glance(self.detector):
            # a face that is small in the picture takes ten times as long to find
            self.look([few[index] for index in _spread(len(few), min(FEW, 1 + count // 200))], _detect)
            if self.faces:
                self.look(first, _detect)
        tried = {"sample": self.outcome()}
        if self.faces:
            return "sample", tried
        others = min(3 * sample, max(FEW, count // 32))
        self.look(_spread(count, len(first) + others), glance)
        if self.image is None:  # not one of the others can be read
            for index in range(count):
                self.look([index], _detect)
                if self.image is not None:
                    break
        tried["all-frames"] = self.outcome()
        return "all-frames", tried

    def look(self, indices: Iterable[int], find: Callable[[FaceDetector, Image], list[Detection]]) -> None:
        """Look at some frames, but not at those that show a face already, nor twice in the same way."""
        for index in indices:
            if index in self.faces or (index in self.looked and find is glance):
                continue
            frame = self.frames[index]
            if frame is None or not _fits(frame, self.shape):
                continue
            self.image, self.shape = frame, frame.shape[:2]
            self.looked.add(index)
            if faces := find(self.detector, frame):
                self.faces[index] = faces

    def still(self, indices: Sequence[int]) -> bool:
        """Whether there is one face in each of these frames, and in the same place."""
        boxes = np.array([faces[0].box for faces in self.faces.values() if len(faces) == 1])
        if len(indices) < FEW or len(boxes) < len(indices):
            return False
        return bool(np.ptp(boxes, axis=0).max() <= STILL * np.median(boxes[:, 2] - boxes[:, 0]))

    def outcome(self) -> str:
        """What was found, in words."""
        seen = f"a face in {len(self.faces)} of" if self.faces else "no face in"
        return f"{seen} {len(self.looked)} frames"


def _detect(detector: FaceDetector, image: Image) -> list[Detection]:
    return detector.detect(image)


def _framed(
    search: _Search, source: Source, tried: Mapping[str, str], paddings: Sequence[float], margins: Margins | None
) -> Crop:
    """The crop around the faces that were found."""
    detector, indices = search.detector, sorted(search.faces)
    face, kept, dropped = _median_face([search.faces[index] for index in indices])
    shown = search.frames[indices[kept[0]]]
    shown = search.image if shown is None else shown
    assert shown is not None
    looked = len(search.looked)
    if detector.finds_crops:
        crop = given_crop(face, shown, detector)
        return replace(crop, source=source, found=len(indices), looked=looked, dropped=dropped, tried=tried)
    padded = [padded_square(face, padding) for padding in paddings]
    if margins is not None:
        padded = [padded_box(face, margins, least) for least in (-math.inf, *paddings)]
    box, confirmed = _confirmed(shown, face, detector, padded)
    return Crop(box, face, source, confirmed, len(indices), looked, dropped, tried)


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
    """The square around a face, with ``padding`` sides of it added on each side."""
    half = max(face.width, face.height) * (0.5 + padding)
    x, y = face.centre
    return Box(x - half, y - half, x + half, y + half)


def padded_box(face: Box, margins: Margins, least: float = -math.inf) -> Box:
    """A face box with room of its own on each side; it may reach over any picture.

    The room is ``least`` parts of the box's longer side at least, but where some of the box is to be cut off.
    """
    side = max(face.width, face.height)
    room = [margin.part * side + margin.px for margin in margins]
    left, top, right, bottom = (px if px < 0 else max(px, least * side) for px in room)
    return Box(face.x0 - left, face.y0 - top, face.x1 + right, face.y1 + bottom)


def clamped(box: Box, shape: Sequence[int]) -> Box:
    """The part of a box that lies in an image of this shape (H, W, …), in whole px; all of the image if none does."""
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
    """The median of the detections without outliers: the box, the frames that agree with it, and how many do not.

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
