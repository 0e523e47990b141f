"""Deciding, listing, comparing, and applying decisions, as a user runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from datasets_me.cli import app, pipeline
from datasets_me.convert.convert import convert, convert_any
from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats import decisions as deciding
from datasets_me.formats import manifest as manifests
from datasets_me.formats import split as splits
from datasets_me.formats.decisions import Decision, about_finding, about_row, about_video
from datasets_me.formats.manifest import Manifest
from datasets_me.images import decisions as of_images
from datasets_me.images.decisions import decision_about
from datasets_me.schema.schema_files import Schema
from tests.conftest import CASME2_HEADER, Workbook, casme2_row
from tests.export.builders import noise
from tests.images.made import image_set

Tool = Callable[..., Result]


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """The program in this process; an error that it would print is raised."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Result:
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if isinstance(done.exception, MeDatasetsError):
            raise done.exception
        return done

    return run


@pytest.fixture
def manifest(tmp_path: Path, workbook: Workbook, casme2: Schema) -> Manifest:
    rows = [
        casme2_row(onset=1, apex=9, offset=20),
        casme2_row(clip="EP03_02", onset=5, apex="/", offset=30),
        casme2_row(clip="EP03_03", onset=20, apex=21, offset=10),
        casme2_row(subject="02", clip="EP01_11f", onset=20, apex=21, offset=10),
    ]
    made = convert(casme2, workbook([CASME2_HEADER, *rows])).manifest()
    manifests.write(made, tmp_path / "m")
    return made


def decided(tmp_path: Path) -> list[Decision]:
    return list(deciding.read(tmp_path / "decisions").rows)


def test_deciding_in_bulk_and_back(tool: Tool, manifest: Manifest, tmp_path: Path) -> None:
    done = tool("decide", "m", "--code", "ME107", "--exclude", "--note", "typing mistake")
    assert (done.exit_code, done.stdout) == (
        0,
        "would be excluded: 2 rows\nnothing is saved; add --apply to do it\n",
    )
    assert not (tmp_path / "decisions").exists()
    done = tool("decide", "m", "--code", "ME107", "--exclude", "--note", "typing mistake", "--apply")
    assert done.stdout == "excluded: 2 rows\nsaved in decisions; --undo takes it back\n"
    assert [(each.row, each.action, each.note) for each in decided(tmp_path)] == [
        (4, "exclude", "typing mistake"),
        (5, "exclude", "typing mistake"),
    ]
    done = tool("decide", "m", "--code", "ME103,ME107,ME110", "--accept", "--apply")
    unpublished = sum(each.code == "ME110" for each in manifest.findings)
    assert done.stdout.splitlines()[:2] == [
        f"accepted: {1 + unpublished} findings",
        "  unchanged: 2 findings, decided already",
    ]
    done = tool("decide", "m", "--code", "ME107,ME115,ME402", "--accept")
    assert done.stdout.splitlines() == [
        "would be accepted: 0 findings",
        "  unchanged: 2 findings, decided already",
        "  the manifest has no finding ME115, ME402; those that only me-datasets check makes are not in it",
        "nothing is saved",
    ]
    elsewhere = Decision(action="exclude", dataset="samm", video="samm_006_1", batch="later")
    deciding.append(tmp_path / "decisions", [elsewhere])
    assert tool("decide", "m", "--undo").stdout == f"taken back: {1 + unpublished} decisions\n"
    assert tool("decide", "m", "--undo").stdout == "taken back: 2 decisions\n"
    with pytest.raises(MeDatasetsError, match="there is nothing to take back"):
        tool("decide", "m", "--undo")
    done = tool("decide", "m", "--code", "ME110", "--exclude", "--apply")
    assert done.stdout.splitlines() == [
        "excluded: 0 rows",
        f"  unchanged: {unpublished} findings, names no row and no video",
        "nothing is saved",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--code", "ME107"], "say which findings, and what is decided about them"),
        (["--exclude"], "say which findings, and what is decided about them"),
        (["--code", "ME999", "--exclude"], "'ME999' selects no finding code"),
        (["--undo", "--exclude"], "--undo takes back what was saved, and nothing else"),
    ],
)
def test_half_a_request(tool: Tool, manifest: Manifest, arguments: list[str], message: str) -> None:
    with pytest.raises(MeDatasetsError, match=message):
        tool("decide", "m", *arguments)


