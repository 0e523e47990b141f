"""Several models together: weights chosen on validation, and what they give on test."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.text import fold
from datasets_me.findings.finding import Finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.scores.confusion import Confusion
from datasets_me.scores.matching import all_annotations, assign, without
from datasets_me.scores.predictions import Predictions
from datasets_me.scores.recognition import Label, first_repeated

Metric = Literal["uf1", "uar", "accuracy"]
PARTS = ("validation", "test")
MOST_POINTS = 2_000_000
"""More weightings than this are refused; each costs one pass over the validation scores."""


@dataclass(frozen=True)
class Weighted:
    """One weighting of the models, and what it gives on validation and on test."""

    name: str
    weights: tuple[float, ...]
    validation: Confusion
    test: Confusion


@dataclass(frozen=True)
class Ensemble:
    """What :func:`ensemble` found: each model alone, all alike, and the best weights on the grid."""

    models: tuple[str, ...]
    metric: Metric
    tried: int
    alone: list[Weighted]
    equal: Weighted
    best: Weighted
    findings: list[Finding]


def simplex(models: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way to share ``parts`` among the models: non-negative whole numbers with that sum, in order.

    There are C(parts + models - 1, models - 1) of them.
    """
    if models == 1:
        yield (parts,)
        return
    for first in range(parts + 1):
        for rest in simplex(models - 1, parts - first):
            yield (first, *rest)


