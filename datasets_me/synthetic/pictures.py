"""Still pictures of faces before varied backgrounds, and pictures without a face.

The faces are those of `synthetic.face_video`: one woman's, varied. Pictures differ in position, size, tilt, light and
background, as pictures from the web do; the expression is always about the same, so labels mean nothing.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

Image = NDArray[np.uint8]
Points = NDArray[np.float32]

_SIDE = 160  # px of the picture that a face is taken from
_SUBJECTS = 12


def face_picture(number: int, seed: int = 0, side: int = 128) -> Image:
    """A face (side, side, 3) in BGR, the ``number``-th of its seed."""
    rng = np.random.default_rng([seed, number, 11])
    face, points = _face(int(rng.integers(_SUBJECTS)))
    if rng.random() < 0.5:
        face = np.ascontiguousarray(face[:, ::-1])
        points = points * (-1, 1) + (_SIDE - 1, 0)
    return np.clip(_placed(rng, face, points, scenery(rng, side), (0.5, 0.5), rng.uniform(0.5, 0.62)), 0, 255).astype(
        np.uint8
    )


def two_faces(number: int, seed: int = 0, side: int = 128) -> Image:
    """Two faces beside each other (side, 2 * side, 3)."""
    left, right = face_picture(2 * number, seed + 1000, side), face_picture(2 * number + 1, seed + 1000, side)
    return np.hstack([left, right])


def no_face(number: int, seed: int = 0, side: int = 128) -> Image:
    """Scenery only (side, side, 3)."""
    rng = np.random.default_rng([seed, number, 12])
    return np.clip(scenery(rng, side) + rng.normal(0, 3, (side, side, 1)), 0, 255).astype(np.uint8)


def jpeg(image: Image, quality: int = 95) -> bytes:
    """A picture as a JPEG file."""
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def scenery(rng: np.random.Generator, side: int) -> NDArray[np.float32]:
    """Soft coloured patches and a few straight edges (side, side, 3), float32 of 0 to 255."""
    coarse = rng.uniform(30, 225, (5, 5, 3)).astype(np.float32)
    picture = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    for _ in range(4):
        corners = rng.uniform(-0.2, 1.2, (4, 2)) * side
        hull = cv2.convexHull(corners.astype(np.int32))
        cv2.fillConvexPoly(picture, hull, [float(value) for value in rng.uniform(30, 225, 3)])
    fine = cv2.GaussianBlur(rng.standard_normal((side, side, 1)).astype(np.float32), (0, 0), 1.0)
    return np.asarray(picture + 8 * fine[..., None] / max(float(fine.std()), 1e-6), np.float32)


@lru_cache(maxsize=_SUBJECTS)
def _face(subject: int) -> tuple[Image, Points]:
    options = FaceVideoOptions(frames=1, size=(_SIDE, _SIDE), face_width=100, colour=True, jpeg=None, micro=0, blinks=0)
    video = FaceVideo(subject, 0, options)
    return video.frame(0), video.landmarks[0]


def _placed(
    rng: np.random.Generator,
    face: Image,
    points: Points,
    behind: NDArray[np.float32],
    where: tuple[float, float],
    width: float,
) -> NDArray[np.float32]:
    """The face on the background: its middle near ``where``, ``width`` wide, both in parts of the side."""
    side = len(behind)
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    scale = width * side / float(high[0] - low[0])
    turn = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), float(rng.uniform(-9, 9)), scale)
    turn[:, 2] += (np.array(where) + rng.uniform(-0.07, 0.07, 2)) * side - middle
    moved = cv2.warpAffine(face, turn, (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    # the head, hair included, fades into the background
    mask = np.zeros(face.shape[:2], np.float32)
    axes = (int((high[0] - low[0]) * 0.72), int((high[1] - low[1]) * 0.86))
    centre = (int(middle[0]), int(middle[1] - 0.1 * (high[1] - low[1])))
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 1.0, -1)
    mask = cv2.warpAffine(cv2.GaussianBlur(mask, (0, 0), 3), turn, (side, side))[..., None]
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    slope = rng.uniform(-0.12, 0.12, 2)
    light = (1 + slope[0] * x + slope[1] * y)[..., None] * rng.uniform(0.85, 1.1)
    mixed = (moved.astype(np.float32) * light) * mask + behind * (1 - mask)
    return np.asarray(mixed + rng.normal(0, 2, mixed.shape), np.float32)
