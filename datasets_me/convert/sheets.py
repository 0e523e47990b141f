"""Sheets as plain cells, whatever file they stand in, and how large they may be."""

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
"""The greatest row, the greatest column and the longest cell that spreadsheet programs know."""

# Of one file: rows that are not empty, and cells, with the empty ones up to the last of a row. The largest published
# workbook of annotations has 5,968 rows and 47,151 cells.
_MOST_FILLED_ROWS, _MOST_CELLS = 50_000, 1_000_000


@dataclass(frozen=True)
class Row:
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
    without a stored result.
    """

    name: str
    position: int
    rows: list[Row]
    merged: list[str] = field(default_factory=list)
    overlapping: list[str] = field(default_factory=list)
    empty_formulas: list[tuple[int, int]] = field(default_factory=list)


class Room:
    """What one file may still hold."""

    def __init__(self) -> None:
        self._rows, self._cells = _MOST_FILLED_ROWS, _MOST_CELLS

    def take_row(self, cells: int) -> None:
        """Count a row of so many cells.

        Raises:
            WorkbookError: the file holds more than tables of annotations do.
        """
        self._rows -= 1
        if self._rows < 0:
            raise WorkbookError(_too_large(_MOST_FILLED_ROWS, "rows"), fix=_FIX)
        self.take_cells(cells)

    def take_cells(self, cells: int) -> None:
        """Count so many cells.

        Raises:
            WorkbookError: the file holds more than tables of annotations do.
        """
        self._cells -= cells
        if self._cells < 0:
            raise WorkbookError(_too_large(_MOST_CELLS, "cells"), fix=_FIX)


_FIX = "keep the sheet with the annotations in a file of its own"


def _too_large(most: int, what: str) -> str:
    return f"the file holds more than {most:,} {what}: this is no table of annotations"


def filled(cells: Iterable[Cell]) -> list[Cell]:
    """The cells of a row up to the last that is not empty; a text of white space is."""
    values = [None if isinstance(cell, str) and not clean(cell) else cell for cell in cells]
    while values and values[-1] is None:
        values.pop()
    return values


def rows_of(numbered: Iterable[tuple[int, Sequence[Cell]]], room: Room) -> list[Row]:
    """The rows that are not empty, of numbers and cells.

    Raises:
        WorkbookError: they are more than there is room for.
    """
    rows: list[Row] = []
    for number, cells in numbered:
        if values := filled(cells):
            room.take_row(len(values))
            rows.append(Row(number, tuple(values)))
    return rows


def check_length(text: str, sheet: str, row: int, column: int) -> None:
    """Refuse a text that no spreadsheet program would hold in a cell.

    Raises:
        WorkbookError: it is too long.
    """
    if len(text) > MOST_CHARACTERS:
        raise WorkbookError(
            f"the cell {column_letter(column)}{row} of sheet '{shorten(sheet)}' holds {len(text):,} characters; "
            f"a cell has at most {MOST_CHARACTERS:,}"
        )


_SHOWN = 80  # characters of a cell in a message


def shorten(text: str) -> str:
    """A text as it stands in a message."""
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
    """A cell as a person would read it: ``4.0`` is ``"4"``, nothing is ``""``."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return cell if isinstance(cell, str) else str(cell)
