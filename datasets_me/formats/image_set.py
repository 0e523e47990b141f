"""A folder of images, as every later command reads it.

::

    images.parquet  findings.parquet  images.json  schema.yaml

``images.parquet`` is never changed. Commands that look at the images put tables of their own beside it, one row per
image, with findings of their own: ``faces.parquet`` and ``faces-findings.parquet``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import ImagesError
from datasets_me.core.files import TOOL, checksum, made_here, read_json, read_regular, replace_folder
from datasets_me.core.pictures import DamageError, Decoded, decode
from datasets_me.core.tables import GROUP, batches, open_parquet, read_parquet, stream
from datasets_me.core.version import __version__
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.image_records import PIXELS, ImageRow
from datasets_me.schema import image_schemas
from datasets_me.schema.image_schemas import ImageSchema
from datasets_me.schema.images import ImageSpec

Image = NDArray[np.uint8]

TABLE = "images.parquet"
ABOUT = "images.json"
PLACE = "files"
"""The folder within a set made from another that its images lie in."""

FILES = {TABLE, "findings.parquet", ABOUT, "schema.yaml"}
_FORMAT = 1  # of the folder; raised when a reader of the old one would go wrong

INSIDE = "."
"""The root of a set whose files lie in its own folder."""


@dataclass(frozen=True)
class ImageSet:
    """A set of images, read lazily.

    ``about`` is ``images.json``: ``dataset``, ``root`` (the name of the folder the files lay under, or ``.`` where
    they lie in the set's own), ``source``, ``options``, ``counts``.
    """

    folder: Path
    schema: ImageSchema
    about: dict[str, Any]

    @property
    def spec(self) -> ImageSpec:
        return self.schema.spec

    @property
    def dataset(self) -> str:
        return str(self.about["dataset"])

    def __len__(self) -> int:
        return int(self.about["counts"]["images"])

    @cached_property
    def sha256(self) -> str:
        """The checksum of the table, which tables made from it keep."""
        return checksum(self.folder / TABLE)

    def batches(self, size: int = GROUP, *, pixels: bool = True) -> Iterator[list[ImageRow]]:
        """All rows in order, some at a time; without ``pixels`` those of a table stay on the disk.

        Raises:
            ImagesError: the table is damaged.
        """
        columns = [name for name in ImageRow.model_fields if pixels or name != "pixels"]
        yield from batches(self.folder / TABLE, ImageRow, size, columns)

    def rows(self, *, pixels: bool = True) -> Iterator[ImageRow]:
        """All rows in order, one at a time.

        Raises:
            ImagesError: the table is damaged.
        """
        for batch in self.batches(pixels=pixels):
            yield from batch

    def table(self, columns: Sequence[str] | None = None) -> Any:
        """The rows as a ``pyarrow.Table``, all of it in memory; of these columns."""
        with open_parquet(self.folder / TABLE) as file:
            return file.read(None if columns is None else list(columns), use_threads=False)

    def findings(self) -> list[Finding]:
        """What the import found."""
        return read_parquet(Finding, self.folder / "findings.parquet")

    def root(self, given: Path | None) -> Path | None:
        """The folder the files lie under; None for a set without files.

        Raises:
            ImagesError: none was given though one is needed, or it is no folder.
        """
        root = self.about["root"]
        if root is None:
            return None
        if root == INSIDE:
            return self.folder
        if given is None:
            raise ImagesError(
                "the images are files, and nothing says where they lie",
                where=str(self.folder),
                fix=f"give --root, the folder they were imported from (it was called {root})",
            )
        if not given.is_dir():
            raise ImagesError("the root is not a folder", where=str(given), fix="give the folder that was imported")
        return given


def read(folder: Path) -> ImageSet:
    """A set of images.

    Raises:
        ImagesError: there is none, it is damaged, or a newer version wrote it.
    """
    if not (folder / ABOUT).is_file():
        reason = f"there is no {ABOUT} in it" if folder.is_dir() else "there is no such folder"
        raise ImagesError(
            f"not a set of images: {reason}", where=str(folder), fix="make one with me-datasets images import"
        )
    try:
        about = read_json(folder / ABOUT)
        if about["format"] > _FORMAT:
            raise ImagesError(
                f"the set of images has format {about['format']}, this version reads {_FORMAT}",
                where=str(folder),
                fix="install a newer me-datasets",
            )
        schema = image_schemas.parse(read_regular(folder / "schema.yaml").decode(), str(folder / "schema.yaml"))
        made = ImageSet(folder, schema, about)
        if not (folder / TABLE).is_file():
            raise ValueError(f"{TABLE} is missing")
        len(made), made.dataset, about["root"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImagesError(
            f"the set of images is damaged: {error}",
            where=str(folder),
            fix="make it again with me-datasets images import",
        ) from error
    return made


def load_bytes(row: ImageRow, root: Path | None) -> bytes | None:
    """The content of an image's file, None for one that stood in a table.

    Raises:
        DamageError: the file cannot be read.
    """
    if row.path is None:
        return None
    if root is None:
        raise DamageError("no root is given")
    path = PurePosixPath(row.path)
    if path.is_absolute() or ".." in path.parts or "\0" in row.path:
        raise DamageError("the path leads out of the root")
    try:
        return read_regular(root / row.path)
    except OSError as error:
        raise DamageError(f"the file cannot be read: {error.strerror or error}") from error


def changed(row: ImageRow, content: bytes | None) -> list[Finding]:
    """ME737 where the content of an image's file is another than at the import."""
    if content is None or row.sha256 is None or hashlib.sha256(content).hexdigest() == row.sha256:
        return []
    return [finding("ME737", "the file has changed since the import", path=row.id)]


def decode_row(row: ImageRow, content: bytes | None) -> Decoded:
    """The picture of a row; ``content`` is that of its file, None for pixels that stand in the row.

    Raises:
        DamageError: it cannot be decoded.
    """
    if content is not None:
        return decode(content)
    pixels, height, width = row.pixels or b"", row.height or 0, row.width or 0
    if row.format != PIXELS or not pixels or len(pixels) != height * width:
        raise DamageError("there are no pixels")
    grey = np.frombuffer(pixels, np.uint8).reshape(height, width)
    return Decoded(np.repeat(grey[:, :, None], 3, axis=2), [])


def load(row: ImageRow, root: Path | None) -> Decoded:
    """The picture of a row and what it took to make it upright, of 8 bits and BGR.

    Raises:
        DamageError: it cannot be read or decoded.
    """
    return decode_row(row, load_bytes(row, root))


def load_image(row: ImageRow, root: Path | None) -> Image | str:
    """The picture of a row (H, W, 3) uint8 in BGR, upright; or a text that says why there is none."""
    try:
        return load(row, root).image
    except DamageError as error:
        return str(error)


def write(
    folder: Path,
    schema: ImageSchema,
    rows: Iterable[ImageRow],
    findings: list[Finding],
    *,
    dataset: str,
    root: str | None,
    source: dict[str, Any],
    options: dict[str, Any],
    force: bool = False,
    files: Path | None = None,
    ours: set[str] = FILES,
) -> ImageSet:
    """Write a set of images in one pass: first under a temporary name, then renamed.

    Args:
        rows: each is held only until its group is written.
        findings: may grow while the rows are made.
        root: the name of the folder the files lie under, `INSIDE`, or None where there are no files.
        source: what was read, with checksums.
        files: a folder, beside the new one, that becomes part of it: its content is moved in, tables and all.
        ours: what may lie in the folder that is replaced.

    Raises:
        ImagesError: the folder exists already, or cannot be written.
    """
    refuse_to_overwrite(folder, force, ours)
    temporary: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = files or Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        counts = _Counts()
        stream(temporary / TABLE, ImageRow, counts.watch(rows))
        stream(temporary / "findings.parquet", Finding, findings)
        (temporary / "schema.yaml").write_text(schema.text, encoding="utf-8")
        about = {
            "format": _FORMAT,
            "dataset": dataset,
            "schema": {"id": schema.spec.id, "version": schema.spec.version, "sha256": schema.sha256},
            "root": root,
            "source": source,
            "options": options,
            "tool": {"name": TOOL, "version": __version__},
            "counts": {**counts.result(), "findings": dict(sorted(Counter(f.code for f in findings).items()))},
        }
        text = json.dumps(about, indent=2, ensure_ascii=False) + "\n"
        (temporary / ABOUT).write_text(text, encoding="utf-8")
        replace_folder(temporary, folder)
    except OSError as error:
        raise ImagesError(f"the images cannot be written: {error.strerror or error}", where=str(folder)) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return ImageSet(folder, schema, about)


class _Counts:
    """What is counted while rows pass by."""

    def __init__(self) -> None:
        self._images = self._damaged = 0
        self._splits: Counter[str] = Counter()
        self._labels: Counter[str] = Counter()
        self._subjects: set[str] = set()

    def watch(self, rows: Iterable[ImageRow]) -> Iterator[ImageRow]:
        """The same rows."""
        for row in rows:
            self._images += 1
            self._damaged += row.damage is not None
            self._splits[row.split or ""] += 1
            self._labels[row.label or ""] += 1
            if row.subject is not None:
                self._subjects.add(row.subject)
            yield row

    def result(self) -> dict[str, Any]:
        return {
            "images": self._images,
            "damaged": self._damaged,
            "splits": dict(sorted(self._splits.items())),
            "labels": dict(sorted(self._labels.items())),
            "subjects": len(self._subjects),
        }


def refuse_to_overwrite(folder: Path, force: bool, ours: set[str]) -> None:
    """Only a set of images, and only with ``force``, and nothing that lies in its folder besides, is replaced.

    Raises:
        ImagesError: the folder has to stay.
    """
    if not folder.exists():
        return
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if not made_here(folder / ABOUT):
        raise ImagesError("the output exists and is not a set of images", where=str(folder), fix="choose another -o")
    if not force:
        raise ImagesError("the set of images exists already", where=str(folder), fix="add --force to replace it")
    foreign = sorted(names - ours)
    if not foreign and (folder / PLACE).exists():
        made = {row.path for row in read(folder).rows(pixels=False)}
        there = (path.relative_to(folder).as_posix() for path in (folder / PLACE).rglob("*") if not path.is_dir())
        foreign = sorted(name for name in there if name not in made)
    if foreign:
        raise ImagesError(
            f"the folder holds other files, which would be lost: {', '.join(foreign[:5])}",
            where=str(folder),
            fix="put them elsewhere, or choose another -o",
        )
