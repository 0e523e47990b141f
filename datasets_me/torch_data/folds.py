"""Which items belong to one part of one fold of a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets_me.core.errors import MeDatasetsError, SplitError
from datasets_me.formats import split as split_files
from datasets_me.formats.items import ItemRow
from datasets_me.formats.split import PARTS, Part

__all__ = ["PARTS", "DatasetFold", "Part", "check_choice", "read_fold"]


@dataclass(frozen=True)
class DatasetFold:
    """One fold of a split, restricted to one dataset: whole videos, and single expressions, by part.

    ``trained`` are the datasets of its training part, which may be others than the dataset of the rest.
    """

    name: str
    videos: dict[Part, frozenset[tuple[str, str]]]
    annotations: dict[Part, frozenset[str]]
    trained: tuple[str, ...] = ()

    def videos_of(self, part: Part, rows: Sequence[ItemRow]) -> list[ItemRow]:
        """The items of the videos of a part.

        Raises:
            SplitError: the split is of expressions, or nothing of this part was exported.
        """
        if any(self.annotations.values()):
            raise SplitError(
                "the split is of expressions, but a segment may hold several",
                fix="split whole videos: me-datasets split … --unit video",
            )
        chosen = [row for row in rows if (row.subject, row.video) in self.videos[part]]
        return self._checked(part, chosen)

    def clips_of(self, part: Part, rows: Sequence[ItemRow]) -> list[ItemRow]:
        """The clips of a part: named one by one, or by their video.

        Raises:
            SplitError: nothing of this part was exported.
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


def check_choice(form: str, part: Part, split: str | Path | None, fold: str | None, folder: str | Path) -> None:
    """Check what the datasets of all exports have in common.

    Args:
        form: the format of the export, which has to be npz.
        part: of the fold.
        split: a folder of ``me-datasets split``.
        fold: the name of one of its folds.
        folder: of the export.

    Raises:
        MeDatasetsError: the export is of another format, there is no such part, or a split is given without a fold.
    """
    if form != "npz":
        raise MeDatasetsError(
            f"the export consists of {form} files", where=str(folder), fix="export with --format npz, or read those"
        )
    if part not in PARTS:
        raise MeDatasetsError(f"there is no part '{part}'", fix=f"choose one of {', '.join(PARTS)}")
    if (split is None) != (fold is None):
        raise MeDatasetsError("a split and one of its folds belong together", fix="give both, or neither")


def read_fold(split: Path, fold: str, dataset: str) -> DatasetFold:
    """A fold of a split's folder.

    Raises:
        SplitError: there is no such split or fold, or it names nothing of this dataset.
    """
    whole = split_files.read(split)
    rows = {part: [row for row in whole.part(fold, part) if row.dataset == dataset] for part in PARTS}
    if not any(rows.values()):
        raise SplitError(f"fold '{fold}' of the split names nothing of {dataset}", where=str(split))
    return DatasetFold(
        fold,
        {
            part: frozenset((row.subject, row.video) for row in members if row.annotation is None)
            for part, members in rows.items()
        },
        {
            part: frozenset(row.annotation for row in members if row.annotation is not None)
            for part, members in rows.items()
        },
        tuple(sorted({row.dataset for row in whole.part(fold, "train")})),
    )