def ensemble(
    manifests: Sequence[Manifest],
    files: Sequence[Predictions],
    *,
    label: Label = "emotion",
    metric: Metric = "uf1",
    step: float = 0.05,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Ensemble:
    """The weighted mean of several models' class probabilities that does best on validation.

    The weights w lie on the simplex (w >= 0, sum 1) in multiples of ``step``; the prediction is the class with the
    largest sum of w_m p_m. Only annotations whose ``part`` is ``validation`` choose; ``test`` is only reported. Of
    weightings that are equally good on validation, the one nearest to equal weights is taken, then the first.

    Args:
        manifests: the datasets.
        files: one npz per model with ``scores``, ``classes`` and ``part``.
        label: the column of the manifest that is predicted.
        metric: what the best weights maximise.
        step: distance of neighbouring weights; 1 must be a multiple of it.

    Raises:
        MeDatasetsError: fewer than two models, scores that are no probabilities, a file without parts, a part that is
            empty, classes that differ or stand twice, or too fine a grid.
    """
    parts = round(1 / step) if 0 < step <= 1 else 0
    if parts == 0 or abs(parts * step - 1) > 1e-9:
        raise MeDatasetsError(f"1 is no multiple of the step {step}", fix="give 0.1, 0.05, 0.02 or the like")
    if len(files) < 2:
        raise MeDatasetsError("an ensemble needs at least two models", fix="give one npz per model")
    points = math.comb(parts + len(files) - 1, len(files) - 1)
    if points > MOST_POINTS:
        raise MeDatasetsError(
            f"{points:,} weightings of {len(files)} models are too many", fix="give a larger --step, or fewer models"
        )
    rows = all_annotations(manifests)
    classes = _classes(files)
    known = {fold(name): name for name in classes}
    chosen, found = _together(files, rows)
    truth: dict[str, list[str]] = {part: [] for part in PARTS}
    stacks: dict[str, list[NDArray[np.float64]]] = {part: [] for part in PARTS}
    for position, (part, scores) in chosen.items():
        true = getattr(rows[position], label)
        if true is None:
            found.append(without(rows[position], "ME545", f"{rows[position].id} has no {label}; it is not scored"))
        else:
            truth[part].append(known.get(fold(true), true))
            stacks[part].append(scores)
    for part in PARTS:
        if not truth[part]:
            raise MeDatasetsError(f"no annotation is predicted by all models in the part '{part}'")
    judges = {part: _judge(truth[part], np.stack(stacks[part], axis=1), classes) for part in PARTS}

    def weighted(name: str, weights: Sequence[float]) -> Weighted:
        return Weighted(name, tuple(weights), judges["validation"](weights), judges["test"](weights))

    best, best_rank = (parts, *[0] * (len(files) - 1)), (-1.0, 0)
    for done, shares in enumerate(simplex(len(files), parts)):
        # rounding: equal counts must be equal ranks, whatever the order of the sums
        value = round(getattr(judges["validation"]([share / parts for share in shares]), metric), 12)
        rank = (value, -sum(share * share for share in shares))
        if rank > best_rank:
            best, best_rank = shares, rank
        if done % 256 == 0:
            progress(done, points)
    names = tuple(file.name for file in files)
    corners = np.eye(len(files)).tolist()
    return Ensemble(
        names,
        metric,
        points,
        [weighted(name, corner) for name, corner in zip(names, corners, strict=True)],
        weighted("equal weights", [1 / len(files)] * len(files)),
        weighted("best on validation", [share / parts for share in best]),
        found,
    )


def _judge(
    truth: Sequence[str], scores: NDArray[np.float64], classes: Sequence[str]
) -> Callable[[Sequence[float]], Confusion]:
    """The confusion of labels (N,) with the winners of weighted scores (models, N, C), as a function of the weights.

    Arrays all the way, because it is called once for every weighting.
    """
    names = tuple(sorted(set(truth)))
    columns = (*names, *sorted(set(classes) - set(names)))
    labels = np.array([names.index(label) for label in truth]) * len(columns)
    column_of = np.array([columns.index(name) for name in classes])

    def judge(weights: Sequence[float]) -> Confusion:
        winners = column_of[np.tensordot(np.asarray(weights), scores, axes=1).argmax(axis=1)]
        counts = np.bincount(labels + winners, minlength=len(names) * len(columns)).reshape(len(names), -1)
        return Confusion(names, columns, counts.astype(np.int64))

    return judge


def _classes(files: Sequence[Predictions]) -> tuple[str, ...]:
    for file in files:
        if file.scores is None or not file.classes:
            raise MeDatasetsError("an ensemble needs the scores and the classes of every model", where=file.name)
        if repeated := first_repeated(file.classes):
            raise MeDatasetsError(
                f"the class {repeated} stands twice in its classes", where=file.name, fix="give every class one column"
            )
        if set(map(fold, file.classes)) != set(map(fold, files[0].classes)):
            raise MeDatasetsError(
                f"the classes are {', '.join(file.classes)}, those of {files[0].name} {', '.join(files[0].classes)}",
                where=file.name,
            )
        sums = file.scores.sum(axis=1)
        bad = ~np.isfinite(file.scores).all(axis=1) | (file.scores < 0).any(axis=1) | (abs(sums - 1) > 1e-3)
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            raise MeDatasetsError(
                f"the scores are no probabilities: {np.round(file.scores[first], 4).tolist()}",
                where=str(file.place(first)),
                fix="apply a softmax before saving; weights of unlike scales mean nothing",
            )
        strangers = {row.get("part", "") for row in file.rows} - set(PARTS)
        if strangers:
            raise MeDatasetsError(
                f"part must be validation or test, not '{min(strangers)}'",
                where=file.name,
                fix="add an array 'part' with one of the two per prediction",
            )
    return files[0].classes


def _together(
    files: Sequence[Predictions], rows: Sequence[Annotation]
) -> tuple[dict[int, tuple[str, NDArray[np.float64]]], list[Finding]]:
    """Part and scores (models, C) of every annotation that all models predict, classes in the first model's order."""
    found: list[Finding] = []
    by_model: list[dict[int, tuple[Predictions, int]]] = []
    for file in files:
        chosen, more = assign([file], rows)
        by_model.append(chosen)
        found += more
    together: dict[int, tuple[str, NDArray[np.float64]]] = {}
    orders = [[list(map(fold, file.classes)).index(fold(name)) for name in files[0].classes] for file in files]
    for position in sorted(set().union(*by_model)):
        absent = [file.name for file, chosen in zip(files, by_model, strict=True) if position not in chosen]
        parts = {file.rows[number]["part"] for file, number in (c[position] for c in by_model if position in c)}
        row = rows[position]
        if absent:
            found.append(without(row, "ME543", f"{row.id} has no prediction in {', '.join(absent)}; it is left out"))
        elif len(parts) > 1:
            message = f"{row.id} is validation for one model and test for another"
            raise MeDatasetsError(message, fix="make all models on one split; else test data chooses the weights")
        else:
            scores = [
                np.asarray(chosen[position][0].scores)[chosen[position][1]][order]
                for chosen, order in zip(by_model, orders, strict=True)
            ]
            together[position] = (parts.pop(), np.stack(scores))
    return together, found
