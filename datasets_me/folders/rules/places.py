"""The places and names of folders."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_me.core.errors import plural
from datasets_me.findings.finding import Finding, finding
from datasets_me.folders.context import Context, about_folder
from datasets_me.folders.layouts import expected_path, nearest_path
from datasets_me.formats import manifest as manifests

_SUGGESTIONS = 200  # folders that get one; another dataset may have thousands that fit nothing


def relocated(context: Context) -> Iterator[Finding]:
    """Folders in a place that the schema knows to be wrong."""
    for folder in context.inventory.folders:
        if folder.relocation:
            subject, video = folder.identity.subject, folder.identity.video
            yield manifests.relocated(folder.relocation, folder.path, folder.target, subject=subject, video=video)


def mislocated(context: Context) -> Iterator[Finding]:
    """Folders whose name gives another subject than the folder above, and which the schema does not mention."""
    for folder in context.inventory.folders:
        if folder.mislocated and not folder.relocation:
            fields = [f"{name} {own}, it lies under {above}" for name, (above, own) in folder.disagreements.items()]
            message = f"the folder's name says {', '.join(fields)}"
            yield about_folder("ME202", message, folder, expected=folder.target, found=folder.path)


def unknown(context: Context) -> Iterator[Finding]:
    """Folders with frames that fit no layout."""
    if not context.inventory.unknown:
        return
    pairs = ((layout, row) for layout in context.layouts for row in context.manifest.annotations)
    paths = sorted({path for layout, row in pairs if (path := expected_path(context.spec, layout, row))})
    for number, leaf in enumerate(context.inventory.unknown):
        near = nearest_path(leaf, paths) if number < _SUGGESTIONS else None
        message = f"the folder fits no layout; it holds {plural(len(leaf.frames.numbers), 'frame')}"
        if leaf.is_file:
            message = "the video file fits no layout"
        if any(part != part.strip() for part in leaf.path.split("/")):
            message += "; a name in its path begins or ends with a space"
        if near:
            message += f"; did you mean {near}?"
        yield finding("ME203", message, path=leaf.path, expected=near, found=leaf.path)


def twice(context: Context) -> Iterator[Finding]:
    """Folders of one layout that show the same video or expression, unless there are no annotations to choose for."""
    if not context.manifest.annotations:
        return
    for folders in context.inventory.by_key.values():
        used = folders[0].path
        for folder in folders[1:]:
            message = f"{folder.identity.video} is also here; {used} is used"
            yield about_folder("ME206", message, folder, expected=used, found=folder.path)


def name_differs(context: Context) -> Iterator[Finding]:
    """Folders whose name differs from the layout's in case, padding or wording."""
    for folder in context.inventory.folders:
        rows = context.annotations.get(folder.key, [])
        expected = (expected_path(context.spec, folder.layout, rows[0]) if rows else None) or folder.belongs
        if not (folder.relocation or folder.mislocated or folder.local == expected):
            message = f"the folder is called {folder.local}, the layout says {expected}"
            yield about_folder("ME208", message, folder, expected=expected, found=folder.local)


def moved(context: Context) -> Iterator[Finding]:
    """Videos that are elsewhere than the manifest says. A root at another depth makes no difference."""
    paths = {folder.path for folder in context.inventory.folders}
    here = {folder.key: folder for folder in context.inventory.folders}
    for row in context.manifest.videos:
        if row.path is None or row.path in paths or row.layout is None:
            continue
        now = here.get((row.layout, row.video.casefold(), row.expression.casefold() if row.expression else None))
        if now and not _same_end(row.path, now.path):
            message = f"the manifest says {row.path}, it lies at {now.path}"
            yield about_folder("ME212", message, now, expected=row.path, found=now.path)


def _same_end(first: str, second: str) -> bool:
    return f"/{first}".endswith(f"/{second}") or f"/{second}".endswith(f"/{first}")
