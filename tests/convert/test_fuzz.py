"""800 generated and damaged annotation files: each gives annotations and findings, or one clear error."""

from __future__ import annotations

import io
import random
import re
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt

from datasets_me.convert.convert import Conversion, convert
from datasets_me.convert.workbook import read_book
from datasets_me.core.errors import MeDatasetsError
from datasets_me.schema import schema_files
from tests.conftest import CASME2_HEADER, casme2_row

BATCHES, PER_BATCH = 20, 40

HEADERS = {
    "casme2": CASME2_HEADER,
    "samm-lv": [
        "Subject",
        "Filename",
        "Inducement Code",
        "Onset",
        "Apex",
        "Offset",
        "Duration",
        "Type",
        "Action Units",
    ],
    "casme-sq": None,
}
CELLS: list[Any] = [
    None,
    "",
    " ",
    0,
    -1,
    1,
    46,
    566.4,
    1e300,
    "46",
    "４６",
    "/",
    "?",
    "NULL",
    "4+7",
    "((4",
    "L12(B/C)or(A/R)14",
    "006",
    "006_1_2",
    "EP02_01f",
    "anger1_1",
    "Macro",
    "micro-expression",
    "happyiness",
    "=A1+1",
    "=1/0",
    "#REF!",
    True,
    datetime(2014, 5, 8),
    timedelta(hours=3),
    "x" * 5000,
    "\u200b",
    "subject",
]


def good_row(chance: random.Random, dataset: str, number: int) -> list[Any]:
    onset = number * 100 + 1
    frames = [onset, onset + 10, onset + 20]
    if dataset == "casme2":
        return casme2_row(f"{number % 26 + 1:02}", f"EP{number:02}_01", *frames)
    if dataset == "samm-lv":
        return ["006", f"006_1_{number}", 1, *frames, 21, chance.choice(["Macro", "Micro - 1/2"]), "4(B/C)"]
    return [1, f"anger1_{number}", *frames, "4+7", "negative", "macro-expression", "anger"]


def rows_of(chance: random.Random, dataset: str) -> list[list[Any]]:
    header = HEADERS[dataset]
    rows = [list(header)] if header else []
    rows += [good_row(chance, dataset, number) for number in range(1, chance.randint(1, 8))]
    for _ in range(chance.randint(0, 6)):
        kind = chance.random()
        row = chance.choice(rows) if rows else []
        if kind < 0.6 and row:
            row[chance.randrange(len(row))] = chance.choice(CELLS)
        elif kind < 0.75:
            rows.insert(chance.randint(0, len(rows)), [chance.choice(CELLS) for _ in range(chance.randint(0, 14))])
        elif kind < 0.85 and rows:
            chance.shuffle(rows)
        elif kind < 0.95:
            rows.insert(0, ["prose"])
        else:
            rows += [[] for _ in range(chance.randint(1, 500))]
    return rows


def write(chance: random.Random, dataset: str, path: Path) -> Path:
    kind = chance.choice(["xlsx"] * 5 + ["xls", "csv"])
    rows = rows_of(chance, dataset)
    path = path.with_suffix("." + chance.choice([kind] * 5 + ["xlsx", "xls", "csv"]))
    if kind == "xlsx":
        path.write_bytes(xlsx_of(chance, rows))
    elif kind == "xls":
        path.write_bytes(xls_of(rows))
    else:
        delimiter = chance.choice(",;\t")
        lines = [delimiter.join("" if cell is None else str(cell) for cell in row) for row in rows]
        path.write_text("\n".join(lines), encoding=chance.choice(["utf-8", "utf-16", "gb18030"]))
    if chance.random() < 0.3:
        damage(chance, path)
    return path


