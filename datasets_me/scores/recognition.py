"""How well labels were recognised, per dataset and over all folds together.

In leave-one-subject-out validation every annotation is predicted once, by the model that has not seen its subject. The
predictions of all folds are therefore one list, and counts are summed over it before anything is divided. The mean of
the folds' F1 is another number, and not the one that papers since MEGC 2019 report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.core.text import closest
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.predictions import Predictions, first_repeated, named, whole_number
from datasets_me.schema.images import SPLITS
from datasets_me.scores.confusion import Confusion, confusion
from datasets_me.scores.truth import ScoredItem, Truth, about, assign


@dataclass(frozen=True)
class SubjectScore:
    """One subject's annotations or images: how many, and how many were predicted correctly."""

    dataset: str
    subject: str
    annotations: int
    right: int


@dataclass(frozen=True)
class Recognition:
    """Scores over everything and per group: the dataset of annotations, or the split of images.

    ``unscored`` counts items without a label, by group.
    """

    label: str
    pooled: Confusion
    groups: dict[str, Confusion]
    folds: list[SubjectScore]
    unscored: dict[str, int]
    findings: list[Finding]


def recognition(truth: Truth, files: Sequence[Predictions], *, classes: Sequence[str] = ()) -> Recognition:
    """Score predicted labels.

    An annotation or image without a prediction counts as wrong, so that leaving out hard ones cannot raise a score.

    Args:
        truth: the annotations of datasets, which are pooled as in MEGC 2019's composite database; or a set's images.
        files: predictions, usually one file per fold.
        classes: what the numbers 0, 1, … of the predictions stand for, where they are numbers.

    Raises:
        MeDatasetsError: nothing can be scored, a class is given twice, or the predictions are numbers of
            unknown classes.
    """
    if repeated := first_repeated(classes):
        raise MeDatasetsError(f"the class {repeated} is given twice", fix="give every class once, in order")
    known_doubts = truth.doubts()  # from scoring another model
    chosen, findings = assign(files, truth)
    scored, unscored = _scored(truth, set(chosen), findings)
    items = [truth.items[position] for position in scored]
    labels = [str(item.label) for item in items]
    known = sorted(set(labels))
    guesses: list[str | None] = []
    for position, item in zip(scored, items, strict=True):
        if position not in chosen:
            findings.append(about(item, "ME543", f"{item.id} ({item.label}) has no prediction; it counts as wrong"))
            guesses.append(None)
            continue
        file, number = chosen[position]
        guess = predicted_label(file, number, classes, truth)
        if guess is None:
            message = f"the prediction of {item.id} is not a class; it counts as wrong"
            findings.append(finding("ME546", message, place=file.place(number), video=item.video, path=item.path))
        guesses.append(guess)
    findings += [
        *unknown_classes(guesses, known, truth.noun),
        *(doubt for doubt in truth.doubts() if doubt not in known_doubts),
    ]
    return Recognition(
        truth.label,
        confusion(labels, guesses, known),
        {
            name: confusion(
                [label for item, label in zip(items, labels, strict=True) if item.group == name],
                [guess for item, guess in zip(items, guesses, strict=True) if item.group == name],
                known,
            )
            for name in _in_order(item.group for item in items)
        },
        _folds(items, guesses),
        dict(unscored),
        findings,
    )


def _in_order(groups: Iterable[str]) -> list[str]:
    """Datasets in the given order, splits from train to test."""
    places: dict[str, int] = {name: place for place, name in enumerate(SPLITS)}
    return sorted(dict.fromkeys(groups), key=lambda name: places.get(name, 0))


def by_model(truth: Truth, files: Sequence[Predictions], *, classes: Sequence[str] = ()) -> dict[str, Recognition]:
    """Score each file by itself, as the predictions of one model; by the names that `distinct` gives them.

    Every finding names its file.
    """
    results: dict[str, Recognition] = {}
    for name, file in zip(distinct(files), files, strict=True):
        result = recognition(truth, [file], classes=classes)
        findings = [
            finding if finding.file else finding.model_copy(update={"file": name}) for finding in result.findings
        ]
        results[name] = replace(result, findings=findings)
    return results


