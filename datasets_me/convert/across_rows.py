"""Findings about several rows: duplicates, overlaps, and counts that differ from the published ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import median

from datasets_me.core.errors import Place, plural
from datasets_me.core.text import fold
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import Expected, Spec

LONGEST_MICRO = 2.0
"""Seconds after which a micro-expression is doubted: four times the half second by which they are defined."""

MEDIAN_OF = 10
"""Rows from which on the median length of micro-expressions is compared with what the schema expects."""


def check_rows(
    spec: Spec, variant: str, annotations: Sequence[Annotation], left_out: Sequence[Annotation] = ()
) -> Iterator[Finding]:
    """Findings about several rows.

    ME108 (overlap), ME109 (duplicate), ME136 (length), ME137 (frame rate) and ME110 (counts, with rows left out).
    """
    by_video: defaultdict[str, list[Annotation]] = defaultdict(list)
    for annotation in annotations:
        by_video[annotation.video.casefold()].append(annotation)
    for rows in by_video.values():
        repeated = _repeated(rows)
        for row, earlier in repeated:
            message = f"row {row.source_row} repeats row {earlier.source_row} of {row.video}"
            yield finding("ME109", message, place=row.place(), subject=row.subject, video=row.video)
        again = {id(row) for row, _ in repeated}
        yield from _overlaps([row for row in rows if id(row) not in again])
    yield from _too_long(annotations)
    expected = spec.expected_of(variant)
    yield from _rate(expected, annotations)
    yield from _counts(expected, [*annotations, *left_out])


def _repeated(rows: Sequence[Annotation]) -> list[tuple[Annotation, Annotation]]:
    """Rows that repeat an earlier one, each with that one."""
    seen: dict[tuple[object, ...], Annotation] = {}
    repeated = []
    for row in rows:
        key = (row.type, row.onset, row.apex, row.offset, fold(row.expression or ""))
        if key in seen:
            repeated.append((row, seen[key]))
        seen.setdefault(key, row)
    return repeated


def _span(row: Annotation) -> tuple[int, int]:
    frames = [frame for frame in (row.onset, row.apex, row.offset) if frame is not None]
    return min(frames), max(frames)


def _overlaps(rows: Sequence[Annotation]) -> Iterator[Finding]:
    ordered = sorted(rows, key=_span)
    reaching = ordered[0]
    for row in ordered[1:]:
        start, end = _span(row)
        last = _span(reaching)[1]
        if start <= last:
            shared = min(end, last) - start + 1
            message = (
                f"row {row.source_row} shares {plural(shared, 'frame')} with row {reaching.source_row} of {row.video}"
            )
            yield finding("ME108", message, place=row.place("onset"), subject=row.subject, video=row.video)
        if end > last:
            reaching = row


def _too_long(annotations: Sequence[Annotation]) -> Iterator[Finding]:
    for row in annotations:
        seconds = (row.length or 0) / row.fps
        if row.type == "micro" and seconds > LONGEST_MICRO:
            message = f"a micro-expression of {row.length:,} frames, {seconds:.1f} s"
            yield finding("ME136", message, place=row.place("offset"), subject=row.subject, video=row.video)


def _rate(expected: Expected, annotations: Sequence[Annotation]) -> Iterator[Finding]:
    """A finding where micro-expressions last too many or too few frames for the rate they are taken to have."""
    lengths = [row.length for row in annotations if row.type == "micro" and row.length is not None]
    if expected.micro_frames is None or len(lengths) < MEDIAN_OF:
        return
    low, high = expected.micro_frames
    typical = median(lengths)
    if not low <= typical <= high:
        row = annotations[0]
        message = (
            f"half of the micro-expressions have at most {typical:g} frames, {typical / row.fps:.2f} s at {row.fps:g} "
            f"frames a second; expected are {low} to {high} frames"
        )
        place = Place(row.source_file, row.source_sheet)
        yield finding("ME137", message, place=place, expected=f"{low} to {high}", found=f"{typical:g}")


def _counts(expected: Expected, annotations: Sequence[Annotation]) -> Iterator[Finding]:
    types = Counter(row.type for row in annotations)
    labels = Counter(row.emotion for row in annotations)
    compared = [
        ("annotations", expected.annotations, len(annotations)),
        ("micro-expressions", expected.micro, types["micro"]),
        ("macro-expressions", expected.macro, types["macro"]),
        ("subjects", expected.subjects, len({row.subject for row in annotations})),
        ("annotated videos", expected.videos, len({row.video for row in annotations})),
        *((f"rows labelled {label}", count, labels[label]) for label, count in expected.emotions.items()),
    ]
    place = Place(file=annotations[0].source_file if annotations else None)
    for what, published, count in compared:
        if published is not None and published != count:
            message = f"{count} {what}, published are {published}"
            yield finding("ME110", message, place=place, expected=str(published), found=str(count))
