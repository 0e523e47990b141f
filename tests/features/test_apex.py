"""The apex from motion whose course is known."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_me.features.apex import estimate_apex


def course(rise: int, fall: int, end: float = 0.0) -> np.ndarray:
    """Motion (n, 2, 2) of a face whose first region goes 3 px up and to the right and back to ``end``."""
    up = 3 * np.sin(np.linspace(0, np.pi / 2, rise + 1))
    down = end + (3 - end) * np.cos(np.linspace(0, np.pi / 2, fall + 1))
    place = np.concatenate([up, down[1:]])
    motion = np.zeros((rise + fall, 2, 2))
    motion[:, 0] = np.diff(place)[:, None] * (1, -1)
    return motion


@pytest.mark.parametrize(("rise", "fall"), [(5, 5), (3, 20), (20, 3), (40, 60)])
def test_where_the_face_is_furthest_from_the_onset(rise: int, fall: int) -> None:
    assert abs(estimate_apex(course(rise, fall)).frame - rise) <= 1


def test_noise_does_not_move_it_far() -> None:
    noise = np.random.default_rng(0).normal(0, 0.03, (60, 2, 2))
    assert abs(estimate_apex(course(25, 35) + noise).frame - 25) <= 4


def test_a_single_frame_that_is_far_off_is_not_the_apex() -> None:
    place = np.array([0, 0, 0, 2.2, 0, 0, 0, 0.5, 1, 1.5, 1.6, 1.5, 1, 0.5, 0])
    motion = np.zeros((len(place) - 1, 1, 2))
    motion[:, 0, 0] = np.diff(place)
    assert estimate_apex(motion).frame == 10


def test_confidence_is_what_has_gone_at_the_end() -> None:
    back, half, never = (estimate_apex(course(10, 10, end)).confidence for end in (0.0, 1.5, 3.0))
    assert back > 0.9
    assert half == pytest.approx(0.5, abs=0.05)
    assert never < 0.05


@pytest.mark.parametrize(("steps", "frame"), [([2, -1], 1), ([1, 1], 1), ([1], 1), ([1, 1, 2, -2, -1], 3)])
def test_few_frames(steps: list[int], frame: int) -> None:
    """The last frame is the apex only where there is no other."""
    motion = np.zeros((len(steps), 1, 2))
    motion[:, 0, 0] = steps
    estimate = estimate_apex(motion)
    assert estimate is not None
    assert estimate.frame == frame


def test_unknown_motion() -> None:
    motion = course(10, 10)
    motion[3] = np.nan
    assert abs(estimate_apex(motion).frame - 10) <= 1
    assert estimate_apex(np.full((5, 2, 2), np.nan)) is None
    assert estimate_apex(np.zeros((0, 2, 2))) is None
    assert estimate_apex(np.zeros((1, 2, 2))) == (1, 0.0)
