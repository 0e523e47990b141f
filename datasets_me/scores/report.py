"""What scores say, as JSON and as tables, and the folder they are written to."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets_me.core import artefact
from datasets_me.core.tables import write_parquet
from datasets_me.core.text import csv_cell
from datasets_me.findings.finding import Finding
from datasets_me.formats.kinds import SCORES
from datasets_me.scores.bootstrap import intervals
from datasets_me.scores.confusion import Confusion
from datasets_me.scores.ensemble import Ensemble
from datasets_me.scores.recognition import Recognition
from datasets_me.scores.spotting import Spotting, VideoCounts


@dataclass(frozen=True)
class Report:
    """Scores for people and programs: ``about`` is what ``scores.json`` holds, ``tables`` are CSVs by name."""

    about: dict[str, Any]
    tables: dict[str, bytes]
    findings: list[Finding]

    def as_dict(self) -> dict[str, Any]:
        """``about`` with the findings."""
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


def of_recognition(found: Recognition) -> Report:
    """The report of predictions of annotations, by dataset."""
    about = {
        "task": "recognition",
        "label": found.label,
        "datasets": {name: figures(matrix) for name, matrix in found.groups.items()},
        "pooled": figures(found.pooled),
        "unscored": found.unscored,
        "folds": [vars(fold) for fold in found.folds],
    }
    named = {**found.groups, "pooled": found.pooled}
    return Report(about, {f"confusion_{name}.csv": _matrix(matrix) for name, matrix in named.items()}, found.findings)


def of_models(found: Mapping[str, Recognition]) -> Report:
    """The report of several models' predictions of a set's images, by split."""
    about = {
        "task": "recognition",
        "label": "label",
        "models": [
            {
                "name": name,
                "splits": {split: figures(matrix) for split, matrix in each.groups.items()},
                "pooled": figures(each.pooled),
                "intervals": intervals(each.pooled),
                "unscored": each.unscored,
            }
            for name, each in found.items()
        ],
    }
    tables = {
        f"confusion_{number}_{split}.csv": _matrix(matrix)
        for number, each in enumerate(found.values(), start=1)
        for split, matrix in {**each.groups, "pooled": each.pooled}.items()
    }
    return Report(about, tables, [finding for each in found.values() for finding in each.findings])


def of_spotting(found: Spotting) -> Report:
    """The report of spotted intervals, by dataset and type."""
    names = list(dict.fromkeys(row.dataset for row in found.videos))
    scores = []
    for dataset in [*names, *([None] if len(names) != 1 else [])]:
        for kind in found.kinds:
            counts = found.counts(kind, dataset)
            shares = {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1}
            scores.append({"dataset": dataset or "pooled", "type": kind, **vars(counts), **shares})
    about = {
        "task": "spotting",
        "iou": found.threshold,
        "offset_missing": found.missing,
        "dropped": found.dropped,
        "scores": scores,
        "videos": [row.model_dump() for row in found.videos],
    }
    header = list(VideoCounts.model_fields)
    rows = [[getattr(row, name) for name in header] for row in found.videos]
    return Report(about, {"videos.csv": _csv(header, rows)}, found.findings)


def of_ensemble(found: Ensemble) -> Report:
    """The report of an ensemble: each model alone, equal weights, the best ones, and the whole grid as a table."""
    about = {
        "task": "ensemble",
        "label": found.label,
        "metric": found.metric,
        "weightings": found.tried,
        "scores": [
            {
                "name": made.name,
                "weights": dict(zip(found.models, made.weights, strict=True)),
                "validation": figures(made.validation),
                "test": figures(made.test),
            }
            for made in (*found.alone, found.equal, found.best, found.plateau)
        ],
        "plateau": found.plateau_size,
    }
    grid = (
        [*(f"{weight:.6g}" for weight in weights), f"{value:.6f}"]
        for weights, value in zip(found.grid.tolist(), found.values.tolist(), strict=True)
    )
    tables = {
        "confusion_test.csv": _matrix(found.best.test),
        "weights.csv": _csv([*found.models, f"validation {found.metric}"], grid),
    }
    return Report(about, tables, found.findings)


def figures(matrix: Confusion) -> dict[str, Any]:
    """Everything that is computed from a confusion matrix, and the matrix."""
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
    """A table for people: a text that a spreadsheet would take for a formula is marked as text."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([csv_cell(cell) for cell in row] for row in (header, *rows))
    return text.getvalue().encode()
