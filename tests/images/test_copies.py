"""Copies keep where they come from, and every verb knows an image by the name of the original and of the copy."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from datasets_me.core.errors import ImagesError
from datasets_me.formats import image_set as image_sets
from datasets_me.formats import image_tables
from datasets_me.formats.image_names import Names, copies_of
from datasets_me.formats.image_records import AuditRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images import decisions
from datasets_me.images.crop import Cut, crop
from datasets_me.images.decisions import Decision
from datasets_me.images.export.plan import plan
from datasets_me.images.export.write import write
from datasets_me.images.importing import import_images
from datasets_me.images.looks.audit import write_audit
from datasets_me.images.looks.faces import Finder, write_faces
from datasets_me.images.review.session import Review
from datasets_me.images.unify import Form, unify
from datasets_me.schema import image_schemas, predictions
from tests.images.conftest import Looked, quiet
from tests.images.made import image_set, write_pictures

NAMES = [f"train/{name}/{i}.png" for name in ("happy", "sad") for i in range(3)]


def unified(images: ImageSet, folder: Path) -> ImageSet:
    """JPEG copies of the images, which lie in ``raw`` beside the set."""
    return unify(images, images.folder.parent / "raw", folder, Form("jpg"), workers=0, progress=quiet)


def test_copies_are_known_by_all_their_names(tmp_path: Path) -> None:
    images = image_set(tmp_path, [f"train/{name}/{i}.png" for name in ("happy", "sad") for i in range(3)])
    unified = unify(images, tmp_path / "raw", tmp_path / "u", Form("jpg"), workers=0, progress=quiet)
    write(unified, plan(unified), tmp_path / "e", "folders")
    files = {folder: sorted(path for path in (tmp_path / folder).rglob("*.jpg")) for folder in ("u", "e")}
    assert len(files["u"]) == len(files["e"]) == 6
    for folder, of in (("u", unified), ("u", images), ("e", unified), ("e", images)):
        names = Names(of.rows(), copies_of(of, [] if of is unified else [tmp_path / folder]))
        for start in (tmp_path.parent, tmp_path, tmp_path / folder):
            said = [path.relative_to(start).as_posix() for path in files[folder]]
            assert sorted(names.find(name) for name in said) == [[i] for i in range(6)]
    old = Names(unified.rows())
    assert [old.find(each.id) for each in images.rows()] == [[i] for i in range(6)]


def test_where_an_image_comes_from_is_kept(looked: Looked, tmp_path: Path) -> None:
    unified = unify(looked.images, looked.root, tmp_path / "u", Form("jpg", 96, True), workers=0, progress=quiet)
    write_faces(unified, unified.folder, Finder(), workers=0, progress=quiet)
    cut = crop(unified, unified.folder, tmp_path / "c", Cut("mouth", size=32), workers=0, progress=quiet)
    first = {each.id: each for each in looked.images.rows()}
    second = {each.id: each for each in unified.rows()}
    for each in cut.rows():
        assert [(one.id, one.dataset) for one in each.origins] == [(each.id, each.dataset)] * 2
        assert [one.path for one in each.origins] == [first[each.id].path, second[each.id].path]
        assert [one.sha256 for one in each.origins] == [first[each.id].sha256, second[each.id].sha256]
        assert [one.done for one in each.origins] == [
            "unified (jpg, longer side 96 px, padded, rgb)",
            "mouth cut out (32 px, png)",
        ]


def test_folders_that_hold_no_copies(tmp_path: Path) -> None:
    images, other = image_set(tmp_path / "a", ["happy/1.png"]), image_set(tmp_path / "b", ["happy/1.png"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImagesError, match="the folder holds no copies of images"):
        copies_of(images, [tmp_path / "empty"])
    renamed = image_sets.ImageSet(images.folder, images.schema, {**images.about, "dataset": "mine"})
    with pytest.raises(ImagesError, match="the copies are of folder-per-class, not of mine"):
        copies_of(renamed, [other.folder])


def test_the_audit_takes_names_as_the_tool_wrote_them(tmp_path: Path) -> None:
    images = image_set(tmp_path, NAMES)
    copies = unified(images, tmp_path / "u")
    write(images, plan(images), tmp_path / "e", "folders", root=tmp_path / "raw")

    def audited(of: ImageSet, folder: str, *told: Path) -> tuple[Counter[str], Counter[str]]:
        files = [path for path in sorted((tmp_path / folder).rglob("*.*")) if path.suffix in (".png", ".jpg")]
        said = [{"image": str(path), "label": path.parent.name} for path in files]
        (tmp_path / "p.json").write_text(json.dumps(said))
        _, made = write_audit(of, tmp_path / "p.json", predictions.load("plain"), {}, copies=told, force=True)
        return Counter(row.state for row in made.rows), Counter(found.code for found in made.findings)

    assert audited(images, "e") == audited(copies, "u/files") == (Counter(agree=6), Counter())
    assert [row.id for row in image_tables.read_table(copies, "audit", AuditRow)] == NAMES
    # the original knows the names of its copies when it is told where they lie
    assert audited(images, "u") == (Counter(unsubmitted=6), Counter(ME720=6))
    assert audited(images, "u", tmp_path / "u") == (Counter(agree=6), Counter())


def decide(images: ImageSet, name: str, folder: Path | None = None) -> None:
    """Excludes an image as a person would."""
    review = Review(images, folder, every=True)
    (number,) = (item.number for item in review.items if item.row.id == name)
    review.decide([number], "exclude")


@pytest.mark.parametrize("of_copy", [False, True])
def test_a_decision_holds_for_the_original_and_its_copies(tmp_path: Path, of_copy: bool) -> None:
    images = image_set(tmp_path, NAMES)
    copies, others = unified(images, tmp_path / "u"), unified(images, tmp_path / "v")
    again = unify(copies, copies.folder, tmp_path / "w", Form("png"), workers=0, progress=quiet)
    of = copies if of_copy else images
    decide(of, NAMES[4], tmp_path / "raw")
    saved = decisions.path_of(of)
    for each in (images, copies, others, again):
        made = plan(each, decisions=saved)
        assert [row.id for row in made.rows] == [name for name in NAMES if name != NAMES[4]]
        assert "ME729" not in {found.code for found in made.findings}
        (item,) = (
            item
            for item in Review(each, tmp_path / "raw", decisions=saved, every=True).page(
                code=None, state="decided", start=0, count=9
            )["items"]
        )
        assert (item["id"], item["changed"]) == (NAMES[4], False)


def test_a_decision_about_another_picture_holds_for_no_copy(tmp_path: Path) -> None:
    images = image_set(tmp_path, NAMES)
    decide(images, NAMES[0], tmp_path / "raw")
    write_pictures(tmp_path / "raw", {NAMES[0]: 99})
    schema = image_schemas.load("folder-per-class")
    anew = import_images(schema, tmp_path / "raw", tmp_path / "anew", workers=0)
    for each in (anew, unified(anew, tmp_path / "u")):
        made = plan(each, decisions=decisions.path_of(images))
        assert len(made.rows) == 6
        assert [found.path for found in made.findings if found.code == "ME729"] == [NAMES[0]]


def test_decisions_of_older_versions_are_read(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    images = image_set(tmp_path, NAMES)
    row = next(images.rows())
    path = decisions.write(images, [Decision(id=row.id, dataset=row.dataset, sha256=row.sha256, decision="exclude")])
    pq.write_table(pq.read_table(path).drop_columns(["made_from"]), path)
    assert len(plan(images).rows) == 5


def test_sets_of_older_versions_are_read(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    images = image_set(tmp_path, NAMES)
    table = pq.read_table(images.folder / "images.parquet")
    pq.write_table(table.drop_columns(["origins"]), images.folder / "images.parquet")
    assert [(row.id, row.origins) for row in image_sets.read(images.folder).rows()] == [(name, []) for name in NAMES]


def test_findings_about_a_copy_of_a_copy_name_the_image_by_its_id(looked: Looked, tmp_path: Path) -> None:
    first = unify(looked.images, looked.root, tmp_path / "u", Form("png"), workers=0, progress=quiet)
    write_faces(first, first.folder, Finder(), workers=0, progress=quiet)
    gone = next(row for row in first.rows())
    (first.folder / (gone.path or "")).unlink()
    second = unify(first, first.folder, tmp_path / "v", Form("png"), workers=0, progress=quiet)
    assert [(found.code, found.path) for found in second.findings()] == [("ME702", gone.id)]
    cut = crop(first, first.folder, tmp_path / "c", Cut("mouth"), workers=0, progress=quiet)
    assert {found.path for found in cut.findings()} <= {row.id for row in first.rows()}
