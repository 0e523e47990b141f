"""How well labels were recognised, per dataset and over all folds together.

Every annotation of a leave-one-subject-out validation is predicted once, by the model that has not seen its subject.
So the predictions of all folds are one list, and counts are summed over it before anything is divided: the mean of the
folds' F1 is another number, and not the one that papers after MEGC 2019 report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.core.text import closest, fold
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.predictions import Predictions, whole_number
from datasets_me.schema.images import SPLITS
from datasets_me.scores.confusion import Confusion, confusion
from datasets_me.scores.truth import Item, Truth, about, assign


@dataclass(frozen=True)
class Fold:
    """One subject's annotations or images: how many, and how many were predicted right."""

    dataset: str
    subject: str
    annotations: int
    right: int


@dataclass(frozen=True)
class Recognition:
    """What :func:`recognition` found: over everything, and per group, which is the dataset of annotations and the split
    of images. ``unscored`` counts items without a label, by group."""

    label: str
    pooled: Confusion
    groups: dict[str, Confusion]
    folds: list[Fold]
    unscored: dict[str, int]
    findings: list[Finding]


def recognition(truth: Truth, files: Sequence[Predictions], *, classes: Sequence[str] = ()) -> Recognition:
    """Score predicted labels.

    An annotation or image without a prediction counts as wrong, so that leaving out the hard ones cannot raise a score.

    Args:
        truth: the annotations of datasets, which are pooled as in MEGC 2019's composite database; or a set's images.
        files: predictions, usually one file per fold.
        classes: what the numbers 0, 1, … of the predictions stand for, where they are numbers.

    Raises:
        MeDatasetsError: nothing can be scored, a class is given twice, or the predictions do not say what their
            numbers stand for.
    """
    if repeated := first_repeated(classes):
        raise MeDatasetsError(f"the class {repeated} is given twice", fix="give every class once, in order")
    known_doubts = truth.doubts()  # of another model
    chosen, found = assign(files, truth)
    scored, unscored = _scored(truth, set(chosen), found)
    items = [truth.items[position] for position in scored]
    labels = [str(item.label) for item in items]
    known = sorted(set(labels))
    guesses: list[str | None] = []
    for position, item in zip(scored, items, strict=True):
        if position not in chosen:
            found.append(about(item, "ME543", f"{item.id} ({item.label}) has no prediction; it counts as wrong"))
            guesses.append(None)
            continue
        file, number = chosen[position]
        guess = predicted_label(file, number, classes, truth)
        if guess is None:
            message = f"the prediction of {item.id} is no class that can be read; it counts as wrong"
            found.append(finding("ME546", message, place=file.place(number), video=item.video, path=item.path))
        guesses.append(guess)
    found += [*_unknown(guesses, known, truth), *(doubt for doubt in truth.doubts() if doubt not in known_doubts)]
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
        found,
    )


def _in_order(groups: Iterable[str]) -> list[str]:
    """Datasets as they come, splits as they follow each other."""
    places: dict[str, int] = {name: place for place, name in enumerate(SPLITS)}
    return sorted(dict.fromkeys(groups), key=lambda name: places.get(name, 0))


def by_model(truth: Truth, files: Sequence[Predictions], *, classes: Sequence[str] = ()) -> dict[str, Recognition]:
    """The same for each file by itself, where each is of one model; by what `distinct` calls them.

    Every finding says of which file it is.
    """
    found: dict[str, Recognition] = {}
    for name, file in zip(distinct(files), files, strict=True):
        made = recognition(truth, [file], classes=classes)
        findings = [each if each.file else each.model_copy(update={"file": name}) for each in made.findings]
        found[name] = replace(made, findings=findings)
    return found


def distinct(files: Sequence[Predictions]) -> list[str]:
    """The files' names; with a number behind those that are the same."""
    times, seen = Counter(file.name for file in files), Counter[str]()
    names = []
    for file in files:
        seen[file.name] += 1
        names.append(file.name if times[file.name] == 1 else f"{file.name} ({seen[file.name]})")
    return names


