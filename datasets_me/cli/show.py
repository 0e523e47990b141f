"""Where everything that verbs print goes out: texts, JSON, tables, progress, errors.

Names come from data, and data from strangers. Nothing else in the package writes to a terminal, so nothing that one
would obey (escapes, line breaks in a name, markup) reaches it.
"""

from __future__ import annotations

import codecs
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.text import printable, printable_json, printable_lines

if TYPE_CHECKING:
    from rich.table import Table

    from datasets_me.findings.finding import Finding

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}
_NARROW = 60  # columns; below that, a table that does not fit is shown as a list
_GAP = 2  # columns between two columns of a table
_EVERY = 10.0  # seconds between two lines of progress where there is no terminal

ASCII = {
    "²": "^2",
    "³": "^3",
    "×": "x",
    "·": "*",
    "±": "+-",
    "−": "-",
    "–": "-",
    "—": "-",
    "…": "...",
    "→": "->",
    "≥": ">=",
    "≤": "<=",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
}
"""What is printed where the output takes no such character."""


def _in_ascii(fault: UnicodeError) -> tuple[str, int]:
    if not isinstance(fault, UnicodeEncodeError):
        raise fault
    return "".join(ASCII.get(letter, "?") for letter in fault.object[fault.start : fault.end]), fault.end


codecs.register_error("in-ascii", _in_ascii)


def prepare_streams() -> None:
    """Make standard output and error take any text, and be there even where the shell closed them (``>&-``)."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123 - as long as the program runs
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="in-ascii")


def echo(*lines: str, err: bool = False) -> None:
    """Print lines of text; each stays one line, whatever is in it."""
    _write("\n".join(map(printable, lines)), sys.stderr if err else sys.stdout)


def _write(text: str, stream: TextIO, end: str = "\n") -> None:
    stream.write(text + end)
    stream.flush()


def to_json(value: object) -> str:
    """A value as the JSON that verbs print and write."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def echo_document(text: str, *, is_json: bool = False) -> None:
    """Print what is meant to be redirected into a file, with its line breaks."""
    _write(printable_json(text) if is_json else printable_lines(text), sys.stdout)


def error(error: MeDatasetsError) -> None:
    """Print an error to standard error."""
    first, *others = error.lines()
    echo(f"error: {first}", *others, err=True)


class Styled(NamedTuple):
    """A text in a style of rich."""

    text: str
    style: str


def severity(name: str) -> Styled:
    """A severity in its colour."""
    return Styled(name, _COLOURS[name])


class Rows:
    """A table whose cells are single lines of text, without markup.

    Args:
        title: a line above it; None for none.
        columns: their names.
        right: the columns that hold numbers.
        header: whether the names are shown.
    """

    def __init__(self, title: str | None, *columns: str, right: Sequence[str] = (), header: bool = True) -> None:
        self.title = None if title is None else printable_lines(title)
        self.columns = [printable(name) for name in columns]
        self.right = [name in right for name in columns]
        self.header = header
        self.rows: list[list[Styled]] = []

    def add_row(self, *cells: object) -> None:
        """Add a row of texts, numbers, None (empty), and of the styled texts of `severity`."""
        self.rows.append([self._cell(cell) for cell in cells])

    @staticmethod
    def _cell(cell: object) -> Styled:
        text, style = cell if isinstance(cell, Styled) else ("" if cell is None else str(cell), "")
        return Styled(printable(text), style)

    def widths(self) -> list[int]:
        """How many columns of a terminal each column of the table needs."""
        from rich.cells import cell_len

        lines = [self.columns] if self.header else []
        lines += [[cell.text for cell in row] for row in self.rows]
        return [
            max((cell_len(_fitting(line[i])) for line in lines if i < len(line)), default=0)
            for i in range(len(self.columns))
        ]

    def aligned(self) -> list[str]:
        """The table as lines, each as long as it needs to be."""
        from rich.cells import cell_len

        widths = self.widths()

        def line(cells: Sequence[str]) -> str:
            texts = []
            for text, width, right in zip(map(_fitting, cells), widths, self.right, strict=False):
                space = " " * (width - cell_len(text))
                texts.append(space + text if right else text + space)
            return (" " * _GAP).join(texts).rstrip()

        lines = [] if self.title is None else self.title.split("\n")
        lines += [line(self.columns)] if self.header else []
        return lines + [line([cell.text for cell in row]) for row in self.rows]

    def listed(self) -> list[str]:
        """The table as a list, one field a line, for a narrow terminal."""
        lines = [] if self.title is None else self.title.split("\n")
        for number, row in enumerate(self.rows):
            if not self.header:
                lines.append(": ".join(cell.text for cell in row))
                continue
            lines += [""] if number else []
            lines += [
                f"{name}: {cell.text}".removeprefix(": ")
                for name, cell in zip(self.columns, row, strict=False)
                if cell.text
            ]
        return lines

    def folded(self) -> Table:
        """The table for rich, which breaks cells that are too long."""
        from rich.table import Table
        from rich.text import Text

        table = Table(
            title=None if self.title is None else Text(self.title),
            title_justify="left",
            title_style="bold",
            header_style="bold",
            show_header=self.header,
            box=None,
            pad_edge=False,
        )
        for number, (name, right) in enumerate(zip(self.columns, self.right, strict=True)):
            style = "bold" if number == 0 and not self.header else None
            table.add_column(Text(_fitting(name)), justify="right" if right else "left", style=style, overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(_fitting(cell.text), style=cell.style) for cell in row))
        return table


