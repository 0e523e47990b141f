"""Workbooks (.xlsx): the zip archive, the XML in it, the values of the cells."""

from __future__ import annotations

import io
import os
import random
import re
import struct
import zipfile
from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl

from tests.conftest import CASME2_HEADER, casme2_row
from tests.hostile import damage
from tests.hostile.attack import Attack, Kind, attack
from tests.hostile.world import World, rows_of, sheets_of

KIND = Kind("workbooks")

SHEET = "xl/worksheets/sheet1.xml"
ROWS = 12


def casme2_rows(count: int = ROWS) -> list[list[Any]]:
    """Rows in the shape of CASME II's workbook, each with a clip of its own."""
    return [
        casme2_row(f"{number % 26 + 1:02}", f"EP{number + 1:02}_01", 10 * number + 1, 10 * number + 4, 10 * number + 9)
        for number in range(count)
    ]


def save(path: Path, sheets: list[list[list[Any]]]) -> Path:
    """Write a workbook of these sheets."""
    book = openpyxl.Workbook(write_only=True)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"codes{number}")
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def casme2(world: World, rows: list[list[Any]] | None = None) -> Path:
    """A workbook of CASME II among the inputs."""
    return save(world.inputs / "book.xlsx", [[CASME2_HEADER, *(rows or casme2_rows())]])


def convert(world: World, rows: int | None = None, dataset: str = "casme2", name: str = "book.xlsx") -> Attack:
    """The verb on a workbook among the inputs."""
    return attack(f"convert {dataset} {world.inputs}/{name} -o {{out}}/manifest", world, rows=rows)


def members(path: Path) -> dict[str, bytes]:
    """The files in a zip archive."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, files: dict[str, bytes]) -> None:
    """Write a zip archive of these files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def edit(path: Path, change: Callable[[str], str], member: str = SHEET) -> None:
    """Rewrite the XML of a sheet."""
    files = members(path)
    files[member] = change(files[member].decode()).encode()
    pack(path, files)


def rows_in(xml: str) -> list[str]:
    """The row elements of a sheet's XML."""
    return re.findall(r"<row .*?</row>|<row [^>]*/>", xml, re.DOTALL)


def with_rows(xml: str, rows: list[str]) -> str:
    """A sheet's XML with these row elements."""
    return re.sub(
        r"<sheetData>.*</sheetData>", lambda _: f"<sheetData>{''.join(rows)}</sheetData>", xml, flags=re.DOTALL
    )


def _of_rows(change: Callable[[list[str], random.Random], list[str]], rows: int | None = ROWS) -> None:
    """Registers an attack that changes the row elements."""

    def make(world: World, chance: random.Random) -> Attack:
        path = casme2(world)
        edit(path, lambda xml: with_rows(xml, change(rows_in(xml), chance)))
        return convert(world, rows)

    KIND.add(change.__name__.replace("_", "-"), make)


@_of_rows
def rows_out_of_order(rows: list[str], chance: random.Random) -> list[str]:
    return [rows[0], *chance.sample(rows[1:], len(rows) - 1)]


@_of_rows
def one_row_moved_to_the_end(rows: list[str], chance: random.Random) -> list[str]:
    return [*rows[:3], *rows[4:], rows[3]]


@_of_rows
def last_row_first(rows: list[str], chance: random.Random) -> list[str]:
    return [rows[0], rows[-1], *rows[1:-1]]


@_of_rows
def rows_without_addresses(rows: list[str], chance: random.Random) -> list[str]:
    return [re.sub(r' r="[A-Z]*\d+"', "", row) for row in rows]


@_of_rows
def rows_of_the_same_address(rows: list[str], chance: random.Random) -> list[str]:
    return [rows[0], *(re.sub(r'(<row [^>]*?r=")\d+"', r'\g<1>2"', row) for row in rows[1:])]


@_of_rows
def cells_out_of_order(rows: list[str], chance: random.Random) -> list[str]:
    def shuffled(row: str) -> str:
        cells = re.findall(r"<c .*?</c>|<c [^>]*/>", row)
        return re.sub(r"<c .*</c>", lambda _: "".join(chance.sample(cells, len(cells))), row)

    return [rows[0], *map(shuffled, rows[1:])]


