"""The three ways of the tutorial, by its own commands: what comes out at the end adds up with what went in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

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


def follow(heading: str, folder: Path) -> None:
    """Run the commands of a chapter in a folder; a verb that could not run (exit code 2) fails the test."""
    program = f"{sys.executable} -m datasets_me"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1"}
    for command in commands(heading):
        line = command.replace("me-datasets", program).replace("python -c", f"{sys.executable} -c")
        done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode < 2 and "error:" not in done.stderr, f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.slow
def test_from_a_table_to_folders_sorted_by_an_audit(tmp_path: Path) -> None:
    follow("FER2013", tmp_path)
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
def test_from_a_crawl_to_mouths(tmp_path: Path) -> None:
    follow("A crawled set", tmp_path)
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
def test_from_photographs_to_the_best_weights(tmp_path: Path) -> None:
    follow("Group photographs", tmp_path)
    assert len(list((tmp_path / "groups/features").glob("*.npz"))) == 18
    assert len(list(tmp_path.glob("model*.npz"))) == 6
