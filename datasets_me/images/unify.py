"""Copies of all images in one format, size and colour, under new names. Originals are only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.choices import Colour, ImageFormat
from datasets_me.core.engine import workers_for
from datasets_me.core.errors import ImagesError
from datasets_me.core.pictures import suffix_fits
from datasets_me.findings.finding import finding
from datasets_me.formats import image_set
from datasets_me.formats.image_records import ImageRow, UnifiedRow
from datasets_me.formats.image_set import ImageSet, decode_row
from datasets_me.images import derived
from datasets_me.images.derived import Change, Made, Names

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Form:
    """What all images shall be.

    Attributes:
        format: of the files.
        size: the longer side in px; None keeps sizes. Smaller images are enlarged.
        pad: make it a square by black borders.
        colour: three channels or one.
        naming: the template of the new paths.
        pad_only: never enlarge: a smaller image stays as it is, in the middle of a square of ``size``.
    """

    format: ImageFormat = "png"
    size: int | None = None
    pad: bool = False
    colour: Colour = "rgb"
    naming: str = derived.NAMING
    pad_only: bool = False

    def __str__(self) -> str:
        parts = [
            self.format,
            *([f"longer side {self.size} px"] if self.size else []),
            *(["padded, not enlarged"] if self.pad_only else ["padded"] if self.pad else []),
        ]
        return f"unified ({', '.join([*parts, self.colour])})"


def unify(
    images: ImageSet,
    root: Path | None,
    out: Path,
    form: Form,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None],
    force: bool = False,
) -> ImageSet:
    """Write copies of all images that can be decoded, with ``unified.parquet``, old -> new.

    A file that has changed since the import is a finding (ME737).

    Raises:
        ImagesError: ``out`` has to stay, the naming gives one name to two images, or a file cannot be written.
    """
    if form.pad_only and form.size is None:
        raise ImagesError("nothing says how large the squares shall be", fix="give --size with --pad-only")
    names = Names(form.naming, form.format)

    def tasks() -> Iterator[tuple[ImageRow, str]]:
        return ((row, names.path(row, number)) for number, row in enumerate(images.rows(), start=1))

    change = Change(
        "unified",
        UnifiedRow,
        tasks,
        lambda folder: partial(_one, root=root, folder=folder, form=form),
        _without,
        asdict(form),
        root,
    )
    count = workers_for(workers, len(images))
    return derived.write_derived(images, out, change, workers=count, progress=progress, force=force)


def formed(image: Image, form: Form) -> Image:
    """An image (H, W, 3) in BGR in the size and colour asked for; never distorted."""
    if form.size is not None:
        factor = form.size / max(image.shape[:2])
        if factor < 1 or (factor > 1 and not form.pad_only):
            size = tuple(max(1, round(side * factor)) for side in image.shape[1::-1])
            how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
            image = np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
    if form.pad or form.pad_only:
        height, width = image.shape[:2]
        side = max(height, width, form.size or 0) if form.pad_only else max(height, width)
        top, left = (side - height) // 2, (side - width) // 2
        image = np.asarray(
            cv2.copyMakeBorder(image, top, side - height - top, left, side - width - left, cv2.BORDER_CONSTANT),
            np.uint8,
        )
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8) if form.colour == "grey" else image


def _one(task: tuple[ImageRow, str], *, root: Path | None, folder: Path, form: Form) -> Made:
    row, path = task
    content = image_set.load_bytes(row, root)
    decoded = decode_row(row, content, None if form.size is None else 2 * form.size)
    findings = image_set.changed(row, content)
    findings += [finding("ME709", change, path=row.id) for change in decoded.changes]
    changes = list(decoded.changes)
    if row.path and row.format and not suffix_fits(row.path, row.format):
        changes.append(f"its name said {Path(row.path).suffix[1:]}, it was {row.format}")
    image_file = derived.save(folder, path, formed(decoded.image, form), row, str(form))
    entry = UnifiedRow(id=row.id, dataset=row.dataset, old_path=row.path, path=path, changes=changes)
    return Made(image_file, entry, findings)


def _without(task: tuple[ImageRow, str], why: str) -> Made:
    row, _ = task
    unreadable = finding("ME702", f"the image cannot be decoded: {why}", path=row.id)
    return Made(None, UnifiedRow(id=row.id, dataset=row.dataset, old_path=row.path), [unreadable])
