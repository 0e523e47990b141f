"""One line per video, its expressions as bars in seconds: what the plot and the page draw."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from datasets_me.cards.durations import axis_end
from datasets_me.cards.facts import natural
from datasets_me.formats.frame_files import video_seconds
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import FRAME_FIELDS


@dataclass(frozen=True)
class Bar:
    """One expression: from ``start`` to ``end`` s, both ends' frames included.

    A bar is ``doubtful`` where onset or offset is missing or the frames are out of order; it then covers the known
    frames, one at least.
    """

    start: float
    end: float
    doubtful: bool
    row: Annotation


@dataclass(frozen=True)
class Line:
    """One video; ``label`` is its name without its subject's, ``length`` its duration in s, 0 where unknown."""

    subject: str
    video: str
    label: str
    length: float
    bars: list[Bar]

    @cached_property
    def end(self) -> float:
        """Seconds from the start to the last known frame."""
        return max([self.length, *(bar.end for bar in self.bars)])


@dataclass(frozen=True)
class Timeline:
    """All videos, by subject and name. ``unplaced`` counts expressions without any frame number, which have no bar."""

    lines: list[Line]
    unplaced: int

    @cached_property
    def end(self) -> float:
        """Seconds from the start of a video to the end of the axis (`durations.axis_end`)."""
        return axis_end([line.end for line in self.lines]) or 0.0

    @property
    def doubtful(self) -> int:
        """How many bars are doubtful."""
        return sum(bar.doubtful for line in self.lines for bar in line.bars)

    @cached_property
    def beyond(self) -> int:
        """How many expressions end beyond the axis; they are drawn at its end."""
        return sum(bar.end > self.end for line in self.lines for bar in line.bars)


def timeline(manifest: Manifest) -> Timeline:
    """The lines of a manifest's videos: the annotated ones, and whole videos without annotations."""
    rows: dict[tuple[str, str], list[Annotation]] = defaultdict(list)
    for row in manifest.annotations:
        rows[row.subject, row.video].append(row)
    subject_of = {video: subject for subject, video in rows}
    lengths: dict[tuple[str, str], float] = {}
    whole = {layout.id for layout in manifest.spec.layouts if layout.holds == "video"}
    for entry in manifest.videos:
        if entry.layout in whole:
            key = (entry.subject or subject_of.get(entry.video, ""), entry.video)
            lengths[key] = max(lengths.get(key, 0.0), video_seconds(manifest, entry) or 0.0)
    keys = sorted({*rows, *lengths}, key=lambda key: (natural(key[0]), natural(key[1])))
    lines = [
        Line(subject, video, _label(subject, video), lengths.get((subject, video), 0.0), _bars(rows[subject, video]))
        for subject, video in keys
    ]
    return Timeline(lines, len(manifest.annotations) - sum(len(line.bars) for line in lines))


def _label(subject: str, video: str) -> str:
    return video.removeprefix(subject).strip("_- ") or video


def _bars(rows: list[Annotation]) -> list[Bar]:
    bars = []
    for row in rows:
        known = [frame for name in FRAME_FIELDS if (frame := getattr(row, name)) is not None]
        if known:
            doubtful = row.onset is None or row.offset is None or known != sorted(known)
            bars.append(Bar(min(known) / row.fps, (max(known) + 1) / row.fps, doubtful, row))
    return sorted(bars, key=lambda bar: (bar.start, bar.end, bar.row.id))


def apex(bar: Bar) -> float | None:
    """The time of a bar's apex, s: the middle of its frame."""
    return None if bar.row.apex is None else (bar.row.apex + 0.5) / bar.row.fps
