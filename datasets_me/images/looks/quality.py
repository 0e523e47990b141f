"""How sharp, bright, rich in contrast and large images are, how alike the halves of their faces, and which are odd."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil, floor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import ImagesError
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import image_set
from datasets_me.formats.image_records import FaceRow, ImageRow, QualityRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.formats.image_tables import read_table
from datasets_me.images.geometry import mirrored_difference
from datasets_me.images.looks.look import Look, write_look
from datasets_me.images.looks.odd import Odd
from datasets_me.schema.images import Thresholds

Image = NDArray[np.uint8]

LONGEST = 512
"""px of the longer side that large pictures are shrunk to while they are decoded."""

SHARP = 128
"""px that the longer side is shrunk to before sharpness is measured, so that large pictures compare."""

_BLUR = 1.0  # standard deviation in px of the slight blur
_SEEN = 64  # pixels along the longer side, or somewhat more, that are looked at for colour
_COLOURED = 12  # grey values that the channels of a pixel of a coloured picture differ by, for one pixel in twenty


def measure(task: tuple[ImageRow, list[float]], *, root: Path | None) -> QualityRow:
    """The quality of one image, with the landmarks of its face or none; ``doubts`` is left empty.

    Raises:
        DamageError: the image cannot be read or decoded.
    """
    row, points = task
    image = image_set.load(row, root, LONGEST).image
    height, width = image.shape[:2]
    factor = max(row.width or width, row.height or height) / max(width, height)
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    shadows, highlights = _percentiles(grey, (5, 95))
    brightness, contrast = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    asymmetry = None
    if points:
        asymmetry = round(
            mirrored_difference(grey, np.array(points, np.float32).reshape(-1, 2) / np.float32(factor)), 4
        )
    return QualityRow(
        id=row.id,
        dataset=row.dataset,
        sharpness=round(sharpness(grey), 4),
        brightness=round(brightness, 3),
        highlights=round(highlights, 3),
        shadows=round(shadows, 3),
        contrast=round(contrast, 3),
        side=min(row.width or width, row.height or height),
        aspect=round(width / height, 4),
        colour=_is_coloured(image),
        asymmetry=asymmetry,
    )


def sharpness(grey: Image) -> float:
    """The share of the local contrast of an image (H, W) that a slight further blur takes away.

    A picture that is blurred already loses little. Light and contrast do not matter. After Crete, Dolmiere, Ladret and
    Nicolas (2007), The blur effect: perception and estimation with a new no-reference perceptual blur metric, SPIE.
    """
    factor = SHARP / max(grey.shape)
    size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
    small = (cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if factor < 1 else grey).astype(np.float32)
    before, after = _local_contrast(small), _local_contrast(np.asarray(cv2.GaussianBlur(small, (0, 0), _BLUR)))
    return 1 - after / before if before > 0 else 0.0


def _local_contrast(grey: NDArray[np.float32]) -> float:
    """The sum of the differences between all pixels (H, W) and their neighbours."""
    height, width = grey.shape
    down = cv2.norm(grey[1:], grey[:-1], cv2.NORM_L1) if height > 1 else 0.0
    return down + (cv2.norm(grey[:, 1:], grey[:, :-1], cv2.NORM_L1) if width > 1 else 0.0)


def _is_coloured(image: Image) -> bool:
    """Whether the channels of one pixel in twenty (H, W, 3) differ; of a large picture, of some in even distances."""
    step = max(1, max(image.shape) // _SEEN)
    blue, green, red = cv2.split(image[::step, ::step])
    spread = cv2.subtract(cv2.max(cv2.max(blue, green), red), cv2.min(cv2.min(blue, green), red))
    coloured = cv2.threshold(spread, _COLOURED, 1, cv2.THRESH_BINARY)[1]
    return bool(cv2.countNonZero(coloured) > spread.size / 20)


def _percentiles(grey: Image, shares: Sequence[float]) -> list[float]:
    """Those of grey values (H, W), as ``numpy.percentile`` gives them, from how often each value occurs."""
    up_to = cv2.calcHist([grey], [0], None, [256], [0, 256]).cumsum(dtype=np.float64)
    places = [share / 100 * (grey.size - 1) for share in shares]
    steps = [step for place in places for step in (floor(place), ceil(place))]
    values = np.searchsorted(up_to, steps, "right").tolist()
    pairs = zip(values[::2], values[1::2], places, strict=True)
    return [low + (high - low) * (place - floor(place)) for low, high, place in pairs]


def _without(row: ImageRow) -> QualityRow:
    return QualityRow(id=row.id, dataset=row.dataset)


_JUDGED = (
    ("ME716", "blurred", "sharpness", "sharpness", -1),
    ("ME717", "dark", "highlights", "dark", -1),
    ("ME717", "bright", "shadows", "bright", 1),
    ("ME717", "flat", "contrast", "contrast", -1),
    ("ME718", "small", "side", "side", -1),
    ("ME719", "asymmetric", "asymmetry", "asymmetry", 1),
)
"""Code, doubt, column, threshold, and whether less (-1) or more than it is doubtful."""


def judged(row: QualityRow, limits: Thresholds) -> tuple[QualityRow, list[Finding]]:
    """The row with its doubts, and a finding for each."""
    doubts: list[str] = []
    findings: list[Finding] = []
    for code, doubt, column, threshold, sign in _JUDGED:
        value, limit = getattr(row, column), getattr(limits, threshold)
        if value is not None and sign * (value - limit) > 0:
            doubts.append(doubt)
            message = f"{doubt}: {_WORDS[column]} {value:g}, the limit is {limit:g}"
            findings.append(finding(code, message, path=row.id, expected=f"{limit:g}", found=f"{value:g}"))
    return (row.model_copy(update={"doubts": doubts}) if doubts else row), findings


_WORDS = {
    "sharpness": "the sharpness is",
    "highlights": "of the grey values 95 % are at most",
    "shadows": "of the grey values 95 % are at least",
    "contrast": "the standard deviation of the grey values is",
    "side": "the shorter side in px is",
    "asymmetry": "the asymmetry is",
}


def thresholds(limits: Thresholds, changes: Mapping[str, str]) -> Thresholds:
    """The thresholds of a schema with some of them changed.

    Raises:
        ImagesError: there is no such threshold, or the value is none of its.
    """
    for name, text in changes.items():
        if name not in Thresholds.model_fields:
            raise ImagesError(f"there is no threshold '{name}'", fix=f"there are {', '.join(Thresholds.model_fields)}")
        try:
            limits = Thresholds.model_validate({**limits.model_dump(), name: text})
        except ValueError as error:
            raise ImagesError(f"'{text}' is no value of the threshold {name}", fix="give a number") from error
    return limits


def write_quality(
    images: ImageSet,
    root: Path | None,
    *,
    limits: Thresholds | None = None,
    out: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None],
    force: bool = False,
) -> tuple[Path, list[Finding], dict[str, int]]:
    """``quality.parquet``: how good each image is. Returns its path, the findings, and how often each doubt.

    What cannot be decoded is counted among the doubts, whoever found it first.

    The asymmetry is measured where ``faces.parquet`` knows a face. An image that cannot be read is a finding (ME702),
    and so is what is odd about the set as a whole, see `odd`.

    Args:
        images: the set.
        root: the folder the files lie under.
        limits: the thresholds; those of the schema by default.
        out: the folder of the table; that of the set by default.
        workers: processes.
        progress: called with the number of images done, and of all.
        force: replace an earlier table.

    Raises:
        ImagesError: no image can be read, or the table exists already or cannot be written.
    """
    with_faces = (images.folder / "faces.parquet").is_file()
    limits = limits or images.spec.quality
    counts: dict[str, int] = {}

    def tasks(images: ImageSet) -> Iterator[tuple[ImageRow, list[float]]]:
        faces = read_table(images, "faces", FaceRow) if with_faces else (None for _ in range(len(images)))
        for row, face in zip(images.rows(), faces, strict=True):
            yield row, face.faces[0].landmarks if face and face.faces else []

    def judge(rows: Iterator[QualityRow], findings: list[Finding]) -> Iterator[QualityRow]:
        odd = Odd()
        labels = images.table(["label"])["label"].to_pylist()
        for measured, label in zip(rows, labels, strict=True):
            row, doubts = judged(measured, limits)
            findings.extend(doubts)
            odd.add(row, label)
            for name in row.doubts if row.sharpness is not None else ["not decoded"]:
                counts[name] = counts.get(name, 0) + 1
            yield row
        findings.extend(odd.findings())

    look = Look(
        "quality",
        QualityRow,
        QualityRow,
        measure,
        _without,
        judge,
        {"thresholds": limits.model_dump(), "faces": with_faces},
        ("faces",),
    )
    path, findings = write_look(
        look, [(images, root)], tasks=tasks, out=out, workers=workers, progress=progress, force=force
    )
    return path, findings, counts
