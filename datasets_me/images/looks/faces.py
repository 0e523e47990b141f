"""Faces in every image of a set, small ones and tightly cut ones included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import plural
from datasets_me.features import faces as detectors
from datasets_me.features.boxes import Box, Detection, DetectorError, FaceDetector
from datasets_me.features.landmarks import GONE, predict
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import image_set
from datasets_me.formats.image_records import Face, FaceRow, ImageRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images.looks.look import Look, write_look

Image = NDArray[np.uint8]

SMALL = 240
"""Images whose longer side has at most this many px are small.

dlib's detector sees faces of 80 px and more, so small images are enlarged before it looks at them.
"""

LARGE = 2000
"""px of the longer side that images of twice as many and more are shrunk to, by a whole number, before a detector looks
at them: dlib's then sees faces of a twenty-fifth of the side, and an image of 13,000 px does not take 4 GB."""

MARGIN = 0.5
"""Padding on every side, as a fraction of the longer side, with the border's own pixels."""

NOTHING = "nothing"
HELP = (NOTHING, "upscaled", "padded", "upscaled and padded", "upscaled further")
"""What may have to be done before a face is found."""

_TRIED = 2  # of the doubtful ones, the landmarks of so many are looked for

NAMES = ("dlib", "haar", "yunet")
"""The detectors that look at an image alone; the others know something of its video."""

_ENLARGED = 133, 267
"""px of the longer side that small images are enlarged to first, and at least where nobody was found."""

_BORDERS = 0.25, 0.1
"""Padding on every side of those, as a fraction of the longer side: of tightly cut faces the detector misses half
without it."""

_NEAREST = 4.0
"""How much an image is enlarged in the second step, within `_ENLARGED` and `_LONGEST`: a face of 20 px is then as large
as the detector needs, and smaller ones have no landmarks."""

_LONGEST = 500
"""px of the longer side after that at most; the time goes with the area."""

_DOUBTFUL = -0.5, -0.3
"""The detector's score from which on a face is looked at in each step. Of those below 0 only the best one counts, and
only where no other is found. What each step finds for which time is measured by benchmarks/image_faces.py."""


@dataclass(frozen=True)
class Finder:
    """A detector by name, so that a process can make its own."""

    name: str = "dlib"
    weights: Path | None = None

    def make(self) -> FaceDetector:
        """The detector, made once in a process.

        Raises:
            DetectorError: there is none of this name, or its weights are missing.
        """
        return _made(self.name, self.weights)


@cache
def _made(name: str, weights: Path | None) -> FaceDetector:
    if name not in NAMES:
        raise DetectorError(f"unknown face detector {name!r}; choose one of {', '.join(NAMES)}")
    return detectors.detector(name, weights=weights)


