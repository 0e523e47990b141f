"""``me-datasets export segments``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import plural

if TYPE_CHECKING:
    from datasets_me.findings.finding import Finding


class Compat(StrEnum):
    """Published forms that can be had exactly."""

    auwgcn = "auwgcn"


class Format(StrEnum):
    """How items are stored."""

    npz = "npz"
    webdataset = "webdataset"
    parquet = "parquet"


FEATURES = typer.Argument(help="A folder that 'me-datasets extract' wrote, or any of <subject>/<video>.npy.")


def segments(
    manifest: Path = arguments.MANIFEST,
    features: Path = FEATURES,
    out: Path = typer.Option(..., "-o", "--out", help="The folder to write."),
    length: int = typer.Option(256, "--length", help="Frames of a segment."),
    context: int = typer.Option(7, "--context", help="Frames of context on each side of a segment."),
    compat: Compat = typer.Option(None, "--compat", help="Label exactly as the published scripts do."),
    offset_missing: str = typer.Option(
        "mirror", "--offset-missing", help="How a missing offset is read: mirror, apex, fixed:N (after the apex), drop."
    ),
    fps: float = typer.Option(None, "--fps", help="The frame rate to export at. Default: that of the features."),
    features_fps: float = typer.Option(
        None, "--features-fps", help="The frame rate of arrays from elsewhere, where it is not the dataset's."
    ),
    form: Format = typer.Option(Format.npz, "--format", help="One npz per segment, tar shards, or Parquet tables."),
    force: bool = arguments.FORCE,
) -> None:
    """Write features and labels in segments of equal length, for training and for testing.

    Exit code 0: written, whatever warnings there are. 1: written, and there are errors. 2: could not run.
    """
    from datasets_me.export.options import SegmentOptions
    from datasets_me.export.segments import write_segments
    from datasets_me.formats import features as feature_files
    from datasets_me.formats import manifest as manifests

    options = SegmentOptions(
        length=length,
        context=context,
        compat=compat.value if compat else None,
        offset_missing=offset_missing,
        fps=fps,
        features_fps=features_fps,
        format=form.value,
    )
    made = manifests.read(manifest)
    arrays = feature_files.read(features, made)
    with show.progress("videos") as update:
        exported = write_segments(made, arrays, out, options, force=force, progress=update)
    print_findings(exported.findings)
    show.echo(
        f"{plural(exported.segments, 'segment')} of {plural(exported.videos, 'video')} written to {out}, for training "
        f"and for testing; {exported.labelled:,} of {plural(exported.annotations, 'annotation')} labelled"
    )
    raise typer.Exit(1 if not exported.segments or any(f.severity == "error" for f in exported.findings) else 0)


def print_findings(findings: Sequence[Finding]) -> None:
    """One line per code, with the first finding for an example."""
    from datasets_me.findings.codes import all_codes

    counts = Counter(found.code for found in findings)
    first = {found.code: found for found in reversed(findings)}
    entries = [
        {
            "code": code,
            "name": all_codes()[code].name,
            "severity": all_codes()[code].severity,
            "count": count,
            "first": first[code].message,
            "where": first[code].where,
        }
        for code, count in sorted(counts.items())
    ]
    if entries:
        out = show.console()
        out.print(show.findings_by_code(entries))
        out.print()
