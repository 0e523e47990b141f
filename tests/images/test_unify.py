"""Copies in one form: sizes, colours, names, and the table old -> new."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.errors import ImagesError, OutputError
from datasets_me.core.tables import batches
from datasets_me.formats import image_set
from datasets_me.formats.image_records import ImageRow, UnifiedRow
from datasets_me.images.derived import Names
from datasets_me.images.unify import Form, formed, unify
from tests.images.conftest import Looked, Write, quiet, row
from tests.images.made import image_set as made_set
from tests.images.made import write_pictures


@given(
    st.integers(1, 80),
    st.integers(1, 80),
    st.none() | st.integers(1, 60),
    st.booleans(),
    st.sampled_from(["rgb", "grey"]),
)
def test_sizes_are_as_asked_and_proportions_kept(
    height: int, width: int, size: int | None, pad: bool, colour: str
) -> None:
    made = formed(np.zeros((height, width, 3), np.uint8), Form(size=size, pad=pad, colour=colour))  # type: ignore[arg-type]
    assert made.ndim == (2 if colour == "grey" else 3)
    longest = size or max(height, width)
    assert max(made.shape[:2]) == longest
    if pad:
        assert made.shape[:2] == (longest, longest)
    else:
        factor = longest / max(height, width)
        assert abs(min(made.shape[:2]) - max(1, min(height, width) * factor)) <= 0.5


def test_padding_is_black_and_the_picture_whole() -> None:
    image = np.full((10, 4, 3), 200, np.uint8)
    made = formed(image, Form(pad=True))
    assert np.array_equal(made[:, 3:7], image)
    assert made.sum() == image.sum()


def test_originals_become_files_of_one_kind(looked: Looked, tmp_path: Path) -> None:
    made = unify(looked.images, looked.root, tmp_path / "u", Form("jpg", 64, True, "grey"), workers=0, progress=quiet)
    new = image_set.read(tmp_path / "u")
    assert [each.id for each in new.rows()] == [each.id for each in looked.images.rows() if not each.damage]
    assert new.root(None) == tmp_path / "u"
    for each in new.rows():
        assert (each.width, each.height, each.format, each.damage) == (64, 64, "jpeg", None)
        image = cv2.imread(str(tmp_path / "u" / (each.path or "")), cv2.IMREAD_UNCHANGED)
        assert image is not None and image.shape == (64, 64)
        assert image_set.load(each, tmp_path / "u").changes == []
    old = {each.id: each for each in looked.images.rows()}
    entries = {each.id: each for batch in batches(tmp_path / "u" / "unified.parquet", UnifiedRow) for each in batch}
    assert {name for name, each in entries.items() if each.path is None} == {
        each.id for each in old.values() if each.damage
    }
    assert all(each.old_path == old[name].path for name, each in entries.items())
    changes = {change for each in entries.values() for change in each.changes}
    assert changes == {
        "first of 2 frames",
        "CMYK to RGB",
        "16 bits to 8",
        "transparent parts made white",
        "turned as EXIF says",
        "its name said jpg, it was png",
    }
    assert len(made) == len(old) - 3


def test_pixels_of_a_table_become_files(write_set: Write, tmp_path: Path) -> None:
    pixels = bytes(range(100, 112))
    one = ImageRow(
        id="t.csv#2",
        dataset="mine",
        pixels=pixels,
        width=4,
        height=3,
        format="pixels",
        split="train",
        source_file="t.csv",
        source_row=2,
    )
    images = write_set(one, root=None)
    form = Form("png", colour="grey", naming="{split}/{label}/{stem}-{number:03}")
    new = unify(images, None, tmp_path / "u", form, workers=0, progress=quiet)
    (made,) = new.rows()
    assert (made.path, made.pixels, made.id) == ("files/train/t-2-001.png", None, "t.csv#2")
    image = cv2.imread(str(tmp_path / "u" / "files/train/t-2-001.png"), cv2.IMREAD_UNCHANGED)
    assert image is not None and image.tobytes() == pixels


def test_names_are_safe_and_different() -> None:
    names = Names("{split}/{label}/{subject}_{frame}_{stem}", "png")
    one = row("a/b c?.jpg", label="happiness", subject="../x")
    assert names.path(one, 1) == "files/happiness/_x-d6b96a__b c_-1330c7.png"
    with pytest.raises(ImagesError) as caught:
        names.path(row("d/b c?.jpg", label="happiness", subject="../x"), 2)
    assert (
        caught.value.what == "a/b c?.jpg and d/b c?.jpg would both be called files/happiness/_x-d6b96a__b c_-1330c7.png"
    )
    for template in (
        "{label}/{colour}",
        "images/x",
        "{label",
        "../{number}",
        "/abs/{number}",
        "a\\{number}",
        "x\0{number}",
    ):
        with pytest.raises(ImagesError, match="does not name images"):
            Names(template, "png")


def test_fields_without_values_make_no_way_out() -> None:
    names = Names("{split}.{label}./{split}.{label}./{number}", "png")
    assert names.path(row("a.png"), 1) == "files/1.png"


def test_what_exists_stays(looked: Looked, tmp_path: Path) -> None:
    (tmp_path / "u").mkdir()
    (tmp_path / "u" / "a.txt").touch()
    with pytest.raises(OutputError, match="the output exists and is not a set of images"):
        unify(looked.images, looked.root, tmp_path / "u", Form(), workers=0, progress=quiet, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["u"]


def test_force_replaces_its_own_output_and_nothing_else(tmp_path: Path) -> None:
    images = made_set(tmp_path, ["happy/1.png", "sad/2.png"])

    def run(size: int) -> None:
        unify(images, tmp_path / "raw", tmp_path / "u", Form(size=size), workers=0, progress=quiet, force=True)

    run(10)
    run(12)
    assert {each.width for each in image_set.read(tmp_path / "u").rows()} == {12}
    mine = tmp_path / "u" / "files" / "mine.txt"
    mine.write_text("mine")
    with pytest.raises(OutputError) as caught:
        run(14)
    assert caught.value.what == "the folder contains other files, which would be lost: files/mine.txt"
    assert mine.read_text() == "mine"


def test_a_file_that_has_changed_is_named(tmp_path: Path) -> None:
    images = made_set(tmp_path, ["happy/1.png", "sad/2.png"])
    write_pictures(tmp_path / "raw", {"sad/2.png": 99})
    new = unify(images, tmp_path / "raw", tmp_path / "u", Form(), workers=0, progress=quiet)
    assert [(each.code, each.severity, each.path) for each in new.findings()] == [("ME737", "warning", "sad/2.png")]


def test_under_a_wrong_root_nothing_is_replaced(tmp_path: Path) -> None:
    images = made_set(tmp_path, ["happy/1.png", "sad/2.png"])
    unify(images, tmp_path / "raw", tmp_path / "u", Form(), workers=0, progress=quiet)
    before = (tmp_path / "u" / "images.parquet").read_bytes()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImagesError, match="no image of the set can be read; the first, "):
        unify(images, tmp_path / "empty", tmp_path / "u", Form(), workers=0, progress=quiet, force=True)
    assert (tmp_path / "u" / "images.parquet").read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_small_images_stand_in_the_middle_without_being_enlarged() -> None:
    image = np.full((48, 40, 3), 200, np.uint8)
    made = formed(image, Form("png", 112, pad_only=True))
    assert made.shape == (112, 112, 3)
    assert (made[32:80, 36:76] == 200).all() and made.sum() == image.sum()
    assert formed(np.full((300, 200, 3), 9, np.uint8), Form("png", 112, pad_only=True)).shape == (112, 112, 3)
