"""``me-datasets images export``: a set of images to what training scripts read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import plural


class Format(StrEnum):
    """What is written."""

    folders = "folders"
    csv = "csv"
    webdataset = "webdataset"


def export(
    images: Path = typer.Argument(help="A set of images, made by 'me-datasets images import'."),
    out: Path = typer.Option(..., "-o", "--out", help="The folder to write."),
    kind: Format = typer.Option(Format.folders, "--format", help="A folder per class, a CSV, or shards of WebDataset."),
    root: Path = typer.Option(None, "--root", help="The folder under which the files lie: the one that was imported."),
    split: str = typer.Option(
        "own", "--split", help="The set's own, or shares of train, validation and test: 0.8,0.1,0.1."
    ),
    seed: int = typer.Option(0, "--seed", help="Decides a split by shares; the same seed, the same split."),
    decisions: Path = typer.Option(None, "--decisions", help="The decisions; by default decisions.parquet of the set."),
    force: bool = arguments.FORCE,
) -> None:
    """Write copies for training, with decisions applied; near-duplicates and subjects never straddle a new split.

    Exit code 0: no errors among the findings. 1: there are some; the rest is written. 2: could not run.
    """
    from datasets_me.findings.summary import by_code
    from datasets_me.formats import image_set
    from datasets_me.images.export.plan import plan
    from datasets_me.images.export.write import write
    from datasets_me.schema.images import SPLITS

    made = image_set.read(images)
    planned = plan(made, split=split, seed=seed, decisions=decisions)
    options: dict[str, object] = {"split": split, "seed": seed}
    with show.progress("images") as update:
        changed = write(made, planned, out, kind.value, root=root, options=options, progress=update, force=force)
    console = show.console()
    table = show.table(None, "split", "images", *planned.classes, right=["images", *planned.classes])
    for part in [name for name in (*SPLITS, "") if any((row.split or "") == name for row in planned.rows)]:
        labels = [row.label for row in planned.rows if (row.split or "") == part]
        table.add_row(part or "-", f"{len(labels):,}", *(f"{labels.count(name):,}" for name in planned.classes))
    console.print(table)
    for reason, count in planned.left_out.items():
        console.print(f"left out: {plural(count, 'image')}, {reason}")
    findings = [*planned.findings, *changed]
    if findings:
        console.print()
        console.print(show.findings_by_code(by_code(findings)))
    console.print("", f"{plural(len(planned.rows), 'image')} written to {out}")
    raise typer.Exit(1 if any(finding.severity == "error" for finding in findings) else 0)