def test_listing(tool: Tool, manifest: Manifest, tmp_path: Path) -> None:
    row = manifest.annotations[0]
    first = deciding.correct(manifest, row, "offset", 24)
    second = deciding.correct(manifest, row, "offset", 25, note="seen")
    changed = Decision(action="exclude", **{**about_row(manifest, row), "onset": "7"})
    deciding.append(tmp_path / "decisions", [first, second, changed])
    listed = tool("decisions", "list", "decisions")
    assert listed.exit_code == 0
    assert f"{second.id}  correct  row 2 of casme2_01_EP02_01f        offset  20    26  seen" in listed.stdout
    assert listed.stdout.endswith("\n2 decisions in force, of 3 that were made\n")
    done = tool("decisions", "list", "decisions", "--every", "--manifest", "m", "--json")
    answer = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [each["in_force"] for each in answer["decisions"]] == [False, True, True]
    assert [each["code"] for each in answer["findings"]] == ["ME132"]


def test_listing_names_an_accepted_finding_that_changed(tool: Tool, manifest: Manifest, tmp_path: Path) -> None:
    """As `split` does, and without the line about decisions that were made on another file (ME135)."""
    doubt = next(each for each in manifest.findings if each.code == "ME107")
    about = about_finding(manifest, doubt) | {"old": "onset 20, apex 21, offset 9", "source": "another"}
    deciding.append(tmp_path / "decisions", [Decision(action="accept", **about)])
    for arguments in (
        ("decisions", "list", "decisions", "--manifest"),
        ("split", "-o", "s", "--decisions", "decisions"),
    ):
        done = tool(*arguments, "m", "--json")
        assert done.exit_code == 1
        assert [each["code"] for each in json.loads(done.stdout)["findings"]] == ["ME132"]


