"""What several verbs print: tables, progress, findings."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
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

if TYPE_CHECKING:
    from datasets_me.findings.finding import Finding

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}
WIDTH_IN_FILES = 140  # columns, where the output is no terminal


def console() -> Console:
    """Standard output; wide enough for whole findings when it goes into a file."""
    width = None if sys.stdout.isatty() else WIDTH_IN_FILES
    return Console(width=width, highlight=False, soft_wrap=False, markup=False)


def table(title: str | None, *columns: str, right: Sequence[str] = ()) -> Table:
    """An empty table; the columns named in ``right`` hold numbers."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def severity(name: str) -> Text:
    """A severity in its colour."""
    return Text(name, style=_COLOURS[name])


def findings_by_code(entries: Sequence[dict[str, Any]]) -> Table:
    """One line per code, with an example."""
    made = table("Findings", "code", "severity", "count", "name", "for example", right=["count"])
    for entry in entries:
        place = f"{entry['where']}: " if entry["where"] else ""
        example = Text(f"{place}{entry['first']}")
        made.add_row(entry["code"], severity(entry["severity"]), f"{entry['count']:,}", entry["name"], example)
    return made


def findings_table(found: Sequence[Finding]) -> Table:
    """One line per finding."""
    made = table(None, "code", "severity", "where", "what")
    for finding in found:
        made.add_row(finding.code, severity(finding.severity), Text(finding.where), Text(finding.message))
    return made


def lines(out: Console, *values: tuple[str, object]) -> None:
    """Names and values, aligned."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style="bold")
    made.add_column(overflow="fold")
    for name, value in values:
        made.add_row(name, Text(str(value)))
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
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        *rate,
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
    with bar:
        task = bar.add_task(what, total=None, note="")

        def update(done: int, total: int | None = None, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note)

        yield update
