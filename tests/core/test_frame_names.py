"""Frames of a folder from their names: numeric order, gaps, duplicates, differing names."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.frame_names import far_away, reach, read_names


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


def test_a_date_beside_the_frames_is_not_one_of_them() -> None:
    frames = read_names([*(f"img{number:03}.jpg" for number in range(1, 41)), "img20140508.jpg", "Thumbs.db"])
    assert frames.numbers == tuple(range(1, 41))
    assert (frames.gaps, frames.text_order_differs, frames.names_differ) == ((), False, "")
    assert (frames.far, frames.strays) == (("img20140508.jpg",), ("Thumbs.db",))
    assert far_away(frames.far, frames.names) == (
        "1 file left out, too far from img001.jpg to img040.jpg to be frames: img20140508.jpg"
    )


@pytest.mark.parametrize(
    "numbers",
    [
        range(9_000, 14_000),  # past four digits
        range(46, 87),  # CASME II's crops
        range(20_140_508, 20_140_548),  # absolute numbers
        [*range(1, 60), *range(900, 2_000)],  # hundreds are missing
        [*range(1, 50), *range(9_900, 9_950)],  # nearly all are
        range(1, 60_000, 20),  # 500 frames a second sampled down to 25
        [7],
        [],
    ],
)
def test_frames_that_lie_far_apart_all_the_same(numbers: Sequence[int]) -> None:
    frames = read_names([f"img{number}.jpg" for number in numbers])
    assert (frames.numbers, frames.far) == (tuple(numbers), ())


def test_the_frames_are_where_most_files_are() -> None:
    frames = read_names([f"img{number}.jpg" for number in (1, 2, *range(50_000, 50_040), 999_999_999)])
    assert frames.numbers == tuple(range(50_000, 50_040))
    assert frames.far == ("img1.jpg", "img2.jpg", "img999999999.jpg")
    halves = read_names([f"img{number}.jpg" for number in (1, 2, 20_140_508, 20_140_509)])
    assert (halves.numbers, len(halves.far)) == ((1, 2), 2)


@given(st.sets(st.integers(0, 10**9 - 1), max_size=60))
def test_frames_never_span_more_than_their_reach_and_none_is_lost(numbers: set[int]) -> None:
    frames = read_names([f"img{number}.jpg" for number in numbers])
    assert not numbers or frames.numbers[-1] - frames.numbers[0] < reach(len(numbers))
    assert {*frames.names, *frames.far} == {f"img{number}.jpg" for number in numbers}
    assert len(frames.names) + len(frames.far) == len(numbers)


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