def _scored(truth: Truth, predicted: set[int], found: list[Finding]) -> tuple[list[int], Counter[str]]:
    """The positions of what is scored, and how many of each group have no label."""
    groups = {truth.items[position].group for position in predicted}
    left_out: Counter[str] = Counter()
    unscored: Counter[str] = Counter()
    scored: list[int] = []
    for position, item in enumerate(truth.items):
        if not item.asked:
            continue
        if not truth.complete and item.group not in groups:
            left_out[item.group] += 1
        elif item.label is None:
            unscored[item.group] += 1
            found.append(about(item, "ME545", f"{item.id} has no {truth.label}; it is not scored"))
        else:
            scored.append(position)
    if not scored:
        first = f"; first: {found[0].where}: {found[0].message}" if left_out and found else ""
        raise MeDatasetsError(
            f"no {truth.noun} has a {truth.label}{' and a prediction' if left_out else ''}{first}",
            fix=f"give predictions of the set's {truth.noun}s" if left_out else "choose another --label",
        )
    for group, count in left_out.items():
        found.append(finding("ME549", f"none of {plural(count, truth.noun)} of {group} is predicted", found=group))
    return scored, unscored


def predicted_label(file: Predictions, number: int, classes: Sequence[str], truth: Truth) -> str | None:
    """The class that a prediction says: its label, else the one with the highest score (the first, on ties).

    Spelling aside, a label is brought to one of the truth's. None where it cannot be read, or nothing was recognised.

    Raises:
        MeDatasetsError: nothing says what its numbers stand for.
    """
    text = file.rows[number].get("label", "")
    names = tuple(classes) or file.classes
    if not text and file.scores is not None:
        columns, names = file.classes or names, tuple(classes)
        if len(columns) != file.scores.shape[1]:
            raise MeDatasetsError(
                f"nothing names the {file.scores.shape[1]} classes of the scores",
                where=file.name,
                fix="add the array 'classes', or give their names in order: --classes negative,positive,surprise",
            )
        if not np.isfinite(file.scores[number]).all():
            return None
        text = columns[int(np.argmax(file.scores[number]))]
    elif "label" not in file.columns:
        raise MeDatasetsError("the predictions have neither labels nor scores", where=file.name)
    if not text or (label := truth.class_of(text)) is None:
        return None
    index = whole_number(text)
    if index is None or text in truth.labels or (not names and label in truth.labels):
        return label
    if not 0 <= index < len(names):
        raise MeDatasetsError(
            f"nothing says what class number {index} is",
            where=str(file.place(number)),
            fix="give the classes in order: --classes negative,positive,surprise",
        )
    return truth.class_of(names[index])


def first_repeated(classes: Sequence[str]) -> str | None:
    """The first class that stands twice, spelling aside, or None."""
    seen: set[str] = set()
    for name in classes:
        if fold(name) in seen:
            return name
        seen.add(fold(name))
    return None


def _unknown(guesses: Sequence[str | None], known: Sequence[str], truth: Truth) -> list[Finding]:
    counts = Counter(guess for guess in guesses if guess is not None and guess not in known)
    found = []
    for name, count in sorted(counts.items()):
        near = closest(name, known)
        hint = f"; did you mean '{near}'?" if near else ""
        message = f"'{name}' was predicted {plural(count, 'time')}, and no {truth.noun} has it{hint}"
        found.append(finding("ME544", message, found=name))
    return found


def _folds(items: Sequence[Item], guesses: Sequence[str | None]) -> list[Fold]:
    counts: Counter[tuple[str, str]] = Counter()
    right: Counter[tuple[str, str]] = Counter()
    for item, guess in zip(items, guesses, strict=True):
        if item.subject is not None:
            counts[item.dataset, item.subject] += 1
            right[item.dataset, item.subject] += item.label == guess
    return [Fold(dataset, subject, count, right[dataset, subject]) for (dataset, subject), count in counts.items()]