def xlsx_of(chance: random.Random, rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    sheets = [book.worksheets[0], *(book.create_sheet(f"s{i}") for i in range(chance.randint(0, 2)))]
    for row in rows:
        sheets[chance.randrange(len(sheets)) if chance.random() < 0.05 else 0].append(row)
    for _ in range(chance.randint(0, 2)):
        top, left = chance.randint(1, 6), chance.randint(1, 9)
        sheets[0].merge_cells(None, top, left, top + chance.randint(0, 3), left + chance.randint(0, 2))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def xls_of(rows: list[list[Any]]) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("old")
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            sheet.write(y, x, str(cell) if isinstance(cell, timedelta) else cell)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def damage(chance: random.Random, path: Path) -> None:
    content = bytearray(path.read_bytes())
    if chance.random() < 0.5:
        content = content[: chance.randint(0, len(content))]
    for _ in range(chance.randint(0, 20)):
        if content:
            content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(bytes(content))


def accounted(conversion: Conversion, path: Path) -> None:
    """Every row of the table that is not empty is an annotation, or a finding that says why it is none."""
    sheet_name = conversion.annotations[0].source_sheet
    sheet = next(sheet for sheet in read_book(path).sheets if sheet.name == sheet_name)
    read = {row.source_row for row in conversion.annotations}
    said = {f.row for f in conversion.findings if f.code in ("ME101", "ME102", "ME116") and f.sheet == sheet_name}
    missing = {row.number for row in sheet.rows} - read - said
    has_header = (
        next(v for v in conversion.schema.spec.workbook.variants if v.id == conversion.variant).header == "find"
    )
    assert len(missing) <= has_header, missing


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_file_is_too_damaged_for_an_answer(batch: int, tmp_path: Path) -> None:
    chance = random.Random(batch)
    converted = 0
    for number in range(PER_BATCH):
        dataset = chance.choice(list(HEADERS))
        path = write(chance, dataset, tmp_path / f"book{number}")
        try:
            conversion = convert(schema_files.load(dataset), path)
        except MeDatasetsError as error:
            assert error.what
            continue
        converted += 1
        accounted(conversion, path)
    assert converted > PER_BATCH // 4  # the generator makes readable files, too


def sheet_edited(content: bytes, path: Path, rows: list[bytes]) -> Path:
    """The workbook with other rows in its first sheet."""
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(path, "w") as after:
        for name in before.namelist():
            part = before.read(name)
            if name == "xl/worksheets/sheet1.xml":
                head, tail = part.split(b"<sheetData>")[0], part.split(b"</sheetData>")[1]
                part = head + b"<sheetData>" + b"".join(rows) + b"</sheetData>" + tail
            after.writestr(name, part)
    return path


def shuffled_row(chance: random.Random, row: bytes) -> bytes:
    """A row with its cells in any order, and perhaps without its own number, which its cells still say."""
    head, cells = re.match(rb"<row[^>]*>", row), re.findall(rb"<c .*?</c>|<c [^>]*/>", row)
    assert head is not None
    chance.shuffle(cells)
    begin = b"<row>" if cells and chance.random() < 0.5 else head[0]
    return begin + b"".join(cells) + b"</row>"


def outcome(dataset: str, path: Path) -> Any:
    try:
        conversion = convert(schema_files.load(dataset), path)
    except MeDatasetsError as error:
        return error.what
    return conversion.annotations, conversion.findings


@pytest.mark.parametrize("seed", range(60))
def test_the_order_of_the_xml_says_nothing(seed: int, tmp_path: Path) -> None:
    """Rows and cells out of order give the same annotations and findings; a row that stands twice is refused."""
    chance = random.Random(seed)
    dataset = chance.choice(list(HEADERS))
    content = xlsx_of(chance, rows_of(chance, dataset))
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "book.xlsx").write_bytes(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        rows = re.findall(rb"<row .*?</row>", archive.read("xl/worksheets/sheet1.xml"))
    after = [shuffled_row(chance, row) for row in chance.sample(rows, len(rows))]
    path = sheet_edited(content, tmp_path / "book.xlsx", after)
    assert outcome(dataset, path) == outcome(dataset, tmp_path / "before" / "book.xlsx")
    if filled := [row for row in rows if b"<v>" in row]:
        after.insert(chance.randint(0, len(after)), chance.choice(filled))
        said = outcome(dataset, sheet_edited(content, tmp_path / "book.xlsx", after))
        assert re.fullmatch(r"the sheet 'Sheet' has two cells [A-N]\d+", said)
