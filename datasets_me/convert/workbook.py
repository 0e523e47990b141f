"""Annotation files as sheets of plain cells: .xlsx, .xls and .csv, recognised by content."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Literal, cast

from datasets_me.core.errors import Place, WorkbookError
from datasets_me.core.text import clean, printable
from datasets_me.findings.finding import Finding, finding

Cell = str | int | float | bool | date | time | timedelta | None
Kind = Literal["xlsx", "xls", "csv"]
KINDS: tuple[Kind, ...] = ("xlsx", "xls", "csv")

_ENCODINGS = ("utf-8-sig", "gb18030", "cp1252")
_MOST_MERGED = 10_000  # areas; a table has fewer, a hostile file may name millions


@dataclass(frozen=True)
class Row:
    """One row that is not empty. ``number`` is 1-based."""

    number: int
    cells: tuple[Cell, ...]

    def __getitem__(self, column: int) -> Cell:
        return self.cells[column] if column < len(self.cells) else None


@dataclass
class Sheet:
    """The rows of one sheet that are not empty, and where in it a formula had no stored result."""

    name: str
    position: int
    rows: list[Row]
    merged: list[str] = field(default_factory=list)
    empty_formulas: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Book:
    """An annotation file as read: its sheets, and what was noticed on the way."""

    path: Path
    kind: Kind
    sheets: list[Sheet]
    findings: list[Finding]
    sha256: str
    bytes: int

    @property
    def name(self) -> str:
        """The file's name, as text."""
        return printable(self.path.name)


def column_letter(index: int) -> str:
    """``0`` is ``"A"``, ``26`` is ``"AA"``."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """``"A"`` is 0, ``"AA"`` is 26."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1


def cell_text(cell: Cell) -> str:
    """A cell as a person would read it: ``4.0`` is ``"4"``, nothing is ``""``."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return cell if isinstance(cell, str) else str(cell)


def read_book(path: Path) -> Book:
    """Read an annotation file, whatever its name says.

    Raises:
        WorkbookError: there is no such file, it cannot be read, or is none of the three kinds.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = {FileNotFoundError: "there is no such file", IsADirectoryError: "it is a folder"}.get(
            type(error), error.strerror or str(error)
        )
        raise WorkbookError(f"the workbook cannot be read: {reason}", where=str(path)) from error
    kind = _kind_of(content, path)
    findings: list[Finding] = []
    try:
        if kind == "xlsx":
            sheets = list(_xlsx_sheets(content))
        elif kind == "xls":
            sheets = list(_xls_sheets(content))
        else:
            sheets = [_csv_sheet(content, path, findings)]
    except WorkbookError:
        raise
    except Exception as error:  # the readers raise whatever a damaged file makes them stumble over
        raise WorkbookError(
            f"the {kind} file is damaged: {type(error).__name__}: {error}",
            where=str(path),
            fix="open it in a spreadsheet program and save a copy, or fetch it again",
        ) from error
    suffix = path.suffix.casefold().lstrip(".")
    if suffix in KINDS and suffix != kind:
        place = Place(file=printable(path.name))
        message = f"the file is named .{suffix} but its content is {kind}"
        findings.append(finding("ME121", message, place=place, expected=suffix, found=kind))
    for sheet in sheets:
        for row, column in sheet.empty_formulas:
            place = Place(printable(path.name), sheet.name, row, column_letter(column))
            findings.append(finding("ME122", "the cell holds a formula without a stored result", place=place))
    return Book(path, kind, sheets, findings, hashlib.sha256(content).hexdigest(), len(content))


def _kind_of(content: bytes, path: Path) -> Kind:
    if not content:
        raise WorkbookError("the file is empty", where=str(path))
    if content.startswith(b"PK"):
        return "xlsx"
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise WorkbookError(
                "the workbook is protected by a password",
                where=str(path),
                fix="open it with the password and save a copy without",
            )
        return "xls"
    if content.lstrip()[:15].lower().startswith((b"<html", b"<!doctype html", b"<?xml")):
        raise WorkbookError(
            "the file is a web page or XML, not a workbook",
            where=str(path),
            fix="open it in a spreadsheet program and save it as .xlsx; or fetch it again, it may be an error page",
        )
    if b"\x00" in content[:1024] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise WorkbookError("the file is no .xlsx, .xls or .csv", where=str(path))
    return "csv"


def _rows(cells_of_rows: Iterable[Iterable[Cell]]) -> Iterator[Row]:
    for number, cells in enumerate(cells_of_rows, start=1):
        values = tuple(None if isinstance(cell, str) and not clean(cell) else cell for cell in cells)
        if any(value is not None for value in values):
            yield Row(number, values)


