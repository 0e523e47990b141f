"""``me-datasets score``: predictions against a manifest, or a set of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import arguments, show

if TYPE_CHECKING:
    from datasets_me.findings.finding import Finding
    from datasets_me.formats.predictions import Predictions
    from datasets_me.scores.confusion import Confusion
    from datasets_me.scores.recognition import Recognition
    from datasets_me.scores.report import Report
    from datasets_me.scores.truth import Truth

app = typer.Typer(help="Score predictions against a manifest, or a set of images.", no_args_is_help=True)

MANIFESTS = typer.Argument(help="Manifest folders; several datasets are pooled.")
TRUTH = typer.Argument(help="Manifest folders, of which several are pooled; or one set of images.")
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
    """Score predictions against a manifest, or a set of images."""


@app.command("recognition")
def recognition(
    folders: list[Path] = TRUTH,
    predictions: list[Path] = typer.Option(
        ..., "-p", "--predictions", help="A CSV or npz of predictions: once per fold; for images once per model."
    ),
    label: Label = LABEL,
    kind: Type = typer.Option(None, "--type", help="Only annotations of this type."),
    classes: str = typer.Option("", "--classes", help="What class numbers 0, 1, … stand for: negative,positive."),
    split: Path = SPLIT,
    copies: list[Path] = arguments.COPIES,
    out: Path = OUT,
    as_json: bool = arguments.JSON,
    force: bool = arguments.FORCE,
) -> None:
    """Accuracy, UF1, UAR and the confusion matrix, per dataset and over all folds together (MEGC 2019).

    Of a set of images per model and split. What has no prediction counts as wrong, but for splits of images none of
    which is predicted. Exit code 0: no errors among the findings. 1: there are some.
    """
    from datasets_me.cards import confusion_plot
    from datasets_me.scores import recognition as stage
    from datasets_me.scores import report
    from datasets_me.scores.truth import truth_of

    names = [name.strip() for name in classes.split(",") if name.strip()]
    truth = truth_of(folders, label.value, kind=kind.value if kind else None, split=split, copies=copies)
    files = _files(predictions, truth)
    if truth.noun == "image":
        models = stage.by_model(truth, files, classes=names)
        _finish(
            report.of_models(models),
            [_models_table({name: {**each.groups, "pooled": each.pooled} for name, each in models.items()})]
            + [_intervals(models)]
            + [_matrix(each.pooled, f"{name}: label (rows) and prediction") for name, each in models.items()],
            {
                f"confusion_{number}.png": partial(confusion_plot.png, each.pooled, name)
                for number, (name, each) in enumerate(models.items(), start=1)
            },
            out,
            as_json=as_json,
            force=force,
        )
    found = stage.recognition(truth, files, classes=names)
    table = _table("dataset")
    for name, matrix in {**found.groups, **({"pooled": found.pooled} if len(found.groups) > 1 else {})}.items():
        table.add_row(name, *_row(matrix))
    _finish(
        report.of_recognition(found),
        [table, _matrix(found.pooled, "Label (rows) and prediction")],
        {"confusion.png": partial(confusion_plot.png, found.pooled, f"{found.label}, {', '.join(found.groups)}")},
        out,
        as_json=as_json,
        force=force,
    )


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

    A file with a header and no row is a fold in which nothing was spotted. Exit code 0: no errors among the findings.
    1: there are some. 2: could not run.
    """
    from datasets_me.cards import spotting_plot
    from datasets_me.formats import manifest
    from datasets_me.formats import predictions as prediction_files
    from datasets_me.scores import report
    from datasets_me.scores import spotting as stage
    from datasets_me.scores.truth import tested_by

    found = stage.spotting(
        [manifest.read(folder) for folder in manifests],
        [prediction_files.read(path, ["video", "onset", "offset"]) for path in predictions],
        missing=missing,
        threshold=iou,
        tested=tested_by(split),
    )
    made = report.of_spotting(found)
    columns = ("TP", "FP", "FN", "precision", "recall", "F1")
    table = show.table(None, "dataset", "type", *columns, right=columns)
    for entry in made.about["scores"]:
        numbers = (str(entry[name]) for name in ("tp", "fp", "fn"))
        shares = (f"{entry[name]:.4f}" for name in ("precision", "recall", "f1"))
        table.add_row(str(entry["dataset"]), str(entry["type"]), *numbers, *shares)
    said = f"annotations left out: {found.dropped}; missing offsets read as {missing}; IoU >= {iou:g}"
    _finish(made, [table, said], {"spotting.png": partial(spotting_plot.png, found)}, out, as_json=as_json, force=force)


