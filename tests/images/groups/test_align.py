"""Five points and the similarity that puts a face in its place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.images.groups.align import REFERENCE, SIDE, aligned, five_points, similarity


@given(st.floats(0.2, 5), st.floats(-np.pi, np.pi), st.floats(-500, 500), st.floats(-500, 500), st.integers(0, 1000))
def test_a_similarity_is_found_again(scale: float, angle: float, x: float, y: float, seed: int) -> None:
    points = np.random.default_rng(seed).normal(0, 30, (5, 2))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = similarity(points, points @ turn.T + [x, y])
    assert found[:, :2] == pytest.approx(turn, abs=1e-6)
    assert found[:, 2] == pytest.approx([x, y], abs=1e-4)


def test_it_is_the_best_and_never_a_reflection() -> None:
    rng = np.random.default_rng(1)
    points = REFERENCE * [-1, 1] + rng.normal(0, 2, (5, 2))  # mirrored
    found = similarity(points)
    assert np.linalg.det(found[:, :2]) > 0

    def error(move: np.ndarray) -> float:
        return float(((points @ move[:, :2].T + move[:, 2] - REFERENCE) ** 2).sum())

    for _ in range(200):
        scale, angle = rng.normal(0, 0.05, 2)
        turn = (1 + scale) * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        other = np.concatenate([turn @ found[:, :2], (found[:, 2] + rng.normal(0, 1, 2))[:, None]], axis=1)
        assert error(found) <= error(other) + 1e-9


def test_points_in_one_place() -> None:
    with pytest.raises(ValueError, match="the points fall into one"):
        similarity(np.ones((5, 2)))


def test_the_five_points() -> None:
    landmarks = np.zeros((68, 2), np.float32)
    landmarks[36:42] = [[0, 0], [2, -1], [4, -1], [6, 0], [4, 1], [2, 1]]
    landmarks[[30, 48, 54]] = [[10, 20], [5, 30], [15, 31]]
    assert five_points(landmarks).tolist() == [[3, 0], [0, 0], [10, 20], [5, 30], [15, 31]]


@pytest.mark.parametrize("scale", [0.7, 1.0, 3.0, 9.0])
def test_dots_land_on_the_reference(scale: float) -> None:
    points = REFERENCE * scale + 20
    image = np.zeros((round(140 * scale) + 40,) * 2 + (3,), np.uint8)
    for i, (x, y) in enumerate(points):
        cv2.circle(image, (round(x), round(y)), max(1, round(2.5 * scale)), (255, 255, 255) if i else (0, 255, 0), -1)
    made = aligned(image, points)
    assert made.shape == (SIDE, SIDE, 3)
    _, _, _, middles = cv2.connectedComponentsWithStats((made[..., 1] > 127).astype(np.uint8))
    for place in REFERENCE:
        assert np.linalg.norm(middles[1:] - place, axis=1).min() < 1.0
