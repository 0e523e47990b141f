"""Files under a root, and what their paths say."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from datasets_me.core.errors import ImagesError
from datasets_me.core.paths import MOST_LINKS, leads_out, path_fault
from datasets_me.core.text import same
from datasets_me.schema.images import ImageSpec
from datasets_me.schema.patterns import Located, place_of
from datasets_me.schema.template import Template

_ANYWHERE = "**/"


def files_under(root: Path) -> Iterator[tuple[str, str | None]]:
    """Paths of all files, relative to the root with ``/``, in one order on every machine; and why one cannot be used.

    Linked folders are followed within the root, but never into a folder that is already being listed; hidden ones are
    passed over. A link that leads out of the root, and a name that is none for a path, are not used: a folder is then
    given in place of its files.

    Raises:
        ImagesError: the root is no folder.
    """
    if not root.is_dir():
        raise ImagesError("the source is not a folder", where=str(root), fix="give the folder the images lie under")
    yield from _below(root, "", (os.path.realpath(root),), 0)


def _below(root: Path, path: str, above: tuple[str, ...], links: int) -> Iterator[tuple[str, str | None]]:
    try:
        with os.scandir(root / path) as entries:
            here = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise ImagesError(f"a folder cannot be read: {error.strerror or error}", where=str(root / path)) from error
    for entry in here:
        relative = f"{path}/{entry.name}" if path else entry.name
        folder = _is_folder(entry)
        if folder and entry.name.startswith("."):
            continue
        fault = path_fault(entry.name)
        if folder is None:
            yield relative, "it is a link that leads to itself"
        elif fault is not None:
            yield relative, f"its name cannot be used: {fault}"
        elif entry.is_symlink() and leads_out(root, relative):
            yield relative, "it is a link that leads out of the root"
        elif not folder:
            yield relative, None
        elif (real := os.path.realpath(root / relative)) in above:
            continue
        elif entry.is_symlink() and links == MOST_LINKS:
            yield relative, f"it is a link in a folder that is reached by {MOST_LINKS} others already"
        else:
            yield from _below(root, relative, (*above, real), links + entry.is_symlink())


def _is_folder(entry: os.DirEntry[str]) -> bool | None:
    """Whether an entry is a folder, or a link to one; None for a link that leads to itself."""
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise ImagesError(f"a file cannot be read: {error.strerror or error}", where=entry.path) from error


class PathPattern:
    """A path with fields, as a schema gives it; ``**/`` in front stands for any folders."""

    def __init__(self, text: str, spec: ImageSpec, patterns: Mapping[str, str] | None = None) -> None:
        template = Template(Located(text.removeprefix(_ANYWHERE), place_of(text)))
        allowed = dict(patterns or {})
        if "split" in template.fields and "split" not in allowed:
            # longest first: "train" would leave "ing" of "training" over
            names = [name for split, names in spec.splits.items() for name in (split, *names)]
            allowed["split"] = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or "(?!)"
        prefix = "(?:.*/)?" if text.startswith(_ANYWHERE) else ""
        self._matcher = template.matcher(allowed, prefix)
        self.fields = frozenset(template.fields)

    def fields_of(self, path: str) -> dict[str, str] | None:
        """The fields of a path, or None for one that is no such path, or gives one field two values."""
        matched = self._matcher.fields(path)
        if matched is None:
            return None
        fields = {name: value for name, value in matched.items() if "__" not in name}
        for name, value in matched.items():
            if "__" in name and not same(value, fields[name.partition("__")[0]]):
                return None
        return fields
