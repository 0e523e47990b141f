"""From annotations to labels of every frame.

Feature i of a video is the motion from frame ``start + i`` to a later one, and label i belongs to it. These are the
rules, beside those of the published scripts (``--compat auwgcn``, :mod:`datasets_me.export.published`):

========================  =========================================  ==================================================
what                      here                                       published
========================  =========================================  ==================================================
first frame               0, as in the manifest                      the CSV's number as it is: of CAS(ME)², counted
                                                                     from 1, each label stands one frame late
onset 0                   the first frame                            0 counts as "not annotated"
offset missing            read as ``--offset-missing`` says          2 · apex − onset
apex missing              the middle of onset and offset             the same where the CSV has 0; where it has −1, the
                                                                     mark lands on the last frame of the video
onset missing, or apex    no label, and ME503                        no label and no message; with one of the three
and offset missing                                                   missing, a 0 is taken for a frame
offset before onset       no label, and ME503                        two or three marks, no action
apex outside              the action is labelled, the apex is not,   the mark is where the CSV says; after the last
                          and ME508                                  frame, the whole row is dropped
ends after the video      action up to the last frame, no end mark,  the end mark moves to the last frame
                          and ME505
========================  =========================================  ==================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.rates import moved, ratio
from datasets_me.core.tables import Record
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.missing_offset import OffsetFrom, read_offset
from datasets_me.formats.records import Annotation

CHANNELS = (
    *("micro_onset", "micro_apex", "micro_offset", "micro_action"),
    *("macro_onset", "macro_apex", "macro_offset", "macro_action"),
)
"""The columns of a label array."""

ApexFrom = Literal["annotated", "middle"]


class LabelRow(Record):
    """How one annotation is labelled on the features ``name`` of its video.

    Frames are 0-based, at ``fps``. ``onset``, ``apex`` and ``offset`` are the frames that are marked, null where none
    is; ``first`` to ``last`` is the action, null where the annotation could not be labelled at all.
    """

    annotation: str
    dataset: str
    subject: str
    video: str
    name: str
    type: Literal["micro", "macro"]
    fps: float
    onset: int | None = None
    apex: int | None = None
    offset: int | None = None
    first: int | None = None
    last: int | None = None
    apex_from: ApexFrom | None = None
    offset_from: OffsetFrom | None = None

    @property
    def reach(self) -> tuple[int, int] | None:
        """The first and the last labelled frame; None where there is none."""
        frames = [frame for frame in (self.onset, self.apex, self.offset, self.first, self.last) if frame is not None]
        return (min(frames), max(frames)) if frames else None


@dataclass(frozen=True)
class Span:
    """The features of a video that labels are made for: ``count`` of them from frame ``start``, at ``fps``.

    ``frames`` is the number of frames of the video, larger than ``count`` because a feature is the motion between two.
    """

    name: str
    start: int
    count: int
    frames: int
    fps: float


@dataclass(frozen=True)
class Extent:
    """Onset, apex and offset as they are read, at the annotation's rate, and where they come from."""

    onset: int
    apex: int | None
    offset: int
    apex_from: ApexFrom | None
    offset_from: OffsetFrom


def read(row: Annotation, span: Span, offset_missing: str = "mirror") -> tuple[LabelRow, list[Finding]]:
    """How an annotation is labelled, and the findings about it."""
    findings: list[Finding] = []
    label = blank(row, span)
    extent = read_extent(row, offset_missing, findings)
    if extent is None:
        return label, findings
    step = ratio(row.fps, span.fps)
    onset, offset = moved(extent.onset, step), moved(extent.offset, step)
    apex = None if extent.apex is None else moved(extent.apex, step)
    features_end, end = span.start + span.count - 1, span.start + span.frames - 1
    if offset < span.start or onset > features_end:
        reach = f"the features cover {span.start} to {features_end}" if span.count else "there are no features"
        findings.append(about("ME504", f"frames {onset} to {offset}, {reach}", row, "onset"))
        return label, findings
    if onset < span.start or offset > features_end:
        findings.append(_cut(row, onset, offset, span))
    if apex is not None and not span.start <= apex <= end:
        findings.append(about("ME508", f"the apex, frame {apex}, lies outside the video's frames", row, "apex"))
        apex = None
    return label.model_copy(
        update={
            "onset": onset if onset >= span.start else None,
            "apex": None if apex is None else min(apex, features_end),
            "offset": None if offset > end else min(offset, features_end),
            "first": max(onset, span.start),
            "last": min(offset, features_end),
            "apex_from": None if apex is None else extent.apex_from,
            "offset_from": extent.offset_from,
        }
    ), findings


