"""``me-datasets export flow``."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.cli import arguments, show
from datasets_me.cli.export_segments import print_findings
from datasets_me.core.errors import plural

PRESET = typer.Option(
    "default",
    "--preset",
    help="How a project makes its images, and the folders it reads: ststnet, htnet, mean, softnet, meb, mmnet.",
)


def flow(
    manifest: Path = arguments.MANIFEST,
    root: Path = arguments.ROOT,
    out: Path = typer.Option(..., "-o", "--out", help="The folder to write."),
    preset: str = PRESET,
    features: Path = typer.Option(None, "--features", help="An extraction: its boxes and landmarks are used."),
    to: str = typer.Option("apex", "--to", help="The later frame: apex, offset, middle, or frames after the onset."),
    method: str = typer.Option(None, "--flow", help="lk (the default), tvl1, farneback, or dis."),
    strain: str = typer.Option(
        None, "--strain", help="tensor (the default), half-inside, forward, backward, sobel, or magnitude."
    ),
    size: int = typer.Option(None, "--size", help="Side of the face's picture in px, in place of the preset's."),
    align: bool = typer.Option(False, "--align", help="Hold the face still, by the landmarks of --features."),
    magnify: float = typer.Option(1.0, "--magnify", help="Make the motion so many times as large."),
    kind: str = typer.Option(None, "--type", help="Only expressions of this type: micro or macro."),
    apexes: Path = typer.Option(None, "--apexes", help="Estimated apexes, made by 'me-datasets apex'."),
    layout: str = typer.Option(None, "--layout", help="Which of the dataset's folders to take frames from."),
    offset_missing: str = typer.Option(
        "mirror", "--offset-missing", help="How a missing offset is read: mirror, apex, fixed:N (after the apex), drop."
    ),
    force: bool = arguments.FORCE,
) -> None:
    """Write the optical flow from onset to apex of every annotated expression: u, v and strain.

    Example: me-datasets export flow casme2 --root CASME2 --preset ststnet -o casme2-flow

    Exit code 0: written, whatever warnings there are. 1: written, and there are errors, or nothing could be made. 2:
    could not run.
    """
    from datasets_me.export.flow import write_flow
    from datasets_me.export.flow_options import FlowOptions
    from datasets_me.formats import apexes as apex_files
    from datasets_me.formats import features as feature_files
    from datasets_me.formats import manifest as manifests

    options = FlowOptions(
        preset=preset,
        to=to,
        flow=method,
        strain=strain,
        size=size,
        align=align,
        magnify=magnify,
        type=kind,
        layout=layout,
        offset_missing=offset_missing,
    )
    read = manifests.read(manifest)
    arrays = feature_files.read(features, read) if features else None
    estimated = apex_files.read(apexes) if apexes else None
    with show.progress("expressions") as update:
        exported = write_flow(read, root, out, options, features=arrays, apexes=estimated, force=force, progress=update)
    print_findings(exported.findings)
    images, annotations = plural(exported.images, "flow image"), plural(exported.annotations, "annotation")
    show.echo(f"{images} of {annotations} written to {out}")
    nothing = exported.annotations > 0 and exported.images == 0
    raise typer.Exit(1 if nothing or any(found.severity == "error" for found in exported.findings) else 0)