Part = str | Rows
"""A line or a table."""


def _fitting(text: str) -> str:
    """A text in characters that standard output takes, so that what stands below each other is aligned."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text if text.isascii() or encoding == "utf-8" else text.encode(encoding, "in-ascii").decode(encoding)


class Screen:
    """Standard output, or a file.

    A terminal has a width; elsewhere lines are as long as they are, unless ``COLUMNS`` says how long they may be.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        self.file = file
        self.is_terminal = file is None and sys.stdout.isatty()
        columns = os.environ.get("COLUMNS", "") if file is None else ""
        self.width: int | None = None
        if columns.isdecimal() and int(columns):
            self.width = int(columns)
        elif self.is_terminal:
            self.width = shutil.get_terminal_size().columns

    def print(self, *parts: Part, style: str | None = None) -> None:
        """Print lines, each of which stays one whatever is in it, and tables; an empty line where there is nothing."""
        for part in parts or ("",):
            if isinstance(part, str):
                self._lines([part], style)
            elif self.width is not None and sum(part.widths(), _GAP * (len(part.columns) - 1)) > self.width:
                if self.width < _NARROW:
                    self._lines(part.listed())
                else:
                    self._draw([part.folded()])
            elif self.is_terminal:
                self._draw([part.folded()])
            else:
                self._write("\n".join(part.aligned()) + "\n")

    def _lines(self, lines: Sequence[str], style: str | None = None) -> None:
        texts = [printable(line) for line in lines]
        if self.width is None:
            self._write("\n".join(texts) + "\n")
        else:
            self._draw(texts, style)

    def _draw(self, parts: Sequence[str | Table], style: str | None = None) -> None:
        """Draw with rich; what is not for a terminal gets neither colours nor spaces at the ends of lines."""
        import io

        from rich.console import Console

        buffer = None if self.is_terminal else io.StringIO()
        console = Console(file=buffer, width=self.width, highlight=False, markup=False, emoji=False)
        for part in parts:
            console.print(part, style=style)
        if buffer is not None:
            self._write("".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines()))

    def _write(self, text: str) -> None:
        _write(text, self.file or sys.stdout, end="")


def named(*values: tuple[str, object]) -> Rows:
    """Names and values, aligned."""
    table = Rows(None, "", "", header=False)
    for name, value in values:
        table.add_row(name, value)
    return table


def findings_by_code(entries: Sequence[dict[str, Any]]) -> Rows:
    """One line per code, with an example."""
    table = Rows("Findings", "code", "severity", "count", "name", "for example", right=["count"])
    for entry in entries:
        place = f"{entry['where']}: " if entry["where"] else ""
        example = f"{place}{entry['first']}"
        table.add_row(entry["code"], severity(entry["severity"]), f"{entry['count']:,}", entry["name"], example)
    return table


def findings_table(findings: Sequence[Finding]) -> Rows:
    """One line per finding, and one for many remarks of one code."""
    from datasets_me.findings.summary import folded

    table = Rows(None, "code", "severity", "where", "what")
    for line in folded(findings):
        finding = line.finding
        table.add_row(finding.code, severity(finding.severity), finding.where, line.message)
    return table


Update = Callable[..., None]
"""``update(done, total, note)``"""


def progress(what: str, speed: str | None = None) -> AbstractContextManager[Update]:
    """Progress on standard error; yields ``update(done, total, note)``.

    On a terminal it is a bar that is gone when the work is done, and with ``speed`` it also shows how many are done in
    a second, in this unit. Elsewhere it is a line every ten seconds.
    """
    return _bar(what, speed) if sys.stderr.isatty() and not _no_bars else _progress_lines(what)


_no_bars = False


def without_bars() -> None:
    """Show progress as lines from now on, since other lines are printed between them."""
    global _no_bars
    _no_bars = True


@contextmanager
def _progress_lines(what: str) -> Iterator[Update]:
    last = time.monotonic()

    def update(done: int, total: int | None = None, note: str = "") -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            of_all = f" of {total:,}" if total else ""
            echo(f"{what}: {done:,}{of_all} {note}".rstrip(), err=True)

    yield update


@contextmanager
def _bar(what: str, speed: str | None) -> Iterator[Update]:
    from rich import progress as bars
    from rich.console import Console
    from rich.text import Text

    class Speed(bars.ProgressColumn):
        def render(self, task: bars.Task) -> Text:
            return Text(f"{task.speed:,.0f} {speed}" if task.speed else "")

    bar = bars.Progress(
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        *([Speed()] if speed else []),
        bars.TextColumn("{task.fields[note]}", markup=False),
        bars.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(printable(what), total=None, note="")

        def update(done: int, total: int | None = None, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=printable(note))

        yield update
