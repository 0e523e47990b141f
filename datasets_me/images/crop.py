"""Squares around the face, mouth, eyes or brows, cut out by landmarks. Originals are only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from datasets_me.core.choices import ImageFormat, Region
from datasets_me.core.engine import workers_for
from datasets_me.core.files import checksum
from datasets_me.findings.finding import finding
from datasets_me.formats import image_set
from datasets_me.formats.image_records import CropRow, FaceRow, ImageRow
from datasets_me.formats.image_set import ImageSet, decode_row
from datasets_me.formats.image_tables import read_table
from datasets_me.images import derived
from datasets_me.images.derived import Change, Made, Names
from datasets_me.images.geometry import REGIONS, levelled, square


@dataclass(frozen=True)
class Cut:
    """What to cut out.

    Attributes:
        region: a key of `geometry.REGIONS`.
        align: turn the image first, so that the eyes are level.
        size: side of the squares in px; None keeps what they have.
        format: of the files.
        naming: the template of the new paths.
    """

    region: Region
    align: bool = False
    size: int | None = None
    format: ImageFormat = "png"
    naming: str = derived.NAMING

    def __str__(self) -> str:
        parts = [*(["aligned"] if self.align else []), *([f"{self.size} px"] if self.size else []), self.format]
        return f"{self.region} cut out ({', '.join(parts)})"


def crop(  # noqa: PLR0913 - what is cut, from where, and what every verb takes
    images: ImageSet,
    root: Path | None,
    out: Path,
    cut: Cut,
    *,
    faces: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None],
    force: bool = False,
) -> ImageSet:
    """Cut a region of the largest face out of every image, with ``crops.parquet``, old -> new.

    A file that has changed since the import is a finding (ME737): its landmarks may be those of another picture.

    Args:
        images: the set.
        root: the folder the files lie under.
        out: the new folder.
        cut: what to cut out.
        faces: the folder of ``faces.parquet``, which ``images faces`` writes; the set's own by default.
        workers: processes.
        progress: called with the number of images done, and of all.
        force: replace an earlier set.

    Raises:
        ImagesError: there is no table of faces, ``out`` has to stay, or a file cannot be written.
    """
    names = Names(cut.naming, cut.format)
    table = (faces or images.folder) / "faces.parquet"

    def tasks() -> Iterator[tuple[ImageRow, FaceRow, str]]:
        rows = zip(images.rows(), read_table(images, "faces", FaceRow, faces), strict=True)
        return ((row, face, names.path(row, number)) for number, (row, face) in enumerate(rows, start=1))

    change = Change(
        "crops",
        CropRow,
        tasks,
        lambda folder: partial(_one, root=root, folder=folder, cut=cut),
        partial(_without, cut=cut),
        {**asdict(cut), "faces": checksum(table) if table.is_file() else None},
        root,
    )
    count = workers_for(workers, len(images))
    return derived.write_derived(images, out, change, workers=count, progress=progress, force=force)


def _one(task: tuple[ImageRow, FaceRow, str], *, root: Path | None, folder: Path, cut: Cut) -> Made:
    row, face, path = task
    entry = _entry(row, face, cut)
    content = image_set.load_bytes(row, root)
    image = decode_row(row, content).image
    changed = image_set.changed(row, content)
    if not face.faces:
        without = finding("ME710", f"nothing to cut out ({cut.region}), because no face was found", path=row.id)
        return Made(None, entry.model_copy(update={"why": "no face"}), [*changed, without])
    points = np.array(face.faces[0].landmarks, np.float32).reshape(-1, 2)
    angle = 0.0
    if cut.align:
        image, points, angle = levelled(image, points)
    box = square(points[list(REGIONS[cut.region])], (image.shape[0], image.shape[1]))
    part = np.ascontiguousarray(image[box.y0 : box.y1, box.x0 : box.x1])
    if cut.size:
        how = cv2.INTER_AREA if cut.size < len(part) else cv2.INTER_CUBIC
        part = np.asarray(cv2.resize(part, (cut.size, cut.size), interpolation=how), np.uint8)
    image_file = derived.save(folder, path, part, row, str(cut))
    update = {
        "path": path,
        "box": list(box[:4]),
        "shifted": box.shifted,
        "smaller": box.smaller,
        "angle": round(angle, 3),
    }
    return Made(image_file, entry.model_copy(update=update), changed)


def _without(task: tuple[ImageRow, FaceRow, str], why: str, *, cut: Cut) -> Made:
    row, face, _ = task
    unreadable = finding("ME702", f"the image cannot be decoded: {why}", path=row.id)
    return Made(None, _entry(row, face, cut).model_copy(update={"why": why}), [unreadable])


def _entry(row: ImageRow, face: FaceRow, cut: Cut) -> CropRow:
    return CropRow(id=row.id, dataset=row.dataset, region=cut.region, faces=face.count)
