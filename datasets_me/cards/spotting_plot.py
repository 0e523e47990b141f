"""Spotted and annotated intervals over time, video by video, as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from datasets_me.cards import plot_style
from datasets_me.cards.durations import axis_end
from datasets_me.cards.plot_style import BAND, COLOURS, DPI, SOFT, TRACK, drawable, new_figure, swatches
from datasets_me.core.errors import plural
from datasets_me.scores.spotting import TYPES, Compared, Interval, Spotting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_UNTYPED = "#3d6b52"  # a green unlike the colours of the types
_LEAST = 2.5  # px, the width of the shortest bar
_NAMED = 13  # px, the least height of a line that shows its video's name
_LONGEST_NAME = 24
_TALLEST = 12_000  # px

Line = tuple[tuple[str, str], list[Compared]]
"""A video, by dataset and name, and its intervals: one entry per type."""


def png(scores: Spotting) -> bytes:
    """Two rows of bars per video, annotated above and spotted below; hollow where a bar has no partner.

    The same scores give the same bytes.

    Raises:
        MeDatasetsError: matplotlib is not installed.
    """
    with plot_style.own_style():
        return plot_style.png(_draw(scores))


def _draw(scores: Spotting) -> Figure:
    lines = [
        (key, list(same))
        for key, same in groupby(scores.compared, key=lambda each: (each.counts.dataset, each.counts.video))
    ]
    columns = 1 if len(lines) <= 60 else 2 if len(lines) <= 320 else 4
    rows = max(1, -(-len(lines) // columns))
    height = min(20.0 if columns == 1 else 14.0, _TALLEST / rows)
    width = {1: 10.0, 2: 13.0, 4: 16.0}[columns]
    total = scores.counts()
    heading = (
        f"Annotated (above) and spotted (below) in {plural(len(lines), 'video')}:"
        f" {total.tp} pairs, {total.fp} wrong, {total.fn} missed"
    )
    figure = new_figure(width, rows * height / DPI + 0.8, heading, _legend(scores))
    end = _end(lines)
    least = end / (width / columns * 0.7 * DPI) * _LEAST
    for index, axes in enumerate(figure.subplots(1, columns, sharex=True, squeeze=False)[0]):
        part = lines[index * rows : (index + 1) * rows]
        axes.set_ylim(rows - 0.5, -0.5)
        axes.set_xlim(0, end * 1.01)
        _column(axes, part, (end, least))
        named = height >= _NAMED
        axes.set_yticks(
            range(len(part)) if named else [],
            [drawable(video, _LONGEST_NAME) for (_, video), _ in part] if named else [],
            fontsize=7,
        )
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("seconds from the start of the video")
        axes.grid(axis="x")
    return figure


def _end(lines: Sequence[Line]) -> float:
    """Where the axis ends, s."""
    ends = [
        max((last + 1) / each.fps for each in same for _, last, *_ in (*each.annotated, *each.spotted))
        for _, same in lines
    ]
    return axis_end(ends) or 1.0


def _column(axes: Any, lines: Sequence[Line], scale: tuple[float, float]) -> None:
    from matplotlib.collections import LineCollection, PolyCollection

    for row in range(0, len(lines), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=BAND, zorder=0, linewidth=0)
    tracks = [[(0.0, row), (scale[0], row)] for row in range(len(lines))]
    axes.add_collection(LineCollection(tracks, colors=TRACK, linewidths=0.7, zorder=1), autolim=False)
    for kind, colour in {**COLOURS, "overall": _UNTYPED}.items():
        for paired in (False, True):
            boxes = list(_boxes(lines, kind, paired, scale))
            face = colour if paired else "white"
            bars = PolyCollection(boxes, facecolors=face, edgecolors=colour, linewidths=0.9, zorder=2)
            axes.add_collection(bars, autolim=False)


def _boxes(
    lines: Sequence[Line], kind: str, paired: bool, scale: tuple[float, float]
) -> Iterator[list[tuple[float, float]]]:
    """The corners of the bars of one look; ``scale`` is the end of the axis and the least width of a bar, s."""
    last, least = scale
    for row, (_, same) in enumerate(lines):
        for each in same:
            if each.counts.type != kind:
                continue
            partners = {spotted for spotted, _ in each.pairs}, {annotated for _, annotated in each.pairs}
            sides: tuple[tuple[Sequence[Interval], set[int], float], ...] = (
                (each.annotated, partners[1], row - 0.38),
                (each.spotted, partners[0], row + 0.04),
            )
            for intervals, with_partner, top in sides:
                for number, (onset, offset, *_) in enumerate(intervals):
                    if (number in with_partner) == paired:
                        start = min(max(onset, 0) / each.fps, last - least)
                        end = min(max((offset + 1) / each.fps, start + least), last)
                        yield [(start, top), (end, top), (end, top + 0.34), (start, top + 0.34)]


def _legend(scores: Spotting) -> list[Any]:
    from matplotlib.patches import Patch

    kinds = [kind for kind in TYPES if kind in scores.kinds]
    return [
        *swatches(kinds),
        Patch(facecolor=SOFT, edgecolor=SOFT, label=f"a pair, IoU ≥ {scores.threshold:g}"),
        Patch(facecolor="white", edgecolor=SOFT, label="missed (above) or wrong (below)"),
    ]
