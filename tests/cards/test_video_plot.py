"""The plot of one video."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from datasets_me.cards.video_plot import draw_video
from tests.export.builders import extraction, manifest, noise


def test_doubted_motion_is_marked_in_the_lane_of_its_region(tmp_path: Path) -> None:
    believed = np.ones((30, 3), bool)
    believed[10:20, 1] = False
    folder = extraction(tmp_path / "f", noise(30, regions=3), [0] * 31, believed)
    path = draw_video(manifest(), folder, "casme_015_0401", tmp_path / "v.png")
    picture = cv2.imread(str(path))
    rows, columns = np.nonzero((picture == (0, 94, 213)).all(axis=2)[:-60])  # below stands the legend
    height, width = picture.shape[:2]
    assert height / 4 < rows.min() <= rows.max() < height / 2  # the second of three lanes, over the strip of quality
    assert 0.25 * width < columns.min() < 0.5 * width < columns.max() < 0.75 * width