@_of_rows
def cells_that_name_other_rows(rows: list[str], chance: random.Random) -> list[str]:
    return [rows[0], *(re.sub(r'(<c r="[A-Z]+)\d+"', r'\g<1>99"', row) for row in rows[1:])]


@_of_rows
def row_99999999(rows: list[str], chance: random.Random) -> list[str]:
    return [*rows[:-1], re.sub(r' r="([A-Z]*)\d+"', r' r="\g<1>99999999"', rows[-1])]


@_of_rows
def row_of_twenty_digits(rows: list[str], chance: random.Random) -> list[str]:
    return [*rows[:-1], rows[-1].replace(' r="', f' r="{"9" * 20}', 1)]


@_of_rows
def row_zero_and_below(rows: list[str], chance: random.Random) -> list[str]:
    return [*rows[:-2], *(re.sub(r'(<row [^>]*?r=")\d+"', rf'\g<1>{n}"', rows[-2 + n]) for n in (0, 1))]


@_of_rows
def row_that_is_no_number(rows: list[str], chance: random.Random) -> list[str]:
    return [*rows[:-1], re.sub(r'(<row [^>]*?r=")\d+"', r'\g<1>x"', rows[-1])]


@_of_rows
def last_row_of_a_sheet(rows: list[str], chance: random.Random) -> list[str]:
    return [*rows[:-1], re.sub(r' r="([A-Z]*)\d+"', r' r="\g<1>1048576"', rows[-1])]


@_of_rows
def column_far_away(rows: list[str], chance: random.Random) -> list[str]:
    return [*rows[:-1], rows[-1].replace("</row>", f'<c r="XFD{len(rows)}"><v>1</v></c></row>')]


@_of_rows
def column_beyond_all(rows: list[str], chance: random.Random) -> list[str]:
    return [*rows[:-1], rows[-1].replace("</row>", f'<c r="ZZZZZ{len(rows)}"><v>1</v></c></row>')]


