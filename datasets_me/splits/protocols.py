"""Which subjects are trained on and which are tested. Only whole subjects are distributed."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from datasets_me.core.errors import SplitError
from datasets_me.formats.split import Part
from datasets_me.splits.items import Group

Labelled = Sequence[tuple[Group, str]]
"""Group and class of each expression, sorted."""

_MOST_BINS = 20  # a stratified fraction is a multiple of at least a twentieth


@dataclass(frozen=True)
class Fold:
    """The subjects of each part of one fold."""

    name: str
    train: tuple[Group, ...]
    test: tuple[Group, ...]
    validation: tuple[Group, ...] = ()

    @property
    def parts(self) -> tuple[tuple[Part, tuple[Group, ...]], ...]:
        """The subjects by the names of the parts."""
        return ("train", self.train), ("validation", self.validation), ("test", self.test)


def loso(groups: Sequence[Group]) -> Iterator[Fold]:
    """Leave one subject out: one fold per subject, named after it, and after the dataset too where two share a name.

    Raises:
        SplitError: there are fewer than two subjects.
    """
    _need(groups, 2, "leave one subject out", "a split needs two subjects")
    times = Counter(subject for _, subject in groups)
    for group in groups:
        name = f"{group[0]}-{group[1]}" if times[group[1]] > 1 else group[1]
        yield Fold(name, tuple(other for other in groups if other != group), (group,))


def kfold(groups: Sequence[Group], count: int, seed: int, labels: Labelled | None = None) -> Iterator[Fold]:
    """``count`` folds, named by their number from 1. Each subject is tested once.

    Without labels, folds differ by at most one subject; with labels, the classes are spread evenly over the folds as
    far as whole subjects allow (scikit-learn's StratifiedGroupKFold).

    Raises:
        SplitError: fewer than two folds, or more folds than subjects.
    """
    if count < 2:
        raise SplitError(f"a split needs at least two folds, not {count}", fix="give --folds 2 or more")
    fewer = f"give --folds {len(groups)} or fewer" if len(groups) > 1 else "a split needs two subjects"
    _need(groups, count, f"make {count} folds", fewer)
    bins = list(_bins(groups, count, seed, labels))
    if not all(bins):
        raise SplitError(
            f"with {count} stratified folds, one of them has no subject",
            fix="use fewer folds, another --seed, or leave --stratify out",
        )
    for number, test in enumerate(bins, start=1):
        yield Fold(f"{number:0{len(str(count))}}", _without(groups, test), test)


def holdout(groups: Sequence[Group], fraction: float, seed: int, labels: Labelled | None = None) -> Iterator[Fold]:
    """One fold, named ``holdout``, that tests about this fraction of the subjects.

    Raises:
        SplitError: there are fewer than two subjects, or the fraction is not between 0 and 1.
    """
    _need(groups, 2, "hold one out", "a split needs two subjects")
    test = some(groups, fraction, seed, labels, "--test")
    yield Fold("holdout", _without(groups, test), test)


def cross_dataset(groups: Sequence[Group], datasets: Sequence[str]) -> Iterator[Fold]:
    """Train on one dataset and test on another, in every order: folds are named ``casme2-to-samm``.

    Raises:
        SplitError: there is only one dataset.
    """
    if len(datasets) < 2:
        raise SplitError("cross-dataset needs at least two datasets", fix="give two manifests or more")
    for train, test in permutations(datasets, 2):
        parts = [tuple(group for group in groups if group[0] == dataset) for dataset in (train, test)]
        yield Fold(f"{train}-to-{test}", parts[0], parts[1])


def with_validation(fold: Fold, fraction: float, seed: int, labels: Labelled | None = None) -> Fold:
    """The fold with about this fraction of its training subjects set aside.

    Raises:
        SplitError: it has fewer than two training subjects, or the fraction is not between 0 and 1.
    """
    fix = "leave --validation out, or train on more subjects"
    _need(fold.train, 2, f"set some of the training part of fold {fold.name} aside", fix)
    trained = set(fold.train)
    of_train = None if labels is None else [pair for pair in labels if pair[0] in trained]
    aside = some(fold.train, fraction, seed, of_train, "--validation")
    return Fold(fold.name, _without(fold.train, aside), fold.test, aside)


def some(
    groups: Sequence[Group], fraction: float, seed: int, labels: Labelled | None, option: str
) -> tuple[Group, ...]:
    """About this fraction of the groups: at least one, and not all.

    Raises:
        SplitError: the fraction is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise SplitError(
            f"{option} {fraction:g} is not a fraction of the subjects", fix="give a number between 0 and 1"
        )
    if labels is None:
        count = min(max(1, round(fraction * len(groups))), len(groups) - 1)
        order = np.random.default_rng(seed).permutation(len(groups))
        return tuple(groups[index] for index in sorted(order[:count]))
    largest = max(Counter(label for _, label in labels).values(), default=0)
    wanted = max(2, min(len(groups), largest, _MOST_BINS))
    bins = [members for members in _bins(groups, wanted, seed, labels) if members]
    if len(bins) < 2:
        raise SplitError(f"{option} {fraction:g} cannot be stratified with these subjects", fix="leave --stratify out")
    count = min(max(1, round(fraction * len(bins))), len(bins) - 1)
    chosen = {group for members in bins[:count] for group in members}
    return tuple(group for group in groups if group in chosen)


def _bins(groups: Sequence[Group], count: int, seed: int, labels: Labelled | None) -> Iterator[tuple[Group, ...]]:
    """The groups in ``count`` bins; with labels, their classes spread evenly, and a bin may be empty."""
    if labels is None:
        order = np.random.default_rng(seed).permutation(len(groups))
        for part in np.array_split(order, count):
            yield tuple(groups[index] for index in sorted(part))
        return
    for indices in _stratified(groups, count, seed, labels):
        chosen = {groups[index] for index in indices}
        yield tuple(group for group in groups if group in chosen)


def _stratified(groups: Sequence[Group], count: int, seed: int, labels: Labelled) -> list[list[int]]:
    from sklearn.model_selection import StratifiedGroupKFold

    # a subject without expressions counts as one of the class ""
    missing = sorted(set(groups) - {group for group, _ in labels})
    samples = [*labels, *((group, "") for group in missing)]
    number = {group: index for index, group in enumerate(groups)}
    of_group = np.array([number[group] for group, _ in samples])
    classes = np.array([label for _, label in samples])
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    parts: list[Any] = []
    try:
        with warnings.catch_warnings():
            # a class with fewer expressions than folds cannot be in all of them; check-split names it
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            parts = [sorted(set(of_group[test].tolist())) for _, test in folds.split(classes, classes, of_group)]
    except ValueError as error:
        raise SplitError(
            f"{count} folds cannot be stratified, because no class has that many expressions",
            fix="use fewer folds, coarser classes, or leave --stratify out",
        ) from error
    return parts


def _without(groups: Sequence[Group], taken: Sequence[Group]) -> tuple[Group, ...]:
    gone = set(taken)
    return tuple(group for group in groups if group not in gone)


def _need(groups: Sequence[Group], count: int, purpose: str, fix: str) -> None:
    if len(groups) < count:
        raise SplitError(
            f"not enough subjects to {purpose}: there {'is' if len(groups) == 1 else 'are'} {len(groups)}, "
            f"and {count} are needed",
            fix=fix,
        )
