"""``me-datasets diff``: two annotation sources of one dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import MeDatasetsError, plural

if TYPE_CHECKING:
    from datasets_me.convert.diff import Comparison
    from datasets_me.formats.records import Annotation

_SOURCE = "A manifest, a workbook, or a 7-column CSV of the AUW-GCN family."


def diff(
    a: Path = typer.Argument(help=_SOURCE),
    b: Path = typer.Argument(help=_SOURCE),
    dataset: str = typer.Option(
        None, "--dataset", help="The dataset of workbooks that do not tell: id, alias or schema."
    ),
    as_json: bool = arguments.JSON,
    parquet: Path = typer.Option(None, "--parquet", help="Write the differences to this file, too."),
) -> None:
    """Compare two annotation sources, row matched to row by what they are about.

    Exit code 0: they say the same. 1: they differ. 2: could not run.
    """
    from datasets_me.convert.diff import Difference, compare
    from datasets_me.core.tables import write_parquet

    rows_a, rows_b = _annotations(a, dataset), _annotations(b, dataset)
    if rows_a and rows_b and rows_a[0].dataset != rows_b[0].dataset:
        raise MeDatasetsError(
            f"A is {rows_a[0].dataset}, B is {rows_b[0].dataset}", fix="compare sources of one dataset"
        )
    comparison = compare(rows_a, rows_b)
    if parquet:
        write_parquet(Difference, comparison.differences, parquet)
    if as_json:
        counts = {"matched": comparison.matched, "equal": comparison.equal, "not_compared": comparison.not_compared}
        found = [difference.model_dump(exclude_none=True) for difference in comparison.differences]
        show.echo_json({"a": str(a), "b": str(b), **counts, "differences": found})
    else:
        _show(comparison, a, b)
    raise typer.Exit(1 if comparison.differences else 0)


def _annotations(path: Path, dataset: str | None) -> list[Annotation]:
    from datasets_me.convert.convert import convert, convert_any
    from datasets_me.formats import manifest
    from datasets_me.schema import schema_files

    if path.is_dir():
        return manifest.read(path).annotations
    return (convert(schema_files.load(dataset), path) if dataset else convert_any(path)).annotations


def _show(comparison: Comparison, a: Path, b: Path) -> None:
    out = show.console()
    out.print(f"A: {a}", f"B: {b}", "")
    if comparison.differences:
        table = show.table(None, "video", "expression", "field", "A", "B", "where in A", "where in B")
        for found in comparison.differences:
            field = found.field or found.status
            table.add_row(
                found.video, found.expression or "", field, found.a or "-", found.b or "-", found.where_a, found.where_b
            )
        out.print(table)
        out.print()
    out.print(
        f"{plural(comparison.matched, 'row')} matched, {comparison.equal} equal; "
        f"only in A {comparison.only('only in A')}, only in B {comparison.only('only in B')}"
    )
    for name in comparison.not_compared:
        out.print(f"not compared, because only one source has any: {name}")
