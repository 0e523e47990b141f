"""``me-datasets images audit``: third-party predictions against labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import MeDatasetsError

if TYPE_CHECKING:
    from datasets_me.images.looks.audit import Audit

IMAGES = typer.Argument(help="A set of images, made by 'me-datasets images import'.")


def audit(
    images: Path = IMAGES,
    predictions: Path = typer.Option(..., "-p", "--predictions", help="A CSV, JSON, file of JSON lines, or npz."),
    form: str = typer.Option(
        "plain", "--schema", help="What it looks like: plain, microsoft, face-plus-plus, or a form of your own (.yaml)."
    ),
    maps: list[str] = typer.Option([], "--map", help="A class of theirs: contempt=disgust, or contempt= to drop it."),
    copies: list[Path] = arguments.COPIES,
    out: Path = typer.Option(None, "-o", "--out", help="The folder for audit.parquet; by default that of the set."),
    as_json: bool = arguments.JSON,
    force: bool = arguments.FORCE,
) -> None:
    """Compare somebody else's predictions with the labels of a set.

    Every image is unsubmitted, unrecognised, agrees or disagrees. Likely label errors are ranked by confident learning
    where the predictions have scores. Exit code 0: no errors among the findings. 1: there are some. 2: could not run.
    """
    from datasets_me.formats import image_set
    from datasets_me.images.looks.audit import write_audit
    from datasets_me.schema import predictions as prediction_forms

    chosen, made = prediction_forms.load(form), image_set.read(images)
    path, result = write_audit(made, predictions, chosen, _maps(maps), copies=copies, out=out, force=force)
    if as_json:
        labels, columns, counts = result.confusion()
        about = {
            "images": len(result.rows),
            "classes": {name: dict(states) for name, states in result.by_class().items()},
            "confusion": {"labels": labels, "predicted": columns, "counts": counts},
            "findings": [finding.model_dump(exclude_none=True) for finding in result.findings],
        }
        show.echo_json(about)
    else:
        _show(result)
        from datasets_me.findings.summary import by_code

        if result.findings:
            show.console().print()
            show.console().print(show.findings_by_code(by_code(result.findings)))
        show.console().print("", f"written to {path}")
    raise typer.Exit(1 if any(finding.severity == "error" for finding in result.findings) else 0)


def _maps(texts: Sequence[str]) -> dict[str, str]:
    made: dict[str, str] = {}
    for text in texts:
        name, sign, target = text.partition("=")
        if not sign or not name.strip():
            raise MeDatasetsError(
                f"'{text}' is no map of a class", fix="give --map contempt=disgust, or --map contempt="
            )
        made[name.strip()] = target.strip()
    return made


def _show(result: Audit) -> None:
    from datasets_me.formats.image_records import STATES

    out, classes = show.console(), result.by_class()
    titles = ("images", *STATES, "agree of recognised")
    table = show.table(None, "label", *titles, right=titles)
    lines: list[tuple[str, dict[str, int]]] = [*((name, dict(counts)) for name, counts in classes.items())]
    lines.append(("all", {state: sum(counts[state] for counts in classes.values()) for state in STATES}))
    for name, counts in lines:
        recognised = counts.get("agree", 0) + counts.get("disagree", 0)
        share = f"{counts.get('agree', 0) / recognised:.1%}" if recognised else "-"
        table.add_row(name, f"{sum(counts.values()):,}", *(f"{counts.get(state, 0):,}" for state in STATES), share)
    out.print(table)
    labels, columns, counts_of = result.confusion()
    if not columns:
        return
    out.print(_matrix("\nLabel (rows), prediction (columns)", labels, columns, counts_of))
    turned = [list(line) for line in zip(*counts_of, strict=True)]
    out.print(_matrix("\nPrediction (rows), label (columns)", columns, labels, turned))
    worst = sorted((row for row in result.rows if row.likely_error), key=lambda row: row.rank or 0)
    if worst:
        table = show.table("\nLikely label errors, the surest first", "rank", "image", "label", "rather", "margin")
        for row in worst[:8]:
            table.add_row(str(row.rank), row.id, row.label, row.suggested, f"{row.margin or 0:+.3f}")
        out.print(table)
        if len(worst) > 8:
            out.print(f"and {len(worst) - 8:,} more in audit.parquet")


def _matrix(title: str, rows: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]]) -> Any:
    table = show.table(title, "", *columns, "sum", right=[*columns, "sum"])
    for name, line in zip(rows, counts, strict=True):
        table.add_row(name, *(f"{count:,}" for count in line), f"{sum(line):,}")
    return table
