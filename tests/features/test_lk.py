"""Windowed least squares: how pairs are put together, and what decides between its ways."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from datasets_me.features.flow import flow

WIDTH = 96


def texture(seed: int, size: int = WIDTH) -> NDArray[np.float32]:
    """Grey values (size, size) that are smooth enough to be moved by less than a pixel."""
    picture = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, (size, size)).astype(np.float32), (0, 0), 2)
    return np.asarray(128 + 45 * picture / picture.std(), np.float32)


def bump(picture: NDArray[np.float32], px: float) -> NDArray[np.uint8]:
    """The picture with its middle moved to the right by ``px``, and its surroundings left where they are."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    middle = (picture.shape[0] - 1) / 2
    moved = px * np.exp(-((x - middle) ** 2 + (y - middle) ** 2) / (2 * 10.0**2))
    return np.clip(np.rint(cv2.remap(picture, x - moved, y, cv2.INTER_CUBIC)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("temporal", "weights"), [(5, [3, 2, 1, 0]), (7, [4, 3, 2, 1, 0])])
def test_neighbouring_pairs_have_triangular_weights(temporal: int, weights: list[int]) -> None:
    """Skin that moves between two frames only shows in the neighbouring pairs, the less the further they are."""
    still = texture(0)
    middle = slice(WIDTH // 2 - 4, WIDTH // 2 + 4)
    frames = [bump(still, 0.0)] * 6 + [bump(still, 0.4)] * 6
    found = flow(np.stack(frames), temporal=temporal)[:, middle, middle, 0].mean(axis=(1, 2))
    # of the pair itself, its head's motion is added whole; of the others the weight is all that counts
    for side in (found[4::-1], found[6:]):
        np.testing.assert_allclose(side[: len(weights) - 1] / side[0], np.array(weights[1:]) / weights[1], atol=0.03)
