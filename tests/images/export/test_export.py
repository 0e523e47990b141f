"""Exports: decisions applied, near-duplicates together, originals untouched, the same bytes."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from datasets_me.core.choices import ImageExport
from datasets_me.core.errors import ImagesError
from datasets_me.core.tables import read_parquet
from datasets_me.findings.finding import Finding
from datasets_me.formats import image_tables
from datasets_me.formats.image_records import DuplicateRow, ExportRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images import decisions
from datasets_me.images.decisions import Decision
from datasets_me.images.export.plan import Plan, plan
from datasets_me.images.export.write import write
from datasets_me.images.importing import import_images
from datasets_me.schema import image_schemas
from tests.conftest import Run
from tests.images.made import image_set, write_pictures

NAMES = ["train/happy/1.png", "train/happy/2.png", "train/sad/3.png", "test/happy/4.png", "test/sad/5.png"]


def decide(images: ImageSet, **verdicts: str) -> None:
    """Decisions by the numbers in names: ``n1="exclude"``, ``n2="fear"`` to relabel."""
    made = []
    for row in images.rows():
        verdict = verdicts.get(f"n{row.id[-5]}")
        if verdict:
            kind = verdict if verdict in ("accept", "exclude") else "relabel"
            label = verdict if kind == "relabel" else None
            made.append(
                Decision(
                    id=row.id, dataset=row.dataset, sha256=row.sha256, decision=kind, label_was=row.label, label=label
                )
            )
    decisions.write(images, made)


def with_clusters(images: ImageSet, *groups: tuple[str, ...]) -> None:
    """A table of duplicates in which the images of each group are near."""
    rows = []
    for row in images.rows():
        cluster = next((i for i, group in enumerate(groups) if row.id in group), None)
        rows.append(
            DuplicateRow(id=row.id, dataset=row.dataset, cluster=cluster, keeper_id=row.id, keeper_dataset=row.dataset)
        )
    image_tables.write_table(images, "duplicates", DuplicateRow, rows, [])


def test_decisions_are_applied_and_counted(tmp_path: Path) -> None:
    images = image_set(tmp_path, NAMES)
    decide(images, n1="exclude", n3="fear", n4="accept")
    made = plan(images)
    assert [(row.id, row.label, row.label_was, row.decision) for row in made.rows] == [
        ("test/happy/4.png", "happiness", "happiness", "accept"),
        ("test/sad/5.png", "sadness", "sadness", None),
        ("train/happy/2.png", "happiness", "happiness", None),
        ("train/sad/3.png", "fear", "sadness", "relabel"),
    ]
    assert made.classes == ("fear", "happiness", "sadness")
    assert made.left_out == {"excluded by decision": 1}
    assert [(finding.code, finding.message) for finding in made.findings] == [
        ("ME730", "there is no duplicates.parquet; near-duplicates may be in several splits"),
        ("ME727", "left out: excluded by decision"),
        ("ME731", "train has no image of sadness"),
        ("ME731", "test has no image of fear"),
    ]


def test_a_decision_about_another_picture_is_not_applied(tmp_path: Path) -> None:
    images = image_set(tmp_path, NAMES)
    old = Decision(id=NAMES[0], dataset=images.dataset, sha256="0" * 64, decision="exclude")
    gone = Decision(id="train/happy/9.png", dataset=images.dataset, decision="exclude")
    decisions.write(images, [old, gone])
    made = plan(images)
    assert len(made.rows) == 5
    assert [finding.message for finding in made.findings if finding.code == "ME729"] == [
        "the decision (exclude) is about another picture; it is not applied",
        "the decision (exclude) is about no image of the set",
    ]


@pytest.mark.parametrize("label", ["../../evil", "/tmp/evil", "x\0y", "", "hapiness"])
def test_a_decision_for_a_label_that_the_set_lacks_is_not_applied(tmp_path: Path, label: str) -> None:
    images = image_set(tmp_path / "in", NAMES)
    decide(images, n1=label or "fear")
    if not label:
        (made,) = decisions.read(images).values()
        decisions.write(images, [made.model_copy(update={"label": ""})])
    planned = plan(images)
    assert next(row.label for row in planned.rows if row.id == NAMES[0]) == "happiness"
    (found,) = (finding for finding in planned.findings if finding.code == "ME736")
    assert (found.path, found.severity) == (NAMES[0], "error")
    assert found.message == f"the decision gives the label {label!r}, which the set does not have; it is not applied"
    write(images, planned, tmp_path / "out" / "deep" / "export", "folders", root=tmp_path / "in" / "raw")
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out"}
    assert [path.name for path in (tmp_path / "out").rglob("*") if "evil" in path.name] == []


@pytest.mark.parametrize("label", ["../../evil", "/evil", "x\0y", "..", "a\\b"])
def test_labels_that_are_no_names_of_folders(tmp_path: Path, label: str) -> None:
    text = image_schemas.load("folder-per-class").text.replace("  happiness:", f"  {json.dumps(label)}:")
    schema = image_schemas.parse(text, "schema")
    root = write_pictures(tmp_path / "raw", NAMES)
    images = import_images(schema, root, tmp_path / "set", workers=0)
    with pytest.raises(ImagesError) as caught:
        export(images, tmp_path / "out" / "deep", "folders", root)
    assert caught.value.what.startswith(f"the label {label!r} cannot be the name of a folder: it ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["raw", "set"]


def test_paths_and_formats_of_a_table_lead_nowhere_else(tmp_path: Path) -> None:
    images = image_set(tmp_path / "in", NAMES[:1])
    planned = plan(images)
    (row,) = planned.rows
    row = row.model_copy(update={"path": "happy/x\0y\\..", "format": "../../../evil"})
    write(images, Plan([row], planned.classes, [], []), tmp_path / "out", "folders", root=tmp_path / "in" / "raw")
    assert [path.name for path in (tmp_path / "out" / "train" / "happiness").iterdir()] == [
        "000000_x_y_-b7df1d._.._.._evil-3647b3"
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_decisions_that_are_given_must_be_there(tmp_path: Path) -> None:
    images = image_set(tmp_path, NAMES)
    with pytest.raises(ImagesError) as caught:
        plan(images, decisions=tmp_path / "nope.parquet")
    assert (caught.value.what, caught.value.where) == (
        "there is no such file of decisions",
        str(tmp_path / "nope.parquet"),
    )


def test_near_duplicates_of_a_test_image_leave_training(tmp_path: Path) -> None:
    images = image_set(tmp_path, NAMES)
    with_clusters(images, ("train/happy/1.png", "test/happy/4.png"))
    made = plan(images)
    assert [row.id for row in made.rows] == ["test/happy/4.png", "test/sad/5.png", *NAMES[1:3]]
    assert [finding.message for finding in made.findings] == ["left out of train: a near-duplicate is in test"]


def test_equal_files_are_known_without_a_table_of_duplicates(tmp_path: Path) -> None:
    images = image_set(tmp_path, {name: i % 4 for i, name in enumerate(NAMES)})  # 1 and 5 are equal
    assert [finding.code for finding in plan(images).findings] == ["ME730", "ME728"]


def test_a_new_split_keeps_clusters(tmp_path: Path) -> None:
    images = image_set(tmp_path, [f"happy/{i}.png" for i in range(20)])
    with_clusters(images, tuple(f"happy/{i}.png" for i in range(5)))
    parts = {row.id: row.split for row in plan(images, split="0.5,0.5", seed=3).rows}
    assert len({parts[f"happy/{i}.png"] for i in range(5)}) == 1
    assert sorted(parts.values()) == ["test"] * 10 + ["train"] * 10


def test_a_part_that_stays_empty_is_a_finding(tmp_path: Path) -> None:
    images = image_set(tmp_path, [f"happy/{i}.png" for i in range(20)])
    with_clusters(images, tuple(f"happy/{i}.png" for i in range(20)))
    together = "one group of images that stay together holds 20 of 20"
    subjects = "the set names no subjects; images of one person may be in several parts of the new split"
    assert [(found.code, found.severity, found.message) for found in plan(images, split="0.7,0.1,0.2").findings] == [
        ("ME741", "warning", subjects),
        ("ME739", "warning", f"validation is empty, and a share of 0.1 was asked for; {together}"),
        ("ME739", "warning", f"test is empty, and a share of 0.2 was asked for; {together}"),
    ]
    assert [found.expected for found in plan(images, split="0.8,0.2").findings] == [None, "test"]
    assert [found.code for found in plan(images, split="1,0,0").findings] == ["ME741"]


def test_a_part_of_the_set_that_is_emptied_is_a_finding(tmp_path: Path) -> None:
    images = image_set(tmp_path, NAMES)
    with_clusters(images, ("train/happy/1.png", "test/happy/4.png"), ("train/happy/2.png", "test/sad/5.png"))
    decide(images, n3="exclude")
    assert [found.message for found in plan(images).findings if found.code == "ME739"] == [
        "train is empty, and the set has images in it"
    ]
    whole = image_set(tmp_path / "whole", [f"happy/{i}.png" for i in range(3)])
    assert [found.code for found in plan(whole).findings] == ["ME730"]


def export(images: ImageSet, out: Path, kind: ImageExport, root: Path | None) -> dict[str, bytes]:
    write(images, plan(images), out, kind, root=root)
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_folders_hold_copies(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "raw", NAMES)
    (root / "train/happy/2.png").rename(root / "train/happy/2.jpg")  # a PNG by its content
    images = import_images(image_schemas.load("folder-per-class"), root, tmp_path / "set", workers=0)
    before = {path: path.read_bytes() for path in root.rglob("*.*")}
    made = export(images, tmp_path / "out", "folders", root)
    assert made["test/happiness/000000_4.png"] == (root / "test/happy/4.png").read_bytes()
    assert made["train/happiness/000003_2.png"] == (root / "train/happy/2.jpg").read_bytes()
    assert json.loads(made["export.json"])["counts"]["test"] == {"happiness": 1, "sadness": 1}
    assert {path: path.read_bytes() for path in before} == before
    assert export(images, tmp_path / "again", "folders", root) == made


# webdataset leaves the shard to the garbage collector
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_is_read_by_webdataset(tmp_path: Path) -> None:
    import webdataset

    images = image_set(tmp_path, NAMES)
    made = export(images, tmp_path / "out", "webdataset", tmp_path / "raw")
    assert export(images, tmp_path / "again", "webdataset", tmp_path / "raw") == made
    read = webdataset.WebDataset(str(tmp_path / "out/train-000000.tar"), shardshuffle=False).decode("pil")
    items = list(read.to_tuple("png", "cls", "json"))
    assert [(number, about["id"]) for _, number, about in items] == [
        (0, "train/happy/1.png"),
        (0, "train/happy/2.png"),
        (1, "train/sad/3.png"),
    ]
    assert items[0][0].size == (24, 24)
    with tarfile.open(tmp_path / "out/train-000000.tar") as shard:
        assert all(entry.mtime == 0 for entry in shard)


def test_pixels_of_a_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (3, 48 * 48))
    lines = [f"{i},{' '.join(map(str, row))},Training" for i, row in enumerate(grey)]
    (tmp_path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *lines]) + "\n")
    images = import_images(image_schemas.load("fer2013"), tmp_path / "fer2013.csv", tmp_path / "set", workers=0)
    made = export(images, tmp_path / "out", "folders", None)
    picture = Pillow.open(io.BytesIO(made["train/anger/000000.png"]))
    assert np.array_equal(np.asarray(picture).ravel(), grey[0])
    table = export(images, tmp_path / "csv", "csv", None)["images.csv"].decode()
    row = next(csv.DictReader(io.StringIO(table)))
    assert (row["id"], row["label"], row["pixels"]) == ("fer2013.csv#2", "anger", " ".join(map(str, grey[0])))


def test_an_image_that_is_gone_is_named_and_the_others_are_written(tmp_path: Path) -> None:
    images = image_set(tmp_path, NAMES)
    (tmp_path / "raw" / NAMES[4]).unlink()
    for kind, files in {"folders": 4, "webdataset": 2}.items():
        found = write(images, plan(images), tmp_path / kind, kind, root=tmp_path / "raw")  # type: ignore[arg-type]
        message = "the file cannot be read: No such file or directory"
        assert [(each.code, each.severity, each.path, each.message) for each in found] == [
            ("ME740", "error", NAMES[4], message)
        ]
        assert json.loads((tmp_path / kind / "export.json").read_text())["images"] == 4
        assert len(read_parquet(ExportRow, tmp_path / kind / "export.parquet")) == 4
        assert "ME740" in {each.code for each in read_parquet(Finding, tmp_path / kind / "findings.parquet")}
        assert len([path for path in (tmp_path / kind).rglob("*") if path.suffix in (".png", ".tar")]) == files
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ImagesError, match=r"^no image of the set can be read; the first, test/happy/4\.png: the file"):
        write(images, plan(images), tmp_path / "none", "folders", root=empty)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("kind", ["folders", "webdataset"])
def test_an_image_that_has_changed_is_named(tmp_path: Path, kind: ImageExport) -> None:
    images = image_set(tmp_path, NAMES)
    write_pictures(tmp_path / "raw", {NAMES[4]: 99})
    planned = plan(images)
    (found,) = write(images, planned, tmp_path / "out", kind, root=tmp_path / "raw")
    assert (found.code, found.severity, found.path) == ("ME737", "warning", NAMES[4])
    assert read_parquet(Finding, tmp_path / "out" / "findings.parquet") == [*planned.findings, found]
    half = (tmp_path / "raw" / NAMES[4]).read_bytes()[:-40]
    (tmp_path / "raw" / NAMES[4]).write_bytes(half)
    findings = write(images, planned, tmp_path / "again", kind, root=tmp_path / "raw")
    assert [(each.code, each.path) for each in findings] == [("ME737", NAMES[4]), ("ME740", NAMES[4])]
    assert len(read_parquet(ExportRow, tmp_path / "again" / "export.parquet")) == len(planned.rows) - 1


def test_the_command(me_datasets: Run, tmp_path: Path) -> None:
    image_set(tmp_path, NAMES)
    done = me_datasets("images", "export", "set", "--root", "raw", "-o", "out", "--split", "0.5,0.5")
    assert done.returncode == 0, done.stderr
    assert "5 images written to out" in done.stdout
    foreign = me_datasets("images", "export", "set", "--root", "raw", "-o", "raw", "--force")
    assert foreign.returncode == 2
    assert "the output exists and is not an export of images" in foreign.stderr


def test_what_is_left_out_is_listed_for_other_tools(tmp_path: Path) -> None:
    images = image_set(tmp_path, NAMES)
    decide(images, n1="exclude")
    made = export(images, tmp_path / "out", "folders", tmp_path / "raw")
    assert made["remove.txt"] == b"train/happy/1.png\n"
    assert made["left_out.csv"] == (b"id,path,reason\ntrain/happy/1.png,train/happy/1.png,excluded by decision\n")


def test_links_lead_to_the_originals(tmp_path: Path) -> None:
    images = image_set(tmp_path, NAMES)
    write(images, plan(images), tmp_path / "out", "folders", root=tmp_path / "raw", link=True)
    link = tmp_path / "out/test/happiness/000000_4.png"
    assert link.is_symlink() and link.resolve() == (tmp_path / "raw/test/happy/4.png").resolve()
    write(images, plan(images), tmp_path / "out", "folders", root=tmp_path / "raw", force=True)
    assert not link.is_symlink() and (tmp_path / "raw/test/happy/4.png").is_file()
