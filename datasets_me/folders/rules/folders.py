"""Folders that are there, compared with those that should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from datasets_me.core.errors import plural
from datasets_me.core.frame_names import beside
from datasets_me.findings.finding import Finding, finding
from datasets_me.folders.context import Context, about_folder
from datasets_me.folders.layouts import expected_path
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import Absence, Layout


def missing(context: Context) -> Iterator[Finding]:
    """Annotated videos or expressions without a folder, known to be absent or not."""
    for key, rows in context.annotations.items():
        if key in context.inventory.by_key:
            continue
        layout, row = context.spec.layout(key[0]), rows[0]
        what = f"{row.video} {row.expression}" if layout.holds == "expression" else row.video
        absence = _absence(context, layout, row)
        if absence:
            yield finding("ME207", _as_known(what, absence), subject=row.subject, video=row.video)
        else:
            path = expected_path(context.spec, layout, row)
            message = f"{what} has {plural(len(rows), 'annotation')} but no folder in {layout.id}"
            yield finding("ME204", message, subject=row.subject, video=row.video, expected=path)


def _absence(context: Context, layout: Layout, row: Annotation) -> Absence | None:
    return next(
        (
            item
            for item in context.spec.absent
            if item.layout == layout.id and item.video == row.video and item.expression in (None, row.expression)
        ),
        None,
    )


def _as_known(what: str, absence: Absence) -> str:
    return f"{what} has no folder in {absence.layout}, as known: {absence.why}"


def absent(context: Context) -> Iterator[Finding]:
    """Videos or expressions without annotations that have no folder, as known; `missing` names the annotated ones."""
    annotated = ((key[0], row.video, row.expression) for key, rows in context.annotations.items() for row in rows)
    present = (
        (folder.layout.id, folder.identity.video, folder.identity.expression) for folder in context.inventory.folders
    )
    named = {
        (layout, video, name) for layout, video, expression in (*annotated, *present) for name in (None, expression)
    }
    for item in context.spec.absent:
        place = (item.layout, item.video, item.expression)
        if item.layout in context.inventory.layouts and place not in named:
            what = f"{item.video} {item.expression}" if item.expression else item.video
            yield finding("ME207", f"{_as_known(what, item)}; it has no annotation", video=item.video)


def unannotated(context: Context) -> Iterator[Finding]:
    """Folders without annotations, unless nothing is annotated, or not the expressions that folders show."""
    if not context.manifest.annotations:
        return
    named = any(row.expression for row in context.manifest.annotations)
    for folder, rows in context.chosen():
        if not rows and (named or folder.layout.holds == "video"):
            yield about_folder("ME205", f"{folder.identity.video} has no annotation", folder)


def count_differs(context: Context) -> Iterator[Finding]:
    """Layouts whose number of folders is not the published one."""
    counts = Counter(folder.layout.id for folder in context.inventory.folders)
    for layout, expected in context.spec.expected.folders.items():
        if layout in context.inventory.layouts and counts[layout] != expected:
            message = f"{layout} has {plural(counts[layout], 'folder')}, published are {expected}"
            yield finding("ME209", message, expected=str(expected), found=str(counts[layout]))


def unreadable(context: Context) -> Iterator[Finding]:
    """Folders that could not be opened, or whose name or place does not allow it."""
    for path, reason in context.inventory.tree.unreadable:
        yield finding("ME210", f"not everything here can be used: {reason}", path=path, found=reason)


def strays(context: Context) -> Iterator[Finding]:
    """Files among the frames that are not numbered images."""
    for folder in context.inventory.folders:
        names = folder.frames.strays
        if names:
            yield about_folder("ME211", beside(names), folder, found=str(len(names)))
