"""``me-datasets export``: from a manifest to files that training scripts read."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.cli import arguments, export_auwgcn, export_clips, export_flow, export_segments, show
from datasets_me.core.errors import plural

app = typer.Typer(help="Write what training scripts read.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Write what training scripts read."""


app.command("segments")(export_segments.segments)
app.command("clips")(export_clips.clips)
app.command("flow")(export_flow.flow)
app.command("auwgcn")(export_auwgcn.auwgcn)


@app.command("auwgcn-csv")
def auwgcn_csv(
    manifest: Path = arguments.MANIFEST,
    out: Path = typer.Option(..., "-o", "--out", help="The CSV to write."),
    force: bool = arguments.FORCE,
) -> None:
    """Write the 7-column CSV of the AUW-GCN family, with the field's own frame numbers."""
    from datasets_me.core.artefact import may_write
    from datasets_me.export import auwgcn_csv as csv_file
    from datasets_me.formats import manifest as manifests

    made = manifests.read(manifest)
    may_write(out, force)
    show.echo(f"{plural(csv_file.write(made, out), 'row')} written to {out}")
