"""The folders that show annotated expressions, and the pictures in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.files import read_regular
from datasets_me.core.pictures import DamageError, decode
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video


def choose_layout(manifest: Manifest, wanted: str | None) -> str:
    """The layout to take frames from: ``wanted``, or the schema's first layout with annotated folders.

    Raises:
        MeDatasetsError: there is no such layout, or the manifest has no folders of it.
    """
    present = [video.layout for video in manifest.videos if video.path and video.annotations]
    known = [layout.id for layout in manifest.spec.layouts]
    if wanted is not None and wanted not in known:
        raise MeDatasetsError(f"there is no layout '{wanted}'", fix=f"choose one of {', '.join(known)}")
    chosen = next((name for name in ([wanted] if wanted else known) if name in present), None)
    if chosen is None:
        raise MeDatasetsError(
            "the manifest has no annotated folders of frames" + (f" in the layout '{wanted}'" if wanted else ""),
            fix="convert the workbook with --root FOLDER",
        )
    return chosen


def folders_by_annotation(manifest: Manifest, layout: str) -> dict[str, Video]:
    """For each annotation, by id, the folder of a layout that shows it."""
    tied = [video for video in manifest.videos if video.layout == layout and video.path and video.annotations]
    by_key = {(video.video, video.expression): video for video in reversed(tied)}
    folders = {}
    for row in manifest.annotations:
        video = by_key.get((row.video, row.expression)) or by_key.get((row.video, None))
        if video is not None:
            folders[row.id] = video
    return folders


def read_image(path: Path) -> NDArray[np.uint8] | None:
    """A picture (H, W, 3) uint8, RGB; None where it cannot be decoded completely."""
    try:
        return np.ascontiguousarray(decode(read_regular(path)).image[:, :, ::-1])
    except (OSError, DamageError):
        return None
