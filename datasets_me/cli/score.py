"""Verbs that score predictions of annotations or images: ``score recognition``, ``spotting`` and others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import options, show
from datasets_me.cli.run import Answer, group, verb
from datasets_me.core.choices import EmotionLabel, ExpressionType, Metric

if TYPE_CHECKING:
    from datasets_me.cards.score_pictures import Pictures
    from datasets_me.scores.confusion import Confusion
    from datasets_me.scores.recognition import Recognition
    from datasets_me.scores.report import Report
    from datasets_me.scores.spotting import Spotting

score = group("Score predictions against a manifest, or a set of images.")

MANIFESTS = typer.Argument(help="Manifest folders; several datasets are pooled.")
TRUTH = typer.Argument(help="Manifest folders, of which several are pooled; or one set of images.")
PREDICTIONS = typer.Option(..., "-p", "--predictions", help="A CSV or npz of predictions; once per fold.")
MODELS = typer.Option(..., "-p", "--predictions", help="An npz of one model's scores; once per model.")
OUT = typer.Option(None, "-o", "--out", help="Also write a folder: scores.json, tables, findings.parquet, the picture.")
SPLIT = typer.Option(None, "--split", help="Only what a split tests, in any fold: made by 'me-datasets split'.")
LABEL = typer.Option("emotion", "--label", help="The label that is predicted.")

IOU = typer.Option(0.5, "--iou", min=0.01, max=1.0, help="The least intersection over union of a hit.")

_NUMBERS = ("scored", "right", "accuracy", "UF1", "UAR")


@verb("me-datasets score recognition casme2-manifest samm-manifest -p predictions.csv --label class_3")
def recognition(
    folders: list[Path] = TRUTH,
    predictions: list[Path] = typer.Option(
        ..., "-p", "--predictions", help="A CSV or npz of predictions: once per fold; for images once per model."
    ),
    label: EmotionLabel = LABEL,
    kind: ExpressionType | None = typer.Option(None, "--type", help="Only annotations of this type."),
    classes: str = typer.Option("", "--classes", help="What class numbers 0, 1, ... stand for: negative,positive."),
    split: Path = SPLIT,
    copies: list[Path] = options.COPIES,
    out: Path = OUT,
    force: bool = options.FORCE,
) -> Answer:
    """Accuracy, UF1, UAR and the confusion matrix, per dataset and over all folds together (MEGC 2019).

    Of a set of images per model and split. What has no prediction counts as wrong, but for splits of images none of
    which is predicted. Exit code 0: no errors among the findings. 1: there are some.
    """
    from datasets_me.cards import score_pictures
    from datasets_me.scores import recognition as stage
    from datasets_me.scores import report
    from datasets_me.scores.files import read_predictions
    from datasets_me.scores.truth import truth_of

    names = [name.strip() for name in classes.split(",") if name.strip()]
    truth = truth_of(folders, label, kind=kind, split=split, copies=copies)
    files = read_predictions(predictions, truth)
    if truth.noun == "image":
        models = stage.by_model(truth, files, classes=names)
        return _answer(report.of_models(models), _models(models), score_pictures.of_models(models), out, force)
    scores = stage.recognition(truth, files, classes=names)
    table = show.Rows(None, "dataset", *_NUMBERS, right=_NUMBERS)
    for name, matrix in {**scores.groups, **({"pooled": scores.pooled} if len(scores.groups) > 1 else {})}.items():
        table.add_row(name, *_row(matrix))
    parts = [table, _matrix(scores.pooled, "Label (rows) and prediction")]
    return _answer(report.of_recognition(scores), parts, score_pictures.of_recognition(scores), out, force)


@verb("me-datasets score spotting casme-sq-manifest -p spotted.csv --iou 0.5")
def spotting(
    manifests: list[Path] = MANIFESTS,
    predictions: list[Path] = PREDICTIONS,
    missing: str = options.OFFSET_MISSING,
    split: Path = SPLIT,
    iou: float = IOU,
    out: Path = OUT,
    force: bool = options.FORCE,
) -> Answer:
    """Precision, recall and F1 of spotted intervals: micro, macro, overall (MEGC 2020, 2021).

    Proposals of the AUW-GCN family and submissions to MEGC are read as they are. With scores, average precision, too.
    A file with a header and no row is a fold in which nothing was spotted. Exit code 0: no errors among the findings.
    1: there are some. 2: could not run.
    """
    from datasets_me.cards import score_pictures
    from datasets_me.formats import manifest as manifest_files
    from datasets_me.scores import report
    from datasets_me.scores import spotting as stage
    from datasets_me.scores.files import read_intervals
    from datasets_me.scores.truth import tested_by

    scores = stage.spotting(
        [manifest_files.read(folder) for folder in manifests],
        read_intervals(predictions),
        missing=missing,
        threshold=iou,
        tested=tested_by(split),
    )
    summary = report.of_spotting(scores)
    parts = _spotted(scores, summary.about["scores"])
    return _answer(summary, parts, score_pictures.of_spotting(scores), out, force)


@verb("me-datasets score spot-then-recognise casme-sq-manifest -p predictions.csv --type micro")
def spot_then_recognise(
    manifests: list[Path] = MANIFESTS,
    predictions: list[Path] = PREDICTIONS,
    label: EmotionLabel = typer.Option("class_3", "--label", help="The label that is predicted."),
    kind: ExpressionType | None = typer.Option(None, "--type", help="Only annotations of this type."),
    missing: str = options.OFFSET_MISSING,
    split: Path = SPLIT,
    iou: float = IOU,
    out: Path = OUT,
    force: bool = options.FORCE,
) -> Answer:
    """The STRS: F1 of spotting times F1 of the labels of its hits (MEAN; MEGC 2024, 2025).

    Each interval has a column label. Submissions to MEGC (subject, video, onset, offset, emotion) are read as they are.
    Exit code 0: no errors among the findings. 1: there are some. 2: could not run.
    """
    from datasets_me.cards import score_pictures
    from datasets_me.formats import manifest as manifest_files
    from datasets_me.scores import report
    from datasets_me.scores import spot_then_recognise as stage
    from datasets_me.scores.files import read_intervals
    from datasets_me.scores.truth import tested_by

    scores = stage.spot_then_recognise(
        [manifest_files.read(folder) for folder in manifests],
        read_intervals(predictions),
        label=label,
        kind=kind,
        missing=missing,
        threshold=iou,
        tested=tested_by(split),
    )
    summary = report.of_spot_then_recognise(scores)
    columns = ("precision", "recall", "F1", "UF1")
    analysis = show.Rows("\nAnalysis of hits", "hits", "without label", *columns, "STRS", right=(*columns, "STRS"))
    shares = (scores.precision, scores.recall, scores.f1, scores.uf1, scores.strs)
    hits = str(scores.recognised.total + scores.unlabelled)
    analysis.add_row(hits, str(scores.unlabelled), *(f"{value:.4f}" for value in shares))
    spotted = _spotted(scores.spotting, summary.about["spotting"]["scores"])
    parts = [*spotted, analysis, _matrix(scores.recognised, "Label (rows) and prediction of hits")]
    return _answer(summary, parts, score_pictures.of_spot_then_recognise(scores), out, force)


@verb("me-datasets score action-units casme2-manifest samm-manifest -p casme2-openface -p samm-openface")
def action_units(
    manifests: list[Path] = MANIFESTS,
    predictions: list[Path] = typer.Option(
        ..., "-p", "--predictions", help="A CSV with columns AU1, AU2, and so on; or a folder of 'me-datasets join'."
    ),
    threshold: float = typer.Option(0.5, "--threshold", help="The least value of a unit that is there."),
    out: Path = OUT,
    force: bool = options.FORCE,
) -> Answer:
    """F1 of each action unit per dataset, and their mean, as papers across datasets report it.

    Exit code 0: no errors among the findings. 1: there are some. 2: could not run.
    """
    from datasets_me.formats import manifest as manifest_files
    from datasets_me.scores import action_units as stage
    from datasets_me.scores import report

    scores = stage.action_units([manifest_files.read(folder) for folder in manifests], predictions, threshold=threshold)
    summary = report.of_action_units(scores)
    columns = ("TP", "FP", "FN", "precision", "recall", "F1")
    table = show.Rows(None, "dataset", "AU", *columns, right=("AU", *columns))
    for entry in summary.about["scores"]:
        counts = (str(entry[name]) for name in ("tp", "fp", "fn"))
        shares = (f"{entry[name]:.4f}" for name in ("precision", "recall", "f1"))
        table.add_row(entry["dataset"], str(entry["au"]), *counts, *shares)
    means = [
        f"{name}: mean F1 {figures['mean_f1']:.4f} of {figures['units']} units in {figures['annotations']} annotations"
        for name, figures in summary.about["datasets"].items()
    ]
    return _answer(summary, [table, *means], {}, out, force)


@verb("me-datasets score vqa questions.jsonl -p answers.jsonl")
def vqa(
    questions: Path = typer.Argument(help="JSONL of questions with their answers: made by 'me-datasets export vqa'."),
    predictions: list[Path] = typer.Option(..., "-p", "--predictions", help="JSONL of answers, with id and answer."),
    out: Path = OUT,
    force: bool = options.FORCE,
) -> Answer:
    """UF1, UAR, BLEU and ROUGE of answers to questions about expressions (MEGC 2025).

    Exit code 0: no errors among the findings. 1: there are some. 2: could not run.
    """
    from datasets_me.scores import questions as stage
    from datasets_me.scores import report

    scores = stage.score_questions(questions, predictions)
    columns = ("questions", "accuracy", "UF1", "UAR", "BLEU", "ROUGE-1", "ROUGE-L")
    table = show.Rows(None, "kind", *columns, right=columns)
    for each in scores.kinds:
        classes = each.classes
        shares = ["-"] * 3 if classes is None else [f"{v:.4f}" for v in (classes.accuracy, classes.uf1, classes.uar)]
        table.add_row(
            each.kind, str(each.questions), *shares, f"{each.bleu:.4f}", f"{each.rouge1:.4f}", f"{each.rouge_l:.4f}"
        )
    return _answer(report.of_questions(scores), [table], {}, out, force)


def _spotted(scores: Spotting, entries: Sequence[Mapping[str, Any]]) -> list[show.Part]:
    """Tables of counts and of errors, and how missing offsets were read."""
    columns = ("TP", "FP", "FN", "precision", "recall", "F1", "F1 annotated", "AP .5", "AP .5:.95")
    table = show.Rows(None, "dataset", "type", *columns, right=columns)
    errors = show.Rows(
        "\nErrors of hits: mean (median)",
        "dataset",
        "type",
        "of",
        "hits",
        "frames",
        "ms",
        right=("hits", "frames", "ms"),
    )
    for entry in entries:
        name, kind, precision = entry["dataset"], entry["type"], entry["ap"]
        shares = [entry["precision"], entry["recall"], entry["f1"], entry["annotated_videos"]["f1"]]
        shares += [precision["0.5"], entry["ap_mean"]] if precision else []
        table.add_row(
            name,
            kind,
            *(entry[count] for count in ("tp", "fp", "fn")),
            *(f"{share:.4f}" for share in shares),
            *([] if precision else ["-", "-"]),
        )
        for mark, error in entry["errors"].items():
            frames = f"{error['frames']:.1f} ({error['frames_median']:g})"
            errors.add_row(name, kind, mark, error["count"], frames, f"{error['ms']:.0f} ({error['ms_median']:.0f})")
    notes = [
        f"annotations left out: {scores.dropped}; missing offsets read as {scores.missing}; "
        f"IoU >= {scores.threshold:g}",
        "F1 annotated: only videos in which something is annotated",
    ]
    has_errors = any(entry["errors"] for entry in entries)
    return [table, *([errors] if has_errors else []), *notes]


@verb("me-datasets score ensemble casme2-manifest -p one.npz -p two.npz --metric uf1")
def ensemble(
    folders: list[Path] = TRUTH,
    predictions: list[Path] = MODELS,
    label: EmotionLabel = LABEL,
    metric: Metric = typer.Option("uf1", "--metric", help="What is maximised on validation."),
    step: float = typer.Option(0.05, "--step", help="Distance of neighbouring weights on the grid."),
    copies: list[Path] = options.COPIES,
    out: Path = OUT,
    force: bool = options.FORCE,
) -> Answer:
    """The best weights of several models on validation, and what they give on test.

    Exit code 0: no errors among the findings. 1: there are some. 2: could not run.
    """
    from datasets_me.cards import score_pictures
    from datasets_me.scores import ensemble as stage
    from datasets_me.scores import report
    from datasets_me.scores.files import read_predictions
    from datasets_me.scores.truth import truth_of

    truth = truth_of(folders, label, copies=copies)
    with show.progress("weightings") as update:
        scores = stage.ensemble(truth, read_predictions(predictions, truth), metric=metric, step=step, progress=update)
    columns = [f"{part} {name}" for part in ("validation", "test") for name in ("acc.", "UF1", "UAR")]
    table = show.Rows(None, "model", "weights", *columns, right=columns)
    for weighted in (*scores.alone, scores.equal, scores.best, scores.plateau):
        weights = " ".join(f"{weight:.3g}" for weight in weighted.weights)
        shares = [f"{v:.4f}" for c in (weighted.validation, weighted.test) for v in (c.accuracy, c.uf1, c.uar)]
        table.add_row(weighted.name, weights, *shares)
    counts = f"{scores.best.validation.total} validation and {scores.best.test.total} test {truth.noun}s"
    chosen_by = (
        f"{scores.tried:,} weightings tried on {counts}; chosen by {metric} on validation only; "
        f"{scores.plateau_size:,} of them are no worse than the best by more than its standard error"
    )
    return _answer(report.of_ensemble(scores), [table, chosen_by], score_pictures.of_ensemble(scores), out, force)


def _models(models: Mapping[str, Recognition]) -> list[show.Part]:
    table = show.Rows(None, "model", "split", *_NUMBERS, right=_NUMBERS)
    for name, scores in models.items():
        for split, matrix in scores.groups.items():
            table.add_row(name, split, *_row(matrix))
        if len(scores.groups) > 1:
            table.add_row(name, "pooled", *_row(scores.pooled))
    matrices = [_matrix(scores.pooled, f"{name}: label (rows) and prediction") for name, scores in models.items()]
    return [table, _intervals(models), *matrices]


def _intervals(models: Mapping[str, Recognition]) -> show.Rows:
    from datasets_me.scores.bootstrap import intervals

    names = ("accuracy", "uf1", "uar")
    table = show.Rows("\n95 % intervals (bootstrap over images)", "model", "accuracy", "UF1", "UAR", right=_NUMBERS)
    for model, scores in models.items():
        ranges = intervals(scores.pooled)
        table.add_row(model, *(f"{ranges[name][0]:.3f} to {ranges[name][1]:.3f}" for name in names))
    return table


def _row(matrix: Confusion) -> list[str]:
    shares = (f"{value:.4f}" for value in (matrix.accuracy, matrix.uf1, matrix.uar))
    return [str(matrix.total), str(matrix.right), *shares]


def _matrix(matrix: Confusion, title: str) -> show.Rows:
    table = show.Rows(f"\n{title}", "", *matrix.columns, "F1", "recall", right=matrix.columns)
    f1, recall = matrix.f1(), matrix.recall()
    for name, counts in zip(matrix.classes, matrix.counts.tolist(), strict=True):
        shares = [f"{values[name]:.4f}" if name in values else "-" for values in (f1, recall)]
        table.add_row(name, *counts, *shares)
    return table


def _answer(report: Report, parts: Sequence[show.Part], pictures: Pictures, out: Path | None, force: bool) -> Answer:
    """Write the report where that is asked for; pictures are drawn only then."""
    if out:
        report.write(out, {name: draw() for name, draw in pictures.items()}, force=force)
        show.echo(f"written to {out}", err=True)
    return Answer(parts, report.findings, data=report.as_dict())
