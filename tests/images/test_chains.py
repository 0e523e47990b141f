"""The three ways of the tutorial, by its own commands: what comes out at the end adds up with what went in."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from datasets_me.cli import app
from datasets_me.core.tables import batches
from datasets_me.formats import image_set
from datasets_me.formats.image_names import EXPORTED
from datasets_me.formats.image_records import STATES, AuditRow, ExportRow
from datasets_me.formats.image_tables import read_table
from tests.conftest import REPOSITORY

TUTORIAL = REPOSITORY / "docs/tutorials/still-images.md"


def commands(heading: str) -> list[str]:
    """The commands under the heading that begins so."""
    part = next(text for text in TUTORIAL.read_text().split("\n## ") if text.startswith(heading))
    return re.findall(r"<!-- run: (.+?) -->", part, re.DOTALL)


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Runs the commands of a chapter in a folder, those of the program in this process, what they print aside."""
    monkeypatch.chdir(tmp_path)

    def run(heading: str) -> None:
        for command in commands(heading):
            parts = command.split("; ") if command.startswith("me-datasets") else [command]
            for part in parts:
                if part.startswith("me-datasets"):
                    done = CliRunner().invoke(app, shlex.split(part.partition(" | ")[0])[1:])
                    assert done.exit_code < 2 and not isinstance(done.exception, Exception), f"{part}\n{done.output}"
                else:
                    line = part.replace("python -c", f"{sys.executable} -c")
                    subprocess.run(line, shell=True, cwd=tmp_path, check=True, capture_output=True)

    return run


@pytest.mark.slow
def test_from_a_table_to_folders_sorted_by_an_audit(tmp_path: Path, follow: Callable[[str], None]) -> None:
    follow("FER2013")
    images = image_set.read(tmp_path / "fer")
    audited = list(read_table(images, "audit", AuditRow))
    states = Counter(row.state for row in audited)
    assert set(states) == set(STATES) and states.total() == len(images) == 42
    files = Counter(path.relative_to(tmp_path / "sorted").parts[0] for path in (tmp_path / "sorted").rglob("*.png"))
    assert files == states
    for row in audited:
        folder = f"disagree/{row.label}-{row.predicted}" if row.state == "disagree" else f"{row.state}/{row.label}"
        number = int(row.id.partition("#")[2]) - 2
        assert (tmp_path / "sorted" / folder / f"{number:06d}.png").is_file()


@pytest.mark.slow
def test_from_a_crawl_to_mouths(tmp_path: Path, follow: Callable[[str], None]) -> None:
    follow("A crawled set")
    crawled, clean = image_set.read(tmp_path / "crawled"), image_set.read(tmp_path / "cleaned")
    left_out = (tmp_path / "clean/left_out.csv").read_text().splitlines()[1:]
    assert len(crawled) == len(clean) + len(left_out)
    assert len((tmp_path / "clean/remove.txt").read_text().splitlines()) == len(left_out)
    mouths = image_set.read(tmp_path / "mouths")
    assert len(mouths) == len(clean)
    originals = {row.id for row in crawled.rows()}
    exported = {row.id for rows in batches(tmp_path / "clean" / EXPORTED, ExportRow) for row in rows}
    first = {row.origins[0].id for row in mouths.rows()}
    assert first == exported <= originals
    assert {(row.width, row.height) for row in mouths.rows()} == {(64, 64)}
    assert {path.suffix for path in (tmp_path / "unified/files").rglob("*.*")} == {".jpg"}


@pytest.mark.slow
def test_from_photographs_to_the_best_weights(tmp_path: Path, follow: Callable[[str], None]) -> None:
    follow("Group photographs")
    assert len(list((tmp_path / "groups/features").glob("*.npz"))) == 18
    assert len(list(tmp_path.glob("model*.npz"))) == 6
