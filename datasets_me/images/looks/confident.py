"""Confident learning: which labels are likely wrong, by the scores of a recogniser.

Northcutt, Jiang and Chuang (2021), Confident Learning: Estimating Uncertainty in Dataset Labels, Journal of Artificial
Intelligence Research 70. Written from its formulas; what is chosen is what cleanlab chooses by default.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_TOLERANCE = 1e-6  # a class whose scores are all alike reaches its own mean
_LEFT = 1  # images of a class that are never all called wrong


@dataclass(frozen=True)
class Confident:
    """What the scores say of N labels among C classes.

    ``thresholds`` (C,): the mean score of a class over the images labelled so; NaN for a class no image has.
    ``joint`` (C, C) int64: how many images labelled i are estimated to be j; row i adds up to the images labelled i.
    ``suggested`` (N,): the class with the highest score. ``margin`` (N,): the label's score less the best other one.
    ``likely`` (N,): the label is likely wrong.
    """

    thresholds: NDArray[np.float64]
    joint: NDArray[np.int64]
    suggested: NDArray[np.int64]
    margin: NDArray[np.float64]
    likely: NDArray[np.bool_]


def confident(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> Confident:
    """Find likely label errors: "prune by noise rate", without those whose label has the highest score.

    With p(j; x) the score of class j, the threshold of a class is its mean self-confidence, t_j = mean of p(j; x) over
    the x labelled j (equation 2 of the paper). An image counts in the confident joint C(i, j) of its label i and the
    class j whose score reaches t_j; of several, the one with the highest score (equation 1). Calibrated to the counts
    of the labels, C(i, j) is how many images labelled i are estimated to be j (equation 3). So many of those labelled
    i are called wrong, those with the largest p(j; x) - p(i; x) (section 3.2). The scores should be out of fold: a
    recogniser that was trained on the labels repeats their errors.

    Args:
        scores: (N, C), each row a probability distribution.
        labels: (N,) class numbers.
    """
    count, classes = scores.shape
    thresholds = np.full(classes, np.nan)
    for j in np.unique(labels):
        thresholds[j] = scores[labels == j, j].mean()
    joint = _calibrated(_confident_joint(scores, labels, thresholds), labels)
    likely = np.zeros(count, bool)
    for i in range(classes):
        members = np.flatnonzero(labels == i)
        if len(members) <= _LEFT:
            continue
        for j in range(classes):
            if i != j and joint[i, j]:
                apart = scores[members, j] - scores[members, i]
                likely[members[apart >= np.partition(apart, -joint[i, j])[-joint[i, j]]]] = True
    suggested = scores.argmax(axis=1).astype(np.int64)
    of_label = scores[np.arange(count), labels]
    others = scores.copy()
    others[np.arange(count), labels] = -np.inf
    margin = of_label - others.max(axis=1, initial=-np.inf)
    return Confident(thresholds, joint, suggested, margin, likely & (suggested != labels))


def _confident_joint(
    scores: NDArray[np.float64], labels: NDArray[np.int64], thresholds: NDArray[np.float64]
) -> NDArray[np.int64]:
    """How many images labelled i are confidently j, (C, C); every class that has images counts one at least."""
    classes = scores.shape[1]
    reached = scores >= np.where(np.isnan(thresholds), np.inf, thresholds)[None] - _TOLERANCE
    times = reached.sum(axis=1)
    # of several classes that are reached, cleanlab takes the highest of all scores, reached or not
    guess = np.where(times > 1, scores.argmax(axis=1), reached.argmax(axis=1))
    joint = np.zeros((classes, classes), np.int64)
    np.add.at(joint, (labels[times > 0], guess[times > 0]), 1)
    diagonal = np.arange(classes)
    joint[diagonal, diagonal] = np.maximum(joint[diagonal, diagonal], 1)
    return joint


def _calibrated(joint: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The joint scaled to rows that add up to the images of each label, in whole numbers.

    Every share is rounded; where a row then lacks or exceeds its sum, the shares that were rounded farthest give way.
    """
    counts = np.bincount(labels, minlength=len(joint))
    share = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1) * counts[:, None]
    whole = np.rint(share).astype(np.int64)
    for row, exact, missing in zip(whole, share, counts - whole.sum(axis=1), strict=True):
        order = np.argsort(exact - row, kind="stable")
        row[order[::-1][:missing] if missing > 0 else order[:-missing]] += np.sign(missing)
    return np.asarray(whole, np.int64)
