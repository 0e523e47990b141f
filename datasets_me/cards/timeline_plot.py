"""The timeline of all videos as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from datasets_me.cards.plot_style import BAND, COLOURS, DPI, SOFT, TRACK, drawable, new_figure, swatches
from datasets_me.cards.timeline import Line, Timeline, apex
from datasets_me.core.errors import plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEIGHTS = {"micro": 0.76, "macro": 0.46}  # of the line: the types differ in print without colours, too
_LEAST = 2.5  # px, the width of the shortest bar
_NAMED = 12  # px, the least height of a line that shows its video's name
_SUBJECT = 12  # px, the least distance between the names of two subjects
_TALLEST = 12_000  # px


def draw(timeline: Timeline, types: Sequence[str], title: str) -> Figure:
    """One line per video in one to four columns, without the names of videos where there is no room for them."""
    lines = timeline.lines
    columns = 1 if len(lines) <= 50 else 2 if len(lines) <= 320 else 4
    rows = -(-len(lines) // columns)
    height = min(13.0 if columns < 4 else 6.0, _TALLEST / rows)
    width = {1: 10.0, 2: 13.0, 4: 16.0}[columns]
    drawn = plural(sum(len(line.bars) for line in lines), "expression")
    heading = f"{title}: {drawn} in {plural(len(lines), 'video')}"
    figure = new_figure(width, rows * height / DPI + 0.8, heading, _legend(lines, types))
    end = timeline.end or 1.0
    least = end / (width / columns * 0.7 * DPI) * _LEAST
    for index, axes in enumerate(figure.subplots(1, columns, sharex=True, squeeze=False)[0]):
        part = lines[index * rows : (index + 1) * rows]
        axes.set_ylim(rows - 0.5, -0.5)
        axes.set_xlim(0, end * 1.01)
        _column(axes, part, types, (end, least))
        _names(axes, part, height)
        axes.set_xlabel("seconds from the start of the video")
        axes.grid(axis="x")
    return figure


def _column(axes: Any, lines: Sequence[Line], types: Sequence[str], scale: tuple[float, float]) -> None:
    """Bands by subject, a line for each video as long as it is known to be, and the bars."""
    from matplotlib.collections import LineCollection, PolyCollection

    start = 0
    for number, (_, same) in enumerate(groupby(lines, key=lambda line: line.subject)):
        stop = start + len(list(same))
        if number % 2 == 0:
            axes.axhspan(start - 0.5, stop - 0.5, color=BAND, zorder=0, linewidth=0)
        start = stop
    tracks = [[(0.0, row), (line.end, row)] for row, line in enumerate(lines)]
    axes.add_collection(LineCollection(tracks, colors=TRACK, linewidths=0.7, zorder=1), autolim=False)
    for kind in reversed(types):  # micro, often within a macro-expression, lies on top
        for doubtful in (False, True):
            boxes = list(_boxes(lines, kind, doubtful, scale))
            face = "white" if doubtful else COLOURS[kind]
            bars = PolyCollection(boxes, facecolors=face, edgecolors=COLOURS[kind], linewidths=0.8, zorder=2)
            axes.add_collection(bars, autolim=False)
    apexes = [
        [(at, row - 0.3), (at, row + 0.3)]
        for row, line in enumerate(lines)
        for bar in line.bars
        if not bar.doubtful and bar.end - bar.start > 4 * scale[1] and (at := apex(bar)) is not None
    ]
    axes.add_collection(LineCollection(apexes, colors="white", linewidths=1.0, zorder=3), autolim=False)


def _boxes(
    lines: Sequence[Line], kind: str, doubtful: bool, scale: tuple[float, float]
) -> Iterator[list[tuple[float, float]]]:
    """The corners of the bars of one look; ``scale`` is the end of the axis and the least width of a bar, s."""
    last, least = scale
    half = _HEIGHTS[kind] / 2
    for row, line in enumerate(lines):
        for bar in line.bars:
            if bar.row.type == kind and bar.doubtful == doubtful:
                start = min(bar.start, last - least)
                end = max(bar.end, start + least)
                yield [(start, row - half), (end, row - half), (end, row + half), (start, row + half)]


def _names(axes: Any, lines: Sequence[Line], height: float) -> None:
    """The names of videos as ticks; those of subjects further left, at the middle of their lines."""
    named = height >= _NAMED
    axes.set_yticks(
        range(len(lines)) if named else [], [drawable(line.label, 18) for line in lines] if named else [], fontsize=7
    )
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    widest = max((len(drawable(line.label, 18)) for line in lines), default=0) if named else 0
    offset = -(6 + 4.6 * widest)  # points; a character of 7 points is about 4.4 wide
    start, last = 0, -1e9
    for subject, same in groupby(lines, key=lambda line: line.subject):
        stop = start + len(list(same))
        middle = (start + stop - 1) / 2
        if (middle - last) * height >= _SUBJECT:
            axes.annotate(
                drawable(subject, 18) or "no subject",
                (0, middle),
                xycoords=("axes fraction", "data"),
                xytext=(offset, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=8,
                fontweight="bold",
                annotation_clip=False,
            )
            last = middle
        start = stop


def _legend(lines: Sequence[Line], types: Sequence[str]) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    bars = [bar for line in lines for bar in line.bars]
    handles = swatches(types)
    if any(bar.doubtful for bar in bars):
        handles.append(Patch(facecolor="white", edgecolor=SOFT, label="frames missing or out of order"))
    if any(bar.row.apex is not None for bar in bars):
        tick: dict[str, Any] = {"marker": "|", "markersize": 8, "markeredgecolor": "white"}
        handles.append(
            Line2D([], [], color=SOFT, linewidth=8, solid_capstyle="butt", label="apex, where there is room", **tick)
        )
    handles.append(Line2D([], [], color=TRACK, linewidth=1, label="video"))
    return handles
