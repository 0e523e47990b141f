"""Which items belong to one part of one fold of a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datasets_me.errors import MeDatasetsError
from datasets_me.export.items import ItemRow
from datasets_me.manifest import read_parquet
from datasets_me.records import SplitRow

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

TABLE = "splits.parquet"


@dataclass(frozen=True)
class Fold:
    """One fold of a split, of one dataset: whole videos, and single expressions, by part."""

    name: str
    videos: dict[Part, frozenset[tuple[str, str]]]
    annotations: dict[Part, frozenset[str]]

    def videos_of(self, part: Part, rows: Sequence[ItemRow]) -> list[ItemRow]:
        """The items of the videos of a part.

        Raises:
            MeDatasetsError: the split is one of expressions, or gives this part nothing that was exported.
        """
        if any(self.annotations.values()):
            raise MeDatasetsError(
                "the split is one of expressions, and a segment may hold several",
                fix="make one of whole videos, with --protocol loso",
            )
        chosen = [row for row in rows if (row.subject, row.video) in self.videos[part]]
        return self._checked(part, chosen)

    def clips_of(self, part: Part, rows: Sequence[ItemRow]) -> list[ItemRow]:
        """The clips of a part: named one by one, or by their video.

        Raises:
            MeDatasetsError: the split gives this part nothing that was exported.
        """
        videos, annotations = self.videos[part], self.annotations[part]
        chosen = [
            row for row in rows if (row.subject, row.video) in videos or not annotations.isdisjoint(row.annotations)
        ]
        return self._checked(part, chosen)

    def _checked(self, part: Part, chosen: list[ItemRow]) -> list[ItemRow]:
        if not chosen and (self.videos[part] or self.annotations[part]):
            raise MeDatasetsError(
                f"nothing of the {part} part of fold '{self.name}' was exported",
                fix="make the split and the export from the same manifest",
            )
        return chosen


def read_fold(split: Path, fold: str, dataset: str) -> Fold:
    """A fold of a split's folder, or of its table itself.

    Raises:
        MeDatasetsError: there is no such split or fold, or it names nothing of this dataset.
    """
    table = split / TABLE if split.is_dir() else split
    try:
        rows = read_parquet(SplitRow, table)
    except (OSError, ValueError) as error:
        raise MeDatasetsError(
            f"not a split: {TABLE} cannot be read", where=str(split), fix="make one with me-datasets split"
        ) from error
    folds = list(dict.fromkeys(row.fold for row in rows))
    if fold not in folds:
        shown = ", ".join(folds[:10]) + (", …" if len(folds) > 10 else "")
        raise MeDatasetsError(f"the split has no fold '{fold}'", where=str(split), fix=f"choose one of {shown}")
    mine = [row for row in rows if row.fold == fold and row.dataset == dataset]
    if not mine:
        raise MeDatasetsError(f"fold '{fold}' of the split names nothing of {dataset}", where=str(split))
    return Fold(
        fold,
        {
            part: frozenset((r.subject, r.video) for r in mine if r.part == part and r.annotation is None)
            for part in PARTS
        },
        {part: frozenset(r.annotation for r in mine if r.part == part and r.annotation is not None) for part in PARTS},
    )
