"""Interpolation in time: what is known stays, and what lies between is between."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_me.features.interpolate import interpolated

NOISE = np.random.default_rng(0).integers(60, 190, (7, 4, 5, 3), np.uint8)


@pytest.mark.parametrize("method", ["tim", "linear"])
def test_as_many_frames_are_the_same_frames(method: str) -> None:
    assert np.array_equal(interpolated(NOISE, 7, method), NOISE)


@pytest.mark.parametrize("method", ["tim", "linear"])
@pytest.mark.parametrize("count", [2, 3, 10, 13, 25])
def test_the_first_and_the_last_stay(method: str, count: int) -> None:
    out = interpolated(NOISE, count, method)
    assert (out.shape, out.dtype) == ((count, 4, 5, 3), np.uint8)
    assert np.array_equal(out[[0, -1]], NOISE[[0, -1]])


@pytest.mark.parametrize("method", ["tim", "linear"])
def test_places_in_between_that_are_frames_are_these(method: str) -> None:
    out = interpolated(NOISE, 13, method)  # every second one is a frame
    assert np.array_equal(out[::2], NOISE)


def test_linear_is_the_mean_of_neighbours() -> None:
    out = interpolated(np.array([[10], [30], [200]], np.uint8), 5, "linear")
    assert out[:, 0].tolist() == [10, 20, 30, 115, 200]


def test_a_smooth_motion_is_followed_more_closely_than_by_straight_lines() -> None:
    def at(places: np.ndarray) -> np.ndarray:
        return (120 + 100 * np.cos(np.pi * places)).round().astype(np.uint8)[:, None]

    known, wanted = np.linspace(0, 1, 6), np.linspace(0, 1, 21)
    error = {m: np.abs(interpolated(at(known), 21, m).astype(int) - at(wanted)).max() for m in ("tim", "linear")}
    assert error["tim"] < error["linear"] / 2


def test_one_frame_and_what_cannot_be() -> None:
    assert np.array_equal(interpolated(NOISE[:1], 3), np.repeat(NOISE[:1], 3, axis=0))
    assert np.array_equal(interpolated(NOISE[:2], 1, "linear"), NOISE[:1])
    for frames, count, method in ((NOISE[:0], 3, "tim"), (NOISE, 0, "tim"), (NOISE, 3, "cubic")):
        with pytest.raises(ValueError, match=r"cannot be brought to|unknown interpolation"):
            interpolated(frames, count, method)
