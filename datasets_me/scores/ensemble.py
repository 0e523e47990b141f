"""Several models together: weights chosen on validation, and their scores on test."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.choices import Metric
from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.core.text import fold
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.predictions import Predictions
from datasets_me.schema.images import SPLITS
from datasets_me.scores.confusion import Confusion
from datasets_me.scores.recognition import distinct
from datasets_me.scores.truth import ScoredItem, Truth, about, assign

PARTS = ("validation", "test")

Judge = Callable[[Sequence[float]], Confusion]
"""From the weights of the models to the confusion of their weighted scores."""

MOST_POINTS = 2_000_000
"""More weightings than this are refused; each costs one pass over the validation scores."""


@dataclass(frozen=True)
class Weighted:
    """One weighting of the models, and its scores on validation and on test."""

    name: str
    weights: tuple[float, ...]
    validation: Confusion
    test: Confusion


@dataclass(frozen=True)
class Ensemble:
    """Scores of each model alone, with equal weights, and with the best weights on the grid.

    ``grid`` (points, models) holds every weighting tried, ``values`` (points,) its metric on validation. ``plateau`` is
    the middle of the ``plateau_size`` weightings that are no worse than the best one by more than its standard error:
    the best one alone may be luck.
    """

    models: tuple[str, ...]
    label: str
    metric: Metric
    grid: NDArray[np.float64]
    values: NDArray[np.float64]
    alone: list[Weighted]
    equal: Weighted
    best: Weighted
    plateau: Weighted
    plateau_size: int
    findings: list[Finding]

    @property
    def tried(self) -> int:
        """How many weightings were tried."""
        return len(self.values)


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
    truth: Truth,
    files: Sequence[Predictions],
    *,
    metric: Metric = "uf1",
    step: float = 0.05,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Ensemble:
    """The weighted mean of several models' class probabilities that does best on validation.

    The weights w lie on the simplex (w >= 0, sum 1) in multiples of ``step``; the prediction is the class with the
    largest sum of w_m p_m. Only items of the ``part`` ``validation`` decide; ``test`` is only reported. Of
    weightings that are equally good on validation, the one nearest to equal weights is taken, then the first.

    Args:
        truth: annotations, or the images of a set.
        files: one npz per model with ``scores``, ``classes`` and ``part``; without ``part``, images have that of their
            split.
        metric: what the best weights maximise.
        step: distance of neighbouring weights; 1 must be a multiple of it.

    Raises:
        MeDatasetsError: fewer than two models, scores that are not probabilities, predictions without a part, a part
            without items, classes that differ or occur twice, or too fine a grid.
    """
    points, parts = _grid_size(len(files), step)
    files = [_in_words_of(truth, file) for file in files]
    classes = _classes(files)
    chosen, findings = _together(files, truth)
    judges = _judges(chosen, truth, files, classes, findings)

    def weighted(name: str, weights: Sequence[float]) -> Weighted:
        return Weighted(name, tuple(weights), judges["validation"](weights), judges["test"](weights))

    grid, values = np.empty((points, len(files))), np.empty(points)
    best, best_rank = (parts, *[0] * (len(files) - 1)), (-1.0, 0)
    for done, shares in enumerate(simplex(len(files), parts)):
        # rounding: equal counts must be equal ranks, whatever the order of the sums
        value = round(getattr(judges["validation"]([share / parts for share in shares]), metric), 12)
        grid[done], values[done] = np.array(shares) / parts, value
        rank = (value, -sum(share * share for share in shares))
        if rank > best_rank:
            best, best_rank = shares, rank
        if done % 256 == 0:
            progress(done, points)
    best_weighted = weighted("best on validation", [share / parts for share in best])
    near = values >= best_rank[0] - _standard_error(best_rank[0], best_weighted.validation.total)
    names = tuple(distinct(files))
    corners = np.eye(len(files)).tolist()
    return Ensemble(
        names,
        truth.label,
        metric,
        grid,
        values,
        [weighted(name, corner) for name, corner in zip(names, corners, strict=True)],
        weighted("equal weights", [1 / len(files)] * len(files)),
        best_weighted,
        weighted("middle of the plateau", grid[near].mean(axis=0).tolist()),
        int(near.sum()),
        [*findings, *truth.doubts()],
    )


def _standard_error(share: float, count: int) -> float:
    """Of a share of ``count`` items that are right."""
    return math.sqrt(max(share * (1 - share), 0.0) / count)


def _grid_size(models: int, step: float) -> tuple[int, int]:
    """The number of weightings, and of steps from 0 to 1.

    Raises:
        MeDatasetsError: there are fewer than two models, 1 is no multiple of the step, or the grid is too fine.
    """
    parts = round(1 / step) if 0 < step <= 1 else 0
    if parts == 0 or abs(parts * step - 1) > 1e-9:
        raise MeDatasetsError(f"1 is not a multiple of the step {step}", fix="give a step such as 0.1, 0.05 or 0.02")
    if models < 2:
        raise MeDatasetsError("an ensemble needs at least two models", fix="give one npz per model")
    points = math.comb(parts + models - 1, models - 1)
    if points > MOST_POINTS:
        raise MeDatasetsError(
            f"{points:,} weightings of {models} models are too many", fix="give a larger --step, or fewer models"
        )
    return points, parts


def _judges(
    chosen: Mapping[int, tuple[str, NDArray[np.float64]]],
    truth: Truth,
    files: Sequence[Predictions],
    classes: Sequence[str],
    findings: list[Finding],
) -> dict[str, Judge]:
    """What judges weights in each part; items without a label are left out and reported in ``findings``.

    Raises:
        MeDatasetsError: a part has no item.
    """
    known = {fold(name): name for name in classes}
    labels: dict[str, list[str]] = {part: [] for part in PARTS}
    stacks: dict[str, list[NDArray[np.float64]]] = {part: [] for part in PARTS}
    for position, (part, scores) in chosen.items():
        item = truth.items[position]
        if item.label is None:
            findings.append(about(item, "ME545", f"{item.id} has no {truth.label}; it is not scored"))
        else:
            labels[part].append(known.get(fold(item.label), item.label))
            stacks[part].append(scores)
    for part in PARTS:
        if not labels[part]:
            raise MeDatasetsError(
                f"no {truth.noun} is predicted by all models in the part '{part}'",
                where=", ".join(file.name for file in files),
                fix="give predictions of the same items by all models, some of each part",
            )
    return {part: _judge(labels[part], np.stack(stacks[part], axis=1), classes) for part in PARTS}


def _in_words_of(truth: Truth, file: Predictions) -> Predictions:
    """The predictions with the truth's names of the classes.

    Raises:
        MeDatasetsError: two of its classes are the same.
    """
    words = [truth.class_of(name) or name for name in file.classes]
    for position, word in enumerate(words):
        if fold(word) in map(fold, words[:position]):
            raise MeDatasetsError(
                f"the class {file.classes[position]} occurs twice",
                where=file.name,
                fix="give every class one column",
            )
    return replace(file, classes=tuple(words))


def _judge(truth: Sequence[str], scores: NDArray[np.float64], classes: Sequence[str]) -> Judge:
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
            raise MeDatasetsError(
                "an ensemble needs the scores and the classes of every model",
                where=file.name,
                fix="save the arrays 'scores' and 'classes' in the npz",
            )
        if set(map(fold, file.classes)) != set(map(fold, files[0].classes)):
            raise MeDatasetsError(
                f"the classes are {', '.join(file.classes)}, those of {files[0].name} {', '.join(files[0].classes)}",
                where=file.name,
                fix="give models that were trained on the same classes",
            )
        within = (file.scores >= 0) & (file.scores <= 1 + 1e-3)
        sums = np.where(within, file.scores, 0).sum(axis=1)
        bad = ~within.all(axis=1) | (abs(sums - 1) > 1e-3)
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            raise MeDatasetsError(
                f"the scores are not probabilities: {[float(f'{score:.4g}') for score in file.scores[first]]}",
                where=str(file.place(first)),
                fix="apply a softmax before saving; scores on different scales cannot be weighted",
            )
        strangers = {row["part"] for row in file.rows if "part" in row} - set(PARTS)
        if strangers:
            raise MeDatasetsError(
                f"part must be validation or test, not '{min(strangers)}'",
                where=file.name,
                fix="write one of the two for each prediction",
            )
    return files[0].classes


def _together(
    files: Sequence[Predictions], truth: Truth
) -> tuple[dict[int, tuple[str, NDArray[np.float64]]], list[Finding]]:
    """Part and scores (models, C) of every item that all models predict, classes in the first model's order."""
    findings: list[Finding] = []
    by_model: list[dict[int, tuple[Predictions, int]]] = []
    for file in files:
        chosen, more = assign([file], truth)
        by_model.append(chosen)
        findings += more
    together: dict[int, tuple[str, NDArray[np.float64]]] = {}
    unused: Counter[str] = Counter()
    orders = [[list(map(fold, file.classes)).index(fold(name)) for name in files[0].classes] for file in files]
    for position in sorted(set().union(*by_model)):
        item = truth.items[position]
        predicted = [chosen[position] for chosen in by_model if position in chosen]
        absent = [file.name for file, chosen in zip(files, by_model, strict=True) if position not in chosen]
        part = _part(item, predicted, truth)
        if part not in PARTS:
            unused[part] += 1
        elif absent:
            message = f"{item.id} has no prediction in {', '.join(absent)}; it is left out"
            findings.append(about(item, "ME543", message))
        else:
            scores = [
                np.asarray(file.scores)[number][order] for (file, number), order in zip(predicted, orders, strict=True)
            ]
            together[position] = (part, np.stack(scores))
    for part, count in unused.items():
        message = f"{plural(count, truth.noun)} of {part} {'is' if count == 1 else 'are'} predicted and not used"
        findings.append(finding("ME549", message, found=part))
    return together, findings


def _part(item: ScoredItem, predicted: Sequence[tuple[Predictions, int]], truth: Truth) -> str:
    """The part of an item, as its predictions say; of an image that of the set's own split where they say nothing.

    Raises:
        MeDatasetsError: a prediction of an annotation has no part, or two models have different parts.
    """
    split = item.group if truth.noun == "image" and item.group in SPLITS else None
    parts: dict[str | None, str] = {}
    for file, number in predicted:
        parts.setdefault(file.rows[number].get("part") or split, file.name)
    if None in parts:
        raise MeDatasetsError(
            f"it is not known whether {item.id} is validation or test",
            where=parts[None],
            fix="add an array 'part' with validation or test for each prediction",
        )
    if len(parts) > 1:
        (one, first), (other, second) = sorted(parts.items(), key=lambda pair: str(pair[0]), reverse=True)[:2]
        raise MeDatasetsError(
            f"{item.id} is {one} in {first} and {other} in {second}",
            where=", ".join(file.name for file, _ in predicted),
            fix="train all models on one split; otherwise test data chooses the weights",
        )
    return str(next(iter(parts)))
