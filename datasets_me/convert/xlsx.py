"""Sheets of an .xlsx file, read from its XML by the addresses of rows and cells.

openpyxl drops rows whose numbers go backwards, and has no limits of time and memory; only its knowledge of number
formats and dates is used here.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, cast
from xml.parsers import expat

from datasets_me.convert.sheets import (
    MOST_COLUMNS,
    MOST_ROWS,
    Cell,
    Room,
    Sheet,
    SheetRow,
    check_length,
    column_index,
    column_letter,
    filled,
    shorten,
)
from datasets_me.core.errors import WorkbookError, plural

if TYPE_CHECKING:
    from datetime import datetime

_MOST_UNPACKED = 50_000_000  # bytes of all parts that are read; the largest published workbook unpacks to 1 MB
_MOST_STRINGS = 200_000
_DEEPEST = 100  # elements in elements; a workbook has about ten
# A cell's text may have 32,767 characters of up to ten bytes each. The parser has no limit for an element with millions
# of attributes.
_LONGEST_PIECE = re.compile(rb"<[^<]{400000}")
_LONGEST_FORMAT = 255  # characters, the limit of spreadsheet programs

_ADDRESS = re.compile(r"([A-Z]{1,3})([0-9]{1,9})", re.IGNORECASE)
_AREA = re.compile(r"([A-Z]{1,3})([0-9]{1,9}):([A-Z]{1,3})([0-9]{1,9})")

Attributes = Mapping[str, str]


def read_sheets(content: bytes) -> Iterator[Sheet]:
    """The sheets of a workbook in order, without charts.

    Raises:
        WorkbookError: it is not a workbook, contradicts itself, or is larger than any table of annotations.
    """
    try:
        package = _Package(zipfile.ZipFile(io.BytesIO(content)))
    except zipfile.BadZipFile as error:
        raise _no_workbook() from error
    book = package.book()
    strings = _Strings(package, book.strings)
    formats = _Formats(package, book)
    room = Room()
    for position, (name, part, hidden) in enumerate(book.sheets, start=1):
        reader = _SheetReader(package.content(part), name, strings, formats, room)
        sheet = Sheet(name, position, list(_in_order(reader.rows)), hidden=hidden)
        sheet.empty_formulas = sorted(reader.empty_formulas)
        sheet.comments = package.comments(part, room)
        sheet.hidden_rows, sheet.struck_rows = reader.hidden_rows, reader.struck_rows
        sheet.hidden_columns = {index for index, times in enumerate(accumulate(reader.hidden_changes)) if times}
        _fill_merged(sheet, list(dict.fromkeys(reader.merged)), room)
        yield sheet


def _in_order(rows: Mapping[int, Mapping[int, Cell]]) -> Iterator[SheetRow]:
    for number in sorted(rows):
        cells: list[Cell] = [None] * (max(rows[number]) + 1)
        for column, value in rows[number].items():
            cells[column] = value
        if values := filled(cells):
            yield SheetRow(number, tuple(values))


def _no_workbook(parts: Container[str] = ()) -> WorkbookError:
    if "xl/workbook.bin" in parts:
        return WorkbookError("the file is a binary workbook (.xlsb)", fix="save it as .xlsx or .csv")
    if "content.xml" in parts:
        return WorkbookError("the file is an OpenDocument table (.ods)", fix="save it as .xlsx or .csv")
    return WorkbookError("the file is a zip archive, but not a workbook", fix="give the .xlsx, .xls or .csv inside it")


@dataclass
class _Book:
    """The main part of a workbook: its sheets (name, part, hidden or not), its other parts, and its date system."""

    sheets: list[tuple[str, str, bool]] = field(default_factory=list)
    strings: str | None = None
    styles: str | None = None
    from_1904: bool = False


class _Package:
    """The parts of a zip archive, up to the size of any workbook."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = set(archive.namelist())
        self._left = _MOST_UNPACKED

    def content(self, part: str) -> bytes:
        """The bytes of a part.

        Raises:
            WorkbookError: it is missing, or all parts together are too large.
        """
        try:
            info = self._archive.getinfo(part)
        except KeyError:
            raise WorkbookError(f"the xlsx file is damaged: '{shorten(part)}' is missing in it") from None
        self._left -= info.file_size
        if self._left < 0:
            raise WorkbookError(
                f"the workbook unpacks to more than {_MOST_UNPACKED:,} bytes, "
                "so the file is not a table of annotations",
                fix="copy the table into a new workbook; empty rows and columns with a format count, too",
            )
        return self._archive.read(info)

    def book(self) -> _Book:
        """The main part of the workbook.

        Raises:
            WorkbookError: it is missing.
        """
        roots = self._related("").values()
        part = next((target for kind, target in roots if kind == "officeDocument"), "xl/workbook.xml")
        if part not in self._names or part.endswith(".bin"):
            raise _no_workbook(self._names)
        related = self._related(part)
        book = _Book()
        for kind, target in related.values():
            if kind == "sharedStrings":
                book.strings = target
            elif kind == "styles" and target in self._names:
                book.styles = target

        def start(name: str, attributes: Attributes) -> None:
            if name == "sheet":
                title = attributes.get("name", "")
                key = next((value for key, value in attributes.items() if key.endswith(":id")), "")
                if key not in related:
                    raise WorkbookError(f"the xlsx file is damaged: the sheet '{shorten(title)}' is missing in it")
                kind, target = related[key]
                if kind != "chartsheet":
                    book.sheets.append((title, target, attributes.get("state", "visible") != "visible"))
            elif name == "workbookPr":
                book.from_1904 = attributes.get("date1904", "0") in ("1", "true")

        _parse(self.content(part), start)
        return book

    def comments(self, part: str, room: Room) -> list[tuple[str, str]]:
        """The comments of a sheet, address and text, each of which takes the room of a cell."""
        comments: list[tuple[str, list[str]]] = []
        collects = False

        def start(name: str, attributes: Attributes) -> None:
            nonlocal collects
            if name == "comment":
                room.take_cells(1)
                comments.append((attributes.get("ref", ""), []))
            collects = name == "t" and bool(comments)

        def text(piece: str) -> None:
            if collects:
                comments[-1][1].append(piece)

        for kind, target in self._related(part).values():
            if kind == "comments" and target in self._names:
                _parse(self.content(target), start, text=text)
        return [(address, "".join(pieces)) for address, pieces in comments]

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        """The kind and the path of each part that a part refers to, by id."""
        folder, name = posixpath.split(part)
        related: dict[str, tuple[str, str]] = {}

        def start(name: str, attributes: Attributes) -> None:
            if name == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
                related[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], target)

        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        if relations in self._names:
            _parse(self.content(relations), start)
        return related


