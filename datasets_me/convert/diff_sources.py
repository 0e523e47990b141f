"""Two annotation sources of any kind, compared."""

from __future__ import annotations

from pathlib import Path

from datasets_me.convert.convert import convert, convert_any
from datasets_me.convert.diff import Comparison, compare
from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats import manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema import schema_files


def compare_sources(a: Path, b: Path, dataset: str | None = None) -> Comparison:
    """Compare two manifests, workbooks, or 7-column CSVs of the AUW-GCN family.

    Args:
        dataset: id, alias or schema of the workbooks; None to tell it from their content.

    Raises:
        MeDatasetsError: a source cannot be read, or they are of two datasets.
    """
    rows_a, rows_b = _annotations(a, dataset), _annotations(b, dataset)
    if rows_a and rows_b and rows_a[0].dataset != rows_b[0].dataset:
        raise MeDatasetsError(
            f"A is {rows_a[0].dataset}, B is {rows_b[0].dataset}",
            where=f"{a}, {b}",
            fix="compare sources of one dataset",
        )
    return compare(rows_a, rows_b)


def _annotations(path: Path, dataset: str | None) -> list[Annotation]:
    if path.is_dir():
        return manifest.read(path).annotations
    return (convert(schema_files.load(dataset), path) if dataset else convert_any(path)).annotations
