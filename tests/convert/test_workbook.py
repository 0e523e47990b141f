"""Reading annotation files by content: kinds, encodings, formulas, merged cells, damage."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlwt

from datasets_me.convert.sheets import cell_text, column_index, column_letter
from datasets_me.convert.workbook import read_book
from datasets_me.core.errors import WorkbookError
from tests.conftest import Workbook


def xls(path: Path, rows: list[list[object]]) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("old")
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            sheet.write(y, x, value)
    book.save(str(path))
    return path


def test_xlsx_keeps_positions_and_types(workbook: Workbook) -> None:
    book = read_book(workbook([["a", 1, "01"], [], [None, None, 2.5]]))
    assert [(row.number, row.cells) for row in book.sheets[0].rows] == [(1, ("a", 1, "01")), (3, (None, None, 2.5))]


def test_xls_is_read_too(tmp_path: Path) -> None:
    book = read_book(xls(tmp_path / "a.xls", [["01", 4.0, 2.5], ["x", "", 3]]))
    assert book.kind == "xls"
    assert [row.cells for row in book.sheets[0].rows] == [("01", 4, 2.5), ("x", None, 3)]
    assert book.findings == []


def test_hidden_sheets_of_an_xls(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    for name, visibility in (("shown", 0), ("hidden", 1), ("very hidden", 2)):
        sheet = book.add_sheet(name)
        sheet.write(0, 0, name)
        sheet.visibility = visibility
    book.save(str(tmp_path / "a.xls"))
    assert [sheet.hidden for sheet in read_book(tmp_path / "a.xls").sheets] == [False, True, True]


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    book = read_book(xls(tmp_path / "renamed.xlsx", [["a"]]))
    assert book.kind == "xls"
    (finding,) = book.findings
    assert (finding.code, finding.expected, finding.found) == ("ME121", "xlsx", "xls")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_delimiters(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(delimiter.join(["a", '"4+7"', "1"]) + "\n", encoding="utf-8-sig")
    assert read_book(path).sheets[0].rows[0].cells == ("a", "4+7", "1")


def test_csv_of_a_chinese_excel(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("编号,帧\n1,2\n".encode("gb18030"))
    book = read_book(path)
    assert book.sheets[0].rows[0].cells == ("编号", "帧")
    assert [finding.message for finding in book.findings] == ["the file is not UTF-8; read as gb18030"]


def test_utf16_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("a,b\n".encode("utf-16"))
    assert read_book(path).sheets[0].rows[0].cells == ("a", "b")


def test_a_quotation_mark_that_is_never_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b,c\n1,"2,3\n4,5,6\n')
    with pytest.raises(WorkbookError, match="the csv file is damaged: Error: unexpected end of data"):
        read_book(path)


def test_a_quotation_mark_that_swallows_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b,c\n1,"2,3\n4,5,6\n7,8",9\n1,"two\nlines",3\n')
    (finding,) = read_book(path).findings
    assert (finding.code, finding.where) == ("ME129", "a.csv, sheet 'a', cell B2")


def test_merging_across_says_nothing_of_other_columns(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["Note: 26 subjects", None, None])
    book.worksheets[0].merge_cells("A1:C1")
    book.save(tmp_path / "m.xlsx")
    (sheet,) = read_book(tmp_path / "m.xlsx").sheets
    assert [cell for cell in sheet.rows[0].cells if cell is not None] == ["Note: 26 subjects"]
    assert sheet.merged == []


def test_merged_cells_give_their_value_to_all(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["s", 1], ["", 2], ["t", 3]):
        sheet.append(row)
    sheet.merge_cells("A1:A2")
    book.save(tmp_path / "m.xlsx")
    (read,) = read_book(tmp_path / "m.xlsx").sheets
    assert [row.cells for row in read.rows] == [("s", 1), ("s", 2), ("t", 3)]
    assert read.merged == ["A1:A2"]


def test_a_formula_without_a_result_is_named(workbook: Workbook) -> None:
    book = read_book(workbook([[1, "=A1+3"]]))
    (finding,) = book.findings
    assert (finding.code, finding.where) == ("ME122", "book.xlsx, sheet 'Sheet1', cell B1")


def test_a_million_empty_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["first"])
    book.worksheets[0].cell(1_000_000, 1, "last")
    book.save(tmp_path / "long.xlsx")
    assert [row.number for row in read_book(tmp_path / "long.xlsx").sheets[0].rows] == [1, 1_000_000]


def other_zip(name: str = "readme.txt") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, "no workbook")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (other_zip(), "the file is a zip archive, but not a workbook"),
        (other_zip("content.xml"), "the file is an OpenDocument table (.ods)"),
        (other_zip("xl/workbook.bin"), "the file is a binary workbook (.xlsb)"),
        (b"PK\x03\x04damaged", "the file is a zip archive, but not a workbook"),
        (b"<html><body>404</body></html>", "the file is a web page or XML, not a workbook"),
        (b"\x00\x01\x02\x03" * 10, "the file is not .xlsx, .xls or .csv"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "the workbook is protected by a password",
        ),
    ],
)
def test_what_is_no_workbook_says_so(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(WorkbookError) as caught:
        read_book(path)
    assert caught.value.what == message
    assert caught.value.where == str(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="there is no such file"):
        read_book(tmp_path / "none.xlsx")
    with pytest.raises(WorkbookError, match="it is a folder"):
        read_book(tmp_path)


@pytest.mark.parametrize(("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_column_letters(index: int, letters: str) -> None:
    assert column_letter(index) == letters
    assert column_index(letters) == index


@pytest.mark.parametrize(("cell", "text"), [(None, ""), (4.0, "4"), (4.5, "4.5"), ("01", "01"), (7, "7")])
def test_cells_as_text(cell: object, text: str) -> None:
    assert cell_text(cell) == text  # type: ignore[arg-type]


def test_a_pipe_and_a_device_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xlsx")
    for path in (tmp_path / "pipe.xlsx", Path("/dev/zero")):
        with pytest.raises(WorkbookError) as caught:
            read_book(path)
        assert str(caught.value) == f"the workbook cannot be read: it is not a regular file\n  where: {path}"


def test_a_file_that_is_no_workbook_by_its_size(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(50_000_001)
    with pytest.raises(WorkbookError, match="it has 50,000,001 bytes; files of more than 50,000,000 are not read"):
        read_book(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n" + "," * 16_384, "line 3 has more than 16,384 columns, so the file is not a table of annotations"),
        ("1\n" * 50_001, "the file has more than 50,000 rows, so the file is not a table of annotations"),
        ("\n" * 1_048_577, "the file has more than 1,048,576 rows, so the file is not a table of annotations"),
        ("1" + "," * 15_000 + "1\n", None),
        (
            ("1" + "," * 15_000 + "1\n") * 67,
            "the file has more than 1,000,000 cells, so the file is not a table of annotations",
        ),
        ("a,b\n1," + "2" * 32_768, "the cell B2 of sheet 'a' has 32,768 characters; at most 32,767 are allowed"),
        ("a,b\n1," + "2" * 131_073, "the csv file is damaged: Error: field larger than field limit (131072)"),
    ],
)
def test_csv_files_larger_than_any_table(tmp_path: Path, text: str, message: str | None) -> None:
    (tmp_path / "a.csv").write_text(text)
    if message is None:
        assert len(read_book(tmp_path / "a.csv").sheets[0].rows) == 1
        return
    with pytest.raises(WorkbookError) as caught:
        read_book(tmp_path / "a.csv")
    assert (caught.value.what, caught.value.where) == (message, str(tmp_path / "a.csv"))
