"""``me-datasets trace``: from an exported file back to the cells of the workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from datasets_me.core.arrays import ArrayError, load_npz
from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.core.files import checksum
from datasets_me.core.tables import Record
from datasets_me.export.labels import Label
from datasets_me.export.segments import LABELS, read_labels
from datasets_me.formats.exports import ABOUT, read_about
from datasets_me.formats.items import ItemRow, read_annotations, read_items
from datasets_me.formats.records import Annotation

FIELDS = ("onset", "apex", "offset", "type", "aus", "emotion")
"""What is traced of an annotation, in the order it is shown in."""


class Cell(Record):
    """One value of an annotation: what the manifest has, what the workbook said, and where.

    ``corrected`` is the text that a correction of the schema put in place of the workbook's; ``labelled`` the frame
    that carries the mark in the export, at its rate, where that is known.
    """

    field: str
    value: str | None
    raw: str | None
    cell: str | None
    corrected: str | None = None
    labelled: int | None = None


class Row(Record):
    """A row of a workbook that an item shows; ``sha256`` is the workbook's."""

    annotation: str
    file: str
    sha256: str | None
    sheet: str | None
    row: int
    cells: list[Cell]
    others: dict[str, str] = Field(default_factory=dict)
    offset_from: str | None = None
    apex_from: str | None = None


class Trace(Record):
    """Where an item of an exported file came from. ``intact`` is whether the file is still as it was written."""

    file: str
    key: str
    kind: str
    export: str
    sha256: str
    intact: bool
    subject: str
    video: str
    start: int
    length: int
    fps: float
    features: str | None
    features_key: str | None
    features_sha256: str | None
    schema_sha256: str
    annotations_sha256: str
    tool: str
    rows: list[Row]


def trace(path: Path, key: str | None = None) -> Trace:
    """Walk from a file of an export back to the rows of the workbook.

    Args:
        path: an npz, the array of a whole video, or with ``key`` a tar shard or a Parquet table.
        key: which of the items that the file holds.

    Raises:
        MeDatasetsError: the file is none that can be read, lies in no export, or holds no such item.
    """
    if not path.is_file():
        raise MeDatasetsError("there is no such file", where=str(path))
    folder = _export_of(path)
    about = read_about(folder)
    relative = path.resolve().relative_to(folder.resolve()).as_posix()
    item = _item(path, [item for item in read_items(folder) if item.file == relative], key)
    digest = checksum(path)
    intact = digest == item.sha256
    named = _names_in(path) if path.suffix == ".npz" and not intact else item.annotations
    annotations = read_annotations(folder)
    unknown = [name for name in named if name not in annotations]
    if unknown:
        raise MeDatasetsError(
            f"the file names annotations that the export lacks: {', '.join(unknown)}", where=str(path)
        )
    labels = _labels(folder, item)
    sources = {source["name"]: source["sha256"] for source in about["manifest"]["sources"]}
    return Trace(
        file=relative,
        key=item.key,
        kind=about["kind"],
        export=str(folder),
        sha256=digest,
        intact=intact,
        subject=item.subject,
        video=item.video,
        start=item.start,
        length=item.length,
        fps=item.fps,
        features=item.features,
        features_key=item.features_key,
        features_sha256=item.features_sha256,
        schema_sha256=about["manifest"]["schema"]["sha256"],
        annotations_sha256=about["manifest"]["annotations_sha256"],
        tool=f"{about['tool']['name']} {about['tool']['version']}",
        rows=[_row(annotations[name], labels.get(name), sources) for name in named],
    )


def _export_of(path: Path) -> Path:
    for folder in path.resolve().parents:
        if (folder / ABOUT).is_file():
            return folder
    raise MeDatasetsError(
        f"the file lies in no export: there is no {ABOUT} above it",
        where=str(path),
        fix="trace it where me-datasets export wrote it",
    )


def _item(path: Path, held: list[ItemRow], key: str | None) -> ItemRow:
    """The item that is meant, of those in a file."""
    if not held:
        raise MeDatasetsError(
            "the export knows no such item",
            where=str(path),
            fix="give a segment, a clip or the array of a video, where the export wrote it",
        )
    found = [item for item in held if key in (None, item.key)]
    if len(found) != 1:
        what = f"the file holds {plural(len(held), 'item')}"
        raise MeDatasetsError(
            what if key is None else f"{what}, and none is '{key}'",
            where=str(path),
            fix=f"say which: --item {held[0].key}",
        )
    return found[0]


def _names_in(path: Path) -> list[str]:
    """The annotations that a changed file names itself."""
    try:
        return [str(name) for name in load_npz(path, ["annotations"])["annotations"].ravel()]
    except ArrayError as error:
        raise MeDatasetsError(f"the file is damaged: {error}", where=str(path), fix="export again") from error


def _labels(folder: Path, item: ItemRow) -> dict[str, Label]:
    """How annotations were read for the video of an item; of clips, that stands in the clip."""
    if not (folder / LABELS).is_file():
        return {}
    return {row.annotation: row for row in read_labels(folder) if row.name == item.name}


def _row(annotation: Annotation, label: Label | None, sources: dict[str, str]) -> Row:
    return Row(
        annotation=annotation.id,
        file=annotation.source_file,
        sha256=sources.get(annotation.source_file),
        sheet=annotation.source_sheet,
        row=annotation.source_row,
        cells=[_cell(annotation, label, name) for name in FIELDS],
        others={name: cell for name, cell in annotation.source_cells.items() if name not in FIELDS},
        offset_from=label.offset_from if label else None,
        apex_from=label.apex_from if label else None,
    )


def _cell(annotation: Annotation, label: Label | None, name: str) -> Cell:
    value: Any = getattr(annotation, name)
    if name == "aus":
        value = "+".join(str(unit.au) for unit in annotation.aus) or None
    return Cell(
        field=name,
        value=None if value is None else str(value),
        raw=getattr(annotation, "au_raw" if name == "aus" else f"{name}_raw"),
        cell=annotation.source_cells.get(name),
        corrected=annotation.corrected.get(name),
        labelled=getattr(label, name) if label and name in ("onset", "apex", "offset") else None,
    )
