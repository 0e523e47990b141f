"""The folders that show annotated expressions, and the pictures in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datasets_me.formats.frame_files import FrameFiles
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video


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


def read_frame(files: FrameFiles, number: int) -> NDArray[np.uint8] | None:
    """A frame (H, W, 3) uint8, RGB; None for one that is missing or cannot be decoded completely."""
    image = files.read(number, colour=True)[0] if number in files.names else None
    return None if image is None else np.ascontiguousarray(image[:, :, ::-1])
