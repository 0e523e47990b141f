"""A set of images as a dataset for torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from datasets_me.core.errors import ImagesError
from datasets_me.core.pictures import DamageError
from datasets_me.formats import image_set
from datasets_me.formats.image_records import ImageRow
from datasets_me.images.export.plan import OWN, plan
from datasets_me.schema.images import Split


class ImageDataset(Dataset[tuple[Any, int]]):
    """Images and class numbers, with decisions applied and near-duplicates kept in one split.

    An item is ``(image, number)``: RGB uint8 of shape (3, H, W), upright, at its own size, or what ``transform`` makes
    of it; ``number`` counts ``classes``, which are the same for every split. Files are read on access; pixels
    from a table are kept in memory (83 MB for FER2013).

    Args:
        images: the folder of a set, made by ``me-datasets images import``.
        root: the folder of the files; None for a set without files.
        part: ``train``, ``validation`` or ``test``; all images by default.
        split: ``own``, or shares such as ``0.8,0.1,0.1``, as in ``me-datasets images export``.
        seed: decides a split by shares.
        decisions: the file of decisions; that in the set's folder by default.
        transform: called with the tensor.

    Raises:
        MeDatasetsError: the set or a table is damaged, the files are not found, or the part is empty.
    """

    def __init__(
        self,
        images: str | Path,
        root: str | Path | None = None,
        *,
        part: Split | None = None,
        split: str = OWN,
        seed: int = 0,
        decisions: str | Path | None = None,
        transform: Callable[[torch.Tensor], Any] | None = None,
    ) -> None:
        source = image_set.read(Path(images))
        planned = plan(source, split=split, seed=seed, decisions=None if decisions is None else Path(decisions))
        chosen = [row for row in planned.rows if part is None or row.split == part]
        if not chosen:
            counts = Counter(row.split or "no split" for row in planned.rows)
            present = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
            raise ImagesError(
                f"no image is in {part or 'the set'}", where=str(images), fix=f"choose among: {present or 'none'}"
            )
        self.classes = planned.classes
        self.findings = planned.findings
        self.ids = [row.id for row in chosen]
        self._root = source.root(None if root is None else Path(root))
        self._transform = transform
        numbers = {name: number for number, name in enumerate(self.classes)}
        self.targets = [numbers[row.label] for row in chosen]
        self._rows: list[ImageRow] = []
        wanted = {row.number for row in chosen}
        for number, row in enumerate(source.rows()):
            if number in wanted:
                self._rows.append(row)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        row = self._rows[index]
        try:
            picture = image_set.load(row, self._root).image
        except DamageError as error:
            raise ImagesError(
                f"an image is gone or was damaged since the import: {error}", where=row.id, fix="import the set again"
            ) from error
        image = torch.from_numpy(picture[:, :, ::-1].transpose(2, 0, 1).copy())
        return (image if self._transform is None else self._transform(image)), self.targets[index]
