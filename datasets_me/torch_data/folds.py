"""Which items belong to one part of one fold of a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets_me.core.errors import SplitError
from datasets_me.formats import split as split_files
from datasets_me.formats.items import ItemRow
from datasets_me.formats.split import PARTS, Part

__all__ = ["PARTS", "Fold", "Part", "read_fold"]


@dataclass(frozen=True)
class Fold:
    """One fold of a split, of one dataset: whole videos, and single expressions, by part.

    ``trained`` are all datasets of its training part, which need not be the one the rest is of.
    """

    name: str
    videos: dict[Part, frozenset[tuple[str, str]]]
    annotations: dict[Part, frozenset[str]]
    trained: tuple[str, ...] = ()

    def videos_of(self, part: Part, rows: Sequence[ItemRow]) -> list[ItemRow]:
        """The items of the videos of a part.

        Raises:
            SplitError: the split is one of expressions, or gives this part nothing that was exported.
        """
        if any(self.annotations.values()):
            raise SplitError(
                "the split is one of expressions, and a segment may hold several",
                fix="make one of whole videos: me-datasets split … --unit video",
            )
        chosen = [row for row in rows if (row.subject, row.video) in self.videos[part]]
        return self._checked(part, chosen)

    def clips_of(self, part: Part, rows: Sequence[ItemRow]) -> list[ItemRow]:
        """The clips of a part: named one by one, or by their video.

        Raises:
            SplitError: the split gives this part nothing that was exported.
        """
        videos, annotations = self.videos[part], self.annotations[part]
        chosen = [
            row for row in rows if (row.subject, row.video) in videos or not annotations.isdisjoint(row.annotations)
        ]
        return self._checked(part, chosen)

    def _checked(self, part: Part, chosen: list[ItemRow]) -> list[ItemRow]:
        if not chosen and (self.videos[part] or self.annotations[part]):
            raise SplitError(
                f"nothing of the {part} part of fold '{self.name}' was exported",
                fix="make the split and the export from the same manifest",
            )
        return chosen


def read_fold(split: Path, fold: str, dataset: str) -> Fold:
    """A fold of a split's folder.

    Raises:
        SplitError: there is no such split or fold, or it names nothing of this dataset.
    """
    held = split_files.read(split)
    rows = {part: [row for row in held.part(fold, part) if row.dataset == dataset] for part in PARTS}
    if not any(rows.values()):
        raise SplitError(f"fold '{fold}' of the split names nothing of {dataset}", where=str(split))
    return Fold(
        fold,
        {
            part: frozenset((row.subject, row.video) for row in mine if row.annotation is None)
            for part, mine in rows.items()
        },
        {part: frozenset(row.annotation for row in mine if row.annotation is not None) for part, mine in rows.items()},
        tuple(sorted({row.dataset for row in held.part(fold, "train")})),
    )