def _parse(
    content: bytes,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Call functions for the elements and texts of XML; names come without their prefix.

    Raises:
        WorkbookError: it contains something that no workbook has.
        expat.ExpatError: it is not XML.
    """
    if _LONGEST_PIECE.search(content):
        raise WorkbookError("the xlsx file is damaged: an element or a text in it has more than 400,000 bytes")
    depth = 0

    def started(name: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise WorkbookError(f"the xlsx file is damaged: more than {_DEEPEST} elements are nested")
        start(name.rpartition(":")[2], attributes)

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(name.rpartition(":")[2])

    def declared(*_: object) -> None:
        raise WorkbookError("the xlsx file is damaged: its XML declares a document type, which no workbook does")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = declared
    parser.Parse(content, True)  # all at once: given parts, the parser would start again at every long piece


class _Text:
    """A text in one or several runs, without the phonetic readings above characters.

    ``struck`` says whether it is struck through, if only in part.
    """

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.struck = False
        self._collects = False
        self._above = False
        self._strikes = False

    def start(self, name: str, attributes: Attributes) -> None:
        """An element in it begins."""
        if name == "t":
            self._collects = not self._above
        elif name == "rPh":
            self._above = True
        elif _strikes(name, attributes):
            self._strikes = True

    def end(self, name: str) -> None:
        """An element in it ends."""
        if name == "t":
            self._collects = False
        elif name == "rPh":
            self._above = False
        elif name == "r":
            self._strikes = False

    def add(self, text: str) -> None:
        """Take what stands between two elements, if it belongs to the text."""
        if self._collects:
            self.pieces.append(text)
            self.struck |= self._strikes


class _Strings:
    """The texts that cells refer to by number; ``struck`` are the numbers of those that are struck through."""

    def __init__(self, package: _Package, part: str | None) -> None:
        self.texts: list[str] = []
        self.struck: set[int] = set()
        self._text = _Text()
        if part:
            _parse(package.content(part), self._start, self._end, lambda text: self._text.add(text))

    def _start(self, name: str, attributes: Attributes) -> None:
        self._text.start(name, attributes)

    def _end(self, name: str) -> None:
        if name != "si":
            self._text.end(name)
            return
        if len(self.texts) == _MOST_STRINGS:
            raise WorkbookError(
                f"the workbook has more than {_MOST_STRINGS:,} texts, so the file is not a table of annotations"
            )
        if self._text.struck:
            self.struck.add(len(self.texts))
        # "_x005F_" means "_" where the text after it would look like a character code
        self.texts.append("".join(self._text.pieces).replace("x005F_", ""))
        self._text = _Text()


class _Formats:
    """The cell formats that make a number a date or a span of time; ``struck`` are those that strike text through."""

    def __init__(self, package: _Package, book: _Book) -> None:
        self._from_1904 = book.from_1904
        self._codes: dict[int, str] = {}
        self._formats: list[int] = []
        self._kinds: dict[str, Literal["date", "span"] | None] = {}
        self.struck: set[str] = set()
        self._struck_fonts: set[str] = set()
        self._fonts = 0
        self._among_fonts = False
        self._among_cells = False
        if book.styles:
            _parse(package.content(book.styles), self._start, self._end)

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            self._codes[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._among_cells = True
        elif name == "fonts":
            self._among_fonts = True
        elif name == "font" and self._among_fonts:
            self._fonts += 1
        elif self._among_fonts and _strikes(name, attributes):
            self._struck_fonts.add(str(self._fonts - 1))
        elif name == "xf" and self._among_cells:
            if attributes.get("fontId") in self._struck_fonts:
                self.struck.add(str(len(self._formats)))
            self._formats.append(int(attributes.get("numFmtId", "0")))

    def _end(self, name: str) -> None:
        if name == "cellXfs":
            self._among_cells = False
        elif name == "fonts":
            self._among_fonts = False

    def apply(self, number: float, style: str) -> Cell:
        """A number as its cell shows it: the number, or a date, a time or a span of time."""
        if style not in self._kinds:
            self._kinds[style] = self._kind(int(style))
        kind = self._kinds[style]
        if kind is None:
            return number
        from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

        epoch = MAC_EPOCH if self._from_1904 else WINDOWS_EPOCH
        try:
            return cast("datetime", from_excel(number, epoch, timedelta=kind == "span"))
        except (OverflowError, ValueError):
            return "#VALUE!"

    def _kind(self, style: int) -> Literal["date", "span"] | None:
        number = self._formats[style] if style < len(self._formats) else 0
        if number == 0 and number not in self._codes:
            return None  # most cells; importing openpyxl takes a while
        from openpyxl.styles.numbers import builtin_format_code, is_date_format, is_timedelta_format

        code = self._codes.get(number, builtin_format_code(number))
        if code is None or len(code) > _LONGEST_FORMAT or not is_date_format(code):
            return None
        return "span" if is_timedelta_format(code) else "date"


class _SheetReader:
    """One pass over the XML of a sheet: cells, merged areas, formulas without a result, what is hidden."""

    def __init__(self, content: bytes, name: str, strings: _Strings, formats: _Formats, room: Room) -> None:
        self.rows: dict[int, dict[int, Cell]] = {}
        self.merged: list[str] = []
        self.empty_formulas: list[tuple[int, int]] = []
        self.hidden_rows: set[int] = set()
        self.struck_rows: set[int] = set()
        self.hidden_changes = [0] * (MOST_COLUMNS + 1)  # by column, how many more spans hide it than the one before
        self._name, self._strings, self._formats, self._room = name, strings, formats, room
        self._row: int | None = None  # that is being read; None if neither it nor a cell has given its number yet
        self._before = 0  # the row before it
        self._column = -1  # of its last cell
        self._in_data = False
        self._in_row = False
        self._row_hidden = False
        self._cell: Attributes | None = None
        self._at = (0, 0)
        self._has_formula = False
        self._in_value = False
        self._value: list[str] = []
        self._inline = _Text()
        self._struck = False
        _parse(content, self._start, self._end, self._text)

    def _start(self, name: str, attributes: Attributes) -> None:
        if self._cell is not None:
            self._start_in_cell(name, attributes)
        elif name == "c" and self._in_row:
            self._begin_cell(attributes)
        elif name == "row" and self._in_data:
            self._begin_row(attributes)
        elif name == "sheetData":
            self._in_data = True
        elif name == "col" and _is_hidden(attributes):
            self._hide_columns(attributes)
        elif name == "mergeCell":
            self.merged.append(attributes.get("ref", ""))

    def _start_in_cell(self, name: str, attributes: Attributes) -> None:
        if name == "f":
            self._has_formula = True
        elif name == "v":
            self._in_value = True
        else:
            self._inline.start(name, attributes)

    def _text(self, text: str) -> None:
        if self._in_value:
            self._value.append(text)
        else:
            self._inline.add(text)

    def _end(self, name: str) -> None:
        if name == "v":
            self._in_value = False
        elif name == "c" and self._cell is not None:
            self._end_cell(self._cell)
            self._cell = None
        elif self._cell is not None:
            self._inline.end(name)
        elif name == "row" and self._in_row:
            self._in_row = False
            self._before = self._row or self._before + 1
            if self._before in self.rows:
                self._room.take_row(max(self.rows[self._before]) + 1)
                if self._row_hidden:
                    self.hidden_rows.add(self._before)
        elif name == "sheetData":
            self._in_data = False

    def _begin_row(self, attributes: Attributes) -> None:
        self._in_row = True
        self._row_hidden = _is_hidden(attributes)
        self._column = -1
        number = attributes.get("r")
        self._row = None if number is None else self._row_number(number)

    def _hide_columns(self, attributes: Attributes) -> None:
        first, last = (_number(attributes.get(name, "")) for name in ("min", "max"))
        if isinstance(first, int) and isinstance(last, int) and 1 <= first <= last:
            self.hidden_changes[min(first - 1, MOST_COLUMNS)] += 1
            self.hidden_changes[min(last, MOST_COLUMNS)] -= 1

    def _row_number(self, text: str) -> int:
        try:
            number = float(text)
        except ValueError:
            number = 0
        if number.is_integer() and 1 <= number <= MOST_ROWS:
            return int(number)
        raise WorkbookError(
            f"the sheet '{shorten(self._name)}' has a row {shorten(text)}; rows go from 1 to {MOST_ROWS:,}"
        )

    def _begin_cell(self, attributes: Attributes) -> None:
        address = attributes.get("r")
        if address is None:
            self._column += 1
            self._row = self._row or self._before + 1
        else:
            match = _ADDRESS.fullmatch(address)
            if match is None:
                raise WorkbookError(
                    f"the sheet '{shorten(self._name)}' has a cell '{shorten(address)}', which is not an address"
                )
            self._column = column_index(match[1].upper())
            row = self._row_number(match[2])
            if self._row is not None and row != self._row:
                raise WorkbookError(
                    f"the sheet '{shorten(self._name)}' has the cell {address} in row {self._row}",
                    fix="open it in a spreadsheet program, look at both rows, and save a copy",
                )
            self._row = row
        if self._column >= MOST_COLUMNS:
            raise WorkbookError(
                f"the sheet '{shorten(self._name)}' has more than {MOST_COLUMNS:,} columns in row {self._row}"
            )
        self._cell = attributes
        self._at = (self._row, self._column)
        self._has_formula = False
        self._value, self._inline, self._struck = [], _Text(), False

    def _end_cell(self, cell: Attributes) -> None:
        value = self._read(cell)
        row, column = self._at
        if value is None:
            if self._has_formula:
                self.empty_formulas.append((row, column))
            return
        cells = self.rows.setdefault(row, {})
        if column in cells:
            raise WorkbookError(
                f"the sheet '{shorten(self._name)}' has two cells {column_letter(column)}{row}",
                fix="open it in a spreadsheet program, look at both, and save a copy",
            )
        cells[column] = value
        if self._struck or self._inline.struck or cell.get("s") in self._formats.struck:
            self.struck_rows.add(row)

    def _read(self, cell: Attributes) -> Cell:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return self._checked("".join(self._inline.pieces)) or None
        text = "".join(self._value)
        if not text:
            return None
        if kind == "n":
            number = _number(text)
            if number is None:
                return self._checked(text)
            return self._formats.apply(number, cell.get("s", "0"))
        if kind == "s":
            return self._checked(self._shared(text))
        if kind == "b":
            return text.strip() not in ("0", "false")
        if kind == "d":
            return _date(text) or self._checked(text)
        return self._checked(text)

    def _shared(self, number: str) -> str:
        texts = self._strings.texts
        if number.strip().isdecimal() and len(number) < 20 and int(number) < len(texts):
            self._struck |= int(number) in self._strings.struck
            return texts[int(number)]
        row, column = self._at
        raise WorkbookError(
            f"the xlsx file is damaged: the cell {column_letter(column)}{row} of sheet '{shorten(self._name)}' "
            f"refers to text {shorten(number)} of {plural(len(texts), 'text')}"
        )

    def _checked(self, text: str) -> str:
        check_length(text, self._name, *self._at)
        return text


def _strikes(name: str, attributes: Attributes) -> bool:
    return name == "strike" and attributes.get("val", "1") in ("1", "true")


def _is_hidden(attributes: Attributes) -> bool:
    return attributes.get("hidden", "0") in ("1", "true")


def _number(text: str) -> float | int | None:
    """The number in a cell; None for other texts, and for numbers that are too large."""
    try:
        if len(text) <= 300 and not any(mark in text for mark in ".eE"):
            return int(text)
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _date(text: str) -> Cell:
    from openpyxl.utils.datetime import from_ISO8601

    try:
        return cast("datetime", from_ISO8601(text))  # type: ignore[no-untyped-call]
    except (ValueError, OverflowError):
        return None


def _fill_merged(sheet: Sheet, areas: Sequence[str], room: Room) -> None:
    """Give the rows that a merged area covers its value, in the area's first column.

    An area of several rows holds for all of them. An area of several columns only makes room for a long text.
    """
    numbers = [row.number for row in sheet.rows]
    changed: dict[int, list[Cell]] = {}
    last: dict[int, int] = {}  # by column, the last row of the areas so far
    applied: dict[str, bool] = {}
    for column, top, bottom, area in sorted(_down(areas)):
        if top <= last.get(column, 0):
            applied[area] = False
            continue
        last[column] = bottom
        first = bisect_left(numbers, top)
        covered = range(bisect_right(numbers, top), bisect_right(numbers, bottom))
        if not covered or numbers[first] != top or sheet.rows[first][column] is None:
            continue
        applied[area] = True
        for index in covered:
            cells = changed.setdefault(index, list(sheet.rows[index].cells))
            room.take_cells(max(0, column + 1 - len(cells)))
            cells += [None] * (column + 1 - len(cells))
            cells[column] = sheet.rows[first][column]
    for index, cells in changed.items():
        sheet.rows[index] = SheetRow(numbers[index], tuple(cells))
    sheet.merged = [area for area in areas if applied.get(area)]
    sheet.overlapping = [area for area in areas if applied.get(area) is False]


def _down(areas: Sequence[str]) -> Iterator[tuple[int, int, int, str]]:
    """Column, first and last row, and name of each area that covers more than one row."""
    for area in areas:
        match = _AREA.fullmatch(area)
        if match is not None and int(match[2]) < int(match[4]):
            yield column_index(match[1]), int(match[2]), int(match[4]), area
