"""From what a set of images is delivered as to a folder of tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from datasets_me.core import artefact
from datasets_me.core.errors import ImagesError
from datasets_me.core.pictures import MOST_PIXELS
from datasets_me.findings.finding import Finding
from datasets_me.formats import image_set
from datasets_me.formats.image_records import ImageRow
from datasets_me.formats.image_set import Description, ImageSet
from datasets_me.formats.kinds import IMAGE_SET
from datasets_me.formats.parts import Parts
from datasets_me.images import from_table, subsets
from datasets_me.images.from_files import FilesReader, SeenFile, usable_files
from datasets_me.images.from_table import TableReader
from datasets_me.schema import image_schemas
from datasets_me.schema.image_schemas import ImageSchema


def _quiet(done: int, total: int | None = None) -> None:
    pass


@dataclass(frozen=True)
class ImportOptions:
    """How a set is read.

    Attributes:
        name: what the set is called in its tables; the schema's id by default, with that of the subset.
        subset: of the schema's subsets, the one to read.
        most_pixels: images with more pixels are damaged; they are never decoded.
    """

    name: str | None = None
    subset: str | None = None
    most_pixels: int = MOST_PIXELS


def import_images(
    schema: ImageSchema,
    source: Path,
    out: Path,
    options: ImportOptions = ImportOptions(),
    *,
    workers: int | None = None,
    progress: Callable[..., None] = _quiet,
    force: bool = False,
) -> ImageSet:
    """Read a set in one pass and write it to a folder.

    A run over files that was killed goes on where it was, see `parts`; files that have changed since are read again.

    Args:
        schema: what the set looks like.
        source: the table, or the folder the files lie under.
        out: the new folder.
        options: how it is read.
        workers: processes that look into files; one per core by default.
        progress: called with the number of images seen, and of all where that is known.
        force: replace an earlier set.

    Raises:
        ImagesError: nothing can be read.
        OutputError: ``out`` exists and may not be replaced.
        WriteError: it cannot be written.
    """
    artefact.may_replace(out, IMAGE_SET, force)
    findings: list[Finding] = []
    rows: Iterator[ImageRow]
    subset: str | None = None
    parts = Parts(out, SeenFile, {"root": str(source.resolve()), "most_pixels": options.most_pixels})
    if schema.spec.table:
        subsets.choose(schema.spec, options.subset, source, [])
        dataset = options.name or schema.spec.id
        table = TableReader(schema, from_table.find(source, schema.spec.table), dataset, findings)
        rows, root, read = table.rows(progress), None, table.source
    else:
        paths = list(usable_files(source, findings))
        subset = subsets.choose(schema.spec, options.subset, source, paths)
        paths, others = subsets.only(schema.spec, subset, paths, findings)
        schema = schema.of_subset(subset)
        dataset = options.name or schema.spec.id + (f"-{subset}" if subset else "")
        files = FilesReader(schema, source, dataset, findings, most_pixels=options.most_pixels)
        rows, root, read = files.rows(paths, progress, workers, parts), source.resolve().name, files.source
        read.update({"other_subsets": dict(others)} if others else {})
    with parts.held():
        return image_set.write(
            out,
            schema,
            _at_least_one(rows, findings, source),
            findings,
            Description(dataset, root, read, asdict(options), subset),
            force=force,
        )


def folder_labels(source: Path) -> ImageSchema:
    """The schema of a folder per class, with the names of the folders as labels.

    Raises:
        ImagesError: the source is no folder, or no image lies in a folder of a class.
    """
    schema = image_schemas.load("folder-per-class")
    files = FilesReader(schema, source, "folders", [])
    return image_schemas.of_folders(files.labels_in_paths(list(usable_files(source, []))))


def _at_least_one(rows: Iterable[ImageRow], findings: list[Finding], source: Path) -> Iterator[ImageRow]:
    count = 0
    for row in rows:
        count += 1
        yield row
    if not count:
        first = f"; first: {findings[0].where}: {findings[0].message}" if findings else ""
        raise ImagesError(f"there is not one image{first}", where=str(source), fix="is the --schema right?")
