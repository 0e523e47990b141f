"""Faces in every image of a set, small ones and tightly cut ones included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

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

ENLARGED = 240
"""Images whose longer side is shorter than this many px are enlarged to it: the dlib detector sees faces of 80 px and
more. What it and padding add is measured by benchmarks/image_faces.py."""

MARGIN = 0.5
"""Padding on every side, as a fraction of the longer side, with the border's own pixels."""

NOTHING = "nothing"

NAMES = ("dlib", "haar", "yunet")
"""The detectors that look at an image alone; the others know something of its video."""


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

    Looked for in the image as it is, then enlarged (if it is small), padded, and both, until there is one. A face that
    is found only with such help has to be confirmed by its landmarks: an enlarged nothing easily looks like one.
    """
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    factor = ENLARGED / max(image.shape[:2])
    steps = [(1.0, 0.0, NOTHING), (factor, 0.0, "upscaled"), (1.0, MARGIN, "padded")]
    steps.append((factor, MARGIN, "upscaled and padded"))
    for scale, margin, helped in steps:
        if scale < 1:
            continue  # only small images are enlarged
        found = [measured(grey, each) for each in _detect(image, detector, scale, margin)]
        if helped != NOTHING:
            found = [face for face in found if face.residual < GONE]
        if found:
            return found, helped
    return [], None


def _detect(image: Image, detector: FaceDetector, scale: float, margin: float) -> list[Detection]:
    """Faces in the image enlarged and padded, in px of the image itself."""
    large = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    around = round(margin * max(large.shape[:2]))
    if around:
        large = cv2.copyMakeBorder(large, around, around, around, around, cv2.BORDER_REPLICATE)
    found = detector.detect(np.asarray(large, np.uint8))
    return [Detection(Box(*((value - around) / scale for value in box)), score) for box, score in found]


def measured(grey: Image, found: Detection) -> Face:
    """A face with its landmarks, predicted on the image (H, W) padded by half the face's size, so that a tightly cut
    one has them, too; and only on the part around the face, because that is enlarged.
    """
    box = found.box
    around = round(max(box.width, box.height) * MARGIN)
    padded = cv2.copyMakeBorder(grey, around, around, around, around, cv2.BORDER_REPLICATE)
    left, top = max(0, int(box.x0)), max(0, int(box.y0))
    right, bottom = int(box.x1) + 2 * around + 1, int(box.y1) + 2 * around + 1
    shift = np.array([around - left, around - top])
    moved = Box(box.x0 + shift[0], box.y0 + shift[1], box.x1 + shift[0], box.y1 + shift[1])
    points, residual = predict(np.asarray(padded[top:bottom, left:right], np.uint8), moved)
    return Face(
        **{name: round(value, 2) for name, value in box._asdict().items()},
        score=round(found.score, 4),
        residual=round(residual, 5),
        landmarks=[round(float(value), 2) for value in (points - shift).ravel()],
    )


def face_row(row: ImageRow, *, root: Path | None, finder: Finder) -> FaceRow:
    """The faces of one image of a set.

    Raises:
        DamageError: the image cannot be read or decoded.
    """
    image = image_set.load(row, root).image
    faces, helped = examine(image, finder.make())
    return FaceRow(id=row.id, dataset=row.dataset, count=len(faces), helped=helped, faces=faces)


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
        partial(face_row, finder=finder),
        _without,
        judge,
        {"detector": finder.name, **finder.make().provenance},
    )
    path, findings = write_look(look, [(images, root)], out=out, workers=workers, progress=progress, force=force)
    return path, findings, counts


def _without(row: ImageRow) -> FaceRow:
    return FaceRow(id=row.id, dataset=row.dataset)


def _doubt(row: FaceRow) -> Iterator[Finding]:
    if row.count == 0:
        yield finding("ME710", "no face was found, nor in the image enlarged and padded", path=row.id, found="0")
    elif row.count is not None and row.count > 1:
        yield finding("ME711", f"{plural(row.count, 'face')} were found", path=row.id, found=str(row.count))
