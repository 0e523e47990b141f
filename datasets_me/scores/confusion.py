"""Counts of labels against predictions, and the scores computed from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import MeDatasetsError

NONE = "(none)"
"""The column of items without a prediction."""


@dataclass(frozen=True)
class Confusion:
    """How often each class was predicted as what.

    ``counts`` is (classes, columns) int64: a row per annotated class, and a column per class in the same order, then
    one per predicted class that is never annotated, then :data:`NONE` for what was not predicted.
    """

    classes: tuple[str, ...]
    columns: tuple[str, ...]
    counts: NDArray[np.int64]

    @property
    def total(self) -> int:
        """How many annotations were scored."""
        return int(self.counts.sum())

    @property
    def right(self) -> int:
        """How many were predicted correctly."""
        return int(np.trace(self.counts))

    @property
    def accuracy(self) -> float:
        """Correct predictions over all annotations."""
        return self.right / self.total if self.total else float("nan")

    def f1(self) -> dict[str, float]:
        """F1 of each class that is annotated: 2 TP / (2 TP + FP + FN), 0 where none was predicted correctly."""
        true = np.diag(self.counts)
        missed, wrong = self.counts.sum(axis=1) - true, self.counts[:, : len(self.classes)].sum(axis=0) - true
        return {
            name: float(2 * true[i] / (2 * true[i] + missed[i] + wrong[i]))
            for i, name in enumerate(self.classes)
            if true[i] + missed[i]
        }

    def recall(self) -> dict[str, float]:
        """Recall of each class that is annotated: TP over its annotations."""
        sums = self.counts.sum(axis=1)
        return {name: float(self.counts[i, i] / sums[i]) for i, name in enumerate(self.classes) if sums[i]}

    @property
    def uf1(self) -> float:
        """Unweighted F1: the mean of the classes' F1.

        As defined for MEGC 2019 (See, Yap, Li, Hong, Wang: MEGC 2019 – The Second Facial Micro-Expressions Grand
        Challenge, FG 2019): F1_c = 2 TP_c / (2 TP_c + FP_c + FN_c), where TP, FP and FN are
        summed over all folds of the leave-one-subject-out validation first. Equal to scikit-learn's
        ``f1_score(average="macro")`` over the annotated classes. Classes without any annotation are left out.
        """
        return _mean(self.f1())

    @property
    def uar(self) -> float:
        """Unweighted average recall: the mean of the classes' recall (the same source).

        Equal to scikit-learn's ``balanced_accuracy_score``.
        """
        return _mean(self.recall())


def confusion(truth: Sequence[str], predicted: Sequence[str | None], classes: Sequence[str] = ()) -> Confusion:
    """The confusion of labels and predictions; None is a missing prediction.

    Args:
        truth: (N,) labels.
        predicted: (N,) predicted labels.
        classes: the order of the classes; by default those of ``truth``, sorted.

    Raises:
        MeDatasetsError: the two differ in length, or a label is not among ``classes``.
    """
    if len(truth) != len(predicted):
        raise MeDatasetsError(f"{len(truth)} labels, but {len(predicted)} predictions")
    names = tuple(classes) or tuple(sorted(set(truth)))
    beside = sorted({label for label in predicted if label is not None} - set(names))
    columns = (*names, *beside, *([NONE] if None in predicted else []))
    rows_at, columns_at = {name: i for i, name in enumerate(names)}, {name: i for i, name in enumerate(columns)}
    strangers = set(truth) - set(names)
    if strangers:
        raise MeDatasetsError(f"the label '{min(strangers)}' is not one of the classes {', '.join(names)}")
    counts = np.zeros((len(names), len(columns)), np.int64)
    for label, guess in zip(truth, predicted, strict=True):
        counts[rows_at[label], columns_at[NONE if guess is None else guess]] += 1
    return Confusion(names, columns, counts)


def _mean(values: dict[str, float]) -> float:
    return float(np.mean(list(values.values()))) if values else float("nan")
