"""The tables beside the items of an export: the items, and what they were made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.files import checksum
from datasets_me.core.paths import check_table, under
from datasets_me.core.tables import Record, read_parquet, sha256_of, write_parquet
from datasets_me.findings.finding import Finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation

TABLE = "items.parquet"
ANNOTATIONS = "annotations.parquet"
FINDINGS = "findings.parquet"


class ItemRow(Record):
    """One item of an export.

    ``part`` is ``train`` or ``test`` for segments, ``whole`` for the array of a video, None for clips. ``file`` is
    relative to the export's folder, ``sha256`` its hash, ``key`` the item's name in a shard or table. ``start`` is the
    0-based frame, at ``fps``, of its first frame without context, ``length`` how many frames of the video it covers.
    ``annotations`` are the ids of the manifest's rows that it shows. ``features_key`` is that of the extraction,
    ``features_sha256`` the hash of the array's numbers.
    """

    part: str | None = None
    file: str
    key: str
    sha256: str | None = None
    subject: str
    video: str
    name: str
    start: int
    length: int
    fps: float
    annotations: list[str] = Field(default_factory=list)
    features: str | None = None
    features_key: str | None = None
    features_sha256: str | None = None


def write_tables(folder: Path, items: list[ItemRow], annotations: list[Annotation], findings: list[Finding]) -> None:
    """Write the items, whose files must exist, the annotations they name, and the findings."""
    write_parquet(ItemRow, list(_with_hashes(folder, items)), folder / TABLE)
    write_parquet(Annotation, annotations, folder / ANNOTATIONS)
    write_parquet(Finding, findings, folder / FINDINGS)


def _with_hashes(folder: Path, items: Iterable[ItemRow]) -> Iterator[ItemRow]:
    """The items with the hash of their file where it is missing; each file is read once."""
    known: dict[str, str] = {}
    for item in items:
        if item.sha256 is None and item.file not in known:
            known[item.file] = checksum(under(folder, item.file))
        yield item if item.sha256 else item.model_copy(update={"sha256": known[item.file]})


def read_items(folder: Path) -> list[ItemRow]:
    """The items of an export, in the order they were written in.

    Raises:
        MeDatasetsError: the table is missing or damaged.
        PathError: a file of it lies outside the folder.
    """
    try:
        rows = read_parquet(ItemRow, folder / TABLE)
    except (OSError, ValueError) as error:
        raise MeDatasetsError(f"{TABLE} is damaged: {error}", where=str(folder), fix="export again") from error
    check_table(folder / TABLE, rows, paths=["file"])
    return rows


def read_annotations(folder: Path) -> dict[str, Annotation]:
    """The annotations an export was made from, by id.

    Raises:
        MeDatasetsError: the table is missing or damaged.
    """
    try:
        return {row.id: row for row in read_parquet(Annotation, folder / ANNOTATIONS)}
    except (OSError, ValueError) as error:
        raise MeDatasetsError(f"{ANNOTATIONS} is damaged: {error}", where=str(folder), fix="export again") from error


def describe(manifest: Manifest) -> dict[str, Any]:
    """What an export records about its manifest.

    The hash is that of its annotations, as lines of JSON; the classes are all of the schema's, in its order.
    """
    emotions = manifest.spec.emotions
    return {
        "dataset": manifest.spec.id,
        "schema": {"version": manifest.spec.version, "sha256": manifest.schema.sha256},
        "variant": manifest.variant,
        "classes": {"class_3": list(emotions.class_3), "class_5": list(emotions.class_5)},
        "annotations_sha256": sha256_of(manifest.annotations),
        "sources": manifest.sources,
        "options": manifest.options,
    }
