"""How long expressions are: a few frames, or as long as real ones."""

from __future__ import annotations

from pathlib import Path

from datasets_me.convert.convert import convert
from datasets_me.schema import schema_files
from datasets_me.synthetic.draft import Draft, new_draft
from datasets_me.synthetic.write import make


def lengths(draft: Draft) -> list[int]:
    return [row.frames["offset"] - row.frames["onset"] + 1 for row in draft.rows]


def test_a_few_frames_by_default() -> None:
    assert set(lengths(new_draft(schema_files.load("casme2"), 0, 6))) == {7, 8, 9, 10}


def test_as_long_as_those_of_casme2() -> None:
    draft = new_draft(schema_files.load("casme2"), 0, 6, real_lengths=True)
    found = lengths(draft)
    assert 24 <= min(found) < 40 < 120 < max(found) <= 141
    for row in draft.rows:
        assert row.frames["onset"] < row.frames["apex"] < row.frames["offset"]
        assert draft.lengths[row.identity.video] > row.frames["offset"] + 30


def test_types_differ_in_length() -> None:
    draft = new_draft(schema_files.load("casme-sq"), 0, 6, real_lengths=True)
    longest = {
        kind: max(n for n, row in zip(lengths(draft), draft.rows, strict=True) if row.type == kind)
        for kind in ("micro", "macro")
    }
    assert longest["micro"] <= 21 < 60 < longest["macro"] <= 117


def test_the_rates_of_dfme_take_turns(tmp_path: Path) -> None:
    made = make(schema_files.load("dfme"), tmp_path / "set", subjects=1, real_lengths=True)
    manifest = convert(schema_files.load_file(made.schema), made.workbook).manifest()
    assert [row.fps for row in manifest.annotations] == [500, 300, 200]
    assert manifest.findings == []
    assert all(0.11 < (row.length or 0) / row.fps < 0.72 for row in manifest.annotations)
