"""Images that stand in a CSV, one row each, their grey values as numbers between spaces."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import ImagesError, Place, plural
from datasets_me.core.text import closest, fold
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.image_records import PIXELS, ImageRow
from datasets_me.images.doubts import Doubts
from datasets_me.schema.image_schemas import ImageSchema
from datasets_me.schema.images import Table

_MOST = 255
_STEP = 500  # rows between two calls of progress


def find(source: Path, table: Table) -> Path:
    """The table: the source itself, or the file of one of its names in the folder.

    Raises:
        ImagesError: there is none.
    """
    if source.is_file():
        return source
    wanted = [name.casefold() for name in table.files]
    here = {path.name.casefold(): path for path in sorted(source.iterdir())} if source.is_dir() else {}
    for name in wanted:
        if name in here:
            return here[name]
    raise ImagesError(
        f"there is no {' or '.join(table.files)}" if source.is_dir() else "there is no such file or folder",
        where=str(source),
        fix="give the path of the table",
    )


class TableReader:
    """One pass over a table; ``source`` says what was read when the rows are through.

    ``findings`` gets what cannot be used; a row with fewer or more pixels, or with something else than numbers from
    0 to 255, is left out.
    """

    def __init__(self, schema: ImageSchema, path: Path, dataset: str, findings: list[Finding]) -> None:
        if schema.spec.table is None:
            raise ValueError("the schema has no table")
        self._spec, self._table, self._path, self._dataset = schema.spec, schema.spec.table, path, dataset
        self._findings = findings
        self._source: dict[str, Any] = {}

    @property
    def source(self) -> dict[str, Any]:
        """What was read, with its checksum; empty before the end of the pass."""
        return self._source

    def rows(self, progress: Callable[[int], None]) -> Iterator[ImageRow]:
        """The images in order of the table.

        Raises:
            ImagesError: the file cannot be read, or lacks a column.
        """
        digest, size = hashlib.sha256(), 0
        doubts = Doubts(self._spec)
        try:
            with self._path.open("rb") as file:
                first = file.readline()
                digest.update(first)
                size += len(first)
                columns = self._columns(first)
                width = len(_cells(first) or ())
                for number, line in enumerate(file, start=2):
                    digest.update(line)
                    size += len(line)
                    if number % _STEP == 0:
                        progress(number - 1)
                    row = self._row(number, line, columns, width)
                    if row is not None:
                        doubts.count(row[0], row[1])
                        yield row[0]
        except OSError as error:
            raise ImagesError(f"the table cannot be read: {error.strerror or error}", where=str(self._path)) from error
        self._findings += doubts.findings()
        self._source.update(
            name=self._path.name,
            files=[{"name": self._path.name, "sha256": digest.hexdigest(), "bytes": size}],
        )

    def _columns(self, first: bytes) -> dict[str, int]:
        """The places of the columns that are there; a table without labels has no column of them."""
        table = self._table
        titles = [fold(text.decode("utf-8-sig", "replace")) for text in _cells(first) or ()]
        wanted = {"pixels": table.pixels, "label": table.label, "split": table.split, "subject": table.subject}
        columns = {}
        for field, names in wanted.items():
            places = [at for at, title in enumerate(titles) if title in map(fold, names)]
            if len(places) > 1:
                raise ImagesError(
                    f"{len(places)} columns of the first row may be the {field}: "
                    + ", ".join(titles[at] for at in places),
                    where=str(Place(self._path.name, row=1)),
                    fix="keep one of them in a copy of the table",
                )
            near = closest(names[0], titles) if names and not places else None
            if places:
                columns[field] = places[0]
            elif field == "pixels" or (field == "label" and near):
                raise ImagesError(
                    f"the first row has no column {' or '.join(names)}; it begins with {first[:60]!r}",
                    where=str(Place(self._path.name, row=1)),
                    fix=f"is it '{near}'? Then say so in a schema of your own" if near else "is this the right file?",
                )
        if "label" not in columns:
            message = f"there is no column {' or '.join(table.label)}, so no image has a label"
            self._findings.append(finding("ME705", message, place=Place(self._path.name, row=1)))
        return columns

    def _row(self, number: int, line: bytes, columns: dict[str, int], width: int) -> tuple[ImageRow, str | None] | None:
        table, name = self._table, self._path.name
        if not line.strip():
            return None
        cells = _cells(line)
        if cells is None or len(cells) != width:
            self._bad(number, f"{plural(len(cells or ()), 'cell')} where the first row has {width}")
            return None
        grey = parse_pixels(cells[columns["pixels"]], table.width * table.height)
        if isinstance(grey, str):
            self._bad(number, grey)
            return None
        texts = {
            field: cells[at].decode("utf-8", "backslashreplace").strip()
            for field, at in columns.items()
            if field != "pixels"
        }
        pixels, label = grey.tobytes(), texts.get("label")
        # train.csv and test.csv say by their names what others say in a column
        split = texts.get("split") if "split" in columns else self._path.stem
        for what, text in (("label", label), ("split", split)):
            if text == "":
                place = Place(name, row=number)
                self._findings.append(finding("ME703", f"the cell of the {what} is empty", place=place))
        row = ImageRow(
            id=f"{name}#{number}",
            dataset=self._dataset,
            pixels=pixels,
            split=self._spec.split_of(split) if split else None,
            label=self._spec.label_of(label) if label else None,
            label_raw=label or None,
            subject=texts.get("subject") or None,
            width=table.width,
            height=table.height,
            format=PIXELS,
            size=len(pixels),
            sha256=hashlib.sha256(pixels).hexdigest(),
            source_file=name,
            source_row=number,
        )
        return row, split if "split" in columns else None

    def _bad(self, number: int, fault: str) -> None:
        self._findings.append(
            finding("ME701", f"the row gives no image: {fault}", place=Place(self._path.name, row=number))
        )


def _cells(line: bytes) -> list[bytes] | None:
    """The cells of a line; None for quotes that do not close on it."""
    if b'"' not in line:
        return line.rstrip(b"\r\n").split(b",")
    try:
        return [cell.encode("latin-1") for cell in next(csv.reader([line.decode("latin-1")], strict=True))]
    except (csv.Error, StopIteration):
        return None


def parse_pixels(text: bytes, count: int) -> NDArray[np.uint8] | str:
    """So many numbers from 0 to 255 between white space, (count,); or in words what else it is.

    Numbers are put together from their digits for the whole text at once.
    """
    cells = np.frombuffer(b"    " + text + b" ", np.uint8)
    digits = cells - np.uint8(48)  # other characters wrap round to 10 and more
    is_digit = digits <= 9
    blank = (cells == 32) | ((cells >= 9) & (cells <= 13))
    if not (is_digit | blank).all():
        wrong = next(word for word in text.split() if not word.isdigit())
        return f"'{wrong[:20].decode('utf-8', 'backslashreplace')}' is no grey value"
    ends = np.flatnonzero(is_digit[:-1] & ~is_digit[1:])
    if len(ends) != count:
        return f"{plural(len(ends), 'pixel')} instead of {count:,}"
    tens, hundreds = is_digit[ends - 1], is_digit[ends - 1] & is_digit[ends - 2]
    values = digits[ends].astype(np.uint16)
    values += 10 * digits[ends - 1].astype(np.uint16) * tens
    values += 100 * digits[ends - 2].astype(np.uint16) * hundreds
    if (hundreds & is_digit[ends - 3]).any() or (values > _MOST).any():
        wrong = next(word for word in text.split() if len(word) > 3 or int(word) > _MOST)
        return f"'{wrong[:20].decode()}' is no grey value"
    return values.astype(np.uint8)
