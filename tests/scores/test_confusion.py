"""UF1, UAR and accuracy: a hand-worked example, scikit-learn, and what they must never do."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score, recall_score

from datasets_me.core.errors import MeDatasetsError
from datasets_me.scores.confusion import NONE, confusion

LABELS = st.sampled_from(["negative", "positive", "surprise"])


def test_by_hand() -> None:
    # a: TP 2, FN 1, FP 1 -> F1 4/6, recall 2/3.  b: TP 1, FN 1, FP 1 -> F1 2/4, recall 1/2.
    made = confusion(["a", "a", "a", "b", "b"], ["a", "a", "b", "b", "a"])
    assert made.counts.tolist() == [[2, 1], [1, 1]]
    assert made.f1() == {"a": pytest.approx(2 / 3), "b": pytest.approx(1 / 2)}
    assert made.uf1 == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert made.uar == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert made.accuracy == pytest.approx(3 / 5)


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=60))
def test_equal_to_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, guesses = [label for label, _ in pairs], [guess for _, guess in pairs]
    present = sorted(set(truth))
    made = confusion(truth, guesses)
    assert made.accuracy == pytest.approx(accuracy_score(truth, guesses))
    assert made.uf1 == pytest.approx(f1_score(truth, guesses, labels=present, average="macro", zero_division=0))
    assert made.uar == pytest.approx(recall_score(truth, guesses, labels=present, average="macro", zero_division=0))
    if set(guesses) <= set(present) and len(present) > 1:
        assert made.uar == pytest.approx(balanced_accuracy_score(truth, guesses))
        assert made.counts.tolist() == confusion_matrix(truth, guesses, labels=present).tolist()


@given(st.lists(st.tuples(LABELS, st.none() | LABELS | st.just("contempt")), min_size=1, max_size=60))
def test_nothing_is_lost(pairs: list[tuple[str, str | None]]) -> None:
    made = confusion([label for label, _ in pairs], [guess for _, guess in pairs])
    assert made.total == len(pairs)
    assert made.right == sum(label == guess for label, guess in pairs)


def test_what_is_missing_or_foreign_has_a_column() -> None:
    made = confusion(["a", "b", "b"], ["a", None, "contempt"])
    assert made.columns == ("a", "b", "contempt", NONE)
    assert made.counts.tolist() == [[1, 0, 0, 0], [0, 0, 1, 1]]
    assert made.uar == pytest.approx(0.5)


def test_a_class_without_annotations_is_left_out() -> None:
    made = confusion(["a", "a"], ["a", "b"], ["a", "b"])
    assert made.f1() == {"a": pytest.approx(2 / 3)}
    assert math.isnan(confusion([], [], ["a"]).uf1)


def test_wrong_arguments() -> None:
    with pytest.raises(MeDatasetsError, match="1 labels, but 2 predictions"):
        confusion(["a"], ["a", "b"])
    with pytest.raises(MeDatasetsError, match="the label 'c' is not one of the classes a, b"):
        confusion(["c"], ["a"], ["a", "b"])
