"""Intervals of figures."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_me.scores.bootstrap import intervals
from datasets_me.scores.confusion import NONE, Confusion, confusion


def test_the_interval_of_accuracy_is_that_of_a_binomial() -> None:
    matrix = Confusion(("a", "b"), ("a", "b"), np.array([[160, 40], [40, 160]]))
    low, high = intervals(matrix)["accuracy"]
    error = np.sqrt(0.8 * 0.2 / 400)
    assert (low, high) == pytest.approx((0.8 - 1.96 * error, 0.8 + 1.96 * error), abs=0.008)
    assert intervals(matrix) == intervals(matrix)


@pytest.mark.parametrize(("level", "errors"), [(0.5, 0.674), (0.99, 2.576)])
def test_the_level_is_the_share_within(level: float, errors: float) -> None:
    matrix = Confusion(("a", "b"), ("a", "b"), np.array([[160, 40], [40, 160]]))
    low, high = intervals(matrix, level=level, draws=20_000)["accuracy"]
    assert (high - low) / 2 == pytest.approx(errors * np.sqrt(0.8 * 0.2 / 400), abs=0.002)


def test_figures_lie_within_their_intervals_and_more_images_narrow_them() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for count in (60, 600):
        truth = rng.choice(["a", "b", "c"], count).tolist()
        guesses = [label if rng.random() < 0.7 else rng.choice(["a", "b", "c", None]) for label in truth]
        matrix = confusion(truth, guesses)
        found = intervals(matrix)
        for name in ("accuracy", "uf1", "uar"):
            assert found[name][0] < getattr(matrix, name) < found[name][1]
        widths.append(found["uf1"][1] - found["uf1"][0])
    assert widths[1] < widths[0] / 2


def test_a_class_that_a_draw_lacks_does_not_count_in_it_nor_does_what_is_no_class() -> None:
    rare = Confusion(("a", "b"), ("a", "b", NONE), np.array([[20, 0, 0], [0, 1, 0]]))
    assert set(intervals(rare).values()) == {(1.0, 1.0)}
    unknown = Confusion(("a", "b"), ("a", "b", NONE), np.array([[0, 0, 20], [0, 0, 20]]))
    assert set(intervals(unknown).values()) == {(0.0, 0.0)}
