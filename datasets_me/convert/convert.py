"""Reading an annotation file of a dataset as a whole."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from datasets_me.convert.across_rows import check_rows
from datasets_me.convert.normalise import Normaliser
from datasets_me.convert.variants import find_table, fits
from datasets_me.convert.workbook import Book, read_book
from datasets_me.core.errors import WorkbookError
from datasets_me.findings.finding import Finding
from datasets_me.folders.videos import list_videos
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema.schema_files import Schema, shipped
from datasets_me.schema.spec import Spec


@dataclass(frozen=True)
class AnnotationFile:
    """The file that the annotations were read from."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Conversion:
    """The annotations of one file, the findings about them, and where they came from."""

    schema: Schema
    variant: str
    source: AnnotationFile
    annotations: list[Annotation]
    findings: list[Finding]
    corrections: bool

    def manifest(self) -> Manifest:
        """The manifest of this conversion, with a video row, without a path, for every annotated video."""
        return Manifest(
            schema=self.schema,
            annotations=self.annotations,
            videos=list_videos(self.schema.spec, self.annotations, None),
            findings=self.findings,
            variant=self.variant,
            sources=[asdict(self.source)],
            options={"corrections": self.corrections},
        )


def convert(schema: Schema, path: str | Path, *, corrections: bool = True) -> Conversion:
    """Read an annotation file by a schema.

    ``corrections=False`` leaves the schema's corrections out, and with them the findings about them.

    Raises:
        WorkbookError: the file cannot be read, fits no variant, or has no annotation at all.
    """
    return _convert_book(schema, read_book(Path(path)), corrections)


def convert_any(path: Path, *, corrections: bool = True) -> Conversion:
    """Read an annotation file of the shipped dataset that it fits.

    Raises:
        WorkbookError: it fits none, or more than one.
    """
    book = read_book(path)
    fitting = [schema for schema in shipped() if fits(schema.spec, book) and not of_another(schema.spec, book.name)]
    if len(fitting) != 1:
        names = ", ".join(schema.spec.id for schema in fitting or shipped())
        what = f"fits more than one dataset: {names}" if fitting else f"fits none of the datasets: {names}"
        raise WorkbookError(f"the annotation file {what}", where=str(path), fix="name the dataset it belongs to")
    return _convert_book(fitting[0], book, corrections)


def _convert_book(schema: Schema, book: Book, corrections: bool) -> Conversion:
    spec: Spec = schema.spec
    another = of_another(spec, book.name)
    if another is not None:
        raise WorkbookError(
            f"by its name this is the workbook of {another}, not of {spec.id}",
            where=str(book.path),
            fix="name that dataset (me-datasets datasets lists them), or rename the file",
        )
    table = find_table(spec, book)
    normaliser = Normaliser(spec, table, corrections)
    annotations = list(normaliser.annotations())
    if not annotations and not any(finding.code == "ME134" for finding in normaliser.findings):
        raise WorkbookError(
            f"no row of sheet '{table.sheet.name}' is an annotation",
            details=[f"{finding.where}: {finding.message}" for finding in normaliser.findings[:5]],
            where=str(book.path),
        )
    across = check_rows(spec, table.variant.id, annotations, normaliser.left_out)
    findings = [*table.findings, *normaliser.findings, *across]
    source = AnnotationFile(book.name, book.sha256, book.bytes)
    return Conversion(schema, table.variant.id, source, annotations, _in_order(findings), corrections)


def of_another(spec: Spec, name: str) -> str | None:
    """The dataset that a file's name says it is of, where the schema knows it as another with the same columns."""
    patterns = spec.workbook.other_files.items()
    return next((other for pattern, other in patterns if fnmatchcase(name.casefold(), pattern.casefold())), None)


def _in_order(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda f: (f.code, f.file or "", f.sheet or "", f.row or 0, f.column or "", f.message))
