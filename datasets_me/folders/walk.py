"""One pass over a tree of folders: which folders contain frames, and which frames."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from datasets_me.core.errors import plural
from datasets_me.core.files import check_root
from datasets_me.core.frame_names import Frames, is_image, read_names
from datasets_me.core.frames import is_video_file
from datasets_me.core.paths import MOST_LINKS, path_fault
from datasets_me.core.text import is_utf8, printable


@dataclass(frozen=True)
class Leaf:
    """A folder with images, or without folders; or a video file, whose frames are not known yet.

    ``path`` is relative to the root, with ``/``; the root is ".".
    """

    path: str
    frames: Frames
    is_file: bool = False


@dataclass(frozen=True)
class Tree:
    """All leaves under a root, in order of path; folders that could not be opened, with the reason; number of files."""

    root: Path
    leaves: tuple[Leaf, ...]
    unreadable: tuple[tuple[str, str], ...]
    files: int


Progress = Callable[[int, int], None]
"""Called now and then with the number of folders and files seen so far."""


def walk(root: Path, progress: Progress | None = None) -> Tree:
    """List a tree once. Links to folders are followed within the root, but never into a folder above them.

    ``unreadable`` are folders that cannot be opened or have an unusable name, links that lead out of the root, and
    links in folders that are reached through several links.

    Raises:
        FolderError: the root is not a folder.
    """
    check_root(root)
    leaves: list[Leaf] = []
    unreadable: list[tuple[str, str]] = []
    files = folders = 0
    top = os.path.realpath(root)
    waiting: list[tuple[str, tuple[str, ...], int]] = [("", (top,), 0)]
    while waiting:
        path, above, links = waiting.pop()
        try:
            names, below, linked, unnamable = _list(root / path, top)
        except OSError as error:
            unreadable.append((path or ".", error.strerror or str(error)))
            continue
        unreadable += [("/".join(filter(None, (path, name))) or ".", why) for name, why in unnamable]
        folders += 1
        files += len(names)
        for name in below:
            real = os.path.realpath(root / path / name) if name in linked else f"{above[-1]}{os.sep}{name}"
            place = f"{path}/{name}" if path else name
            if not _within(real, top):
                unreadable.append((place, _LEADS_OUT))
            elif real in above:
                continue
            elif name in linked and links == MOST_LINKS:
                unreadable.append((place, _LEADS_ON))
            else:
                waiting.append((place, (*above, real), links + (name in linked)))
        folder = root / path
        videos = [name for name in names if is_video_file(folder, name) and path_fault(name) is None]
        leaves += [Leaf(f"{path}/{name}" if path else name, Frames(), is_file=True) for name in videos]
        if any(map(is_image, names)) or not (below or videos):
            leaves.append(Leaf(path or ".", read_names(names)))
        if progress:
            progress(folders, files)
    return Tree(root, tuple(sorted(leaves, key=lambda leaf: leaf.path)), tuple(sorted(unreadable)), files)


def _list(folder: Path, top: str) -> tuple[list[str], list[str], set[str], list[tuple[str, str]]]:
    """Names of files and of folders in one folder, which folders are links, and what cannot be used, with the reason.

    Hidden folders are skipped. A file name that is not UTF-8 is shown in a form that no frame has. Files that are links
    out of the root make one entry, whose name is empty.
    """
    names, below, linked, unusable, leading_out = [], [], set(), [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                fault = path_fault(entry.name)
                if fault is not None:
                    unusable.append((printable(entry.name), f"its name cannot be used: {fault}"))
                elif not entry.name.startswith("."):
                    below.append(entry.name)
                    if entry.is_symlink():
                        linked.add(entry.name)
            elif not is_utf8(entry.name):
                names.append(f"{printable(entry.name)} (a name that is not UTF-8)")
            elif entry.is_symlink() and not _within(os.path.realpath(entry.path), top):
                leading_out.append(entry.name)
            else:
                names.append(entry.name)
    if leading_out:
        count = plural(len(leading_out), "link")
        unusable.append(("", f"{count} to files outside the root, such as {min(leading_out)}"))
    return names, below, linked, unusable


def _within(real: str, top: str) -> bool:
    return real == top or real.startswith(top.rstrip(os.sep) + os.sep)


_LEADS_OUT = "it is a link that leads out of the root"
_LEADS_ON = f"it is a link in a folder that is reached through {MOST_LINKS} other links"
