"""A folder of images, as every later command reads it.

::

    images.parquet  findings.parquet  images.json  schema.yaml

``images.parquet`` is never changed. Commands that look at the images put tables of their own beside it, one row per
image, with findings of their own: ``faces.parquet`` and ``faces-findings.parquet``.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets_me.core import artefact
from datasets_me.core.errors import ImagesError, MeDatasetsError, PathError, plural
from datasets_me.core.files import check_root, checksum, read_regular
from datasets_me.core.paths import check_table, under
from datasets_me.core.pictures import MOST_PIXELS, DamageError, Decoded, decode
from datasets_me.core.tables import GROUP, batches, open_parquet, read_parquet, stream
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.image_records import PIXELS, ImageRow
from datasets_me.formats.kinds import IMAGE_SET
from datasets_me.schema import image_schemas
from datasets_me.schema.image_schemas import ImageSchema
from datasets_me.schema.images import ImageSpec

Image = NDArray[np.uint8]

TABLE = "images.parquet"
PLACE = "files"
"""The folder within a set made from another that its images lie in."""

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
        """What its schema says of it, or of the subset that it is."""
        return self.schema.spec

    @property
    def dataset(self) -> str:
        """What it is called in its tables."""
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
            MeDatasetsError: the table is damaged.
            PathError: the path of an image leads out of the root.
        """
        columns = [name for name in ImageRow.model_fields if pixels or name != "pixels"]
        first = 1
        for batch in batches(self.folder / TABLE, ImageRow, size, columns):
            check_table(self.folder / TABLE, batch, paths=["path"], first=first)
            first += len(batch)
            yield batch

    def rows(self, *, pixels: bool = True) -> Iterator[ImageRow]:
        """All rows in order, one at a time.

        Raises:
            MeDatasetsError: the table is damaged.
        """
        for batch in self.batches(pixels=pixels):
            yield from batch

    def pixels_of_group(self, group: int) -> Any:
        """The pixels of one group of the table, as an Arrow column; `group_of` says which group holds a row.

        Raises:
            MeDatasetsError: the table is damaged.
        """
        path = self.folder / TABLE
        try:
            with open_parquet(path) as file:
                return file.read_row_group(group, columns=["pixels"], use_threads=False)["pixels"]
        except (OSError, ValueError) as error:
            raise MeDatasetsError(f"the table is damaged: {error}", where=str(path)) from error

    @cached_property
    def groups(self) -> list[int]:
        """The number of the first row of each group of the table."""
        with open_parquet(self.folder / TABLE) as file:
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
        return [sum(sizes[:group]) for group in range(len(sizes))]

    def group_of(self, number: int) -> tuple[int, int]:
        """The group that holds a row, and the row's place in it."""
        group = bisect_right(self.groups, number) - 1
        return group, number - self.groups[group]

    def table(self, columns: Sequence[str] | None = None) -> Any:
        """The rows as a ``pyarrow.Table``, all of it in memory; of these columns."""
        with open_parquet(self.folder / TABLE) as file:
            return file.read(None if columns is None else list(columns), use_threads=False)

    def findings(self) -> list[Finding]:
        """What the import found."""
        return read_parquet(Finding, self.folder / "findings.parquet")

    def root(self, wanted: Path | None) -> Path | None:
        """The folder the files lie under; None for a set without files.

        Raises:
            ImagesError: none was given though one is needed.
            FolderError: it is not a folder.
        """
        root = self.about["root"]
        if root is None:
            return None
        if root == INSIDE:
            return self.folder
        if wanted is None:
            raise ImagesError(
                "the images are files, and nothing says where they lie",
                where=str(self.folder),
                fix=f"give --root, the folder they were imported from (it was called {root})",
            )
        check_root(wanted, fix="give the folder that was imported")
        return wanted


