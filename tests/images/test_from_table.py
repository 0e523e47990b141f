"""Images in a CSV: pixels, labels, and rows that give none."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_me.core.errors import ImagesError
from datasets_me.formats.image_set import ImageSet
from datasets_me.images.from_table import parse_pixels
from datasets_me.images.importing import import_images
from datasets_me.schema import image_schemas

SCHEMA = """
id: tiny
version: 1
title: Tiny
labels: {anger: ["0"], happiness: ["3", happy]}
splits: {train: [Training], test: [PrivateTest]}
table: {files: [tiny.csv], pixels: [pixels], label: [emotion], split: [Usage], subject: [who], width: 3, height: 2}
"""


def read(tmp_path: Path, text: str | bytes) -> ImageSet:
    (tmp_path / "tiny.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_images(image_schemas.parse(SCHEMA, "tiny.yaml"), tmp_path / "tiny.csv", tmp_path / "out", force=True)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=50), st.sampled_from([" ", "  ", "\t"]), st.booleans())
def test_pixels_are_what_int_makes_of_them(values: list[int], between: str, padded: bool) -> None:
    text = between.join(f"{value:03}" if padded else str(value) for value in values)
    parsed = parse_pixels(f" {text} ".encode(), len(values))
    assert isinstance(parsed, np.ndarray)
    assert parsed.dtype == np.uint8
    assert parsed.tolist() == values


@given(st.text(st.sampled_from("0123456789 -.xé"), max_size=30), st.integers(1, 6))
def test_anything_else_is_refused_in_words(text: str, count: int) -> None:
    words = text.encode().split()
    fine = len(words) == count and all(word.isdigit() and len(word) <= 3 and int(word) <= 255 for word in words)
    assert isinstance(parse_pixels(text.encode(), count), str) != fine


@pytest.mark.parametrize(
    ("pixels", "fault"),
    [
        ("1 2 3 4 5", "5 pixels instead of 6"),
        ("1", "1 pixel instead of 6"),
        ("", "0 pixels instead of 6"),
        ("1 2 3 4 5 x6", "'x6' is no grey value"),
        ("1 2 3 4 5 -6", "'-6' is no grey value"),
        ("1 2 3 4 5 256", "'256' is no grey value"),
        ("1 2 3 4 5 0001", "'0001' is no grey value"),
    ],
)
def test_a_row_without_an_image_is_a_finding(tmp_path: Path, pixels: str, fault: str) -> None:
    made = read(tmp_path, f"emotion,pixels,Usage\n0,{pixels},Training\n3,1 2 3 4 5 6,PrivateTest\n")
    (finding,) = made.findings()
    assert (finding.code, finding.where, finding.severity) == ("ME701", "tiny.csv, row 2", "error")
    assert finding.message == f"the row gives no image: {fault}"
    (row,) = made.rows()
    assert (row.id, row.source_row, row.label, row.label_raw, row.split) == ("tiny.csv#3", 3, "happiness", "3", "test")
    assert (row.width, row.height, row.format, row.pixels) == (3, 2, "pixels", bytes(range(1, 7)))


def test_columns_go_by_their_titles_and_cells_may_be_quoted(tmp_path: Path) -> None:
    text = '\ufeff Usage, who , emotion,pixels\r\nTraining,s1,happy,"1 2 3 4 5 6"\r\n\r\nelsewhere,,9,6 5 4 3 2 1\r\n'
    made = read(tmp_path, text)
    first, second = made.rows()
    assert (first.subject, first.label, first.split) == ("s1", "happiness", "train")
    assert (second.subject, second.label, second.label_raw, second.split) == (None, None, "9", None)
    assert [each.message for each in made.findings()] == [
        "label '9' is not known (1 image: row 4)",
        "split 'elsewhere' is not known (1 image: row 4)",
    ]


def test_a_table_without_labels_is_a_set_without_labels(tmp_path: Path) -> None:
    made = read(tmp_path, "pixels\n1 2 3 4 5 6\n6 5 4 3 2 1\n")
    assert [(row.label, row.label_raw) for row in made.rows()] == [(None, None)] * 2
    assert [(each.code, each.where, each.message) for each in made.findings()] == [
        ("ME705", "tiny.csv, row 1", "there is no column emotion, so no image has a label")
    ]


def test_without_a_column_of_splits_the_name_of_the_table_says_it(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("emotion,pixels\n0,1 2 3 4 5 6\n")
    made = import_images(image_schemas.parse(SCHEMA, "tiny.yaml"), tmp_path / "test.csv", tmp_path / "out")
    assert ([row.split for row in made.rows()], made.findings()) == (["test"], [])


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImagesError) as caught:
        read(tmp_path, "emotion,pixels,Emotion\n0,1 2 3 4 5 6,3\n")
    assert str(caught.value) == (
        "2 columns of the first row may be the label: emotion, emotion\n  where: tiny.csv, row 1\n"
        "  to do: keep one of them in a copy of the table"
    )


def test_an_unknown_label_is_one_finding_however_often(tmp_path: Path) -> None:
    made = read(tmp_path, "emotion,pixels\n" + "hapy,1 2 3 4 5 6\n" * 8)
    (finding,) = made.findings()
    assert finding.message == (
        "label 'hapy' is not known; did you mean 'happy'? (8 images: row 2, row 3, row 4, row 5, row 6 and 3 more)"
    )
    assert len(made) == 8


def test_a_row_with_too_many_cells_or_open_quotes(tmp_path: Path) -> None:
    made = read(tmp_path, 'emotion,pixels\n0,1 2 3 4 5 6,7\n0,"1 2 3\n0,1 2 3 4 5 6\n')
    assert [each.message for each in made.findings()] == [
        "the row gives no image: 3 cells where the first row has 2",
        "the row gives no image: 0 cells where the first row has 2",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("emotion,pixel\n0,1 2\n", "the first row has no column pixels; it begins with b'emotion,pixel\\n'"),
        ("", "the first row has no column pixels; it begins with b''"),
        ("emotion,pixels\n", "there is not one image"),
        ("emotion,pixels\n0,1\n", "there is not one image; first: tiny.csv, row 2: the row gives no image: 1 pixel"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ImagesError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(message)
    assert not (tmp_path / "out").exists()


def test_the_folder_of_the_table_will_do(tmp_path: Path) -> None:
    schema = image_schemas.parse(SCHEMA, "tiny.yaml")
    with pytest.raises(ImagesError, match=r"there is no tiny\.csv"):
        import_images(schema, tmp_path, tmp_path / "out")
    (tmp_path / "TINY.csv").write_text("emotion,pixels\n0,1 2 3 4 5 6\n")
    assert len(import_images(schema, tmp_path, tmp_path / "out")) == 1


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["0", "3", "7"]), st.binary(min_size=6, max_size=6)), min_size=1, max_size=9))
def test_what_is_written_is_read(tmp_path: Path, rows: list[tuple[str, bytes]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("emotion", "pixels"), *((label, " ".join(map(str, raw))) for label, raw in rows)])
    made = read(tmp_path, text.getvalue())
    assert [(row.label_raw, row.pixels) for row in made.rows()] == rows
