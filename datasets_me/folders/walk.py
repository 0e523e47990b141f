"""One pass over a tree of folders: which folders hold frames, and which."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from datasets_me.core.errors import FolderError
from datasets_me.core.frame_names import Frames, is_image, read_names
from datasets_me.core.text import printable


@dataclass(frozen=True)
class Leaf:
    """A folder that holds images, or no folders. ``path`` is relative to the root, with ``/``; the root is "."."""

    path: str
    frames: Frames


@dataclass(frozen=True)
class Tree:
    """All leaves under a root, in order of path; folders that could not be opened, with the reason; file count."""

    root: Path
    leaves: tuple[Leaf, ...]
    unreadable: tuple[tuple[str, str], ...]
    files: int


Progress = Callable[[int, int], None]
"""Called now and then with the number of folders and files seen so far."""


def walk(root: Path, progress: Progress | None = None) -> Tree:
    """List a tree once. Linked folders are followed, but never into a folder that is already being listed.

    Raises:
        FolderError: the root is no folder.
    """
    if not root.is_dir():
        raise FolderError("the root is not a folder", where=str(root), fix="give the folder the frames lie under")
    leaves: list[Leaf] = []
    unreadable: list[tuple[str, str]] = []
    files = folders = 0
    waiting: list[tuple[str, tuple[str, ...]]] = [("", (os.path.realpath(root),))]
    while waiting:
        path, above = waiting.pop()
        try:
            names, below, linked, unnamable = _list(root / path)
        except OSError as error:
            unreadable.append((path or ".", error.strerror or str(error)))
            continue
        unreadable += [(f"{path}/{name}" if path else name, "its name is not UTF-8") for name in unnamable]
        folders += 1
        files += len(names)
        for name in below:
            real = os.path.realpath(root / path / name) if name in linked else f"{above[-1]}{os.sep}{name}"
            if real not in above:
                waiting.append((f"{path}/{name}" if path else name, (*above, real)))
        if any(map(is_image, names)) or not below:
            leaves.append(Leaf(path or ".", read_names(names)))
        if progress:
            progress(folders, files)
    return Tree(root, tuple(sorted(leaves, key=lambda leaf: leaf.path)), tuple(sorted(unreadable)), files)


def _list(folder: Path) -> tuple[list[str], list[str], set[str], list[str]]:
    """Names of files and of folders in one folder, which folders are links, and folders whose name is no text.

    Hidden folders are passed over. A file whose name is no text gets one that is no frame's.
    """
    names, below, linked, unnamable = [], [], set(), []
    with os.scandir(folder) as entries:
        for entry in entries:
            if printable(entry.name) != entry.name:
                if entry.is_dir():
                    unnamable.append(printable(entry.name))
                else:
                    names.append(f"{printable(entry.name)} (a name that is not UTF-8)")
            elif not entry.is_dir():
                names.append(entry.name)
            elif not entry.name.startswith("."):
                below.append(entry.name)
                if entry.is_symlink():
                    linked.add(entry.name)
    return names, below, linked, unnamable
