"""Decisions: added under a lock, never lost, undone and superseded, and known when what they were made on changes."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from datasets_me.convert.convert import convert
from datasets_me.core.errors import DecisionsError, OutputError, Place, WriteError
from datasets_me.findings.finding import finding
from datasets_me.formats import decisions as deciding
from datasets_me.formats.decisions import Decision, about_finding, about_row, about_video, standing
from datasets_me.formats.manifest import Manifest
from datasets_me.schema.schema_files import Schema
from tests.conftest import CASME2_HEADER, REPOSITORY, Workbook, casme2_row


@pytest.fixture
def manifest(workbook: Workbook, casme2: Schema) -> Manifest:
    rows = [casme2_row(), casme2_row(clip="EP03_02", apex="/"), casme2_row(clip="EP03_02", apex="/")]
    return convert(casme2, workbook([CASME2_HEADER, *rows])).manifest()


def note(text: str = "n", **fields: Any) -> Decision:
    return Decision(action="note", dataset="casme2", note=text, **fields)


def test_decisions_come_back_in_order(manifest: Manifest, tmp_path: Path) -> None:
    row = manifest.annotations[0]
    first = deciding.correct(manifest, row, "offset", 130, note="<b>é\n", who="A", when="2026-01-02")
    second = Decision(action="exclude", **about_video(manifest, row.video))
    deciding.append(tmp_path / "decisions", [first])
    deciding.append(tmp_path / "decisions", [second])
    assert deciding.read(tmp_path / "decisions") == deciding.Decisions((first, second))


@settings(max_examples=25)
@given(st.lists(st.text(max_size=20), max_size=4))
def test_any_text_comes_back_on_a_line_of_its_own(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("any") / "decisions"
    notes = [note(text) for text in texts]
    deciding.append(folder, notes)
    assert deciding.read(folder).rows == tuple(notes)


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    notes = [note(str(number)) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: deciding.append(tmp_path / "d", [each]), notes))
    assert {each.id for each in deciding.read(tmp_path / "d").rows} == {each.id for each in notes}
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "decisions.json",
        "decisions.jsonl",
    ]


def test_a_killed_writer_loses_nothing_that_it_confirmed(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from datasets_me.formats.decisions import Decision, append
while True:
    decision = Decision(action="note", dataset="casme2", note="n" * 5000)
    append(Path(sys.argv[1]), [decision])
    print(decision.id, flush=True)
"""
    command = [sys.executable, "-c", program, str(tmp_path / "d")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as writer:
        assert writer.stdout is not None
        confirmed = [writer.stdout.readline().strip() for _ in range(30)]
        writer.kill()
        confirmed += writer.stdout.read().splitlines()
    deciding.append(tmp_path / "d", [note("after")])
    read = deciding.read(tmp_path / "d")
    assert {each.id for each in read.rows} >= set(confirmed)
    assert read.rows[-1].note == "after"
    assert len(read.findings) <= 1


def test_a_torn_last_line_is_named_and_harms_no_other(tmp_path: Path) -> None:
    first, second = note("first"), note("second")
    deciding.append(tmp_path / "d", [first])
    table = tmp_path / "d" / "decisions.jsonl"
    with table.open("ab") as file:
        file.write(b'{"id":"5f0c')
    for kept in ([first], [first, second]):
        decisions = deciding.read(tmp_path / "d")
        assert decisions.rows == tuple(kept)
        (doubt,) = decisions.findings
        assert (doubt.code, doubt.where) == ("ME133", f"{table}, row 2")
        assert doubt.message.startswith("line 2 is not a decision: Invalid JSON")
        deciding.append(tmp_path / "d", [second])


def test_a_decision_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deciding.append(tmp_path / "d", [note()])
    before = (tmp_path / "d" / "decisions.jsonl").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(WriteError, match="cannot be saved: No space left on device"):
        patch.setattr(os, "fsync", full)
        deciding.append(tmp_path / "d", [note()])
    assert (tmp_path / "d" / "decisions.jsonl").read_bytes() == before


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DecisionsError, match="not a folder of decisions: there is no such folder"):
        deciding.read(tmp_path / "d")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    with pytest.raises(OutputError, match="not a folder of decisions, and something lies there already") as refused:
        deciding.append(tmp_path / "full", [note()])
    assert refused.value.fix.endswith("with --decisions")
    deciding.append(tmp_path / "d", [note()])
    (tmp_path / "d" / "decisions.jsonl").rename(tmp_path / "elsewhere")
    with pytest.raises(DecisionsError, match="the decisions cannot be read: No such file"):
        deciding.read(tmp_path / "d")
    (tmp_path / "d" / "decisions.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteError, match="it is a link"):
        deciding.append(tmp_path / "d", [note()])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"action": "correct", "row": 2, "column": "offset", "old": "1"}, "'correct' needs new"),
        ({"action": "correct", "column": "offset", "old": "1", "new": "2"}, "'correct' needs a row"),
        ({"action": "correct", "row": 2, "column": "fps", "old": "1", "new": "2"}, "'correct' needs a row, and one"),
        ({"action": "exclude", "code": "ME107"}, "'exclude' needs a video, or an image"),
        ({"action": "accept"}, "'accept' needs a row, a video, a path, an image or a code"),
        ({"action": "relocate", "layout": "raw", "found": "a"}, "'relocate' needs belongs"),
        ({"action": "undo"}, "'undo' needs undoes"),
        ({"action": "delete"}, "Input should be"),
    ],
)
def test_half_a_decision_is_none(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Decision(dataset="casme2", **fields)


def test_the_latest_decision_about_a_cell_stands(manifest: Manifest) -> None:
    row, other = manifest.annotations[:2]
    first = deciding.correct(manifest, row, "offset", 130)
    second = deciding.correct(manifest, row, "offset", 131)
    beside = deciding.correct(manifest, row, "onset", 3)
    elsewhere = deciding.correct(manifest, other, "offset", 130)
    assert standing([first, beside, second, elsewhere]) == [beside, second, elsewhere]
    undo = Decision(action="undo", dataset="casme2", undoes=second.id)
    assert standing([first, beside, second, elsewhere, undo]) == [first, beside, elsewhere]
    again = Decision(action="undo", dataset="casme2", undoes=undo.id)
    assert standing([first, beside, second, elsewhere, undo, again]) == [beside, second, elsewhere]


def test_a_finding_is_accepted_after_all(manifest: Manifest) -> None:
    doubt = next(each for each in manifest.findings if each.code == "ME103")
    about = about_finding(manifest, doubt)
    excluded, accepted = Decision(action="exclude", **about), Decision(action="accept", **about)
    assert standing([excluded, accepted, note(), note()])[0] == accepted
    assert len(standing([excluded, accepted, note(), note()])) == 3
    assert (about["video"], about["row"], about["column"], about["old"]) == (doubt.video, doubt.row, "apex", "/")


def test_values_are_written_as_the_workbook_does(manifest: Manifest, workbook: Workbook, casme_sq: Schema) -> None:
    row = manifest.annotations[0]
    about = [
        deciding.correct(manifest, row, column, value)
        for column, value in (("offset", 130), ("apex", None), ("aus", "4+L7B"), ("emotion", "disgust"))
    ]
    assert [(each.old, each.new) for each in about] == [
        (row.offset_raw, "131"),
        (row.apex_raw, ""),
        (row.au_raw, "4+L7B"),
        (row.emotion_raw, "disgust"),
    ]
    for column, value, message in (
        ("type", "micro", "the workbook has no column type that could be corrected"),
        ("onset", -1, "onset: -1 is not the number of a frame"),
        ("emotion", "joyful", "'joyful' is not an emotion of CASME II: "),
    ):
        with pytest.raises(DecisionsError, match=message):
            deciding.correct(manifest, row, column, value)


def test_changed_ground(manifest: Manifest, workbook: Workbook, casme2: Schema) -> None:
    first, second, third = manifest.annotations
    decision = deciding.correct(manifest, first, "offset", 130)
    twin = Decision(action="exclude", **about_row(manifest, third))
    assert deciding.changed_ground(decision, manifest) is None
    assert deciding.rows_of(twin, manifest.annotations) == [third]
    moved = convert(casme2, workbook([CASME2_HEADER, [], [], casme2_row()], name="b.xlsx")).manifest()
    assert deciding.changed_ground(decision, moved) is None
    edited = convert(casme2, workbook([CASME2_HEADER, casme2_row(offset=99)], name="c.xlsx")).manifest()
    assert deciding.changed_ground(decision, edited) == f"offset says '99' now, and said '{first.offset_raw}'"
    doubt = deciding.not_applied(decision, "gone")
    assert doubt.message == f"'correct' of row 2 of {first.video} was not applied: gone (decision {decision.id})"
    assert (doubt.code, doubt.where, doubt.video) == ("ME132", "book.xlsx, sheet 'Sheet1', row 2", first.video)
    gone = deciding.changed_ground(twin, edited)
    assert gone == f"{third.video} has no such row: EP03_02 with onset '{third.onset_raw}'"
    video = Decision(action="exclude", **about_video(manifest, second.video))
    assert deciding.changed_ground(video, manifest) is None
    assert deciding.changed_ground(video, replace(edited, videos=[], annotations=[])) == (
        f"there is no video {second.video}"
    )
    place = Decision(action="relocate", dataset="casme2", layout="x", found="a", belongs="b")
    assert deciding.changed_ground(place, manifest) == "there is no layout 'x'"
    assert deciding.changed_ground(note(), replace(manifest)) is None


def test_a_finding_without_a_row(manifest: Manifest) -> None:
    doubt = finding("ME102", "a row of text", place=Place("book.xlsx", "Sheet1", 9))
    assert about_finding(manifest, doubt)["row"] == 9
    folder = finding("ME203", "unknown", path="a/b")
    assert Decision(action="accept", **about_finding(manifest, folder)).about == "a/b"
