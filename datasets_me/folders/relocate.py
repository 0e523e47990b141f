"""Moving misplaced folders to where they belong: planned, journalled, undoable, never over anything.

The journal is a file of JSON lines under the root. Every step is written and flushed before it is done, so that a
killed run can be finished or undone: the state of the disk tells whether the last step happened.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from datasets_me.core.errors import RelocationError
from datasets_me.folders.layouts import Inventory

JOURNAL = ".me-datasets-relocate.jsonl"


@dataclass(frozen=True)
class Move:
    """One folder to move; paths are relative to the root. ``blocked`` says why it cannot be, or is None."""

    source: str
    target: str
    why: str
    blocked: str | None = None


def plan(inventory: Inventory) -> list[Move]:
    """The moves that would put every misplaced folder right, in order of path."""
    root = inventory.tree.root
    moves: list[Move] = []
    for folder in inventory.folders:
        if not folder.relocation and not folder.mislocated:
            continue
        why = folder.relocation.why if folder.relocation else "its own name names another subject than the folder above"
        blocked = None
        if folder.reaches_above_root:
            blocked = "its right place lies outside the root; give a --root further up"
        elif os.path.lexists(root / folder.target):
            blocked = "something is there already"
        elif folder.target in [move.target for move in moves]:
            blocked = "another folder is to be moved there"
        moves.append(Move(folder.path, folder.target, why, blocked))
    return moves


def apply(root: Path, moves: list[Move]) -> list[Move]:
    """Move what is not blocked, after finishing what an interrupted run left; returns what was moved.

    Raises:
        RelocationError: a folder vanished, something appeared in its place, or the disk refuses.
    """
    moved = _finish_interrupted(root)
    done = {move.source for move in moved}
    for move in moves:
        if move.blocked or move.source in done:
            continue
        for parent in reversed(Path(move.target).parents):
            if str(parent) != "." and not (root / parent).exists():
                _write(root, {"step": "mkdir", "path": str(parent.as_posix())})
                (root / parent).mkdir()
        _write(root, {"step": "move", **asdict(move)})
        _rename(root, move.source, move.target)
        moved.append(move)
    return moved


def undo(root: Path) -> tuple[list[Move], list[Move]]:
    """Move everything back that the journal says was moved, last first, and remove the journal.

    Returns the moves undone, and those whose folder is at neither place any more.

    Raises:
        RelocationError: there is no journal, or a folder cannot go back; the journal then keeps what is left.
    """
    steps = _read(root)
    if not steps:
        raise RelocationError("there is nothing to undo", where=str(root / JOURNAL))
    undone, gone = [], []
    while steps:
        step = steps.pop()
        if step["step"] == "move":
            at_source, at_target = (os.path.lexists(root / step[key]) for key in ("source", "target"))
            if at_target:
                if at_source:
                    raise _both_taken(root, step)
                _rename(root, step["target"], step["source"])
                undone.append(_move(step))
            elif not at_source:
                gone.append(_move(step))
        elif (root / step["path"]).is_dir() and not any((root / step["path"]).iterdir()):
            (root / step["path"]).rmdir()
        _replace(root, steps)
    (root / JOURNAL).unlink()
    return undone, gone


def _finish_interrupted(root: Path) -> list[Move]:
    """Do the last recorded move if it was recorded but not done."""
    step = next((step for step in reversed(_read(root)) if step["step"] == "move"), None)
    if step is None or not os.path.lexists(root / step["source"]):
        return []
    if os.path.lexists(root / step["target"]):
        raise _both_taken(root, step)
    _rename(root, step["source"], step["target"])
    return [_move(step)]


def _move(step: dict[str, Any]) -> Move:
    return Move(step["source"], step["target"], step["why"])


def _both_taken(root: Path, step: dict[str, Any]) -> RelocationError:
    return RelocationError(
        f"the folder {step['source']} was to move to {step['target']}, but both places are taken",
        where=str(root / JOURNAL),
        fix="put one of the two away, then run the same command again",
    )


def _rename(root: Path, source: str, target: str) -> None:
    if os.path.lexists(root / target):
        raise RelocationError("something is in the way; nothing was overwritten", where=str(root / target))
    try:
        (root / source).rename(root / target)
    except OSError as error:
        raise RelocationError(
            f"{source} cannot be moved: {error.strerror or error}", where=str(root / target)
        ) from error


def _write(root: Path, step: dict[str, Any]) -> None:
    try:
        with (root / JOURNAL).open("ab") as journal:
            journal.truncate(len(_whole_lines(root)))
            journal.write(json.dumps(step, ensure_ascii=False).encode() + b"\n")
            journal.flush()
            os.fsync(journal.fileno())
    except OSError as error:
        reason = error.strerror or str(error)
        raise RelocationError(
            f"the journal cannot be written: {reason}", where=str(root / JOURNAL), fix="nothing is moved without it"
        ) from error


def _replace(root: Path, steps: list[dict[str, Any]]) -> None:
    temporary = root / (JOURNAL + ".new")
    temporary.write_text("".join(json.dumps(step, ensure_ascii=False) + "\n" for step in steps), encoding="utf-8")
    temporary.replace(root / JOURNAL)


def _whole_lines(root: Path) -> bytes:
    """The journal without a last line that was cut off: it was never acted on."""
    content = (root / JOURNAL).read_bytes() if (root / JOURNAL).exists() else b""
    return content[: content.rfind(b"\n") + 1]


def _read(root: Path) -> list[dict[str, Any]]:
    """The steps of the journal."""
    steps = []
    for number, line in enumerate(_whole_lines(root).splitlines(), start=1):
        try:
            step = json.loads(line)
            keys = {"mkdir": ("path",), "move": ("source", "target", "why")}[step["step"]]
            if not all(isinstance(step[key], str) for key in keys):
                raise TypeError
        except (ValueError, KeyError, TypeError) as error:
            raise RelocationError(
                f"line {number} of the journal is not readable",
                where=str(root / JOURNAL),
                fix="mend or remove that line; the other lines say what was moved where",
            ) from error
        steps.append(step)
    return steps
