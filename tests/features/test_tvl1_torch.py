"""TV-L1 by torch against OpenCV's; torch on the CPU stands for a GPU here."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from datasets_me.features.flow import flow
from datasets_me.features.tvl1_torch import flow_batch
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

VIDEO = FaceVideo(1, 2, FaceVideoOptions(frames=4, size=(52, 46), face_width=36, amplitude=2.0, head_motion=2.0))
FRAMES = np.stack(list(VIDEO.frames()))
INNER = np.s_[:, 6:-6, 6:-6]


def rms(difference: np.ndarray) -> float:
    return float(np.sqrt((difference**2).sum(axis=-1).mean()))


@pytest.fixture(scope="module")
def ours() -> np.ndarray:
    """The flow between all frames, in one batch."""
    return flow_batch(FRAMES[:-1], FRAMES[1:], "cpu")


def test_it_agrees_with_opencv_and_is_as_near_to_the_truth(ours: np.ndarray) -> None:
    pairs = pairwise(FRAMES)
    theirs = np.stack([cv2.optflow.DualTVL1OpticalFlow_create().calc(a, b, None) for a, b in pairs])
    truth = np.stack([VIDEO.flow(t) for t in range(3)])
    assert ours.shape == theirs.shape
    assert rms((ours - theirs)[INNER]) < 0.03
    assert rms((ours - truth)[INNER]) < 1.1 * rms((theirs - truth)[INNER])


def test_frames_that_are_missing_keep_their_place_and_pairs_do_not_depend_on_their_batch(ours: np.ndarray) -> None:
    field = flow([None, FRAMES[1], FRAMES[2], None], "tvl1", device="cpu:0")
    assert [bool(np.isfinite(one).all()) for one in field] == [False, True, False]
    assert np.abs(field[1] - ours[1]).max() < 1e-3


def test_other_methods_stay_on_the_cpu() -> None:
    with pytest.raises(ValueError, match="only tvl1 can be computed on cuda, not dis"):
        flow(FRAMES, "dis", device="cuda")
