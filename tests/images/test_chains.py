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


BLOCK = re.compile(r"^```(?:python\n# (?P<file>\S+)|console)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Follows the chapter whose heading begins so in a folder, without what commands are piped into."""
    monkeypatch.chdir(tmp_path)

    def run(heading: str) -> None:
        part = next(text for text in TUTORIAL.read_text().split("\n## ") if text.startswith(heading))
        for block in BLOCK.finditer(part):
            if block["file"]:
                Path(block["file"]).write_text(block["body"])
            else:
                for command in re.findall(r"^\$ ((?:.*\\\n)*.*)", block["body"], re.MULTILINE):
                    follow_one(command.replace("\\\n", ""))

    return run


def follow_one(command: str) -> None:
    """Run a command; those of the program in this process, which is faster."""
    program, *words = shlex.split(command.partition(" | ")[0].partition(";")[0])
    if program == "me-datasets":
        done = CliRunner().invoke(app, words)
        assert done.exit_code < 2 and not isinstance(done.exception, Exception), f"{command}\n{done.output}"
    else:
        subprocess.run([sys.executable if program == "python" else program, *words], check=True, capture_output=True)


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
