"""Optical flow against known motion, in pieces and whole, and with frames that are not there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from datasets_me.core.choices import FlowMethod
from datasets_me.features.flow import METHODS, dense, flow, flow_stream, quantise_8bit
from datasets_me.synthetic.face_video import FaceVideo


def textured(seed: int, size: tuple[int, int] = (96, 80), frames: int = 6) -> NDArray[np.uint8]:
    """Frames (T, H, W) of noise that is smooth enough to be followed, drifting by a sixth of a pixel."""
    rng = np.random.default_rng(seed)
    picture = cv2.GaussianBlur(rng.normal(0, 1, (size[0] * 6, size[1] * 6 + 6 * frames)), (0, 0), 12)
    picture = 128 + 50 * picture / picture.std()
    return np.stack([np.clip(picture[::6, t : t + 6 * size[1] : 6], 0, 255).astype(np.uint8) for t in range(frames)])


@pytest.mark.parametrize("method", METHODS)
def test_sixth_of_a_pixel(method: FlowMethod) -> None:
    found = flow(textured(0, frames=3 if method == "tvl1" else 6), method)
    middle = found[:, 20:-20, 20:-20]
    assert found.dtype == np.float32
    # OpenCV's regularised methods fall short of small motion
    tolerance = 0.01 if method == "lk" else 0.05
    np.testing.assert_allclose(middle.mean(axis=(0, 1, 2)), [-1 / 6, 0], atol=tolerance)
    assert np.abs(middle - [-1 / 6, 0]).mean() < tolerance


@pytest.mark.parametrize(("step", "tolerance"), [(1, 0.02), (3, 0.05)])
def test_a_face_within_hundredths(
    video: FaceVideo, frames: list[NDArray[np.uint8]], step: int, tolerance: float
) -> None:
    found = flow(frames, step=step, face_width=130)
    truth = np.stack([video.flow(t, step) for t in range(len(frames) - step)])
    (x0, y0), (x1, y1) = (
        video.landmarks[0].min(axis=0).astype(int),
        video.landmarks[0].max(axis=0).astype(int),
    )
    error = np.linalg.norm(found - truth, axis=3)[:, y0:y1, x0:x1]
    assert np.median(error) < tolerance


def test_large_shifts_are_followed() -> None:
    picture = textured(4, (160, 160), 1)[0]
    moved = np.roll(picture, (5, -9), axis=(0, 1))
    found = flow(np.stack([picture, moved]))[0, 40:-40, 40:-40]
    np.testing.assert_allclose(np.median(found, axis=(0, 1)), [-9, 5], atol=0.05)


def test_gain_is_not_motion() -> None:
    picture = textured(1, (128, 128), 1)[0]
    brighter = np.clip(picture * 1.03, 0, 255).astype(np.uint8)
    assert np.abs(flow(np.stack([picture, brighter]))).mean() < 0.01


def test_a_still_picture_has_no_flow() -> None:
    assert np.abs(flow(np.stack([textured(2)[0]] * 4))).max() < 1e-5


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 9),
    step=st.integers(1, 3),
    temporal=st.sampled_from([1, 3, 5, 7]),
    count=st.integers(0, 9),
    missing=st.sets(st.integers(0, 8), max_size=3),
)
def test_streamed_is_whole(seed: int, step: int, temporal: int, count: int, missing: set[int]) -> None:
    """The same bits from a stream as from an array, one field per pair, none where a frame is missing."""
    stack = textured(seed, (40, 33), 9)[:count]
    some = [None if t in missing else frame for t, frame in enumerate(stack)]
    streamed = list(dense(flow_stream(iter(some), step=step, temporal=temporal)))
    whole = flow(some, step=step, temporal=temporal)
    assert len(streamed) == len(whole) == max(0, count - step)
    for t, (one, other) in enumerate(zip(streamed, whole, strict=True)):
        if t in missing or t + step in missing:
            assert one is None
            assert np.isnan(other).all()
        else:
            np.testing.assert_array_equal(one, other)


def test_by_default_neighbouring_frames_are_paired_and_five_pairs_averaged() -> None:
    stack = textured(6, (40, 33), 7)
    whole = flow(stack, step=1, temporal=5)
    np.testing.assert_array_equal(flow(stack), whole)
    np.testing.assert_array_equal(list(dense(flow_stream(stack))), whole)


def test_cut_anywhere_with_an_overlap_the_middle_is_the_same() -> None:
    """A pair depends on `temporal - 1 + step` frames around it and on nothing else."""
    stack = textured(3, (48, 40), 14)
    whole = flow(stack, temporal=5)
    part = flow(stack[4:12], temporal=5)
    np.testing.assert_array_equal(part[2:-2], whole[6:9])


def test_neighbours_are_averaged_only_if_asked() -> None:
    stack = textured(5, (48, 40), 6)
    np.testing.assert_array_equal(flow(stack, temporal=1)[2], flow(stack[2:4], temporal=1)[0])
    assert not np.array_equal(flow(stack, temporal=5)[2], flow(stack[2:4], temporal=5)[0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (17, 5)])
def test_tiny_pictures(method: FlowMethod, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    found = flow(rng.integers(0, 255, (3, *size), dtype=np.uint8), method)
    assert found.shape == (2, *size, 2)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("value", [0, 255])
def test_empty_pictures(value: int) -> None:
    assert np.abs(flow(np.full((3, 40, 40), value, np.uint8))).max() == 0


def test_one_frame_has_no_pair() -> None:
    assert flow(np.zeros((1, 8, 9), np.uint8)).shape == (0, 8, 9, 2)
    assert flow([None, None]).shape == (1, 0, 0, 2)


def test_bad_input_says_what_is_wrong() -> None:
    fine = np.zeros((2, 8, 8), np.uint8)
    with pytest.raises(ValueError, match=r"unknown flow method 'raft'; choose one of lk, tvl1"):
        flow_stream(fine, "raft")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="step"):
        flow_stream(fine, step=0)
    with pytest.raises(ValueError, match="odd"):
        flow_stream(fine, temporal=4)
    with pytest.raises(ValueError, match="width of the face"):
        flow_stream(fine, face_width=0.0)
    with pytest.raises(ValueError, match="frame 1 is uint8"):
        list(flow_stream([fine[0], np.zeros((9, 8), np.uint8)]))
    with pytest.raises(ValueError, match="float64"):
        list(flow_stream([np.zeros((8, 8))]))  # type: ignore[list-item]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=8))
def test_published_storage(values: list[float]) -> None:
    field = np.array(values, np.float32)
    stored = quantise_8bit(field)
    assert stored.dtype == np.float32
    assert np.abs(20 * stored - np.clip(field, -10, 10)).max() <= 10 / 255 + 1e-5
    np.testing.assert_allclose(stored * 255 + 127.5, np.rint(stored * 255 + 127.5), atol=1e-3)
    np.testing.assert_array_equal(quantise_8bit(20 * stored), stored)


def test_zero_is_stored_as_more_than_zero() -> None:
    assert 20 * quantise_8bit(np.zeros(1, np.float32))[0] == pytest.approx(0.0392, abs=1e-4)


def test_published_storage_in_jpeg() -> None:
    field = np.random.default_rng(0).normal(0, 0.3, (32, 40, 2)).astype(np.float32)
    stored = quantise_8bit(field, jpeg=95)
    assert stored.shape == field.shape
    assert 0 < np.abs(stored - quantise_8bit(field)).max() < 0.05