@KIND.case
def ten_thousand_merged_areas(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    row = '<row r="{0}"><c r="A{0}"><v>1</v></c><c r="D{0}"><v>{0}</v></c></row>'
    merged = "".join(f'<mergeCell ref="A{4 * n + 20}:A{4 * n + 23}"/>' for n in range(10_000))

    def change(xml: str) -> str:
        rows = rows_in(xml) + [row.format(number) for number in range(20, 40_020)]
        areas = f'<mergeCells count="10000">{merged}</mergeCells>'
        return with_rows(xml, rows).replace("</sheetData>", f"</sheetData>{areas}")

    edit(path, change)
    return convert(world)


@KIND.case
def merged_areas_over_everything(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    areas = "".join(f'<mergeCell ref="A1:XFD{1048576 - n}"/>' for n in range(200))
    edit(path, lambda xml: xml.replace("</sheetData>", f"</sheetData><mergeCells>{areas}</mergeCells>"))
    return convert(world)


@KIND.case
def merged_area_upside_down(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    areas = "".join(f'<mergeCell ref="{area}"/>' for area in ("C9:A2", "A1", "ZZZZZ1:A99999999", "A0:A9", "x", ""))
    edit(path, lambda xml: xml.replace("</sheetData>", f"</sheetData><mergeCells>{areas}</mergeCells>"))
    return convert(world, ROWS)


def _shared(path: Path, more: bytes) -> None:
    """Put the texts of a workbook into a table of shared ones, as spreadsheet programs do, and ``more`` behind them."""
    files, texts = members(path), []

    def place(match: re.Match[str]) -> str:
        texts.append(match[1])
        return f't="s"><v>{len(texts) - 1}</v>'

    files[SHEET] = re.sub(r't="inlineStr"><is><t>(.*?)</t></is>', place, files[SHEET].decode()).encode()
    items = "".join(f"<si><t>{text}</t></si>" for text in texts).encode()
    space = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    files["xl/sharedStrings.xml"] = b"<sst " + space + b">" + items + more + b"</sst>"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    relation = f'<Relationship Type="{kind}" Target="/xl/sharedStrings.xml" Id="rId99"/></Relationships>'.encode()
    name = "xl/_rels/workbook.xml.rels"
    files[name] = files[name].replace(b"</Relationships>", relation)
    content = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{content}"/></Types>'.encode()
    files["[Content_Types].xml"] = files["[Content_Types].xml"].replace(b"</Types>", override)
    pack(path, files)


@KIND.case
def shared_strings(world: World, chance: random.Random) -> Attack:
    _shared(casme2(world), b"")
    return convert(world, ROWS)


@KIND.case
def three_million_shared_strings(world: World, chance: random.Random) -> Attack:
    _shared(casme2(world), b"<si><t>x</t></si>" * 3_000_000)
    return convert(world)


@KIND.case
def one_shared_string_of_a_hundred_megabytes(world: World, chance: random.Random) -> Attack:
    _shared(casme2(world), b"<si><t>" + b"x" * 100_000_000 + b"</t></si>")
    return convert(world)


@KIND.case
def shared_strings_that_are_not_there(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    _shared(path, b"")
    edit(path, lambda xml: xml.replace("<v>1</v>", "<v>999999</v>").replace("<v>0</v>", "<v>-1</v>"))
    return convert(world)


@KIND.case
def zip_bomb(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    files = members(path)
    files[SHEET] = files[SHEET].replace(b"</sheetData>", b"</sheetData>" + b" " * 400_000_000)
    pack(path, files)
    return convert(world)


@KIND.case
def zip_bomb_that_lies_about_its_size(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    files = members(path)
    files[SHEET] = files[SHEET].replace(b"</sheetData>", b"</sheetData>" + b" " * 100_000_000)
    pack(path, files)
    content = bytearray(path.read_bytes())
    sizes = struct.pack("<I", len(files[SHEET]))
    for start in [found.start() for found in re.finditer(re.escape(sizes), bytes(content))]:
        content[start : start + 4] = struct.pack("<I", 1000)
    path.write_bytes(content)
    return convert(world)


@KIND.case
def a_thousand_members(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    pack(path, members(path) | {f"xl/worksheets/more{number}.xml": b"<x/>" for number in range(20_000)})
    return convert(world, ROWS)


@KIND.case
def names_that_lead_out_of_the_archive(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    pack(path, members(path) | {"../../victim/made.txt": b"x", "/tmp/made.txt": b"x"})
    return convert(world, ROWS)


@KIND.case
def two_members_of_one_name(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    files = members(path)
    other = with_rows(files[SHEET].decode(), rows_in(files[SHEET].decode())[:2]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in [*files.items(), ("xl/worksheets/sheet2.xml", other)]:
            archive.writestr(name, content)
    content = path.read_bytes().replace(b"worksheets/sheet2.xml", b"worksheets/sheet1.xml")
    path.write_bytes(content)
    return convert(world)


@KIND.case
def entities_that_multiply(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))

    def change(xml: str) -> str:
        start = xml.index("<worksheet")
        first = xml.replace("EP01_01", "&a9;", 1) if "EP01_01" in xml else xml.replace("<v>", "<v>&a9;", 1)
        return f"{xml[:start]}<!DOCTYPE worksheet [{entities}]>{first[start:]}"

    edit(path, change)
    return convert(world)


@KIND.case
def entity_that_reads_a_file(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    entity = f'<!ENTITY file SYSTEM "file://{world.victim}/keep.txt">'

    def change(xml: str) -> str:
        start = xml.index("<worksheet")
        return f"{xml[:start]}<!DOCTYPE worksheet [{entity}]>{xml[start:].replace('<v>1</v>', '<v>&file;</v>', 1)}"

    edit(path, change)
    return convert(world)


@KIND.case
def nested_elements(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    edit(path, lambda xml: xml.replace("</sheetData>", f"</sheetData>{'<x>' * 100_000}{'</x>' * 100_000}"))
    return convert(world)


@KIND.case
def a_pipe(world: World, chance: random.Random) -> Attack:
    os.mkfifo(world.inputs / "book.xlsx")
    return convert(world)


@KIND.case
def endless_zeros(world: World, chance: random.Random) -> Attack:
    (world.inputs / "book.xlsx").symlink_to("/dev/zero")
    return convert(world)


@KIND.case
def a_folder(world: World, chance: random.Random) -> Attack:
    (world.inputs / "book.xlsx").mkdir()
    return convert(world)


@KIND.case
def a_pipe_in_a_folder_that_is_searched(world: World, chance: random.Random) -> Attack:
    casme2(world).rename(world.inputs / "CASME2-coding.xlsx")
    os.mkfifo(world.inputs / "CASME2-coding-20140508.xlsx")
    return attack(f"convert casme2 {world.inputs} -o {{out}}/manifest", world)


def _au_cell(name: str, text: str) -> None:
    def make(world: World, chance: random.Random) -> Attack:
        rows = casme2_rows()
        rows[3][7] = text
        casme2(world, rows)
        return convert(world, ROWS)

    KIND.add(name, make)


_au_cell("twenty-thousand-parentheses", "(" * 16_000 + "4" + ")" * 16_000)
_au_cell("twenty-thousand-open-parentheses", "4+" + "(" * 20_000)
_au_cell("thousands-of-alternatives", "or".join(["(4+7)"] * 3000))
_au_cell("thousands-of-units", "+".join(str(number % 90) for number in range(10_000)))
_au_cell("au-of-five-thousand-digits", "9" * 5000)
_au_cell("words-that-almost-match", "subject do " * 2500)
_au_cell("thirty-thousand-letters", "L" * 30_000 + "!")


@KIND.case
def five_thousand_digits(world: World, chance: random.Random) -> Attack:
    rows = casme2_rows()
    rows[2][0], rows[3][3], rows[4][5], rows[5][1] = ["9" * 5000] * 4
    casme2(world, rows)
    return convert(world, ROWS)


@KIND.case
def an_offset_of_a_year(world: World, chance: random.Random) -> Attack:
    rows = casme2_rows()
    rows[2][5] = 1_500_000_000
    casme2(world, rows)
    return convert(world, ROWS)


@KIND.case
def a_cell_beyond_what_a_cell_holds(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    edit(path, lambda xml: xml.replace("EP03_01", "EP" + "3" * 5_000_000 + "_01"))
    return convert(world, ROWS)


def _numbers(name: str, values: list[str]) -> None:
    """Registers an attack with texts where the XML has numbers."""

    def make(world: World, chance: random.Random) -> Attack:
        path = casme2(world)

        def change(xml: str) -> str:
            rows = rows_in(xml)
            for index, value in enumerate(values, start=1):
                found = re.findall(r"<v>-?\d+</v>", rows[index])
                rows[index] = rows[index].replace(found[index % len(found)], f"<v>{value}</v>", 1)
            return with_rows(xml, rows)

        edit(path, change)
        return convert(world, ROWS)

    KIND.add(name, make)


_numbers("numbers-that-are-none", ["NaN", "INF", "-INF", "1e308", "-1e308", "1e999", "0x10", "1_000", "", "1e-320"])
_numbers("numbers-too-long", ["9" * 5000, "0." + "9" * 5000, "1" * 400, "-" + "9" * 5000, "1e" + "9" * 5000])
_numbers("negative-and-great-numbers", ["-1", "-2147483649", "2147483648", "9223372036854775808", "-0", "0", "1.5"])


@KIND.case
def dates_in_place_of_frames(world: World, chance: random.Random) -> Attack:
    rows = casme2_rows()
    for row, value in zip(
        rows, [datetime(1900, 1, 1), time(3, 4), timedelta(days=3), datetime(9999, 12, 31), True], strict=False
    ):
        row[chance.choice([3, 4, 5])] = value
    casme2(world, rows)
    return convert(world, ROWS)


@KIND.case
def escapes_in_every_cell(world: World, chance: random.Random) -> Attack:
    path = world.inputs / "book.csv"
    evil = "evil\x1b]0;owned\x07"
    lines = [",".join(str(cell or "") for cell in row) for row in [CASME2_HEADER, *casme2_rows()]]
    lines[3] = f"01,{evil},,{evil},{evil},9,,{evil},{evil}"
    lines[4] += f",{evil}"
    path.write_text("\n".join(lines))
    return convert(world, ROWS, name="book.csv")


@KIND.case
def escapes_in_the_names_of_sheets(world: World, chance: random.Random) -> Attack:
    path = casme2(world)
    edit(path, lambda xml: xml.replace("codes0", "a&#x9b;31m&#x202e;b"), "xl/workbook.xml")
    edit(path, lambda xml: xml.replace("EP02_01", "EP02\u202e_x0007_"))
    return convert(world, ROWS)


@KIND.case
def a_thousand_sheets(world: World, chance: random.Random) -> Attack:
    save(world.inputs / "book.xlsx", [*sheets_of(rows_of()), *([["x"]] for _ in range(1000))])
    return convert(world, len(rows_of()), "casme-sq")


@KIND.case
def lookups_that_contradict(world: World, chance: random.Random) -> Attack:
    sheets = sheets_of(rows_of())
    sheets[1] += [[99, "s99", 1], [16, "s16", 1], ["9" * 5000, "x", 2]]
    sheets[2] += [["../../victim", "anger1"], ["\u202e", "happy1"], [float("1e308"), "happy1"]]
    save(world.inputs / "book.xlsx", sheets)
    return convert(world, len(rows_of()), "casme-sq")


@KIND.case
def the_same_row_ten_thousand_times(world: World, chance: random.Random) -> Attack:
    casme2(world, casme2_rows(1) * 10_000)
    return convert(world, 10_000)


@KIND.case
def names_that_lead_out(world: World, chance: random.Random) -> Attack:
    rows = casme2_rows()
    for row, text in zip(
        rows, ["../../victim", "/etc", "..", "a/b", "..\\..\\victim", "-rf", "{subject}", "CON"], strict=False
    ):
        row[chance.choice([0, 1])] = text
    casme2(world, rows)
    return convert(world, ROWS)


CELLS: list[Any] = [
    *(text for text in damage.TEXTS if len(text) < 32_000 and not re.search("[\0-\x08\x0b\x0c\x0e-\x1f]", text)),
    *(value for value in damage.NUMBERS if value == value and abs(value) < 1e300 and abs(value) < 2**63),
    *(None, True, False, datetime(2014, 5, 8), time(1, 2), timedelta(hours=30), "=1+1", "=A1", "#REF!"),
]


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """A few cells, rows or bytes of a sound workbook changed."""
    way = chance.randrange(10)
    rows = casme2_rows(chance.choice([1, 5, 12, 40]))
    if way < 5:
        for _ in range(chance.choice([1, 3, 10, 50])):
            row = chance.choice(rows)
            row[chance.randrange(len(row))] = chance.choice(CELLS)
        if chance.random() < 0.3:
            rows.insert(chance.randrange(len(rows)), [chance.choice(CELLS) for _ in range(chance.randrange(1, 300))])
        path = casme2(world, rows)
        return convert(world, sum(any(str(cell or "").strip(" \u200b\ufeff") for cell in row) for row in rows))
    path = casme2(world, rows)
    if way < 7:
        _change_xml(path, chance)
    elif way < 9:
        damage.any_bytes(path, chance)
    else:
        _damage_a_member(path, chance)
    return convert(world)


def _change_xml(path: Path, chance: random.Random) -> None:
    """Some attributes, texts or elements of a sheet."""
    files = members(path)
    name = chance.choice([SHEET, SHEET, "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"])
    parts = re.split(r"(<[^>]*>)", files[name].decode())
    for _ in range(chance.choice([1, 2, 5, 30])):
        index = chance.randrange(len(parts))
        way = chance.randrange(5)
        if way == 0:
            parts[index] = ""
        elif way == 1:
            parts[index] *= 2
        elif way == 2:
            parts[index] = re.sub(r'"[^"]*"', lambda _: f'"{_xml(chance.choice(damage.TEXTS))}"', parts[index], count=1)
        elif way == 3 and not parts[index].startswith("<"):
            parts[index] = _xml(str(chance.choice(damage.VALUES)))
        else:
            other = chance.randrange(len(parts))
            parts[index], parts[other] = parts[other], parts[index]
    files[name] = "".join(parts).encode("utf-8", "replace")
    pack(path, files)


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _damage_a_member(path: Path, chance: random.Random) -> None:
    """The bytes of one file of the archive, which is then packed as if nothing were wrong."""
    files = members(path)
    name = chance.choice(list(files))
    content = bytearray(files[name])
    for _ in range(chance.choice([1, 5, 50])):
        if content:
            content[chance.randrange(len(content))] = chance.randrange(256)
    files[name] = bytes(content)
    if chance.random() < 0.2:
        del files[name]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member, data in files.items():
            archive.writestr(member, data)
    path.write_bytes(out.getvalue())
