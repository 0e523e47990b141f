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
    believed[25, 2] = False  # a single frame
    folder = extraction(tmp_path / "f", noise(30, regions=3), [0] * 31, believed)
    path = draw_video(manifest(), folder, "casme_015_0401", tmp_path / "v.png")
    picture = cv2.imread(str(path))
    height, width = picture.shape[:2]
    marked = (picture == (0, 94, 213)).all(axis=2)[:-60]  # below stands the legend
    assert 0.8 * width < np.nonzero(marked[height // 2 :])[1].mean() < 0.9 * width
    rows, columns = np.nonzero(marked[: height // 2])
    assert height / 4 < rows.min() <= rows.max() < height / 2  # the second of three lanes, over the strip of quality
    assert 0.25 * width < columns.min() < 0.5 * width < columns.max() < 0.75 * width


def test_axes_follow_the_motion_that_is_believed(tmp_path: Path) -> None:
    believed = np.ones((30, 3), bool)
    believed[10:20, 1] = False

    def drawn(name: str, times: float) -> np.ndarray:  # type: ignore[type-arg]
        feature = noise(30, regions=3)
        feature[10:20, 1] *= times
        folder = extraction(tmp_path / name, feature, [0] * 31, believed)
        picture = cv2.imread(str(draw_video(manifest(), folder, "casme_015_0401", tmp_path / f"{name}.png")))
        assert picture is not None
        return picture

    usual, wild = drawn("usual", 1), drawn("wild", 50)
    rows = np.flatnonzero((usual != wild).any(axis=(1, 2)))
    height = len(usual)
    assert height / 4 < rows.min() <= rows.max() < height / 2  # only the second of three lanes differs
