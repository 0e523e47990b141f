"""The card as one self-contained HTML page that shows every expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from datasets_me.cards.card import Card
from datasets_me.cards.durations import Histogram
from datasets_me.cards.facts import LONGEST_MICRO
from datasets_me.cards.readme import web_address
from datasets_me.cards.timeline import Bar, Line, apex
from datasets_me.core import resources
from datasets_me.core.errors import plural
from datasets_me.core.version import __version__
from datasets_me.formats.records import ActionUnit, Annotation
from datasets_me.schema.spec import FRAME_FIELDS

_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_MOST_TICKS = 10
_SIDES = {"bilateral": "", "left": "L", "right": "R", "top": "T", "bottom": "B", "asymmetric": "A"}


@dataclass(frozen=True)
class Mark:
    """A bar as it is drawn: positions in percent of the axis, and its text."""

    type: str
    doubtful: bool
    left: float
    width: float
    apex: float | None
    text: str


@dataclass(frozen=True)
class Lane:
    """The line of one video; ``length`` in percent of the axis."""

    label: str
    video: str
    length: float
    marks: list[Mark]


@dataclass(frozen=True)
class Column:
    """A bar of a histogram: place and width in percent of the axis, height as a part of the highest."""

    left: float
    width: float
    height: float
    text: str


@dataclass(frozen=True)
class Chart:
    """The durations of one type; ``limit`` is the place of 0.5 s, in percent, as are those of the ticks."""

    type: str
    columns: list[Column]
    limit: float
    beyond: int
    ticks: list[tuple[float, float]]


def to_html(card: Card) -> str:
    """The page; the same card gives the same bytes, and every text of the manifest is escaped."""
    import jinja2

    template = resources.package_file("cards/card.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": number, "plural": plural}
    spec, axis = card.manifest.spec, card.timeline.end or 1.0
    return environment.from_string(template).render(
        card=card,
        facts=card.facts,
        spec=spec,
        schema=card.manifest.schema,
        page=web_address(spec.licence.page),
        paragraphs=_paragraphs(card.prose or ""),
        groups=list(_groups(card.timeline.lines, axis)),
        ticks=[(100 * tick / axis, tick) for tick in _ticks(axis)],
        histograms=list(_charts(card.facts.durations)),
        longest_micro=LONGEST_MICRO,
        version=__version__,
    )


def number(value: float | None) -> str:
    """A count with thousands separators, a measured value with four digits, a dash where unknown."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"


def describe(row: Annotation) -> str:
    """The text of one expression, in lines: name, frames, labels, and the cells it comes from."""
    name = " ".join(dict.fromkeys(part for part in (row.video, row.expression) if part))
    lines = [f"{name}: {row.type}-expression of {row.subject}"]
    lines += [f"{field} {_frame(row, field)}" for field in FRAME_FIELDS]
    if row.length is not None and row.length > 0:
        lines.append(f"{row.length} frames, {row.length / row.fps:.3g} s at {row.fps:g} frames a second")
    emotion = row.emotion or (f"not known: {row.emotion_raw}" if row.emotion_raw else "none")
    lines.append(f"emotion {emotion}")
    read = " ".join(_unit(unit) for unit in row.aus)
    lines.append(f"action units {read or 'none'}" + (f" (workbook: {row.au_raw})" if row.au_raw else ""))
    cells = " ".join(cell for field in FRAME_FIELDS if (cell := row.source_cells.get(field)))
    lines.append(f"{row.place()}" + (f", frames in {cells}" if cells else ""))
    return "\n".join(lines)


def _frame(row: Annotation, field: str) -> str:
    value, raw = getattr(row, field), getattr(row, f"{field}_raw")
    shown = "not annotated" if value is None else f"{value}"
    changed = row.corrected.get(field)
    return shown + (f" (workbook: {raw}{f', corrected to {changed}' if changed else ''})" if raw else "")


def _unit(unit: ActionUnit) -> str:
    doubt = "?" if unit.uncertain else ""
    text = f"{_SIDES[unit.side]}{unit.au}{unit.intensity or ''}{doubt}"
    return f"reflex({text})" if unit.reflex else text


def _groups(lines: list[Line], axis: float) -> Iterator[tuple[str, list[Lane]]]:
    for subject, same in groupby(lines, key=lambda line: line.subject):
        yield (
            subject,
            [
                Lane(line.label, line.video, min(100.0, 100 * line.end / axis), [_mark(bar, axis) for bar in line.bars])
                for line in same
            ],
        )


def _mark(bar: Bar, axis: float) -> Mark:
    at = apex(bar)
    left = min(99.9, 100 * bar.start / axis)
    return Mark(
        type=bar.row.type,
        doubtful=bar.doubtful,
        left=left,
        width=min(100.0, 100 * bar.end / axis) - left,
        apex=None if at is None or at > axis else 100 * at / axis,
        text=describe(bar.row),
    )


def _charts(bins: Histogram | None) -> Iterator[Chart]:
    if bins is None:
        return
    end = max(bins.end, LONGEST_MICRO * 1.2)
    for kind, counts in bins.counts.items():
        most = max([*counts, 1])
        columns = [
            Column(
                left=100 * index * bins.width / end,
                width=96 * bins.width / end,
                height=count / most,
                text=f"{index * bins.width:.4g} to {(index + 1) * bins.width:.4g} s: {plural(count, 'expression')}",
            )
            for index, count in enumerate(counts)
            if count
        ]
        ticks = [(100 * tick / end, tick) for tick in _ticks(end)]
        yield Chart(kind, columns, 100 * LONGEST_MICRO / end, bins.beyond[kind], ticks)


def _ticks(end: float) -> list[float]:
    step = next((tick for tick in _TICKS if end / tick <= _MOST_TICKS), end)
    return [round(step * index, 6) for index in range(int(end / step + 1e-9) + 1)]


def _paragraphs(prose: str) -> list[Any]:
    """Prose as HTML: paragraphs, with text between backticks as code; everything else is escaped."""
    from markupsafe import Markup, escape

    paragraphs = []
    for paragraph in prose.split("\n\n"):
        parts = paragraph.split("`")
        marked = [Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts)]
        paragraphs.append(Markup("").join(marked))
    return [paragraph for paragraph in paragraphs if paragraph]
