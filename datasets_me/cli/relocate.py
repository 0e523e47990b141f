"""``me-datasets relocate``: misplaced folders to where they belong."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import MeDatasetsError, plural


def relocate(
    manifest: Path = arguments.MANIFEST,
    root: Path = arguments.ROOT,
    apply: bool = typer.Option(False, "--apply", help="Move, and keep a journal under the root."),
    undo: bool = typer.Option(False, "--undo", help="Put everything back that the journal says was moved."),
) -> None:
    """Show the moves that would put misplaced folders right; a dry run unless --apply is given.

    Nothing is ever overwritten. The manifest points at the right folders without any move.
    Exit code 0: nothing stands in the way. 1: some moves are blocked. 2: could not run.
    """
    from datasets_me.folders import relocate as moving
    from datasets_me.folders.check import take_inventory
    from datasets_me.formats import manifest as manifests

    if apply and undo:
        raise MeDatasetsError("--apply and --undo exclude each other", fix="give one of them")
    if undo:
        undone, gone = moving.undo(root)
        show.echo(f"put back: {plural(len(undone), 'folder')}")
        for move in undone:
            show.echo(f"  {move.target} -> {move.source}")
        for move in gone:
            show.echo(f"  gone: {move.source} is not there, nor at {move.target}")
        raise typer.Exit(1 if gone else 0)
    left = moving.unfinished(root)
    moves = moving.plan(take_inventory(manifests.read(manifest), root))
    blocked = [move for move in moves if move.blocked]
    if apply:
        moved = moving.apply(root, moves)
        show.echo(f"moved: {plural(len(moved), 'folder')}; --undo puts everything back")
    else:
        moved = [move for move in moves if not move.blocked]
        show.echo(f"would move: {plural(len(moved), 'folder')}; add --apply to do it")
    if left:
        show.echo(f"  unfinished: an earlier run stopped before it moved {left.source} -> {left.target}")
    for move in moved:
        show.echo(f"  {move.source} -> {move.target}", f"    {move.why}")
    for move in blocked:
        show.echo(f"  blocked: {move.source} -> {move.target}: {move.blocked}")
    raise typer.Exit(1 if blocked else 0)
