"""Scores of a set of images: models by file, splits apart, words and names as people have them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.image_set import ImageSet
from datasets_me.formats.predictions import read
from datasets_me.images.importing import import_images
from datasets_me.schema import image_schemas
from datasets_me.scores.ensemble import ensemble
from datasets_me.scores.recognition import by_model, recognition
from datasets_me.scores.truth import image_keys, labelled, truth_of
from tests.conftest import Run
from tests.images.made import image_set, write_pictures

NAMES = [f"{split}/{label}/{i}.png" for split in ("train", "val", "test") for label in ("happy", "sad") for i in (0, 1)]
CLASSES = ("sadness", "happy")


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    """Two happy and two sad images in each of three splits."""
    return image_set(tmp_path, NAMES)


def model(path: Path, happy: dict[str, float], **fields: object) -> Path:
    """An npz with a probability of happiness for some images."""
    values = np.array(list(happy.values()))
    arrays: dict[str, object] = {
        "image": np.array(list(happy)),
        "scores": np.stack([1 - values, values], axis=1),
        "classes": np.array(CLASSES),
    }
    np.savez(path, **{**arrays, **fields})  # type: ignore[arg-type]
    return path


def sure(*wrong: str, split: str = "") -> dict[str, float]:
    """Right about all images of a split, but for some."""
    return {name: 0.9 if ("happy" in name) != (name in wrong) else 0.2 for name in NAMES if name.startswith(split)}


def test_each_model_is_scored_by_split(images: ImageSet, tmp_path: Path) -> None:
    files = [
        read(model(tmp_path / "a.npz", sure("test/sad/0.png")), keys=image_keys()),
        read(model(tmp_path / "b.npz", sure(split="test")), keys=image_keys()),
    ]
    one, other = by_model(labelled(images), files).values()
    assert {name: each.accuracy for name, each in one.groups.items()} == {"train": 1, "validation": 1, "test": 0.75}
    assert list(one.groups) == ["train", "validation", "test"]
    assert one.groups["test"].counts.tolist() == [[2, 0], [1, 1]]
    assert one.groups["test"].classes == ("happiness", "sadness")
    assert one.findings == []
    # what the second was not asked about is not held against it
    assert (list(other.groups), other.pooled.total, other.pooled.accuracy) == (["test"], 4, 1.0)
    assert [(found.code, found.message) for found in other.findings] == [
        ("ME549", "none of 4 images of train is predicted"),
        ("ME549", "none of 4 images of validation is predicted"),
    ]
    assert {found.where for found in other.findings} == {"b.npz"}


def test_a_word_with_two_meanings_is_one_finding(tmp_path: Path) -> None:
    text = image_schemas.load("folder-per-class").text.replace("labels:", "labels:\n  none: []", 1)
    root = write_pictures(tmp_path / "raw", ["none/0.png", "happy/0.png"])
    images = import_images(image_schemas.parse(text, "schema"), root, tmp_path / "set", workers=0)
    (tmp_path / "p.csv").write_text("image,label\nnone/0.png,none\nhappy/0.png,happy\n")
    made = read(tmp_path / "p.csv", keys=image_keys())
    one, other = by_model(labelled(images), [made, made]).values()
    assert one.pooled.accuracy == other.pooled.accuracy == 1.0
    assert [(found.code, found.where) for found in one.findings] == [("ME738", "p.csv (1)")]
    assert other.findings == []


def test_a_missing_image_of_a_split_that_is_predicted_counts_as_wrong(images: ImageSet, tmp_path: Path) -> None:
    said = sure(split="test")
    del said["test/happy/1.png"]
    made = model(tmp_path / "a.npz", {**said, "test/happy/7.png": 0.9, "0.png": 0.9})
    found = recognition(labelled(images), [read(made, keys=image_keys())])
    assert (found.pooled.right, found.pooled.total) == (3, 4)
    assert [(each.code, each.message) for each in found.findings if each.code != "ME549"] == [
        ("ME540", "no image has the name test/happy/7.png"),
        ("ME541", "6 images have the name 0.png: test/happy/0.png, test/sad/0.png, train/happy/0.png"),
        ("ME543", "test/happy/1.png (happiness) has no prediction; it counts as wrong"),
    ]


def test_predictions_of_another_set(images: ImageSet, tmp_path: Path) -> None:
    made = read(model(tmp_path / "a.npz", {"x/9.png": 0.9}), keys=image_keys())
    message = r"^no image has a label and a prediction; first: a\.npz, row 0: no image has the name x/9\.png\n"
    with pytest.raises(MeDatasetsError, match=message):
        recognition(labelled(images), [made])


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["happy", "SAD", "sadness"], ()),
        (["1", "0", "0"], CLASSES),
        (["1.0", "0.0", "0.0"], ("Sad", "Happy")),
    ],
)
def test_labels_by_name_and_by_number(
    images: ImageSet, tmp_path: Path, labels: list[str], classes: tuple[str, ...]
) -> None:
    names = ["test/happy/0.png", "test/sad/0.png", "test/happy/1.png"]
    lines = [f"{name},{label}" for name, label in zip(names, labels, strict=True)]
    (tmp_path / "p.csv").write_text("\n".join(["path,label", *lines, "test/sad/1.png,no face"]) + "\n")
    found = recognition(labelled(images), [read(tmp_path / "p.csv", keys=image_keys())], classes=classes)
    assert found.pooled.counts.tolist() == [[1, 1, 0], [0, 1, 1]]
    assert [each.code for each in found.findings if each.code != "ME549"] == ["ME546"]


def test_names_of_classes_that_are_numbers_are_no_places(images: ImageSet, tmp_path: Path) -> None:
    made = read(model(tmp_path / "a.npz", sure(), classes=np.array([1, 0])), keys=image_keys())
    with pytest.raises(MeDatasetsError, match="it is not known which class number"):
        recognition(labelled(images), [made])
    assert recognition(labelled(images), [made], classes=["happy", "sad"]).pooled.accuracy == 1.0


def test_an_ensemble_takes_the_splits_of_the_set(images: ImageSet, tmp_path: Path) -> None:
    one = read(model(tmp_path / "a.npz", sure("test/sad/0.png", "train/sad/0.png")), keys=image_keys())
    foreign = model(tmp_path / "c.npz", sure(), classes=np.array(["SAD", "contempt"]))
    with pytest.raises(MeDatasetsError, match=r"the classes are sadness, contempt, those of a\.npz sadness, happiness"):
        ensemble(labelled(images), [one, read(foreign, keys=image_keys())])
    other = read(model(tmp_path / "b.npz", sure("val/sad/0.png")), keys=image_keys())
    found = ensemble(labelled(images), [one, other], step=0.5)
    assert [(each.validation.accuracy, each.test.accuracy) for each in found.alone] == [(1.0, 0.75), (0.75, 1.0)]
    assert found.best.validation.classes == ("happiness", "sadness")
    assert found.best.validation.total == found.best.test.total == 4
    assert [(each.code, each.message) for each in found.findings] == [
        ("ME549", "4 images of train are predicted and not used")
    ]
    parts = np.array(["validation" if name.startswith("train") else "test" for name in NAMES])
    own = [read(model(tmp_path / f"{n}.npz", sure(), part=parts), keys=image_keys()) for n in "xy"]
    assert ensemble(labelled(images), own).best.test.total == 8


def test_an_ensemble_without_parts(tmp_path: Path) -> None:
    images = image_set(tmp_path, ["happy/0.png", "sad/0.png"])
    made = read(model(tmp_path / "a.npz", {"happy/0.png": 1.0, "sad/0.png": 0.0}), keys=image_keys())
    with pytest.raises(MeDatasetsError, match=r"it is not known whether happy/0\.png is validation or test"):
        ensemble(labelled(images), [made, made])


def test_the_commands(me_datasets: Run, images: ImageSet, tmp_path: Path) -> None:
    model(tmp_path / "a.npz", sure("test/sad/0.png"))
    (tmp_path / "other").mkdir()
    model(tmp_path / "other" / "a.npz", sure())
    files = ("-p", "a.npz", "-p", "other/a.npz")
    done = me_datasets("score", "recognition", "set", *files, "-o", "out", "--json")
    assert done.returncode == 0, done.stderr
    models = json.loads(done.stdout)["models"]
    assert [entry["name"] for entry in models] == ["a.npz (1)", "a.npz (2)"]
    assert [entry["splits"]["test"]["accuracy"] for entry in models] == [0.75, 1.0]
    assert (
        tmp_path / "out/confusion_1_test.csv"
    ).read_text() == "label,happiness,sadness\nhappiness,2,0\nsadness,1,1\n"
    assert (tmp_path / "out/confusion_2.png").is_file()
    done = me_datasets("score", "ensemble", "set", *files, "--step", "0.5", "-o", "both")
    assert done.returncode == 0, done.stderr
    assert "3 weightings tried on 4 validation and 4 test images" in done.stdout
    assert (tmp_path / "both/weights.csv").read_text() == (
        "a.npz (1),a.npz (2),validation uf1\n0,1,1.000000\n0.5,0.5,1.000000\n1,0,1.000000\n"
    )


def test_sets_and_manifests_are_not_scored_together(images: ImageSet) -> None:
    with pytest.raises(MeDatasetsError, match="a set of images cannot be scored together with others"):
        truth_of([images.folder, images.folder])
    with pytest.raises(MeDatasetsError, match="the images of a set have one label, no type and a split of their own"):
        truth_of([images.folder], "class_3")
    with pytest.raises(MeDatasetsError, match="--copies is for a set of images"):
        truth_of([images.folder / "none"], copies=[images.folder])
