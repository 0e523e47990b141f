"""Confident learning, against hand-made cases, planted errors, and what cleanlab chooses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from datasets_me.images.looks.confident import confident


def test_by_hand() -> None:
    first = np.array([0.9, 0.8, 0.2, 0.3, 0.1])
    made = confident(np.stack([first, 1 - first], axis=1), np.array([0, 0, 0, 1, 1]))
    # thresholds: (.9 + .8 + .2) / 3 and (.7 + .9) / 2; the fourth image reaches neither
    assert made.thresholds == pytest.approx([19 / 30, 0.8])
    assert made.joint.tolist() == [[2, 1], [0, 2]]
    assert made.likely.tolist() == [False, False, True, False, False]
    assert made.suggested.tolist() == [0, 0, 1, 1, 1]
    assert made.margin == pytest.approx([0.8, 0.6, -0.6, 0.4, 0.8])


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(2, 5))
def test_the_joint_adds_up_to_the_labels_and_agreeing_images_are_left_alone(
    seed: int, count: int, classes: int
) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.dirichlet(np.ones(classes), count), rng.integers(0, classes, count)
    made = confident(scores, labels)
    assert made.joint.sum(axis=1).tolist() == np.bincount(labels, minlength=classes).tolist()
    assert (made.joint >= 0).all()
    assert not (made.likely & (scores.argmax(axis=1) == labels)).any()
    assert ((made.margin > 0) == (scores.argmax(axis=1) == labels)).all()


def planted(
    seed: int, count: int, classes: int, noise: float, sure: float, uneven: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Scores, labels, and which labels are wrong. A quarter of what the recogniser is sure of was drawn by lot."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(classes)) if uneven else np.ones(classes) / classes
    truth = rng.choice(classes, count, p=shares)
    guess = np.where(rng.random(count) < 0.75, truth, rng.integers(0, classes, count))
    logits = rng.normal(0, 1, (count, classes))
    logits[np.arange(count), guess] += sure
    scores = np.exp(logits)
    scores = np.round(scores / scores.sum(axis=1, keepdims=True), 6)
    labels = truth.copy()
    wrong = rng.random(count) < noise
    labels[wrong] = (truth[wrong] + rng.integers(1, classes, wrong.sum())) % classes
    return scores / scores.sum(axis=1, keepdims=True), labels, labels != truth


def test_what_is_chosen_is_what_cleanlab_chooses() -> None:
    """The indices that ``cleanlab.filter.find_label_issues`` of cleanlab 2.9.0 gives with its defaults."""
    cases = json.loads(Path(__file__).with_name("cleanlab-2.9.0.json").read_text())
    assert len(cases) == 7
    for case in cases:
        scores, labels, _ = planted(*case["args"])
        assert np.flatnonzero(confident(scores, labels).likely).tolist() == case["issues"], case["args"]


def test_planted_errors_are_found() -> None:
    rng = np.random.default_rng(1)
    count, classes = 4000, 7
    truth = rng.integers(0, classes, count)
    guess = np.where(rng.random(count) < 0.9, truth, rng.integers(0, classes, count))
    logits = rng.normal(0, 1, (count, classes))
    logits[np.arange(count), guess] += 4 * rng.uniform(0.3, 1, count)
    logits[np.arange(count), truth] += 1
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wrong = rng.random(count) < 0.1
    labels = np.where(wrong, (truth + rng.integers(1, classes, count)) % classes, truth)
    made = confident(scores, labels)
    found = (made.likely & wrong).sum()
    assert found / wrong.sum() >= 0.85
    assert found / made.likely.sum() >= 0.55
    surest = np.argsort(made.margin)[:100]
    assert wrong[surest].mean() > 0.85
