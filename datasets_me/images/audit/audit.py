"""Third-party predictions against the labels of a set: a state for every image, tables that add up, doubtful labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from datasets_me.core.errors import MeDatasetsError, Place, plural
from datasets_me.core.text import fold
from datasets_me.findings.finding import Finding, finding
from datasets_me.images.audit.confident import confident
from datasets_me.images.audit.entries import Entry
from datasets_me.images.audit.matching import Names
from datasets_me.images.audit.records import AuditRow
from datasets_me.schema.images import ImageSpec
from datasets_me.schema.predictions import PredictionSpec

UNLABELLED = "(no label)"


class Classes:
    """Their classes in the set's words: by the maps the user gave, then by the form's spellings, then by the set's.

    A class that the set lacks keeps its own name. A map to nothing drops a class: its score is left out, and a label
    of it counts as not recognised.
    """

    def __init__(self, images: ImageSpec, form: PredictionSpec, maps: Mapping[str, str] | None = None) -> None:
        self._images, self._form = images, form
        self._maps = {fold(name): target for name, target in (maps or {}).items()}
        self._known: dict[str, str | None] = {}  # the same few words stand in every entry
        for name, target in self._maps.items():
            if target and images.label_of(target) is None:
                known = ", ".join(images.labels)
                raise MeDatasetsError(
                    f"'{target}', to which {name} is mapped, is no label of the set", fix=f"it has: {known}"
                )

    def known(self, text: str) -> bool:
        """Whether a text names a class."""
        return fold(text) in self._maps or (self._form.label_of(text) or self._images.label_of(text)) is not None

    def of(self, text: str) -> str | None:
        """The set's label, their own word where the set has none, or None for a class that is dropped."""
        if text not in self._known:
            self._known[text] = self._look_up(text)
        return self._known[text]

    def _look_up(self, text: str) -> str | None:
        theirs = self._form.label_of(text) or text
        for name in (text, theirs):
            if fold(name) in self._maps:
                return self._images.label_of(self._maps[fold(name)])
        return self._images.label_of(theirs) or self._images.label_of(text) or theirs

    def merged(self, scores: Mapping[str, float]) -> dict[str, float]:
        """Scores by the set's labels, those of one label summed, as shares of the whole; none if all are 0."""
        merged: dict[str, float] = {}
        for name, score in scores.items():
            label = self.of(name)
            if label is not None:
                merged[label] = merged.get(label, 0.0) + score
        total = sum(merged.values())
        return {name: score / total for name, score in merged.items()} if total > 0 else {}


@dataclass(frozen=True)
class Audit:
    """What :func:`audit` found: a row per image, in order, and the findings."""

    rows: list[AuditRow]
    findings: list[Finding]

    def by_class(self) -> dict[str, Counter[str]]:
        """How many images of each label have which state; every image is counted once."""
        counts: dict[str, Counter[str]] = {}
        for row in self.rows:
            counts.setdefault(row.label or UNLABELLED, Counter())[row.state] += 1
        return dict(sorted(counts.items(), key=lambda item: (item[0] == UNLABELLED, item[0])))

    def confusion(self) -> tuple[list[str], list[str], list[list[int]]]:
        """Labels, predicted classes, and how many images have both; those that were recognised.

        Read by row it says what became of a label, by column what a prediction is worth.
        """
        counts = Counter((row.label or UNLABELLED, row.predicted) for row in self.rows if row.predicted is not None)
        labels = list(self.by_class())
        foreign = sorted({str(name) for _, name in counts} - set(labels))
        columns = [name for name in labels if name != UNLABELLED] + foreign
        return labels, columns, [[counts[label, name] for name in columns] for label in labels]


