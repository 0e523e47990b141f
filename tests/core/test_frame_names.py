"""Frames of a folder from their names: numeric order, gaps, duplicates, differing names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.frame_names import read_names


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["img10.jpg", "img2.jpg", "img1.jpg"], (1, 2, 10)),
        (["reg_img46.jpg"], (46,)),
        (["006_1_0001.jpg", "006_1_10000.jpg"], (1, 10000)),
        (["image000090.PNG"], (90,)),
        (["355.jpeg"], (355,)),
        (["img_00001.bmp"], (1,)),
    ],
)
def test_numbers(names: list[str], numbers: tuple[int, ...]) -> None:
    assert read_names(names).numbers == numbers


def test_gaps_duplicates_and_strays() -> None:
    frames = read_names(["img1.jpg", "img2.jpg", "img2.png", "img5.jpg", "Thumbs.db", "._img1.jpg", "cover.jpg"])
    assert (frames.gaps, frames.missing) == (((3, 4),), 2)
    assert frames.twice == (("img2.jpg", "img2.png"),)
    assert frames.strays == ("._img1.jpg", "Thumbs.db", "cover.jpg")


def test_a_date_and_time_is_no_frame_number() -> None:
    frames = read_names(["img46.jpg", "IMG_20230102120000.jpg"])
    assert (frames.numbers, frames.strays) == ((46,), ("IMG_20230102120000.jpg",))


@pytest.mark.parametrize(
    ("names", "differ"),
    [
        (["img1.jpg", "img10.jpg"], ""),
        (["img001.jpg", "img002.jpg", "img999.jpg", "img1000.jpg"], ""),
        (["img0.jpg", "img1.jpg"], ""),
        (["img001.jpg", "img2.jpg"], "img001.jpg, img2.jpg"),
        (["img001.jpg", "img02.jpg"], "img001.jpg, img02.jpg"),
        (["img1.jpg", "img2.JPG"], "img2.JPG, img1.jpg"),
        (["img1.jpg", "pic2.jpg"], "pic2.jpg, img1.jpg"),
        (["img1.jpg", "img2.png"], "img2.png, img1.jpg"),
    ],
)
def test_names_that_one_rule_cannot_have_made(names: list[str], differ: str) -> None:
    assert read_names(names).names_differ == differ


@pytest.mark.parametrize(
    ("names", "differs"),
    [(["img1.jpg", "img2.jpg", "img10.jpg"], True), (["img01.jpg", "img02.jpg", "img10.jpg"], False)],
)
def test_text_order(names: list[str], differs: bool) -> None:
    assert read_names(names).text_order_differs is differs


@given(st.sets(st.integers(0, 5000), min_size=1), st.integers(0, 6), st.randoms())
def test_any_padding_gives_the_same_numbers(numbers: set[int], width: int, chance: object) -> None:
    names = [f"img{number:0{width}}.jpg" for number in numbers]
    chance.shuffle(names)  # type: ignore[attr-defined]
    frames = read_names(names)
    assert frames.numbers == tuple(sorted(numbers))
    assert frames.missing == max(numbers) - min(numbers) + 1 - len(numbers)
    assert frames.names_differ == ""
