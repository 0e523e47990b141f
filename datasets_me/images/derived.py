"""A new set of images made from another: files in a folder of their own, and a table old -> new."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core import artefact, tables
from datasets_me.core.engine import Failure, in_order
from datasets_me.core.errors import ImagesError, WriteError
from datasets_me.core.paths import name_fault, safe_name, under
from datasets_me.core.tables import Record
from datasets_me.findings.finding import Finding
from datasets_me.formats import image_set
from datasets_me.formats.image_records import ImageRow, Origin
from datasets_me.formats.image_set import INSIDE, PLACE, Description, ImageSet
from datasets_me.formats.kinds import IMAGE_SET
from datasets_me.formats.parts import Done, Parts, done, with_files
from datasets_me.images.unread import nothing_read
from datasets_me.schema.template import Template

Image = NDArray[np.uint8]
Task = TypeVar("Task", bound=tuple[Any, ...])

JPEG_QUALITY = 95

NAMING = "{split}/{label}/{number:06}"
NAMING_FIELDS = ("split", "label", "subject", "sequence", "frame", "number", "stem")

_FORMATS = {"jpg": "jpeg", "png": "png"}


@dataclass(frozen=True)
class Made:
    """What came of one image: its new row, or None where there is none; a row of the table; doubts."""

    row: ImageRow | None
    entry: Record
    findings: list[Finding]


class Names:
    """New paths from a template such as ``{split}/{label}/{number:06}``.

    Folders that would have no name, because an image has no split or label, are left out.

    Raises:
        ImagesError: the template has other fields, or none.
    """

    def __init__(self, template: str, suffix: str) -> None:
        self._template, self._suffix = Template(template), suffix
        fields = set(self._template.fields)
        known = bool(fields) and fields <= set(NAMING_FIELDS) and not self._template.broken
        parts = self._template.render(dict.fromkeys(fields, "0")).split("/")
        if not known or any(name_fault(part.strip(". ")) for part in parts):
            raise ImagesError(
                f"'{template}' does not name images",
                fix=f"give a path of fields in braces, such as {NAMING}; there are {', '.join(NAMING_FIELDS)}",
            )
        self._taken: dict[str, str] = {}

    def path(self, row: ImageRow, number: int) -> str:
        """The new path of an image, which is the ``number``-th.

        Raises:
            ImagesError: another image has it already.
        """
        stem = Path(row.path).stem if row.path else f"{Path(row.source_file).stem}-{row.source_row}"
        values = {
            **{name: getattr(row, name) for name in ("split", "label", "subject", "sequence", "frame")},
            "number": number,
            "stem": stem,
        }
        texts = {name: "" if value is None else safe_name(str(value)) for name, value in values.items()}
        parts = (part.strip(". ") for part in self._template.render(texts).split("/"))
        rendered = [part for part in parts if part]
        path = "/".join((PLACE, *rendered)) + f".{self._suffix}"
        other = self._taken.setdefault(path.casefold(), row.id)
        if other != row.id or not rendered:
            raise ImagesError(
                f"{other} and {row.id} would both be called {path}",
                fix="add {number:06} to the naming",
            )
        return path


def save(folder: Path, path: str, image: Image, row: ImageRow, done: str) -> ImageRow:
    """Write an image as JPEG (quality 95) or PNG, by the suffix of its path; returns its row.

    Args:
        row: that of the image it was made from.
        done: what was done to that, for `Origin`.

    Raises:
        WriteError: the file cannot be written.
    """
    suffix = Path(path).suffix
    coded = cv2.imencode(suffix, image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if suffix == ".jpg" else [])[
        1
    ].tobytes()
    target = under(folder, path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(coded)
    except OSError as error:
        raise WriteError(f"the file cannot be written: {error.strerror or error}", where=str(target)) from error
    return row.model_copy(
        update={
            "path": path,
            "pixels": None,
            "width": image.shape[1],
            "height": image.shape[0],
            "format": _FORMATS[suffix[1:]],
            "size": len(coded),
            "sha256": hashlib.sha256(coded).hexdigest(),
            "damage": None,
            "origins": [
                *row.origins,
                Origin(dataset=row.dataset, id=row.id, path=row.path, sha256=row.sha256, done=done),
            ],
        }
    )


@dataclass(frozen=True)
class Change(Generic[Task]):
    """How a set is made from another.

    Attributes:
        table: the name of the table old -> new.
        model: of its rows.
        tasks: gives the tasks, one per image in order, each time it is called; the first of each is the image's row.
        make: gives the function of a task, for the folder that files go to.
        without: what is made, given a task and why, if the function gives nothing.
        options: what the new set depends on.
        root: the folder the files lie under that it is made from.
    """

    table: str
    model: type[Record]
    tasks: Callable[[], Iterable[Task]]
    make: Callable[[Path], Callable[[Task], Made]]
    without: Callable[[Task, str], Made]
    options: dict[str, Any]
    root: Path | None


def write_derived(
    images: ImageSet,
    out: Path,
    change: Change[Task],
    *,
    workers: int,
    progress: Callable[[int, int], None],
    force: bool,
) -> ImageSet:
    """Make a new set of images in one pass; nothing of it is seen before it is whole.

    A run that was killed goes on where it was, see `parts`.

    Args:
        images: the set that it is made from.
        out: the new folder.
        change: how it is made.
        workers: processes.
        progress: called with the number of images done, and of all.
        force: replace an earlier set.

    Raises:
        OutputError: ``out`` exists and may not be replaced.
        ImagesError: no image can be read.
        WriteError: something cannot be written.
    """
    artefact.may_replace(out, IMAGE_SET, force)
    findings: list[Finding] = []
    entries: list[Record] = []
    files: set[str] = set()
    options = {**change.options, "images": {images.dataset: images.sha256}}
    parts = Parts(
        out,
        Done,
        {**options, "table": change.table, "root": str(change.root and change.root.resolve())},
        folders=[PLACE],
    )

    def make(tasks: Iterable[Task]) -> Iterator[Done]:
        for task, outcome in in_order(change.make(parts.folder), tasks, workers):
            failed = isinstance(outcome, Failure)
            derived = change.without(task, outcome.why) if isinstance(outcome, Failure) else outcome
            row = [derived.row] if derived.row else []
            files = [each.path for each in row if each.path]
            yield done(parts.folder, task[0].id, [derived.entry, *row], derived.findings, files, read=not failed)

    def rows(new: Path) -> Iterator[ImageRow]:
        images_done = with_files(parts, change.tasks, lambda task: task[0].id, make)
        for number, each in enumerate(images_done, start=1):
            entry, row, doubts = each.content(change.model, ImageRow)
            findings.extend(doubts)
            entries.append(entry)
            files.update(each.files)
            progress(number, len(images))
            yield from row
        if 0 < len(images) == sum(each.code == "ME702" for each in findings):
            raise nothing_read(images.folder, findings[0].where + ": " + findings[0].message)
        about = {"table": change.table, "options": options}
        tables.stream(new / f"{change.table}.parquet", change.model, entries, about)

    with parts.held(), artefact.new_folder(out, IMAGE_SET, force=force) as new:
        source = {"name": images.folder.resolve().name, "files": []}
        description = Description(images.dataset, INSIDE, source, options, images.about.get("subset"))
        image_set.fill(new, images.schema, rows(new.path), findings, description)
        parts.give(new, files)
    return image_set.read(out)
