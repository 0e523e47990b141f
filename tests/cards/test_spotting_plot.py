"""Spotted and annotated intervals as a picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from datasets_me.scores.spotting import Compared, Interval, Spotting, VideoCounts

pytest.importorskip("matplotlib", reason="matplotlib is not installed")


def compared(number: int, spotted: list[Interval], annotated: list[Interval], pairs: list[tuple[int, int]]) -> Compared:
    counts = VideoCounts(
        dataset="casme2",
        subject="sub01",
        video=f"v{number}",
        type="micro",
        tp=len(pairs),
        fp=len(spotted) - len(pairs),
        fn=len(annotated) - len(pairs),
    )
    return Compared(counts, 100.0, tuple(spotted), tuple(annotated), tuple(pairs))


def picture(*videos: Compared) -> np.ndarray:
    from datasets_me.cards.spotting_plot import png

    found = Spotting(list(videos), 0, "mirror", 0.5, [])
    with Pillow.open(io.BytesIO(png(found))) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))[60:]  # below the legend


def orange(image: np.ndarray) -> np.ndarray:
    """Which pixels are of a bar of a micro-expression, or of its edge."""
    return image[:, :, 0].astype(int) - image[:, :, 2] > 40


def coloured(image: np.ndarray) -> int:
    return int(orange(image).sum())


def test_equal_scores_are_equal_bytes() -> None:
    one = compared(1, [(10, 60)], [(12, 60)], [(0, 0)])
    assert np.array_equal(picture(one), picture(one))


def test_pairs_are_filled_and_the_others_hollow() -> None:
    pair = picture(compared(1, [(10, 60)], [(12, 60)], [(0, 0)]))
    apart = picture(compared(1, [(10, 60)], [(12, 60)], []))
    assert coloured(pair) > 2.5 * coloured(apart) > 0


def test_bars_stand_where_the_frames_are() -> None:
    # annotated from 0 to 0.5 s, spotted from 0.5 to 1 s: nothing is drawn in the other two quarters
    image = picture(compared(1, [(50, 99)], [(0, 49)], [(0, 0)]))
    rows, columns = np.nonzero(orange(image))
    middle = (columns.min() + columns.max()) / 2
    above = rows < (rows.min() + rows.max()) / 2
    assert columns[above].max() <= middle + 2
    assert columns[~above].min() >= middle - 2


def test_one_wrong_frame_number_leaves_the_rest_visible() -> None:
    usual = [compared(number, [], [(0, 100)], []) for number in range(20)]
    wrong = compared(20, [(1_000_000, 1_000_100)], [(0, 100)], [])
    assert coloured(picture(*usual, wrong)) > 0.5 * coloured(picture(*usual))


@pytest.mark.parametrize("count", [0, 1, 61, 330])
def test_any_number_of_videos(count: int) -> None:
    image = picture(*(compared(number, [(0, 9)], [(0, 9)], [(0, 0)]) for number in range(count)))
    assert min(image.shape[:2]) > 20
    assert max(image.shape[:2]) < 13_000
    assert (coloured(image) > 0) == (count > 0)
