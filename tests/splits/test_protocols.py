"""The rules by which subjects are dealt out, on subjects alone."""

from __future__ import annotations

from collections import Counter

import pytest

from datasets_me.core.errors import SplitError
from datasets_me.splits import protocols
from datasets_me.splits.items import Group
from datasets_me.splits.protocols import Fold


def people(count: int, dataset: str = "casme2") -> list[Group]:
    return [(dataset, f"s{number:02}") for number in range(count)]


def test_leave_one_out() -> None:
    groups = [*people(2), *people(1, "samm"), ("samm", "s77")]
    folds = list(protocols.loso(groups))
    assert [fold.name for fold in folds] == ["casme2-s00", "s01", "samm-s00", "s77"]
    assert [fold.test for fold in folds] == [(group,) for group in groups]
    assert folds[1].train == (groups[0], *groups[2:])
    assert folds[1].parts == (("train", folds[1].train), ("validation", ()), ("test", (groups[1],)))


@pytest.mark.parametrize(("count", "names"), [(2, ["1", "2"]), (10, [f"{n:02}" for n in range(1, 11)])])
def test_folds_are_numbered_from_one_in_order_of_text(count: int, names: list[str]) -> None:
    folds = list(protocols.kfold(people(12), count, seed=3))
    assert [fold.name for fold in folds] == names
    assert Counter(group for fold in folds for group in fold.test) == dict.fromkeys(people(12), 1)
    for fold in folds:
        assert list(fold.test) == sorted(fold.test)
        assert set(fold.train) == set(people(12)) - set(fold.test)


def test_as_many_folds_as_subjects_and_no_more() -> None:
    assert [len(fold.test) for fold in protocols.kfold(people(3), 3, seed=0)] == [1, 1, 1]
    with pytest.raises(SplitError) as raised:
        list(protocols.kfold(people(3), 4, seed=0))
    assert raised.value.fix == "give --folds 3 or fewer"
    with pytest.raises(SplitError) as raised:
        list(protocols.kfold(people(1), 2, seed=0))
    assert raised.value.fix == "a split needs two subjects"


@pytest.mark.parametrize(("fraction", "count"), [(0.01, 1), (0.24, 2), (0.26, 3), (0.5, 5), (0.95, 9), (0.999, 9)])
def test_a_fraction_is_rounded_and_leaves_somebody_on_each_side(fraction: float, count: int) -> None:
    (fold,) = protocols.holdout(people(10), fraction, seed=1)
    assert (fold.name, len(fold.test), len(fold.train)) == ("holdout", count, 10 - count)
    assert set(fold.test) | set(fold.train) == set(people(10))


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5, 2.0])
def test_what_is_no_fraction(fraction: float) -> None:
    with pytest.raises(SplitError, match=f"--test {fraction:g} is not a fraction of the subjects"):
        list(protocols.holdout(people(4), fraction, seed=0))


def test_two_subjects_are_enough() -> None:
    assert [(len(f.train), len(f.test)) for f in protocols.holdout(people(2), 0.5, seed=0)] == [(1, 1)]
    assert len(list(protocols.loso(people(2)))) == 2
    aside = protocols.with_validation(Fold("f", tuple(people(2)), ()), 0.5, seed=0)
    assert (len(aside.train), len(aside.validation)) == (1, 1)


def test_another_seed_is_another_choice() -> None:
    chosen = {next(protocols.holdout(people(20), 0.3, seed)).test for seed in range(5)}
    assert len(chosen) == 5


def test_validation_comes_from_training_and_keeps_the_rest() -> None:
    fold = Fold("f", tuple(people(10)), (("samm", "s00"),))
    made = protocols.with_validation(fold, 0.3, seed=2)
    assert (made.name, made.test, len(made.validation)) == ("f", fold.test, 3)
    assert sorted((*made.train, *made.validation)) == sorted(fold.train)


def test_stratified_parts_are_taken_in_twentieths() -> None:
    """Forty subjects of one class: twenty bins of two, of which a fraction is rounded to whole bins."""
    groups = people(40)
    labels = [(group, "a") for group in groups]
    for fraction, count in ((0.05, 2), (0.3, 12), (0.01, 2), (0.99, 38)):
        (fold,) = protocols.holdout(groups, fraction, 0, labels)
        assert len(fold.test) == count
        assert list(fold.test) == sorted(fold.test)


def test_stratified_parts_have_subjects_without_expressions_as_a_class_of_their_own() -> None:
    groups = people(16)
    labels = [(group, "ab"[index % 2]) for index, group in enumerate(groups[:8])]
    folds = list(protocols.kfold(groups, 4, 0, labels))
    for fold in folds:
        kinds = Counter(dict(labels).get(group, "none") for group in fold.test)
        assert kinds == {"a": 1, "b": 1, "none": 2}
    assert folds == list(protocols.kfold(groups, 4, 0, labels))


def test_what_cannot_be_stratified() -> None:
    groups = people(4)
    with pytest.raises(SplitError, match="4 folds cannot be stratified, because no class has that many expressions"):
        list(protocols.kfold(groups, 4, 0, [(group, group[1]) for group in groups]))
    few = [(groups[0], "a"), (groups[1], "b")]
    with pytest.raises(SplitError, match="2 folds cannot be stratified, because no class has that many expressions"):
        list(protocols.holdout(groups[:2], 0.5, 0, few))


def test_between_datasets() -> None:
    groups = [*people(2), *people(1, "samm")]
    folds = list(protocols.cross_dataset(groups, ["casme2", "samm"]))
    assert [(fold.name, fold.train, fold.test) for fold in folds] == [
        ("casme2-to-samm", tuple(people(2)), tuple(people(1, "samm"))),
        ("samm-to-casme2", tuple(people(1, "samm")), tuple(people(2))),
    ]
