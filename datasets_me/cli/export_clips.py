"""``me-datasets export clips``."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.cli import arguments, show
from datasets_me.cli.export_segments import Format, print_findings
from datasets_me.core.errors import plural


def clips(
    manifest: Path = arguments.MANIFEST,
    root: Path = arguments.ROOT,
    out: Path = typer.Option(..., "-o", "--out", help="The folder to write."),
    features: Path = typer.Option(None, "--features", help="An extraction: its boxes are what is cut out."),
    frames: str = typer.Option(
        "all",
        "--frames",
        help="all from onset to offset, key (onset, apex, offset), a number of frames, tim:N or linear:N.",
    ),
    size: int = typer.Option(128, "--size", help="Height and width of the pictures."),
    align: bool = typer.Option(False, "--align", help="Hold the face still, by the landmarks of --features."),
    layout: str = typer.Option(None, "--layout", help="Which of the dataset's folders to take frames from."),
    offset_missing: str = typer.Option(
        "mirror", "--offset-missing", help="How a missing offset is read: mirror, apex, fixed:N (after the apex), drop."
    ),
    form: Format = typer.Option(Format.npz, "--format", help="One npz per clip, tar shards, or a Parquet table."),
    force: bool = arguments.FORCE,
) -> None:
    """Write the pictures of every annotated expression, with emotion, classes and action units.

    Exit code 0: written, whatever warnings there are. 1: written, and there are errors. 2: could not run.
    """
    from datasets_me.export.clips import ClipOptions, write_clips
    from datasets_me.formats import features as feature_files
    from datasets_me.formats import manifest as manifests

    options = ClipOptions(
        frames=frames, size=size, align=align, layout=layout, offset_missing=offset_missing, format=form.value
    )
    made = manifests.read(manifest)
    arrays = feature_files.read(features, made) if features else None
    with show.progress("expressions") as update:
        exported = write_clips(made, root, out, options, features=arrays, force=force, progress=update)
    print_findings(exported.findings)
    show.echo(f"{plural(exported.clips, 'clip')} of {plural(exported.annotations, 'annotation')} written to {out}")
    nothing = exported.annotations > 0 and exported.clips == 0
    raise typer.Exit(1 if nothing or any(found.severity == "error" for found in exported.findings) else 0)
