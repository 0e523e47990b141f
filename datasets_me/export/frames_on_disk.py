"""The folders that show annotated expressions, and the pictures in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.frame_files import FrameFiles
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video


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


def read_frame(files: FrameFiles, number: int) -> NDArray[np.uint8] | None:
    """A frame (H, W, 3) uint8, RGB; None for one that is missing or cannot be decoded whole."""
    image = files.read(number, colour=True)[0] if number in files.names else None
    return None if image is None else np.ascontiguousarray(image[:, :, ::-1])
