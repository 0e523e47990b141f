"""Decisions about every image with a finding: counted, saved, exported, taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from datasets_me.cli import app
from datasets_me.core.errors import ImagesError
from datasets_me.findings.finding import finding
from datasets_me.formats import image_tables
from datasets_me.formats.image_records import AuditRow, DuplicateRow, FaceRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images import decisions
from datasets_me.images.bulk import PREDICTED, bulk, save, undo
from datasets_me.images.decisions import decision_about
from datasets_me.images.export.plan import plan
from datasets_me.images.review.session import Review
from tests.conftest import Run
from tests.images.made import image_set

NAMES = ["happy/1.png", "happy/2.png", "sad/3.png", "sad/4.png"]


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    """1, 2 and 3 have no face; 3 and 4 are near, of which 4 is to stay; fear is predicted for 1, bliss for 2."""
    made = image_set(tmp_path, NAMES)
    rows = list(made.rows())
    found = [finding("ME710", "no face", path=name) for name in NAMES[:3]]
    image_tables.write_table(made, "faces", FaceRow, [FaceRow(id=row.id, dataset=row.dataset) for row in rows], found)
    duplicates = [
        DuplicateRow(
            id=row.id,
            dataset=row.dataset,
            cluster=0 if row.id.startswith("sad") else None,
            keeper=row.id != NAMES[2],
            keeper_id=NAMES[3],
            keeper_dataset=row.dataset,
        )
        for row in rows
    ]
    image_tables.write_table(
        made, "duplicates", DuplicateRow, duplicates, [finding("ME712", "2 images are near", path=NAMES[2])]
    )
    predicted = dict(zip(NAMES, ("fear", "bliss", "fear", "fear"), strict=True))
    audits = [AuditRow(id=row.id, dataset=row.dataset, state="disagree", predicted=predicted[row.id]) for row in rows]
    image_tables.write_table(made, "audit", AuditRow, audits, [])
    return made


def test_counted_first_then_saved_then_taken_back(images: ImageSet) -> None:
    third = list(images.rows())[2]
    decisions.write(images, [decision_about(third, "accept")])
    planned = bulk(images, ["ME710"], "exclude")
    assert [each.id for each in planned.decisions] == NAMES[:2]
    assert planned.unchanged == {"decided already": 1}
    assert list(decisions.read(images)) == [NAMES[2]]
    save(images, planned)
    assert [row.id for row in plan(images).rows] == NAMES[2:]
    decisions.write(images, [*decisions.read(images).values(), decision_about(next(images.rows()), "accept")])
    assert undo(images) == (1, [NAMES[0]])
    assert {name: each.decision for name, each in decisions.read(images).items()} == {
        NAMES[0]: "accept",
        NAMES[2]: "accept",
    }
    with pytest.raises(ImagesError, match=r"^there is nothing to take back"):
        undo(images)


def test_the_last_of_several_is_taken_back_first(images: ImageSet) -> None:
    save(images, bulk(images, ["ME712"], "accept"))
    save(images, bulk(images, ["ME710"], "exclude"))
    assert undo(images) == (2, [])
    assert {each.decision for each in decisions.read(images).values()} == {"accept"}
    assert undo(images) == (2, [])
    assert decisions.read(images) == {}


def test_what_is_predicted_becomes_the_label_where_the_set_has_it(images: ImageSet) -> None:
    planned = bulk(images, ["ME710"], "relabel", PREDICTED)
    assert [(each.id, each.label, each.label_was) for each in planned.decisions] == [
        (NAMES[0], "fear", "happiness"),
        (NAMES[2], "fear", "sadness"),
    ]
    assert planned.unchanged == {"no label of the set is predicted": 1}


def test_of_copies_one_stays(images: ImageSet) -> None:
    planned = bulk(images, ["ME712"], "exclude")
    assert ([each.id for each in planned.decisions], planned.unchanged) == ([NAMES[2]], {"the copy that stays": 1})
    assert [each.id for each in bulk(images, ["ME712"], "accept").decisions] == NAMES[2:]


def test_a_class_for_rubbish_needs_no_schema(images: ImageSet, tmp_path: Path) -> None:
    save(images, bulk(images, ["ME710"], "relabel", "dirty", new_class=True))
    made = plan(images)
    assert [(row.label, row.label_was) for row in made.rows] == [
        ("dirty", "happiness"),
        ("dirty", "happiness"),
        ("dirty", "sadness"),
        ("sadness", "sadness"),
    ]
    assert made.classes == ("dirty", "sadness")
    assert Review(images, tmp_path / "raw").labels[-1] == "dirty"
    for name, message in {"Happy": "'Happy' is the set's label happiness", "a/b": "the class 'a/b' cannot be"}.items():
        with pytest.raises(ImagesError, match=f"^{message}"):
            bulk(images, ["ME710"], "relabel", name, new_class=True)
    with pytest.raises(ImagesError, match=r"^'bliss' is no label of the set"):
        bulk(images, ["ME710"], "relabel", "bliss")


def test_as_a_user_runs_it(images: ImageSet, me_datasets: Run, tmp_path: Path) -> None:
    decide = ("images", "decide", "set", "--code", "ME710,ME712", "--exclude")
    first = me_datasets(*decide)
    assert (first.returncode, first.stdout) == (
        0,
        "would be excluded: 3 images\n  unchanged: 1 image, the copy that stays\n"
        "nothing is saved; add --apply to do it\n",
    )
    assert decisions.read(images) == {}
    assert me_datasets(*decide, "--apply").stdout.startswith("excluded: 3 images\n")
    assert len(decisions.read(images)) == 3
    assert me_datasets("images", "decide", "set", "--undo").stdout == "taken back: 3 decisions\n"
    wrong = me_datasets(*decide, "--accept")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "error: say which images, and what is decided about them\n"
        "  to do: give --code, and one of --exclude, --accept, --label and --new-class\n",
    )


def test_codes_without_findings_are_named(images: ImageSet) -> None:
    def output(*arguments: str) -> str:
        return CliRunner().invoke(app, ["images", *arguments]).stdout

    looks = "images faces, quality, duplicates and audit each add theirs"
    decide = ("decide", str(images.folder), "--accept", "--code")
    assert output(*decide, "ME711", "--apply") == (
        f"accepted: 0 images\n  the set has no finding ME711; {looks}\nnothing is saved\n"
    )
    assert output(*decide, "ME710,ME711,ME72") == (
        f"would be accepted: 3 images\n  the set has no finding ME711, ME72; {looks}\n"
        "nothing is saved; add --apply to do it\n"
    )
    export = ("export", str(images.folder), "-o", "unused", "--dry-run", "--exclude", "ME710,ME716")
    assert f"\n  the set has no finding ME716; {looks}\n" in output(*export)


def test_a_text_that_is_no_label_is_about_every_image_that_has_it(tmp_path: Path) -> None:
    made = image_set(tmp_path, ["grumpy/1.png", "grumpy/2.png", "happiness/3.png"])
    (doubt,) = (finding for finding in made.findings() if finding.code == "ME703")
    assert doubt.path == "grumpy/1.png"
    planned = bulk(made, ["ME703"], "relabel", "anger")
    assert [(each.id, each.label) for each in planned.decisions] == [
        ("grumpy/1.png", "anger"),
        ("grumpy/2.png", "anger"),
    ]


def test_a_finding_about_no_image_of_the_set_is_said_to_be(tmp_path: Path) -> None:
    made = image_set(tmp_path, NAMES[:1])
    faces = [FaceRow(id=row.id, dataset=row.dataset) for row in made.rows()]
    image_tables.write_table(made, "faces", FaceRow, faces, [finding("ME710", "no face", path="gone.png")])
    done = CliRunner().invoke(app, ["images", "decide", str(made.folder), "--accept", "--code", "ME710"])
    assert (
        done.stdout == "would be accepted: 0 images\n  its findings are about no image of the set\nnothing is saved\n"
    )


def test_the_verb_for_manifests_decides_about_images_too(images: ImageSet) -> None:
    def decide(*arguments: str) -> str:
        return CliRunner().invoke(app, ["decide", str(images.folder), *arguments]).stdout

    assert decide("--code", "ME710", "--exclude", "--apply") == "excluded: 3 images\n--undo takes it back\n"
    assert {name: each.decision for name, each in decisions.read(images).items()} == dict.fromkeys(NAMES[:3], "exclude")
    assert decide("--undo") == "taken back: 3 decisions\n"
    assert decisions.read(images) == {}