def _xlsx_sheets(content: bytes) -> Iterator[Sheet]:
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl remarks on styles and extensions, which do not concern the cells
        try:
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        except (KeyError, zipfile.BadZipFile) as error:
            raise WorkbookError(
                "the file is a zip archive, but no workbook", fix="give the .xlsx, .xls or .csv inside it"
            ) from error
        for position, worksheet in enumerate(book.worksheets, start=1):
            worksheet.reset_dimensions()  # the stored extent is wrong in files of some programs
            rows = list(_rows(cast("Iterable[Iterable[Cell]]", worksheet.iter_rows(values_only=True))))
            sheet = Sheet(worksheet.title, position, rows)
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                # Read-only sheets know neither merged areas nor formulas; their XML does.
                xml = archive.read(worksheet._worksheet_path)  # type: ignore[attr-defined]
            if merged := re.findall(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"', xml):
                _fill_merged(sheet, [area.decode() for area in merged[:_MOST_MERGED]])
            if re.search(rb"<(?:\w+:)?f[ >/]", xml):
                sheet.empty_formulas = list(_empty_formulas(content, position))
            yield sheet


def _fill_merged(sheet: Sheet, areas: list[str]) -> None:
    """Give the rows that a merged area covers its value, in the area's first column.

    Merging down says the same of several rows. Merging across makes room for one text, and says nothing of the
    columns it covers.
    """
    by_number = {row.number: list(row.cells) for row in sheet.rows}
    for area in areas:
        match = re.fullmatch(r"([A-Z]+)(\d+):([A-Z]+)(\d+)", area)
        assert match is not None
        column, top, bottom = column_index(match[1]), int(match[2]), int(match[4])
        source = by_number.get(top, [])
        value = source[column] if column < len(source) else None
        covered = [number for number in by_number if top < number <= bottom]
        if value is None or not covered:
            continue
        sheet.merged.append(area)
        for number in covered:
            cells = by_number[number]
            cells += [None] * (column + 1 - len(cells))
            cells[column] = value
    sheet.rows = [Row(number, tuple(cells)) for number, cells in by_number.items()]


def _empty_formulas(content: bytes, position: int) -> Iterator[tuple[int, int]]:
    import openpyxl

    with_formulas = openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[position - 1]
    with_values = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[position - 1]
    for worksheet in (with_formulas, with_values):
        worksheet.reset_dimensions()
    pairs = zip(with_formulas.iter_rows(values_only=True), with_values.iter_rows(values_only=True), strict=False)
    for number, (formulas, values) in enumerate(pairs, start=1):
        for index, (formula, value) in enumerate(zip(formulas, values, strict=False)):
            if value is None and formula is not None:
                yield number, index


def _xls_sheets(content: bytes) -> Iterator[Sheet]:
    import xlrd

    log = io.StringIO()  # xlrd prints its remarks to stdout otherwise
    try:
        book = xlrd.open_workbook(file_contents=content, logfile=log)
    except xlrd.XLRDError as error:
        raise WorkbookError(f"the xls file cannot be read: {error}") from error
    for position, worksheet in enumerate(book.sheets(), start=1):
        cells = ([_xls_cell(cell, book.datemode) for cell in worksheet.row(index)] for index in range(worksheet.nrows))
        yield Sheet(worksheet.name, position, list(_rows(cells)))


def _xls_cell(cell: object, datemode: int) -> Cell:
    import xlrd

    kind, value = cell.ctype, cell.value  # type: ignore[attr-defined]
    if kind in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return None
    if kind == xlrd.XL_CELL_DATE:
        try:
            as_date: datetime = xlrd.xldate_as_datetime(value, datemode)
        except (xlrd.XLDateError, OverflowError):
            return float(value)
        return as_date
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(value, "#ERROR"))
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return str(value) if isinstance(value, str) else float(value)


def _csv_sheet(content: bytes, path: Path, findings: list[Finding]) -> Sheet:
    text, encoding = _decode(content)
    if encoding not in ("utf-8-sig", "utf-16"):
        message = f"the file is not UTF-8; read as {encoding}"
        findings.append(finding("ME128", message, place=Place(file=printable(path.name)), found=encoding))
    delimiter = max(",;\t", key=lambda mark: _columns(text, mark))
    # strict: a quotation mark that is never closed would swallow the rest of the file
    sheet = Sheet(
        path.stem, 1, list(_rows(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)))
    )
    for row in sheet.rows:
        for index, cell in enumerate(row.cells):
            if isinstance(cell, str) and any(line.count(delimiter) >= 2 for line in cell.split("\n")[1:]):
                place = Place(printable(path.name), sheet.name, row.number, column_letter(index))
                lines = cell.count("\n") + 1
                findings.append(finding("ME129", f"{lines} lines of the file stand in one cell", place=place))
    return sheet


def _decode(content: bytes) -> tuple[str, str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16"), "utf-16"
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1"), "latin-1"


def _columns(text: str, delimiter: str) -> int:
    """How many columns a delimiter makes of the first lines, the most frequent count."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    counts = [line.count(delimiter) for line in lines]
    return max(set(counts), key=counts.count) if counts else 0
