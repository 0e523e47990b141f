"""Flow on a coarser grid: looked up, it is what it is everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_me.features.coarse import CoarseFlow, CoarseFlows
from datasets_me.features.regions import TWELVE
from datasets_me.features.rigid import rigid_free
from datasets_me.synthetic.face_video import FaceVideo


@pytest.mark.parametrize("pool", [1, 2, 4, 8])
def test_flow_that_is_looked_up_is_that_of_the_pixel(pool: int) -> None:
    chance = np.random.default_rng(pool)
    parts = [(8, 16, 40, 48), (0, 0, 32, 32)]
    flows = [
        CoarseFlow(chance.normal(size=(2, 32 // pool, 32 // pool)).astype(np.float32), pool, part, (50, 60))
        for part in parts
    ]
    x, y = chance.integers(-5, 65, (2, 2, 3, 50))
    u, v, inside = CoarseFlows(flows).at(x, y)
    for index, flow in enumerate(flows):
        whole = np.full((70, 70, 2), np.nan, np.float32)  # places from -5 on
        whole[5:55, 5:65] = flow.everywhere()
        expected = whole[y[index] + 5, x[index] + 5]
        np.testing.assert_array_equal(inside[index], np.isfinite(expected).all(axis=-1))
        np.testing.assert_allclose(np.stack([u, v], axis=-1)[index], np.nan_to_num(expected), atol=1e-5)
    assert 0 < inside.mean() < 1


def test_the_motion_of_regions_is_the_same(video: FaceVideo) -> None:
    landmarks, height, width = video.landmarks[:2], 280, 304
    chance = np.random.default_rng(1).normal(0, 0.3, (2, 2, height // 8, width // 8)).astype(np.float32)
    # the mouth lies outside the second part
    flows = [
        CoarseFlow(chance[0], 8, (0, 0, width, height), (height, width)),
        CoarseFlow(chance[1][:, :20], 8, (0, 0, width, 160), (height, width)),
    ]
    coarse = rigid_free(CoarseFlows(flows), landmarks, TWELVE)
    whole = rigid_free(np.stack([flow.everywhere() for flow in flows]), landmarks, TWELVE)
    for name in ("feature", "global_motion", "clipped", "valid", "spread"):
        np.testing.assert_allclose(getattr(coarse, name), getattr(whole, name), atol=1e-4)
    assert coarse.valid[0].all()
    assert not coarse.valid[1].all()
