"""The base of all looks: what is measured of every picture is judged, and becomes a table of its own with findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Generic, TypeVar

from datasets_me.core.engine import in_order, workers_for
from datasets_me.core.tables import Record
from datasets_me.findings.finding import Finding
from datasets_me.formats.image_records import ImageRow, OfImage
from datasets_me.formats.image_set import ImageSet
from datasets_me.formats.image_tables import refuse_table, write_table
from datasets_me.formats.parts import Parts, resumed
from datasets_me.images.unread import watched

Measured = TypeVar("Measured", bound=OfImage)


@dataclass(frozen=True)
class Look(Generic[Measured]):
    """One way to look at pictures.

    Attributes:
        name: of the table, ``<name>.parquet``.
        model: of its rows, of which there is one per image.
        measured: of what is measured of an image.
        measure: ``measure(task, root=folder)`` looks at one picture, perhaps in another process; it raises
            ``DamageError`` for one that cannot be read.
        without: what stands for such a one.
        judge: makes rows of what was measured, in order, and adds its findings to a list.
        options: what the table depends on.
        measured_by: those of the options that what is measured depends on.
    """

    name: str
    model: type[Record]
    measured: type[Measured]
    measure: Callable[..., Measured]
    without: Callable[[ImageRow], Measured]
    judge: Callable[[Iterator[Measured], list[Finding]], Iterator[Record]]
    options: Mapping[str, Any] = field(default_factory=dict)
    measured_by: Sequence[str] = ()


def write_look(
    look: Look[Measured],
    sets: Sequence[tuple[ImageSet, Path | None]],
    *,
    tasks: Callable[[ImageSet], Iterable[Any]] = ImageSet.rows,
    out: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None],
    force: bool = False,
) -> tuple[Path, list[Finding]]:
    """Look at all images of all sets and write the table; returns its path and the findings.

    A run that was killed goes on where it was, see `parts`.

    Args:
        look: how to look.
        sets: each with the folder its files lie under.
        tasks: what ``look.measure`` is given, one per image of a set; the rows by default, or pairs of a row and what
            it is looked at with.
        out: the folder of the table; that of the first set by default.
        workers: processes; one per core by default, fewer for few images.
        progress: called with the number of images done, and of all.
        force: replace an earlier table.

    Findings: ME702 an image cannot be read; and those of the look.

    Raises:
        ImagesError: no image of a set can be read, or the table exists already or cannot be written.
    """
    table = (out or sets[0][0].folder) / f"{look.name}.parquet"
    refuse_table(table, force)
    key = {
        "images": {images.dataset: images.sha256 for images, _ in sets},
        "roots": [str(root and root.resolve()) for _, root in sets],
        "measured": {name: look.options[name] for name in look.measured_by},
    }
    parts: Parts[Measured] = Parts(table, look.measured, key)
    total = sum(len(images) for images, _ in sets)
    findings: list[Finding] = []
    judged: list[Finding] = []

    def measured() -> Iterator[Measured]:
        rows, earlier = parts.kept()
        unread = {each.path for each in earlier}
        known = {(row.dataset, row.id): row for row in rows if row.id not in unread}
        done = 0
        for images, root in sets:
            for result in resumed(partial(tasks, images), _key, known, partial(read, images, root, bool(known))):
                done += 1
                progress(done, total)
                yield result

    def read(images: ImageSet, root: Path | None, some: bool, some_tasks: Iterable[Any]) -> Iterator[Measured]:
        results = in_order(partial(look.measure, root=root), some_tasks, workers_for(workers, len(images)))
        return parts.keep(watched(images, root, results, look.without, findings, some=some), findings)

    (first_set, _), *others = sets
    with parts.held():
        path = write_table(
            first_set,
            look.name,
            look.model,
            look.judge(measured(), judged),
            chain(findings, judged),  # neither is read before the last row was made
            out=out,
            options=dict(look.options),
            force=force,
            also=tuple(images for images, _ in others),
        )
    return path, [*findings, *judged]


def _key(task: ImageRow | tuple[ImageRow, Any]) -> tuple[str, str]:
    row = task if isinstance(task, ImageRow) else task[0]
    return row.dataset, row.id
