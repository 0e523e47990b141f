"""From a frame to the picture of a face in a clip: aligned, cut out, brought to one size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.records import VideoFeatures

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Face:
    """Where the face of a video is.

    ``box`` is x0, y0, x1, y1 in px of the raw frames, or empty for the whole frame. ``landmarks`` (T, 68, 2) are those
    of the frames from ``start`` on, at ``fps``; None where there are none.
    """

    box: tuple[int, ...] = ()
    landmarks: NDArray[np.float32] | None = None
    start: int = 0
    fps: float = 1.0

    def points(self, frame: int, fps: float) -> NDArray[np.float32] | None:
        """The landmarks (68, 2) of a frame, interpolated between the two nearest where they are at a lower rate."""
        if self.landmarks is None:
            return None
        place = frame * self.fps / fps - self.start
        low = math.floor(place)
        high = min(low + 1, len(self.landmarks) - 1)
        if not 0 <= low < len(self.landmarks):
            return None
        points = self.landmarks[low] + np.float32(place - low) * (self.landmarks[high] - self.landmarks[low])
        return np.asarray(points, np.float32) if np.isfinite(points).all() else None


def face_of(features: FeatureFolder, row: VideoFeatures) -> Face:
    """The box and the landmarks that an extraction holds for a video.

    Raises:
        FeaturesError: the file of landmarks is damaged.
        PathError: it lies outside the folder.
    """
    if row.landmarks is None:
        return Face(tuple(row.box), None, row.start, row.fps)
    landmarks = np.asarray(features.of_landmarks(row, "landmarks"), np.float32)
    return Face(tuple(row.box), landmarks, row.start, row.fps)


def aligner(face: Face, first: int, fps: float) -> Callable[[Picture, int], Picture]:
    """A function that aligns a frame, given its number, with the face in the clip's first frame.

    Frames without landmarks are returned unchanged.
    """
    from datasets_me.features.landmarks import align

    reference = face.points(first, fps)

    def aligned(picture: Picture, frame: int) -> Picture:
        points = face.points(frame, fps)
        if points is None or reference is None:
            return picture
        return align(picture, points, reference)[0]

    return aligned


def cut_out(picture: Picture, box: tuple[int, ...], size: int) -> Picture:
    """The box of a frame, or the whole frame, as a picture (size, size, 3) that keeps its proportions.

    The longer side fills the picture; the rest is black, equally on both sides.
    """
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = box or (0, 0, width, height)
    x0, y0, x1, y1 = max(0, x0), max(0, y0), min(width, x1), min(height, y1)
    if x0 >= x1 or y0 >= y1:
        x0, y0, x1, y1 = 0, 0, width, height
    scale = size / max(x1 - x0, y1 - y0)
    inner = max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale))
    small = Image.fromarray(picture[y0:y1, x0:x1]).resize(inner, Image.Resampling.BICUBIC)
    out = np.zeros((size, size, 3), np.uint8)
    left, top = (size - inner[0]) // 2, (size - inner[1]) // 2
    out[top : top + inner[1], left : left + inner[0]] = np.asarray(small)
    return out
