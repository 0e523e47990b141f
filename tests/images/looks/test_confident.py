"""Confident learning by hand, and what must hold for any scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.images.looks.confident import confident


def test_by_hand() -> None:
    first = np.array([0.9, 0.8, 0.2, 0.3, 0.1])
    made = confident(np.stack([first, 1 - first], axis=1), np.array([0, 0, 0, 1, 1]))
    # thresholds: (.9 + .8 + .2) / 3 and (.7 + .9) / 2; the fourth image reaches neither
    assert made.thresholds == pytest.approx([19 / 30, 0.8])
    assert made.suggested.tolist() == [0, 0, 1, -1, 1]
    assert made.joint.tolist() == [[2, 1], [0, 1]]
    assert made.likely.tolist() == [False, False, True, False, False]
    assert made.margin == pytest.approx([0.8, 0.6, -0.6, 0.4, 0.8])


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(2, 5))
def test_the_joint_counts_what_is_confident(seed: int, count: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.dirichlet(np.ones(classes), count), rng.integers(0, classes, count)
    made = confident(scores, labels)
    assert made.joint.sum() == (made.suggested >= 0).sum()
    assert made.likely.sum() == made.joint.sum() - np.trace(made.joint)
    assert ((made.margin > 0) == (scores.argmax(axis=1) == labels)).all()


def test_planted_errors_are_found_first() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 300)
    scores = 0.8 * np.eye(3)[truth] + 0.2 * rng.dirichlet(np.ones(3), 300)
    labels = truth.copy()
    planted = rng.choice(300, 12, replace=False)
    labels[planted] = (truth[planted] + 1) % 3
    made = confident(scores, labels)
    likely = np.flatnonzero(made.likely)
    assert set(likely) <= set(planted)
    assert len(likely) >= 6
    assert (made.suggested[likely] == truth[likely]).all()
    assert set(np.argsort(made.margin)[:12]) == set(planted)
