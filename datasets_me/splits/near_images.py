"""Clips that are copies of each other, by their images: the same file, or one that looks the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datasets_me.core.errors import FolderError, PathError
from datasets_me.core.files import check_root, read_regular
from datasets_me.core.frame_names import Frames, read_names
from datasets_me.core.paths import under
from datasets_me.core.pictures import DamageError, decode
from datasets_me.core.rates import shown
from datasets_me.findings.finding import Finding
from datasets_me.formats.frame_files import disk_frames
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, Video
from datasets_me.splits.check import SplitContext
from datasets_me.splits.clips import Clip, alike, clips, leaks
from datasets_me.splits.items import SplitItem

MOST_BITS = 8
"""The most bits, of 256 of a perceptual hash (16 x 16 lowest frequencies), in which images of one look differ.
Copies of a portrait that were compressed again (JPEG 95 to 30) or resized (half, double) differ by 0 to 2 bits, one
that was cropped 2 % tighter by 34, its mirror image by 126."""

_SIZE = 16
_LEAST_CONTRAST = 8.0  # standard deviation of grey values 0 to 255; a face has 20 and more


@dataclass(frozen=True)
class HashedImage:
    """One image: its path under the root, the hash of its bytes, and its perceptual hash as 256 numbers -1 or 1."""

    path: str
    sha256: str
    bits: NDArray[np.float32]


@dataclass(frozen=True)
class _Place:
    """An image to compare, its clip, and whether it is taken for its annotation or for its position in the folder."""

    clip: Clip
    layout: str
    root: Path
    path: str
    annotated: bool


def check_images(
    context: SplitContext,
    roots: Sequence[tuple[Manifest, Path]],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Finding], dict[str, int]]:
    """Findings (ME526, ME527) about clips on both sides of a fold, and how many images of each layout were compared.

    Of each expression the apex and the middle between onset and offset are compared, of a video without expressions its
    middle. To find the same file under two names, the first and last frame of each folder and those at its quarters are
    compared as well. Images are compared within a layout only; unreadable and almost uniform ones are left out.

    Raises:
        FolderError: a root is not a folder, or no item of the split has a folder under it.
    """
    work = [place for manifest, root in roots for place in _places(context, manifest, root)]
    look = cache(_look)  # frames of an expression may be those at a quarter
    by_layout: dict[str, list[tuple[_Place, HashedImage]]] = {}
    for done, place in enumerate(work, start=1):
        picture = look(place.root, place.path)
        if picture is not None:
            by_layout.setdefault(place.layout, []).append((place, picture))
        if progress:
            progress(done, len(work))
    reported: set[tuple[SplitItem, SplitItem]] = set()
    findings: list[Finding] = []
    for pictures in by_layout.values():
        findings += leaks(context, "ME526", _same([(place.clip, picture) for place, picture in pictures]), reported)
    for pictures in by_layout.values():
        by_clip: dict[Clip, list[HashedImage]] = {}
        for place, picture in pictures:
            if place.annotated:
                by_clip.setdefault(place.clip, []).append(picture)
        findings += leaks(context, "ME527", _similar(by_clip), reported)
    counts = {
        layout: len({(place.root, place.path) for place, _ in pictures})
        for layout, pictures in sorted(by_layout.items())
    }
    return findings, counts


def _same(pictures: Sequence[tuple[Clip, HashedImage]]) -> Iterator[tuple[Clip, Clip, str]]:
    by_hash: dict[str, dict[Clip, HashedImage]] = {}
    for clip, picture in pictures:
        by_hash.setdefault(picture.sha256, {}).setdefault(clip, picture)
    for pictures_of in by_hash.values():
        for (first, one), (second, other) in combinations(pictures_of.items(), 2):
            yield first, second, f"{one.path} and {other.path} are the same file"


def _similar(by_clip: dict[Clip, list[HashedImage]]) -> Iterator[tuple[Clip, Clip, str]]:
    """Pairs of clips whose first images look the same, and whose last."""
    if not by_clip:
        return
    names = list(by_clip)
    ends = [np.stack([by_clip[clip][end].bits for clip in names]) for end in (0, -1)]
    bits = ends[0].shape[1]
    for first, second, product in alike(ends[0], bits - 2 * MOST_BITS):
        differ = [round((bits - product) / 2), round((bits - float(ends[1][first] @ ends[1][second])) / 2)]
        if max(differ) <= MOST_BITS:
            reason = f"their images differ in {differ[0]} and {differ[1]} of {bits} bits of the perceptual hash"
            yield names[first], names[second], reason


def _places(context: SplitContext, manifest: Manifest, root: Path) -> Iterator[_Place]:
    """The images to look at, of every layout: those of each clip, and those at the quarters of each folder."""
    check_root(root)
    folders: dict[str, list[Video]] = {}
    for video in manifest.videos:
        if video.path is not None and video.layout is not None:
            folders.setdefault(video.video, []).append(video)
    wanted = [
        clip for clip in clips(context, manifest.spec.id) if clip.annotation or not context.annotations[clip.item]
    ]
    tied = [(clip, row) for clip in wanted for row in folders.get(clip.item.video, ()) if _holds(row, clip)]
    if not tied:
        raise FolderError(
            f"no item of the split has a folder of frames in the manifest of {manifest.spec.id}",
            where=str(root),
            fix="convert the workbook with --root",
        )
    listed = cache(lambda path: _list(root, path))
    for clip, row in tied:
        for name in _names(manifest, row, clip.annotation, listed(str(row.path))):
            yield _Place(clip, str(row.layout), root, f"{row.path}/{name}", True)
    first_of: dict[str, tuple[Clip, Video]] = {}
    for clip, row in tied:
        first_of.setdefault(str(row.path), (clip, row))
    for path, (clip, row) in first_of.items():
        names = listed(path).names
        for index in sorted({(len(names) - 1) * quarter // 4 for quarter in range(5)} if names else ()):
            yield _Place(clip, str(row.layout), root, f"{path}/{names[index]}", False)


def _holds(row: Video, clip: Clip) -> bool:
    return row.expression is None or (clip.annotation is not None and row.expression == clip.annotation.expression)


def _list(root: Path, path: str) -> Frames:
    try:
        return read_names([entry.name for entry in under(root, path).iterdir()])
    except (OSError, PathError):
        return Frames()  # check reports that it is gone


def _names(manifest: Manifest, row: Video, annotation: Annotation | None, frames: Frames) -> Iterator[str]:
    """The files of apex and middle; the middle of the folder where nothing is annotated."""
    copies = {second for _, second in frames.twice}
    by_number = dict(zip(frames.numbers, (name for name in frames.names if name not in copies), strict=True))
    if annotation is None:
        yield from frames.names[len(frames.names) // 2 : len(frames.names) // 2 + 1]
        return
    layout = manifest.spec.layout(row.layout or "")
    step = disk_frames(manifest)
    first = (annotation.onset or 0) if layout.numbers == "clip" else 0
    ends = (annotation.onset, annotation.offset if annotation.offset is not None else annotation.apex)
    middle = None if ends[0] is None or ends[1] is None else (ends[0] + ends[1]) // 2
    for frame in dict.fromkeys((annotation.apex, middle)):
        name = by_number.get(shown(frame - first, step) + layout.base) if frame is not None else None
        if name is not None:
            yield name


def _look(root: Path, path: str) -> HashedImage | None:
    try:
        content = read_regular(under(root, path))
        grey = Image.fromarray(decode(content).image[:, :, ::-1]).convert("L")
    except (OSError, PathError, DamageError):
        return None  # check --deep reports what is wrong with it
    if np.asarray(grey).std() < _LEAST_CONTRAST:
        return None
    bits = imagehash.phash(grey, hash_size=_SIZE).hash.ravel()
    return HashedImage(path, hashlib.sha256(content).hexdigest(), np.where(bits, 1, -1).astype(np.float32))
