"""How long expressions last: seconds, and bins that do not cut across frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from datasets_me.formats.records import Annotation

_MOST_BINS = 60
_STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 40, 50, 100, 200, 500, 1000)
_WIDTHS = (0.01, 0.02, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Histogram:
    """Expressions by their duration: bin i holds those of more than ``width · i`` and at most ``width · (i + 1)`` s.

    ``counts`` has one list per type, all of one length. ``beyond`` counts those longer than the last bin, ``longest``
    is the longest duration in s.
    """

    width: float
    counts: dict[str, list[int]]
    beyond: dict[str, int]
    longest: float

    @property
    def bins(self) -> int:
        """How many bins there are."""
        return len(next(iter(self.counts.values())))

    @property
    def end(self) -> float:
        """Where the last bin ends, s."""
        return self.bins * self.width


def seconds(row: Annotation) -> float | None:
    """The duration of an expression, both ends included, or None where an end is missing or they are out of order."""
    return None if row.length is None or row.length <= 0 else row.length / row.fps


def histogram(rows: Sequence[Annotation], types: Sequence[str]) -> Histogram | None:
    """The durations of each type in at most 60 bins, or None where no duration is known.

    Durations are whole frames, so bins of another width would hold now one possible value, now two, and show waves
    that are not in the data. With one frame rate a bin is therefore a whole number of frames, if possible a divisor of
    0.5 s. Where the longest twentieth lasts more than twice as long as the others, it lies beyond the bins; otherwise
    a single expression of 26 s would leave one bin for all micro-expressions.
    """
    known = {kind: [s for row in rows if row.type == kind and (s := seconds(row)) is not None] for kind in types}
    durations = [duration for kind in types for duration in known[kind]]
    if not durations:
        return None
    shown = quantile(durations, 0.95)
    if max(durations) <= 2 * shown:
        shown = max(durations)
    width = _width(shown, sorted({row.fps for row in rows}))
    bins = _bin(shown, width) + 1
    counts, beyond = {kind: [0] * bins for kind in types}, dict.fromkeys(types, 0)
    for kind in types:
        for duration in known[kind]:
            index = _bin(duration, width)
            if index < bins:
                counts[kind][index] += 1
            else:
                beyond[kind] += 1
    return Histogram(width, counts, beyond, max(durations))


def quantile(values: Sequence[float], part: float) -> float:
    """The value that ``part`` of the values do not exceed, one of them."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def axis_end(ends: Sequence[float]) -> float | None:
    """Where the axis of a timeline ends, s, for videos that reach to these ends; None without any.

    One wrong frame number must not hide everything else: where the last twentieth of the videos reaches four times as
    far as all others, the axis ends at one and a half times those.
    """
    if not ends:
        return None
    usual = quantile(ends, 0.95)
    return 1.5 * usual if max(ends) > 4 * usual else max(ends)


def _bin(duration: float, width: float) -> int:
    return max(0, math.ceil(duration / width - 1e-9) - 1)


def _width(longest: float, rates: Sequence[float]) -> float:
    widths = list(_WIDTHS)
    if len(rates) == 1:
        steps = [step for step in _STEPS if step / rates[0] * _MOST_BINS >= longest]
        even = [step for step in steps if math.isclose(0.5 * rates[0] / step, round(0.5 * rates[0] / step))]
        near = [step for step in even if step <= 2 * steps[0]] or steps[:1]
        widths = [step / rates[0] for step in near]
    return next((width for width in widths if width * _MOST_BINS >= longest), longest / _MOST_BINS)
