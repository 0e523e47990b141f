"""Decisions applied: the same from a workbook, from a manifest, and from the schema that is made of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_me.convert.bulk import bulk
from datasets_me.convert.convert import convert
from datasets_me.convert.decided import decide, with_decisions
from datasets_me.convert.make_manifest import make_manifest
from datasets_me.core.errors import DecisionsError
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.decisions import (
    Decision,
    Decisions,
    about_finding,
    about_row,
    about_video,
    correct,
    standing,
)
from datasets_me.formats.manifest import Manifest
from datasets_me.schema.schema_files import Schema
from tests.conftest import CASME2_HEADER, Workbook, casme2_row

ROWS = [
    casme2_row(),
    casme2_row(clip="EP03_02", onset=5, apex="/", offset=40),
    casme2_row(clip="EP03_02", onset=60, apex=61, offset=50, emotion="hapiness"),
    casme2_row(clip="EP03_02", onset=60, apex=61, offset=50, emotion="hapiness"),
    casme2_row(subject="02", clip="EP01_11f", aus="L1+glare"),
]


@pytest.fixture
def book(workbook: Workbook) -> Path:
    return workbook([CASME2_HEADER, *ROWS])


@pytest.fixture
def manifest(casme2: Schema, book: Path) -> Manifest:
    return convert(casme2, book).manifest()


def codes(manifest: Manifest, *wanted: str) -> list[tuple[str, str]]:
    return [(each.where, each.message) for each in manifest.findings if each.code in wanted]


def codes_of(manifest: Manifest, code: str) -> list[Finding]:
    return [each for each in manifest.findings if each.code == code]


def in_order(manifest: Manifest) -> list[str]:
    return sorted(each.model_dump_json() for each in manifest.findings)


def without_ids(manifest: Manifest) -> list[Any]:
    """The annotations; a row that loses all its frames is no annotation, and ids of later rows do not count it."""
    return [row.model_copy(update={"id": ""}) for row in manifest.annotations]


VALUES: dict[str, Any] = {
    "onset": st.none() | st.integers(0, 200),
    "apex": st.none() | st.integers(0, 200),
    "offset": st.none() | st.integers(0, 200),
    "aus": st.none() | st.sampled_from(["4", "R4+12A", "12 or 14", "nonsense"]),
    "emotion": st.none() | st.sampled_from(["disgust", "happiness", "fear"]),
}


@st.composite
def choices(draw: st.DrawFn) -> list[tuple[int, str, Any]]:
    row, column = st.integers(0, len(ROWS) - 1), st.sampled_from(["row", "video", *VALUES])
    return [
        (draw(row), name, draw(VALUES[name]) if name in VALUES else None) for name in draw(st.lists(column, max_size=5))
    ]


def decided(manifest: Manifest, chosen: list[tuple[int, str, Any]]) -> Decisions:
    decisions = []
    for index, name, value in chosen:
        row = manifest.annotations[index]
        if name == "row":
            decisions.append(Decision(action="exclude", note="turns away", **about_row(manifest, row)))
        elif name == "video":
            decisions.append(Decision(action="exclude", **about_video(manifest, row.video)))
        else:
            decisions.append(correct(manifest, row, name, value))
    return Decisions(tuple(decisions))


@settings(max_examples=25)
@given(choices())
def test_a_manifest_a_workbook_and_a_schema_agree(book: Path, manifest: Manifest, chosen: Any) -> None:
    decisions = decided(manifest, chosen)
    converted = make_manifest(manifest.schema, str(book), decisions=decisions)
    by_schema = convert(with_decisions(manifest.schema, standing(decisions.rows)), book).manifest()
    assert (converted.annotations, converted.videos) == (by_schema.annotations, by_schema.videos)
    assert in_order(converted) == in_order(by_schema)
    assert converted.schema == by_schema.schema
    from_manifest = decide(manifest, decisions)
    assert without_ids(from_manifest) == without_ids(converted)
    for code in sorted({each.code for each in (*from_manifest.findings, *converted.findings)} - {"ME110", "ME137"}):
        assert sorted(codes(from_manifest, code)) == sorted(codes(converted, code)), code
    assert decide(from_manifest, decisions) == from_manifest


def test_what_was_corrected_leads_back_to_cell_and_decision(manifest: Manifest, book: Path) -> None:
    row = manifest.annotations[2]
    decision = correct(manifest, row, "offset", 79, note="seen")
    converted = make_manifest(manifest.schema, str(book), decisions=Decisions((decision,)))
    changed = converted.annotations[2]
    assert (changed.offset, changed.offset_raw, changed.corrected) == (79, "50", {"offset": "80"})
    assert converted.annotations[3] == manifest.annotations[3]
    where = "book.xlsx, sheet 'Sheet1', cell F4"
    assert codes(converted, "ME117") == [(where, f"offset 50 became 80: seen (decision {decision.id})")]
    assert codes(decide(manifest, Decisions((decision,))), "ME117") == codes(converted, "ME117")
    assert [where for where, _ in codes(converted, "ME107")] == ["book.xlsx, sheet 'Sheet1', cell F5"]
    assert converted.options["decisions"] == [decision.id]


def test_one_of_two_rows_that_are_alike_is_left_out(manifest: Manifest, book: Path) -> None:
    decision = Decision(action="exclude", **about_row(manifest, manifest.annotations[3]))
    converted = make_manifest(manifest.schema, str(book), decisions=Decisions((decision,)))
    assert [row.source_row for row in converted.annotations] == [2, 3, 4, 6]
    assert [row.id for row in converted.annotations] == [manifest.annotations[i].id for i in (0, 1, 2, 4)]
    left_out = ("book.xlsx, sheet 'Sheet1', row 5", f"the row is left out: decision {decision.id}")
    assert codes(converted, "ME134", "ME109") == [left_out]
    assert codes(decide(manifest, Decisions((decision,))), "ME134") == [left_out]


def test_a_changed_cell_is_not_corrected(manifest: Manifest, workbook: Workbook) -> None:
    decision = correct(manifest, manifest.annotations[0], "offset", 90)
    newer = workbook([CASME2_HEADER, casme2_row(offset=99)], name="newer.xlsx")
    converted = make_manifest(manifest.schema, str(newer), decisions=Decisions((decision,)))
    assert converted.annotations[0].offset == 98
    message = f"offset says '99' now, and said '86' (decision {decision.id})"
    assert codes(converted, "ME132") == [
        ("book.xlsx, sheet 'Sheet1', row 2", f"'correct' of row 2 of casme2_01_EP02_01f was not applied: {message}")
    ]
    assert converted.options["decisions"] == []
    assert [each.severity for each in converted.findings if each.code == "ME132"] == ["error"]
    assert codes(converted, "ME135") == []


def test_decisions_hold_for_another_file_that_says_the_same(manifest: Manifest, workbook: Workbook) -> None:
    decision = correct(manifest, manifest.annotations[0], "offset", 90)
    newer = workbook([CASME2_HEADER, casme2_row(clip="EP09_09"), casme2_row()], name="newer.xlsx")
    converted = make_manifest(manifest.schema, str(newer), decisions=Decisions((decision,)))
    assert [row.offset for row in converted.annotations] == [85, 90]
    message = "1 decision made on another file, in which the rows say the same"
    assert codes(converted, "ME132", "ME135") == [("newer.xlsx", message)]


def test_what_was_accepted_in_a_cell_that_changed_is_not_applied(casme2: Schema, workbook: Workbook) -> None:
    """The first is mended, the second is another mistake now, the third finds the same in another text."""

    def sheet(name: str, apex: object, offset: int, aus: str) -> Path:
        rows = [casme2_row(apex=apex), casme2_row(clip="EP03_03", offset=offset), casme2_row(clip="EP03_04", aus=aus)]
        return workbook([CASME2_HEADER, *rows, casme2_row(clip="EP03_05", offset=50)], name=name)

    before = convert(casme2, sheet("older.xlsx", "/", 50, "4+glare")).manifest()
    decisions = Decisions(tuple(bulk(before, ["ME103", "ME107", "ME111"], "accept", ()).decisions))
    newer = sheet("newer.xlsx", 70, 51, "12+glare")
    converted = make_manifest(casme2, str(newer), decisions=decisions)
    from_manifest = decide(convert(casme2, newer).manifest(), decisions)
    assert in_order(from_manifest) == in_order(converted)
    assert decide(from_manifest, decisions) == from_manifest
    reasons = {
        (each.code, each.row): each.message.partition(" was not applied: ")[2].partition(" (decision")[0]
        for code in ("ME132", "ME138")
        for each in codes_of(converted, code)
    }
    assert reasons == {
        ("ME132", 3): "offset says '51' now, and said '50'",
        ("ME132", 4): "aus says '12+glare' now, and said '4+glare'",
        ("ME138", 2): "apex says '70' now, and said '/'",
    }
    assert [each.severity for each in codes_of(converted, "ME138")] == ["info"]
    of_check = finding("ME404", "the apex is outside", subject="s01", video=before.annotations[0].video)
    accepted = Decisions((Decision(action="accept", **about_finding(before, of_check)),))
    assert codes(make_manifest(casme2, str(newer), decisions=accepted), "ME132", "ME138") == []
    assert converted.options["decisions"] == [each.id for each in decisions.rows if each.row == 5]
    assert [each.message for each in codes_of(converted, "ME135")] == [
        "1 decision made on another file, in which the rows say the same"
    ]
    assert [each.row for each in converted.findings if each.code == "ME111" and each.severity != "info"] == [4]


def test_an_accepted_finding_is_no_error_any_more(manifest: Manifest, book: Path) -> None:
    first, second = (each for each in manifest.findings if each.code == "ME107")
    decision = Decision(action="accept", note="as filmed", **about_finding(manifest, first))
    changed = Decision(action="accept", **{**about_finding(manifest, second), "old": "something else"})
    converted = make_manifest(manifest.schema, str(book), decisions=Decisions((decision, changed)))
    assert in_order(decide(manifest, Decisions((decision, changed)))) == in_order(converted)
    found = {each.row: each for each in converted.findings if each.code == "ME107"}
    assert (found[4].severity, found[5].severity) == ("info", "error")
    assert found[4].message == f"{first.message}; accepted: as filmed (decision {decision.id})"
    ((_, message),) = codes(converted, "ME132")
    assert "ME107 finds 'onset 60, apex 61, offset 50' now, and found 'something else'" in message


def test_one_folder_of_a_row_is_accepted_without_the_other(manifest: Manifest) -> None:
    place = manifest.annotations[0].place("apex")
    doubts = [finding("ME404", f"apex outside {path}", place=place, path=path) for path in ("a", "b")]
    both = replace(manifest, findings=[*manifest.findings, *doubts])
    accepted = Decision(action="accept", **about_finding(both, doubts[1]))
    for decision, severities in (
        (accepted, ["warning", "info"]),
        (accepted.model_copy(update={"path": None}), ["info", "info"]),  # from before paths were kept
    ):
        decided = decide(both, Decisions((decision,)))
        assert [each.severity for each in codes_of(decided, "ME404")] == severities
        assert decided.options["decisions"] == [decision.id]


def test_a_row_that_became_no_annotation_is_no_other_row_of_its_video(casme2: Schema, workbook: Workbook) -> None:
    book = workbook([CASME2_HEADER, casme2_row(), casme2_row(onset="?", apex="?", offset="?")])
    manifest = convert(casme2, book).manifest()
    accepted = bulk(manifest, ["ME101"], "accept", ()).decisions
    converted = make_manifest(manifest.schema, str(book), decisions=Decisions(tuple(accepted)))
    assert in_order(decide(manifest, Decisions(tuple(accepted)))) == in_order(converted)
    assert [(each.row, each.severity) for each in converted.findings if each.code == "ME101"] == [(3, "info")]
    assert codes(converted, "ME132") == []

    nothing = bulk(manifest, ["ME101"], "exclude", ())
    assert (nothing.decisions, nothing.unchanged) == ([], {"names a row that is not in the manifest": 1})
    by_hand = Decision(action="exclude", **about_finding(manifest, codes_of(manifest, "ME101")[0]))
    assert decide(manifest, Decisions((by_hand,))).annotations == manifest.annotations


def test_what_was_taken_back_after_converting_is_said(manifest: Manifest, book: Path) -> None:
    decision = Decision(action="exclude", **about_row(manifest, manifest.annotations[0]))
    undo = Decision(action="undo", dataset="casme2", undoes=decision.id)
    converted = make_manifest(manifest.schema, str(book), decisions=Decisions((decision,)))
    assert codes(decide(converted, Decisions((decision,))), "ME132") == []
    ((_, message),) = codes(decide(converted, Decisions((decision, undo))), "ME132")
    assert message.startswith("'exclude' of row 2 of casme2_01_EP02_01f was taken back, and the manifest still has it")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for path in ("sub01/EP02_01f", "sub01/EP03_02", "sub02/EP01_11f", "sub09/EP09_09"):
        folder = tmp_path / "CASME2-RAW" / path
        folder.mkdir(parents=True)
        (folder / "img1.jpg").touch()
    return tmp_path


def test_a_video_is_left_out_with_its_folder(manifest: Manifest, book: Path, tree: Path) -> None:
    videos = [manifest.annotations[1].video, "casme2_09_EP09_09"]
    decisions = Decisions(tuple(Decision(action="exclude", **about_video(manifest, video)) for video in videos))
    whole = make_manifest(manifest.schema, str(book), tree)
    assert {row.video for row in whole.videos} > set(videos)
    converted = decide(whole, decisions)
    assert {row.video for row in converted.videos} == {row.video for row in whole.videos} - set(videos)
    assert [row.source_row for row in converted.annotations] == [2, 6]
    assert [where for where, _ in codes(converted, "ME134")] == [
        *(f"book.xlsx, sheet 'Sheet1', row {row}" for row in (3, 4, 5)),
        "CASME2-RAW/sub01/EP03_02",
        "CASME2-RAW/sub09/EP09_09",
    ]
    for again in (
        make_manifest(manifest.schema, str(book), tree, decisions=decisions),
        make_manifest(with_decisions(whole.schema, decisions.rows), str(book), tree),
    ):
        assert (again.videos, again.annotations) == (converted.videos, converted.annotations)
        assert codes(again, "ME134", "ME132") == codes(converted, "ME134")
    ((_, message),) = codes(make_manifest(manifest.schema, str(book), decisions=decisions), "ME132")
    assert "'exclude' of casme2_09_EP09_09 was not applied: there is no video casme2_09_EP09_09" in message


def test_a_folder_is_relocated_where_it_is(manifest: Manifest, book: Path, tree: Path) -> None:
    layout = next(video.layout for video in make_manifest(manifest.schema, str(book), tree).videos if video.path)
    fields: dict[str, Any] = {"action": "relocate", "dataset": "casme2", "layout": layout}
    there = Decision(**fields, found="sub09/EP09_09", belongs="sub02/EP09_09")
    gone = Decision(**fields, found="sub08/EP01_01", belongs="sub02/EP01_01")
    converted = make_manifest(manifest.schema, str(book), tree, decisions=Decisions((there, gone)))
    assert [row.path for row in converted.videos if row.relocated] == ["CASME2-RAW/sub09/EP09_09"]
    assert [where for where, _ in codes(converted, "ME201")] == ["CASME2-RAW/sub09/EP09_09"]
    ((_, message),) = codes(converted, "ME132")
    assert message.endswith(f"no folder sub08/EP01_01 in the layout '{layout}' (decision {gone.id})")
    before = make_manifest(manifest.schema, str(book), tree)
    from_manifest = decide(before, Decisions((there, gone)))
    assert (from_manifest.videos, from_manifest.options) == (converted.videos, converted.options)
    assert in_order(from_manifest) == in_order(converted)
    assert decide(from_manifest, Decisions((there, gone))) == from_manifest
    assert codes(decide(manifest, Decisions((there,))), "ME132", "ME201") == []


def test_a_frame_outside_the_video_is_refused(manifest: Manifest, book: Path, tree: Path) -> None:
    folder = tree / "CASME2-RAW" / "sub01" / "EP02_01f"
    for number in range(2, 91):
        (folder / f"img{number}.jpg").touch()
    whole = make_manifest(manifest.schema, str(book), tree)
    row = whole.annotations[0]
    with pytest.raises(DecisionsError, match="offset: frame 90 lies outside the video, whose frames are 0 to 89"):
        correct(whole, row, "offset", 90)
    beyond = correct(manifest, row, "offset", 90)  # without folders, nobody knows
    inside = correct(whole, row, "apex", 80)
    decisions = Decisions((beyond, inside))
    for decided in (decide(whole, decisions), make_manifest(manifest.schema, str(book), tree, decisions=decisions)):
        changed = decided.annotations[0]
        assert (changed.apex, changed.offset) == (80, row.offset)
        reason = "offset 91 lies outside the video, whose frames are 0 to 89, counted from 0"
        message = f"'correct' of row 2 of {row.video} was not applied: {reason} (decision {beyond.id})"
        assert [each for _, each in codes(decided, "ME132")] == [message]
        assert decided.options["decisions"] == [inside.id]
        assert decide(decided, decisions) == decided


@pytest.mark.parametrize("added", [0, 1])
def test_durations_are_compared_again(workbook: Workbook, samm_lv: Schema, added: int) -> None:
    """A correction may mend a duration, or break one, by the convention that the workbook follows."""
    header = ["Subject", "Filename", "Inducement Code", "Onset", "Apex", "Offset", "Duration", "Type", "Action Units"]
    ends = [125, 220, 320, 420, 520]
    rows = [["006", f"006_1_{end // 100}", 1, end // 100 * 100, 410, end, 20 + added, "Macro", "4"] for end in ends]
    book = workbook([header, *rows])
    manifest = convert(samm_lv, book).manifest()
    mended, broken, other = manifest.annotations[:3]
    decisions = Decisions(
        (
            correct(manifest, mended, "offset", mended.onset + 20),
            correct(manifest, broken, "onset", broken.onset - 3),
            correct(manifest, other, "apex", other.apex + 1),
        )
    )
    assert [each.row for each in manifest.findings if each.code == "ME124"] == [2]
    again = decide(manifest, decisions)
    message = f"duration is {20 + added}, onset to offset is {23 + added}"
    assert codes(again, "ME124") == [("book.xlsx, sheet 'Sheet1', cell G3", message)]
    assert codes(make_manifest(samm_lv, str(book), decisions=decisions), "ME124") == codes(again, "ME124")
