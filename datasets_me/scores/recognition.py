"""How well labels were recognised, per dataset and over all folds together.

Every annotation of a leave-one-subject-out validation is predicted once, by the model that has not seen its subject.
So the predictions of all folds are one list, and counts are summed over it before anything is divided: the mean of the
folds' F1 is another number, and not the one that papers after MEGC 2019 report.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.core.text import closest, fold
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import ExpressionType
from datasets_me.scores.confusion import Confusion, confusion
from datasets_me.scores.matching import OfSplit, all_annotations, assign, without
from datasets_me.scores.predictions import Predictions

Label = Literal["emotion", "class_3", "class_5"]

_WHOLE = re.compile(r"([+-]?[0-9]{1,9})(?:\.0*)?")
"""The number of a class, as it is or as tools write it that hold all numbers as floating-point ones."""


@dataclass(frozen=True)
class Fold:
    """One subject's annotations: how many, and how many were predicted right."""

    dataset: str
    subject: str
    annotations: int
    right: int


@dataclass(frozen=True)
class Recognition:
    """What :func:`recognition` found. ``unscored`` counts annotations without a label, by dataset."""

    label: Label
    pooled: Confusion
    datasets: dict[str, Confusion]
    folds: list[Fold]
    unscored: dict[str, int]
    findings: list[Finding]


def recognition(
    manifests: Sequence[Manifest],
    files: Sequence[Predictions],
    *,
    label: Label = "emotion",
    kind: ExpressionType | None = None,
    classes: Sequence[str] = (),
    tested: OfSplit | None = None,
) -> Recognition:
    """Score predicted labels.

    An annotation without a prediction counts as wrong, so that leaving out the hard ones cannot raise a score.

    Args:
        manifests: the datasets; several are pooled, as in MEGC 2019's composite database.
        files: predictions, usually one file per fold.
        label: the column of the manifest that is predicted.
        kind: only annotations of this type.
        classes: what the numbers 0, 1, … of the predictions stand for, where they are numbers.
        tested: only annotations that a split tests.

    Raises:
        MeDatasetsError: nothing can be scored, a class is given twice, or the predictions do not say what their
            numbers stand for.
    """
    if repeated := first_repeated(classes):
        raise MeDatasetsError(f"the class {repeated} is given twice", fix="give every class once, in order")
    rows = all_annotations(manifests)
    chosen, found = assign(files, rows)
    scored: list[int] = []
    unscored: Counter[str] = Counter()
    for position, row in enumerate(rows):
        if kind not in (None, row.type) or (tested is not None and not tested.annotation(row)):
            continue
        if getattr(row, label) is None:
            unscored[row.dataset] += 1
            found.append(without(row, "ME545", f"{row.id} has no {label}; it is not scored"))
        else:
            scored.append(position)
    if not scored:
        raise MeDatasetsError(f"no {kind or 'annotation'} has a {label}", fix="choose another --label")
    truth = [str(getattr(rows[position], label)) for position in scored]
    known = sorted(set(truth))
    guesses: list[str | None] = []
    for position, true in zip(scored, truth, strict=True):
        row = rows[position]
        if position not in chosen:
            found.append(without(row, "ME543", f"{row.id} ({true}) has no prediction; it counts as wrong"))
            guesses.append(None)
            continue
        file, number = chosen[position]
        guess = predicted_label(file, number, classes, known)
        if guess is None:
            message = f"the prediction of {row.id} is neither a class nor numbers; it counts as wrong"
            found.append(finding("ME546", message, place=file.place(number), video=row.video))
        guesses.append(guess)
    found += _unknown(guesses, known)
    return Recognition(
        label,
        confusion(truth, guesses, known),
        {
            name: confusion(
                [true for position, true in zip(scored, truth, strict=True) if rows[position].dataset == name],
                [guess for position, guess in zip(scored, guesses, strict=True) if rows[position].dataset == name],
                known,
            )
            for name in dict.fromkeys(rows[position].dataset for position in scored)
        },
        _folds([rows[position] for position in scored], truth, guesses),
        dict(unscored),
        found,
    )


def predicted_label(file: Predictions, number: int, classes: Sequence[str], known: Sequence[str]) -> str | None:
    """The class that a prediction says: its label, else the one with the highest score (the first, on ties).

    Spelling aside, a label is brought to the one in ``known``. None where it cannot be read.

    Raises:
        MeDatasetsError: nothing says what its numbers stand for.
    """
    text = file.rows[number].get("label", "")
    if not text and file.scores is not None:
        names = file.classes or tuple(classes)
        if len(names) != file.scores.shape[1]:
            raise MeDatasetsError(
                f"nothing names the {file.scores.shape[1]} classes of the scores",
                where=file.name,
                fix="add the array 'classes', or give their names in order: --classes negative,positive,surprise",
            )
        if not np.isfinite(file.scores[number]).all():
            return None
        text = names[int(np.argmax(file.scores[number]))]
    elif "label" not in file.rows[number]:
        raise MeDatasetsError("the predictions have neither labels nor scores", where=file.name)
    if text not in known and (whole := _WHOLE.fullmatch(text)):
        names, index = tuple(classes) or file.classes, int(whole[1])
        if not 0 <= index < len(names):
            raise MeDatasetsError(
                f"nothing says what class number {index} is",
                where=str(file.place(number)),
                fix="give the classes in order: --classes negative,positive,surprise",
            )
        text = names[index]
    by_fold = {fold(name): name for name in known}
    return by_fold.get(fold(text), text) or None


def first_repeated(classes: Sequence[str]) -> str | None:
    """The first class that stands twice, spelling aside, or None."""
    seen: set[str] = set()
    for name in classes:
        if fold(name) in seen:
            return name
        seen.add(fold(name))
    return None


def _unknown(guesses: Sequence[str | None], known: Sequence[str]) -> list[Finding]:
    counts = Counter(guess for guess in guesses if guess is not None and guess not in known)
    found = []
    for name, count in sorted(counts.items()):
        near = closest(name, known)
        hint = f"; did you mean '{near}'?" if near else ""
        found.append(
            finding(
                "ME544", f"'{name}' was predicted {plural(count, 'time')}, and no annotation has it{hint}", found=name
            )
        )
    return found


def _folds(rows: Sequence[Annotation], truth: Sequence[str], guesses: Sequence[str | None]) -> list[Fold]:
    counts: Counter[tuple[str, str]] = Counter((row.dataset, row.subject) for row in rows)
    right = Counter(
        (row.dataset, row.subject) for row, true, guess in zip(rows, truth, guesses, strict=True) if true == guess
    )
    return [Fold(dataset, subject, count, right[dataset, subject]) for (dataset, subject), count in counts.items()]
