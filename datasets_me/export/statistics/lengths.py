"""How long expressions are, and how far their apex lies from both ends: per type, subject and emotion."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from datasets_me.formats.records import Annotation

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Spread:
    """A distribution of whole numbers: how many, mean, least, greatest, and `QUANTILES` (linear between values)."""

    count: int
    mean: float | None
    min: int | None
    max: int | None
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class Lengths:
    """What is known of a group of expressions, in frames.

    ``length`` is offset - onset + 1, over rows where both are annotated and the offset does not lie before the onset;
    ``left`` is apex - onset and ``right`` offset - apex, over rows whose three frames are annotated and in order.
    ``rows`` counts all expressions, ``out_of_order`` those whose frames contradict each other.
    """

    rows: int
    out_of_order: int
    length: Spread
    left: Spread
    right: Spread


def lengths(annotations: Iterable[Annotation], fps: float | None = None) -> Lengths:
    """Measure expressions, at another frame rate if one is given: frame k becomes floor(k * fps / its own)."""
    rows = [frames_at(row, fps) for row in annotations]
    ordered = [row for row in rows if _in_order(row)]
    return Lengths(
        rows=len(rows),
        out_of_order=len(rows) - len(ordered),
        length=_spread(b - a + 1 for a, _, b in rows if a is not None and b is not None and b >= a),
        left=_spread(apex - a for a, apex, b in ordered if a is not None and apex is not None and b is not None),
        right=_spread(b - apex for a, apex, b in ordered if a is not None and apex is not None and b is not None),
    )


def frames_at(row: Annotation, fps: float | None = None) -> tuple[int | None, int | None, int | None]:
    """Onset, apex and offset, 0-based, at a frame rate or at their own."""
    step = Fraction(1) if fps is None else Fraction(str(row.fps)) / Fraction(str(fps))
    onset, apex, offset = (None if f is None else math.floor(f / step) for f in (row.onset, row.apex, row.offset))
    return onset, apex, offset


def by_group(annotations: Sequence[Annotation], fps: float | None = None) -> dict[str, Any]:
    """``types``, ``subjects`` and ``emotions``, each value's rows measured; the latter two for each type.

    Rows without an emotion stand under "" there.
    """
    groups: dict[str, Callable[[Annotation], str]] = {
        "subjects": lambda row: row.subject,
        "emotions": lambda row: row.emotion or "",
    }
    out: dict[str, Any] = {"types": {}}
    for kind in sorted({row.type for row in annotations}):
        of_type = [row for row in annotations if row.type == kind]
        entry: dict[str, Any] = {"all": asdict(lengths(of_type, fps))}
        for name, key in groups.items():
            values = sorted({key(row) for row in of_type})
            entry[name] = {v: asdict(lengths([row for row in of_type if key(row) == v], fps)) for v in values}
        out["types"][kind] = entry
    return out


def _in_order(frames: tuple[int | None, int | None, int | None]) -> bool:
    known = [frame for frame in frames if frame is not None]
    return known == sorted(known)


def _spread(values: Iterable[int]) -> Spread:
    numbers = np.fromiter(values, np.int64)
    if not numbers.size:
        return Spread(0, None, None, None, ())
    return Spread(
        count=int(numbers.size),
        mean=float(numbers.mean()),
        min=int(numbers.min()),
        max=int(numbers.max()),
        quantiles=tuple(float(value) for value in np.quantile(numbers, QUANTILES)),
    )
