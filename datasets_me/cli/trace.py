"""``me-datasets trace``: where an exported file came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import arguments, show

if TYPE_CHECKING:
    from datasets_me.export.trace import Trace, TracedRow


def trace(
    file: Path = typer.Argument(
        help="A segment, a clip, the array of a video, a shard or a table, where 'me-datasets export' wrote it."
    ),
    item: str = typer.Option(None, "--item", help="The key of an item, in a tar shard or a Parquet table."),
    as_json: bool = arguments.JSON,
) -> None:
    """Walk from an exported file back to the workbook's sheet, row and cells.

    Exit code 0: found. 1: found, but the file was changed since it was written. 2: could not run.
    """
    from datasets_me.export.trace import trace as walk

    found = walk(file, item)
    if as_json:
        show.echo_json(found.model_dump(mode="json"))
    else:
        _show(found)
    raise typer.Exit(0 if found.intact else 1)


def _show(found: Trace) -> None:
    out = show.console()
    features = found.features or "none"
    key = f", key {found.features_key}" if found.features_key else ""
    show.lines(
        out,
        ("file", found.file),
        *([("item", found.key)] if Path(found.file).stem != found.key else []),
        ("sha256", f"{found.sha256}{'' if found.intact else ', CHANGED since it was written'}"),
        ("shows", f"{found.video}, {found.length:,} frames from {found.start:,} at {found.fps:g} a second"),
        ("subject", found.subject),
        ("features", f"{features}{key}"),
        *([("their sha256", found.features_sha256)] if found.features_sha256 else []),
        ("schema", f"sha256 {found.schema_sha256}"),
        ("made by", found.tool),
    )
    for row in found.rows:
        _show_row(row)
    if not found.rows:
        out.print("", "no annotation: nothing is expressed here")


def _show_row(row: TracedRow) -> None:
    out = show.console()
    sheet = f", sheet '{row.sheet}'" if row.sheet else ""
    out.print("", f"{row.annotation}: {row.file}{sheet}, row {row.row}", style="bold")
    out.print(f"sha256 {row.sha256 or 'not recorded'}")
    table = show.table(None, "field", "cell", "workbook", "manifest", "labelled at")
    how = {"apex": row.apex_from, "offset": row.offset_from}
    for cell in row.cells:
        said = "" if cell.raw is None else cell.raw
        if cell.corrected is not None:
            said += f" (corrected to {cell.corrected})"
        at = "" if cell.labelled is None else str(cell.labelled)
        rule = how.get(cell.field)
        if rule not in (None, "annotated"):
            at += f" ({rule})"
        table.add_row(cell.field, cell.cell or "", said, cell.value, at)
    out.print(table)
