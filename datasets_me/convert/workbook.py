"""Annotation files as sheets of plain cells: .xlsx, .xls and .csv, recognised by content."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal

from datasets_me.convert.sheets import MOST_COLUMNS, MOST_ROWS, Cell, Room, Sheet, check_length, column_letter, rows_of
from datasets_me.convert.xlsx import read_sheets
from datasets_me.core.errors import Place, WorkbookError
from datasets_me.core.files import read_regular
from datasets_me.core.text import printable
from datasets_me.findings.finding import Finding, finding

FileKind = Literal["xlsx", "xls", "csv"]
FILE_KINDS: tuple[FileKind, ...] = ("xlsx", "xls", "csv")

_LARGEST = 50_000_000  # bytes of a file; the published ones have less than one million

_ENCODINGS = ("utf-8-sig", "gb18030", "cp1252")


@dataclass
class Book:
    """An annotation file: its sheets, and the findings about the file."""

    path: Path
    kind: FileKind
    sheets: list[Sheet]
    findings: list[Finding]
    sha256: str
    bytes: int

    @property
    def name(self) -> str:
        """The name of the file, as printable text."""
        return printable(self.path.name)


def read_book(path: Path) -> Book:
    """Read an annotation file of the kind that its content says, not its name.

    Raises:
        WorkbookError: there is no such file, it cannot be read, is not of the three kinds, or is larger than any
            table of annotations.
    """
    try:
        content = read_regular(path, _LARGEST)
    except OSError as error:
        reason = {FileNotFoundError: "there is no such file", IsADirectoryError: "it is a folder"}.get(
            type(error), error.strerror or str(error)
        )
        raise WorkbookError(f"the workbook cannot be read: {reason}", where=str(path)) from error
    kind = _kind_of(content, path)
    findings: list[Finding] = []
    try:
        if kind == "xlsx":
            sheets = list(read_sheets(content))
        elif kind == "xls":
            sheets = list(_xls_sheets(content))
        else:
            sheets = [_csv_sheet(content, path, findings)]
    except WorkbookError as error:
        raise WorkbookError(error.what, where=error.where or str(path), fix=error.fix) from error
    except Exception as error:  # a damaged file may raise anything in the readers
        raise WorkbookError(
            f"the {kind} file is damaged: {type(error).__name__}: {error}",
            where=str(path),
            fix="open it in a spreadsheet program and save a copy, or fetch it again",
        ) from error
    suffix = path.suffix.casefold().lstrip(".")
    if suffix in FILE_KINDS and suffix != kind:
        place = Place(file=printable(path.name))
        message = f"the file is named .{suffix} but its content is {kind}"
        findings.append(finding("ME121", message, place=place, expected=suffix, found=kind))
    for sheet in sheets:
        for row, column in sheet.empty_formulas:
            place = Place(printable(path.name), sheet.name, row, column_letter(column))
            findings.append(finding("ME122", "the cell has a formula without a stored result", place=place))
    return Book(path, kind, sheets, findings, hashlib.sha256(content).hexdigest(), len(content))


def _kind_of(content: bytes, path: Path) -> FileKind:
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
        raise WorkbookError("the file is not .xlsx, .xls or .csv", where=str(path))
    return "csv"


def _xls_sheets(content: bytes) -> Iterator[Sheet]:
    import xlrd

    log = io.StringIO()  # xlrd would print its warnings
    try:
        book = xlrd.open_workbook(file_contents=content, logfile=log, ragged_rows=True)
    except xlrd.XLRDError as error:
        raise WorkbookError(f"the xls file cannot be read: {error}") from error
    room = Room()
    for position, worksheet in enumerate(book.sheets(), start=1):
        cells = (
            (index + 1, [_xls_cell(cell, book.datemode) for cell in worksheet.row(index)])
            for index in range(worksheet.nrows)
        )
        yield Sheet(worksheet.name, position, rows_of(cells, room), hidden=bool(worksheet.visibility))


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
    sheet = Sheet(path.stem, 1, rows_of(_csv_rows(text, delimiter, path.stem), Room()))
    for row in sheet.rows:
        for index, cell in enumerate(row.cells):
            if isinstance(cell, str) and any(line.count(delimiter) >= 2 for line in cell.split("\n")[1:]):
                place = Place(printable(path.name), sheet.name, row.number, column_letter(index))
                lines = cell.count("\n") + 1
                findings.append(finding("ME129", f"{lines} lines of the file are in one cell", place=place))
    return sheet


def _csv_rows(text: str, delimiter: str, sheet: str) -> Iterator[tuple[int, Sequence[str]]]:
    # strict: an unclosed quotation mark would take in the rest of the file
    reader = csv.reader(_narrow_lines(text, delimiter), delimiter=delimiter, strict=True)
    for number, cells in enumerate(reader, start=1):
        if number > MOST_ROWS:
            raise WorkbookError(f"the file has more than {MOST_ROWS:,} rows, so the file is not a table of annotations")
        for index, cell in enumerate(cells):
            check_length(cell, sheet, number, index)
        yield number, cells


def _narrow_lines(text: str, delimiter: str) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if line.count(delimiter) >= MOST_COLUMNS:
            raise WorkbookError(
                f"line {number} has more than {MOST_COLUMNS:,} columns, so the file is not a table of annotations"
            )
        yield line


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
    """The most frequent number of delimiters in the first lines."""
    lines = [line for line in islice(io.StringIO(text, newline=None), 50) if line.strip()]
    counts = [line.count(delimiter) for line in lines]
    return max(set(counts), key=counts.count) if counts else 0
