"""``me-datasets apex``."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import plural


def apex(
    manifest: Path = arguments.MANIFEST,
    features: Path = typer.Argument(help="An extraction of its videos, with --step 1."),
    out: Path = typer.Option(..., "-o", "--out", help="The CSV to write."),
    force: bool = arguments.FORCE,
) -> None:
    """Estimate the apex of every expression that has none: the frame furthest from the onset.

    Example: me-datasets apex smic-hs features -o apexes.csv

    Exit code 0: written. 1: some expressions have no features. 2: could not run.
    """
    from datasets_me.core.artefact import may_write
    from datasets_me.extract.apexes import estimate
    from datasets_me.formats import apexes
    from datasets_me.formats import features as feature_files
    from datasets_me.formats import manifest as manifests

    read = manifests.read(manifest)
    may_write(out, force)
    lacking = sum(row.apex is None for row in read.annotations)
    rows = list(estimate(read, feature_files.read(features, read)))
    apexes.write(rows, out)
    show.echo(f"apexes of {len(rows):,} of {plural(lacking, 'expression')} without one written to {out}")
    raise typer.Exit(0 if len(rows) == lacking else 1)
