"""The variant of a schema's workbook that a file is, by its content, and its rows by column name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from datasets_me.convert.sheets import Cell, Sheet, SheetRow, cell_text, column_index, column_letter, shorten
from datasets_me.convert.workbook import Book
from datasets_me.core.errors import Place, WorkbookError, plural
from datasets_me.core.text import clean, fold, ranges, same
from datasets_me.findings.finding import Finding, finding
from datasets_me.schema.patterns import matcher
from datasets_me.schema.spec import FRAME_FIELDS, Spec, Variant

_HEADER_WITHIN = 200  # rows; the longest preamble known has 13


@dataclass(frozen=True)
class RawRow:
    """One row of annotations: its cells by column name, and the cells that the schema does not name by title."""

    place: Place
    cells: dict[str, Cell]
    unnamed: dict[str, str]

    def text(self, column: str) -> str:
        """A cell as cleaned text; ``""`` where it is empty or there is no such column."""
        return clean(cell_text(self.cells.get(column)))


@dataclass
class AnnotationTable:
    """The annotations of a book: rows, letters of columns, lookups from other sheets."""

    variant: Variant
    sheet: Sheet
    rows: list[RawRow]
    letters: dict[str, str]
    lookups: dict[str, dict[str, str]]
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class _Fit:
    variant: Variant
    sheet: Sheet
    header: int | None  # row number
    columns: dict[str, int]
    titles: dict[int, str]


def find_table(spec: Spec, book: Book) -> AnnotationTable:
    """The table of annotations in a book.

    Raises:
        WorkbookError: no sheet fits any variant; for each, the message says what was expected and found.
    """
    reasons = []
    pairs = [(variant, sheet) for variant in spec.workbook.variants for sheet in book.sheets]
    for variant, sheet in sorted(pairs, key=lambda pair: pair[1].hidden):  # a hidden one is often an older version
        fit = _fit(variant, sheet)
        if isinstance(fit, _Fit):
            return _table(spec, book, fit)
        reasons.append(f"sheet '{sheet.name}', variant '{variant.id}': {fit}")
    raise WorkbookError(
        f"no sheet is an annotation table of {spec.id}",
        details=reasons or ["the workbook has no sheets"],
        where=str(book.path),
        fix="name the dataset this workbook belongs to, or add a variant to a schema of your own",
    )


def fits(spec: Spec, book: Book) -> bool:
    """Whether a sheet of the book fits a variant of the schema."""
    return any(isinstance(_fit(variant, sheet), _Fit) for variant in spec.workbook.variants for sheet in book.sheets)


def _fit(variant: Variant, sheet: Sheet) -> _Fit | str:
    """The fit of a variant to a sheet, or why there is none."""
    if not sheet.rows:
        return "the sheet is empty"
    if variant.header == "find":
        fit = _find_header(variant, sheet)
    else:
        columns = {name: column_index(str(letters)) for name, letters in variant.columns.items()}
        optional = {name: column_index(str(letters)) for name, letters in variant.optional.items()}
        fit = _Fit(variant, sheet, None, columns | optional, {})
    if isinstance(fit, str) or not variant.looks:
        return fit
    rows = [row for row in sheet.rows if row.number > (fit.header or 0)]
    good = sum(all(_looks(variant, fit.columns, row, name) for name in variant.looks) for row in rows)
    if rows and good * 2 >= len(rows):
        return fit
    expected = ", ".join(
        f"{name} in {column_letter(fit.columns[name])} like {look}" for name, look in variant.looks.items()
    )
    shown = ", ".join(shorten(cell_text(cell)) for cell in rows[0].cells[:12]) if rows else "no rows"
    return f"expected {expected}, found in {good} of {len(rows)} rows; the first is: {shown}"


def _find_header(variant: Variant, sheet: Sheet) -> _Fit | str:
    """The row that has every required title."""
    best, best_titles = -1, dict[int, str]()
    for row in sheet.rows[:_HEADER_WITHIN]:
        titles = {index: clean(cell_text(cell)) for index, cell in enumerate(row.cells) if cell is not None}
        columns = _columns_by_title(variant.columns, titles)
        if len(columns) == len(variant.columns):
            columns |= _columns_by_title(variant.optional, titles, taken=set(columns.values()))
            return _Fit(variant, sheet, row.number, columns, titles)
        if len(columns) > best:
            best, best_titles = len(columns), titles
    columns = _columns_by_title(variant.columns, best_titles)
    missing = [" or ".join(titles) for name, titles in variant.columns.items() if name not in columns]
    shown = ", ".join(shorten(title) for title in list(best_titles.values())[:20])
    return f"expected columns {', '.join(missing)}; the nearest row has: {shown}"


def _columns_by_title(
    spellings_of: Mapping[str, str | list[str]], titles: dict[int, str], taken: set[int] | None = None
) -> dict[str, int]:
    columns: dict[str, int] = {}
    used = set(taken or ())
    for name, spellings in spellings_of.items():
        folded = [fold(spelling) for spelling in spellings]
        matching = [index for index, title in titles.items() if index not in used and fold(title) in folded]
        if matching:
            columns[name] = matching[0]
            used.add(matching[0])
    return columns


def _looks(variant: Variant, columns: dict[str, int], row: SheetRow, name: str) -> bool:
    return matcher(variant.looks[name]).fits(clean(cell_text(row[columns[name]])))


def _table(spec: Spec, book: Book, fit: _Fit) -> AnnotationTable:
    findings = list(book.findings)
    lookups, lookup_sheets = _read_lookups(spec, book, fit, findings)
    rows = []
    for row in fit.sheet.rows:
        place = Place(book.name, fit.sheet.name, row.number)
        if row.number == fit.header:
            continue
        if row.number < (fit.header or 0) or _is_prose(fit, row):
            text = " ".join(clean(cell_text(cell)) for cell in row.cells if cell is not None)
            findings.append(finding("ME102", f"a row of text: {shorten(text)}", place=place))
        else:
            rows.append(RawRow(place, {name: row[index] for name, index in fit.columns.items()}, _unnamed(fit, row)))
    findings += _unnamed_columns(book, fit, rows)
    for sheet in book.sheets:
        if sheet is fit.sheet or sheet.position in lookup_sheets:
            findings += _hidden_cells(book, sheet)
            findings += _comments(book, sheet)
        elif sheet.rows:
            findings.append(_unread(spec, book, sheet))
    findings += _merged_cells(book, fit)
    letters = {name: column_letter(index) for name, index in fit.columns.items()}
    return AnnotationTable(fit.variant, fit.sheet, rows, letters, lookups, findings)


def _unnamed(fit: _Fit, row: SheetRow) -> dict[str, str]:
    """The cells of a row that the schema does not name, by title."""
    named = set(fit.columns.values())
    return {
        _unnamed_title(fit, index): cell_text(cell)
        for index, cell in enumerate(row.cells)
        if index not in named and cell is not None
    }


def _unnamed_columns(book: Book, fit: _Fit, rows: Sequence[RawRow]) -> Iterator[Finding]:
    """Columns with cells in the rows that the schema does not name."""
    counts = Counter(title for row in rows for title in row.unnamed)
    width = max((len(row.cells) for row in fit.sheet.rows), default=0)
    for index in range(width):
        title = _unnamed_title(fit, index)
        if index not in fit.columns.values() and title in counts:
            place = Place(book.name, fit.sheet.name, fit.header, column_letter(index))
            message = f"the schema does not name the column '{title}'"
            yield finding("ME125", message, place=place, found=str(counts[title]))


def _merged_cells(book: Book, fit: _Fit) -> Iterator[Finding]:
    place = Place(book.name, fit.sheet.name)
    merged = [area for area in fit.sheet.merged if int(re.findall(r"\d+", area)[-1]) > (fit.header or 0)]
    if merged:
        yield finding("ME123", f"merged cells {_first(merged)}", place=place, found=str(len(merged)))
    overlapping = fit.sheet.overlapping
    if overlapping:
        message = f"merged cells {_first(overlapping)} overlap others; the cells they cover are read as empty"
        yield finding("ME123", message, place=place, found=str(len(overlapping)))


def _unread(spec: Spec, book: Book, sheet: Sheet) -> Finding:
    """What is found about a sheet that was not read: another table of annotations, or something else."""
    place, found = Place(book.name, sheet.name), str(len(sheet.rows))
    message = f"the {'hidden ' if sheet.hidden else ''}sheet '{sheet.name}' was not read"
    if any(isinstance(_fit(variant, sheet), _Fit) for variant in spec.workbook.variants):
        return finding("ME140", f"{message}, though it is a table of annotations, too", place=place, found=found)
    return finding("ME126", message, place=place, found=found)


_THREADED = "[Threaded comment]"  # then advice of Excel, and the words after "Comment:"


def _comments(book: Book, sheet: Sheet) -> Iterator[Finding]:
    for address, text in sheet.comments:
        match = re.fullmatch(r"([A-Z]{1,3})([0-9]{1,7})", address)
        row, column = (int(match[2]), match[1]) if match else (None, None)
        place = Place(book.name, sheet.name, row, column)
        words = text.partition("Comment:")[2] if text.startswith(_THREADED) else text
        yield finding("ME141", f"a comment: {shorten(clean(words))}", place=place)


def _hidden_cells(book: Book, sheet: Sheet) -> Iterator[Finding]:
    """Rows and columns with content that are hidden or struck through, and whether the whole sheet is hidden."""
    rows = [row.number for row in sheet.rows if row.number in sheet.hidden_rows]
    struck = [row.number for row in sheet.rows if row.number in sheet.struck_rows]
    used = {index for row in sheet.rows for index, cell in enumerate(row.cells) if cell is not None}
    columns = [column_letter(index) for index in sorted(sheet.hidden_columns & used)]
    marks = ["the whole sheet is hidden"] if sheet.hidden else []
    marks += [f"{plural(len(rows), 'hidden row')} ({ranges(rows)})"] if rows else []
    marks += [f"{plural(len(columns), 'hidden column')} ({_first(columns)})"] if columns else []
    marks += [f"{plural(len(struck), 'row')} with text struck through ({ranges(struck)})"] if struck else []
    if marks:
        yield finding("ME139", f"read like the rest: {'; '.join(marks)}", place=Place(book.name, sheet.name))


def _first(areas: Sequence[str]) -> str:
    return ", ".join(areas[:5]) + (" and more" if len(areas) > 5 else "")


def _unnamed_title(fit: _Fit, index: int) -> str:
    title = fit.titles.get(index, "")
    if title and title not in [fit.titles.get(i) for i in fit.columns.values()]:
        return title
    return f"{title or 'column'} ({column_letter(index)})"


def _is_prose(fit: _Fit, row: SheetRow) -> bool:
    """Whether a row without frame numbers is text, a repeated header, or unlike anything in the variant."""
    texts = {name: clean(cell_text(row[index])) for name, index in fit.columns.items()}
    if any(character.isdigit() for name in FRAME_FIELDS for character in texts.get(name, "")):
        return False
    filled = [name for name in fit.variant.columns if texts[name]]
    repeats_header = all(same(texts[name], fit.titles.get(fit.columns[name], "")) for name in filled)
    like_nothing = bool(fit.variant.looks) and not any(
        _looks(fit.variant, fit.columns, row, name) for name in fit.variant.looks
    )
    return len(filled) <= 1 or repeats_header or like_nothing


def _read_lookups(
    spec: Spec, book: Book, fit: _Fit, findings: list[Finding]
) -> tuple[dict[str, dict[str, str]], set[int]]:
    """Lookups from naming sheets, compared with those of the schema; and the positions of the sheets used."""
    tables: dict[str, dict[str, str]] = {}
    used: set[int] = set()
    for name, source in fit.variant.lookups.items():
        known = spec.names.lookups[name].values
        if source.sheet > len(book.sheets) or source.sheet == fit.sheet.position:
            continue
        sheet = book.sheets[source.sheet - 1]
        pairs, conflicts = _read_pairs(sheet, source.key, source.value)
        if not any(same(key, other) for key in pairs for other in known):
            continue  # another sheet is in this position; it is reported as not read
        used.add(source.sheet)
        tables[name] = known | pairs
        for key, value, number, difference in [*conflicts, *_differences(pairs, known)]:
            place = Place(book.name, sheet.name, number, source.value if number else None)
            message = f"{name} of '{key}' is {value or 'not given'}, {difference}"
            findings.append(finding("ME119", message, place=place, found=value))
    return tables, used


_Difference = tuple[str, str | None, int | None, str]


def _read_pairs(sheet: Sheet, key_letter: str, value_letter: str) -> tuple[dict[str, str], list[_Difference]]:
    pairs: dict[str, str] = {}
    conflicts: list[_Difference] = []
    for row in sheet.rows:
        key = clean(cell_text(row[column_index(key_letter)]))
        value = clean(cell_text(row[column_index(value_letter)]))
        if not key or not value:
            continue
        if key in pairs and not same(pairs[key], value):
            conflicts.append((key, value, row.number, f"and {pairs[key]} further up, which was used"))
        pairs.setdefault(key, value)
    return pairs, conflicts


def _differences(pairs: dict[str, str], known: Mapping[str, str]) -> Iterator[_Difference]:
    for key, value in known.items():
        text = next((text for other, text in pairs.items() if same(key, other)), None)
        if text is None or not same(text, value):
            yield key, text, None, f"{value} in the schema"
