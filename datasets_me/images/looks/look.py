"""The base of all looks: what is measured of every picture is judged, and becomes a table of its own with findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from datasets_me.core.engine import in_order, workers_for
from datasets_me.core.tables import Record
from datasets_me.findings.finding import Finding
from datasets_me.formats.image_records import ImageRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.formats.image_tables import write_table
from datasets_me.images.unread import watched

Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Look(Generic[Measured]):
    """One way to look at pictures.

    Attributes:
        name: of the table, ``<name>.parquet``.
        model: of its rows, of which there is one per image.
        measure: ``measure(task, root=folder)`` looks at one picture, perhaps in another process; it raises
            ``DamageError`` for one that cannot be read.
        without: what stands for such a one.
        judge: makes rows of what was measured, in order, and adds its findings to a list.
        options: what the table depends on.
    """

    name: str
    model: type[Record]
    measure: Callable[..., Measured]
    without: Callable[[ImageRow], Measured]
    judge: Callable[[Iterator[Measured], list[Finding]], Iterator[Record]]
    options: Mapping[str, Any] = field(default_factory=dict)


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

    Args:
        sets: each with the folder its files lie under.
        tasks: what ``look.measure`` is given, one per image of a set; the rows by default.
        out: the folder of the table; that of the first set by default.

    Findings: ME702 an image cannot be read; and those of the look.

    Raises:
        ImagesError: no image of a set can be read, or the table exists already or cannot be written.
    """
    findings: list[Finding] = []
    total = sum(len(images) for images, _ in sets)

    def measured() -> Iterator[Measured]:
        done = 0
        for images, root in sets:
            results = in_order(partial(look.measure, root=root), tasks(images), workers_for(workers, len(images)))
            for result in watched(images, root, results, look.without, findings):
                done += 1
                progress(done, total)
                yield result

    (first, _), *others = sets
    path = write_table(
        first,
        look.name,
        look.model,
        look.judge(measured(), findings),
        findings,
        out=out,
        options=dict(look.options),
        force=force,
        also=tuple(images for images, _ in others),
    )
    return path, findings
