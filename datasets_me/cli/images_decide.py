"""``me-datasets images decide``: one decision about every image with a finding."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.cli import show
from datasets_me.core.errors import MeDatasetsError, plural


def decide(
    images: Path = typer.Argument(help="A set of images, made by 'me-datasets images import'."),
    codes: list[str] = typer.Option([], "--code", help="Images with these findings: ME710, or ME716,ME717."),
    exclude: bool = typer.Option(False, "--exclude", help="Leave them out of exports; of copies (ME712) one stays."),
    accept: bool = typer.Option(False, "--accept", help="Keep them as they are, and do not show them again."),
    label: str = typer.Option(None, "--label", help="Give them this label; 'predicted': what the audit says of each."),
    new_class: str = typer.Option(None, "--new-class", help="Give them a class that the set does not have: dirty."),
    decisions: Path = typer.Option(None, "--decisions", help="Where to save; by default decisions.parquet of the set."),
    apply: bool = typer.Option(False, "--apply", help="Save; without it, only the numbers are shown."),
    undo: bool = typer.Option(False, "--undo", help="Take back what the last 'images decide --apply' saved."),
) -> None:
    """Decide about all images with a finding at once; a dry run unless --apply is given.

    What was decided about an image before stays. Images and labels are never changed: export applies the decisions.
    """
    from datasets_me.formats import image_set
    from datasets_me.images import bulk

    images_read = image_set.read(images)
    if undo:
        if codes or exclude or accept or label or new_class or apply:
            raise MeDatasetsError("--undo takes back what was saved, and nothing else", fix="give it alone")
        count, since = bulk.undo(images_read, decisions)
        show.echo(f"taken back: {plural(count, 'decision')}")
        for name in since:
            show.echo(f"  stays, because it was decided anew: {name}")
        return
    if sum((exclude, accept, label is not None, new_class is not None)) != 1 or not codes:
        raise MeDatasetsError(
            "say which images, and what is decided about them",
            fix="give --code, and one of --exclude, --accept, --label and --new-class",
        )
    chosen = [code.strip() for text in codes for code in text.split(",") if code.strip()]
    plan = bulk.bulk(
        images_read,
        chosen,
        "exclude" if exclude else "accept" if accept else "relabel",
        new_class or label,
        new_class=new_class is not None,
        decisions=decisions,
    )
    if apply and plan.decisions:
        bulk.save(images_read, plan, decisions)
    what = "excluded" if exclude else "accepted" if accept else "given a label"
    show.echo(f"{'' if apply else 'would be '}{what}: {plural(len(plan.decisions), 'image')}")
    if label == bulk.PREDICTED:
        labels = sorted({str(each.label) for each in plan.decisions})
        for name in labels:
            show.echo(f"  {name}: {sum(each.label == name for each in plan.decisions):,}")
    for reason, count in sorted(plan.unchanged.items()):
        show.echo(f"  unchanged: {plural(count, 'image')}, {reason}")
    show.echo("--undo takes it back" if apply else "nothing is saved; add --apply to do it")
