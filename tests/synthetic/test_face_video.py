"""The synthetic video: deterministic, found by the detector, and moved as it says it is."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.features.faces import detector
from datasets_me.synthetic.actions import ACTIONS, REPERTOIRE, Expression, schedule
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

CLEAN = FaceVideoOptions(frames=20, noise=0.0, jpeg=None, micro=1, head_motion=1.0, amplitude=2.0, blinks=60)


@pytest.mark.parametrize("subject", range(8))
def test_every_face_is_found(subject: int) -> None:
    """In every frame, also while it moves, blinks and flickers."""
    options = FaceVideoOptions(
        frames=16, micro=0, macro=1, fps=15, amplitude=2.0, noise=3.0, flicker=0.01, jolt=3.0, blinks=120
    )
    for frame in FaceVideo(subject, subject + 50, options).frames():
        assert len(detector("dlib").detect(frame)) == 1


def test_the_same_arguments_give_the_same_video() -> None:
    options = FaceVideoOptions(frames=6, colour=True, flicker=0.01)
    one, other = FaceVideo(2, 3, options), FaceVideo(2, 3, options)
    # frames do not depend on which were made before
    np.testing.assert_array_equal(one.frame(4), list(other.frames())[4])
    assert one.frame(0).shape == (250, 200, 3)
    assert not np.array_equal(one.frame(0), FaceVideo(3, 3, options).frame(0))
    assert one.expressions == other.expressions


def test_flow_explains_the_frames() -> None:
    """The second frame, taken from where the flow says, is the first."""
    video = FaceVideo(1, 4, CLEAN)
    grid = np.stack(np.meshgrid(np.arange(200), np.arange(250)), axis=-1).astype(np.float32)
    for t, step in ((0, 1), (3, 6), (8, 10)):
        moved = cv2.remap(video.frame(t + step), grid + video.flow(t, step), None, cv2.INTER_LANCZOS4)
        difference = moved.astype(float) - video.frame(t)
        assert np.abs(difference[5:-5, 5:-5]).mean() < 0.6
        still = video.frame(t + step).astype(float) - video.frame(t)
        assert np.abs(difference[5:-5, 5:-5]).mean() < np.abs(still[5:-5, 5:-5]).mean()


def test_landmarks_ride_on_the_flow() -> None:
    video = FaceVideo(1, 4, CLEAN)
    for t in (0, 7):
        flow = video.flow(t, 5)
        at = video.landmarks[t]
        carried = at + cv2.remap(flow, at[None], None, cv2.INTER_LINEAR)[0]
        np.testing.assert_allclose(carried, video.landmarks[t + 5], atol=0.05)


def test_the_map_is_inverted_also_while_blinking() -> None:
    """Where a pixel comes from, and where that has gone, is the pixel."""
    video = FaceVideo(0, 2, replace(CLEAN, blinks=400, head_motion=5.0))
    assert video.blinks
    grid = np.stack(np.meshgrid(np.arange(200), np.arange(250)), axis=-1).astype(np.float32)
    for blink in video.blinks[:3]:
        source = video._source(blink.apex)
        shift = cv2.remap(video._displacement(blink.apex), source, None, cv2.INTER_LINEAR)
        assert np.abs(source + shift - grid)[10:-10, 10:-10].max() < 0.06


def test_no_motion_without_cause() -> None:
    still = replace(CLEAN, micro=0, head_motion=0.0, blinks=0.0)
    video = FaceVideo(0, 0, still)
    assert np.abs(video.flow(0, 9)).max() == 0
    np.testing.assert_array_equal(video.frame(0), video.frame(9))


def test_the_background_stays_behind() -> None:
    options = replace(CLEAN, size=(400, 300), face_width=100, micro=0, blinks=0, head_motion=3.0)
    flow = np.abs(FaceVideo(0, 1, options).flow(0, 15))
    assert flow[:, :20].max() == 0
    assert flow[150:160, 190:210].max() > 0.1


@given(
    st.integers(0, 999),
    st.integers(1, 400),
    st.sampled_from([15.0, 30.0, 200.0]),
    st.integers(0, 4),
    st.integers(0, 4),
)
def test_expressions_fit_and_do_not_overlap(seed: int, frames: int, fps: float, micro: int, macro: int) -> None:
    found = schedule(np.random.default_rng(seed), frames, fps, micro, macro, 1.0, 3.0)
    assert sum(one.kind == "micro" for one in found) <= micro
    end = -1
    for one in found:
        assert end < one.onset < one.apex < one.offset < frames
        end = one.offset
        if one.kind == "micro":
            assert one.offset - one.onset < max(3, 0.5 * fps + 1)


def test_profile_of_an_expression() -> None:
    one = Expression(3, 6, 11, "micro", (1,), 1.0)
    profile = one.at(np.arange(15))
    np.testing.assert_allclose(profile[[0, 3, 6, 11, 14]], [0, 0, 1, 0, 0], atol=1e-12)
    assert (np.diff(profile[3:7]) > 0).all()
    assert (np.diff(profile[6:12]) < 0).all()


def test_what_is_played_is_known() -> None:
    assert {au for aus in REPERTOIRE for au in aus} < set(ACTIONS)
    video = FaceVideo(0, 0, replace(CLEAN, blinks=200))
    assert video.blinks
    assert all(one.kind == "micro" for one in video.expressions)


def test_options_that_make_no_video() -> None:
    with pytest.raises(ValueError, match="frames"):
        FaceVideoOptions(frames=0)
    with pytest.raises(IndexError, match="frame 20"):
        FaceVideo(0, 0, CLEAN).flow(15, 5)
