"""How sharp, bright, rich in contrast and large images are, and how alike the halves of their faces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import image_set
from datasets_me.formats.image_records import FaceRow, ImageRow, QualityRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.formats.image_tables import read_table
from datasets_me.images.geometry import mirrored_difference
from datasets_me.images.looks.look import Look, write_look
from datasets_me.schema.images import Thresholds

Image = NDArray[np.uint8]

LONGEST = 256
"""px that the longer side is shrunk to before blur is measured, so that large pictures compare."""


def measure(task: tuple[ImageRow, list[float]], *, root: Path | None) -> QualityRow:
    """The quality of one image, with the landmarks of its face or none; ``doubts`` is left empty.

    Raises:
        DamageError: the image cannot be read or decoded.
    """
    row, points = task
    image = image_set.load(row, root).image
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    asymmetry = mirrored_difference(grey, np.array(points, np.float32).reshape(-1, 2)) if points else None
    return QualityRow(
        id=row.id,
        dataset=row.dataset,
        blur=round(blur(grey), 3),
        brightness=round(float(grey.mean()), 3),
        contrast=round(float(grey.std()), 3),
        side=min(grey.shape),
        asymmetry=None if asymmetry is None else round(asymmetry, 4),
    )


def blur(grey: Image) -> float:
    """The variance of the Laplacian of an image (H, W) whose longer side is shrunk to at most 256 px."""
    factor = LONGEST / max(grey.shape)
    size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if factor < 1 else grey
    return float(cv2.Laplacian(small, cv2.CV_64F).var())


def _without(row: ImageRow) -> QualityRow:
    return QualityRow(id=row.id, dataset=row.dataset)


def judged(row: QualityRow, limits: Thresholds) -> tuple[QualityRow, list[Finding]]:
    """The row with its doubts, and a finding for each."""
    found: list[Finding] = []

    def doubt(code: str, what: str, value: float, limit: float) -> str:
        words = {
            "blurred": "the variance of the Laplacian",
            "small": "the shorter side in px",
            "asymmetric": "asymmetry",
        }
        measured = words.get(what, "the mean grey value" if what in ("dark", "bright") else "the contrast")
        message = f"{what}: {measured} is {value:g}, the limit {limit:g}"
        found.append(finding(code, message, path=row.id, expected=f"{limit:g}", found=f"{value:g}"))
        return what

    doubts = []
    if row.blur is not None and row.blur < limits.blur:
        doubts.append(doubt("ME716", "blurred", row.blur, limits.blur))
    if row.brightness is not None and row.brightness < limits.dark:
        doubts.append(doubt("ME717", "dark", row.brightness, limits.dark))
    if row.brightness is not None and row.brightness > limits.bright:
        doubts.append(doubt("ME717", "bright", row.brightness, limits.bright))
    if row.contrast is not None and row.contrast < limits.contrast:
        doubts.append(doubt("ME717", "flat", row.contrast, limits.contrast))
    if row.side is not None and row.side < limits.side:
        doubts.append(doubt("ME718", "small", row.side, limits.side))
    if row.asymmetry is not None and row.asymmetry > limits.asymmetry:
        doubts.append(doubt("ME719", "asymmetric", row.asymmetry, limits.asymmetry))
    return row.model_copy(update={"doubts": doubts}), found


def write_quality(
    images: ImageSet,
    root: Path | None,
    *,
    out: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None],
    force: bool = False,
) -> tuple[Path, list[Finding], dict[str, int]]:
    """``quality.parquet``: how good each image is. Returns its path, the findings, and how often each doubt.

    The asymmetry is measured where ``faces.parquet`` knows a face. An image that cannot be read is a finding (ME702).

    Raises:
        ImagesError: no image can be read, or the table exists already or cannot be written.
    """
    with_faces = (images.folder / "faces.parquet").is_file()
    limits = images.spec.quality
    counts: dict[str, int] = {}

    def tasks(images: ImageSet) -> Iterator[tuple[ImageRow, list[float]]]:
        faces = read_table(images, "faces", FaceRow) if with_faces else (None for _ in range(len(images)))
        for row, face in zip(images.rows(), faces, strict=True):
            yield row, face.faces[0].landmarks if face and face.faces else []

    def judge(rows: Iterator[QualityRow], findings: list[Finding]) -> Iterator[QualityRow]:
        for measured in rows:
            row, found = judged(measured, limits)
            findings.extend(found)
            for doubt in row.doubts:
                counts[doubt] = counts.get(doubt, 0) + 1
            yield row

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
