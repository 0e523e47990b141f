"""The plots of a card: durations, subjects, emotions, action units, and the timeline of all videos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from datasets_me.cards import timeline_plot
from datasets_me.cards.facts import LONGEST_MICRO, Facts, Share
from datasets_me.cards.plot_style import COLOURS, INK, drawable, new_figure, own_style, png, swatches, whole_numbers
from datasets_me.cards.timeline import Timeline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_UNITS = 30
_MOST_LABELS = 60
_TITLE = 50  # characters


def draw(facts: Facts, timeline: Timeline, dataset: str) -> dict[str, bytes | str]:
    """Per plot its PNG, or the reason why there is none; the same facts give the same bytes.

    Raises:
        MeDatasetsError: matplotlib is not installed.
    """
    plots: dict[str, tuple[Callable[[Facts, str], Figure], str | None]] = {
        "durations": (_durations, None if facts.durations else "no annotation has both an onset and an offset"),
        "subjects": (_subjects, None if facts.subjects else "the manifest has no annotations"),
        "emotions": (_emotions, None if facts.emotions else "no annotation has an emotion that the schema knows"),
        "action_units": (_units, None if facts.aus else "no annotation has action units that could be read"),
        "timeline": (
            lambda facts, title: timeline_plot.draw(timeline, facts.types, title),
            None if timeline.lines else "the manifest has no videos",
        ),
    }
    plotted: dict[str, bytes | str] = {}
    with own_style():
        title = drawable(dataset, _TITLE)
        for name, (plot, reason) in plots.items():
            plotted[name] = reason if reason is not None else png(plot(facts, title))
    return plotted


def _durations(facts: Facts, title: str) -> Figure:
    bins = facts.durations
    assert bins is not None  # otherwise draw() leaves this plot out
    figure = new_figure(9, 0.4 + 2.4 * len(bins.counts), f"{title}: durations from onset to offset")
    panels = figure.subplots(len(bins.counts), 1, sharex=True, squeeze=False)[:, 0]
    starts = [index * bins.width for index in range(bins.bins)]
    for axes, entry in zip(panels, facts.lengths, strict=True):
        counts = bins.counts[entry.type]
        axes.bar(starts, counts, bins.width, align="edge", color=COLOURS[entry.type], edgecolor="white", linewidth=0.6)
        axes.axvline(LONGEST_MICRO, color=INK, linestyle="--", linewidth=1.2)
        axes.annotate(
            f" {LONGEST_MICRO:g} s", (LONGEST_MICRO, 0.97), xycoords=("data", "axes fraction"), va="top", fontsize=9
        )
        summary = f"{entry.known:,} measured"
        if entry.median_s is not None:
            summary += f", median {entry.median_s:.3g} s, {entry.within:,} of at most {LONGEST_MICRO:g} s"
        if bins.beyond[entry.type]:
            summary += f", {bins.beyond[entry.type]:,} longer than {bins.end:.3g} s"
        axes.set_title(summary, loc="right", fontsize=9)
        axes.set_ylabel(f"{entry.type}-expressions")
        axes.set_ylim(0, max(1.0, max(counts) * 1.15))
        axes.grid(axis="y")
        whole_numbers(axes.yaxis)
    panels[0].set_xlim(0, max(bins.end, LONGEST_MICRO * 1.2))
    panels[-1].set_xlabel(f"duration, s (bins of {bins.width:.3g} s)")
    return figure


def _subjects(facts: Facts, title: str) -> Figure:
    from matplotlib.lines import Line2D

    shares = facts.subjects
    mean = facts.annotations / len(shares)
    legend = [*swatches(facts.types), Line2D([], [], color=INK, linestyle=":", label=f"mean, {mean:.3g}")]
    width = min(16.0, max(7.5, 0.24 * len(shares) + 1.5))
    figure = new_figure(width, 4.0, f"{title}: expressions per subject", legend)
    axes = figure.subplots()
    positions = range(len(shares))
    bottom = [0] * len(shares)
    for kind in facts.types:
        counts = [getattr(share, kind) for share in shares]
        axes.bar(positions, counts, 0.8, bottom, color=COLOURS[kind])
        bottom = [low + count for low, count in zip(bottom, counts, strict=True)]
    axes.axhline(mean, color=INK, linestyle=":", linewidth=1.2)
    every = -(-len(shares) // _MOST_LABELS)
    names = [drawable(share.label) for share in shares[::every]]
    axes.set_xticks(list(positions)[::every], names, rotation=90, fontsize=8)
    axes.set_xlim(-0.8, len(shares) - 0.2)
    axes.set_ylabel("expressions")
    axes.grid(axis="y")
    whole_numbers(axes.yaxis)
    return figure


def _emotions(facts: Facts, title: str) -> Figure:
    shares = list(facts.emotions)
    if facts.unlabelled:
        rest = {entry.type: entry.rows - sum(getattr(share, entry.type) for share in shares) for entry in facts.lengths}
        shares.append(Share("(no emotion)", rest.get("micro", 0), rest.get("macro", 0)))
    return _horizontal(shares, facts.types, f"{title}: expressions by emotion", drawable)


def _units(facts: Facts, title: str) -> Figure:
    shown = facts.aus[:MOST_UNITS]
    more = f", the {len(shown)} most frequent of {len(facts.aus)}" if len(shown) < len(facts.aus) else ""
    return _horizontal(shown, facts.types, f"{title}: expressions by action unit{more}", lambda label: f"AU {label}")


def _horizontal(shares: Sequence[Share], types: Sequence[str], title: str, name: Callable[[str], str]) -> Figure:
    figure = new_figure(9, 0.9 + 0.28 * len(shares), title, swatches(types))
    axes = figure.subplots()
    positions = range(len(shares))
    left = [0] * len(shares)
    for kind in types:
        counts = [getattr(share, kind) for share in shares]
        axes.barh(positions, counts, 0.72, left, color=COLOURS[kind])
        left = [start + count for start, count in zip(left, counts, strict=True)]
    for position, share in zip(positions, shares, strict=True):
        summary = " + ".join(f"{getattr(share, kind):,}" for kind in types)
        place = (share.total, position)
        axes.annotate(summary, place, xytext=(5, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_yticks(list(positions), [name(share.label) for share in shares], fontsize=9)
    axes.set_ylim(len(shares) - 0.4, -0.6)
    axes.set_xlim(0, max(share.total for share in shares) * 1.14)
    axes.set_xlabel("expressions")
    axes.grid(axis="x")
    whole_numbers(axes.xaxis)
    return figure
