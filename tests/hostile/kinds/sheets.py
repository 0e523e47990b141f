"""Tables in old workbooks (.xls) and in texts (.csv)."""

from __future__ import annotations

import random
from typing import Any

import xlwt

from tests.conftest import CASME2_HEADER
from tests.hostile import damage
from tests.hostile.attack import Attack, Kind
from tests.hostile.kinds.workbooks import ROWS, casme2_rows, convert
from tests.hostile.world import World

KIND = Kind("sheets")

MARKS = ",;\t"


def _text(rows: list[list[Any]], mark: str = ",") -> str:
    return "".join(mark.join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows)


def _csv(world: World, content: bytes | str, rows: int | None = None) -> Attack:
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    (world.inputs / "book.csv").write_bytes(data)
    return convert(world, rows, name="book.csv")


def _sound() -> list[list[Any]]:
    return [CASME2_HEADER, *casme2_rows()]


def _case(name: str, content: bytes | str, rows: int | None = None) -> None:
    """Registers an attack by the content of a CSV."""
    KIND.add(name, lambda world, chance: _csv(world, content, rows))


_SOUND = _text(_sound())
_case("utf-16", _SOUND.encode("utf-16"), ROWS)
_case("utf-16-without-a-mark", _SOUND.encode("utf-16-le"))
_case("utf-32", _SOUND.encode("utf-32"))
_case("half-utf-16", _SOUND.encode("utf-16")[:-1])
_case("gb18030", _text([CASME2_HEADER, *([*row[:8], "惊讶"] for row in casme2_rows())]).encode("gb18030"), ROWS)
_case("latin-1", _text([CASME2_HEADER, *([*row[:8], "dégoût"] for row in casme2_rows())]).encode("latin-1"), ROWS)
_case("two-encodings", _SOUND.encode() + "01,EP99_01é,,1,2,3,,4,dégoût\n".encode("latin-1") + "惊".encode())
_case("surrogates", b"\xed\xa0\x80" + _SOUND.encode())
_case("marks-of-order-everywhere", "\ufeff" + _SOUND.replace(",", ",\ufeff"))
_case("zeros-in-cells", _SOUND.replace("EP03_01", "EP03\0_01"))
_case("zeros-later-on", _SOUND + " " * 2000 + "\n01,EP99\0_01,,1,2,3,,4,fear\n")
_case("a-quotation-that-never-ends", _SOUND.replace("EP03_01", '"EP03_01'))
_case("quotations-in-the-midst", _SOUND.replace("EP03_01", 'EP"03"_01'), ROWS)
_case("a-table-in-one-cell", '"' + _SOUND.replace('"', '""') + '"')
_case("carriage-returns", _SOUND.replace("\n", "\r"), ROWS)
_case("returns-of-all-kinds", _SOUND.replace("\n", "\r\n\n\r"), ROWS)
_case("other-separators-of-lines", _SOUND.replace("EP03", "EP\u202803\x0b\x0c\x1c\x85"))
_case("thousands-of-columns", _text([[*row, *range(5000)] for row in _sound()]), ROWS)
_case("a-million-columns", _SOUND + "x," * 1_000_000 + "\n")
_case("a-hundred-thousand-rows", _SOUND + ",,,,,,,,\n" * 100_000, ROWS)
_case("a-cell-of-ten-megabytes", _SOUND + "01,EP99_01,,1,2,3,,4," + "x" * 10_000_000 + "\n")
_case("one-line-of-ten-megabytes", "x" * 10_000_000)
_case(
    "a-cell-of-five-thousand-digits", _SOUND + f"{'9' * 5000},EP99_01,,{'9' * 5000},2,{'9' * 5000},,4,fear\n", ROWS + 1
)
_case("two-headers", _SOUND + _SOUND)
_case("a-header-without-rows", _text([CASME2_HEADER]))
_case("columns-that-stand-twice", _text([[*row, *row] for row in _sound()]), ROWS)
_case("nothing", "")
_case("nothing-but-marks", ",,,,\n" * 50)
_case("bytes", bytes(range(256)) * 40)
_case("rows-of-many-lengths", _SOUND + "01\n01,EP98_01\n" + "01,EP99_01,,1,2,3,,4,fear,x,x,x,x,x\n", ROWS + 3)
_case("formulas", _SOUND.replace("disgust", "=cmd|' /C calc'!A0").replace("4+7", "@SUM(1+1)"), ROWS)


def _xls(world: World, rows: list[list[Any]]) -> Attack:
    book = xlwt.Workbook()
    sheet = book.add_sheet("codes")
    for y, row in enumerate(rows):
        for x, cell in enumerate(row[:250]):
            sheet.write(
                y, x, cell if isinstance(cell, int | float | bool) and abs(cell) < 1e300 else str(cell or "")[:32_000]
            )
    book.save(str(world.inputs / "book.xls"))
    return convert(world, ROWS, name="book.xls")


@KIND.case
def old_workbook(world: World, chance: random.Random) -> Attack:
    return _xls(world, _sound())


@KIND.case
def old_workbook_with_great_numbers(world: World, chance: random.Random) -> Attack:
    rows = _sound()
    for row, value in zip(rows[1:], [1.5e9, -1.0, 1e299, 0.1, 2.0**53, "9" * 5000, "\x1b[2J", True], strict=False):
        row[chance.choice([0, 3, 4, 5])] = value
    return _xls(world, rows)


@KIND.case
def old_workbook_cut_off(world: World, chance: random.Random) -> Attack:
    made = _xls(world, _sound())
    path = world.inputs / "book.xls"
    path.write_bytes(path.read_bytes()[:2000])
    return made


@KIND.case
def old_workbook_whose_sectors_go_round(world: World, chance: random.Random) -> Attack:
    made = _xls(world, _sound())
    path = world.inputs / "book.xls"
    content = bytearray(path.read_bytes())
    content[512:1024] = bytes(4) * 128  # every sector is followed by the first
    path.write_bytes(content)
    return convert(world, name="book.xls") if made.arguments else made


@KIND.case
def web_page_called_xls(world: World, chance: random.Random) -> Attack:
    cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in _sound())
    (world.inputs / "book.xls").write_text(f"<html><table>{cells}</table></html>")
    return convert(world, name="book.xls")


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """Cells, lines or bytes of a sound table changed."""
    rows = [CASME2_HEADER, *casme2_rows(chance.choice([1, 5, 12, 60]))]
    for _ in range(chance.choice([0, 1, 5, 30])):
        row = rows[chance.randrange(1, len(rows))] = list(rows[chance.randrange(1, len(rows))])
        row[chance.randrange(len(row))] = chance.choice(
            [text for text in damage.TEXTS if not set(text) & set(',"\r\n')]
        )
    if chance.random() < 0.25:
        made = _xls(world, rows)
        path = world.inputs / "book.xls"
        damage.any_bytes(path, chance)
        return convert(world, name="book.xls") if made.rows else made
    encoding = chance.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "gb18030", "cp1252"])
    content = bytearray(_text(rows, chance.choice(MARKS)).encode(encoding, "replace"))
    for _ in range(chance.choice([0, 0, 1, 10, 100])):
        content[chance.randrange(len(content))] = chance.randrange(256)
    if chance.random() < 0.1:
        content = content[: chance.randrange(len(content))]
    return _csv(world, bytes(content))
