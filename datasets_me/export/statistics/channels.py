"""Mean and standard deviation of each channel of features, over the training part of each fold only.

Memory-mapped arrays are read piece by piece, each piece once, in float64. Unknown values (NaN and infinite
ones) are left out and counted. Moments of pieces are merged as in Chan, Golub and LeVeque, "Updating Formulae
and a Pairwise Algorithm for Computing Sample Variances" (1979), so that no precision is lost to cancellation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import FeaturesError, plural
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import SplitRow, VideoFeatures
from datasets_me.formats.split import Split

_PIECE = 8192  # frames at a time: 1.5 MB of float64 for 12 regions


@dataclass(frozen=True)
class Moments:
    """Count, mean and sum of squared deviations of each channel: arrays (R, 2). ``unknown`` counts values left out."""

    count: NDArray[np.int64]
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]
    unknown: NDArray[np.int64]

    def std(self) -> NDArray[np.float64]:
        """The population standard deviation (R, 2) (divided by n); NaN where nothing is known."""
        with np.errstate(invalid="ignore"):
            return np.sqrt(self.squares / np.where(self.count > 0, self.count, np.nan))

    def pooled(self) -> Moments:
        """The same over all regions: arrays (1, 2), for x and y."""
        parts = [
            Moments(self.count[i : i + 1], self.mean[i : i + 1], self.squares[i : i + 1], self.unknown[i : i + 1])
            for i in range(len(self.count))
        ]
        return merge(parts)


def moments(pieces: Iterable[NDArray[np.float32]]) -> Moments:
    """The moments of arrays (n, R, 2): at least one, all of the same R."""
    return merge(_of_piece(np.asarray(piece, np.float64)) for piece in pieces)


def merge(parts: Iterable[Moments]) -> Moments:
    """The moments of all parts together; at least one."""
    total: Moments | None = None
    for part in parts:
        total = part if total is None else _both(total, part)
    if total is None:
        raise ValueError("there is nothing to merge")
    return total


def of_array(array: NDArray[np.float32]) -> Moments:
    """The moments of one array (n, R, 2), which may be memory-mapped."""
    return moments(array[start : start + _PIECE] for start in range(0, max(len(array), 1), _PIECE))


@dataclass(frozen=True)
class FoldMoments:
    """The channels of one fold's training part; ``fold`` is None where all videos were taken."""

    fold: str | None
    videos: int
    moments: Moments


def of_folds(
    features: FeatureFolder,
    manifest: Manifest,
    split: Split | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[FoldMoments]:
    """Moments of each fold's training part, or of all videos without a split.

    A video belongs to a part if a row of the split names it or one of its expressions; where a folder holds a single
    expression, only if that expression is named. Folds that train on nothing of this dataset are left out.

    Raises:
        FeaturesError: there are no features of any video of a training part, or arrays differ in their regions.
    """
    videos = {row.video for row in manifest.annotations} | {row.video for row in manifest.videos}
    rows = [row for row in features.rows if row.features is not None]
    if videos and rows and videos.isdisjoint(row.video for row in rows):
        raise FeaturesError(
            f"none of the features belong to a video of the manifest; the first is {rows[0].video}",
            where=str(features.folder),
            fix="give the features that were extracted with this manifest",
        )
    expressions = {row.id: row.expression for row in manifest.annotations}
    wanted: dict[str | None, list[int]] = {None: list(range(len(rows)))}
    if split is not None:
        dataset = manifest.spec.id
        wanted = {fold: list(_of_part(rows, _training(split, fold, dataset), expressions)) for fold in split.folds}
    needed = sorted({index for indices in wanted.values() for index in indices})
    by_row: dict[int, Moments] = {}
    for done, index in enumerate(needed, start=1):
        array = features.load(rows[index])
        first = by_row[needed[0]].mean.shape[0] if by_row else array.shape[1]
        if array.shape[1] != first:
            raise FeaturesError(
                f"{rows[index].name} has {plural(array.shape[1], 'region')}, others have {first}",
                where=str(features.folder),
            )
        by_row[index] = of_array(array)
        if progress:
            progress(done, len(needed))
    if not by_row:
        raise FeaturesError(
            "no video of any training part has features",
            where=str(features.folder),
            fix="give the features of the dataset that was split",
        )
    return [
        FoldMoments(fold, len(indices), merge(by_row[index] for index in indices))
        for fold, indices in wanted.items()
        if indices
    ]


def _training(split: Split, fold: str, dataset: str) -> list[SplitRow]:
    return [row for row in split.part(fold, "train") if row.dataset == dataset]


def _of_part(rows: list[VideoFeatures], part: list[SplitRow], expressions: dict[str, str | None]) -> Iterator[int]:
    named: dict[str, set[str | None]] = {}
    for item in part:
        named.setdefault(item.video, set()).add(expressions.get(item.annotation or ""))
    for index, row in enumerate(rows):
        if row.video in named and (row.expression is None or named[row.video] & {None, row.expression}):
            yield index


def _of_piece(piece: NDArray[np.float64]) -> Moments:
    known = np.isfinite(piece)
    count = known.sum(axis=0)
    values = np.where(known, piece, 0)
    mean = values.sum(axis=0) / np.maximum(count, 1)
    squares = (np.where(known, piece - mean, 0) ** 2).sum(axis=0)
    return Moments(count, mean, squares, len(piece) - count)


def _both(a: Moments, b: Moments) -> Moments:
    count = a.count + b.count
    divisor = np.maximum(count, 1)
    difference = b.mean - a.mean
    return Moments(
        count,
        a.mean + difference * (b.count / divisor),
        a.squares + b.squares + difference**2 * (a.count * b.count / divisor),
        a.unknown + b.unknown,
    )
