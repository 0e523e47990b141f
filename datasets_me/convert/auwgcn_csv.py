"""Reading the 7-column CSV of the AUW-GCN family; :mod:`datasets_me.export.auwgcn_csv` writes it."""

from __future__ import annotations

from pathlib import Path

from datasets_me.convert.convert import Conversion, convert_any
from datasets_me.core.errors import WorkbookError


def convert_auwgcn_csv(path: Path, *, corrections: bool = True) -> Conversion:
    """Read such a CSV, whose dataset is known by the names of its videos.

    Raises:
        WorkbookError: it is not such a CSV, or the schema of its dataset has no such variant.
    """
    conversion = convert_any(path, corrections=corrections)
    if conversion.variant != "auwgcn-csv":
        raise WorkbookError(
            f"this is not a 7-column CSV, but a workbook of {conversion.schema.spec.id}",
            where=str(path),
            fix=f"me-datasets convert {conversion.schema.spec.id} {path}",
        )
    return conversion
