"""TV-L1 by torch against OpenCV's; torch on the CPU stands for a GPU here."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from datasets_me.features.flow import flow
from datasets_me.features.tvl1_torch import flow_batch
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

VIDEO = FaceVideo(1, 2, FaceVideoOptions(frames=4, size=(72, 64), face_width=50, amplitude=2.0, head_motion=2.0))
FRAMES = np.stack(list(VIDEO.frames()))
INNER = np.s_[:, 8:-8, 8:-8]


def rms(difference: np.ndarray) -> float:
    return float(np.sqrt((difference**2).sum(axis=-1).mean()))


def test_it_agrees_with_opencv_and_is_as_near_to_the_truth() -> None:
    ours = flow_batch(FRAMES[:-1], FRAMES[1:], "cpu")
    pairs = pairwise(FRAMES)
    theirs = np.stack([cv2.optflow.DualTVL1OpticalFlow_create().calc(a, b, None) for a, b in pairs])
    truth = np.stack([VIDEO.flow(t) for t in range(3)])
    assert ours.shape == theirs.shape
    assert rms((ours - theirs)[INNER]) < 0.03
    assert rms((ours - truth)[INNER]) < 1.1 * rms((theirs - truth)[INNER])


def test_pairs_do_not_depend_on_their_batch() -> None:
    both = flow_batch(FRAMES[:2], FRAMES[1:3], "cpu")
    alone = flow_batch(FRAMES[1:2], FRAMES[2:3], "cpu")
    assert np.abs(both[1] - alone[0]).max() < 1e-3


def test_frames_that_are_missing_keep_their_place() -> None:
    frames = [FRAMES[0], FRAMES[1], None, FRAMES[3]]
    field = flow(frames, "tvl1", device="cpu:0")
    assert [bool(np.isfinite(one).all()) for one in field] == [True, False, False]
    np.testing.assert_array_equal(field[0], flow_batch(FRAMES[:1], FRAMES[1:2], "cpu")[0])


def test_other_methods_stay_on_the_cpu() -> None:
    with pytest.raises(ValueError, match="only tvl1 can be computed on cuda, not dis"):
        flow(FRAMES, "dis", device="cuda")
