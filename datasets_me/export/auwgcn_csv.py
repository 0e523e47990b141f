"""The 7-column CSV of the AUW-GCN family: ``subject,video_name,start_frame,apex_frame,end_frame,type_idx,au``.

Its frame numbers are not those of a manifest. Per dataset, the schema says how the field counts: CAS(ME)² exactly as
in the workbook, 0 where nothing was annotated; SAMM Long Videos 0-based at 25 frames a second. ``type_idx`` is 1 for
macro and 2 for micro. Checked against the CSV files that are published with AUW-GCN (github.com/xjtupanda/AUW-GCN).

Published code compares its cells with the names of folders, so they are written unchanged, even where a spreadsheet
would take them for a formula because they begin with ``=``, ``+``, ``-`` or ``@``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from datasets_me.core.artefact import write_file
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.text import clean
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import FRAME_FIELDS, AuwgcnCsv, FrameField

COLUMNS = ("subject", "video_name", "start_frame", "apex_frame", "end_frame", "type_idx", "au")
VARIANT = "auwgcn-csv"
"""The workbook variant of schemas that reads such a file."""

_TYPE_INDEX = {"macro": "1", "micro": "2"}


def rows(manifest: Manifest) -> Iterator[tuple[str, ...]]:
    """The rows of the CSV, in the order of the workbook.

    Raises:
        MeDatasetsError: the field has no such CSV for this dataset.
    """
    convention = manifest.spec.auwgcn_csv
    if convention is None:
        raise MeDatasetsError(
            f"there is no AUW-GCN CSV of {manifest.spec.id}, so it is not known how its frames would be counted",
            fix="add auwgcn_csv to a copy of the schema",
        )
    for row in manifest.annotations:
        numbers = (_number(manifest, convention, row, name) for name in FRAME_FIELDS)
        units = row.corrected.get("aus", row.au_raw or "")
        yield (row.subject, row.video, *numbers, _TYPE_INDEX[row.type], units)


def write(manifest: Manifest, path: Path) -> int:
    """Write the CSV; returns the number of rows.

    Raises:
        MeDatasetsError: as in :func:`rows`, or the file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows(manifest))
    write_file(path, text.getvalue().encode())
    return len(manifest.annotations)


def _number(manifest: Manifest, convention: AuwgcnCsv, row: Annotation, name: FrameField) -> str:
    """One frame number as the published CSV has it: the workbook's, or the frame's where there is no workbook."""
    raw, frame = clean(row.corrected.get(name, getattr(row, f"{name}_raw") or "")), getattr(row, name)
    if not raw and frame is not None:
        raw = str(frame + manifest.spec.workbook.frames.base)
    if manifest.variant == VARIANT or convention.index == "workbook" or raw in convention.keep:
        return raw
    try:
        step = manifest.spec.fps / convention.fps
        return str(max(0, int((round(float(raw)) - 1) // step)))
    except ValueError:
        return raw
