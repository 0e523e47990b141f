"""A table of estimated apexes, beside the annotations that have none of their own."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from datasets_me.core.artefact import write_file
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.files import read_regular
from datasets_me.core.tables import Record

_MOST_BYTES = 100_000_000


class EstimatedApex(Record):
    """An estimated apex: 0-based, at the annotation's frame rate, with its confidence from 0 to 1."""

    annotation: str
    subject: str
    video: str
    onset: int
    apex: int
    offset: int
    confidence: float


def write(rows: list[EstimatedApex], path: Path) -> None:
    """Write a CSV, one line for each apex.

    Raises:
        WriteError: it cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(EstimatedApex.model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.model_dump() for row in rows)
    write_file(path, text.getvalue().encode())


def read(path: Path) -> dict[str, int]:
    """Estimated apexes by the id of their annotation.

    Raises:
        MeDatasetsError: the file cannot be read, or is no such table.
    """
    try:
        lines = csv.DictReader(io.StringIO(read_regular(path, _MOST_BYTES).decode("utf-8-sig")))
        return {line["annotation"]: int(line["apex"]) for line in lines}
    except (OSError, UnicodeDecodeError, KeyError, ValueError, TypeError) as error:
        reason = (
            f"there is no column {error}" if isinstance(error, KeyError) else getattr(error, "strerror", None) or error
        )
        raise MeDatasetsError(
            f"the table of apexes cannot be read: {reason}", where=str(path), fix="make one with me-datasets apex"
        ) from error
