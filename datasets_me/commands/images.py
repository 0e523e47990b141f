"""``me-datasets images``: sets of still images, imported and cleaned without touching an original."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.commands import arguments

if TYPE_CHECKING:
    from datasets_me.records import Finding

app = typer.Typer(help="Import and clean sets of still images, without touching an original.", no_args_is_help=True)

IMAGES = typer.Argument(help="A set of images, made by 'me-datasets images import'.")
ROOT = typer.Option(None, "--root", help="The folder under which the files lie: the one that was imported.")
WORKERS = typer.Option(None, "--workers", min=1, help="Processes; one per core by default, fewer for few images.")


@app.callback()
def _group() -> None:
    """Import and clean sets of still images, without touching an original."""


@app.command("import")
def import_(
    source: Path = typer.Argument(help="The table, or the folder that holds the images."),
    schema: str = typer.Option(
        ...,
        "--schema",
        help="What it is: fer2013, ckplus, raf-db, folder-per-class, gaf3, captures, or a schema of your own (.yaml).",
    ),
    out: Path = typer.Option(..., "-o", "--out", help="The folder to write."),
    name: str = typer.Option(None, "--name", help="What to call the set; the schema's id by default."),
    workers: int = WORKERS,
    force: bool = arguments.FORCE,
) -> None:
    """Read a set of images into a table, and name what cannot be used.

    Exit code 0: no errors among the findings. 1: there are errors; the rest is written. 2: could not run.
    """
    from datasets_me.commands import show
    from datasets_me.images import schemas
    from datasets_me.images.importing import import_images

    chosen = schemas.load(schema)
    with show.progress("images") as update:
        made = import_images(chosen, source, out, name=name, workers=workers, progress=update, force=force)
    console, counts = show.console(), made.about["counts"]
    console.print(f"{chosen.spec.title}: {counts['images']:,} images" + _others(made.about["source"]))
    table = show.table(None, "split", *counts["labels"], right=list(counts["labels"]))
    for split, labels in _by_split(made).items():
        table.add_row(split or "-", *(f"{labels[label]:,}" for label in counts["labels"]))
    if "" in counts["labels"]:
        table.columns[1].header = "no label"
    console.print(table)
    _finish(made.findings(), out)


def _by_split(images: Any) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    table = images.table(["split", "label"])
    for split, label in zip(table["split"].to_pylist(), table["label"].to_pylist(), strict=True):
        found.setdefault(split or "", Counter())[label or ""] += 1
    order = ["train", "validation", "test", ""]
    return dict(sorted(found.items(), key=lambda item: order.index(item[0])))


def _others(source: dict[str, Any]) -> str:
    texts = [f"{count:,} in the layout '{name}' left out" for name, count in source.get("left_out", {}).items()]
    texts += [f"{count:,} other files ({name or 'no suffix'})" for name, count in source.get("others", {}).items()]
    return f" ({', '.join(texts)})" if texts else ""


def _finish(findings: Sequence[Finding], out: Path) -> None:
    """Print findings, one line per code, where the result lies, and exit with 1 if there are errors."""
    from datasets_me.codes import all_codes
    from datasets_me.commands import show

    console = show.console()
    if findings:
        console.print()
        by_code = Counter(found.code for found in findings)
        first = {found.code: found for found in reversed(findings)}
        console.print(
            show.findings_by_code(
                [
                    {
                        "code": code,
                        "severity": first[code].severity,
                        "count": by_code[code],
                        "name": all_codes()[code].name,
                        "where": first[code].where,
                        "first": first[code].message,
                    }
                    for code in sorted(by_code)
                ]
            )
        )
    console.print(f"\nwritten to {out}")
    if any(found.severity == "error" for found in findings):
        raise typer.Exit(1)
