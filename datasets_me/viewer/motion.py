"""The motion of the regions as a page draws it: curves at any width, and arrows on the frames."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.artefact import read_about
from datasets_me.core.choices import FlowMethod
from datasets_me.core.rates import ratio
from datasets_me.features.regions import REGION_SETS
from datasets_me.features.video import PRESETS, Quality
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.kinds import EXTRACTION
from datasets_me.viewer.dataset import Entry

FACTOR = 4
"""How much coarser each level of a pyramid is than the one below."""

_MOST_BINS = 4096


@dataclass(frozen=True)
class Motion:
    """The features of a video, ready to be drawn.

    Attributes:
        levels: least and largest value of FACTOR**k neighbouring features, (n, R, 2) each, from k = 0 on.
        step: frames of the video per frame of the features: 8 for features at 25 frames a second of a video at 200.
        start: the number, at the features' rate, of the first.
        names: of the regions.
        landmarks: (T, 68, 2) in px of the raw frames, if there are any.
        quality: (T,) flags, if they are known.
        valid: (n, R), what is believed to be motion of the skin, if it is known.
        centres: (R, 68), the weights of the landmarks whose means are the middles of the regions, if they are known.
    """

    levels: list[tuple[NDArray[np.float32], NDArray[np.float32]]]
    step: Fraction
    start: int
    names: tuple[str, ...]
    landmarks: NDArray[np.float32] | None
    quality: NDArray[np.uint8] | None
    valid: NDArray[np.bool_] | None
    centres: NDArray[np.float64] | None

    def curves(self, first: int, last: int, bins: int) -> tuple[dict[str, float], NDArray[np.float32]]:
        """The range of values in each of about ``bins`` parts of the features ``first`` to ``last``, both included.

        Returns:
            ``first``, ``per`` (features in one part), ``bins`` (how many parts) and ``limit`` (of the motion that is
            believed, in px), and the values as (bins, R, 2, 2): x and y, least and largest. The finest level that has
            no more than ``FACTOR`` times ``bins`` parts is used.
        """
        wanted, level = max(1, min(bins, _MOST_BINS)), 0
        while level + 1 < len(self.levels) and (last - first + 1) // FACTOR ** (level + 1) >= wanted:
            level += 1
        per = FACTOR**level
        low, high = self.levels[level]
        part = slice(max(first, 0) // per, max(last, 0) // per + 1)
        values = np.stack([low[part], high[part]], axis=-1)
        about = {"first": part.start * per, "per": per, "bins": len(values), "limit": self._limit(first, last)}
        return about, np.ascontiguousarray(values)

    def _limit(self, first: int, last: int) -> float:
        """The largest motion in a range that is believed; of all motion where none is, and 0 without any."""
        part = slice(max(first, 0), max(last, 0) + 1)
        size = np.abs(self.levels[0][0][part])
        known = np.isfinite(size)
        if self.valid is not None and (believed := known & self.valid[part, :, None]).any():
            known = believed
        return float(size.max(initial=0, where=known))

    def overlay(self, first: int, last: int) -> list[dict[str, Any] | None]:
        """Landmarks, regions and their motion for the video's frames ``first`` to ``last``, both included."""
        frames = []
        for number in range(first, last + 1):
            index = int(number // self.step) - self.start
            frames.append(self._of_frame(index) if index >= 0 else None)
        return frames

    def _of_frame(self, index: int) -> dict[str, Any] | None:
        if self.landmarks is None or index >= len(self.landmarks) or not np.isfinite(self.landmarks[index]).all():
            return None
        points = self.landmarks[index].astype(np.float64)
        feature = self.levels[0][0]
        there = index < len(feature)
        return {
            "points": np.round(points, 1).tolist(),
            "centres": [] if self.centres is None else np.round(self.centres @ points, 1).tolist(),
            "vectors": [_numbers(vector) for vector in feature[index]] if there else [],
            "valid": self.valid[index].tolist() if there and self.valid is not None else None,
            "quality": None if self.quality is None else int(self.quality[index]),
        }

    def doubtful(self) -> dict[str, list[list[int]]]:
        """Frames of the video, from and to, by what is wrong with them; ``invalid``: no region is believed."""
        if self.quality is None:
            return {}
        kinds: dict[str, NDArray[np.bool_]] = {
            "missing": (self.quality & Quality.MISSING) > 0,
            "no_face": (self.quality & Quality.NO_FACE) > 0,
            "clipped": (self.quality & Quality.CLIPPED) > 0,
        }
        if self.valid is not None:
            kinds["invalid"] = np.logical_not(self.valid.any(axis=1))
        return {name: self._ranges(marked) for name, marked in kinds.items()}

    def _ranges(self, marked: NDArray[np.bool_]) -> list[list[int]]:
        edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
        return [
            [int((self.start + begin) * self.step), int((self.start + end) * self.step) - 1]
            for begin, end in edges.reshape(-1, 2)
        ]


def _numbers(vector: NDArray[np.float32]) -> list[float] | None:
    return [round(float(value), 3) for value in vector] if np.isfinite(vector).all() else None


def read(folder: FeatureFolder, entry: Entry) -> Motion | None:
    """The features of a video; None where there are none.

    Raises:
        MeDatasetsError: they cannot be read.
    """
    row = entry.features
    if row is None or row.features is None:
        return None
    feature = np.asarray(folder.load(row), np.float32) * np.float32(row.unit_px)
    regions = REGION_SETS.get(row.regions)
    known = regions is not None and len(regions.names) == feature.shape[1]
    names = regions.names if regions is not None and known else tuple(map(str, range(feature.shape[1])))
    landmarks = None if row.landmarks is None else np.asarray(folder.of_landmarks(row, "landmarks"), np.float32)
    return Motion(
        levels=pyramid(feature),
        step=ratio(entry.fps, row.fps),
        start=row.start,
        names=names,
        landmarks=landmarks,
        quality=folder.quality(row),
        valid=folder.valid(row),
        centres=regions.matrix() if regions is not None and known else None,
    )


def flow_method(folder: FeatureFolder | None) -> FlowMethod | None:
    """The optical flow that features were computed from; None without features, and where they do not tell.

    Raises:
        FeaturesError: what the extraction says of itself is damaged, or a newer version wrote it.
    """
    if folder is None or not (folder.folder / EXTRACTION.about).is_file():
        return None
    preset = PRESETS.get(str(read_about(folder.folder, EXTRACTION).get("options", {}).get("preset")))
    return None if preset is None else preset.method


def pyramid(feature: NDArray[np.float32]) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Least and largest of 1, FACTOR, FACTOR², … neighbouring values along the first axis; NaN where all are."""
    levels = [(feature, feature)]
    while len(levels[-1][0]) > _MOST_BINS // FACTOR:
        low, high = levels[-1]
        starts = np.arange(0, len(low), FACTOR)
        levels.append((np.fmin.reduceat(low, starts, axis=0), np.fmax.reduceat(high, starts, axis=0)))
    return levels
