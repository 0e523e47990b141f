"""Landmarks: where they are, how steady, and what happens in gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from datasets_me.features.boxes import Box, CallableDetector, Detection
from datasets_me.features.faces import detector
from datasets_me.features.landmarks import (
    DOUBTFUL,
    GONE,
    STABLE,
    Tracker,
    align,
    predict,
    settled,
    smooth,
    smooth_stream,
    stable_motion,
    track,
)
from datasets_me.synthetic.face_video import FaceVideo


@pytest.fixture(scope="module")
def face(frames: list[NDArray[np.uint8]]) -> Box:
    return detector("dlib").detect(frames[0])[0].box


def test_on_the_face_and_steady(video: FaceVideo, frames: list[NDArray[np.uint8]], face: Box) -> None:
    found = np.stack([predict(frame, face).points for frame in frames])
    error = found - video.landmarks
    # the model's own idea of a landmark differs from the portrait's by a constant; what counts is the rest
    assert np.abs(error.mean(axis=0)).mean() < 2.0
    calm = error[:, 27:48]
    jitter = (calm - calm.mean(axis=0)).std()
    assert jitter < 0.45
    smoothed, filled = smooth(found)
    assert not filled.any()
    calm = (smoothed - video.landmarks)[:, 27:48]
    assert (calm - calm.mean(axis=0)).std() < 0.8 * jitter


def test_doubt_tells_faces_from_the_rest(frames: list[NDArray[np.uint8]], face: Box) -> None:
    doubts = np.array([predict(frame, face).residual for frame in frames])
    assert np.median(doubts) < DOUBTFUL / 2
    assert doubts.max() < GONE
    rng = np.random.default_rng(0)
    for other in (np.zeros_like(frames[0]), rng.integers(0, 255, frames[0].shape, dtype=np.uint8)):
        assert predict(other, face).residual > GONE


@pytest.mark.parametrize(("down", "size"), [(0.06, 1.0), (0.06, 1.15)])
def test_a_box_that_is_too_low_or_too_large(
    down: float, size: float, video: FaceVideo, frames: list[NDArray[np.uint8]], face: Box
) -> None:
    """Landmarks start from a box near it where they agree, and stay there."""
    x, y = (face.x0 + face.x1) / 2, (face.y0 + face.y1) / 2 + down * face.height
    low = Box(*(middle + sign * size * face.width / 2 for sign in (-1, 1) for middle in (x, y)))
    wrong = predict(frames[0], low)
    assert wrong.residual > DOUBTFUL
    start, right = settled(frames[0], low)
    assert right.residual < wrong.residual / 3
    (tracked, later) = track([frames[0], frames[1]], Tracker(detector("dlib"), low))
    assert later.points is not None
    np.testing.assert_array_equal(later.points, predict(frames[1], start).points)
    for points in (right.points, tracked.points):
        assert np.linalg.norm(points - video.landmarks[0], axis=1).mean() < 2.5
    assert settled(frames[0], face)[0] == face


def test_a_face_that_leaves_and_comes_back(frames: list[NDArray[np.uint8]], face: Box) -> None:
    empty = np.full_like(frames[0], 90)
    moved = np.roll(frames[5], 60, axis=1)
    tracked = list(track([frames[0], empty, None, moved], Tracker(detector("dlib"), face)))
    assert [one.points is not None for one in tracked] == [True, False, False, True]
    assert np.isnan(tracked[2].residual)
    back = tracked[3].points
    assert back is not None
    first = tracked[0].points
    assert first is not None
    np.testing.assert_allclose((back - first).mean(axis=0), [60, 0], atol=4)


def test_landmarks_are_predicted_at_key_frames(frames: list[NDArray[np.uint8]], face: Box) -> None:
    """Between them they are interpolated; where the picture moves, each frame is asked about."""
    each = [one.points for one in track(frames[:9], Tracker(detector("dlib"), face))]
    some = [one.points for one in track(frames[:9], Tracker(detector("dlib"), face, every=4))]
    points = [np.asarray(one) for one in some]
    for key in (0, 4, 8):
        np.testing.assert_array_equal(some[key], each[key])
    np.testing.assert_allclose(points[1], 0.75 * points[0] + 0.25 * points[4], atol=1e-3)
    moving = [np.roll(frame, 6 * index, axis=1) for index, frame in enumerate(frames[:4])]
    followed = [one.points for one in track(moving, Tracker(detector("dlib"), face, every=4))]
    each = [one.points for one in track(moving, Tracker(detector("dlib"), face))]
    for one, other in zip(followed, each, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_face_that_is_not_there_is_looked_for_ever_more_seldom(frames: list[NDArray[np.uint8]]) -> None:
    looked: list[int] = []

    def find(image: NDArray[np.uint8]) -> list[Detection]:
        looked.append(int(image[0, 0]))
        return []

    empty = [np.full_like(frames[0], 90) for _ in range(40)]
    for index, frame in enumerate(empty):
        frame[0, 0] = index
    assert len(list(track(empty, Tracker(CallableDetector("nobody", find))))) == 40
    assert looked == [0, 2, 6, 14, 30]
    looked.clear()
    # another picture is looked at, at once
    list(track([*empty[:9], frames[0]], Tracker(CallableDetector("nobody", find))))
    assert looked == [0, 2, 6, int(frames[0][0, 0])]


def test_nobody(frames: list[NDArray[np.uint8]]) -> None:
    empty = np.full_like(frames[0], 90)
    assert [one.residual for one in track([empty], Tracker(detector("dlib")))] == [float("inf")]


@settings(deadline=None, max_examples=25)
@given(
    count=st.integers(0, 30),
    sigma=st.sampled_from([0.0, 0.5, 2.0]),
    missing=st.sets(st.integers(0, 29)),
    slope=st.floats(-2, 2, width=32),
)
def test_smoothing_keeps_what_is_smooth(count: int, sigma: float, missing: set[int], slope: float) -> None:
    """A frame for a frame, late but in order; a constant stays; gaps are filled; streaming is the whole."""
    points = np.full((count, 68, 2), 3.0, np.float32)
    points[[t for t in missing if t < count]] = np.nan
    out, filled = smooth(points, sigma)
    assert len(out) == count
    np.testing.assert_array_equal(filled, [t in missing for t in range(count)])
    if not filled.all():
        np.testing.assert_allclose(out, 3.0, rtol=1e-5)
    streamed = list(smooth_stream((None if t in missing else points[t] for t in range(count)), sigma))
    assert [one.own for one in streamed] == [t not in missing for t in range(count)]


def test_without_smoothing_nothing_changes() -> None:
    points = np.random.default_rng(0).normal(size=(7, 68, 2)).astype(np.float32)
    np.testing.assert_array_equal(smooth(points, 0.0)[0], points)


def test_long_gaps_are_bridged_linearly() -> None:
    points = np.zeros((40, 68, 2), np.float32)
    points[30:] = 40.0
    points[1:30] = np.nan
    out, filled = smooth(points, 0.5)
    assert filled.sum() == 29
    middle = out[5:25, 0, 0]
    np.testing.assert_allclose(np.diff(middle), np.diff(middle)[0], rtol=1e-3)
    assert (np.diff(middle) > 0).all()


def test_alignment_undoes_a_turn(frames: list[NDArray[np.uint8]], face: Box) -> None:
    reference = predict(frames[0], face).points
    angle = 0.05
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (reference @ turn.T + [3, -2]).astype(np.float32)
    picture, back = align(frames[0], points, reference)
    assert picture.shape == frames[0].shape
    np.testing.assert_allclose(back[list(STABLE)], reference[list(STABLE)], atol=0.05)


def test_a_landmark_that_strays_has_no_say() -> None:
    """One of the ten, off by a seventh of the face's width: the others alone decide."""
    reference = np.random.default_rng(0).uniform(50, 150, (68, 2)).astype(np.float32)
    reference[0], reference[16] = [40, 90], [180, 90]
    points = reference + np.float32([4, -3])
    points[STABLE[4]] += [20, 0]
    np.testing.assert_allclose(stable_motion(points, reference), [[1, 0, -4], [0, 1, 3]], atol=1e-3)


@pytest.mark.parametrize("value", [np.nan, 7.0])
def test_alignment_without_anything_to_align_by(value: float) -> None:
    points = np.full((68, 2), value, np.float32)
    np.testing.assert_array_equal(stable_motion(points, points), np.eye(2, 3))
