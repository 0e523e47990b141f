"""The folders that show annotated expressions, and the pictures in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.files import read_regular
from datasets_me.core.pictures import DamageError, decode
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video


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


def read_image(path: Path) -> NDArray[np.uint8] | None:
    """A picture (H, W, 3) uint8, RGB; None for one that cannot be decoded whole."""
    try:
        return np.ascontiguousarray(decode(read_regular(path)).image[:, :, ::-1])
    except (OSError, DamageError):
        return None
