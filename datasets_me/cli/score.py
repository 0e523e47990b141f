"""``me-datasets score``: predictions against a manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.text import csv_cell

if TYPE_CHECKING:
    from datasets_me.findings.finding import Finding
    from datasets_me.formats.manifest import Manifest
    from datasets_me.scores.confusion import Confusion
    from datasets_me.scores.matching import OfSplit
    from datasets_me.scores.predictions import Predictions

app = typer.Typer(help="Score predictions against a manifest.", no_args_is_help=True)

MANIFESTS = typer.Argument(help="Manifest folders; several datasets are pooled.")
PREDICTIONS = typer.Option(..., "-p", "--predictions", help="A CSV or npz of predictions; once per fold.")
MODELS = typer.Option(..., "-p", "--predictions", help="An npz of one model's scores; once per model.")
OUT = typer.Option(None, "-o", "--out", help="Also write a folder: scores.json, tables, findings.parquet, the picture.")


class Label(StrEnum):
    """Which column of the manifest is predicted."""

    emotion = "emotion"
    class_3 = "class_3"
    class_5 = "class_5"


class Type(StrEnum):
    """Which annotations are scored."""

    micro = "micro"
    macro = "macro"


class Metric(StrEnum):
    """What the weights of an ensemble maximise on validation."""

    uf1 = "uf1"
    uar = "uar"
    accuracy = "accuracy"


SPLIT = typer.Option(None, "--split", help="Only what a split tests, in any fold: made by 'me-datasets split'.")
LABEL = typer.Option(Label.emotion, "--label", help="The label that is predicted.")


@app.callback()
def _group() -> None:
    """Score predictions against a manifest."""


@app.command("recognition")
def recognition(
    manifests: list[Path] = MANIFESTS,
    predictions: list[Path] = PREDICTIONS,
    label: Label = LABEL,
    kind: Type = typer.Option(None, "--type", help="Only annotations of this type."),
    classes: str = typer.Option("", "--classes", help="What class numbers 0, 1, … stand for: negative,positive."),
    split: Path = SPLIT,
    out: Path = OUT,
    as_json: bool = arguments.JSON,
    force: bool = arguments.FORCE,
) -> None:
    """Accuracy, UF1, UAR and the confusion matrix, per dataset and over all folds together (MEGC 2019).

    An annotation without a prediction counts as wrong. Exit code 0: no errors among the findings. 1: there are some.
    """
    from datasets_me.scores import recognition as stage

    names = [name.strip() for name in classes.split(",") if name.strip()]
    found = stage.recognition(
        _manifests(manifests),
        _files(predictions),
        label=label.value,
        kind=kind.value if kind else None,
        classes=names,
        tested=_tested(split),
    )
    entries = {name: _figures(matrix) for name, matrix in found.datasets.items()}
    about: dict[str, Any] = {
        "task": "recognition",
        "label": label.value,
        "datasets": entries,
        "pooled": _figures(found.pooled),
        "unscored": found.unscored,
        "folds": [vars(fold) for fold in found.folds],
    }
    if out:
        from datasets_me.cards.confusion_plot import png

        named = {**found.datasets, "pooled": found.pooled}
        files = {f"confusion_{name}.csv": _matrix_csv(matrix) for name, matrix in named.items()}
        files["confusion.png"] = png(found.pooled, f"{label.value}, {', '.join(found.datasets)}")
        _write(out, about, files, found.findings, force)
    if as_json:
        _print_json(about, found.findings)
    else:
        table = show.table(None, "dataset", "scored", "right", "accuracy", "UF1", "UAR", right=_NUMBERS)
        for name, entry in {**entries, **({"pooled": about["pooled"]} if len(entries) > 1 else {})}.items():
            table.add_row(name, *_row(entry))
        show.console().print(table)
        show.console().print(_matrix(found.pooled))
        _print_findings(found.findings)
    _leave(found.findings)


@app.command("spotting")
def spotting(
    manifests: list[Path] = MANIFESTS,
    predictions: list[Path] = PREDICTIONS,
    missing: str = typer.Option(
        "mirror", "--offset-missing", help="How a missing offset is read: mirror (2·apex − onset), apex, fixed:N, drop."
    ),
    split: Path = SPLIT,
    iou: float = typer.Option(0.5, "--iou", min=0.01, max=1.0, help="The least intersection over union of a hit."),
    out: Path = OUT,
    as_json: bool = arguments.JSON,
    force: bool = arguments.FORCE,
) -> None:
    """Precision, recall and F1 of spotted intervals: micro, macro, overall (MEGC 2020, 2021).

    Exit code 0: no errors among the findings. 1: there are some. 2: could not run.
    """
    from datasets_me.scores import spotting as stage

    found = stage.spotting(
        _manifests(manifests),
        _files(predictions, ["video", "onset", "offset"]),
        missing=missing,
        threshold=iou,
        tested=_tested(split),
    )
    names = list(dict.fromkeys(row.dataset for row in found.videos))
    kinds = ["overall"] if {row.type for row in found.videos} <= {"overall"} else [*stage.TYPES, "overall"]
    entries = []
    for dataset in [*names, *([None] if len(names) > 1 else [])]:
        for kind in kinds:
            counts = found.counts(kind, dataset)
            figures = {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1}
            entries.append({"dataset": dataset or "pooled", "type": kind, **vars(counts), **figures})
    about = {
        "task": "spotting",
        "iou": iou,
        "offset_missing": missing,
        "dropped": found.dropped,
        "scores": entries,
        "videos": [row.model_dump() for row in found.videos],
    }
    if out:
        header = list(stage.VideoCounts.model_fields)
        rows = [[getattr(row, name) for name in header] for row in found.videos]
        _write(out, about, {"videos.csv": _csv(header, rows)}, found.findings, force)
    if as_json:
        _print_json(about, found.findings)
    else:
        columns = ("TP", "FP", "FN", "precision", "recall", "F1")
        table = show.table(None, "dataset", "type", *columns, right=columns)
        for entry in entries:
            numbers = (str(entry[name]) for name in ("tp", "fp", "fn"))
            shares = (f"{entry[name]:.4f}" for name in ("precision", "recall", "f1"))
            table.add_row(str(entry["dataset"]), str(entry["type"]), *numbers, *shares)
        show.console().print(table)
        show.console().print(
            f"annotations left out: {found.dropped}; missing offsets read as {missing}; IoU >= {iou:g}"
        )
        _print_findings(found.findings)
    _leave(found.findings)


@app.command("ensemble")
def ensemble(
    manifests: list[Path] = MANIFESTS,
    predictions: list[Path] = MODELS,
    label: Label = LABEL,
    metric: Metric = typer.Option(Metric.uf1, "--metric", help="What is maximised on validation."),
    step: float = typer.Option(0.05, "--step", help="Distance of neighbouring weights on the grid."),
    out: Path = OUT,
    as_json: bool = arguments.JSON,
    force: bool = arguments.FORCE,
) -> None:
    """The best weights of several models on validation, and what they give on test.

    Exit code 0: no errors among the findings. 1: there are some. 2: could not run.
    """
    from datasets_me.scores import ensemble as stage

    with show.progress("weightings") as update:
        found = stage.ensemble(
            _manifests(manifests),
            _files(predictions),
            label=label.value,
            metric=metric.value,
            step=step,
            progress=update,
        )
    entries = [
        {
            "name": made.name,
            "weights": dict(zip(found.models, made.weights, strict=True)),
            "validation": _figures(made.validation),
            "test": _figures(made.test),
        }
        for made in (*found.alone, found.equal, found.best)
    ]
    about = {
        "task": "ensemble",
        "label": label.value,
        "metric": metric.value,
        "weightings": found.tried,
        "scores": entries,
    }
    if out:
        _write(out, about, {"confusion_test.csv": _matrix_csv(found.best.test)}, found.findings, force)
    if as_json:
        _print_json(about, found.findings)
    else:
        columns = [f"{part} {name}" for part in ("validation", "test") for name in ("acc.", "UF1", "UAR")]
        table = show.table(None, "model", "weights", *columns, right=columns)
        for made in (*found.alone, found.equal, found.best):
            weights = " ".join(f"{weight:.3g}" for weight in made.weights)
            shares = [f"{v:.4f}" for c in (made.validation, made.test) for v in (c.accuracy, c.uf1, c.uar)]
            table.add_row(made.name, weights, *shares)
        show.console().print(table)
        counts = f"{found.best.validation.total} validation and {found.best.test.total} test annotations"
        show.console().print(
            f"{found.tried:,} weightings tried on {counts}; chosen by {metric.value} on validation only"
        )
        _print_findings(found.findings)
    _leave(found.findings)


_NUMBERS = ("scored", "right", "accuracy", "UF1", "UAR")


def _manifests(folders: Sequence[Path]) -> list[Manifest]:
    from datasets_me.formats import manifest

    return [manifest.read(folder) for folder in folders]


def _files(paths: Sequence[Path], needs: Sequence[str] = ()) -> list[Predictions]:
    from datasets_me.scores import predictions

    return [predictions.read(path, needs) for path in paths]


def _tested(split: Path | None) -> OfSplit | None:
    if split is None:
        return None
    from datasets_me.formats import split as split_files
    from datasets_me.scores.matching import OfSplit

    return OfSplit(split_files.read(split).rows)


def _figures(matrix: Confusion) -> dict[str, Any]:
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


def _row(entry: dict[str, Any]) -> list[str]:
    return [str(entry["scored"]), str(entry["right"]), *(f"{entry[name]:.4f}" for name in ("accuracy", "uf1", "uar"))]


def _matrix(matrix: Confusion) -> Any:
    table = show.table("\nLabel (rows) and prediction", "", *matrix.columns, "F1", "recall", right=matrix.columns)
    f1, recall = matrix.f1(), matrix.recall()
    for name, counts in zip(matrix.classes, matrix.counts.tolist(), strict=True):
        shares = [f"{values[name]:.4f}" if name in values else "-" for values in (f1, recall)]
        table.add_row(name, *map(str, counts), *shares)
    return table


def _csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """A table for people: a text that a spreadsheet would take for a formula is marked as text."""
    import csv
    import io

    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([csv_cell(cell) for cell in row] for row in (header, *rows))
    return text.getvalue().encode()


def _matrix_csv(matrix: Confusion) -> bytes:
    rows = [[name, *counts] for name, counts in zip(matrix.classes, matrix.counts.tolist(), strict=True)]
    return _csv(["label", *matrix.columns], rows)


def _write(out: Path, about: dict[str, Any], files: dict[str, bytes], found: Sequence[Finding], force: bool) -> None:
    from datasets_me.core.files import marked_folder
    from datasets_me.core.tables import write_parquet
    from datasets_me.findings.finding import Finding

    with marked_folder(out, "scores", force=force) as folder:
        (folder / "scores.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        for name, content in files.items():
            (folder / name).write_bytes(content)
        write_parquet(Finding, found, folder / "findings.parquet")
    show.echo(f"written to {out}", err=True)


def _print_json(about: dict[str, Any], found: Sequence[Finding]) -> None:
    findings = [finding.model_dump(exclude_none=True) for finding in found]
    show.echo_json({**about, "findings": findings})


def _print_findings(found: Sequence[Finding]) -> None:
    from datasets_me.findings.summary import by_code

    if found:
        show.console().print()
        show.console().print(show.findings_by_code(by_code(found)))


def _leave(found: Sequence[Finding]) -> None:
    raise typer.Exit(1 if any(finding.severity == "error" for finding in found) else 0)
