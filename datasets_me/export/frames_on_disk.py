"""The frames that show an annotated expression: which folder, and which files of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from datasets_me.errors import FolderError, MeDatasetsError
from datasets_me.inventory.frames import read_names
from datasets_me.manifest import Manifest
from datasets_me.records import Annotation, Video


@dataclass(frozen=True)
class FrameFolder:
    """A folder of frames: file names by the 0-based frame of the video that they show, at the rate of the files."""

    folder: Path
    names: dict[int, str]


def choose_layout(manifest: Manifest, wanted: str | None) -> str:
    """The layout to take frames from: the one that is wanted, else the schema's first that has annotated folders.

    Raises:
        MeDatasetsError: there is no such layout, or the manifest has no folders of it.
    """
    there = [video.layout for video in manifest.videos if video.path and video.annotations]
    known = [layout.id for layout in manifest.spec.layouts]
    if wanted is not None and wanted not in known:
        raise MeDatasetsError(f"there is no layout '{wanted}'", fix=f"choose one of {', '.join(known)}")
    chosen = next((name for name in ([wanted] if wanted else known) if name in there), None)
    if chosen is None:
        raise MeDatasetsError(
            "the manifest has no annotated folders of frames" + (f" of the layout '{wanted}'" if wanted else ""),
            fix="make it with me-datasets convert … --root FOLDER",
        )
    return chosen


def folders_by_annotation(manifest: Manifest, layout: str) -> dict[str, Video]:
    """For each annotation, by id, the folder of a layout that shows it."""
    tied = [video for video in manifest.videos if video.layout == layout and video.path and video.annotations]
    by_key = {(video.video, video.expression): video for video in reversed(tied)}
    found = {}
    for row in manifest.annotations:
        video = by_key.get((row.video, row.expression)) or by_key.get((row.video, None))
        if video is not None:
            found[row.id] = video
    return found


def file_rate(manifest: Manifest, row: Annotation) -> float:
    """The frame rate of the files, whatever rate the source of the annotations counts at (25 instead of 200)."""
    variant = next((v for v in manifest.spec.workbook.variants if v.id == manifest.variant), None)
    sampled = variant is not None and variant.frames is not None and variant.frames.fps
    return manifest.spec.fps if sampled else row.fps


def list_frames(manifest: Manifest, video: Video, rows: Sequence[Annotation], root: Path) -> FrameFolder:
    """The files of a folder by frame. Numbers that start anew in every folder begin at the first annotated onset.

    Raises:
        FolderError: the folder cannot be opened.
    """
    assert video.path is not None and video.layout is not None
    folder = root / video.path
    try:
        with os.scandir(folder) as entries:
            files = [entry.name for entry in entries if not entry.is_dir()]
    except OSError as error:
        raise FolderError(f"the folder cannot be opened: {error.strerror}", where=str(folder)) from error
    layout = manifest.spec.layout(video.layout)
    shift = -layout.base
    if layout.numbers == "clip":
        shift += min((row.onset for row in rows if row.onset is not None), default=0)
    frames = read_names(files)
    # Where two files have one number, read_names puts them next to each other; the first is taken.
    twice = {second for _, second in frames.twice}
    single = [name for name in frames.names if name not in twice]
    return FrameFolder(folder, {number + shift: name for number, name in zip(frames.numbers, single, strict=True)})


def read_image(path: Path) -> NDArray[np.uint8] | None:
    """A picture (H, W, 3) uint8, RGB; None for one that cannot be decoded whole."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, EOFError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
