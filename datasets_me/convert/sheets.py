"""Sheets as plain cells, whatever their file, and how large they may be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from datasets_me.core.errors import WorkbookError
from datasets_me.core.text import clean

Cell = str | int | float | bool | date | time | timedelta | None

MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
MOST_CHARACTERS = 32_767
"""The greatest row, the greatest column and the longest cell that spreadsheet programs allow."""

# Of one file: rows that are not empty, and cells, including empty ones before the last of a row. The largest published
# workbook of annotations has 5,968 rows and 47,151 cells.
_MOST_FILLED_ROWS, _MOST_CELLS = 50_000, 1_000_000


@dataclass(frozen=True)
class SheetRow:
    """One row that is not empty. ``number`` is 1-based."""

    number: int
    cells: tuple[Cell, ...]

    def __getitem__(self, column: int) -> Cell:
        return self.cells[column] if column < len(self.cells) else None


@dataclass
class Sheet:
    """The rows of one sheet that are not empty, in order of their numbers.

    ``merged`` are areas whose value was given to the rows they cover, ``overlapping`` those for which that was not
    done because they share cells with another; ``empty_formulas`` are the row number and 0-based column of formulas
    without a stored result; ``hidden_columns`` are 0-based, too;
    ``comments`` are address (``"D4"``) and text.
    """

    name: str
    position: int
    rows: list[SheetRow]
    merged: list[str] = field(default_factory=list)
    overlapping: list[str] = field(default_factory=list)
    empty_formulas: list[tuple[int, int]] = field(default_factory=list)
    comments: list[tuple[str, str]] = field(default_factory=list)
    hidden: bool = False
    hidden_rows: set[int] = field(default_factory=set)
    struck_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)


class Room:
    """The rows and cells that one file may still have."""

    def __init__(self) -> None:
        self._rows, self._cells = _MOST_FILLED_ROWS, _MOST_CELLS

    def take_row(self, cells: int) -> None:
        """Count a row with a number of cells.

        Raises:
            WorkbookError: the file is larger than any table of annotations.
        """
        self._rows -= 1
        if self._rows < 0:
            raise WorkbookError(_too_large(_MOST_FILLED_ROWS, "rows"), fix=_FIX)
        self.take_cells(cells)

    def take_cells(self, cells: int) -> None:
        """Count a number of cells.

        Raises:
            WorkbookError: the file is larger than any table of annotations.
        """
        self._cells -= cells
        if self._cells < 0:
            raise WorkbookError(_too_large(_MOST_CELLS, "cells"), fix=_FIX)


_FIX = "keep the sheet with the annotations in a file of its own"


def _too_large(most: int, what: str) -> str:
    return f"the file has more than {most:,} {what}, so the file is not a table of annotations"


def filled(cells: Iterable[Cell]) -> list[Cell]:
    """The cells of a row up to the last that is not empty; white space counts as empty."""
    values = [None if isinstance(cell, str) and not clean(cell) else cell for cell in cells]
    while values and values[-1] is None:
        values.pop()
    return values


def rows_of(numbered: Iterable[tuple[int, Sequence[Cell]]], room: Room) -> list[SheetRow]:
    """The rows that are not empty, from pairs of numbers and cells.

    Raises:
        WorkbookError: there are more than a file may have.
    """
    rows: list[SheetRow] = []
    for number, cells in numbered:
        if values := filled(cells):
            room.take_row(len(values))
            rows.append(SheetRow(number, tuple(values)))
    return rows


def check_length(text: str, sheet: str, row: int, column: int) -> None:
    """Refuse a text that is too long for a cell of a spreadsheet program.

    Raises:
        WorkbookError: it is too long.
    """
    if len(text) > MOST_CHARACTERS:
        raise WorkbookError(
            f"the cell {column_letter(column)}{row} of sheet '{shorten(sheet)}' has {len(text):,} characters; "
            f"at most {MOST_CHARACTERS:,} are allowed"
        )


_SHOWN = 80  # characters of a cell in a message


def shorten(text: str) -> str:
    """A text for a message, cut if it is long."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


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
    """A cell as a person would read it: ``4.0`` is ``"4"``, an empty cell is ``""``."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return cell if isinstance(cell, str) else str(cell)
