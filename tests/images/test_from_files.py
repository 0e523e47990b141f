"""Images that are files: what their paths say, and lists of labels beside them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.errors import ImagesError
from datasets_me.formats import image_set
from datasets_me.formats.image_names import Names
from datasets_me.formats.image_set import ImageSet
from datasets_me.images.export.plan import plan
from datasets_me.images.export.write import write
from datasets_me.images.importing import ImportOptions, folder_labels, import_images
from datasets_me.images.labels import label_frames
from datasets_me.images.looks.quality import write_quality
from datasets_me.schema import image_schemas
from datasets_me.schema.images import LabelFiles
from datasets_me.synthetic.image_sets import make
from tests.images import made

PNG = cv2.imencode(".png", np.zeros((3, 5, 3), np.uint8))[1].tobytes()


def put(root: Path, *paths: str, content: bytes = PNG) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


def read(tmp_path: Path, schema: str, options: ImportOptions | None = None, root: str = "raw") -> ImageSet:
    options = options or ImportOptions()
    return import_images(image_schemas.load(schema), tmp_path / root, tmp_path / "out", options, workers=0, force=True)


BASIC = ImportOptions(subset="basic")


def test_a_folder_per_class_with_and_without_splits(tmp_path: Path) -> None:
    put(tmp_path / "raw", "data/Train/Happy/a.png", "val/sad/b.png", "Angry/c.png", ".cache/x/d.png")
    put(tmp_path / "raw", "val/sad/notes.txt", "README")
    made = read(tmp_path, "folder-per-class")
    assert [(row.id, row.split, row.label, row.label_raw) for row in made.rows()] == [
        ("Angry/c.png", None, "anger", "Angry"),
        ("data/Train/Happy/a.png", "train", "happiness", "Happy"),
        ("val/sad/b.png", "validation", "sadness", "sad"),
    ]
    first = next(made.rows())
    assert (first.width, first.height, first.format, first.size) == (5, 3, "png", len(PNG))
    assert made.about["source"]["others"] == {"": 1, "txt": 1}
    assert made.about["root"] == "raw"


def test_a_class_with_an_unknown_name_and_a_folder_too_deep(tmp_path: Path) -> None:
    put(tmp_path / "raw", "happpy/1.png", "happpy/2.png", "sad/1/2/3.png")
    made = read(tmp_path, "folder-per-class")
    assert [(each.code, each.message) for each in made.findings()] == [
        ("ME706", "the image is not used: its path is none that the schema knows"),
        ("ME703", "label 'happpy' is not known; did you mean 'happy'? (2 images: happpy/1.png, happpy/2.png)"),
    ]


def test_raf_db_takes_the_aligned_images_and_the_list(tmp_path: Path) -> None:
    put(tmp_path / "raw", "basic/Image/original/train_00001.jpg", "basic/Image/original/test_0001.jpg")
    put(tmp_path / "raw", "basic/Image/aligned/train_00001_aligned.jpg", "basic/Image/aligned/test_0001_aligned.jpg")
    put(tmp_path / "raw", "basic/EmoLabel/list_patition_label.txt", content=b"train_00001.jpg 5\r\ntest_0001.jpg  1\n")
    made = read(tmp_path, "raf-db")
    assert [(row.path, row.split, row.label, row.source_row, row.extra) for row in made.rows()] == [
        ("basic/Image/aligned/test_0001_aligned.jpg", "test", "surprise", 2, {"number": "0001"}),
        ("basic/Image/aligned/train_00001_aligned.jpg", "train", "sadness", 1, {"number": "00001"}),
    ]
    assert made.about["source"]["left_out"] == {"original": 2}
    assert made.about["source"]["files"][0]["name"] == "basic/EmoLabel/list_patition_label.txt"
    counts = [each.message for each in made.findings() if each.code == "ME707"]
    assert counts == [
        "2 images; 15,339 are published",
        "1 image of the split train; 12,271 are published",
        "1 image of the split test; 3,068 are published",
    ]


def raf_db_with_both_subsets(tmp_path: Path) -> None:
    for subset, lines in {
        "basic": b"train_00001.jpg 5\n",
        "compound": b"train_00001.jpg 5\ntest_0001.jpg 12\n",
    }.items():
        put(tmp_path / "raw", f"{subset}/Image/aligned/train_00001_aligned.jpg")
        put(tmp_path / "raw", f"{subset}/EmoLabel/list_patition_label.txt", content=lines)
    put(tmp_path / "raw", "compound/Image/aligned/test_0001_aligned.jpg")


def test_the_subsets_of_raf_db_have_their_own_labels(tmp_path: Path) -> None:
    raf_db_with_both_subsets(tmp_path)
    for source in ("raw", "raw/compound", "raw/compound/../compound"):
        options = ImportOptions(subset="compound" if source == "raw" else None)
        images = read(tmp_path, "raf-db", options, source)
        assert [(row.split, row.label, row.label_raw) for row in images.rows()] == [
            ("test", None, "12"),
            ("train", "sadly surprised", "5"),
        ]
        assert (images.dataset, images.spec.title) == ("raf-db-compound", "RAF-DB (compound expressions)")
        assert [each.found for each in images.findings() if each.code == "ME703"] == ["12"]
    images = read(tmp_path, "raf-db", BASIC)
    assert [(row.id, row.label) for row in images.rows()] == [
        ("basic/Image/aligned/train_00001_aligned.jpg", "sadness")
    ]
    assert images.about["source"]["other_subsets"] == {"compound": 3}


def test_nobody_guesses_a_subset(tmp_path: Path) -> None:
    raf_db_with_both_subsets(tmp_path)
    with pytest.raises(ImagesError) as caught:
        read(tmp_path, "raf-db")
    assert str(caught.value) == (
        "the folder holds the subsets basic and compound; their labels mean different things\n"
        f"  where: {tmp_path / 'raw'}\n  to do: give --subset basic or --subset compound"
    )
    with pytest.raises(ImagesError, match=r"^the folder holds no subset compound, but basic"):
        read(tmp_path, "raf-db", ImportOptions(subset="compound"), "raw/basic")
    with pytest.raises(
        ImagesError, match=r"^the schema raf-db has no subset 'multi'\n  to do: it has basic and compound"
    ):
        read(tmp_path, "raf-db", ImportOptions(subset="multi"))
    with pytest.raises(ImagesError, match=r"^the schema gaf3 has no subset 'basic'\n  to do: leave --subset out"):
        read(tmp_path, "gaf3", BASIC)


def test_folders_spelt_otherwise_belong_to_their_subset_or_to_none(tmp_path: Path) -> None:
    raf_db_with_both_subsets(tmp_path)
    (tmp_path / "raw/compound").rename(tmp_path / "raw/RAF-DB_Compound")
    images = read(tmp_path, "raf-db", ImportOptions(subset="compound"))
    assert [row.label for row in images.rows()] == [None, "sadly surprised"]

    (tmp_path / "raw/RAF-DB_Compound").rename(tmp_path / "raw/a_compuond")  # lists are read in this order
    images = read(tmp_path, "raf-db", BASIC)
    assert [row.id for row in images.rows()] == ["basic/Image/aligned/train_00001_aligned.jpg"]
    why = "the file is not used: it lies in no folder of a subset (basic or compound)"
    assert [(each.path, each.message) for each in images.findings() if each.code == "ME706"] == [
        (f"a_compuond/{name}", why)
        for name in (
            "EmoLabel/list_patition_label.txt",
            "Image/aligned/test_0001_aligned.jpg",
            "Image/aligned/train_00001_aligned.jpg",
        )
    ]

    (tmp_path / "raw/basic").rename(tmp_path / "raw/b")
    with pytest.raises(ImagesError) as caught:
        read(tmp_path, "raf-db", BASIC)
    assert str(caught.value) == (
        "there are 2 lists of labels, and nothing says which subset each belongs to: "
        "a_compuond/EmoLabel/list_patition_label.txt, b/EmoLabel/list_patition_label.txt\n"
        f"  where: {tmp_path / 'raw'}\n  to do: give the folder of one subset as the source, with --subset"
    )


def test_ck48_knows_its_subjects(tmp_path: Path) -> None:
    put(tmp_path / "raw", "CK+48/anger/S010_004_00000017.png", "CK+48/sadness/S011_001_00000016.png")
    assert [(row.subject, row.sequence, row.frame, row.label) for row in read(tmp_path, "ck+48").rows()] == [
        ("S010", "S010/004", 17, "anger"),
        ("S011", "S011/001", 16, "sadness"),
    ]


def test_folders_are_labels_where_that_is_asked_for(tmp_path: Path) -> None:
    put(tmp_path / "raw", "train/Angry Birds/1.png", "test/angry birds/2.png", "val/17/3.png")
    images = import_images(folder_labels(tmp_path / "raw"), tmp_path / "raw", tmp_path / "out", workers=0)
    assert [(row.split, row.label) for row in images.rows()] == [
        ("test", "Angry Birds"),
        ("train", "Angry Birds"),
        ("validation", "17"),
    ]
    assert (images.findings(), image_set.read(tmp_path / "out").spec.labels) == (
        [],
        {"17": [], "Angry Birds": ["angry birds"]},
    )


def test_links_that_lead_to_themselves_are_named(tmp_path: Path) -> None:
    put(tmp_path / "raw", "sad/1.png")
    (tmp_path / "raw" / "sad" / "loop").symlink_to("loop")
    (tmp_path / "raw" / "sad" / "two.png").symlink_to("../sad/three.png")
    (tmp_path / "raw" / "sad" / "three.png").symlink_to("../sad/two.png")
    (tmp_path / "raw" / "root").symlink_to("/")
    images = read(tmp_path, "folder-per-class")
    assert [row.id for row in images.rows()] == ["sad/1.png"]
    assert {each.path: each.message.partition(": ")[2] for each in images.findings()} == {
        "root": "it is a link that leads out of the root",
        **dict.fromkeys(("sad/loop", "sad/three.png", "sad/two.png"), "it is a link that leads to itself"),
    }


def test_images_with_more_pixels_than_allowed_are_never_decoded(tmp_path: Path) -> None:
    put(tmp_path / "raw", "sad/1.png")
    images = read(tmp_path, "folder-per-class", ImportOptions(most_pixels=14))
    (row,) = images.rows()
    assert row.damage == "it has more than 14 pixels"
    assert image_set.load_image(row, tmp_path / "raw") == row.damage
    with pytest.raises(ImagesError, match=r"^no image of the set can be read; the first, sad/1.png: it has more than"):
        write_quality(images, tmp_path / "raw", workers=0, progress=lambda done, total: None)


def test_an_export_that_is_imported_knows_what_it_was_made_from(tmp_path: Path) -> None:
    images = made.image_set(tmp_path, {"train/happy/1.png": 1, "test/sad/2.png": 2})
    write(images, plan(images), tmp_path / "export", "folders", root=tmp_path / "raw")
    again = import_images(
        image_schemas.load("folder-per-class"),
        tmp_path / "export",
        tmp_path / "again",
        ImportOptions(name="again"),
        workers=0,
    )
    assert [(row.id, [(o.dataset, o.id, o.done) for o in row.origins]) for row in again.rows()] == [
        ("test/sadness/000000_2.png", [("folder-per-class", "test/sad/2.png", "exported")]),
        ("train/happiness/000001_1.png", [("folder-per-class", "train/happy/1.png", "exported")]),
    ]
    names = Names(again.rows())
    assert names.find("train/happy/1.png") == names.find("000001_1.png") == [1]


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    put(tmp_path / "raw", "train_00001_aligned.jpg")
    with pytest.raises(ImagesError, match=r"there is no list_patition_label\.txt or list_partition_label\.txt"):
        read(tmp_path, "raf-db", BASIC)


def test_an_image_listed_twice(tmp_path: Path) -> None:
    put(tmp_path / "raw", "train_00001_aligned.jpg")
    put(tmp_path / "raw", "list_patition_label.txt", content=b"train_00001.jpg 5\ntrain_00001.jpg 6\n")
    made = read(tmp_path, "raf-db", BASIC)
    assert next(made.rows()).label == "sadness"
    assert made.findings()[0].message == (
        "train_00001.jpg is given the label '6' here, and '5' in list_patition_label.txt, row 1, which was taken"
    )


def test_ck_plus_labels_the_ends_of_sequences(tmp_path: Path) -> None:
    shape = make("ckplus", tmp_path / "raw", images=24, seed=1)
    images = import_images(image_schemas.load_file(shape.schema), shape.source, tmp_path / "out", workers=0)
    rows = [row for row in images.rows() if row.sequence == "S005/001"]
    assert [row.frame for row in rows] == list(range(1, 13))
    assert [row.label for row in rows] == ["neutral", *[None] * 8, *["anger"] * 3]
    assert {(row.subject, row.label_raw, row.extra["session"]) for row in rows} == {("S005", "1", "001")}
    assert rows[0].source_file == "Emotion/S005/001/S005_001_00000012_emotion.txt"


@given(st.integers(0, 20), st.integers(0, 4), st.integers(1, 4))
def test_frames_at_both_ends_of_a_sequence(count: int, first: int, last: int) -> None:
    rule = LabelFiles(path="{name}", by=["name"], first=first, first_label="neutral", last=last)
    labels = label_frames(rule, count, "fear")
    assert len(labels) == count
    assert labels.count("neutral") == max(0, min(first, count - 1))
    assert labels.count("fear") == max(0, min(last, count - labels.count("neutral")))
    assert not count or labels[-1] == "fear"


def test_captures_keep_light_and_view(tmp_path: Path) -> None:
    put(tmp_path / "raw", "a/s01_smile_dim_left_007.png", "s02_AN_bright_front.png")
    first, second = read(tmp_path, "captures").rows()
    assert (first.subject, first.label, first.extra) == (
        "s01",
        "happiness",
        {"light": "dim", "view": "left", "number": "007"},
    )
    assert (second.subject, second.label, second.extra) == ("s02", "anger", {"light": "bright", "view": "front"})


def test_a_field_with_two_values_fits_no_path(tmp_path: Path) -> None:
    put(tmp_path / "raw", "S005/001/S005_001_00000001.png", "S006/001/S005_001_00000001.png")
    made = read(tmp_path, "ckplus")
    assert [row.path for row in made.rows()] == ["S005/001/S005_001_00000001.png"]
    assert ("ME706", "S006/001/S005_001_00000001.png") in {(each.code, each.path) for each in made.findings()}


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"", "ME702", "the image cannot be decoded: the file is empty"),
        (b"no image", "ME702", "the image cannot be decoded: no image format is recognised"),
        (cv2.imencode(".jpg", np.zeros((3, 5, 3), np.uint8))[1].tobytes(), "ME708", "the content is jpeg"),
    ],
)
def test_files_that_are_not_what_their_name_says(tmp_path: Path, content: bytes, code: str, message: str) -> None:
    put(tmp_path / "raw", "sad/1.png", content=content)
    made = read(tmp_path, "folder-per-class")
    assert [(each.code, each.path, each.message) for each in made.findings()] == [(code, "sad/1.png", message)]
    (row,) = made.rows()
    assert (row.damage is None) == (code == "ME708")
    assert row.size == len(content)


@pytest.mark.parametrize("schema", ["folder-per-class", "ckplus"])
def test_no_image_lies_as_it_should(tmp_path: Path, schema: str) -> None:
    put(tmp_path / "raw", "a.png")
    with pytest.raises(ImagesError, match=f"no image under the source lies as the schema {schema} says"):
        read(tmp_path, schema)
    assert not (tmp_path / "out").exists()


def test_there_is_no_image_at_all(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/read me.txt").write_text("none")
    with pytest.raises(ImagesError, match=r"^there is no image under the source\n"):
        read(tmp_path, "folder-per-class")


def test_several_processes_read_the_same(tmp_path: Path) -> None:
    put(tmp_path / "raw", *(f"sad/{number}.png" for number in range(40)))
    schema = image_schemas.load("folder-per-class")
    one = import_images(schema, tmp_path / "raw", tmp_path / "one", workers=0)
    two = import_images(schema, tmp_path / "raw", tmp_path / "two", workers=2)
    assert one.sha256 == two.sha256
    assert len(one) == 40


def test_links_out_of_the_source_and_names_no_table_can_hold_are_named(tmp_path: Path) -> None:
    put(tmp_path / "private", "sad/1.png")
    put(tmp_path / "raw", "sad/2.png", "sad/evil\x1b]0;x.png", "sad/a\\b.png", "sad/\x1b.txt")
    (tmp_path / "raw" / "sad" / "3.png").symlink_to(tmp_path / "private" / "sad" / "1.png")
    (tmp_path / "raw" / "sad" / "4.png").symlink_to("2.png")
    (tmp_path / "raw" / "happy").symlink_to(tmp_path / "private" / "sad")
    made = read(tmp_path, "folder-per-class")
    assert [row.id for row in made.rows()] == ["sad/2.png", "sad/4.png"]
    said = {each.path: each.message.removeprefix("the image is not used: ") for each in made.findings()}
    assert said == {
        "happy": "it is a link that leads out of the root",
        "sad/3.png": "it is a link that leads out of the root",
        "sad/a\\b.png": "its name cannot be used: it contains a backslash",
        "sad/evil\\x1b]0;x.png": "its name cannot be used: it contains the control character U+001B",
    }
