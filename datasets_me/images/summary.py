"""Counts of a set of images for people, and the folders that several sets' files lie under."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.formats.image_set import INSIDE, ImageSet
from datasets_me.images.export.plan import Plan
from datasets_me.schema.images import SPLITS

Counts = dict[str, Counter[str]]
"""split -> label -> images; ``""`` is no split, and no label."""


def count_set(images: ImageSet) -> Counts:
    """The images of a set."""
    table = images.table(["split", "label"])
    return _counted(zip(table["split"].to_pylist(), table["label"].to_pylist(), strict=True))


def count_plan(plan: Plan) -> Counts:
    """The images that are to be exported."""
    return _counted((row.split, row.label) for row in plan.rows)


def _counted(pairs: Iterable[tuple[str | None, str | None]]) -> Counts:
    counts: Counts = {}
    for split, label in pairs:
        counts.setdefault(split or "", Counter())[label or ""] += 1
    order = [*SPLITS, ""]
    return dict(sorted(counts.items(), key=lambda item: order.index(item[0])))


def with_roots(sets: Sequence[ImageSet], roots: Sequence[Path]) -> list[tuple[ImageSet, Path | None]]:
    """Each set with the folder its files lie under; ``roots`` are those of the sets whose files lie elsewhere.

    Raises:
        MeDatasetsError: there are more or fewer roots than such sets.
    """
    elsewhere = [images for images in sets if images.about["root"] not in (None, INSIDE)]
    if len(roots) != len(elsewhere):
        raise MeDatasetsError(
            f"{plural(len(elsewhere), 'set')} {'has its' if len(elsewhere) == 1 else 'have their'} files elsewhere,"
            f" but --root is given {plural(len(roots), 'time')}",
            fix=f"give --root for {', '.join(str(images.folder) for images in elsewhere)}, in this order"
            if elsewhere
            else "leave it out",
        )
    rest = iter(roots)
    return [(images, images.root(next(rest) if images in elsewhere else None)) for images in sets]