def distinct(files: Sequence[Predictions]) -> list[str]:
    """The files' names, numbered where they are the same."""
    times, seen = Counter(file.name for file in files), Counter[str]()
    names = []
    for file in files:
        seen[file.name] += 1
        names.append(file.name if times[file.name] == 1 else f"{file.name} ({seen[file.name]})")
    return names


def _scored(truth: Truth, predicted: set[int], findings: list[Finding]) -> tuple[list[int], Counter[str]]:
    """The positions of the items to score, and how many of each group have no label."""
    groups = {truth.items[position].group for position in predicted}
    left_out: Counter[str] = Counter()
    unscored: Counter[str] = Counter()
    scored: list[int] = []
    for position, item in enumerate(truth.items):
        if not item.scored:
            continue
        if not truth.complete and item.group not in groups:
            left_out[item.group] += 1
        elif item.label is None:
            unscored[item.group] += 1
            findings.append(about(item, "ME545", f"{item.id} has no {truth.label}; it is not scored"))
        else:
            scored.append(position)
    if not scored:
        first = f"; first: {findings[0].where}: {findings[0].message}" if left_out and findings else ""
        raise MeDatasetsError(
            f"no {truth.noun} has a {truth.label}{' and a prediction' if left_out else ''}{first}",
            fix=f"give predictions of the set's {truth.noun}s" if left_out else "choose another --label",
        )
    for group, count in left_out.items():
        findings.append(finding("ME549", f"none of {plural(count, truth.noun)} of {group} is predicted", found=group))
    return scored, unscored


def predicted_label(file: Predictions, number: int, classes: Sequence[str], truth: Truth) -> str | None:
    """The predicted class: the label, otherwise the class with the highest score (the first of several).

    A label is mapped to the truth's spelling. None where it cannot be read, or nothing was recognised: there is no
    label, or the scores of all classes are equal.

    Raises:
        MeDatasetsError: it is a number, and it is not known which class that is.
    """
    text = file.rows[number].get("label", "")
    names = tuple(classes) or file.classes
    if not text and file.scores is not None:
        columns, names = file.classes or names, tuple(classes)
        if len(columns) != file.scores.shape[1]:
            raise MeDatasetsError(
                f"the names of the {file.scores.shape[1]} classes of the scores are not known",
                where=file.name,
                fix="add the array 'classes', or give their names in order: --classes negative,positive,surprise",
            )
        scores = file.scores[number]
        if not np.isfinite(scores).all() or (len(scores) > 1 and np.ptp(scores) == 0):
            return None
        text = columns[int(np.argmax(scores))]
    elif "label" not in file.columns:
        raise MeDatasetsError(
            "the predictions have neither labels nor scores",
            where=file.name,
            fix=f"add a column 'label', or scores; there are {named(file.columns)}",
        )
    if not text or (label := truth.class_of(text)) is None:
        return None
    index = whole_number(text)
    if index is None or text in truth.labels or (not names and label in truth.labels):
        return label
    if not 0 <= index < len(names):
        raise MeDatasetsError(
            f"it is not known which class number {index} is",
            where=str(file.place(number)),
            fix="give the classes in order: --classes negative,positive,surprise",
        )
    return truth.class_of(names[index])


def unknown_classes(guesses: Sequence[str | None], known: Sequence[str], noun: str) -> list[Finding]:
    """Findings about predicted classes that are the label of nothing."""
    counts = Counter(guess for guess in guesses if guess is not None and guess not in known)
    findings = []
    for name, count in sorted(counts.items()):
        near = closest(name, known)
        hint = f"; did you mean '{near}'?" if near else ""
        message = f"'{name}' was predicted {plural(count, 'time')}, but is the label of no {noun}{hint}"
        findings.append(finding("ME544", message, found=name))
    return findings


def _folds(items: Sequence[ScoredItem], guesses: Sequence[str | None]) -> list[SubjectScore]:
    counts: Counter[tuple[str, str]] = Counter()
    right: Counter[tuple[str, str]] = Counter()
    for item, guess in zip(items, guesses, strict=True):
        if item.subject is not None:
            counts[item.dataset, item.subject] += 1
            right[item.dataset, item.subject] += item.label == guess
    return [
        SubjectScore(dataset, subject, count, right[dataset, subject]) for (dataset, subject), count in counts.items()
    ]
