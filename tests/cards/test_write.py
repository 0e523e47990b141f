"""The folder of a card: complete, the same on every run, never over something else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets_me.cards import card as cards
from datasets_me.cards.write import write
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.tables import write_parquet
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import VideoFeatures
from tests.cards.conftest import written
from tests.conftest import REPOSITORY, Run

FILES = ["README.md", "card.html", "card.json", "croissant.json"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def card(made: Any) -> cards.Card:
    card: cards.Card = made["two_types"].card
    return card


def test_the_same_manifest_gives_the_same_bytes(made: Any, card: cards.Card, tmp_path: Path) -> None:
    names = write(card, tmp_path / "a")
    write(cards.make(made["two_types"].folder), tmp_path / "b" / "c")
    assert contents(tmp_path / "a") == contents(tmp_path / "b" / "c")
    assert sorted(contents(tmp_path / "a")) == names == sorted([*FILES, *(f"plots/{name}.png" for name in card.plots)])
    about = json.loads((tmp_path / "a" / "card.json").read_text())
    assert about["facts"]["annotations"] == 4
    assert about["plots"]["timeline"] == {"file": "plots/timeline.png"}
    assert str(tmp_path.parent).encode() not in b"".join(contents(tmp_path / "a").values())


def test_a_card_is_replaced_only_with_force(card: cards.Card, tmp_path: Path) -> None:
    write(card, tmp_path / "card")
    with pytest.raises(MeDatasetsError, match="the card exists already"):
        write(card, tmp_path / "card")
    (tmp_path / "card" / "README.md").write_text("old")
    write(card, tmp_path / "card", force=True)
    assert (tmp_path / "card" / "README.md").read_text() != "old"
    (tmp_path / "link").symlink_to("card")
    write(card, tmp_path / "link", force=True)
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card", "link"]


def other_folder(folder: Path) -> None:
    folder.mkdir()
    (folder / "card.html").touch()


def other_file(folder: Path) -> None:
    folder.write_bytes(b"precious")


def other_json(folder: Path) -> None:
    folder.mkdir()
    (folder / "card.json").write_text('{"kind": "card", "tool": "another"}')


@pytest.mark.parametrize("make", [other_folder, other_file, other_json])
def test_something_else_is_never_replaced(card: cards.Card, tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "card")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(MeDatasetsError, match="the output exists and is not a card"):
        write(card, tmp_path / "card", force=True)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["notes.txt", "plots/mine.png", "README.md/x"])
def test_files_beside_those_of_a_card_are_not_lost(card: cards.Card, tmp_path: Path, name: str) -> None:
    write(card, tmp_path / "card")
    path = tmp_path / "card" / name
    if path.parent.is_file():
        path.parent.unlink()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"precious")
    with pytest.raises(MeDatasetsError, match="contains other files, which would be lost: "):
        write(card, tmp_path / "card", force=True)
    assert path.read_bytes() == b"precious"


def test_a_failed_write_leaves_nothing(card: cards.Card, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MeDatasetsError, match="the card cannot be written: "):
        write(card, tmp_path / "file" / "card")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_features_are_summed_up(two_types: Manifest, tmp_path: Path) -> None:
    place, folder = written(two_types, tmp_path / "manifest"), tmp_path / "features"
    folder.mkdir()
    rows = [
        VideoFeatures(
            **{"dataset": "casme-sq", "subject": "casme_015", "video": f"casme_015_{number}", "name": str(number)},
            **{"status": status, "why": why, "fps": 30, "frames": 10 * number, "good": number, "no_face": 1},
        )
        for number, status, why in ((1, "ok", None), (2, "ok", None), (3, "failed", "no face <b>anywhere</b>"))
    ]
    write_parquet(VideoFeatures, rows, folder / "features.parquet")
    made = cards.make(place, folder).extraction
    assert made is not None
    assert (made.known, made.videos, made.statuses) == (True, 3, {"ok": 2, "partial": 0, "failed": 1})
    assert (made.frames, made.quality) == (60, {"good": 6, "missing": 0, "no_face": 3, "clipped": 0})
    write(cards.make(place, folder), tmp_path / "card")
    assert "| 3 | 2 | 0 | 1 | 60 | 6 | 0 | 3 | 0 |" in (tmp_path / "card" / "README.md").read_text()
    assert "no face &lt;b&gt;anywhere&lt;/b&gt;" in (tmp_path / "card" / "card.html").read_text()

    (tmp_path / "arrays" / "casme_015").mkdir(parents=True)
    np.save(tmp_path / "arrays" / "casme_015" / "casme_015_0401.npy", np.zeros((5, 12, 2), np.float32))
    made = cards.make(place, tmp_path / "arrays").extraction
    assert made is not None
    assert (made.known, made.videos) == (False, 1)


def test_the_command(me_datasets: Run, two_types: Manifest, tmp_path: Path) -> None:
    written(two_types, tmp_path / "manifest")
    done = me_datasets("card", "manifest", "-o", "card")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == ["card/README.md", "card/card.html"]
    again = me_datasets("card", "manifest", "-o", "card")
    assert again.returncode == 2
    assert again.stderr.splitlines()[0] == "error: the card exists already"


def test_without_the_extra_the_command_says_which_to_install(made: Any, tmp_path: Path) -> None:
    program = f"""
import sys
sys.modules |= {{"matplotlib": None, "numpy": None}}  # as if they were not installed
sys.argv = ["me-datasets", "card", {str(made["two_types"].folder)!r}, "-o", "card"]
from datasets_me.cli import main
main()
"""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith(
        "error: the plots of a card need matplotlib, which cannot be loaded: "
    )
    assert done.stderr.splitlines()[1:] == ["  to do: pip install 'me-datasets[plots]'"]
    assert list(tmp_path.iterdir()) == []