@app.command("ensemble")
def ensemble(
    folders: list[Path] = TRUTH,
    predictions: list[Path] = MODELS,
    label: Label = LABEL,
    metric: Metric = typer.Option(Metric.uf1, "--metric", help="What is maximised on validation."),
    step: float = typer.Option(0.05, "--step", help="Distance of neighbouring weights on the grid."),
    copies: list[Path] = arguments.COPIES,
    out: Path = OUT,
    as_json: bool = arguments.JSON,
    force: bool = arguments.FORCE,
) -> None:
    """The best weights of several models on validation, and what they give on test.

    Exit code 0: no errors among the findings. 1: there are some. 2: could not run.
    """
    from datasets_me.cards import confusion_plot
    from datasets_me.scores import ensemble as stage
    from datasets_me.scores import report
    from datasets_me.scores.truth import truth_of

    truth = truth_of(folders, label.value, copies=copies)
    with show.progress("weightings") as update:
        found = stage.ensemble(truth, _files(predictions, truth), metric=metric.value, step=step, progress=update)
    columns = [f"{part} {name}" for part in ("validation", "test") for name in ("acc.", "UF1", "UAR")]
    table = show.table(None, "model", "weights", *columns, right=columns)
    for made in (*found.alone, found.equal, found.best, found.plateau):
        weights = " ".join(f"{weight:.3g}" for weight in made.weights)
        shares = [f"{v:.4f}" for c in (made.validation, made.test) for v in (c.accuracy, c.uf1, c.uar)]
        table.add_row(made.name, weights, *shares)
    counts = f"{found.best.validation.total} validation and {found.best.test.total} test {truth.noun}s"
    said = f"{found.tried:,} weightings tried on {counts}; chosen by {metric.value} on validation only;"
    said += f" {found.plateau_size:,} of them are no worse than the best by more than its standard error"
    pictures = {"confusion_test.png": partial(confusion_plot.png, found.best.test, "the best weights, on test")}
    _finish(report.of_ensemble(found), [table, said], pictures, out, as_json=as_json, force=force)


_NUMBERS = ("scored", "right", "accuracy", "UF1", "UAR")


def _files(paths: Sequence[Path], truth: Truth) -> list[Predictions]:
    from datasets_me.formats import image_scores, predictions
    from datasets_me.scores.truth import image_keys

    if truth.noun == "image":
        labels = [item.label for item in truth.items]
        return [
            model
            for path in paths
            for model in image_scores.read(path, image_keys(), [i.id for i in truth.items], labels)
        ]
    return [predictions.read(path, keys=predictions.KEYS) for path in paths]


def _table(*names: str) -> Any:

    return show.table(None, *names, *_NUMBERS, right=_NUMBERS)


def _models_table(models: Mapping[str, Mapping[str, Confusion]]) -> Any:
    table = _table("model", "split")
    for name, matrices in models.items():
        for split, matrix in matrices.items():
            if split != "pooled" or len(matrices) > 2:
                table.add_row(name, split, *_row(matrix))
    return table


def _intervals(models: Mapping[str, Recognition]) -> Any:
    from datasets_me.scores.bootstrap import intervals

    names = ("accuracy", "uf1", "uar")
    table = show.table("\n95 % intervals (bootstrap over images)", "model", *names, right=names)
    for name, each in models.items():
        ranges = intervals(each.pooled)
        table.add_row(name, *(f"{ranges[one][0]:.3f} to {ranges[one][1]:.3f}" for one in names))
    return table


def _row(matrix: Confusion) -> list[str]:
    shares = (f"{value:.4f}" for value in (matrix.accuracy, matrix.uf1, matrix.uar))
    return [str(matrix.total), str(matrix.right), *shares]


def _matrix(matrix: Confusion, title: str) -> Any:
    table = show.table(f"\n{title}", "", *matrix.columns, "F1", "recall", right=matrix.columns)
    f1, recall = matrix.f1(), matrix.recall()
    for name, counts in zip(matrix.classes, matrix.counts.tolist(), strict=True):
        shares = [f"{values[name]:.4f}" if name in values else "-" for values in (f1, recall)]
        table.add_row(name, *map(str, counts), *shares)
    return table


def _finish(
    report: Report,
    shown: Sequence[Any],
    pictures: Mapping[str, Callable[[], bytes]],
    out: Path | None,
    *,
    as_json: bool,
    force: bool,
) -> None:
    """Write the report where that is asked for, print it, and leave with the exit code of its findings.

    ``pictures`` are drawn only if they are written.
    """
    if out:
        report.write(out, {name: draw() for name, draw in pictures.items()}, force=force)
        show.echo(f"written to {out}", err=True)
    if as_json:
        show.echo_json(report.as_dict())
    else:
        for part in shown:
            show.console().print(part)
        _print_findings(report.findings)
    raise typer.Exit(1 if any(finding.severity == "error" for finding in report.findings) else 0)


def _print_findings(found: Sequence[Finding]) -> None:
    from datasets_me.findings.summary import by_code

    if found:
        show.console().print()
        show.console().print(show.findings_by_code(by_code(found)))
