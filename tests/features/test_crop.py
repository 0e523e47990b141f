"""One box per video, and what is done where no face is found."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from datasets_me.features.boxes import Box, CallableDetector, Detection, FaceDetector
from datasets_me.features.crop import (
    Margin,
    Margins,
    choose_crop,
    clamped,
    crop_of_others,
    cut,
    given_crop,
    padded_box,
    padded_square,
)
from datasets_me.features.faces import detector
from datasets_me.synthetic.face_video import FaceVideo

FIELD = np.zeros((200, 300), np.uint8)


def scripted(boxes: Mapping[int, list[Box]]) -> FaceDetector:
    """A detector that finds given boxes in the frame whose first pixel has the key's value."""
    return CallableDetector("scripted", lambda image: [Detection(box, 1.0) for box in boxes.get(int(image[0, 0]), [])])


def numbered(count: int) -> list[NDArray[np.uint8] | None]:
    frames: list[NDArray[np.uint8] | None] = []
    for index in range(count):
        frames.append(np.full((200, 300), index, np.uint8))
    return frames


def test_a_face_is_framed_and_found_again(video: FaceVideo, frames: list[NDArray[np.uint8]]) -> None:
    crop = choose_crop(frames, detector("dlib"))
    assert (crop.source, crop.confirmed, crop.found) == ("sample", True, crop.looked)
    low, high = video.landmarks[:, 17:].min(axis=(0, 1)), video.landmarks[:, 17:].max(axis=(0, 1))
    assert crop.box.x0 < low[0] < high[0] < crop.box.x1
    assert crop.box.y0 < low[1] < high[1] < crop.box.y1
    assert detector("dlib").detect(cut(frames[-1], crop.box))


def test_a_face_at_the_border_is_clamped(frames: list[NDArray[np.uint8]]) -> None:
    edge = [np.ascontiguousarray(frame[60:, 80:]) for frame in frames[:5]]
    crop = choose_crop(edge, detector("dlib"))
    assert crop.confirmed
    assert crop.box.x0 >= 0
    assert crop.box.y0 >= 0


def test_one_wild_detection_does_not_move_the_box() -> None:
    steady = Box(100, 60, 160, 120)
    boxes = {index: [steady] for index in range(9)}
    boxes[4] = [Box(0, 0, 40, 40)]
    boxes[6] = [Box(10, 10, 200, 200), steady]
    crop = choose_crop(numbered(9), scripted(boxes), sample=9)
    assert crop.face == steady
    assert crop.dropped == 2


def test_other_frames_are_looked_at_where_the_first_show_nothing() -> None:
    steady = Box(100, 60, 160, 120)
    crop = choose_crop(numbered(40), scripted({index: [steady] for index in range(4, 18)}), sample=3)
    assert (crop.source, crop.face) == ("all-frames", steady)
    assert crop.tried["sample"] == "no face in 3 frames"


def test_the_chain_of_fallbacks() -> None:
    nobody = scripted({})
    others = [Box(10, 10, 110, 110), Box(20, 20, 120, 120)]
    crop = choose_crop(numbered(5), nobody, fallbacks=others)
    assert (crop.source, crop.box, crop.confirmed) == ("subject", Box(15, 15, 115, 115), False)
    crop = choose_crop(numbered(5), nobody)
    assert (crop.source, crop.box, crop.face) == ("whole-frame", Box(0, 0, 300, 200), None)
    assert list(crop.tried) == ["sample", "all-frames", "subject"]


def once(box: Box) -> FaceDetector:
    """A detector that finds a face in whole frames only."""
    return CallableDetector("once", lambda image: [Detection(box, 1.0)] if image.shape == (200, 300) else [])


