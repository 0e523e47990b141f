"""``me-datasets check``: folders compared with annotations, in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datasets_me.core.errors import FolderError
from datasets_me.findings.finding import Finding, finding
from datasets_me.folders import look, look_videos, rules
from datasets_me.folders.context import Context
from datasets_me.folders.layouts import Folder, Inventory, match_layouts
from datasets_me.folders.videos import list_videos
from datasets_me.folders.walk import Progress, walk
from datasets_me.formats.manifest import Manifest, left_out, refuse_other


@dataclass(frozen=True)
class Checked:
    """The findings of a check, in order of code and place, and the folders that were checked."""

    findings: list[Finding]
    inventory: Inventory


def check(
    manifest: Manifest,
    root: str | Path,
    *,
    deep: bool = False,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    walking: Progress | None = None,
    looking: Callable[[Inventory], Callable[[int], None]] | None = None,
) -> Checked:
    """Compare the folders under a root with a manifest.

    Args:
        manifest: of the dataset.
        root: the folder above all folders of frames.
        deep: decode every image, instead of reading the head of the first of every folder.
        select: codes, or beginnings of codes, to look for; all if empty.
        ignore: codes, or beginnings of codes, to leave out.
        walking: called with the numbers of folders and files seen so far.
        looking: called with the inventory; what it returns is called with the number of further images read.

    Raises:
        FolderError: the root is not a folder, or nothing under it fits a layout of the dataset.
    """
    inventory = take_inventory(manifest, root, walking)
    context = Context(manifest, inventory)
    is_selected = rules.selector(select, ignore)
    findings = list(rules.apply_rules(context, is_selected))
    if any(map(is_selected, look.CODES)):
        progress = looking(inventory) if looking else None
        in_images = look.check_images(context, deep=deep, progress=progress)
        findings += [finding for finding in in_images if is_selected(finding.code)]
    if deep and is_selected("ME319"):
        findings += look_videos.check_videos(context)
    findings.sort(key=lambda f: (f.code, f.path or "", f.row or 0, f.video or "", f.message))
    return Checked(findings, inventory)


def take_inventory(manifest: Manifest, root: str | Path, walking: Progress | None = None) -> Inventory:
    """The folders under a root, matched with the layouts of the manifest's schema.

    Raises:
        FolderError: as in :func:`check`.
    """
    inventory = _inventory(manifest, root, walking)
    if not inventory.folders:
        raise _nothing_fits(manifest, inventory)
    return _without_left_out(manifest, _as_named(manifest, inventory))


def _as_named(manifest: Manifest, inventory: Inventory) -> Inventory:
    """The folders with the names of their videos in the manifest, which tells apart recordings of the same name."""
    names = {video.path: video.video for video in manifest.videos}

    def named(folder: Folder) -> Folder:
        name = names.get(folder.path, folder.identity.video)
        return (
            folder if name == folder.identity.video else replace(folder, identity=replace(folder.identity, video=name))
        )

    return replace(inventory, folders=tuple(map(named, inventory.folders)))


def _inventory(manifest: Manifest, root: str | Path, walking: Progress | None) -> Inventory:
    refuse_other(manifest)
    relocations = bool(manifest.options.get("corrections", True))
    return match_layouts(manifest.spec, walk(Path(root), walking), relocations=relocations)


def _without_left_out(manifest: Manifest, inventory: Inventory) -> Inventory:
    """The folders without those of videos that the schema leaves out."""
    used = tuple(folder for folder in inventory.folders if not manifest.leaves_out(folder.identity.video))
    return replace(inventory, folders=used)


def with_folders(manifest: Manifest, root: str | Path, walking: Progress | None = None) -> Manifest:
    """The manifest with a row for every folder of frames under a root, tied to its annotations.

    Relocations of the schema that were applied become findings (ME201), and so do folders that cannot be used (ME210),
    files whose number is too far from the others of their folder (ME312), and a root under which nothing fits (ME213),
    since it may contain only the workbook.

    Raises:
        FolderError: the root is not a folder.
    """
    inventory = _inventory(manifest, root, walking)
    if not inventory.folders:
        no_folders = finding("ME213", f"nothing under {Path(root).name or root} fits a layout of {manifest.spec.id}")
        return replace(manifest, findings=[*manifest.findings, *_of_folders(manifest, inventory), no_folders])
    used = _without_left_out(manifest, inventory)
    videos = list_videos(manifest.spec, manifest.annotations, used)
    findings = [*manifest.findings, *_left_out(manifest, inventory), *_of_folders(manifest, used)]
    return replace(manifest, videos=videos, findings=findings)


def _left_out(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    """A finding for every folder of a video that the schema leaves out."""
    entries = {entry.video: entry for entry in manifest.spec.exclude if entry.whole_video}
    for folder in inventory.folders:
        if manifest.leaves_out(folder.identity.video):
            yield left_out(entries[folder.identity.video], path=folder.path)


def _of_folders(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    """The findings about folders that need no comparison with annotations."""
    return rules.apply_rules(Context(manifest, inventory), lambda code: code in ("ME201", "ME210", "ME312", "ME313"))


def _nothing_fits(manifest: Manifest, inventory: Inventory) -> FolderError:
    """The error for a tree in which no folder fits: what was expected, and what is there."""
    expected = [
        f"{layout.id}: {layout.folder}" + (" (a video file)" if layout.video_files else f"/{layout.frame}")
        for layout in manifest.spec.layouts
    ]
    present = [leaf.path for leaf in inventory.unknown[:5]]
    present += [f"{path} ({why})" for path, why in inventory.tree.unreadable[:5]]
    present = present or ["no folder with images and no video file at all"]
    return FolderError(
        f"nothing under the root fits a layout of {manifest.spec.id}",
        details=[*expected, f"there is: {', '.join(present)}"],
        where=str(inventory.tree.root),
        fix="give the folder that holds the dataset; or add a layout to a schema of your own",
    )
