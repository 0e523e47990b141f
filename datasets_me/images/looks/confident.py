"""Confident learning: which labels are likely wrong, by the scores of a recogniser.

Northcutt, Jiang and Chuang (2021), Confident Learning: Estimating Uncertainty in Dataset Labels, Journal of Artificial
Intelligence Research 70. Written here from its formulas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Confident:
    """What the scores say of N labels among C classes.

    ``thresholds`` (C,): the mean score of a class over the images labelled so; NaN for a class no image has.
    ``joint`` (C, C) int64: how many images labelled i are confidently j. ``suggested`` (N,): the confident class, -1
    where there is none. ``margin`` (N,): the label's score less the best other one; ``likely`` (N,): the label is
    likely wrong.
    """

    thresholds: NDArray[np.float64]
    joint: NDArray[np.int64]
    suggested: NDArray[np.int64]
    margin: NDArray[np.float64]
    likely: NDArray[np.bool_]


def confident(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> Confident:
    """Find likely label errors.

    With p(j; x) the score of class j, the threshold of a class is its mean self-confidence, t_j = mean of p(j; x) over
    the x labelled j (equation 2 of the paper). An image counts in the confident joint C(i, j) of its label i and the j
    with the largest p(j; x) among those with p(j; x) >= t_j (equation 1). What lies off the diagonal is likely wrong;
    the order is that of the normalised margin, p(label) - max p(other), the lowest first ("prune by noise rate" ranks
    so). The scores should be out of fold: a recogniser that was trained on the labels repeats their errors.

    Args:
        scores: (N, C), each row a probability distribution.
        labels: (N,) class numbers.
    """
    count, classes = scores.shape
    thresholds = np.full(classes, np.nan)
    for j in np.unique(labels):
        thresholds[j] = scores[labels == j, j].mean()
    # a tolerance, so that a class whose scores are all alike reaches its own mean
    reached = np.where(scores >= thresholds[None] - 1e-12, scores, -1.0)
    suggested = np.where(reached.max(axis=1, initial=-1.0) >= 0, reached.argmax(axis=1), -1)
    joint = np.zeros((classes, classes), np.int64)
    known = suggested >= 0
    np.add.at(joint, (labels[known], suggested[known]), 1)
    own = scores[np.arange(count), labels]
    others = scores.copy()
    others[np.arange(count), labels] = -np.inf
    margin = own - others.max(axis=1, initial=-np.inf)
    return Confident(thresholds, joint, suggested.astype(np.int64), margin, known & (suggested != labels))