def test_a_schema_of_decisions_converts_as_the_decisions_do(tool: Tool, manifest: Manifest, tmp_path: Path) -> None:
    decisions = [
        deciding.correct(manifest, manifest.annotations[0], "offset", 24),
        Decision(action="exclude", **about_row(manifest, manifest.annotations[2])),
        Decision(action="exclude", **about_video(manifest, "casme2_02_EP01_11f")),
    ]
    deciding.append(tmp_path / "decisions", decisions)
    assert tool("decisions", "to-corrections", "decisions", "-o", "my.yaml").exit_code == 0
    by_schema = tool("convert", "--schema", "my.yaml", "book.xlsx", "-o", "a")
    by_decisions = tool("convert", "casme2", "book.xlsx", "-o", "b", "--decisions", "decisions")
    assert by_decisions.exit_code == by_schema.exit_code == 0
    assert "\n3 decisions applied\n" in by_decisions.stdout
    for name in ("annotations.parquet", "videos.parquet", "findings.parquet", "schema.yaml"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    assert [row.offset for row in manifests.read(tmp_path / "b").annotations] == [24, 29]
    with pytest.raises(MeDatasetsError, match="--decisions and --no-corrections exclude each other"):
        tool("convert", "casme2", "book.xlsx", "-o", "c", "--decisions", "decisions", "--no-corrections")


def test_of_which_dataset(tool: Tool, tmp_path: Path) -> None:
    deciding.append(tmp_path / "decisions", [])
    with pytest.raises(MeDatasetsError, match="the folder of decisions is empty"):
        tool("decisions", "to-corrections", "decisions")
    notes = [Decision(action="note", dataset=name, note="x", video="v") for name in ("casme2", "samm")]
    deciding.append(tmp_path / "decisions", notes)
    with pytest.raises(MeDatasetsError, match="about several datasets: casme2, samm"):
        tool("decisions", "to-corrections", "decisions")
    with (tmp_path / "decisions" / "decisions.jsonl").open("a") as file:
        file.write("{}\n")
    done = tool("decisions", "to-corrections", "decisions", "--dataset", "samm")
    assert "\nid: samm\n" in done.stdout
    assert "ME133 decisions/decisions.jsonl, row 3: line 3 is not a decision: action: Field required" in done.stderr


def test_two_people(tool: Tool, manifest: Manifest, tmp_path: Path) -> None:
    first, second, third, _ = manifest.annotations
    accepted = {
        name: Decision(action="accept", **about_row(manifest, row))
        for name, row in zip("abcd", manifest.annotations, strict=True)
    }
    deciding.append(
        tmp_path / "anna",
        [
            deciding.correct(manifest, first, "offset", 24),
            deciding.correct(manifest, second, "apex", 20),
            deciding.correct(manifest, first, "emotion", "happiness"),
            accepted["c"],
        ],
    )
    deciding.append(
        tmp_path / "ben",
        [
            deciding.correct(manifest, first, "offset", 21),
            deciding.correct(manifest, second, "offset", 30),
            Decision(action="exclude", **about_row(manifest, third)),
            accepted["d"],
        ],
    )
    done = tool("decisions", "diff", "anna", "ben")
    assert done.exit_code == 1
    assert (
        done.stdout
        == """A: anna
B: ben

decided about by both: 3; only by A: 0; only by B: 1

Labels
column   rows  equal  kappa
verdict     3      2  0.000
emotion     2      1  0.000
aus         2      2      -

Frames
column  rows  equal  only one  mean B - A  mean |B - A|
onset      2      2         0        0.00          0.00
apex       1      1         1        0.00          0.00
offset     2      0         0       -1.00          2.00

Where they differ
about                        column   A          B         where
row 2 of casme2_01_EP02_01f  offset   25         22        book.xlsx, sheet 'Sheet1', row 2
row 2 of casme2_01_EP02_01f  emotion  happiness  disgust   book.xlsx, sheet 'Sheet1', row 2
row 3 of casme2_01_EP03_02   apex     21         -         book.xlsx, sheet 'Sheet1', row 3
row 3 of casme2_01_EP03_02   offset   30         31        book.xlsx, sheet 'Sheet1', row 3
row 4 of casme2_01_EP03_03   verdict  used       excluded  book.xlsx, sheet 'Sheet1', row 4
"""
    )
    answer = json.loads(tool("decisions", "diff", "anna", "ben", "--json").stdout)
    assert answer["frames"][2] == {
        "column": "offset",
        "rows": 2,
        "equal": 0,
        "one_only": 0,
        "mean": -1.0,
        "absolute": 2.0,
    }


def test_the_same_is_the_same(tool: Tool, manifest: Manifest, tmp_path: Path) -> None:
    deciding.append(tmp_path / "a", [Decision(action="exclude", **about_row(manifest, manifest.annotations[0]))])
    assert tool("decisions", "diff", "a", "a").exit_code == 0


def test_nothing_can_be_compared(tool: Tool, manifest: Manifest, tmp_path: Path) -> None:
    deciding.append(tmp_path / "a", [Decision(action="exclude", **about_row(manifest, manifest.annotations[0]))])
    deciding.append(tmp_path / "b", [])
    with pytest.raises(
        MeDatasetsError, match=r"nothing can be compared: .* both decided \(A decided about 1, B about 0\)"
    ):
        tool("decisions", "diff", "a", "b")
    images = image_set(tmp_path, ["happy/1.png"]).folder
    with pytest.raises(
        MeDatasetsError, match=r"nothing can be compared: .* both decided \(A decided about 0, B about 0\)"
    ):
        tool("decisions", "diff", images, images)


def test_exports_and_splits_apply_decisions(tool: Tool, manifest: Manifest, tmp_path: Path) -> None:
    for video in {row.video: row for row in manifest.annotations}:
        place = tmp_path / "features" / video[:9] / f"{video}.npy"
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(place, noise(40))
    first, second = manifest.annotations[:2]
    corrected = deciding.correct(manifest, first, "offset", 24)
    decisions = [
        corrected,
        Decision(action="exclude", note="blurred", **about_row(manifest, second)),
        Decision(action="exclude", **about_video(manifest, "casme2_02_EP01_11f")),
        deciding.correct(manifest, manifest.annotations[2], "offset", 30),
    ]
    deciding.append(tmp_path / "decisions", decisions)
    done = tool(
        "export", "segments", "m", "features", "-o", "s", "--length", "32", "--decisions", "decisions", "--json"
    )
    answer = json.loads(done.stdout)
    assert (answer["videos"], answer["labelled"], answer["annotations"]) == (3, 2, 2)
    assert [each["row"] for each in answer["findings"] if each["code"] == "ME134"] == [3, 5]
    traced = tool("trace", "s/segments/test/casme2_01/casme2_01_EP02_01f_0000.npz")
    assert "offset   F2    20 (corrected to 25)  24" in traced.stdout
    left_out = [Decision(action="exclude", **about_video(manifest, second.video))]
    deciding.append(tmp_path / "others", left_out)
    done = tool("split", "m", "-o", "split", "--decisions", "others", "--json")
    assert [each["row"] for each in json.loads(done.stdout)["findings"] if each["code"] == "ME134"] == [3]
    assert second.video not in {row.video for row in splits.read(tmp_path / "split").rows}
    asked = tool("export", "vqa", "m", "-o", "q.jsonl", "--decisions", "others", "--decisions", "decisions", "--json")
    assert [each["row"] for each in json.loads(asked.stdout)["findings"] if each["code"] == "ME134"] == [3, 5]
    lines = [json.loads(line) for line in (tmp_path / "q.jsonl").read_text().splitlines()]
    assert {line["filename"] for line in lines} == {first.expression, manifest.annotations[2].expression}


def test_the_whole_work_applies_decisions(
    tool: Tool, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third, _ = manifest.annotations
    decisions = [
        deciding.correct(manifest, first, "offset", 24),
        Decision(action="exclude", **about_row(manifest, second)),
        deciding.correct(manifest, third, "onset", 5).model_copy(update={"old": "7"}),
    ]
    deciding.append(tmp_path / "decisions", decisions)
    monkeypatch.setattr(pipeline, "run_steps", lambda *_: [])  # the conversion is what applies them
    done = tool("prepare", "casme2", "book.xlsx", "-o", "whole", "--decisions", "decisions", "--json")
    answer = json.loads(done.stdout)
    assert answer["steps"][0]["summary"] == "3 annotations in 3 videos, 2 decisions applied"
    (unfit,) = (each["message"] for each in answer["findings"] if each["code"] == "ME132")
    assert "was not applied: onset says '20' now, and said '7'" in unfit
    assert [row.offset for row in manifests.read(tmp_path / "whole" / "manifest").annotations] == [24, 9, 9]


def test_the_csv_has_what_was_decided(tool: Tool, reference: Path, tmp_path: Path) -> None:
    manifest = convert_any(reference / "samm_new_25.csv").manifest()
    manifests.write(manifest, tmp_path / "m")
    excluded = Decision(action="exclude", **about_row(manifest, manifest.annotations[0]))
    deciding.append(tmp_path / "decisions", [excluded])
    done = tool("export", "auwgcn-csv", "m", "-o", "a.csv", "--decisions", "decisions", "--json")
    assert (done.exit_code, json.loads(done.stdout)["rows"]) == (0, 501)
    assert [each["code"] for each in json.loads(done.stdout)["findings"]] == ["ME134"]


def test_decisions_about_images_are_listed_and_compared(tool: Tool, tmp_path: Path) -> None:
    images = image_set(tmp_path, ["happy/1.png", "happy/2.png", "sad/3.png"])
    first, second, third = images.rows()
    of_images.write(
        images,
        [
            decision_about(first, "relabel", "sadness"),
            decision_about(second, "exclude"),
            decision_about(third, "accept"),
        ],
    )
    mine = [decision_about(first, "accept"), decision_about(second, "exclude")]
    of_images.write(images, mine, tmp_path / "mine.parquet")
    listed = tool("decisions", "list", images.folder, "--json")
    assert [(each["image"], each["action"]) for each in json.loads(listed.stdout)["decisions"]] == [
        ("happy/1.png", "correct"),
        ("happy/2.png", "exclude"),
        ("sad/3.png", "accept"),
    ]
    done = tool("decisions", "diff", images.folder, tmp_path / "mine.parquet", "--json")
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["both"], answer["only_a"], answer["only_b"]) == (1, 2, 1, 0)
    assert [(each["about"], each["a"], each["b"]) for each in answer["differing"]] == [
        ("happy/1.png", "sadness", "happiness")
    ]
    assert [(each["column"], each["rows"], each["equal"]) for each in answer["labels"]] == [
        ("verdict", 2, 2),
        ("label", 1, 0),
    ]
    with pytest.raises(MeDatasetsError, match=r"gone\.parquet"):
        tool("decisions", "list", "gone.parquet")
