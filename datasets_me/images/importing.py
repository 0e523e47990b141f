"""From what a set of images is delivered as to a folder of tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from datasets_me.core import artefact
from datasets_me.core.errors import ImagesError
from datasets_me.findings.finding import Finding
from datasets_me.formats import image_set
from datasets_me.formats.image_records import ImageRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.formats.kinds import IMAGE_SET
from datasets_me.images import from_table
from datasets_me.images.from_files import FilesReader
from datasets_me.images.from_table import TableReader
from datasets_me.schema.image_schemas import ImageSchema


def _quiet(done: int, total: int | None = None) -> None:
    pass


def import_images(
    schema: ImageSchema,
    source: Path,
    out: Path,
    *,
    name: str | None = None,
    workers: int | None = None,
    progress: Callable[..., None] = _quiet,
    force: bool = False,
) -> ImageSet:
    """Read a set in one pass and write it to a folder.

    Args:
        source: the table, or the folder the files lie under.
        name: what the set is called in its tables; the schema's id by default.
        workers: processes that look into files; one per core by default.
        progress: called with the number of images seen, and of all where that is known.

    Raises:
        ImagesError: nothing can be read.
        OutputError: ``out`` exists and may not be replaced.
        WriteError: it cannot be written.
    """
    artefact.may_replace(out, IMAGE_SET, force)
    findings: list[Finding] = []
    dataset = name or schema.spec.id
    reader: TableReader | FilesReader
    rows: Iterator[ImageRow]
    if schema.spec.table:
        reader = TableReader(schema, from_table.find(source, schema.spec.table), dataset, findings)
        rows, root = reader.rows(progress), None
    else:
        reader = FilesReader(schema, source, dataset, findings)
        rows, root = reader.rows(progress, workers), source.resolve().name
    return image_set.write(
        out,
        schema,
        _at_least_one(rows, findings, source),
        findings,
        dataset=dataset,
        root=root,
        source=reader.source,
        options={"name": name},
        force=force,
    )


def _at_least_one(rows: Iterable[ImageRow], findings: list[Finding], source: Path) -> Iterator[ImageRow]:
    count = 0
    for row in rows:
        count += 1
        yield row
    if not count:
        first = f"; first: {findings[0].where}: {findings[0].message}" if findings else ""
        raise ImagesError(f"there is not one image{first}", where=str(source), fix="is the --schema right?")
