"""How well action units were recognised: F1 of each unit, per dataset, and their mean.

As reported across datasets by Varanka, Li, Peng and Zhao (Data Leakage and Evaluation Issues in Micro-Expression
Analysis, IEEE Transactions on Affective Computing 2023): a sample is an annotated expression, each unit is a binary
label, F1 = 2 TP / (2 TP + FP + FN) over all samples of a dataset, and the mean is unweighted over the units.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import joined as joined_files
from datasets_me.formats import predictions
from datasets_me.formats.joined import JoinedFolder, JoinedVideo
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.scores.spotting import Counts
from datasets_me.scores.truth import all_annotations, annotated, assign, without

THRESHOLD = 0.5
INTENSE = 1.0
"""Least intensity, of 0 to 5, of a unit that is there; for tools that give intensities alone."""

_COLUMN = re.compile(r"AU0*(\d+)(?:_[a-z]+)?", re.IGNORECASE)

Units = Mapping[int, bool]
_Key = tuple[str, str]  # dataset, annotation


@dataclass(frozen=True)
class UnitScores:
    """Counts of each unit by dataset, and the annotations that are not scored.

    ``units`` are those that are predicted and annotated somewhere. A unit that the coder doubts, or gives as one of
    several alternatives, is not counted for this annotation.
    """

    units: tuple[int, ...]
    counts: Mapping[tuple[str, int], Counts]
    annotations: Mapping[str, int]
    findings: list[Finding]

    def mean(self, dataset: str) -> float:
        """The mean F1 over the units that are annotated in a dataset."""
        return fmean(self.counts[dataset, unit].f1 for unit in self.units_of(dataset))

    def units_of(self, dataset: str) -> list[int]:
        """The units that are annotated in a dataset."""
        return [unit for unit in self.units if (counts := self.counts[dataset, unit]).tp + counts.fn]


def action_units(manifests: Sequence[Manifest], sources: Sequence[Path], *, threshold: float = THRESHOLD) -> UnitScores:
    """Score predicted action units.

    Args:
        manifests: the annotations.
        sources: CSVs or npz with columns AU1, AU2, …, one line per annotation; or folders of ``me-datasets join``, in
            which a unit is there if it reaches the threshold in any frame from onset to offset.
        threshold: the least value of a unit that is there.

    Raises:
        MeDatasetsError: a source cannot be read, has no action units, or nothing can be scored.
    """
    rows = all_annotations(manifests)
    predicted: dict[_Key, Units] = {}
    findings: list[Finding] = []
    for path in sources:
        if path.is_dir():
            predicted |= _of_folder(joined_files.read(path), rows, threshold)
        else:
            more, problems = _of_file(path, manifests, rows, threshold)
            predicted |= more
            findings += problems
    known = {unit for units in predicted.values() for unit in units}
    scored: list[tuple[Annotation, Units]] = []
    for row in rows:
        units = predicted.get((row.dataset, row.id))
        if not row.aus:
            findings.append(without(row, "ME545", f"{row.id} has no action units; it is not scored"))
            continue
        if units is None:
            findings.append(without(row, "ME543", f"{row.id} has no prediction; all of its units count as missed"))
        scored.append((row, units or {}))
    occurring = {unit.au for row, _ in scored for unit in row.aus}
    if not known & occurring:
        raise MeDatasetsError(
            "no action unit is both annotated and predicted",
            fix="name the columns AU1, AU2, … or give a folder of me-datasets join",
        )
    chosen = tuple(sorted(occurring))
    for unit in sorted(occurring - known):
        count = sum(any(each.au == unit for each in row.aus) for row, _ in scored)
        message = (
            f"AU{unit} is annotated in {plural(count, 'expression')}, and nothing predicts it; it counts as missed"
        )
        findings.append(finding("ME543", message))
    datasets = list(dict.fromkeys(row.dataset for row, _ in scored))
    counts = {
        (dataset, unit): _counts([pair for pair in scored if pair[0].dataset == dataset], unit)
        for dataset in datasets
        for unit in chosen
    }
    return UnitScores(chosen, counts, {name: sum(r.dataset == name for r, _ in scored) for name in datasets}, findings)


def _counts(scored: Sequence[tuple[Annotation, Units]], unit: int) -> Counts:
    tp = fp = fn = 0
    for row, units in scored:
        here = [each for each in row.aus if each.au == unit]
        if any(each.uncertain or each.alternative is not None for each in here):
            continue
        there, predicted = bool(here), units.get(unit, False)
        tp += there and predicted
        fp += predicted and not there
        fn += there and not predicted
    return Counts(tp, fp, fn)


def _of_file(
    path: Path, manifests: Sequence[Manifest], rows: Sequence[Annotation], threshold: float
) -> tuple[dict[_Key, Units], list[Finding]]:
    file = predictions.read(path)
    columns = {name: int(match[1]) for name in file.columns if (match := _COLUMN.fullmatch(name))}
    if not columns:
        raise MeDatasetsError("there is no column of an action unit", where=str(path), fix="name them AU1, AU2, …")
    chosen, findings = assign([file], annotated(manifests))
    predicted: dict[_Key, Units] = {}
    for position, (_, number) in chosen.items():
        cells = file.rows[number]
        values = {name: _value(cells[name]) for name in columns}
        unread = ", ".join(f"{name} '{cells[name]}'" for name, value in values.items() if math.isnan(value))
        if unread:
            message = f"not numbers: {unread}; taken as not there"
            findings.append(finding("ME546", message, place=file.place(number), video=rows[position].video))
        units = {unit: values[name] >= threshold for name, unit in columns.items()}
        predicted[rows[position].dataset, rows[position].id] = units
    return predicted, findings


def _value(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _of_folder(folder: JoinedFolder, rows: Sequence[Annotation], threshold: float) -> dict[_Key, Units]:
    predicted: dict[_Key, Units] = {}
    for video in folder.rows:
        units, values, least = _activity(folder, video, threshold)
        for row in rows:
            if (row.dataset, row.video) != (video.dataset, video.video) or video.expression not in (
                None,
                row.expression,
            ):
                continue
            if row.onset is None or (row.offset is None and row.apex is None):
                continue
            last = row.offset if row.offset is not None else row.apex or row.onset
            part = values[max(0, row.onset - video.start) : last - video.start + 1]
            strongest = np.nanmax(np.where(np.isfinite(part), part, -np.inf), axis=0, initial=-np.inf)
            predicted[row.dataset, row.id] = dict(zip(units, (strongest >= least).tolist(), strict=True))
    return predicted


def _activity(folder: JoinedFolder, video: JoinedVideo, threshold: float) -> tuple[list[int], np.ndarray, float]:
    """The units of a video, their values (T, A), and the least value of a unit that is there."""
    arrays = folder.arrays(video)
    if "au" in arrays:
        return video.au, arrays["au"], threshold
    if "intensity" in arrays:
        return video.intensity, arrays["intensity"], INTENSE
    raise MeDatasetsError(f"the table of {video.name} has no action units", where=str(folder.folder))
