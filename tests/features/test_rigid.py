"""The motion of the head as a whole, on fields whose head and skin are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from datasets_me.features.regions import TWELVE
from datasets_me.features.rigid import rigid_free
from datasets_me.synthetic.face_video import FaceVideo

SIZE = (280, 300)
Y, X = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)


@pytest.fixture(scope="module")
def landmarks(video: FaceVideo) -> NDArray[np.float32]:
    return video.landmarks[:1]


def head(landmarks: NDArray[np.float32], roll: float, zoom: float, yaw: float) -> NDArray[np.float32]:
    """Flow (1, H, W, 2) of a head that moves by (0.4, -0.2) px, rolls, comes nearer and turns on a cylinder."""
    x, y = X - landmarks[0, 27:36, 0].mean(), Y - landmarks[0, 27:36, 1].mean()
    width = np.linalg.norm(landmarks[0, 16] - landmarks[0, 0])
    depth = np.sqrt(np.maximum(1 - (x / (0.6 * width)) ** 2, 0))
    u, v = 0.4 - roll * y + zoom * x + yaw * depth, -0.2 + roll * x + zoom * y
    return np.stack([u, v], axis=-1)[None].astype(np.float32)


@pytest.mark.parametrize(
    ("roll", "zoom", "yaw", "within"),
    [(0, 0, 0, 0.001), (0.02, 0, 0, 0.005), (0, 0.01, 0, 0.005), (0.01, 0.01, 1, 0.15)],
)
def test_nothing_is_left_of_a_head(
    landmarks: NDArray[np.float32], roll: float, zoom: float, yaw: float, within: float
) -> None:
    motion = rigid_free(head(landmarks, roll, zoom, yaw), landmarks)
    np.testing.assert_allclose(motion.feature, 0, atol=within)
    np.testing.assert_allclose(motion.global_motion, [[0.4 + yaw, -0.2]], atol=0.05)
    assert motion.valid.all()


def test_an_expression_stays_and_a_hand_does_not_enter(landmarks: NDArray[np.float32]) -> None:
    flow = head(landmarks, 0.005, 0.002, 0)
    brow = TWELVE.matrix()[2] @ landmarks[0]
    flow[0, ..., 1] -= 0.5 * np.exp(-((X - brow[0]) ** 2 + (Y - brow[1]) ** 2) / (2 * 12**2))
    chin = landmarks[0, 57, 1] < Y
    flow[0, chin] = (4.0, -3.0)
    feature = rigid_free(flow, landmarks).feature[0]
    np.testing.assert_allclose(feature[2], [0, -0.5], atol=0.06)
    np.testing.assert_allclose(feature[[4, 5, 6]], 0, atol=0.03)


def test_eyes_what_lies_beside_the_face_and_half_known_flow_have_no_say(landmarks: NDArray[np.float32]) -> None:
    plain = head(landmarks, 0.01, 0.005, 0)
    flow = plain.copy()
    for eye in (landmarks[0, 36:42], landmarks[0, 42:48]):
        around = np.abs(np.stack([X, Y], -1) - eye.mean(axis=0)) <= (np.ptp(eye, axis=0) / 2)
        flow[0, around.all(axis=-1)] = (3.0, 3.0)
    flow[0, : int(landmarks[0, 17:27, 1].min()) - 12] = (-3.0, 5.0)
    flow[0, int(landmarks[0, 8, 1]) + 12 :] = (-3.0, 5.0)
    flow[0, ::2, ::2, 0] = np.nan  # v is known there, but for nothing
    flow[0, ::2, ::2, 1] = 40.0
    motion = rigid_free(flow, landmarks)
    np.testing.assert_allclose(motion.global_motion, rigid_free(plain, landmarks).global_motion, atol=0.01)


def test_what_is_not_known_has_no_feature(landmarks: NDArray[np.float32]) -> None:
    flow = np.concatenate([head(landmarks, 0, 0, 0)] * 3)
    points = np.concatenate([landmarks, landmarks + 1000, np.full_like(landmarks, np.nan)])
    flow[0, :, : SIZE[1] // 2] = np.nan
    motion = rigid_free(flow, points)
    assert motion.valid.tolist()[1:] == [[False] * 12] * 2
    assert motion.clipped[1].all()
    assert np.isnan(motion.feature[1:]).all()
    np.testing.assert_allclose(motion.feature[0, 4:6], 0, atol=0.001)
    assert not motion.valid[0, :2].any()
    assert rigid_free(flow[:0], points[:0]).feature.shape == (0, 12, 2)
