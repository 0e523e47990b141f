"""``me-datasets check``: folders against annotations, as one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datasets_me.core.errors import FolderError
from datasets_me.findings.finding import Finding, finding
from datasets_me.folders import look, look_videos, rules
from datasets_me.folders.context import Context
from datasets_me.folders.layouts import Inventory, explain
from datasets_me.folders.videos import list_videos
from datasets_me.folders.walk import Progress, walk
from datasets_me.formats.manifest import Manifest


@dataclass(frozen=True)
class Checked:
    """The findings of a check, in order of code and place, and what was looked at."""

    findings: list[Finding]
    inventory: Inventory


def check(
    manifest: Manifest,
    root: Path,
    *,
    deep: bool = False,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    walking: Progress | None = None,
    looking: Callable[[Inventory], Callable[[int], None]] | None = None,
) -> Checked:
    """Compare the folders under a root with a manifest.

    Args:
        deep: decode every image, instead of looking at the first of every folder.
        select: codes, or beginnings of codes, to look for; all if empty.
        ignore: codes, or beginnings of codes, to leave out.
        walking: told of folders and files seen so far.
        looking: given the inventory, returns what is told of images looked at.

    Raises:
        FolderError: the root is no folder, or nothing under it fits a layout of the dataset.
    """
    inventory = take_inventory(manifest, root, walking)
    context = Context(manifest, inventory)
    wanted = rules.chooser(select, ignore)
    findings = list(rules.apply(context, wanted))
    if any(map(wanted, look.CODES)):
        progress = looking(inventory) if looking else None
        found = look.check_images(context, deep=deep, progress=progress)
        findings += [finding for finding in found if wanted(finding.code)]
    if deep and wanted("ME319"):
        findings += look_videos.check_videos(context)
    findings.sort(key=lambda f: (f.code, f.path or "", f.row or 0, f.video or "", f.message))
    return Checked(findings, inventory)


def take_inventory(manifest: Manifest, root: Path, walking: Progress | None = None) -> Inventory:
    """The folders under a root, explained by the manifest's schema.

    Raises:
        FolderError: as in :func:`check`.
    """
    inventory = _inventory(manifest, root, walking)
    if not inventory.folders:
        raise _nothing_fits(manifest, inventory)
    return inventory


def _inventory(manifest: Manifest, root: Path, walking: Progress | None) -> Inventory:
    relocations = bool(manifest.options.get("corrections", True))
    return explain(manifest.spec, walk(root, walking), relocations=relocations)


def with_folders(manifest: Manifest, root: Path, walking: Progress | None = None) -> Manifest:
    """The manifest with a row for every folder of frames under a root, tied to its annotations.

    Relocations of the schema that were applied become findings (ME201), and so do folders that cannot be used (ME210),
    files whose number is too far from the others of their folder to be a frame's (ME312), and a root under which
    nothing fits (ME213): the workbook alone may lie there.

    Raises:
        FolderError: the root is no folder.
    """
    inventory = _inventory(manifest, root, walking)
    if not inventory.folders:
        nothing = finding("ME213", f"nothing under {root.name or root} fits a layout of {manifest.spec.id}")
        return replace(manifest, findings=[*manifest.findings, *_seen(manifest, inventory), nothing])
    videos = list_videos(manifest.spec, manifest.annotations, inventory)
    return replace(manifest, videos=videos, findings=[*manifest.findings, *_seen(manifest, inventory)])


def _seen(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    """What is known of the folders before anything is compared with them."""
    return rules.apply(Context(manifest, inventory), lambda code: code in ("ME201", "ME210", "ME312", "ME313"))


def _nothing_fits(manifest: Manifest, inventory: Inventory) -> FolderError:
    """The error for a tree in which no folder fits: what was expected, what is there."""
    expected = [
        f"{layout.id}: {layout.folder}" + (" (a video file)" if layout.video_files else f"/{layout.frame}")
        for layout in manifest.spec.layouts
    ]
    there = [leaf.path for leaf in inventory.unknown[:5]]
    there += [f"{path} ({why})" for path, why in inventory.tree.unreadable[:5]]
    there = there or ["no folder with images and no video file at all"]
    return FolderError(
        f"nothing under the root fits a layout of {manifest.spec.id}",
        details=[*expected, f"there is: {', '.join(there)}"],
        where=str(inventory.tree.root),
        fix="give the folder that holds the dataset; or add a layout to a schema of your own",
    )
