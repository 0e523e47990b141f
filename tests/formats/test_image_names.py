"""Which image somebody's name means: original names, those of copies, and what may be several."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.formats.image_names import Names, exported_name
from datasets_me.formats.image_records import ImageRow, Origin
from tests.images.conftest import row


def copy(name: str, path: str) -> ImageRow:
    """A copy of an image, as unify writes it."""
    return row(name, path=path, origins=[Origin(dataset="mine", id=name, path=name, done="unified")])


def test_original_names() -> None:
    images = ["train/happy/17.jpg", "train/sad/17.jpg", "test/happy/17.jpg", "t.csv#3", "x/9.png"]
    names = Names(map(row, images))
    assert names.find("train/happy/17.jpg") == [0]
    assert names.find("C:\\work\\train\\sad\\17.jpg") == [1]
    assert names.find("sad/17.jpg") == [1]
    assert names.find("work/sad/17.jpg") == names.find("other/9.png") == []  # other images of the same name
    assert names.find("happy/17.jpg") == [0, 2]
    assert names.find("17.jpg") == [0, 1, 2]
    assert names.find("9.PNG") == [4]
    assert names.find("t.csv#3") == [3]
    assert names.find("18.jpg") == names.find("") == []


@pytest.mark.parametrize(
    "name",
    ["raw/a.jpg", "files/happy/1.png", "happy/1.png", "/data/u/files/happy/1.png", "1.png", "sad/000000_1.png"],
)
def test_names_of_a_copy(name: str) -> None:
    names = Names([copy("raw/a.jpg", "files/happy/1.png"), copy("raw/b.jpg", "files/happy/2.png")])
    assert names.find(name) == [0]


def test_a_new_name_that_was_the_old_one_of_another_is_both() -> None:
    names = Names([copy("happy/0.png", "files/happy/1.png"), copy("happy/1.png", "files/happy/2.png")])
    assert names.find("happy/1.png") == names.find("1.png") == names.find("/data/happy/1.png") == [0, 1]
    assert names.find("files/happy/1.png") == [0]
    assert names.find("happy/0.png") == [0]
    assert names.find("happy/2.png") == [1]


def test_what_looks_like_an_exported_name_may_be_a_name_of_its_own() -> None:
    names = Names(map(row, ["a/1.png", "a/2.png", "old/000001_2.png"]))
    assert names.find("train/happy/000000_1.png") == [0]
    assert names.find("000001_2.png") == [1, 2]
    assert names.find("old/000001_2.png") == [2]


PARTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="/"), min_size=1, max_size=8)


@given(st.integers(0, 10**7), st.none() | st.lists(PARTS, min_size=1, max_size=3).map("/".join), st.none() | PARTS)
def test_an_exported_name_is_the_name_of_a_file(number: int, path: str | None, format: str | None) -> None:
    name = exported_name(number, path, format)
    assert name.startswith(f"{number:06d}")
    assert not set(name) & set('<>:"/\\|?*\0\n')
