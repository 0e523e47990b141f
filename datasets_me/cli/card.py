"""``me-datasets card``: a dataset card from a manifest."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.cli import arguments, show


def card(
    manifest: Path = arguments.MANIFEST,
    out: Path = typer.Option(..., "-o", "--out", help="The folder of the card."),
    features: Path = typer.Option(None, "--features", help="A folder of features, to be summed up in the card."),
    force: bool = arguments.FORCE,
) -> None:
    """Write a dataset card: README.md, card.html, croissant.json, card.json and plots."""
    from datasets_me.cards import card as cards
    from datasets_me.cards import write
    from datasets_me.core import artefact
    from datasets_me.formats.kinds import CARD

    artefact.may_replace(out, CARD, force)
    with show.progress("card"):
        made = cards.make(manifest, features)
        names = write.write(made, out, force=force)
    for name in names:
        show.echo(f"{out}/{name}")
    for name, plot in made.plots.items():
        if isinstance(plot, str):
            show.echo(f"no plot of {name.replace('_', ' ')}: {plot}")