def examine(image: Image, detector: FaceDetector) -> tuple[list[Face], str | None]:
    """The faces of an image (H, W, 3) in BGR, the largest first, in its own px, and what helped to find them.

    dlib looks at a small image enlarged and padded, and where nobody is found, enlarged further. Every other image and
    detector: as it is, then enlarged (if it is small), padded, and both, until there is a face. One that is found only
    with such help has to be confirmed by its landmarks: an enlarged nothing easily looks like one.
    """
    if (by := max(image.shape[:2]) // LARGE) > 1:
        size = (max(1, round(image.shape[1] / by)), max(1, round(image.shape[0] / by)))
        shrunk = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        faces, helped = examine(shrunk, detector)
        return [_larger(face, by) for face in faces], helped
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    longest = max(grey.shape)
    if detector.name == "dlib" and longest <= SMALL:
        return _small(grey)
    factor = SMALL / longest
    steps = [(1.0, 0.0, NOTHING), (factor, 0.0, "upscaled"), (1.0, MARGIN, "padded")]
    steps.append((factor, MARGIN, "upscaled and padded"))
    for scale, margin, helped in steps:
        if scale < 1:
            continue  # only small images are enlarged
        faces = [measured(grey, each) for each in _detect(image, detector, scale, margin)]
        if helped != NOTHING:
            faces = [face for face in faces if face.residual < GONE]
        if faces:
            return faces, helped
    return [], None


def _small(grey: Image) -> tuple[list[Face], str | None]:
    """The faces of a small image by dlib's detector, in two steps that cost as much as they find."""
    longest = max(grey.shape)
    further = min(max(_ENLARGED[1], _NEAREST * longest), _LONGEST)
    for step, enlarged in enumerate((_ENLARGED[0], further)):
        detections = _by_dlib(grey, enlarged / longest, _BORDERS[step], _DOUBTFUL[step])
        sure = [each for each in detections if each.score >= 0]
        doubtful = sorted((each for each in detections if each.score < 0), key=lambda each: -each.score)
        faces = [face for each in sure if (face := measured(grey, each)).residual < GONE]
        if not faces:
            confirmed = (face for each in doubtful[:_TRIED] if (face := measured(grey, each)).residual < GONE)
            faces = list(islice(confirmed, 1))
        if faces:
            return faces, HELP[3 + step]
    return [], None


def _by_dlib(grey: Image, scale: float, margin: float, least: float) -> list[Detection]:
    """Faces with at least this score in a grey image enlarged and padded, in px of the image; the largest first."""
    large, around = _enlarged(grey, scale, margin)
    boxes, scores, _ = hog().run(np.ascontiguousarray(large), 0, least)
    detections = [
        Detection(
            Box(*((value - around) / scale for value in (b.left(), b.top(), b.right() + 1, b.bottom() + 1))),
            float(score),
        )
        for b, score in zip(boxes, scores, strict=True)
    ]
    return sorted(detections, key=lambda face: -face.box.width * face.box.height)


@cache
def hog() -> Any:
    """The detector of dlib; making one takes as long as looking at a hundred small images."""
    import dlib

    return dlib.get_frontal_face_detector()


def _enlarged(image: Image, scale: float, margin: float) -> tuple[Image, int]:
    """The image enlarged, and padded by a fraction of its longer side; and the padding in px."""
    large = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    around = round(margin * max(large.shape[:2]))
    if around:
        large = cv2.copyMakeBorder(large, around, around, around, around, cv2.BORDER_REPLICATE)
    return np.asarray(large, np.uint8), around


def _detect(image: Image, detector: FaceDetector, scale: float, margin: float) -> list[Detection]:
    """Faces in the image enlarged and padded, in px of the image itself."""
    large, around = _enlarged(image, scale, margin)
    detections = detector.detect(large)
    return [Detection(Box(*((value - around) / scale for value in box)), score) for box, score in detections]


def measured(grey: Image, detection: Detection) -> Face:
    """A face of a grey image (H, W) with its landmarks.

    They are predicted on the image padded by half the face's size, so that a tightly cut one has them, too; and only on
    the part around the face, because that is enlarged.
    """
    box = detection.box
    around = round(max(box.width, box.height) * MARGIN)
    padded = cv2.copyMakeBorder(grey, around, around, around, around, cv2.BORDER_REPLICATE)
    left, top = max(0, int(box.x0)), max(0, int(box.y0))
    right, bottom = int(box.x1) + 2 * around + 1, int(box.y1) + 2 * around + 1
    shift = np.array([around - left, around - top])
    moved = Box(box.x0 + shift[0], box.y0 + shift[1], box.x1 + shift[0], box.y1 + shift[1])
    points, residual = predict(np.asarray(padded[top:bottom, left:right], np.uint8), moved)
    return Face(
        **{name: round(value, 2) for name, value in box._asdict().items()},
        score=round(detection.score, 4),
        residual=round(residual, 5),
        landmarks=[round(float(value), 2) for value in (points - shift).ravel()],
    )


def face_row(row: ImageRow, *, root: Path | None, finder: Finder) -> FaceRow:
    """The faces of one image of a set.

    Raises:
        DamageError: the image cannot be read or decoded.
    """
    image = image_set.load(row, root, LARGE).image
    faces, helped = examine(image, finder.make())
    factor = max(row.width or 0, row.height or 0) / max(image.shape[:2])
    if factor > 1:
        faces = [_larger(face, factor) for face in faces]
    return FaceRow(id=row.id, dataset=row.dataset, count=len(faces), helped=helped, faces=faces)


def _larger(face: Face, factor: float) -> Face:
    """A face of an image that was shrunk by a factor, in px of the image as it was."""
    box = {name: round(getattr(face, name) * factor, 2) for name in Box._fields}
    return face.model_copy(update={**box, "landmarks": [round(value * factor, 2) for value in face.landmarks]})


def write_faces(
    images: ImageSet,
    root: Path | None,
    finder: Finder,
    *,
    out: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None],
    force: bool = False,
) -> tuple[Path, list[Finding], dict[str, dict[str, int]]]:
    """``faces.parquet``: every face of every image. Returns its path, the findings, and counts for people to read.

    An image that cannot be read is a finding (ME702).

    Raises:
        ImagesError: no image can be read, or the table exists already or cannot be written.
        DetectorError: the detector cannot be made.
    """
    counts: dict[str, dict[str, int]] = {"faces": {}, "helped": {}}
    options = {"detector": finder.name, **finder.make().provenance}

    def judge(rows: Iterator[FaceRow], findings: list[Finding]) -> Iterator[FaceRow]:
        for row in rows:
            kind = "not decoded" if row.count is None else ("0", "1", "many")[min(row.count, 2)]
            counts["faces"][kind] = counts["faces"].get(kind, 0) + 1
            if row.helped:
                counts["helped"][row.helped] = counts["helped"].get(row.helped, 0) + 1
            findings.extend(_doubt(row))
            yield row

    look = Look(
        "faces",
        FaceRow,
        FaceRow,
        partial(face_row, finder=finder),
        _without,
        judge,
        options,
        tuple(options),
    )
    path, findings = write_look(look, [(images, root)], out=out, workers=workers, progress=progress, force=force)
    return path, findings, counts


def _without(row: ImageRow) -> FaceRow:
    return FaceRow(id=row.id, dataset=row.dataset)


def _doubt(row: FaceRow) -> Iterator[Finding]:
    if row.count == 0:
        yield finding("ME710", "no face was found, even with help", path=row.id, found="0")
    elif row.count is not None and row.count > 1:
        yield finding("ME711", f"{plural(row.count, 'face')} were found", path=row.id, found=str(row.count))
