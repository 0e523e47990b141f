"""Eulerian magnification: of motion in a band of frequencies, by the factor, and of no other."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from datasets_me.core.errors import MeDatasetsError
from datasets_me.features.magnify import eulerian, read_band

FPS, WAVELENGTH = 100.0, 32.0
TIME = np.arange(100) / FPS


def grating(shift: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Stripes of 32 px that are shifted by so many px in each frame: (T, 64, 128)."""
    x = np.arange(128)[None, None, :] - shift[:, None, None]
    stripes = 128 + 100 * np.sin(2 * np.pi * x / WAVELENGTH)
    return np.repeat(np.rint(stripes), 64, axis=1).astype(np.uint8)


def shifts(frames: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How far the stripes lie in each frame, in px, by their phase."""
    wave = np.exp(-2j * np.pi * np.arange(128) / WAVELENGTH)
    phase = np.unwrap(np.angle((frames[:, 32].astype(float) - 128) @ wave))
    return -(phase - phase[0]) * WAVELENGTH / (2 * np.pi)


@pytest.mark.parametrize(("hertz", "gain"), [(5.0, 4.0), (1.0, 1.3), (25.0, 1.5)])
def test_motion_in_the_band_is_magnified(hertz: float, gain: float) -> None:
    video = grating(0.4 * np.sin(2 * np.pi * hertz * TIME))
    before, after = shifts(video), shifts(eulerian(video, 4, (4, 6), FPS))
    middle = slice(20, 80)
    ratio = after[middle].std() / before[middle].std()
    if gain == 4.0:
        assert 3.1 < ratio < 4.1  # a part of these waves lies in levels that are magnified less
        assert np.corrcoef(before[middle], after[middle])[0, 1] > 0.99  # not shifted in time
    else:
        assert 1 <= ratio < gain


def test_colour_and_light_are_left_as_they_are() -> None:
    still = np.broadcast_to(np.random.default_rng(0).integers(0, 256, (1, 40, 50, 3), np.uint8), (6, 40, 50, 3))
    assert np.array_equal(eulerian(still, 8, (1, 10), 30), still)
    grey = grating(0.2 * np.sin(2 * np.pi * 5 * TIME))[:20, :, :50]
    coloured = eulerian(np.repeat(grey[..., None], 3, axis=3), 4, (4, 6), FPS)
    assert np.array_equal(coloured, np.repeat(eulerian(grey, 4, (4, 6), FPS)[..., None], 3, axis=3))
    assert np.array_equal(eulerian(grey[:1], 4, (4, 6), FPS), grey[:1])
    assert np.array_equal(eulerian(grey, 1, (4, 6), FPS), grey)


def test_bands() -> None:
    assert read_band("0.5-10") == (0.5, 10)
    for text in ("10", "10-2", "0-5", "-1-5", "a-b"):
        with pytest.raises(MeDatasetsError, match="is not a band of frequencies"):
            read_band(text)
    with pytest.raises(ValueError, match="a band from 15 Hz needs more than 30 frames a second, not 30"):
        eulerian(grating(TIME[:5]), 2, (15, 20), 30)
