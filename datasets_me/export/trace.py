"""``me-datasets trace``: from an exported file back to the cells of the workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from datasets_me.core.arrays import ArrayError, load_npz
from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.core.files import checksum
from datasets_me.core.tables import Record
from datasets_me.export.labels import LabelRow
from datasets_me.export.segments import LABELS, read_labels
from datasets_me.formats.exports import ABOUT, read_about
from datasets_me.formats.items import ItemRow, read_annotations, read_items
from datasets_me.formats.records import Annotation

FIELDS = ("onset", "apex", "offset", "type", "aus", "emotion")
"""The fields of an annotation that are traced, in the order in which they are shown."""


class TracedCell(Record):
    """One value of an annotation: in the manifest, in the workbook (``raw``), and the cell it comes from.

    ``corrected`` is the text that a correction of the schema put in place of the workbook's; ``labelled`` the frame
    that is marked in the export, at its rate, where that is known.
    """

    field: str
    value: str | None
    raw: str | None
    cell: str | None
    corrected: str | None = None
    labelled: int | None = None


class TracedRow(Record):
    """A workbook row whose annotation an item shows; ``sha256`` is the workbook's."""

    annotation: str
    file: str
    sha256: str | None
    sheet: str | None
    row: int
    cells: list[TracedCell]
    others: dict[str, str] = Field(default_factory=dict)
    offset_from: str | None = None
    apex_from: str | None = None


class Trace(Record):
    """Where an item of an exported file comes from. ``intact`` is false where the file changed since the export."""

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
    rows: list[TracedRow]


def trace(path: str | Path, key: str | None = None) -> Trace:
    """Trace a file of an export back to the rows of the workbook.

    Args:
        path: an npz, the array of a whole video, or with ``key`` a tar shard or a Parquet table.
        key: the item, where the file holds several.

    Raises:
        MeDatasetsError: the file cannot be read, lies in no export, or holds no such item.
    """
    path = Path(path)
    if not path.is_file():
        raise MeDatasetsError("there is no such file", where=str(path), fix="give a file that me-datasets export wrote")
    folder = _export_of(path)
    about = read_about(folder)
    relative = path.resolve().relative_to(folder.resolve()).as_posix()
    item = _item(path, [item for item in read_items(folder) if item.file == relative], key)
    digest = checksum(path)
    intact = digest == item.sha256
    names = _names_in(path) if path.suffix == ".npz" and not intact else item.annotations
    annotations = read_annotations(folder)
    unknown = [name for name in names if name not in annotations]
    if unknown:
        raise MeDatasetsError(
            f"the file names annotations that are not in the export: {', '.join(unknown)}",
            where=str(path),
            fix="export again",
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
        rows=[_row(annotations[name], labels.get(name), sources) for name in names],
    )


def _export_of(path: Path) -> Path:
    for folder in path.resolve().parents:
        if (folder / ABOUT).is_file():
            return folder
    raise MeDatasetsError(
        f"the file does not belong to an export: no folder above it has an {ABOUT}",
        where=str(path),
        fix="trace the file in the folder that me-datasets export wrote",
    )


def _item(path: Path, items: list[ItemRow], key: str | None) -> ItemRow:
    """The item with this key among those of a file."""
    if not items:
        raise MeDatasetsError(
            "the export has no item in this file",
            where=str(path),
            fix="give a segment, a clip or the array of a video",
        )
    matching = [item for item in items if key in (None, item.key)]
    if len(matching) != 1:
        count = f"the file holds {plural(len(items), 'item')}"
        raise MeDatasetsError(
            count if key is None else f"{count}, and none is called '{key}'",
            where=str(path),
            fix=f"choose one, such as --item {items[0].key}",
        )
    return matching[0]


def _names_in(path: Path) -> list[str]:
    """The annotations named in a file that was changed."""
    try:
        return [str(name) for name in load_npz(path, ["annotations"])["annotations"].ravel()]
    except ArrayError as error:
        raise MeDatasetsError(f"the file is damaged: {error}", where=str(path), fix="export again") from error


def _labels(folder: Path, item: ItemRow) -> dict[str, LabelRow]:
    """The labels of an item's video, by annotation; none for clips, which hold their labels themselves."""
    if not (folder / LABELS).is_file():
        return {}
    return {row.annotation: row for row in read_labels(folder) if row.name == item.name}


def _row(annotation: Annotation, label: LabelRow | None, sources: dict[str, str]) -> TracedRow:
    return TracedRow(
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


def _cell(annotation: Annotation, label: LabelRow | None, name: str) -> TracedCell:
    value: Any = getattr(annotation, name)
    if name == "aus":
        value = "+".join(str(unit.au) for unit in annotation.aus) or None
    return TracedCell(
        field=name,
        value=None if value is None else str(value),
        raw=getattr(annotation, "au_raw" if name == "aus" else f"{name}_raw"),
        cell=annotation.source_cells.get(name),
        corrected=annotation.corrected.get(name),
        labelled=getattr(label, name) if label and name in ("onset", "apex", "offset") else None,
    )
