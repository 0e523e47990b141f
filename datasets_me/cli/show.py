"""Where everything that verbs print goes out: texts, JSON, tables, progress, findings, errors.

Names come from data, and data from strangers. Nothing else in the package writes to a terminal, so nothing that one
would obey (escapes, line breaks in a name, markup) reaches it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import typer
from rich.console import Console, JustifyMethod
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.text import printable, printable_json, printable_lines

if TYPE_CHECKING:
    from datasets_me.findings.finding import Finding

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}
WIDTH_IN_FILES = 140  # columns, where the output is no terminal


def echo(*lines: str, err: bool = False) -> None:
    """Print lines of text; each stays one line, whatever is in it."""
    typer.echo("\n".join(map(printable, lines)), err=err)


def echo_json(value: object) -> None:
    """Print a value as JSON."""
    echo_document(json.dumps(value, indent=2, ensure_ascii=False), is_json=True)


def echo_document(text: str, *, is_json: bool = False) -> None:
    """Print what is meant to be redirected into a file, with its line breaks."""
    typer.echo(printable_json(text) if is_json else printable_lines(text))


def error(error: MeDatasetsError) -> None:
    """Print an error to standard error."""
    first, *others = error.lines()
    echo(f"error: {first}", *others, err=True)


class Screen(Console):
    """A console that takes texts as they are, without markup, and spells out what a terminal would obey."""

    def __init__(self, width: int | None = None, file: TextIO | None = None) -> None:
        super().__init__(width=width, file=file, highlight=False, soft_wrap=False, markup=False, emoji=False)

    def print(self, *lines: str | Rows, style: str | None = None) -> None:  # type: ignore[override]
        """Print lines, each of which stays one whatever is in it, and tables; an empty line where there is nothing."""
        for line in lines or ("",):
            super().print(printable(line) if isinstance(line, str) else line, style=style)


class Rows(Table):
    """A table whose cells are single lines of text, without markup."""

    def __init__(self, title: str | None = None, *, header: bool = True) -> None:
        super().__init__(
            title=None if title is None else Text(printable_lines(title)),
            title_justify="left",
            title_style="bold",
            header_style="bold",
            show_header=header,
            box=None,
            pad_edge=False,
        )

    def add_named(self, name: str, justify: JustifyMethod = "left", style: str | None = None) -> None:
        """Add a column."""
        super().add_column(Text(printable(name)), justify=justify, style=style, overflow="fold")

    def add_row(self, *cells: Any) -> None:  # type: ignore[override]
        """Add a row of texts, numbers, None (empty), and of the styled texts of `severity`."""
        super().add_row(
            *(cell if isinstance(cell, Text) else Text(printable(str("" if cell is None else cell))) for cell in cells)
        )


def console(file: TextIO | None = None) -> Screen:
    """Standard output, or a file; wide enough for whole findings when it is no terminal."""
    return Screen(None if file is None and sys.stdout.isatty() else WIDTH_IN_FILES, file)


def table(title: str | None, *columns: str, right: Sequence[str] = ()) -> Rows:
    """An empty table; the columns named in ``right`` hold numbers."""
    made = Rows(title)
    for column in columns:
        made.add_named(column, "right" if column in right else "left")
    return made


def severity(name: str) -> Text:
    """A severity in its colour."""
    return Text(name, style=_COLOURS[name])


def findings_by_code(entries: Sequence[dict[str, Any]]) -> Rows:
    """One line per code, with an example."""
    made = table("Findings", "code", "severity", "count", "name", "for example", right=["count"])
    for entry in entries:
        place = f"{entry['where']}: " if entry["where"] else ""
        example = f"{place}{entry['first']}"
        made.add_row(entry["code"], severity(entry["severity"]), f"{entry['count']:,}", entry["name"], example)
    return made


def findings_table(found: Sequence[Finding]) -> Rows:
    """One line per finding."""
    made = table(None, "code", "severity", "where", "what")
    for finding in found:
        made.add_row(finding.code, severity(finding.severity), finding.where, finding.message)
    return made


def lines(out: Screen, *values: tuple[str, object]) -> None:
    """Names and values, aligned."""
    made = Rows(header=False)
    made.add_named("", style="bold")
    made.add_named("")
    for name, value in values:
        made.add_row(name, value)
    out.print(made)


class _Speed(ProgressColumn):
    """How many are done in a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} {self.unit}" if task.speed else "")


@contextmanager
def progress(what: str, speed: str | None = None) -> Iterator[Any]:
    """A progress bar on standard error that is gone when the work is done; yields ``update(done, total, note)``.

    With ``speed`` it also shows how many are done in a second, in this unit.
    """
    err = Console(stderr=True)
    rate = [_Speed(speed)] if speed else []
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        *rate,
        TextColumn("{task.fields[note]}", markup=False),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
    with bar:
        task = bar.add_task(printable(what), total=None, note="")

        def update(done: int, total: int | None = None, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=printable(note))

        yield update
