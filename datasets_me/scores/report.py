"""Scores as JSON and as tables, and the folder they are written to."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from datasets_me.core import artefact
from datasets_me.core.tables import write_parquet
from datasets_me.core.text import csv_cell
from datasets_me.findings.finding import Finding
from datasets_me.formats.kinds import SCORES
from datasets_me.scores.action_units import UnitScores
from datasets_me.scores.bootstrap import intervals
from datasets_me.scores.confusion import Confusion
from datasets_me.scores.ensemble import Ensemble
from datasets_me.scores.questions import QuestionScores
from datasets_me.scores.recognition import Recognition
from datasets_me.scores.spot_then_recognise import SpotThenRecognise
from datasets_me.scores.spotting import Counts, Spotting, VideoCounts


@dataclass(frozen=True)
class Report:
    """Scores for people and programs: ``about`` is what ``scores.json`` holds, ``tables`` are CSVs by name."""

    about: dict[str, Any]
    tables: dict[str, bytes]
    findings: list[Finding]

    def as_dict(self) -> dict[str, Any]:
        """``about`` and the findings."""
        return {**self.about, "findings": [finding.model_dump(exclude_none=True) for finding in self.findings]}

    def write(self, out: Path, pictures: Mapping[str, bytes], *, force: bool = False) -> None:
        """Write ``scores.json``, the tables, ``findings.parquet`` and pictures by name into a new folder.

        Raises:
            OutputError: the folder exists and may not be replaced.
            WriteError: it cannot be written.
        """
        with artefact.new_folder(out, SCORES, force=force) as new:
            new.about.update(self.about)
            for name, content in {**self.tables, **pictures}.items():
                (new.path / name).write_bytes(content)
            write_parquet(Finding, self.findings, new.path / "findings.parquet")


def of_recognition(result: Recognition) -> Report:
    """The report of predictions of annotations, by dataset."""
    about = {
        "task": "recognition",
        "label": result.label,
        "datasets": {name: figures(matrix) for name, matrix in result.groups.items()},
        "pooled": figures(result.pooled),
        "unscored": result.unscored,
        "folds": [vars(fold) for fold in result.folds],
    }
    named = {**result.groups, "pooled": result.pooled}
    return Report(about, {f"confusion_{name}.csv": _matrix(matrix) for name, matrix in named.items()}, result.findings)


def of_models(results: Mapping[str, Recognition]) -> Report:
    """The report of several models' predictions of a set's images, by split."""
    about = {
        "task": "recognition",
        "label": "label",
        "models": [
            {
                "name": name,
                "splits": {split: figures(matrix) for split, matrix in result.groups.items()},
                "pooled": figures(result.pooled),
                "intervals": intervals(result.pooled),
                "unscored": result.unscored,
            }
            for name, result in results.items()
        ],
    }
    tables = {
        f"confusion_{number}_{split}.csv": _matrix(matrix)
        for number, result in enumerate(results.values(), start=1)
        for split, matrix in {**result.groups, "pooled": result.pooled}.items()
    }
    return Report(about, tables, [finding for result in results.values() for finding in result.findings])


def of_spotting(result: Spotting) -> Report:
    """The report of spotted intervals, by dataset and type."""
    about = {"task": "spotting", **_spotted(result)}
    return Report(about, {"videos.csv": _videos(result)}, result.findings)


def of_spot_then_recognise(result: SpotThenRecognise) -> Report:
    """The report of intervals that were spotted and then recognised."""
    about = {
        "task": "spot-then-recognise",
        "label": result.label,
        "strs": result.strs,
        "analysis": {
            "precision": result.precision,
            "recall": result.recall,
            "f1": result.f1,
            "uf1": result.uf1,
            "unlabelled": result.unlabelled,
            **{name: value for name, value in figures(result.recognised).items() if name in _OF_HITS},
        },
        "spotting": _spotted(result.spotting),
    }
    tables = {"videos.csv": _videos(result.spotting), "confusion_hits.csv": _matrix(result.recognised)}
    return Report(about, tables, result.findings)


_OF_HITS = ("scored", "right", "classes", "predicted", "confusion")


def _spotted(result: Spotting) -> dict[str, Any]:
    names = list(dict.fromkeys(row.dataset for row in result.videos))
    scores = []
    for dataset in [*names, *([None] if len(names) != 1 else [])]:
        for kind in result.kinds:
            precisions = result.average_precision(kind, dataset) or {}
            scores.append(
                {
                    "dataset": dataset or "pooled",
                    "type": kind,
                    **_shares(result.counts(kind, dataset)),
                    "annotated_videos": _shares(result.counts(kind, dataset, annotated_only=True)),
                    "ap": {f"{limit:g}": value for limit, value in precisions.items()},
                    "ap_mean": fmean(precisions.values()) if precisions else None,
                    "errors": {mark: asdict(error) for mark, error in result.errors(kind, dataset).items()},
                }
            )
    return {
        "iou": result.threshold,
        "offset_missing": result.missing,
        "dropped": result.dropped,
        "scores": scores,
        "videos": [row.model_dump() for row in result.videos],
    }


def _shares(counts: Counts) -> dict[str, Any]:
    return {**vars(counts), "precision": counts.precision, "recall": counts.recall, "f1": counts.f1}


def _videos(result: Spotting) -> bytes:
    header = list(VideoCounts.model_fields)
    return _csv(header, [[getattr(row, name) for name in header] for row in result.videos])


def of_action_units(result: UnitScores) -> Report:
    """The report of action units, by dataset and unit."""
    entries = [
        {"dataset": dataset, "au": unit, **_shares(result.counts[dataset, unit])}
        for dataset in result.annotations
        for unit in result.units_of(dataset)
    ]
    about = {
        "task": "action-units",
        "datasets": {
            name: {"annotations": count, "units": len(result.units_of(name)), "mean_f1": result.mean(name)}
            for name, count in result.annotations.items()
            if result.units_of(name)
        },
        "scores": entries,
    }
    header = ["dataset", "au", "tp", "fp", "fn", "precision", "recall", "f1"]
    table = _csv(header, [[entry[name] for name in header] for entry in entries])
    return Report(about, {"units.csv": table}, result.findings)


def of_questions(result: QuestionScores) -> Report:
    """The report of answers, by kind of question."""
    entries = [
        {
            "kind": each.kind,
            "questions": each.questions,
            "bleu": each.bleu,
            "rouge1": each.rouge1,
            "rouge_l": each.rouge_l,
            **({} if each.classes is None else figures(each.classes)),
        }
        for each in result.kinds
    ]
    named = {each.kind.replace(" ", "_"): each.classes for each in result.kinds if each.classes is not None}
    tables = {f"confusion_{name}.csv": _matrix(matrix) for name, matrix in named.items()}
    return Report({"task": "questions", "kinds": entries}, tables, result.findings)


def of_ensemble(result: Ensemble) -> Report:
    """The report of an ensemble: each model alone, equal weights, the best ones, and the whole grid as a table."""
    about = {
        "task": "ensemble",
        "label": result.label,
        "metric": result.metric,
        "weightings": result.tried,
        "scores": [
            {
                "name": weighted.name,
                "weights": dict(zip(result.models, weighted.weights, strict=True)),
                "validation": figures(weighted.validation),
                "test": figures(weighted.test),
            }
            for weighted in (*result.alone, result.equal, result.best, result.plateau)
        ],
        "plateau": result.plateau_size,
    }
    grid = (
        [*(f"{weight:.6g}" for weight in weights), f"{value:.6f}"]
        for weights, value in zip(result.grid.tolist(), result.values.tolist(), strict=True)
    )
    tables = {
        "confusion_test.csv": _matrix(result.best.test),
        "weights.csv": _csv([*result.models, f"validation {result.metric}"], grid),
    }
    return Report(about, tables, result.findings)


def figures(matrix: Confusion) -> dict[str, Any]:
    """All scores computed from a confusion matrix, and the matrix."""
    return {
        "scored": matrix.total,
        "right": matrix.right,
        "accuracy": matrix.accuracy,
        "uf1": matrix.uf1,
        "uar": matrix.uar,
        "f1": matrix.f1(),
        "recall": matrix.recall(),
        "classes": list(matrix.classes),
        "predicted": list(matrix.columns),
        "confusion": matrix.counts.tolist(),
    }


def _matrix(matrix: Confusion) -> bytes:
    rows = [[name, *counts] for name, counts in zip(matrix.classes, matrix.counts.tolist(), strict=True)]
    return _csv(["label", *matrix.columns], rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV table; text that a spreadsheet would take for a formula is escaped."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([csv_cell(cell) for cell in row] for row in (header, *rows))
    return text.getvalue().encode()
