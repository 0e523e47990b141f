"""Names and paths that come from data: the one place where it is decided whether a file may be opened by them.

A table, a journal, a schema or a ledger may come from a stranger. A path in it is checked twice: as it is read,
where the table and the row can be named, and where it is joined to a folder, where links can be seen. Whatever becomes
*one part* of a path, such as the name of a subject, goes through `safe_name` first.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from datasets_me.core.errors import PathError
from datasets_me.core.text import printable

HERE = "."
"""The path of a root within itself."""

MOST_LINKS = 2
"""How many links to folders a path may contain: a few dozen that point at each other make billions of paths."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_NOT_TEXT = re.compile("[\ud800-\udfff]")
_DRIVE = re.compile("[A-Za-z]:")

# What Windows, macOS or Linux forbid in a file name, or read as a path or a pattern.
_FORBIDDEN = re.compile('[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff<>:"/\\\\|?*]')
# Windows takes these for devices, whatever the suffix.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE | re.DOTALL)

_LONGEST = 160
"""Bytes of a name; file systems hold 255, and temporary names and suffixes are longer."""


def path_fault(text: str) -> str | None:
    """Why a text is not a relative path with ``/`` that stays under its root, or None where it is one."""
    if not text:
        return "it is empty"
    if _NOT_TEXT.search(text):
        return "it is not UTF-8"
    if match := _CONTROL.search(text):
        return f"it contains the control character U+{ord(match[0]):04X}"
    if "\\" in text:
        return "it contains a backslash"
    if text.startswith("/") or _DRIVE.match(text):
        return "it is absolute"
    parts = text.split("/")
    if ".." in parts:
        return "it leads upwards"
    if "" in parts or HERE in parts:
        return "it is not in its shortest form"
    return None


def name_fault(text: str) -> str | None:
    """Why a text cannot be one part of a path on every system, or None where it can."""
    if not text:
        return "it is empty"
    if match := _FORBIDDEN.search(text):
        return f"it contains '{printable(match[0])}'"
    if text != text.strip(". "):
        return "it begins or ends with a space or a full stop"
    if _DEVICE.fullmatch(text):
        return "it is the name of a device on Windows"
    if len(text.encode()) > _LONGEST:
        return f"it is longer than {_LONGEST} bytes"
    return None


def safe_name(text: str) -> str:
    """A name that is one part of a path on every system; one that had to be changed ends in a hash of the text."""
    if name_fault(text) is None:
        return text
    allowed = _FORBIDDEN.sub("_", text).encode()[: _LONGEST - 10].decode(errors="ignore").strip(". ") or "_"
    return f"{allowed}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"


def check_table(
    table: Path, rows: Iterable[object], *, paths: Sequence[str] = (), names: Sequence[str] = (), first: int = 1
) -> None:
    """Refuse a table with a path that leads out of the folder it is relative to.

    Args:
        table: where the rows were read from.
        rows: of the table.
        paths: fields that must be relative paths, `HERE`, or None.
        names: fields that must be one part of a path, or None.
        first: the number of the first row.

    Raises:
        PathError: a field is something else; table, row, field and value are named.
    """
    for number, row in enumerate(rows, start=first):
        for field in (*paths, *names):
            value = getattr(row, field)
            if value is None or (value == HERE and field in paths):
                continue
            fault = name_fault(value) if field in names else path_fault(value)
            if fault is not None:
                raise PathError(
                    f"the {field} '{printable(value)}' cannot be used: {fault}",
                    where=f"{table}, row {number}",
                    fix="write the table again with me-datasets; do not trust the files that came with it",
                )


def under(root: Path, relative: str) -> Path:
    """The place of a path under a root. Links are followed as long as they stay under it.

    Raises:
        PathError: the path is absolute, leads upwards, is not in its shortest form, or goes through a link that leads
            out of the root.
    """
    if relative == HERE:
        return root
    fault = path_fault(relative)
    if fault is not None:
        raise PathError(f"'{printable(relative)}' is not a path under the folder: {fault}", where=str(root))
    path = root / relative
    if leads_out(root, relative):
        raise PathError(f"'{printable(relative)}' goes through a link that leads out of the folder", where=str(root))
    return path


def leads_out(root: Path, relative: str) -> bool:
    """Whether a relative path goes through a link and ends outside the root."""
    place, linked = str(root), os.name == "nt"  # Python does not see junctions of Windows as links
    for part in relative.split("/"):
        place = f"{place}{os.sep}{part}"
        linked = linked or os.path.islink(place)  # noqa: PTH114 - no Path for each part: this is called very often
    return linked and not Path(os.path.realpath(place)).is_relative_to(os.path.realpath(root))
