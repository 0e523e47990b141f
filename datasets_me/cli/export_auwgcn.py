"""``me-datasets export auwgcn``."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.cli import arguments, show
from datasets_me.cli.arguments import DISTANCES, Distances
from datasets_me.cli.export_segments import FEATURES, Compat, print_findings
from datasets_me.core.errors import plural


def auwgcn(
    manifest: Path = arguments.MANIFEST,
    features: Path = FEATURES,
    out: Path = typer.Option(..., "-o", "--out", help="The folder to write."),
    compat: Compat = typer.Option(
        None, "--compat", help="Labels, action units and lengths exactly as the published scripts read them."
    ),
    distances: Distances = DISTANCES,
    features_fps: float = typer.Option(
        None, "--features-fps", help="The frame rate of arrays from elsewhere, where it is not the dataset's."
    ),
    force: bool = arguments.FORCE,
) -> None:
    """Write all that the AUW-GCN project trains on: segments, CSV, graph, config.yaml, and constants.

    Exit code 0: written, whatever warnings there are. 1: written, and there are errors. 2: could not run.
    """
    from datasets_me.export import auwgcn as project
    from datasets_me.formats import features as feature_files
    from datasets_me.formats import manifest as manifests

    made = manifests.read(manifest)
    arrays = feature_files.read(features, made)
    with show.progress("videos") as update:
        written = project.write(
            made,
            arrays,
            out,
            project.AuwgcnOptions(
                compat=compat.value if compat else None,
                distances=distances.value if distances else None,
                features_fps=features_fps,
            ),
            force=force,
            progress=update,
        )
    print_findings(written.findings)
    exported = written.exported
    show.echo(
        f"{plural(exported.segments, 'segment')} of {plural(exported.videos, 'video')}, {exported.labelled:,} of "
        f"{plural(exported.annotations, 'annotation')} labelled; mean {written.mean[0]:.6f} {written.mean[1]:.6f}, "
        f"std {written.std[0]:.6f} {written.std[1]:.6f}",
        f"written to {out}; in there: python AUW-GCN/train.py --dataset '{written.dataset}' --subject …",
    )
    raise typer.Exit(1 if any(found.severity == "error" for found in written.findings) else 0)