ROWS, COLUMNS = np.indices((200, 300))
MAP = np.stack([COLUMNS % 256, COLUMNS // 256, ROWS], axis=-1).astype(np.uint8)
"""A picture whose pixels say where they are."""


def always(box: Box) -> FaceDetector:
    """A detector that finds a face in `MAP`, and again in every crop of it."""

    def find(image: NDArray[np.uint8]) -> list[Detection]:
        low, high, y = (int(value) for value in image[0, 0])
        x = 256 * high + low
        return [Detection(Box(box.x0 - x, box.y0 - y, box.x1 - x, box.y1 - y), 1.0)]

    return CallableDetector("always", find)


def test_an_unconfirmed_crop_is_the_largest_tried() -> None:
    crop = choose_crop(numbered(3), once(Box(100, 60, 160, 120)), paddings=(0.1, 0.5))
    assert not crop.confirmed
    assert crop.box == Box(70, 30, 190, 150)


def test_missing_and_odd_frames_are_passed_over() -> None:
    frames = numbered(5)
    frames[0], frames[2] = None, np.zeros((5, 5), np.uint8)
    crop = choose_crop(frames, scripted({1: [Box(100, 60, 160, 120)]}), shape=(200, 300))
    assert crop.found == 1
    lonely: list[NDArray[np.uint8] | None] = [None] * 500
    lonely[123] = numbered(2)[1]
    assert choose_crop(lonely, scripted({1: [Box(100, 60, 160, 120)]})).found == 1
    with pytest.raises(ValueError, match="none of 2 frames can be read"):
        choose_crop([None, None], scripted({}))


def test_a_given_box_gets_a_second_look(frames: list[NDArray[np.uint8]]) -> None:
    good = choose_crop(frames, detector("dlib")).box
    assert given_crop(good, frames[0], detector("dlib")).confirmed
    bad = given_crop(Box(-20, -20, 30, 40), frames[0], detector("dlib"))
    assert (bad.box, bad.confirmed, bad.face) == (Box(0, 0, 30, 40), False, None)


def test_a_published_crop_is_taken_as_it_is(frames: list[NDArray[np.uint8]]) -> None:
    crops = [frames[3][50:270, 60:250]]
    crop = choose_crop(frames, detector("published-crop", crops=crops))
    np.testing.assert_allclose(crop.box, (60, 50, 250, 270), atol=4)
    assert (crop.source, crop.confirmed) == ("sample", True)
    assert crop.face is not None
    boxed = choose_crop(frames, detector("boxes", box=Box(60, 50, 250, 270)))
    assert boxed.box == Box(60, 50, 250, 270)


EDGE = Margin(px=math.inf)


@pytest.mark.parametrize(
    ("margins", "box"),
    [
        (Margins(Margin(px=10), Margin(px=10), Margin(px=10), Margin(px=10)), (90, 50, 170, 130)),
        (Margins(Margin(px=80), Margin(0.5), Margin(px=-40), Margin(0.25)), (20, 30, 120, 135)),
        (Margins(Margin(0.1), EDGE, Margin(0.1), Margin(px=20)), (94, 0, 166, 140)),
        (Margins(EDGE, EDGE, EDGE, EDGE), (0, 0, 300, 200)),
        (Margins(Margin(px=400), Margin(-0.5), Margin(), Margin(9)), (0, 90, 160, 200)),
    ],
)
def test_each_side_has_room_of_its_own(margins: Margins, box: tuple[int, int, int, int]) -> None:
    crop = choose_crop([MAP], always(Box(100, 60, 160, 120)), margins=margins)
    assert (crop.box, crop.confirmed) == (Box(*box), True)


def test_room_on_each_side_is_widened_where_the_face_is_not_found_again() -> None:
    margins = Margins(Margin(px=10), Margin(px=48), Margin(px=-20), EDGE)
    crop = choose_crop(numbered(3), once(Box(100, 60, 160, 120)), margins=margins, paddings=(0.1, 0.5))
    assert (crop.box, crop.confirmed) == (Box(70, 12, 140, 200), False)


def test_the_same_room_on_all_sides_of_a_square_is_a_padding() -> None:
    face = Box(100, 60, 160, 120)
    assert padded_box(face, Margins(*[Margin(0.4)] * 4)) == padded_square(face, 0.4)


def test_the_mean_box_of_others_is_cut_to_the_picture() -> None:
    crop = crop_of_others([Box(-30, 10, 110, 110), Box(20, 20, 120, 290)], (200, 300))
    assert (crop.box, crop.source, crop.looked) == (Box(0, 15, 115, 200), "subject", 0)
    assert dict(crop.tried) == {"subject": "the mean box of 2 other videos"}


edges = st.floats(-500, 500, allow_nan=False)


@given(edges, edges, st.floats(1, 500), st.floats(1, 500), st.integers(1, 400), st.integers(1, 400))
def test_clamped_boxes_lie_in_the_image_and_have_pixels(
    x: float, y: float, width: float, height: float, rows: int, columns: int
) -> None:
    box = clamped(padded_square(Box(x, y, x + width, y + height), 0.25), (rows, columns))
    assert 0 <= box.x0 < box.x1 <= columns
    assert 0 <= box.y0 < box.y1 <= rows
    assert cut(np.zeros((rows, columns), np.uint8), box).size
