"""The frames of one folder, by their names."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_me.core.errors import plural
from datasets_me.core.frame_names import far_away
from datasets_me.core.text import same
from datasets_me.findings.finding import Finding
from datasets_me.folders.context import Context, about_folder
from datasets_me.folders.layouts import frame_matcher
from datasets_me.schema.template import Template

_SHOWN = 5  # gaps in one message


def empty_folder(context: Context) -> Iterator[Finding]:
    """Folders of videos without a frame."""
    for folder in context.inventory.folders:
        if not folder.frames.numbers and not folder.fault:
            what = "file" if folder.layout.video_files else "folder"
            yield about_folder("ME309", f"the {what} holds no frames", folder)


def gaps(context: Context) -> Iterator[Finding]:
    """Numbers without a file between the first and the last."""
    for folder in context.inventory.folders:
        ranges = folder.frames.gaps
        if ranges:
            shown = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges[:_SHOWN])
            more = "" if len(ranges) <= _SHOWN else f" and {plural(len(ranges) - _SHOWN, 'more gap')}"
            message = f"{plural(folder.frames.missing, 'frame')} missing: {shown}{more}"
            yield about_folder("ME301", message, folder, found=str(folder.frames.missing))


def twice(context: Context) -> Iterator[Finding]:
    """Two files of one number."""
    for folder in context.inventory.folders:
        pairs = folder.frames.twice
        if pairs:
            message = f"{plural(len(pairs), 'number')} with two files: {pairs[0][0]} and {pairs[0][1]}"
            yield about_folder("ME302", message, folder, found=str(len(pairs)))


def far(context: Context) -> Iterator[Finding]:
    """Files whose number is too far from the others."""
    for folder in context.inventory.folders:
        if folder.frames.far:
            yield about_folder(
                "ME312", far_away(folder.frames.far, folder.frames.names), folder, found=str(len(folder.frames.far))
            )


def text_order(context: Context) -> Iterator[Finding]:
    """Names that sort differently as text and by number."""
    for folder in context.inventory.folders:
        if folder.frames.text_order_differs:
            names = folder.frames.names
            first = next(i for i in range(len(names) - 1) if names[i] > names[i + 1])
            yield about_folder("ME303", f"sorted as text, {names[first + 1]} comes before {names[first]}", folder)


def names_differ(context: Context) -> Iterator[Finding]:
    """Names that do not follow one rule."""
    for folder in context.inventory.folders:
        if folder.frames.names_differ:
            message = f"names differ in case, padding, prefix or kind: {folder.frames.names_differ}"
            yield about_folder("ME304", message, folder, found=folder.frames.names_differ)


def start_differs(context: Context) -> Iterator[Finding]:
    """Whole videos, and clips numbered by themselves, that do not begin with the first number."""
    for folder in context.inventory.folders:
        layout, numbers = folder.layout, folder.frames.numbers
        counts_from_base = layout.holds == "video" or layout.numbers == "clip"
        if counts_from_base and numbers and numbers[0] != layout.base:
            message = f"the first frame is number {numbers[0]}, it should be {layout.base}"
            yield about_folder("ME310", message, folder, expected=str(layout.base), found=str(numbers[0]))


def of_another(context: Context) -> Iterator[Finding]:
    """Folders whose frames name another subject or video, where the layout names it in every frame."""
    for folder in context.inventory.folders:
        names = folder.frames.names
        if not names or set(Template(folder.layout.frame).fields) == {"frame"}:
            continue
        pattern = frame_matcher(context.spec, folder.layout)
        for name in dict.fromkeys((names[0], names[-1])):
            wrong = [
                f"{field} {value}"
                for field, value in (pattern.fields(name) or {}).items()
                if field in folder.values and not same(value, folder.values[field])
            ]
            if wrong:
                yield about_folder("ME311", f"{name} names {', '.join(wrong)}, unlike its folder", folder, found=name)
                break
