"""Workbooks whose XML is not as spreadsheet programs write it: no row is lost, and none takes the machine with it."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from datasets_me.convert.sheets import Sheet
from datasets_me.convert.workbook import read_book
from datasets_me.core.errors import WorkbookError

SHEET = "xl/worksheets/sheet1.xml"
Edit = Callable[[bytes], bytes]


def edited(path: Path, edit: Edit, part: str = SHEET) -> Path:
    """The workbook with one part changed."""
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, edit(before.read(name)) if name == part else before.read(name))
    return path


def book_of(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return path


def with_data(tmp_path: Path, xml: str, *, after: str = "") -> Path:
    """A workbook whose first sheet has these rows."""
    path = book_of(tmp_path / "b.xlsx", [])
    made = f"<sheetData>{xml}</sheetData>{after}".encode()
    return edited(path, lambda content: re.sub(rb"<sheetData\s*/>|<sheetData>.*</sheetData>", made, content))


def sheet_of(path: Path) -> Sheet:
    return read_book(path).sheets[0]


def cells_of(path: Path) -> list[tuple[int, tuple[object, ...]]]:
    return [(row.number, row.cells) for row in sheet_of(path).rows]


def refusal(path: Path) -> str:
    with pytest.raises(WorkbookError) as said:
        read_book(path)
    assert said.value.where == str(path)
    return said.value.what


def cell(address: str, value: object) -> str:
    return f'<c r="{address}"><v>{value}</v></c>'


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


ORDERED = [(1, (1, 2, 3)), (2, (4, None, 6)), (5, (7,))]
FIRST = row(1, cell("A1", 1), cell("B1", 2), cell("C1", 3))
SECOND = row(2, cell("A2", 4), cell("C2", 6))
FIFTH = row(5, cell("A5", 7))


@pytest.mark.parametrize(
    "xml",
    [
        FIRST + SECOND + FIFTH,
        FIFTH + FIRST + SECOND,
        row(2, cell("C2", 6), cell("A2", 4)) + row(1, cell("C1", 3), cell("B1", 2), cell("A1", 1)) + FIFTH,
        "<row><c><v>1</v></c><c><v>2</v></c><c><v>3</v></c></row>"
        f"<row><c><v>4</v></c>{cell('C2', 6)}</row><row/><row/><row><c><v>7</v></c></row>",
        f"<row>{cell('A5', 7)}</row><row>{cell('A1', 1)}<c><v>2</v></c><c><v>3</v></c></row>"
        f"<row r='2'><c><v>4</v></c>{cell('C2', 6)}</row>",
        FIFTH + row(2, cell("A2", 4)) + FIRST + row(2, cell("C2", 6)) + row(2) + row(9, '<c r="A9"/>'),
    ],
    ids=["in order", "rows shuffled", "cells shuffled", "no addresses", "addresses of cells", "a row in two parts"],
)
def test_rows_and_cells_stand_where_their_addresses_say(tmp_path: Path, xml: str) -> None:
    assert cells_of(with_data(tmp_path, xml)) == ORDERED


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        (row(1, cell("A1", 1)) + row(1, cell("A1", 1)), "the sheet 'Sheet' has two cells A1"),
        (row(1, cell("B1", 1), cell("B1", 2)), "the sheet 'Sheet' has two cells B1"),
        ("<row><c><v>1</v></c></row>" + row(1, cell("A1", 1)), "the sheet 'Sheet' has two cells A1"),
        (row(4, cell("A5", 1)), "the sheet 'Sheet' has the cell A5 in row 4"),
        (row(99999999, cell("A1", 1)), "the sheet 'Sheet' has a row 99999999; rows go from 1 to 1,048,576"),
        (row(0), "the sheet 'Sheet' has a row 0; rows go from 1 to 1,048,576"),
        ('<row r="1.5"/>', "the sheet 'Sheet' has a row 1.5; rows go from 1 to 1,048,576"),
        ('<row r="nan"/>', "the sheet 'Sheet' has a row nan; rows go from 1 to 1,048,576"),
        (row(1, cell("XFE1", 1)), "the sheet 'Sheet' has more than 16,384 columns in row 1"),
        (row(1, cell("A-1", 1)), "the sheet 'Sheet' has a cell 'A-1', which is not an address"),
        ("<row>" + "<c/>" * 16_385 + "</row>", "the sheet 'Sheet' has more than 16,384 columns in row 1"),
        (
            row(1, '<c r="A1" t="str"><v>' + "x" * 32_768 + "</v></c>"),
            "the cell A1 of sheet 'Sheet' has 32,768 characters; at most 32,767 are allowed",
        ),
        (
            row(1, '<c r="B1" t="s"><v>-1</v></c>'),
            "the xlsx file is damaged: the cell B1 of sheet 'Sheet' refers to text -1 of 0 texts",
        ),
        (
            "".join(f"<row>{cell(f'XFD{number}', 1)}</row>" for number in range(1, 63)),
            "the file has more than 1,000,000 cells, so the file is not a table of annotations",
        ),
        (
            "<row><c><v>1</v></c></row>" * 50_001,
            "the file has more than 50,000 rows, so the file is not a table of annotations",
        ),
        ("<a>" * 101 + "</a>" * 101, "the xlsx file is damaged: more than 100 elements are nested"),
        (
            "<row " + " ".join(f"a{number}='>'" for number in range(50_000)) + "/>",
            "the xlsx file is damaged: an element or a text in it has more than 400,000 bytes",
        ),
        (
            " " * 50_000_000,
            "the workbook unpacks to more than 50,000,000 bytes, so the file is not a table of annotations",
        ),
    ],
)
def test_what_contradicts_itself_or_is_too_large_says_so(tmp_path: Path, xml: str, message: str) -> None:
    assert refusal(with_data(tmp_path, xml)) == message


def test_a_merged_value_far_to_the_right_does_not_widen_all_rows(tmp_path: Path) -> None:
    rows = row(1, cell("XFD1", 1)) + "".join(row(number, cell(f"A{number}", 1)) for number in range(2, 100))
    path = with_data(tmp_path, rows, after='<mergeCells><mergeCell ref="XFD1:XFD99"/></mergeCells>')
    assert refusal(path) == "the file has more than 1,000,000 cells, so the file is not a table of annotations"


def test_entities_are_not_unfolded(tmp_path: Path) -> None:
    entities = '<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    path = with_data(tmp_path, '<row><c t="str"><v>&b;</v></c></row>')
    edited(path, lambda content: re.sub(rb"^(<\?xml.*?\?>)?", entities.encode(), content, count=1))
    assert refusal(path) == "the xlsx file is damaged: its XML declares a document type, which no workbook does"


def with_strings(tmp_path: Path, strings: str, xml: str) -> Path:
    """A workbook with shared texts, which openpyxl does not write."""
    path = with_data(tmp_path, xml)
    related = '<Relationship Id="rS" Type="x/sharedStrings" Target="strings.xml"/></Relationships>'
    edited(path, lambda c: c.replace(b"</Relationships>", related.encode()), "xl/_rels/workbook.xml.rels")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/strings.xml", f"<sst>{strings}</sst>")
    return path


def test_shared_texts(tmp_path: Path) -> None:
    strings = (
        "<si><t>plain</t></si><si><r><t>in two </t></r><r><rPr/><t>parts</t></r></si>"
        "<si><t>東京</t><rPh sb='0' eb='2'><t>とうきょう</t></rPh></si><si><t>_x005F_x000D_</t></si><si/>"
    )
    path = with_strings(tmp_path, strings, "<row>" + "".join(f'<c t="s"><v>{i}</v></c>' for i in range(4)) + "</row>")
    assert cells_of(path) == [(1, ("plain", "in two parts", "東京", "_x000D_"))]
    beyond = with_strings(tmp_path, strings, '<row r="3"><c t="s"><v>5</v></c></row>')
    assert refusal(beyond) == "the xlsx file is damaged: the cell A3 of sheet 'Sheet' refers to text 5 of 5 texts"


def test_text_that_is_struck_through_in_part(tmp_path: Path) -> None:
    runs = [f"<r><rPr><strike{val}/></rPr><t>1</t></r><r><rPr><b/></rPr><t>13</t></r>" for val in ("", ' val="0"')]
    shared = with_strings(
        tmp_path,
        "".join(f"<si>{run}</si>" for run in runs),
        "".join(f'<row><c t="s"><v>{number}</v></c></row>' for number in (1, 0, 1)),
    )
    assert cells_of(shared) == [(1, ("113",)), (2, ("113",)), (3, ("113",))]
    assert sheet_of(shared).struck_rows == {2}
    inline = [f'<row><c t="inlineStr"><is>{run}</is></c></row>' for run in (*runs, "<t>113</t>")]
    assert sheet_of(with_data(tmp_path, "".join(inline))).struck_rows == {1}


def test_too_many_shared_texts(tmp_path: Path) -> None:
    path = with_strings(tmp_path, "<si/>" * 200_001, "")
    assert refusal(path) == "the workbook has more than 200,000 texts, so the file is not a table of annotations"


def test_numbers_that_no_computer_holds_stay_texts(tmp_path: Path) -> None:
    path = with_data(
        tmp_path, row(1, cell("A1", "9" * 5000), cell("B1", "1e400"), cell("C1", "1e308"), cell("D1", "x"))
    )
    assert cells_of(path) == [(1, ("9" * 5000, "1e400", 1e308, "x"))]


def test_the_same_as_openpyxl_reads(tmp_path: Path) -> None:
    """Types, dates and spans of time, of a workbook in order: what openpyxl makes of it."""
    rows = [
        ["text", 1, 2.5, True, None, datetime(2014, 5, 8), timedelta(hours=30), "=A1", " ", "two\nlines", "<&>"],
        [],
        [None, -3, 1e-7, False, "", datetime(1900, 2, 28, 12), timedelta(days=-1), "#N/A", 0.1 + 0.2, 10**20, "4+7"],
    ]
    path = book_of(tmp_path / "b.xlsx", rows)
    theirs = openpyxl.load_workbook(path, data_only=True).worksheets[0].iter_rows(values_only=True)
    expected = [tuple(None if value == " " else value for value in cells) for cells in theirs]
    read = {row.number: row.cells for row in sheet_of(path).rows}
    assert set(read) == {1, 3}
    for number, cells in read.items():
        assert cells == expected[number - 1][: len(cells)]
        assert [type(value) for value in cells] == [type(value) for value in expected[number - 1][: len(cells)]]


def test_dates_from_1904(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.MAC_EPOCH
    book.worksheets[0].append([datetime(2014, 5, 8)])
    book.save(tmp_path / "mac.xlsx")
    assert cells_of(tmp_path / "mac.xlsx") == [(1, (datetime(2014, 5, 8),))]


def test_hidden_sheets_and_charts_keep_the_order(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["first"])
    book.create_chartsheet("chart", 1)
    book.create_sheet("second").append(["second"])
    book.worksheets[1].sheet_state = "hidden"
    book.save(tmp_path / "b.xlsx")
    assert [(sheet.position, sheet.name) for sheet in read_book(tmp_path / "b.xlsx").sheets] == [
        (1, "Sheet"),
        (2, "second"),
    ]


@pytest.mark.parametrize(
    ("part", "edit", "message"),
    [
        ("_rels/.rels", lambda _: b"<Relationships/>", None),
        ("xl/workbook.xml", lambda content: content.replace(b"r:id", b"r:no"), "the sheet 'Sheet' is missing in it"),
        (
            "xl/_rels/workbook.xml.rels",
            lambda content: content.replace(b"sheet1.xml", b"sheet9.xml"),
            "'xl/worksheets/sheet9.xml' is missing in it",
        ),
        (SHEET, lambda content: content[:-20], "ExpatError: unclosed token: line 1, column"),
    ],
)
def test_parts_that_are_missing_or_damaged(tmp_path: Path, part: str, edit: Edit, message: str | None) -> None:
    path = edited(book_of(tmp_path / "b.xlsx", [["x"]]), edit, part)
    if message is None:
        assert cells_of(path) == [(1, ("x",))]
    else:
        assert refusal(path).startswith(f"the xlsx file is damaged: {message}")


def test_ten_thousand_merged_areas_over_many_rows(tmp_path: Path) -> None:
    rows = "".join(row(number, cell(f"A{number}", number), cell(f"B{number}", 0)) for number in range(1, 20_001))
    areas = "".join(f'<mergeCell ref="A{2 * n}:A{2 * n + 1}"/>' for n in range(1, 9_000))
    every = '<mergeCell ref="A1:A20000"/>' * 5_000
    path = with_data(tmp_path, rows, after=f"<mergeCells>{every}{areas}</mergeCells>")
    sheet = sheet_of(path)
    assert (sheet.merged, len(sheet.overlapping)) == (["A1:A20000"], 8_999)
    assert {read.cells for read in sheet.rows} == {(1, 0)}


@pytest.mark.parametrize(
    ("columns", "hidden"),
    [
        ('<col min="2" max="3" hidden="1"/><col min="3" max="5" hidden="true"/><col min="8" max="8"/>', {1, 2, 3, 4}),
        ('<col min="16384" max="99999999999" hidden="1"/>', {16383}),
        ('<col min="0" max="3" hidden="1"/><col hidden="1"/><col min="x" max="3" hidden="1"/>', set()),
        ('<col min="5" max="2" hidden="1"/>', set()),
        ('<col min="1" max="16384" hidden="1"/>' * 20_000, set(range(16384))),
    ],
)
def test_hidden_columns_of_any_form(tmp_path: Path, columns: str, hidden: set[int]) -> None:
    sheet = sheet_of(with_data(tmp_path, FIRST, after=f"<cols>{columns}</cols>"))
    assert (sheet.hidden_columns, sheet.hidden_rows) == (hidden, set())


def test_hidden_rows_with_and_without_numbers(tmp_path: Path) -> None:
    bare = (
        '<row hidden="1"><c><v>1</v></c></row><row><c><v>2</v></c></row><row hidden="true"><c r="A9"><v>3</v></c></row>'
    )
    assert sheet_of(with_data(tmp_path, bare + '<row r="10" hidden="1"/>')).hidden_rows == {1, 9}


def test_merged_areas_in_any_order(tmp_path: Path) -> None:
    rows = "".join(row(number, cell(f"A{number}", number), cell(f"C{number}", -number)) for number in (1, 2, 4, 6, 7))
    merged = "".join(f'<mergeCell ref="{area}"/>' for area in ("A6:B7", "C2:C4", "A1:A5", "E1:E7", "A7:A9", "A1:C1"))
    sheet = sheet_of(with_data(tmp_path, rows, after=f"<mergeCells>{merged}</mergeCells>"))
    assert [read.cells for read in sheet.rows] == [
        (1, None, -1),
        (1, None, -2),
        (1, None, -2),
        (6, None, -6),
        (6, None, -7),
    ]
    assert (sheet.merged, sheet.overlapping) == (["A6:B7", "C2:C4", "A1:A5"], ["A7:A9"])


@pytest.mark.parametrize("seed", range(20))
def test_shuffling_the_xml_changes_nothing(tmp_path: Path, seed: int) -> None:
    """Rows and cells in any order, with or without addresses where these follow from the order."""
    chance = random.Random(seed)
    table = {
        number: {chance.randrange(12): chance.randrange(100) for _ in range(chance.randint(1, 6))}
        for number in chance.sample(range(1, 40), 15)
    }
    expected = [
        (number, tuple(table[number].get(column) for column in range(max(table[number]) + 1)))
        for number in sorted(table)
    ]
    pieces = []
    for number in chance.sample(list(table), len(table)):
        columns = chance.sample(list(table[number]), len(table[number]))
        cells = "".join(cell(f"{chr(65 + column)}{number}", table[number][column]) for column in columns)
        pieces.append(row(number, cells) if chance.random() < 0.5 else f"<row>{cells}</row>")
    assert cells_of(with_data(tmp_path, "".join(pieces))) == expected
