"""``me-datasets images plan``: what a set of captures still lacks."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.cli import show
from datasets_me.core.errors import plural


def plan(
    images: Path = typer.Argument(help="A set of captures, made by 'me-datasets images import'."),
    by: str = typer.Option("label,light,view", "--by", help="What is varied: the label, and fields of the names."),
) -> None:
    """Say which person lacks which expression, light or view."""
    from datasets_me.formats import image_set
    from datasets_me.images.captures import completeness

    found = completeness(image_set.read(images), [name.strip() for name in by.split(",") if name.strip()])
    table = show.table(
        None, "subject", "images", "combinations", "missing", right=["images", "combinations", "missing"]
    )
    for subject, counts in found.counts.items():
        there = sum(counts[values] > 0 for values in found.wanted)
        table.add_row(subject, f"{counts.total():,}", f"{there:,}", f"{len(found.wanted) - there:,}")
    console = show.console()
    console.print(table)
    for each in found.findings:
        console.print(each.message)
    console.print("", f"{plural(len(found.wanted), 'combination')} of {', '.join(found.by)}")
