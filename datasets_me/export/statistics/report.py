"""All statistics of a dataset as one object, for JSON and for tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets_me.export.statistics import auwgcn_section, lengths
from datasets_me.export.statistics.channels import FoldMoments, Moments
from datasets_me.formats.manifest import Manifest


def statistics(manifest: Manifest, fps: float | None = None) -> dict[str, Any]:
    """Counts, lengths, and the distances of apexes from onset and offset, as the training scripts count them.

    Lengths are in frames, at ``fps`` or at the rate of the annotations. Where these have several rates and no ``fps``
    is given, ``unit`` is seconds and ``fps`` null.
    """
    rows = manifest.annotations
    rates = sorted({row.fps for row in rows}) or [manifest.spec.fps]
    return {
        "dataset": manifest.spec.id,
        "fps": fps or (rates[0] if len(rates) == 1 else None),
        "unit": "seconds" if lengths.in_seconds(rows, fps) else "frames",
        "rates": rates,
        "annotations": len(rows),
        "subjects": len({row.subject for row in rows}),
        "videos": len({row.video for row in rows}),
        "quantiles": list(lengths.QUANTILES),
        **lengths.by_group(rows, fps),
        "search": auwgcn_section.searches(manifest, fps),
    }


def channels(folds: list[FoldMoments]) -> list[dict[str, Any]]:
    """Per fold: the number of videos, and count, unknown, mean and std per channel [region][x, y] and over all regions.

    Unknown values are null.
    """
    return [
        {
            "fold": fold.fold,
            "part": "train" if fold.fold is not None else "all",
            "videos": fold.videos,
            "regions": _numbers(fold.moments),
            "pooled": {name: value[0] for name, value in _numbers(fold.moments.pooled()).items()},
        }
        for fold in folds
    ]


def _numbers(moments: Moments) -> dict[str, Any]:
    mean = np.where(moments.count > 0, moments.mean, np.nan)
    return {
        "count": moments.count.tolist(),
        "unknown": moments.unknown.tolist(),
        "mean": _or_null(mean),
        "std": _or_null(moments.std()),
    }


def _or_null(values: NDArray[np.float64]) -> list[list[float | None]]:
    return [[None if np.isnan(value) else float(value) for value in row] for row in values]
