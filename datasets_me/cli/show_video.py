"""``me-datasets show``: one video's motion over time, as a picture."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.paths import safe_name


def show_video(
    manifest: Path = arguments.MANIFEST,
    features: Path = typer.Argument(help="A folder of features, made by 'me-datasets extract'."),
    video: str = typer.Argument(help="The name of a video, such as casme_015_0401."),
    out: Path = typer.Option(None, "-o", "--out", help="The PNG to write; VIDEO.png here by default."),
    force: bool = arguments.FORCE,
) -> None:
    """Draw the motion of the regions of one video, with the annotated expressions shaded."""
    from datasets_me.cards.video_plot import find_row, plot_video
    from datasets_me.core.artefact import may_write
    from datasets_me.formats import features as feature_files
    from datasets_me.formats import manifest as manifests

    made = manifests.read(manifest)
    folder = feature_files.read(features, made)
    row = find_row(folder, video)
    path = out or Path(f"{safe_name(row.name)}.png")
    may_write(path, force)
    plot_video(made, folder, row, path)
    show.echo(f"written to {path}")
