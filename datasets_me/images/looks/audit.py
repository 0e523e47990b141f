"""Third-party predictions against the labels of a set: a state for every image, tables that add up, doubtful labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets_me.core.errors import MeDatasetsError, Place, plural
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import image_entries
from datasets_me.formats.image_classes import Classes
from datasets_me.formats.image_entries import Entry
from datasets_me.formats.image_names import Names, copies_of
from datasets_me.formats.image_records import UNLABELLED, AuditRow, ImageRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.formats.image_tables import refuse_table, write_table
from datasets_me.images.looks.confident import confident
from datasets_me.schema.predictions import PredictionSpec


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
    images: Iterable[ImageRow],
    entries: Sequence[Entry],
    classes: Classes,
    source: str,
    copies: Mapping[str, Sequence[str]] | None = None,
) -> Audit:
    """Compare predictions with labels.

    Args:
        images: every image of the set.
        entries: what was predicted.
        classes: what the words of the predictions mean.
        source: the name of the file of predictions, for findings.
        copies: what copies of the images are called, by id.

    Findings: ME720 no such image, ME721 several images it may mean, ME722 a second prediction (the first counts),
    ME723 a label that is likely wrong, ME726 a class that the set lacks, ME738 a word with two meanings.
    """
    names, unsent = Names(copies=copies), list[AuditRow]()
    for image in images:
        names.add(image)
        unsent.append(AuditRow(id=image.id, dataset=image.dataset, label=image.label, state="unsubmitted"))
    predicted, findings = _matched(entries, names, unsent, source)
    shares = {position: classes.merged(entry.scores) for position, entry in predicted.items()}
    rows = [
        _row(row, predicted[position], shares[position], classes) if position in predicted else row
        for position, row in enumerate(unsent)
    ]
    findings += classes.findings()
    lacking = Counter(row.predicted for row in rows if row.predicted is not None)
    labels = {row.label for row in rows}
    for name, count in sorted(lacking.items()):
        if name not in labels:
            message = f"'{name}' was predicted for {plural(count, 'image')}, and no image has that label"
            findings.append(finding("ME726", message, place=Place(source), found=name))
    rows = _ranked(rows, shares)
    findings += [
        finding(
            "ME723",
            f"labelled {row.label}, looks like {row.suggested} (rank {row.rank})",
            path=row.id,
            expected=row.label,
            found=row.suggested,
        )
        for row in sorted((row for row in rows if row.likely_error), key=lambda row: row.rank or 0)
    ]
    return Audit(rows, findings)


def check_sums(result: Audit) -> None:
    """The tables add up to the number of images: states by class, and the confusion to what was recognised.

    Raises:
        MeDatasetsError: they do not, which is a fault of this program.
    """
    total = sum(count for counts in result.by_class().values() for count in counts.values())
    recognised = sum(row.state in ("agree", "disagree") for row in result.rows)
    if total != len(result.rows) or sum(map(sum, result.confusion()[2])) != recognised:
        raise MeDatasetsError("the tables of the audit do not add up", fix="please report this")


def write_audit(
    images: ImageSet,
    predictions: Path,
    form: PredictionSpec,
    maps: Mapping[str, str],
    *,
    copies: Sequence[Path] = (),
    out: Path | None = None,
    force: bool = False,
) -> tuple[Path, Audit]:
    """``audit.parquet``: what a file of predictions says of each image. Returns its path and the audit.

    Args:
        form: what the file looks like.
        maps: the user's classes of theirs, each with a label of the set, or with nothing.
        copies: folders that were made from the set, whose files the predictions may name.

    Findings: those of `audit` and of `formats.image_entries.read`.

    Raises:
        MeDatasetsError: the predictions cannot be read, a map names no label, or the table exists already.
    """
    refuse_table((out or images.folder) / "audit.parquet", force)
    classes = Classes(images.spec, form, maps)
    entries, unread = image_entries.read(predictions, form, classes)
    result = audit(images.rows(pixels=False), entries, classes, predictions.name, copies_of(images, copies))
    check_sums(result)
    result = Audit(result.rows, [*unread, *result.findings])
    options = {"predictions": predictions.name, "form": form.id, "maps": sorted(f"{a}={b}" for a, b in maps.items())}
    path = write_table(images, "audit", AuditRow, result.rows, result.findings, out=out, options=options, force=force)
    return path, result


def _matched(
    entries: Sequence[Entry], names: Names, rows: Sequence[AuditRow], source: str
) -> tuple[dict[int, Entry], list[Finding]]:
    """The entry of each image that has one, by its position."""
    predicted: dict[int, Entry] = {}
    findings: list[Finding] = []
    for entry in entries:
        place = Place(source, None, entry.number)
        fits = names.find(entry.image)
        if not fits:
            findings.append(finding("ME720", f"no image is called '{entry.image}'", place=place, path=entry.image))
        elif len(fits) > 1:
            examples = ", ".join(rows[position].id for position in fits[:3])
            message = f"'{entry.image}' may be any of {len(fits)} images: {examples}"
            findings.append(finding("ME721", message, place=place, path=entry.image))
        elif fits[0] in predicted:
            message = f"predicted before, by entry {predicted[fits[0]].number}; that one counts"
            findings.append(finding("ME722", message, place=place, path=rows[fits[0]].id))
        else:
            predicted[fits[0]] = entry
    return predicted, findings


def _row(unsent: AuditRow, entry: Entry, shares: Mapping[str, float], classes: Classes) -> AuditRow:
    label, raw = unsent.label, entry.label
    predicted = None if raw is None else classes.of(raw)
    if predicted is None and shares:
        predicted = max(shares, key=lambda key: shares[key])
        raw = raw or max(entry.scores, key=lambda key: entry.scores[key])
    if predicted is None:
        return unsent.model_copy(update={"predicted_raw": raw, "state": "unrecognised"})
    of_label = shares.get(label or "", 0.0) if shares and label else None
    best = max((share for key, share in shares.items() if key != label), default=0.0)
    return unsent.model_copy(
        update={
            "predicted": predicted,
            "predicted_raw": raw,
            "state": "agree" if predicted == label else "disagree",
            "confidence": shares.get(predicted) if shares else None,
            "label_score": of_label,
            "margin": None if of_label is None else of_label - best,
        }
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
    learned = confident(scores, np.array([at[rows[i].label or ""] for i in chosen], np.int64))
    wrong = [line for line in np.argsort(learned.margin, kind="stable").tolist() if learned.likely[line]]
    ranks = {line: rank for rank, line in enumerate(wrong, start=1)}
    out = list(rows)
    for line, rank in ranks.items():
        update = {"likely_error": True, "suggested": names[learned.suggested[line]], "rank": rank}
        out[chosen[line]] = rows[chosen[line]].model_copy(update=update)
    return out
