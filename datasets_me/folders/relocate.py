"""Moving misplaced folders to where they belong: planned, journalled, undoable, never over anything.

The journal is a file of JSON lines under the root. Every step is written and flushed before it is taken, so that a
killed run can be continued or undone: the state of the disk tells whether the last step happened.

The journal may come from a stranger, together with the dataset. Only `undo`, which the user asks for, moves folders
because of it; every path in it must be under the root, links included, and every step must have been written for this
root: each names it by its path and its inode, of which one has to fit, since a root may be renamed or mounted anew.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from datasets_me.core.artefact import write_file
from datasets_me.core.errors import PathError, RelocationError
from datasets_me.core.files import open_own
from datasets_me.core.paths import path_fault, under
from datasets_me.core.text import printable
from datasets_me.folders.layouts import Inventory

JOURNAL = ".me-datasets-relocate.jsonl"

_STEPS = {"mkdir": ("path",), "move": ("source", "target", "why")}
_PATHS = ("path", "source", "target")
_ROOT = ("root", "inode")


@dataclass(frozen=True)
class Move:
    """One folder to move; paths are relative to the root. ``blocked`` says why it cannot be moved, or is None."""

    source: str
    target: str
    why: str
    blocked: str | None = None


def plan(inventory: Inventory) -> list[Move]:
    """The moves that would put every misplaced folder in its right place, in order of path."""
    root = inventory.tree.root
    moves: list[Move] = []
    for folder in inventory.folders:
        if not folder.relocation and not folder.mislocated:
            continue
        why = folder.relocation.why if folder.relocation else "its name gives another subject than the folder above"
        blocked = None
        if folder.reaches_above_root:
            blocked = "its right place is outside the root; give a --root further up"
        elif fault := path_fault(folder.target) or _link_fault(root, folder.path) or _link_fault(root, folder.target):
            blocked = f"a folder cannot be moved there: {fault}"
        elif os.path.lexists(root / folder.target):
            blocked = "something is there already"
        elif folder.target in [move.target for move in moves]:
            blocked = "another folder will be moved there"
        moves.append(Move(folder.path, folder.target, why, blocked))
    return moves


def apply(root: Path, moves: list[Move]) -> list[Move]:
    """Move what is not blocked; returns what was moved. What an interrupted run did not do is planned again.

    Raises:
        RelocationError: the journal cannot be written, a folder has gone, its new place is taken, or the system does
            not allow it.
    """
    _read(root)
    moved = []
    for move in moves:
        if move.blocked:
            continue
        for parent in reversed(Path(move.target).parents):
            if str(parent) != "." and not _place(root, parent.as_posix()).exists():
                _write(root, {"step": "mkdir", "path": str(parent.as_posix())})
                _place(root, parent.as_posix()).mkdir()
        _write(root, {"step": "move", **asdict(move)})
        _rename(root, move.source, move.target)
        moved.append(move)
    return moved


def unfinished(root: Path) -> Move | None:
    """The move that an interrupted run wrote into the journal but did not make.

    Raises:
        RelocationError: the journal cannot be read, or leads out of the root.
    """
    step = next((step for step in reversed(_read(root)) if step["step"] == "move"), None)
    if step is None or not os.path.lexists(root / step["source"]) or os.path.lexists(root / step["target"]):
        return None
    return _move(step)


def undo(root: Path) -> tuple[list[Move], list[Move]]:
    """Move everything back that the journal says was moved, last first, and remove the journal.

    Returns:
        The moves that were undone, and those whose folder is no longer in either place.

    Raises:
        RelocationError: there is no journal, it leads out of the root, or a folder cannot be moved back; the journal
            then keeps the steps that are left.
    """
    steps = _read(root)
    if not steps:
        raise RelocationError("there is nothing to undo", where=str(root / JOURNAL))
    undone, gone = [], []
    while steps:
        step = steps.pop()
        if step["step"] == "move":
            at_source, at_target = (os.path.lexists(_place(root, step[key])) for key in ("source", "target"))
            if at_target:
                if at_source:
                    raise _both_taken(root, step)
                _rename(root, step["target"], step["source"])
                undone.append(_move(step))
            elif not at_source:
                gone.append(_move(step))
        elif (place := _place(root, step["path"])).is_dir() and not any(place.iterdir()):
            place.rmdir()
        write_file(root / JOURNAL, b"".join(map(_line, steps)))
    (root / JOURNAL).unlink()
    return undone, gone


def _move(step: dict[str, Any]) -> Move:
    return Move(step["source"], step["target"], step["why"])


def _both_taken(root: Path, step: dict[str, Any]) -> RelocationError:
    return RelocationError(
        f"the folder {step['source']} was to be moved to {step['target']}, and both exist now",
        where=str(root / JOURNAL),
        fix="move one of the two elsewhere, then run the same command again",
    )


def _rename(root: Path, source: str, target: str) -> None:
    if os.path.lexists(_place(root, target)):
        raise RelocationError("something is in the way; nothing was overwritten", where=str(root / target))
    try:
        _place(root, source).rename(_place(root, target))
    except OSError as error:
        raise RelocationError(
            f"{source} cannot be moved: {error.strerror or error}", where=str(root / target)
        ) from error


def _place(root: Path, path: str) -> Path:
    """The place of a folder that is moved. A link that leads out of the root can be moved, but not gone through."""
    fault = _link_fault(root, path)
    if fault is not None:
        raise RelocationError(f"a folder cannot be moved: {fault}", where=str(root))
    return root / path


def _link_fault(root: Path, path: str) -> str | None:
    try:
        under(root, path.rpartition("/")[0] or ".")
    except PathError as error:
        return error.what
    return None


def _write(root: Path, step: dict[str, Any]) -> None:
    step = {**step, **_identity(root)}
    try:
        with open_own(root / JOURNAL, os.O_RDWR | os.O_CREAT) as journal:
            lines = _whole_lines(journal.read())
            journal.truncate(len(lines))
            if lines.splitlines(keepends=True)[-1:] == [_line(step)]:
                return  # a killed run wrote it down and did not do it
            journal.seek(0, os.SEEK_END)
            journal.write(_line(step))
            journal.flush()
            os.fsync(journal.fileno())
    except OSError as error:
        reason = error.strerror or str(error)
        raise RelocationError(
            f"the journal cannot be written: {reason}", where=str(root / JOURNAL), fix="nothing is moved without it"
        ) from error


def _identity(root: Path) -> dict[str, Any]:
    """What a step names its root by."""
    place = root.resolve()
    return dict(zip(_ROOT, (str(place), place.stat().st_ino), strict=True))


def _line(step: dict[str, Any]) -> bytes:
    return json.dumps(step, ensure_ascii=False).encode() + b"\n"


def _whole_lines(content: bytes) -> bytes:
    """The journal without an incomplete last line, whose step was never taken."""
    return content[: content.rfind(b"\n") + 1]


def _read(root: Path) -> list[dict[str, Any]]:
    """The steps of the journal, all of them of this root and under it; none where there is no journal."""
    try:
        with open_own(root / JOURNAL, os.O_RDONLY) as journal:
            content = _whole_lines(journal.read())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RelocationError(
            f"the journal cannot be read: {error.strerror or error}",
            where=str(root / JOURNAL),
            fix="look at it, and move it elsewhere if it is not about moves of your own",
        ) from error
    return [_step(root, number, line) for number, line in enumerate(content.splitlines(), start=1)]


def _step(root: Path, number: int, line: bytes) -> dict[str, Any]:
    """The step in a line of the journal.

    Raises:
        RelocationError: the line is no step, leads out of the root, or was written for another root.
    """
    try:
        step: dict[str, Any] = json.loads(line)
        if not all(isinstance(step[key], str) for key in _STEPS[step["step"]]):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RelocationError(
            f"line {number} of the journal is not readable",
            where=str(root / JOURNAL),
            fix="correct or remove that line; the other lines say what was moved where",
        ) from error
    for path in (step[key] for key in _PATHS if key in step):
        fault = path_fault(path) or _link_fault(root, path) or ("that is itself" if path == JOURNAL else None)
        if fault is not None:
            raise RelocationError(
                f"line {number} of the journal names '{printable(path)}', which cannot be one of its steps: {fault}",
                where=str(root / JOURNAL),
                fix="this journal is not about moves of your own; move it elsewhere",
            )
    if not any(step.get(name) == value for name, value in _identity(root).items()):
        raise RelocationError(
            f"line {number} of the journal is not about this folder, but about "
            f"{printable(str(step.get('root', 'an unknown one')))}",
            where=str(root / JOURNAL),
            fix="move the journal elsewhere; if its moves are your own, it lists what to move back by hand, last first",
        )
    return step
