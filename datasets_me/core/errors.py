"""Errors that say what is wrong, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where something stands: a file, or a cell of a workbook.

    ``row`` is 1-based, as spreadsheet programs show it; ``column`` is a letter (``"D"``).
    """

    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        parts = [self.file] if self.file else []
        if self.sheet:
            parts.append(f"sheet '{self.sheet}'")
        if self.row is not None and self.column:
            parts.append(f"cell {self.column}{self.row}")
        elif self.row is not None:
            parts.append(f"row {self.row}")
        elif self.column:
            parts.append(f"column {self.column}")
        return ", ".join(parts)


class MeDatasetsError(Exception):
    """Base of every error this package raises on purpose; the command line turns it into exit code 2.

    ``what`` and ``fix`` are a sentence each, without line breaks; ``details`` are further lines below the first.
    """

    def __init__(
        self, what: str, *, details: Sequence[str] = (), where: Place | str | None = None, fix: str | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.details = tuple(details)
        self.where = str(where) if where else None
        self.fix = fix

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The sentence, the details, the place and what to do, a line each."""
        lines = [self.what, *(f"  {line}" for line in self.details)]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  to do: {self.fix}")
        return lines


class SchemaError(MeDatasetsError):
    """A dataset schema is missing, unreadable or wrong."""


class WorkbookError(MeDatasetsError):
    """An annotation file cannot be read, or fits no variant of the schema."""


class ManifestError(MeDatasetsError):
    """A manifest folder is missing, damaged, or would be overwritten."""


class FolderError(MeDatasetsError):
    """A folder of frames cannot be read or does not exist."""


class OutputError(MeDatasetsError):
    """The place of an output holds something that may not be replaced."""


class WriteError(MeDatasetsError):
    """A file cannot be written: no permission, or a full disk."""


class PathError(MeDatasetsError):
    """A name or a path that comes from data leads out of the folder it is about, or cannot be one."""


class FeaturesError(MeDatasetsError):
    """A folder of features is missing, damaged, or holds what a stage cannot use."""


class SplitError(MeDatasetsError):
    """A split is missing, damaged, or cannot be made of what is given."""


class DecisionsError(MeDatasetsError):
    """A folder of decisions is missing or damaged, or a decision cannot be made."""


class ImagesError(MeDatasetsError):
    """A set of images is missing, damaged, or holds what a stage cannot use."""


class RelocationError(MeDatasetsError):
    """A move, or the undoing of one, is not possible."""


class FindingsError(MeDatasetsError):
    """``strict`` was asked for and there are error findings; exit code 1."""


class StoppedError(KeyboardInterrupt):
    """Ctrl-C ended work that goes on where it was when it is run again; the text says what is done."""


def plural(count: int, noun: str) -> str:
    """``plural(1, "row")`` is "1 row", ``plural(2, "row")`` is "2 rows"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
