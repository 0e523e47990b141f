"""``me-datasets frames``."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import plural


def frames(
    video: Path = typer.Argument(help="A video file, or a folder of frames."),
    out: Path = typer.Option(..., "-o", "--out", help="The folder to write."),
    crop: bool = typer.Option(False, "--crop", help="Cut the face out: one box for the whole video."),
    align: bool = typer.Option(False, "--align", help="Cut the face out, and hold it still."),
    force: bool = arguments.FORCE,
) -> None:
    """Write the frames of a video as numbered pictures, for other tools.

    Example: me-datasets frames interview.mp4 -o interview --align

    Exit code 0: all frames are written. 1: some could not be read. 2: could not run.
    """
    from datasets_me.extract.write_frames import write_frames

    with show.progress("frames") as update:
        done = write_frames(video, out, crop=crop, aligned=align, force=force, progress=update)
    box = "" if done.box is None else f", cut to {', '.join(f'{value:.0f}' for value in done.box)}"
    show.echo(f"{done.written:,} of {plural(done.frames, 'frame')} written to {out}{box}")
    raise typer.Exit(0 if done.written == done.frames else 1)
