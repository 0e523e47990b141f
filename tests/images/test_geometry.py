"""Squares inside images, level eyes, and halves of faces."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from datasets_me.images.geometry import FACTOR, REGIONS, eyes, levelled, mirrored_difference, square
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

COORDINATE = st.floats(-30, 130, width=32)


@given(st.lists(st.tuples(COORDINATE, COORDINATE), min_size=2, max_size=8), st.integers(1, 120), st.integers(1, 120))
def test_a_square_is_inside_and_as_large_as_it_can_be(
    points: list[tuple[float, float]], height: int, width: int
) -> None:
    array = np.array(points, np.float32)
    box = square(array, (height, width))
    side = box.x1 - box.x0
    wanted = max(1, round(float(np.ptp(array.astype(np.float64), axis=0).max()) * FACTOR))
    assert side == box.y1 - box.y0 == min(wanted, height, width)
    assert 0 <= box.x0 < box.x1 <= width
    assert 0 <= box.y0 < box.y1 <= height
    assert box.smaller == (side < wanted)
    middle = (array.min(axis=0).astype(np.float64) + array.max(axis=0)) / 2 + 0.5
    off = np.abs(middle - ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2))
    assert box.shifted or (off <= 0.5 + 1e-3).all()


def test_a_mouth_at_the_border_is_shifted_and_not_distorted() -> None:
    mouth = np.array([[2, 50], [22, 50], [12, 45], [12, 56]], np.float32)
    assert square(mouth, (100, 100)) == (0, 36, 30, 66, True, False)
    assert square(mouth, (20, 100)) == (3, 0, 23, 20, True, True)
    assert square(mouth + np.float32(40), (140, 100)) == (38, 76, 68, 106, False, False)


def test_the_mouth_is_the_landmarks_of_ibug() -> None:
    assert {name: (numbers.start, numbers.stop) for name, numbers in REGIONS.items()} == {
        "face": (0, 68),
        "mouth": (48, 68),
        "eyes": (36, 48),
        "brows": (17, 27),
    }


def film(seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    video = FaceVideo(seed, 0, FaceVideoOptions(frames=1, size=(160, 160), face_width=100, jpeg=None, micro=0))
    return video.frame(0), video.landmarks[0]


def test_eyes_are_level_and_the_middle_between_them_stays() -> None:
    image, points = film()
    turn = cv2.getRotationMatrix2D((80.0, 80.0), 17.0, 1.0)
    tilted = np.asarray(cv2.warpAffine(image, turn, (160, 160)), np.uint8)
    moved = (points @ turn[:, :2].T + turn[:, 2]).astype(np.float32)
    level, landmarks, angle = levelled(tilted, moved)
    left, right = eyes(landmarks)
    assert abs(left[1] - right[1]) < 1e-3
    assert np.allclose((left + right) / 2, np.mean(eyes(moved), axis=0), atol=1e-3)
    assert np.isclose(np.linalg.norm(right - left), np.linalg.norm(np.subtract(*eyes(points))), atol=1e-3)
    before = np.degrees(np.arctan2(*np.subtract(*eyes(points)[::-1])[::-1]))
    assert np.isclose(angle, before - 17, atol=0.1)
    # the picture moved with its landmarks: the mouth looks as it did before it was tilted
    straight, same, _ = levelled(image, points)
    patches = [
        picture[int(y) - 10 : int(y) + 10, int(x) - 15 : int(x) + 15].astype(float)
        for picture, (x, y) in ((level, landmarks[62]), (straight, same[62]))
    ]
    assert np.corrcoef(patches[0].ravel(), patches[1].ravel())[0, 1] > 0.9


def test_halves_of_a_face() -> None:
    image, points = film()
    mirror = np.hstack([image[:, :80], image[:, :80][:, ::-1]])
    symmetric = points.copy()
    # pairs of landmarks that mirror each other decide: eyes and chin
    symmetric[36:42] = points[36:42]
    symmetric[42:48] = points[36:42] * (-1, 1) + (159, 0)
    symmetric[8] = (79.5, points[8, 1])
    assert mirrored_difference(np.ascontiguousarray(mirror), symmetric) < 0.02
    bare = mirrored_difference(image, points)
    covered = image.copy()
    covered[:, 85:] = 128
    assert mirrored_difference(covered, points) > bare + 0.2
    assert mirrored_difference(np.full_like(image, 90), points) == 0
