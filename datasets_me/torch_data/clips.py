"""Clips as a PyTorch dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args

import numpy as np
import torch
from torch.utils.data import Dataset

from datasets_me.core.artefact import Kind
from datasets_me.core.choices import EmotionLabel
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.paths import under
from datasets_me.formats.exports import read_about
from datasets_me.formats.items import read_annotations, read_items
from datasets_me.formats.kinds import CLIPS
from datasets_me.torch_data.fields import Field, Item, in_order, stack
from datasets_me.torch_data.folds import Part, check_choice, read_fold
from datasets_me.torch_data.joined import joined
from datasets_me.torch_data.mapped import Members

T = TypeVar("T", str, int)


class ClipDataset(Dataset[Item]):
    """The clips of one part, read on access.

    An item has the tensors that `fields` lists: ``frames`` (N, 3, size, size) uint8 RGB, ``numbers`` (N,) int32,
    ``label`` () int64, an index into ``classes``, and ``aus`` (K,) float32, 1 for each action unit of ``action_units``
    that is annotated; and the texts ``annotation``, ``subject`` and ``video_name``. N is the same for all clips unless
    they were exported with ``--frames all``. Of an export ``--with`` arrays of another tool there are ``with_au``
    (N, A), ``with_pose`` (N, 3) and so on, float32, NaN where nothing is known.

    Attributes:
        rows: the items, in order.
        classes: the classes by the numbers of ``label``, the same in every fold: for ``class_3`` and ``class_5`` all of
            the schema, in its order, whether or not they occur; for ``emotion`` those that occur in the export, in
            alphabetical order; or ``class_names``.
        action_units: those that occur in the export, in order; or those that were given.
        without_class: ids of this part's annotations that are left out because their label is none of ``classes``, or
            they have none.
        fields: shape and dtype of each tensor of an item.
        units: the action units of ``with_au`` and ``with_intensity``, by the array's name.
    """

    kind: ClassVar[Kind] = CLIPS

    def __init__(  # noqa: PLR0913 - the choices of a dataset of PyTorch, each by its own name
        self,
        folder: str | Path,
        *,
        classes: EmotionLabel = "emotion",
        class_names: Sequence[str] | None = None,
        action_units: Sequence[int] | None = None,
        part: Part = "train",
        split: str | Path | None = None,
        fold: str | None = None,
        seed: int | None = None,
    ) -> None:
        """Open an export of clips.

        Args:
            folder: what ``me-datasets export clips`` wrote, as npz.
            classes: the column of the label.
            class_names: the classes in the order of their numbers, so that several datasets have the same. Clips of
                other classes are left out and named in ``without_class``.
            action_units: the units in ``aus``, in order, so that several datasets have the same; others are left out.
            part: of the fold; without a split, all clips.
            split: a folder of ``me-datasets split``.
            fold: the name of one of its folds.
            seed: shuffle, in an order that is the same everywhere.

        Raises:
            MeDatasetsError: the folder is not such an export, or the split or fold does not exist.
        """
        self.folder = Path(folder)
        about = read_about(self.folder, self.kind)
        options = about["options"]
        check_choice(options["format"], part, split, fold, folder)
        rows = read_items(self.folder)
        annotations = read_annotations(self.folder)
        self._annotations = {row.file: annotations[row.annotations[0]] for row in rows}
        if classes not in get_args(EmotionLabel):
            raise MeDatasetsError(
                f"there are no classes '{classes}'", fix=f"choose one of {', '.join(get_args(EmotionLabel))}"
            )
        self._classes_from: EmotionLabel = classes
        exported = self._annotations.values()
        occurring = {getattr(row, classes) for row in exported} - {None}
        names = about["manifest"].get("classes", {}).get(classes) or sorted(occurring)
        self.classes: tuple[str, ...] = _once("class_names", names if class_names is None else class_names)
        if class_names is not None and occurring and occurring.isdisjoint(self.classes):
            raise MeDatasetsError(
                f"no clip of the export is of any of the classes {', '.join(map(str, self.classes))}",
                where=str(folder),
                fix=f"its classes are {', '.join(sorted(occurring))}",
            )
        units = sorted({unit.au for row in exported for unit in row.aus})
        self.action_units: tuple[int, ...] = _once("action_units", units if action_units is None else action_units)
        if split is not None and fold is not None:
            rows = read_fold(Path(split), fold, about["manifest"]["dataset"]).clips_of(part, rows)
        lacking = [row for row in rows if getattr(self._annotations[row.file], classes) not in self.classes]
        self.without_class: tuple[str, ...] = tuple(row.annotations[0] for row in in_order(lacking, None))
        left_out = {row.file for row in lacking}
        self.rows = in_order([row for row in rows if row.file not in left_out], seed)
        self._members = Members()
        arrays, count = self._arrays(about)
        self._joined = joined(about.get("with", {}), count, "with_")
        self.units = self._joined.units
        self.fields: Mapping[str, Field] = {
            **arrays,
            **self._joined.fields,
            "label": Field((), torch.int64),
            "aus": Field((len(self.action_units),), torch.float32),
        }

    @staticmethod
    def _arrays(about: Mapping[str, Any]) -> tuple[dict[str, Field], int | None]:
        """The tensors that an item's file gives, and how many frames it has; None where items differ."""
        size, frames = about["options"]["size"], about["options"]["frames"]
        count = None if frames == "all" else 3 if frames == "key" else int(str(frames).rpartition(":")[2])
        fields = {
            "frames": Field((count, 3, size, size), torch.uint8),
            "numbers": Field((count,), torch.int32),
        }
        return fields, count

    def _read(self, path: Path) -> dict[str, torch.Tensor]:
        arrays = self._members.read(path, ("frames", "numbers", *self._joined.names))
        return {
            **{name: torch.from_numpy(arrays[name]) for name in self._joined.names},
            "frames": torch.from_numpy(np.ascontiguousarray(arrays["frames"].transpose(0, 3, 1, 2))),
            "numbers": torch.from_numpy(arrays["numbers"]),
        }

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Item:
        row = self.rows[index]
        annotation = self._annotations[row.file]
        units = {unit.au for unit in annotation.aus}
        return {
            **self._read(under(self.folder, row.file)),
            "label": torch.tensor(self.classes.index(getattr(annotation, self._classes_from)), dtype=torch.int64),
            "aus": torch.tensor([float(au in units) for au in self.action_units], dtype=torch.float32),
            "annotation": annotation.id,
            "subject": row.subject,
            "video_name": row.video,
        }

    def to_torch(self) -> dict[str, torch.Tensor]:
        """All items at once: for each field a tensor ``(number of items, *shape)`` of its dtype.

        Raises:
            MeDatasetsError: the clips differ in length.
        """
        return stack(self.fields, (self[index] for index in range(len(self))), len(self))


def _once(option: str, values: Sequence[T]) -> tuple[T, ...]:
    """Values in order, each of which must occur only once."""
    if isinstance(values, str) or len(set(values)) < len(values):
        raise MeDatasetsError(f"{option} must be a list without duplicates, not {values!r}")
    return tuple(values)
