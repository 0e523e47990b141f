"""Fixtures: the shared reference data, workbooks made on the fly, and the command line as a user runs it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, settings

from datasets_me.schema import schema_files
from datasets_me.schema.schema_files import Schema
from tests.command import Commands

os.environ.pop("COLUMNS", None)  # pytest-xdist sets it, and verbs obey it

settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# the same cases every time, so that a run that fails elsewhere fails here
settings.register_profile("ci", settings.get_profile("suite"), derandomize=True)
# of a mutant, only whether it is noticed is asked
settings.register_profile("mutants", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate], database=None)
settings.load_profile("ci" if os.environ.get("CI") else "suite")

REPOSITORY = Path(__file__).resolve().parents[1]
GOLDEN = REPOSITORY / "tests" / "golden"
REFERENCE = REPOSITORY.parent / "shared" / "reference" / "auwgcn"


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
"""The browser that the pages of the viewer are tested in."""

MORE_TRIALS = ("ME_DATASETS_KILLS", "ME_DATASETS_ATTACKS", "DAMAGED_VIDEOS")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for more trials than usual waits as long as they take."""
    if any(name in os.environ for name in MORE_TRIALS):
        for item in items:
            item.add_marker(pytest.mark.timeout(0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it where everybody sees it if a part of the program was not tested."""
    if CHROMIUM is None:
        message = "no Chromium is installed: the pages of the viewer were NOT tested (apt-get install chromium)"
        terminalreporter.write_line(message, red=True, bold=True)


@pytest.fixture
def reference() -> Path:
    """The CSV files published with AUW-GCN."""
    if not REFERENCE.is_dir():
        pytest.skip("shared/reference/auwgcn, with the published CSV files, is not beside this checkout")
    return REFERENCE


@pytest.fixture
def casme_sq() -> Schema:
    return schema_files.load("casme-sq")


@pytest.fixture
def samm_lv() -> Schema:
    return schema_files.load("samm-lv")


@pytest.fixture
def casme2() -> Schema:
    return schema_files.load("casme2")


Workbook = Callable[..., Path]


@pytest.fixture
def workbook(tmp_path: Path) -> Workbook:
    """Writes an .xlsx of the given sheets, each a list of rows."""

    def write(*sheets: Sequence[Sequence[Any]], name: str = "book.xlsx") -> Path:
        book = openpyxl.Workbook()
        book.remove(book.worksheets[0])
        for number, rows in enumerate(sheets, start=1):
            sheet = book.create_sheet(f"Sheet{number}")
            for row in rows:
                sheet.append(list(row))
        path = tmp_path / name
        book.save(path)
        return path

    return write


CASME2_HEADER = [
    "Subject",
    "Filename",
    None,
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    None,
    "Action Units",
    "Estimated Emotion",
]


def casme2_row(
    subject: Any = "01",
    clip: Any = "EP02_01f",
    onset: Any = 46,
    apex: Any = 59,
    offset: Any = 86,
    aus: Any = "4+7",
    emotion: Any = "disgust",
) -> list[Any]:
    """A row in the shape of CASME II's workbook."""
    return [subject, clip, None, onset, apex, offset, None, aus, emotion]


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """What runs the command line."""
    running = Commands(tmp_path_factory.mktemp("commands"), {**_surroundings(), "NO_COLOR": "1"})
    yield running
    running.close()


@pytest.fixture
def me_datasets(tmp_path: Path, commands: Commands) -> Run:
    """Runs the command line in a process of its own, in an empty folder."""

    def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**_surroundings(), "NO_COLOR": "1"}
        done = commands.run([str(argument) for argument in arguments], cwd or tmp_path, environment)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


def _surroundings() -> dict[str, str]:
    """The environment, without the name of the test."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return {**kept, "PYTHONPATH": str(REPOSITORY)}


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    """The command line in a process of its own, not waited for, with a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "datasets_me", *map(str, arguments)],
        cwd=folder,
        env=_surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )


def heed_interrupts() -> None:
    # a shell makes programs in the background ignore Ctrl-C, and what they start inherits it
    signal.signal(signal.SIGINT, signal.SIG_DFL)
