"""How long expressions are, and how far their apex lies from both ends: per type, subject and emotion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from datasets_me.core.rates import moved, ratio
from datasets_me.formats.records import Annotation

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

Frames = tuple[int | None, int | None, int | None]
"""Onset, apex and offset."""


@dataclass(frozen=True)
class Spread:
    """A distribution of frames or seconds: count, mean, smallest, largest, and `QUANTILES` (linear between values)."""

    count: int
    mean: float | None
    min: float | None
    max: float | None
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class Lengths:
    """Lengths of a group of expressions, in frames or seconds.

    ``length`` is offset - onset + 1, over rows where both are annotated and the offset does not lie before the onset;
    ``left`` is apex - onset and ``right`` offset - apex, over rows whose three frames are annotated and in order.
    ``rows`` counts all expressions, ``out_of_order`` those whose frames contradict each other.
    """

    rows: int
    out_of_order: int
    length: Spread
    left: Spread
    right: Spread


def in_seconds(annotations: Iterable[Annotation], fps: float | None = None) -> bool:
    """Whether expressions must be measured in seconds: frames of several rates have no common mean."""
    return fps is None and len({row.fps for row in annotations}) > 1


def lengths(annotations: Iterable[Annotation], fps: float | None = None, *, seconds: bool = False) -> Lengths:
    """Measure expressions in frames, at another rate if one is given (`core.rates.moved`).

    Args:
        seconds: measure in seconds, each row at its own rate.
    """
    rows = [(frames_at(row, fps), 1 / row.fps if seconds else 1, row.in_order) for row in annotations]
    whole = [(frames, unit) for frames, unit, in_order in rows if in_order and None not in frames]
    return Lengths(
        rows=len(rows),
        out_of_order=sum(not in_order for _, _, in_order in rows),
        length=_spread((b - a + 1) * unit for (a, _, b), unit, _ in rows if a is not None and b is not None and b >= a),
        left=_spread((apex - a) * unit for (a, apex, _), unit in whole if a is not None and apex is not None),
        right=_spread((b - apex) * unit for (_, apex, b), unit in whole if b is not None and apex is not None),
    )


def frames_at(row: Annotation, fps: float | None = None) -> Frames:
    """Onset, apex and offset, 0-based, at a frame rate or at their own."""
    step = ratio(row.fps, fps or row.fps)
    onset, apex, offset = (None if f is None else moved(f, step) for f in (row.onset, row.apex, row.offset))
    return onset, apex, offset


def by_group(annotations: Sequence[Annotation], fps: float | None = None) -> dict[str, Any]:
    """The lengths of each type, and within it of each subject and each emotion.

    Rows without an emotion are listed under "". All are measured in frames, or in seconds where the rows have several
    rates and no ``fps`` is given.
    """
    seconds = in_seconds(annotations, fps)
    groups: dict[str, Callable[[Annotation], str]] = {
        "subjects": lambda row: row.subject,
        "emotions": lambda row: row.emotion or "",
    }
    out: dict[str, Any] = {"types": {}}
    for kind in sorted({row.type for row in annotations}):
        of_type = [row for row in annotations if row.type == kind]
        entry: dict[str, Any] = {"all": asdict(lengths(of_type, fps, seconds=seconds))}
        for name, key in groups.items():
            values = sorted({key(row) for row in of_type})
            entry[name] = {
                value: asdict(lengths([row for row in of_type if key(row) == value], fps, seconds=seconds))
                for value in values
            }
        out["types"][kind] = entry
    return out


def _spread(values: Iterable[float]) -> Spread:
    numbers = np.array(list(values))
    if not numbers.size:
        return Spread(0, None, None, None, ())
    return Spread(
        count=int(numbers.size),
        mean=float(numbers.mean()),
        min=numbers.min().item(),
        max=numbers.max().item(),
        quantiles=tuple(float(value) for value in np.quantile(numbers, QUANTILES)),
    )