def audit(
    images: Sequence[tuple[str, str, str | None]], entries: Sequence[Entry], classes: Classes, source: str
) -> Audit:
    """Compare predictions with labels.

    Args:
        images: (dataset, id, label) of every image of the set.
        entries: what was predicted.
        classes: what the words of the predictions mean.
        source: the name of the file of predictions, for findings.

    Findings: ME720 no such image, ME721 several images it may mean, ME722 a second prediction (the first counts),
    ME723 a label that is likely wrong, ME726 a class that the set lacks.
    """
    names, found = Names(name for _, name, _ in images), list[Finding]()
    said: dict[int, Entry] = {}
    for entry in entries:
        place = Place(source, None, entry.number)
        fits = names.find(entry.image)
        if not fits:
            found.append(finding("ME720", f"no image is called '{entry.image}'", place=place, path=entry.image))
        elif len(fits) > 1:
            examples = ", ".join(images[position][1] for position in fits[:3])
            message = f"'{entry.image}' may be any of {len(fits)} images: {examples}"
            found.append(finding("ME721", message, place=place, path=entry.image))
        elif fits[0] in said:
            message = f"predicted before, by entry {said[fits[0]].number}; that one counts"
            found.append(finding("ME722", message, place=place, path=images[fits[0]][1]))
        else:
            said[fits[0]] = entry
    shares = {position: classes.merged(entry.scores) for position, entry in said.items()}
    rows = [_row(image, said.get(position), shares.get(position, {}), classes) for position, image in enumerate(images)]
    lacking = Counter(row.predicted for row in rows if row.predicted is not None)
    labels = {label for _, _, label in images}
    for name, count in sorted(lacking.items()):
        if name not in labels:
            message = f"'{name}' was predicted for {plural(count, 'image')}, and no image has that label"
            found.append(finding("ME726", message, place=Place(source), found=name))
    rows = _ranked(rows, shares)
    found += [
        finding(
            "ME723",
            f"labelled {row.label}, looks like {row.suggested} (rank {row.rank})",
            path=row.id,
            expected=row.label,
            found=row.suggested,
        )
        for row in sorted((row for row in rows if row.likely_error), key=lambda row: row.rank or 0)
    ]
    return Audit(rows, found)


def check_sums(made: Audit) -> None:
    """The tables add up to the number of images: states by class, and the confusion to what was recognised.

    Raises:
        MeDatasetsError: they do not, which is a fault of this program.
    """
    total = sum(count for counts in made.by_class().values() for count in counts.values())
    recognised = sum(row.state in ("agree", "disagree") for row in made.rows)
    if total != len(made.rows) or sum(map(sum, made.confusion()[2])) != recognised:
        raise MeDatasetsError("the tables of the audit do not add up", fix="please report this")


def _row(
    image: tuple[str, str, str | None], entry: Entry | None, shares: Mapping[str, float], classes: Classes
) -> AuditRow:
    dataset, name, label = image
    if entry is None:
        return AuditRow(id=name, dataset=dataset, label=label, state="unsubmitted")
    raw = entry.label
    predicted = None if raw is None else classes.of(raw)
    if predicted is None and shares:
        predicted = max(shares, key=lambda key: shares[key])
        raw = raw or max(entry.scores, key=lambda key: entry.scores[key])
    if predicted is None:
        return AuditRow(id=name, dataset=dataset, label=label, predicted_raw=raw, state="unrecognised")
    own = shares.get(label or "", 0.0) if shares and label else None
    best = max((share for key, share in shares.items() if key != label), default=0.0)
    return AuditRow(
        id=name,
        dataset=dataset,
        label=label,
        predicted=predicted,
        predicted_raw=raw,
        state="agree" if predicted == label else "disagree",
        confidence=shares.get(predicted) if shares else None,
        label_score=own,
        margin=None if own is None else own - best,
    )


def _ranked(rows: list[AuditRow], shares: Mapping[int, Mapping[str, float]]) -> list[AuditRow]:
    """The rows, with what confident learning says of those that have a label and scores."""
    chosen = [i for i, row in enumerate(rows) if row.label and row.predicted is not None and shares.get(i)]
    if not chosen:
        return rows
    names = sorted({name for i in chosen for name in (rows[i].label or "", *shares[i])})
    at = {name: j for j, name in enumerate(names)}
    scores = np.zeros((len(chosen), len(names)))
    for line, i in enumerate(chosen):
        for name, share in shares[i].items():
            scores[line, at[name]] = share
    made = confident(scores, np.array([at[rows[i].label or ""] for i in chosen], np.int64))
    wrong = [line for line in np.argsort(made.margin, kind="stable").tolist() if made.likely[line]]
    ranks = {line: rank for rank, line in enumerate(wrong, start=1)}
    out = list(rows)
    for line, rank in ranks.items():
        update = {"likely_error": True, "suggested": names[made.suggested[line]], "rank": rank}
        out[chosen[line]] = rows[chosen[line]].model_copy(update=update)
    return out
