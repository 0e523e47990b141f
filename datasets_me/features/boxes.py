"""Boxes, detections and what a face detector is."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.files import check_regular

Image = NDArray[np.uint8]


class Box(NamedTuple):
    """A rectangle in px, from the first column and row to just behind the last."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """In px."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """In px."""
        return self.y1 - self.y0

    @property
    def centre(self) -> tuple[float, float]:
        """The middle, x and y in px."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2


def checked_box(numbers: Sequence[float] | NDArray[np.generic], shape: tuple[int, int]) -> Box:
    """Four numbers as a box some of which lies in frames of this height and width.

    Raises:
        ValueError: they are not four finite numbers, or the box has no area there.
    """
    values = np.asarray(numbers, np.float64)
    if values.shape != (4,) or not np.isfinite(values).all():
        raise ValueError(f"a box is four numbers x0, y0, x1, y1, not {numbers!r}")
    box = Box(*(float(value) for value in values))
    width, height = min(box.x1, shape[1]) - max(box.x0, 0), min(box.y1, shape[0]) - max(box.y0, 0)
    if width <= 0 or height <= 0:
        raise ValueError(f"the box {tuple(box)} has no part in frames of {shape[1]} x {shape[0]} px")
    return box


class Detection(NamedTuple):
    """A face and how sure the detector is of it; scores of different detectors do not compare."""

    box: Box
    score: float


class FaceDetector(Protocol):
    """Anything that finds faces."""

    @property
    def name(self) -> str:
        """What it is called in records."""

    @property
    def provenance(self) -> Mapping[str, str]:
        """What the result depends on besides the image: versions, paths, checksums."""

    @property
    def finds_crops(self) -> bool:
        """What it finds is a crop to be used as it is, and not a face to be framed."""

    def detect(self, image: Image) -> list[Detection]:
        """Faces in an image (H, W) or (H, W, 3) in BGR, the largest first; boxes may reach over its border."""


class DetectorError(MeDatasetsError):
    """A detector that does not exist or cannot be set up as asked."""


@dataclass(frozen=True)
class CallableDetector:
    """A detector made of a name, a record of what it is made of, and a function.

    ``find_large``, if there is one, finds large faces only, and takes a fraction of the time.
    """

    name: str
    find: Callable[[Image], Iterable[Detection]]
    provenance: Mapping[str, str] = field(default_factory=dict)
    finds_crops: bool = False
    find_large: Callable[[Image], Iterable[Detection]] | None = None

    def detect(self, image: Image) -> list[Detection]:
        """Faces, the largest first; an empty image has none."""
        return _largest_first(self.find, image)

    def glance(self, image: Image) -> list[Detection]:
        """Large faces, the largest first."""
        return _largest_first(self.find_large or self.find, image)


def glance(detector: FaceDetector, image: Image) -> list[Detection]:
    """What a detector finds in a short time, if it can be asked for that; else what it finds."""
    return (detector.glance if isinstance(detector, CallableDetector) else detector.detect)(image)


def has_glance(detector: FaceDetector) -> bool:
    """Whether a detector finds large faces in less time than all."""
    return isinstance(detector, CallableDetector) and detector.find_large is not None


def _largest_first(find: Callable[[Image], Iterable[Detection]], image: Image) -> list[Detection]:
    return sorted(find(image), key=lambda face: -face.box.width * face.box.height) if image.size else []


def read_boxes(path: Path) -> dict[str, Box]:
    """Boxes of a CSV with the columns video, x0, y0, x1, y1 in px of the raw frames; other columns are ignored.

    Raises:
        DetectorError: naming the line and column of what cannot be read.
    """
    try:
        check_regular(path)
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _read_rows(csv.DictReader(file), path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DetectorError(f"the boxes cannot be read: {error}", where=str(path)) from error


def _read_rows(reader: csv.DictReader[str], path: Path) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    missing = {"video", *Box._fields} - set(reader.fieldnames or ())
    if missing:
        raise DetectorError(f"{path}: the header lacks {', '.join(sorted(missing))}")
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        values = []
        for column in Box._fields:
            try:
                values.append(float(row[column]))
            except (TypeError, ValueError):
                raise DetectorError(f"{where}, column {column}: {row[column]!r} is not a number") from None
        box = Box(*values)
        if not (0 < box.width < float("inf") and 0 < box.height < float("inf")):
            raise DetectorError(f"{where}: the box of {row['video']} has no area: {tuple(box)}")
        if row["video"] in boxes:
            raise DetectorError(f"{where}: a second box for {row['video']}")
        boxes[row["video"]] = box
    return boxes