def read(folder: Path) -> ImageSet:
    """A set of images.

    Raises:
        ImagesError: there is none, it is damaged, or a newer version wrote it.
    """
    about = artefact.read_about(folder, IMAGE_SET)
    try:
        schema = image_schemas.parse(read_regular(folder / "schema.yaml").decode(), str(folder / "schema.yaml"))
        images = ImageSet(folder, schema.of_subset(about.get("subset")), about)
        if not (folder / TABLE).is_file():
            raise ValueError(f"{TABLE} is missing")
        with open_parquet(folder / TABLE) as table:
            rows = table.metadata.num_rows
        if rows != len(images):
            raise ValueError(f"{TABLE} has {plural(rows, 'row')}, but {IMAGE_SET.about} counts {len(images):,}")
        images.dataset, about["root"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImagesError(
            f"the set of images is damaged: {error}",
            where=str(folder),
            fix="make it again with me-datasets images import",
        ) from error
    return images


def load_bytes(row: ImageRow, root: Path | None) -> bytes | None:
    """The content of an image's file, None for one that stood in a table.

    Raises:
        DamageError: the file cannot be read.
    """
    if row.path is None:
        return None
    if root is None:
        raise DamageError("no root is given")
    try:
        return read_regular(under(root, row.path))
    except PathError as error:
        raise DamageError(error.what) from error
    except OSError as error:
        raise DamageError(f"the file cannot be read: {error.strerror or error}") from error


def changed(row: ImageRow, content: bytes | None) -> list[Finding]:
    """ME737 where the content of an image's file is another than at the import."""
    if content is None or row.sha256 is None or hashlib.sha256(content).hexdigest() == row.sha256:
        return []
    return [finding("ME737", "the file has changed since the import", path=row.id)]


def decode_row(row: ImageRow, content: bytes | None, longest: int | None = None) -> Decoded:
    """The picture of a row; ``content`` is that of its file, None for pixels that stand in the row.

    An image that the import accepted is decoded, however many pixels it has; one that the import refused is not.

    Args:
        row: the image.
        content: the bytes of its file.
        longest: see `core.pictures.decode`.

    Raises:
        DamageError: it cannot be decoded.
    """
    if content is not None:
        if row.damage is not None and hashlib.sha256(content).hexdigest() == row.sha256:
            raise DamageError(row.damage)
        most = max(MOST_PIXELS, (row.width or 0) * (row.height or 0))
        return decode(content, longest=longest, most_pixels=most)
    pixels, height, width = row.pixels or b"", row.height or 0, row.width or 0
    if row.format != PIXELS or not pixels or len(pixels) != height * width:
        raise DamageError("there are no pixels")
    grey = np.frombuffer(pixels, np.uint8).reshape(height, width)
    return Decoded(np.repeat(grey[:, :, None], 3, axis=2), [])


def load(row: ImageRow, root: Path | None, longest: int | None = None) -> Decoded:
    """The picture of a row and what it took to make it upright, of 8 bits and BGR.

    ``longest`` as in `core.pictures.decode`.

    Raises:
        DamageError: it cannot be read or decoded.
    """
    return decode_row(row, load_bytes(row, root), longest)


def load_image(row: ImageRow, root: Path | None, longest: int | None = None) -> Image | str:
    """The picture of a row (H, W, 3) uint8 in BGR, upright; or a text that says why there is none."""
    try:
        return load(row, root, longest).image
    except DamageError as error:
        return str(error)


@dataclass(frozen=True)
class Description:
    """What ``images.json`` says of a set.

    Attributes:
        dataset: what it is called in its tables.
        root: the name of the folder the files lie under, `INSIDE`, or None where there are no files.
        source: what was read, with checksums; may be filled while the rows are made.
        options: how it was made.
        subset: of the schema's subsets, the one it is.
    """

    dataset: str
    root: str | None
    source: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    subset: str | None = None


def write(
    folder: Path,
    schema: ImageSchema,
    rows: Iterable[ImageRow],
    findings: list[Finding],
    description: Description,
    *,
    force: bool = False,
) -> ImageSet:
    """Write a set of images; see `fill`.

    Raises:
        OutputError: the folder exists and may not be replaced.
        WriteError: it cannot be written.
    """
    with artefact.new_folder(folder, IMAGE_SET, force=force) as new:
        fill(new, schema, rows, findings, description)
    return read(folder)


def fill(
    new: artefact.NewFolder,
    schema: ImageSchema,
    rows: Iterable[ImageRow],
    findings: list[Finding],
    description: Description,
) -> None:
    """Write the tables of a set of images into its new folder, in one pass.

    Args:
        new: the folder.
        schema: that of the set.
        rows: each is held only until its group is written.
        findings: may grow while the rows are made.
        description: what its JSON file will say.
    """
    counts = _Counts()
    stream(new.path / TABLE, ImageRow, counts.watch(rows))
    stream(new.path / "findings.parquet", Finding, findings)
    (new.path / "schema.yaml").write_text(schema.text, encoding="utf-8")
    new.about.update(
        dataset=description.dataset,
        schema={"id": schema.spec.id, "version": schema.spec.version, "sha256": schema.sha256},
        **({"subset": description.subset} if description.subset else {}),
        root=description.root,
        source=description.source,
        options=description.options,
        counts={**counts.result(), "findings": dict(sorted(Counter(f.code for f in findings).items()))},
    )


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
