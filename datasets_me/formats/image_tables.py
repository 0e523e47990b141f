"""Tables that commands put beside a set of images: one row per image, and findings of their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from datasets_me.core import tables
from datasets_me.core.errors import ImagesError
from datasets_me.core.files import umask
from datasets_me.core.tables import Record
from datasets_me.core.version import __version__
from datasets_me.findings.finding import Finding
from datasets_me.formats.image_set import ImageSet

Row = TypeVar("Row", bound=Record)


def write_table(
    images: ImageSet,
    name: str,
    model: type[Record],
    rows: Iterable[Record],
    findings: list[Finding],
    *,
    out: Path | None = None,
    options: dict[str, Any] | None = None,
    force: bool = False,
    also: tuple[ImageSet, ...] = (),
) -> Path:
    """Write ``<name>.parquet`` and ``<name>-findings.parquet`` into ``out``, the set's own folder by default.

    Args:
        rows: one per image; each is held only until its group is written.
        findings: may grow while the rows are made.
        options: what the table depends on; kept in it, with the checksums of the sets it is about.
        also: further sets that the table is about.

    Raises:
        ImagesError: the table exists already, something else of its name does, or it cannot be written.
    """
    folder = out or images.folder
    path = folder / f"{name}.parquet"
    refuse_table(path, force)
    temporary: list[Path] = []
    about = {
        "table": name,
        "images": {each.dataset: each.sha256 for each in (images, *also)},
        "options": options or {},
        "tool": {"name": "me-datasets", "version": __version__},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for target in (path, folder / f"{name}-findings.parquet"):
            handle, file = tempfile.mkstemp(prefix=f".{target.name}.", dir=folder)
            os.close(handle)
            temporary.append(Path(file))
        tables.stream(temporary[0], model, rows, about)
        tables.stream(temporary[1], Finding, findings, about)
        for file_made, target in zip(temporary, (path, folder / f"{name}-findings.parquet"), strict=True):
            file_made.chmod(0o666 & ~umask())
            file_made.replace(target)
    except OSError as error:
        raise ImagesError(f"the table cannot be written: {error.strerror or error}", where=str(path)) from error
    finally:
        for file_made in temporary:
            file_made.unlink(missing_ok=True)
    return path


def refuse_table(path: Path, force: bool) -> None:
    """Only a table that this tool wrote is replaced, and only with ``force``.

    Raises:
        ImagesError: the file has to stay.
    """
    if not path.exists():
        return
    if not force:
        raise ImagesError("the table exists already", where=str(path), fix="add --force to replace it")
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
    for batch in tables.batches(path, model):
        yield from batch
