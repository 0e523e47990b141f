"""Regions are tables: what holds for every one of them."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_me.features.regions import REGION_SETS, TWELVE, RegionSet, face_grid


@pytest.mark.parametrize("regions", REGION_SETS.values(), ids=str)
def test_every_set_is_whole(regions: RegionSet) -> None:
    assert len(set(regions.names)) == len(regions.regions)
    np.testing.assert_allclose(regions.matrix().sum(axis=1), 1)
    # every direction falls into exactly one sector
    for sectors in (regions.sectors, regions.head.sectors):
        for angle in np.arange(0.5, 360):
            inside = [low <= angle < high or (low > high and not high <= angle < low) for low, high in sectors]
            assert sum(inside) == 1


def test_the_twelve_are_the_published_ones() -> None:
    centres = [next(iter(region.weights)) for region in TWELVE.regions]
    assert centres == [18, 19, 20, 23, 24, 25, 28, 30, 48, 51, 54, 57]


def test_a_grid_lies_inside_its_corners() -> None:
    points = np.zeros((68, 2))
    points[[17, 26, 5, 11]] = [[40, 60], [50, 60], [40, 80], [50, 80]]
    np.testing.assert_allclose(face_grid(2, 1).matrix() @ points, [[45, 65], [45, 75]])
    np.testing.assert_allclose(face_grid(1, 2).matrix() @ points, [[42.5, 70], [47.5, 70]])
    assert face_grid(2, 2).names == ("cell_0_0", "cell_0_1", "cell_1_0", "cell_1_1")
    with pytest.raises(ValueError, match="0 x 3"):
        face_grid(0, 3)
