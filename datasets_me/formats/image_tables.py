"""Tables that commands put beside a set of images: one row per image, and findings of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from datasets_me.core import artefact, tables
from datasets_me.core.artefact import TOOL
from datasets_me.core.errors import ImagesError
from datasets_me.core.files import checksum
from datasets_me.core.tables import Record
from datasets_me.core.version import __version__
from datasets_me.findings.finding import Finding
from datasets_me.formats.image_set import ImageSet

Row = TypeVar("Row", bound=Record)


def write_table(  # noqa: PLR0913 - a table's name, kind, rows, findings and place, and what it depends on
    images: ImageSet,
    name: str,
    model: type[Record],
    rows: Iterable[Record],
    findings: Iterable[Finding],
    *,
    out: Path | None = None,
    options: dict[str, Any] | None = None,
    force: bool = False,
    also: tuple[ImageSet, ...] = (),
) -> Path:
    """Write ``<name>.parquet`` and ``<name>-findings.parquet`` into ``out``, the set's own folder by default.

    Args:
        images: the set that the table is about.
        name: of the table.
        model: of its rows.
        rows: one per image; each is held only until its group is written.
        findings: may grow while the rows are made.
        out: the folder of the table.
        options: what the table depends on; kept in it, with the checksums of the sets it is about.
        force: replace an earlier table.
        also: further sets that the table is about.

    Raises:
        ImagesError: the table exists already, something else of its name does, or it cannot be written.
    """
    folder = out or images.folder
    path = folder / f"{name}.parquet"
    refuse_table(path, force)
    about = {
        "table": name,
        "images": {each.dataset: each.sha256 for each in (images, *also)},
        "options": options or {},
        "tool": {"name": TOOL, "version": __version__},
    }
    with artefact.new_file(path) as table, artefact.new_file(_findings_of(path)) as beside:
        tables.stream(table, model, rows, about)
        tables.stream(beside, Finding, findings, about | {"beside": checksum(table)})
    return path


def refuse_table(path: Path, force: bool) -> None:
    """Only a table that this tool wrote is replaced, and only with ``force``.

    Raises:
        OutputError: it exists, and is not to be replaced.
        ImagesError: it is no table of ours.
    """
    artefact.may_write(path, force)
    if path.exists():
        tables.about(path)


def read_table(images: ImageSet, name: str, model: type[Row], folder: Path | None = None) -> Iterator[Row]:
    """The rows of ``<name>.parquet`` in order of the images, a few held at a time.

    Raises:
        MeDatasetsError: there is none, it is damaged, or it was made from other images.
    """
    path = (folder or images.folder) / f"{name}.parquet"
    if not path.is_file():
        raise ImagesError(
            f"there is no {path.name}", where=str(path.parent), fix=f"run me-datasets images {name} first"
        )
    made_from = tables.about(path).get("images", {})
    if made_from.get(images.dataset) != images.sha256:
        raise ImagesError(
            f"{path.name} was made from other images than those of the set",
            where=str(path),
            fix=f"run me-datasets images {name} again, with --force",
        )
    _refuse_other_run(path, _findings_of(path))
    for batch in tables.batches(path, model):
        yield from batch


def read_findings(images: ImageSet) -> list[Finding]:
    """The findings of the import, and of every table in the set's folder.

    Raises:
        ImagesError: a table is damaged, or its findings are of another run than the table itself.
    """
    findings = images.findings()
    for path in sorted(images.folder.glob("*-findings.parquet")):
        _refuse_other_run(path.with_name(path.name.replace("-findings", "")), path)
        findings += [row for batch in tables.batches(path, Finding) for row in batch]
    return findings


def _findings_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}-findings.parquet")


def _refuse_other_run(path: Path, beside: Path) -> None:
    """A run that was killed between putting the two in place leaves one of them older than the other."""
    if not (path.is_file() and beside.is_file()) or tables.about(beside).get("beside") != checksum(path):
        raise ImagesError(
            f"{path.name} and {beside.name} are not of the same run",
            where=str(path.parent),
            fix=f"run me-datasets images {path.stem} again, with --force",
        )
