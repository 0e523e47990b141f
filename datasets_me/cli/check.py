"""``me-datasets check``: folders against annotations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import arguments, findings, show

if TYPE_CHECKING:
    from datasets_me.folders.layouts import Inventory


def check(
    manifest: Path = arguments.MANIFEST,
    root: Path = arguments.ROOT,
    deep: bool = typer.Option(False, "--deep", help="Decode every image, instead of the first of every folder."),
    select: list[str] = findings.SELECT,
    ignore: list[str] = findings.IGNORE,
    severity: findings.Severity = findings.SEVERITY,
    output: findings.Format = findings.FORMAT,
    out: Path = findings.OUT,
    force: bool = arguments.FORCE,
) -> None:
    """Compare the folders of frames with a manifest.

    Exit code 0: no errors among the findings reported. 1: there are errors. 2: could not run.
    """
    from collections import Counter

    from datasets_me.core.artefact import may_write
    from datasets_me.core.errors import plural
    from datasets_me.folders.check import check as run
    from datasets_me.formats import manifest as manifests

    may_write(out, force)
    selected, ignored = arguments.codes(select), arguments.codes(ignore)
    made = manifests.read(manifest)
    with _progress() as (walking, looking):
        checked = run(made, root, deep=deep, select=selected, ignore=ignored, walking=walking, looking=looking)
    folders, files = len(checked.inventory.folders), checked.inventory.tree.files
    layouts = Counter(folder.layout.id for folder in checked.inventory.folders)
    of_each = ", ".join(f"{name} {count}" for name, count in sorted(layouts.items()))
    raise findings.report(
        findings.of_severity(checked.findings, severity),
        output,
        out,
        about={"dataset": made.spec.id, "root": str(root), "folders": folders, "files": files},
        title=f"{made.spec.id}: folders against annotations",
        looked_at=f"{plural(files, 'file')} in {plural(folders, 'folder')} ({of_each})",
    )


def _progress() -> Any:
    from contextlib import contextmanager

    @contextmanager
    def both() -> Any:
        with show.progress("folders") as update:

            def looking(inventory: Inventory) -> Callable[[int], None]:
                done, total = 0, sum(len(folder.frames.names) for folder in inventory.folders)

                def looked(count: int) -> None:
                    nonlocal done
                    done += count
                    update(done, total, "images")

                return looked

            yield lambda folders, files: update(folders, note=f"{files:,} files"), looking

    return both()
