"""How far two people who decided about the same dataset agree."""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from datasets_me.core.text import fold, same
from datasets_me.formats.decisions import Decision, standing
from datasets_me.schema.spec import FRAME_FIELDS, FrameField, Spec

LABELS = ("emotion", "type", "aus", "label")
"""The columns whose texts are compared as labels; images have ``label`` alone."""

_VERDICTS = ("accept", "correct", "exclude")


@dataclass(frozen=True)
class FrameAgreement:
    """The differences of one column over the rows for which both give a frame, in frames of the workbook.

    ``mean`` is that of B − A, ``absolute`` that of its size; ``one_only`` counts rows for which only one gives a frame.
    """

    column: FrameField
    rows: int
    equal: int
    one_only: int
    mean: float | None
    absolute: float | None


@dataclass(frozen=True)
class LabelAgreement:
    """How often two people give the same label, and Cohen's κ; None where it is not defined, since all labels are one.

    ``verdict`` is whether a row or a video is used or excluded.
    """

    column: str
    rows: int
    equal: int
    kappa: float | None


@dataclass(frozen=True)
class Differing:
    """A row, or a video, of which two people say different things in a column."""

    about: str
    where: str
    column: str
    a: str
    b: str


@dataclass(frozen=True)
class Agreement:
    """Two people's decisions compared: how many each decided about, what both did, and where they differ."""

    only_a: int
    only_b: int
    both: int
    frames: list[FrameAgreement]
    labels: list[LabelAgreement]
    differing: list[Differing]


@dataclass(frozen=True)
class _Reading:
    """A row or a video as one person leaves it."""

    about: Decision
    excluded: bool
    cells: dict[str, str]


def agreement(a: Sequence[Decision], b: Sequence[Decision], specs: Mapping[str, Spec]) -> Agreement:
    """The agreement of two people over the rows, videos and images about which both decided.

    A cell that a person did not correct counts with what the workbook says: whoever decided about a row has seen it.
    Rows that one of them excludes are compared in nothing but that.

    Args:
        a: all decisions of one person.
        b: all decisions of the other.
        specs: the datasets by id. They tell which texts mean "not annotated", and which are one label. A dataset of
            images has none.
    """
    first, second = _readings(a, specs), _readings(b, specs)
    both = [(first[key], second[key]) for key in first if key in second]
    used = [(one, two) for one, two in both if not one.excluded and not two.excluded]
    verdicts = [(_verdict(one), _verdict(two)) for one, two in both]
    labels = [_labels("verdict", verdicts)]
    labels += [_labels(column, _texts(column, used)) for column in LABELS if _texts(column, used)]
    return Agreement(
        only_a=len(first) - len(both),
        only_b=len(second) - len(both),
        both=len(both),
        frames=[_frames(column, _texts(column, used)) for column in FRAME_FIELDS if _texts(column, used)],
        labels=labels,
        differing=[each for pair in both for each in _differing(*pair)],
    )


def _readings(decisions: Sequence[Decision], specs: Mapping[str, Spec]) -> dict[Hashable, _Reading]:
    readings: dict[Hashable, _Reading] = {}
    for decision in standing(decisions):
        if decision.action not in _VERDICTS or (decision.video is None and decision.image is None):
            continue
        before = readings.get(decision.told_by)
        cells = dict(before.cells if before else decision.cells or {})
        if decision.action == "correct" and decision.column is not None:
            cells[decision.column] = decision.new or ""
        excluded = decision.action == "exclude" or (before is not None and before.excluded)
        readings[decision.told_by] = _Reading(decision, excluded, cells)
    return {
        key: replace(reading, cells=_plain(reading.cells, specs[reading.about.dataset]))
        if reading.about.image is None
        else reading
        for key, reading in readings.items()
    }


def _plain(cells: Mapping[str, str], spec: Spec) -> dict[str, str]:
    """Texts of a row with one spelling for each label, and ``""`` for those that mean "not annotated"."""
    sentinels = [spec.workbook.sentinels, *(variant.sentinels or {} for variant in spec.workbook.variants)]
    labels: dict[str, Mapping[str, list[str]]] = {
        "emotion": spec.emotions.labels,
        "type": {str(name): spellings for name, spellings in spec.expression_type.values.items()},
    }
    plain = {}
    for column, text in cells.items():
        empty = any(same(text, sentinel) for each in sentinels for sentinel in each.get(column, ()))
        spelt = labels.get(column, {}).items()
        label = next((name for name, others in spelt if fold(text) in map(fold, (name, *others))), text)
        plain[column] = "" if empty else label
    return plain


def _verdict(reading: _Reading) -> str:
    return "excluded" if reading.excluded else "used"


def _texts(column: str, pairs: Sequence[tuple[_Reading, _Reading]]) -> list[tuple[str, str]]:
    return [(one.cells[column], two.cells[column]) for one, two in pairs if column in one.cells and column in two.cells]


def _labels(column: str, pairs: Sequence[tuple[str, str]]) -> LabelAgreement:
    folded = [(fold(one), fold(two)) for one, two in pairs]
    return LabelAgreement(column, len(pairs), sum(one == two for one, two in folded), kappa(folded))


def kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's κ (1960) of two people's labels; None where it is not defined, since there is one label at most."""
    from sklearn.metrics import cohen_kappa_score

    if len({label for pair in pairs for label in pair}) < 2:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = float(cohen_kappa_score(*zip(*pairs, strict=True)))
    return None if math.isnan(value) else value


def _frames(column: FrameField, pairs: Sequence[tuple[str, str]]) -> FrameAgreement:
    numbers = [(_number(one), _number(two)) for one, two in pairs]
    differences = [two - one for one, two in numbers if one is not None and two is not None]
    return FrameAgreement(
        column,
        rows=len(differences),
        equal=sum(difference == 0 for difference in differences),
        one_only=sum((one is None) != (two is None) for one, two in numbers),
        mean=fmean(differences) if differences else None,
        absolute=fmean(map(abs, differences)) if differences else None,
    )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _differing(one: _Reading, two: _Reading) -> list[Differing]:
    def row(column: str, a: str, b: str) -> Differing:
        return Differing(one.about.about, str(one.about.place()), column, a, b)

    if one.excluded != two.excluded:
        return [row("verdict", _verdict(one), _verdict(two))]
    if one.excluded:
        return []
    columns: list[Any] = [*FRAME_FIELDS, *LABELS]
    return [
        row(column, one.cells[column], two.cells[column])
        for column in columns
        if column in one.cells and column in two.cells and not same(one.cells[column], two.cells[column])
    ]
