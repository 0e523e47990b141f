"""The differences between two annotation sources of one dataset, whose rows are matched by what they are about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from datasets_me.core.tables import Record
from datasets_me.core.text import clean, same
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import FRAME_FIELDS

DifferenceStatus = Literal["only in A", "only in B", "differs"]


class Difference(Record):
    """A row that only one source has, or one field in which matched rows differ.

    Frames are 0-based; where the sources count at different rates, at the lower of the two.
    """

    status: DifferenceStatus
    subject: str
    video: str
    expression: str | None = None
    field: str | None = None
    a: str | None = None
    b: str | None = None
    where_a: str | None = None
    where_b: str | None = None


@dataclass(frozen=True)
class Comparison:
    """All differences, in order of video, and how many rows were matched and equal.

    ``not_compared`` are the columns that only one source has: ``aus``, ``emotion``.
    """

    differences: list[Difference]
    matched: int
    equal: int
    not_compared: tuple[str, ...] = ()

    def only(self, status: DifferenceStatus) -> int:
        """Rows (or, for ``differs``, fields) of one status."""
        return sum(difference.status == status for difference in self.differences)


@dataclass(frozen=True)
class _Row:
    """An annotation with its frames at the common rate."""

    source: Annotation
    frames: tuple[int | None, int | None, int | None]

    @property
    def span(self) -> tuple[int, int]:
        known = [frame for frame in self.frames if frame is not None]
        return min(known), max(known)


def compare(a: Sequence[Annotation], b: Sequence[Annotation]) -> Comparison:
    """Match the rows of two sources inside each video, and compare frames, type, action units and emotion.

    Rows are matched by the expression's name and type where both sources have names, then by identical frames and
    type, then by the largest overlap. Action units and emotions are compared only where both sources have any.
    """
    columns = [name for name in ("aus", "emotion") if _any(a, name) and _any(b, name)]
    videos: defaultdict[str, tuple[list[_Row], list[_Row]]] = defaultdict(lambda: ([], []))
    for index, rows in enumerate((a, b)):
        for row in rows:
            videos[row.video.casefold()][index].append(_at_common_rate(row, (a, b)))
    differences: list[Difference] = []
    matched = equal = 0
    for video in sorted(videos):
        pairs, alone_a, alone_b = _match(*videos[video])
        for first, second in pairs:
            in_fields = list(_fields(first, second, columns))
            matched += 1
            equal += not in_fields
            differences += in_fields
        differences += [_alone("only in A", row) for row in alone_a]
        differences += [_alone("only in B", row) for row in alone_b]
    not_compared = tuple(name for name in ("aus", "emotion") if _any(a, name) != _any(b, name))
    return Comparison(differences, matched, equal, not_compared)


def _any(rows: Sequence[Annotation], name: str) -> bool:
    return any(row.au_raw if name == "aus" else _emotion(row) for row in rows)


def _at_common_rate(row: Annotation, sources: tuple[Sequence[Annotation], Sequence[Annotation]]) -> _Row:
    # A rate given per row (DFME) is the video's own, the same in both sources; a source with one rate is resampled.
    rates = [{other.fps for other in source} for source in sources]
    rate = min(min(source) for source in rates) if all(len(source) == 1 for source in rates) else row.fps
    scaled = (None if frame is None else int(frame * rate / row.fps) for frame in (row.onset, row.apex, row.offset))
    onset, apex, offset = scaled
    return _Row(row, (onset, apex, offset))


_Pairs = list[tuple[_Row, _Row]]


def _match(a: list[_Row], b: list[_Row]) -> tuple[_Pairs, list[_Row], list[_Row]]:
    pairs: _Pairs = []
    for alike in (_same_name_and_frames, _same_name, _same_frames):
        for row in list(a):
            partner = next((other for other in b if alike(row, other)), None)
            if partner is not None:
                a.remove(row)
                b.remove(partner)
                pairs.append((row, partner))
    candidates = sorted(
        ((likeness, i, j) for i, x in enumerate(a) for j, y in enumerate(b) if (likeness := _likeness(x, y)) > 0),
        key=lambda candidate: (-candidate[0], candidate[1], candidate[2]),
    )
    taken_a, taken_b = set[int](), set[int]()
    for _, i, j in candidates:
        if i not in taken_a and j not in taken_b:
            taken_a.add(i)
            taken_b.add(j)
            pairs.append((a[i], b[j]))
    pairs.sort(key=lambda pair: pair[0].source.source_row)
    return (
        pairs,
        [row for i, row in enumerate(a) if i not in taken_a],
        [row for j, row in enumerate(b) if j not in taken_b],
    )


def _same_name_and_frames(a: _Row, b: _Row) -> bool:
    return _same_name(a, b) and a.frames == b.frames


def _same_name(a: _Row, b: _Row) -> bool:
    names = a.source.expression, b.source.expression
    return None not in names and same(names[0] or "", names[1] or "") and a.source.type == b.source.type


def _same_frames(a: _Row, b: _Row) -> bool:
    return a.frames == b.frames and a.source.type == b.source.type


def _likeness(a: _Row, b: _Row) -> float:
    """Intersection over union of the spans in frames; a little more for the same type, which decides between equals."""
    (start_a, end_a), (start_b, end_b) = a.span, b.span
    shared = min(end_a, end_b) - max(start_a, start_b) + 1
    if shared <= 0:
        return 0.0
    return shared / (max(end_a, end_b) - min(start_a, start_b) + 1) + 0.01 * (a.source.type == b.source.type)


def _fields(a: _Row, b: _Row, columns: list[str]) -> Iterator[Difference]:
    for index, name in enumerate(FRAME_FIELDS):
        if a.frames[index] != b.frames[index]:
            yield _field(a, b, name, _text(a.frames[index]), _text(b.frames[index]))
    if a.source.type != b.source.type:
        yield _field(a, b, "type", a.source.type, b.source.type)
    if "aus" in columns and not _same_units(a.source, b.source):
        yield _field(a, b, "aus", a.source.au_raw or "", b.source.au_raw or "")
    if "emotion" in columns and _emotion(a.source) != _emotion(b.source):
        yield _field(a, b, "emotion", _emotion(a.source), _emotion(b.source))


def _same_units(a: Annotation, b: Annotation) -> bool:
    if clean(a.au_raw or "") == clean(b.au_raw or ""):
        return True
    first, second = ({unit.model_dump_json() for unit in row.aus} for row in (a, b))
    return first == second and not a.aus_unread and not b.aus_unread


def _emotion(row: Annotation) -> str:
    return row.emotion or row.emotion_raw or ""


def _text(frame: int | None) -> str:
    return "null" if frame is None else str(frame)


def _field(a: _Row, b: _Row, name: str, value_a: str, value_b: str) -> Difference:
    return Difference(
        status="differs",
        subject=a.source.subject,
        video=a.source.video,
        expression=a.source.expression or b.source.expression,
        field=name,
        a=value_a,
        b=value_b,
        where_a=str(a.source.place(name)),
        where_b=str(b.source.place(name)),
    )


def _alone(status: DifferenceStatus, row: _Row) -> Difference:
    frames = " ".join(_text(frame) for frame in row.frames)
    text = f"{row.source.type} {frames}"
    in_a = status == "only in A"
    where = str(row.source.place())
    return Difference(
        status=status,
        subject=row.source.subject,
        video=row.source.video,
        expression=row.source.expression,
        a=text if in_a else None,
        b=None if in_a else text,
        where_a=where if in_a else None,
        where_b=None if in_a else where,
    )
