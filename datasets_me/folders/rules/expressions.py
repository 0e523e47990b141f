"""Annotations compared with the frames they are about."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_me.core.errors import plural
from datasets_me.findings.finding import Finding, finding
from datasets_me.folders.context import Context
from datasets_me.folders.layouts import Folder
from datasets_me.formats.frame_files import gap_inside
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import FRAME_FIELDS


def _of_row(code: str, message: str, folder: Folder, row: Annotation, field: str, expected: str, found: str) -> Finding:
    return finding(
        code,
        message,
        place=row.place(field),
        subject=row.subject,
        video=row.video,
        path=folder.path,
        expected=expected,
        found=found,
    )


def outside(context: Context) -> Iterator[Finding]:
    """Annotations with an onset, apex or offset outside the frames of their folder, and how far."""
    for folder, rows in context.chosen():
        numbers = folder.frames.numbers
        for row in rows if numbers else ():
            first, last = numbers[0], numbers[-1]
            extent = f"{first} to {last}"
            numbers_of = {
                name: context.number(folder.layout, row, frame)
                for name in FRAME_FIELDS
                if (frame := getattr(row, name)) is not None
            }
            onset, apex, offset = (numbers_of.get(name) for name in FRAME_FIELDS)
            if onset is not None and not first <= onset <= last:
                far = f"{first - onset} before the first" if onset < first else f"{onset - last} after the last"
                message = f"onset is number {onset}, {far} of the folder's frames, {extent}"
                yield _of_row("ME401", message, folder, row, "onset", extent, str(onset))
            if offset is not None and offset > last and (onset is None or onset <= last):
                message = f"offset is number {offset}, {offset - last} after the last of the folder's frames, {extent}"
                yield _of_row("ME402", message, folder, row, "offset", extent, str(offset))
            if apex is not None and not first <= apex <= last and (onset is None or first <= onset <= last):
                message = f"apex is number {apex}, outside the folder's frames, {extent}"
                yield _of_row("ME404", message, folder, row, "apex", extent, str(apex))


def length_differs(context: Context) -> Iterator[Finding]:
    """Folders of one expression whose number of frames is not the annotation's."""
    for folder, rows in context.chosen():
        if folder.layout.holds != "expression" or not folder.frames.numbers:
            continue
        lengths = {row.length: row for row in rows if row.length is not None and row.length > 0}
        count = len(folder.frames.numbers)
        if lengths and count not in lengths:
            length, row = next(iter(lengths.items()))
            message = f"the folder holds {plural(count, 'frame')}, the annotation has {length}"
            yield _of_row("ME403", message, folder, row, "offset", str(length), str(count))


def gaps_inside(context: Context) -> Iterator[Finding]:
    """Frames missing inside an annotated expression."""
    for folder, rows in context.chosen():
        for row in rows if folder.frames.gaps else ():
            if row.onset is not None and row.offset is not None:
                onset, offset = (context.number(folder.layout, row, frame) for frame in (row.onset, row.offset))
                if doubt := gap_inside(row, folder.path, (onset, offset), folder.frames.gaps):
                    yield doubt
