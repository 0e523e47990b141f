"""What the pages show of a dataset, and what becomes of their decisions."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datasets_me.convert.bulk import undo
from datasets_me.convert.make_manifest import make_manifest
from datasets_me.core.errors import Place
from datasets_me.export.segments import read_labels, write_segments
from datasets_me.findings.finding import finding
from datasets_me.formats import decisions
from datasets_me.formats import features as feature_files
from datasets_me.schema import schema_files
from datasets_me.viewer.dataset import Dataset
from datasets_me.viewer.session import Session, Wish
from datasets_me.viewer.web import RefusedError
from tests.viewer.conftest import HTML, World, entry


def names(session: Session, **query: str) -> list[str]:
    return [row["name"] for row in session.videos(query, 0, 100)["rows"]]


def row(session: Session, name: str) -> dict[str, Any]:
    return next(row for row in session.videos({}, 0, 100)["rows"] if row["name"] == name)


def doubt(session: Session, code: str) -> int:
    return next(number for number, finding in enumerate(session.dataset.findings) if finding.code == code)


def expression(session: Session, name: str, index: int = 0) -> dict[str, Any]:
    annotation: dict[str, Any] = session.video(entry(session, name).number)["annotations"][index]
    return annotation


def test_videos_that_need_eyes_most_come_first(session: Session) -> None:
    errors = ["casme_015_0503", "casme_015_0101", row_with(session, "ME202")]  # of as many, the worse frames first
    assert names(session)[:3] == errors
    assert set(names(session)[3:5]) == {"casme_016_0502", row_with(session, "ME301")}
    assert names(session, sort="name") == sorted(names(session))


def row_with(session: Session, code: str) -> str:
    (name,) = names(session, code=code)
    return name


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"subject": "casme_016", "search": "0502"}, ["casme_016_0502"]),
        ({"search": "0507 CASME_015"}, ["casme_015_0507"]),
        ({"search": "me107"}, ["casme_015_0503"]),
        ({"code": "ME103"}, ["casme_016_0502"]),
        ({"quality": "no features"}, [HTML]),
        ({"search": "nothing like it"}, []),
    ],
)
def test_filters(session: Session, query: dict[str, str], expected: list[str]) -> None:
    assert names(session, **query) == expected


def test_more_filters_and_pages(session: Session) -> None:
    everything = names(session)
    assert all(row(session, name)["macro"] for name in names(session, type="macro"))
    assert len(names(session, emotion="surprise")) == sum("surprise" in row(session, n)["emotions"] for n in everything)
    assert len(names(session, state="open")) == 5
    assert len(names(session, state="clear")) == 11
    assert len(names(session, quality="face lost")) == 15
    page = session.videos({}, 10, 5)
    assert (page["total"], [each["name"] for each in page["rows"]]) == (16, everything[10:15])


def test_a_video_with_all_that_is_known_of_it(session: Session) -> None:
    video = session.video(entry(session, "casme_015_0101").number)
    assert (video["first"], video["last"], video["fps"]) == (0, 37, 30)
    assert video["annotations"][0]["frames"] == {"onset": 5, "apex": 11, "offset": 17}
    assert video["annotations"][0]["raw"]["onset"] == "6"
    assert video["annotations"][0]["cells"]["onset"].endswith("cell C1")
    assert video["annotations"][0]["predicted"] == "positive"
    assert [(each["type"], each["onset"], each["hit"]) for each in video["predictions"]] == [
        ("micro", 1, False),
        ("macro", 5, True),
    ]
    assert video["doubtful_frames"]["no_face"] == [[20, 23]]
    assert [each["code"] for each in video["findings"] if each["severity"] != "info"] == ["ME603"]
    assert video["motion"]["names"][0] == "right_brow_outer"
    gap = session.video(entry(session, row_with(session, "ME301")).number)
    assert len(gap["lacking"]) == 1


def test_accepting_settles_one_finding_and_undoing_opens_it(session: Session) -> None:
    number = doubt(session, "ME107")
    saved = session.decide([Wish(action="accept", finding=number, note="seen")])["decisions"][0]
    assert row(session, "casme_015_0503")["state"] == "decided"
    shown = session.findings({"code": "ME107"}, 0, 10)["rows"][0]
    assert (shown["decision"]["action"], shown["decision"]["note"]) == ("accept", "seen")
    assert session.state()["counts"]["open"] == 4
    session.undo([saved["id"]])
    assert row(session, "casme_015_0503")["state"] == "open"


def test_each_finding_is_accepted_alone_wherever_it_is(world: World) -> None:
    """Those about the dataset differ in their messages alone, and lines of predictions are no rows of the workbook."""
    shutil.rmtree(world.decisions, ignore_errors=True)
    session = world.session()
    before = len(session.dataset.findings)
    video, first = "casme_015_0101", session.dataset.entries[0].annotations[0].source_row
    session.dataset.add(
        [
            finding("ME110", "0 rows labelled fear, published are 2"),
            finding("ME110", "1 row labelled sadness, published are 7"),
            finding("ME551", "1 to 99 lies outside", place=Place("spotted.csv", row=first), video=video),
            finding("ME551", "5 to 99 lies outside", place=Place("spotted.csv", row=1000), video=video),
            finding("ME116", "type 'x'", place=Place("book.xlsx", "Sheet1", 1001, "H"), video=video, found="x"),
        ]
    )
    count = len(session.dataset.findings)
    for number in range(before, count):
        session.decide([Wish(action="accept", finding=number)])
        settled = sorted(each["number"] for each in session.findings({"state": "decided"}, 0, 100)["rows"])
        assert settled == list(range(before, number + 1))
    assert session.state()["unfit"] == 0

    place = session.dataset.entries[0].annotations[0].place("apex")
    of_folders = [finding("ME404", f"apex outside {path}", place=place, path=path) for path in ("a", "b")]
    first_folder, second_folder = session.dataset.add(of_folders)
    (accepted,) = session.decide([Wish(action="accept", finding=first_folder)])["decisions"]
    assert [each["number"] for each in session.findings({"code": "ME404", "state": "open"}, 0, 10)["rows"]] == [
        second_folder
    ]
    session.undo([accepted["id"]])
    without_path = decisions.about_finding(world.manifest, of_folders[0]) | {"path": None}
    decisions.append(world.decisions, [decisions.Decision(action="accept", **without_path)])
    assert session.findings({"code": "ME404", "state": "open"}, 0, 10)["total"] == 0  # as before paths were kept
    session.close()


def test_a_correction_changes_what_is_shown_and_settles_its_doubt(session: Session, world: World) -> None:
    annotation = expression(session, "casme_015_0503", 1)
    assert annotation["frames"]["offset"] == 26
    session.decide([Wish(action="correct", annotation=annotation["id"], column="offset", value=31)])
    session.decide([Wish(action="correct", annotation=annotation["id"], column="type", value="macro")])
    corrected = expression(session, "casme_015_0503", 1)
    assert corrected["frames"]["offset"] == 31
    assert corrected["values"]["type"] == "macro"
    assert corrected["before"]["offset"] == 26
    assert session.findings({"code": "ME107"}, 0, 10)["rows"][0]["decision"]["action"] == "correct"
    saved = decisions.read(world.decisions).rows[0]
    assert (saved.old, saved.new, saved.column) == ("27", "32", "offset")
    session.decide([Wish(action="correct", annotation=annotation["id"], column="offset", value=None)])
    assert expression(session, "casme_015_0503", 1)["frames"]["offset"] is None


def test_what_a_correction_makes_wrong_is_a_finding_until_it_is_undone(session: Session) -> None:
    before = session.state()
    number = entry(session, "casme_015_0101").number
    known = [each["number"] for each in session.video(number)["findings"]]
    saved = session.decide([Wish(action="correct", annotation="casme_015_0101:1", column="offset", value=9)])
    message = "frames are out of order: onset 6, apex 12, offset 10"
    assert saved["causes"] == [{"code": "ME107", "name": "frames-out-of-order", "message": message}]
    (new,) = (each for each in session.video(number)["findings"] if each["number"] not in known)
    assert (new["message"], new["caused"], new["decision"]) == (message, True, None)
    assert (new["annotation"], new["column"]) == ("casme_015_0101:1", "offset")
    assert session.findings({"code": "ME107", "state": "open"}, 0, 10)["total"] == 2
    assert session.state()["counts"]["open"] == before["counts"]["open"] + 1
    session.decide([Wish(action="accept", finding=new["number"])])
    assert session.state()["counts"]["open"] == before["counts"]["open"]

    session.decide([Wish(action="correct", annotation="casme_015_0101:1", column="apex", value=8)])
    assert [each["number"] for each in session.video(number)["findings"]] == known
    session.undo([saved["decisions"][0]["id"]])
    session.undo([each.id for each in session.decided.every if each.action in ("correct", "accept")])
    assert session.state()["counts"] == before["counts"]
    assert [each["number"] for each in session.video(number)["findings"]] == known


def test_a_correction_that_mends_nothing_leaves_its_doubt_open(session: Session) -> None:
    annotation = expression(session, "casme_015_0503", 1)["id"]
    session.decide([Wish(action="correct", annotation=annotation, column="offset", value=25)])
    codes = {each["found"]: each["decision"] for each in session.findings({"code": "ME107"}, 0, 10)["rows"]}
    assert [decision is None for decision in codes.values()] == [False, True]
    assert row(session, "casme_015_0503")["state"] == "open"


def test_a_frame_outside_the_video_that_others_decided_is_not_applied(session: Session, world: World) -> None:
    annotation = next(row for row in world.manifest.annotations if row.id == "casme_015_0503:2")
    decision = decisions.correct(world.manifest, annotation, "offset", 31)
    decisions.append(world.decisions, [decision.model_copy(update={"new": "50"})])
    assert expression(session, "casme_015_0503", 1)["frames"]["offset"] == 26
    (unfit,) = session.findings({"code": "ME132"}, 0, 10)["rows"]
    assert "offset 50 lies outside the video, whose frames are 0 to 32, counted from 0" in unfit["message"]


def test_excluded_rows_and_videos(session: Session) -> None:
    annotation = expression(session, "casme_015_0503", 1)
    session.decide([Wish(action="exclude", annotation=annotation["id"])])
    assert expression(session, "casme_015_0503", 1)["excluded"]
    assert not expression(session, "casme_015_0503", 0)["excluded"]
    assert row(session, "casme_015_0503")["state"] == "decided"
    number = entry(session, "casme_016_0502").number
    session.decide([Wish(action="exclude", video=number)])
    assert names(session, state="excluded") == ["casme_016_0502"]
    assert session.video(number)["annotations"][1]["excluded"]


def test_decisions_reach_the_manifest_and_the_segments(session: Session, world: World, tmp_path: Path) -> None:
    wrong = doubt(session, "ME202")
    session.decide(
        [
            Wish(action="correct", annotation="casme_015_0503:2", column="offset", value=31),
            Wish(action="correct", annotation="casme_015_0101:1", column="emotion", value="surprise"),
            Wish(action="exclude", annotation="casme_015_0101:2", note="a blink"),
            Wish(action="relocate", finding=wrong),
        ]
    )
    assert session.findings({"code": "ME202"}, 0, 10)["rows"][0]["decision"]["action"] == "relocate"
    schema = schema_files.load_file(world.folder / "set" / "schema.yaml")
    workbook = str(world.folder / "set" / "CAS(ME)^2code_final.xlsx")
    manifest = make_manifest(schema, workbook, world.root, decisions=decisions.read(world.decisions))
    rows = {row.id: row for row in manifest.annotations}
    assert rows["casme_015_0503:2"].offset == 31
    assert rows["casme_015_0101:1"].emotion == "surprise"
    assert "casme_015_0101:2" not in rows
    assert [video.path for video in manifest.videos if video.relocated] == [session.dataset.findings[wrong].path]
    assert not [finding for finding in manifest.findings if finding.code == "ME107"]

    features = feature_files.read(world.folder / "features", manifest)
    write_segments(manifest, features, tmp_path / "segments")
    shown = read_labels(tmp_path / "segments")
    labels = {label.annotation: label for label in shown}
    assert "casme_015_0101:2" not in labels
    assert labels["casme_015_0503:2"].offset == 31


def test_all_that_fit_are_counted_first(session: Session) -> None:
    query = {"code": "ME107", "search": "", "severity": ""}
    assert session.decide_all(query, "count", None, 0) == {"findings": 1, "rows": 1, "videos": 0, "neither": 0}
    with pytest.raises(RefusedError, match="the findings that fit are 1 by now, not 2; look again"):
        session.decide_all(query, "exclude", None, 2)
    saved = session.decide_all(query, "exclude", "bulk", 1)["decisions"]
    assert expression(session, "casme_015_0503", 1)["excluded"] == saved[0]["id"]
    query = {"code": "", "search": "", "severity": "doubts"}
    assert len(session.decide_all(query, "accept", None, 4)["decisions"]) == 4
    taken, _ = undo(session.decided.every)  # as ``me-datasets decide --undo`` does
    assert len(taken) == 4
    assert session.state()["counts"]["open"] == 0


def test_a_gap_inside_a_corrected_expression_is_found_again(session: Session, world: World) -> None:
    video = session.video(entry(session, row_with(session, "ME301")).number)
    ((missing, _),) = video["lacking"]
    row = next(
        each
        for each in video["annotations"]
        if missing not in range(each["frames"]["onset"], each["frames"]["offset"] + 1)
    )
    column = "onset" if missing < row["frames"]["onset"] else "offset"
    saved = session.decide([Wish(action="correct", annotation=row["id"], column=column, value=missing)])
    (cause,) = (each for each in saved["causes"] if each["code"] == "ME405")
    ends = sorted((missing, row["frames"]["offset" if column == "onset" else "onset"]))
    base = 1  # of the numbers in the names of the files
    assert cause["message"] == f"1 frame missing between onset {ends[0] + base} and offset {ends[1] + base}"
    assert session.findings({"code": "ME405", "state": "open"}, 0, 10)["total"] == 1
    nearer = missing + 1 if column == "onset" else missing - 1
    session.decide([Wish(action="correct", annotation=row["id"], column=column, value=nearer)])
    assert session.findings({"code": "ME405"}, 0, 10)["total"] == 0


def test_what_another_program_decides_is_seen(session: Session, world: World) -> None:
    before = session.revision
    finding = session.dataset.findings[doubt(session, "ME103")]
    about = decisions.about_finding(world.manifest, finding)
    decisions.append(world.decisions, [decisions.Decision(action="accept", **about)])
    assert session.revision != before
    assert row(session, "casme_016_0502")["state"] == "decided"


def test_a_decision_whose_ground_has_changed_settles_nothing(session: Session, world: World) -> None:
    annotation = next(row for row in world.manifest.annotations if row.id == "casme_015_0503:2")
    decision = decisions.correct(world.manifest, annotation, "offset", 31)
    decisions.append(world.decisions, [decision.model_copy(update={"old": "99"})])
    assert expression(session, "casme_015_0503", 1)["frames"]["offset"] == 26
    (unfit,) = session.findings({"code": "ME132", "state": "open"}, 0, 10)["rows"]
    message = "'correct' of row 12 of casme_015_0503 was not applied: offset says '27' now, and said '99'"
    assert unfit["message"].startswith(message)
    assert (session.state()["unfit"], unfit["caused"]) == (1, False)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"action": "correct", "annotation": "x", "column": "onset", "value": 1}, "there is no such annotation"),
        (
            {"action": "correct", "annotation": "casme_015_0101:1", "column": "onset", "value": "7"},
            "is not the number of a frame",
        ),
        (
            {"action": "correct", "annotation": "casme_015_0101:1", "column": "emotion", "value": "bored"},
            "'bored' is not an emotion",
        ),
        (
            {"action": "correct", "annotation": "casme_015_0503:2", "column": "offset", "value": 33},
            "offset: frame 33 lies outside the video, whose frames are 0 to 32",
        ),
        (
            {"action": "correct", "annotation": "casme_015_0101:1", "column": "aus", "value": "4+foo"},
            r"'foo' in '4\+foo' was not understood \(ME111\)",
        ),
        (
            {"action": "correct", "annotation": "casme_015_0101:1", "column": "aus", "value": "4+3"},
            r"FACS has no action unit 3, in '4\+3' \(ME112\)",
        ),
        ({"action": "relocate", "finding": 0}, "it is not known where this folder belongs"),
        ({"action": "exclude", "video": 99}, "there is no video 99"),
    ],
)
def test_what_cannot_be_decided(session: Session, world: World, wish: dict[str, Any], message: str) -> None:
    fine = Wish(action="note", video=0, note="with the others or not at all")
    with pytest.raises(RefusedError, match=message):
        session.decide([fine, Wish(**wish)])
    assert not world.decisions.exists()


def test_annotations_at_another_rate_lie_on_the_frames_of_the_video(world: World) -> None:
    slow = [row.model_copy(update={"fps": 15.0}) for row in world.manifest.annotations]
    dataset = Dataset(replace(world.manifest, annotations=slow), world.root)
    session = Session(dataset, world.decisions)
    annotation = expression(session, "casme_015_0101")
    assert (annotation["values"]["apex"], annotation["frames"]["apex"]) == (11, 22)
    session.close()
