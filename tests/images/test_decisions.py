"""Decisions: kept in a table of their own, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.core.errors import ImagesError, MeDatasetsError
from datasets_me.images import decisions
from datasets_me.images.decisions import Decision
from tests.images.made import image_set


def test_round_trip_and_the_same_bytes(tmp_path: Path) -> None:
    images = image_set(tmp_path, ["happy/1.png", "sad/2.png"])
    assert decisions.read(images) == {}
    rows = [
        Decision(id="sad/2.png", dataset=images.dataset, decision="exclude", doubts=["ME710"]),
        Decision(id="happy/1.png", dataset=images.dataset, decision="relabel", label_was="happiness", label="fear"),
    ]
    path = decisions.write(images, rows)
    first = path.read_bytes()
    assert decisions.read(images) == {row.id: row for row in rows}
    decisions.write(images, reversed(rows))
    assert path.read_bytes() == first
    assert [file.name for file in images.folder.glob(".*")] == []


def test_what_is_no_table_of_decisions(tmp_path: Path) -> None:
    images = image_set(tmp_path, ["happy/1.png"])
    (tmp_path / "d.parquet").write_text("text")
    with pytest.raises(MeDatasetsError, match="the table is damaged"):
        decisions.read(images, tmp_path / "d.parquet")
    with pytest.raises(ImagesError, match="there is no such folder"):
        decisions.read(images, tmp_path / "none" / "d.parquet")
