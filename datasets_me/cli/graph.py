"""``me-datasets graph``: which regions of the face move together."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import MeDatasetsError


class Compat(StrEnum):
    """A published reading of the action units."""

    auwgcn = "auwgcn"


def graph(
    manifest: Path = arguments.MANIFEST,
    out: Path = typer.Option(..., "-o", "--out", help="The matrix to write (.npy)."),
    regions: str = typer.Option(
        "twelve", "--regions", help="Which regions each action unit moves: twelve, twelve-facs, eleven, or a YAML file."
    ),
    compat: Compat = typer.Option(None, "--compat", help="Read action units as the published script of AUW-GCN does."),
    picture: Path = typer.Option(None, "--picture", help="Draw the matrix as a heat map (.png)."),
    force: bool = arguments.FORCE,
) -> None:
    """Write the co-occurrence of action units as an adjacency matrix over regions of the face."""
    from datasets_me.core.artefact import may_write
    from datasets_me.export.statistics import graph as graphs
    from datasets_me.export.statistics import region_tables
    from datasets_me.formats import manifest as manifests

    for path in (out, picture):
        may_write(path, force)
    if picture is not None and picture.suffix.casefold() != ".png":
        raise MeDatasetsError(f"the picture is a PNG, but its name is {picture.name}", fix="end its name in .png")
    if out.suffix.casefold() == ".png":
        raise MeDatasetsError(f"the matrix is no picture, but its name is {out.name}", fix="end its name in .npy")
    made = manifests.read(manifest)
    table = region_tables.load(regions)
    found = graphs.graph(made.annotations, table, compat=compat.value if compat else None)
    graphs.write(found, out)
    show.echo(graphs.summary(found), f"{len(table.regions)} × {len(table.regions)} written to {out}")
    if picture is not None:
        from datasets_me.cards.graph_plot import draw

        draw(found.matrix, table.regions, f"{made.spec.title}: regions that move together", picture)
        show.echo(f"drawn in {picture}")
