"""How far figures would vary if other images of the same kind had been predicted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datasets_me.scores.confusion import Confusion

DRAWS = 1000
LEVEL = 0.95

Interval = tuple[float, float]


def intervals(matrix: Confusion, *, draws: int = DRAWS, level: float = LEVEL, seed: int = 0) -> dict[str, Interval]:
    """Bootstrap intervals of accuracy, UF1 and UAR, by percentiles.

    Efron (1979), Bootstrap Methods: Another Look at the Jackknife, Annals of Statistics 7(1).
    Items are drawn anew, with repetition, as many as there are; a draw of them is a draw of the cells of the matrix.
    Items of one person are no independent draws: where persons repeat, the intervals are too narrow.

    Args:
        matrix: of at least one item.
        draws: how many samples.
        level: the share of the samples within an interval.
        seed: the same seed gives the same intervals.
    """
    rng = np.random.default_rng(seed)
    shares = matrix.counts.ravel() / matrix.total
    counts = rng.multinomial(matrix.total, shares, draws).reshape(draws, *matrix.counts.shape)
    right = np.diagonal(counts[:, :, : len(matrix.classes)], axis1=1, axis2=2)
    labelled, predicted = counts.sum(axis=2), counts[:, :, : len(matrix.classes)].sum(axis=1)
    there = labelled > 0
    recall = _mean(right / np.maximum(labelled, 1), there)
    f1 = _mean(2 * right / np.maximum(labelled + predicted, 1), there)
    values = {"accuracy": right.sum(axis=1) / matrix.total, "uf1": f1, "uar": recall}
    tail = (1 - level) / 2 * 100
    return {name: _interval(each, tail) for name, each in values.items()}


def _mean(values: NDArray[np.float64], there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The mean over the classes that occur in a draw, (draws,)."""
    return np.asarray((values * there).sum(axis=1) / np.maximum(there.sum(axis=1), 1), np.float64)


def _interval(values: NDArray[np.float64], tail: float) -> Interval:
    low, high = np.percentile(values, (tail, 100 - tail))
    return float(low), float(high)
