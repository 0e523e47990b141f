"""Segments as a PyTorch dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.utils.data import Dataset

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.paths import under
from datasets_me.export.labels import CHANNELS
from datasets_me.export.segments import read_labels
from datasets_me.export.statistics import channels
from datasets_me.formats.exports import read_about
from datasets_me.formats.items import ItemRow, read_items
from datasets_me.formats.kinds import SEGMENTS
from datasets_me.torch_data.fields import Field, Item, in_order, stack
from datasets_me.torch_data.folds import Part, check_choice, read_fold
from datasets_me.torch_data.joined import joined
from datasets_me.torch_data.mapped import Members

_REACH = 3
"""A soft apex is zero beyond so many standard deviations."""


class SegmentDataset(Dataset[Item]):
    """The segments of one part, read on access.

    An item has the tensors that `fields` lists: ``feature`` (length + 2 * context, R, 2) float32, ``label`` (…, 8),
    int8 or with soft apexes float32, ``mask`` (…,) and ``valid`` (…, R) bool, and ``start`` () int64; and the texts
    ``subject`` and ``video_name``; no ``label`` if the export has none. Of an export ``--with`` arrays of another tool
    there are these, too: ``au``, ``intensity`` (…, A), ``pose`` (…, 3), ``gaze`` (…, 2), ``confidence`` (…, 1) float32,
    NaN where nothing is known. ``rows[i]`` is the row of item i in ``items.parquet``, with its annotations.

    Attributes:
        rows: the items, in order.
        fields: shape and dtype of each tensor of an item.
        units: the action units of ``au`` and ``intensity``, by the array's name.
        mean, std: (2,) float32, of the motion in x and y, or those that were given; None without normalisation.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        part: Part = "train",
        split: str | Path | None = None,
        fold: str | None = None,
        normalise: bool | tuple[ArrayLike, ArrayLike] = False,
        soft_apex: float | None = None,
        seed: int | None = None,
    ) -> None:
        """Open an export of segments.

        Args:
            folder: what ``me-datasets export segments`` wrote, as npz.
            part: of the fold; without a split, all segments of this part of the export.
            split: a folder of ``me-datasets split``.
            fold: the name of one of its folds.
            normalise: subtract the mean of the features and divide by their standard deviation, both over what is valid
                in the fold's training part; what is not becomes 0. Or the mean and the standard deviation themselves,
                numbers or arrays that fit (R, 2), such as ``mean`` and ``std`` of the dataset
                that is trained on, where that is another export.
            soft_apex: the standard deviation, in frames, of a bell curve around each apex, in place of a single 1; the
                published training script has 4. A frame has the same value in every segment that shows it, even where
                the apex lies outside the segment; padding before and after the video stays 0.
            seed: shuffle, in an order that is the same everywhere.

        Raises:
            MeDatasetsError: the folder is not such an export, the split or fold does not exist, or options contradict
                each other.
        """
        self.folder = Path(folder)
        about = read_about(self.folder, SEGMENTS)
        check_choice(about["options"]["format"], part, split, fold, folder)
        if fold is None and (normalise is True or part == "validation"):
            reason = "validation" if part == "validation" else "normalisation"
            raise MeDatasetsError(f"{reason} needs a split, which says what is trained on", fix="give split and fold")
        self._labelled: bool = about["options"].get("labels", True)
        if not self._labelled and (part != "test" or soft_apex is not None):
            raise MeDatasetsError(
                "the export was made with --no-labels", where=str(folder), fix='give part="test", and no soft_apex'
            )
        if soft_apex is not None and not soft_apex > 0:
            raise MeDatasetsError(f"a soft apex cannot be {soft_apex:g} frames wide", fix="give more than 0, or None")
        exported = read_items(self.folder)
        items = [row for row in exported if row.part != "whole"]
        stored = [row for row in items if row.part == ("test" if part == "test" else "train")]
        training: list[ItemRow] = []
        trained: tuple[str, ...] = ()
        if split is not None and fold is not None:
            chosen = read_fold(Path(split), fold, about["manifest"]["dataset"])
            stored = chosen.videos_of(part, stored)
            trained = chosen.trained
            training = chosen.videos_of("train", [row for row in items if row.part == "train"])
        self.context: int = about["options"]["context"]
        self.soft_apex = soft_apex
        self._apexes = {} if soft_apex is None else _apexes(self.folder)
        self._videos = {(row.subject, row.name): row for row in exported if row.part == "whole"}
        self.rows = in_order(stored, seed)
        self._members = Members()
        self.mean: NDArray[np.float32] | None = None
        self.std: NDArray[np.float32] | None = None
        regions = self._regions(items)
        if not isinstance(normalise, bool):
            self.mean, self.std = _given_statistics(normalise, regions)
        elif normalise:
            if not training and trained:
                raise MeDatasetsError(
                    f"the training part of fold '{fold}' is of {', '.join(trained)}, but this export is of "
                    f"{about['manifest']['dataset']}",
                    where=str(folder),
                    fix="open the training part in its own export, and give normalise=(train.mean, train.std) here",
                )
            self.mean, self.std = self._statistics(training)
        length = about["options"]["length"] + 2 * self.context
        self.fields: dict[str, Field] = {
            "feature": Field((length, regions, 2), torch.float32),
            "label": Field((length, len(CHANNELS)), torch.int8 if soft_apex is None else torch.float32),
            "mask": Field((length,), torch.bool),
            "valid": Field((length, regions), torch.bool),
            "start": Field((), torch.int64),
        }
        self._joined = joined(about["with"], length)
        self.units = self._joined.units
        self.fields |= self._joined.fields
        if not self._labelled:
            self.fields = {name: field for name, field in self.fields.items() if name != "label"}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Item:
        row = self.rows[index]
        names = ("feature", "mask", "valid", *(["label"] if self._labelled else []), *self._joined.names)
        arrays = self._members.read(under(self.folder, row.file), names)
        feature = np.asarray(arrays["feature"], np.float32)
        valid = np.asarray(arrays["valid"], np.bool_)
        if self.mean is not None and self.std is not None:
            feature = np.where(valid[:, :, None], (feature - self.mean) / self.std, np.float32(0))
        item = {
            "feature": torch.from_numpy(feature),
            "mask": torch.from_numpy(np.asarray(arrays["mask"], np.bool_)),
            "valid": torch.from_numpy(valid),
            "start": torch.tensor(row.start, dtype=torch.int64),
            **{name: torch.from_numpy(np.asarray(arrays[name], np.float32)) for name in self._joined.names},
            "subject": row.subject,
            "video_name": row.name,
        }
        if self._labelled:
            label = arrays["label"] if self.soft_apex is None else self._soften(row, arrays["label"], self.soft_apex)
            item["label"] = torch.from_numpy(label)
        return item

    def to_torch(self) -> dict[str, torch.Tensor]:
        """All items at once: for each field a tensor ``(number of items, *shape)`` of its dtype."""
        return stack(self.fields, (self[index] for index in range(len(self))), len(self))

    def _soften(self, row: ItemRow, label: NDArray[np.generic], sigma: float) -> NDArray[np.float32]:
        """The labels of a segment with soft apexes; padding before and after the video is unchanged."""
        place = (row.subject, row.name)
        first, whole = row.start - self.context, self._videos[place]
        within = slice(max(whole.start - first, 0), max(whole.start + whole.length - first, 0))
        out = label.astype(np.float32)
        out[within] = soften(label[within], first + within.start, self._apexes.get(place, ()), sigma)
        return out

    def _regions(self, items: list[ItemRow]) -> int:
        if not items:
            return 0
        return int(self._members.read(under(self.folder, items[0].file), ("feature",))["feature"].shape[1])

    def _statistics(self, rows: list[ItemRow]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation (2,) of the motion over the frames of some segments, each frame once."""
        if not rows:
            raise MeDatasetsError("the training part has no segment", where=str(self.folder))
        moments = channels.merge(channels.of_array(self._known(row)) for row in rows).pooled()
        if not moments.count.all():
            raise MeDatasetsError("the training part has no frame with known features", where=str(self.folder))
        std = moments.std()[0]
        return moments.mean[0].astype(np.float32), np.where(std > 0, std, 1).astype(np.float32)

    def _known(self, row: ItemRow) -> NDArray[np.float32]:
        """The features (n, R, 2) of a segment without its context, NaN where they are not valid."""
        arrays = self._members.read(under(self.folder, row.file), ("feature", "valid"))
        core = slice(self.context, self.context + row.length)
        return np.where(arrays["valid"][core, :, None], arrays["feature"][core], np.float32("nan"))


def _given_statistics(
    pair: tuple[ArrayLike, ArrayLike], regions: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The mean and the standard deviation that the user gives."""
    try:
        if any(values is None for values in pair):
            raise ValueError("None, which a dataset has that is opened without normalise=True")
        mean, std = (np.asarray(values, np.float32) for values in pair)
        if any(np.broadcast_shapes(values.shape, (regions, 2)) != (regions, 2) for values in (mean, std)):
            raise ValueError(f"shapes {mean.shape} and {std.shape}")
    except (TypeError, ValueError) as error:
        raise MeDatasetsError(
            f"normalise is not a mean and a standard deviation of features ({regions}, 2): {error}",
            fix="give two arrays (2,) or (R, 2), such as mean and std of the dataset that is trained on",
        ) from error
    if not (np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all()):
        raise MeDatasetsError("to normalise, means have to be finite and standard deviations greater than 0")
    return mean, std


def _apexes(folder: Path) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """The column and the frame of each marked apex, by subject and name of the video."""
    apexes: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row in read_labels(folder):
        if row.apex is not None:
            column = CHANNELS.index(f"{row.type}_apex")
            apexes.setdefault((row.subject, row.name), []).append((column, row.apex))
    return apexes


def soften(
    label: NDArray[np.generic], first: int, apexes: Sequence[tuple[int, int]], sigma: float
) -> NDArray[np.float32]:
    """Labels (n, 8) from frame ``first`` on, with each apex spread by exp(-d² / 2 sigma²), 1 at the apex itself.

    ``apexes`` are the columns and frames of all apexes of the video, including those outside of these labels.
    """
    out = label.astype(np.float32)
    time = np.arange(first, first + len(label), dtype=np.float32)
    for column, apex in apexes:
        away = np.abs(time - apex)
        curve = np.where(away <= _REACH * sigma, np.exp(-(away**2) / (2 * sigma**2)), 0)
        out[:, column] = np.maximum(out[:, column], curve)
    return out