def read_extent(row: Annotation, offset_missing: str, findings: list[Finding]) -> Extent | None:
    """Onset, apex and offset as they are read; None where the annotation does not say where the expression lies.

    Findings about what is missing or contradictory are appended to ``findings``.
    """
    onset, apex = row.onset, row.apex
    if onset is None:
        message = "the onset is not annotated, so the position of the expression is unknown"
        findings.append(about("ME503", message, row, "onset"))
        return None
    reading = read_offset(row, offset_missing)
    if reading is None:
        what = "neither apex nor offset is annotated" if apex is None else "the offset is not annotated"
        dropped = apex is not None and offset_missing == "drop"
        message = f"{what}, and --offset-missing drop leaves such rows out" if dropped else what
        findings.append(about("ME503", message, row, "offset"))
        return None
    offset, offset_from = reading
    if offset_from != "annotated":
        message = f"the offset is not annotated; read as {offset}, {_offset_rule(offset_missing)}"
        findings.append(about("ME506", message, row, "offset"))
    if offset < onset:
        findings.append(about("ME503", f"the offset, frame {offset}, lies before the onset, {onset}", row, "offset"))
        return None
    apex_from: ApexFrom | None = "annotated"
    if apex is None:
        apex, apex_from = (onset + offset) // 2, "middle"
        findings.append(about("ME507", f"the apex is not annotated; read as {apex}, the middle", row, "apex"))
    elif not onset <= apex <= offset:
        findings.append(about("ME508", f"the apex, frame {apex}, lies outside {onset} to {offset}", row, "apex"))
        apex, apex_from = None, None
    return Extent(onset, apex, offset, apex_from, offset_from)


def _offset_rule(rule: str) -> str:
    """A rule for missing offsets in words."""
    if rule == "mirror":
        return "as far after the apex as the onset lies before it"
    return "the apex" if rule == "apex" else f"{int(rule.partition(':')[2])} frames after the apex"


def blank(row: Annotation, span: Span) -> LabelRow:
    """The label of an annotation that marks nothing."""
    return LabelRow(
        annotation=row.id,
        dataset=row.dataset,
        subject=row.subject,
        video=row.video,
        name=span.name,
        type=row.type,
        fps=span.fps,
    )


def array(labels: Iterable[LabelRow], span: Span) -> NDArray[np.int8]:
    """Labels (count, 8) of 0 and 1; the columns are ``CHANNELS``."""
    out = np.zeros((span.count, len(CHANNELS)), np.int8)
    for label in labels:
        column = 0 if label.type == "micro" else 4
        for shift, frame in enumerate((label.onset, label.apex, label.offset)):
            if frame is not None:
                out[frame - span.start, column + shift] = 1
        if label.first is not None and label.last is not None:
            out[label.first - span.start : label.last - span.start + 1, column + 3] = 1
    return out


def shared(annotations: Iterable[Annotation], labels: Iterable[LabelRow]) -> list[Finding]:
    """A finding for each annotation of a video whose action runs into another's of its type."""
    findings = []
    placed = [(row, label) for row, label in zip(annotations, labels, strict=True) if label.first is not None]
    for kind in ("micro", "macro"):
        before: tuple[Annotation, LabelRow] | None = None
        for row, label in sorted(
            (pair for pair in placed if pair[1].type == kind), key=lambda pair: (pair[1].first or 0, pair[1].last or 0)
        ):
            if before and (before[1].last or 0) >= (label.first or 0):
                earlier = f"{before[0].id}, up to {before[1].last}"
                findings.append(
                    about("ME514", f"frames {label.first} to {label.last} run into {earlier}", row, "onset")
                )
            if before is None or (label.last or 0) > (before[1].last or 0):
                before = (row, label)
    return findings


def about(code: str, message: str, row: Annotation, field: str, **fields: str | None) -> Finding:
    """A finding about a cell of an annotation's row."""
    return finding(code, message, place=row.place(field), subject=row.subject, video=row.video, **fields)


def _cut(row: Annotation, onset: int, offset: int, span: Span) -> Finding:
    features_end, end = span.start + span.count - 1, span.start + span.frames - 1
    parts = []
    if onset < span.start:
        parts.append(f"the onset, frame {onset}, lies before the first frame, {span.start}: no onset is marked")
    if offset > end:
        parts.append(f"the offset, frame {offset}, lies after the last frame, {end}: no offset is marked")
    elif offset > features_end:
        parts.append(f"the offset, frame {offset}, has no motion after it: marked at {features_end}, the last feature")
    return about("ME505", "; ".join(parts), row, "onset" if onset < span.start else "offset")
