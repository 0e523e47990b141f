"""Squares around parts of a face, and a face turned so that its eyes are level; pure arrays."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Points = NDArray[np.float32]

REGIONS: dict[str, range] = {
    "face": range(0, 68),
    "mouth": range(48, 68),
    "eyes": range(36, 48),
    "brows": range(17, 27),
}
"""The landmarks of each region, of the 68 of iBUG 300-W counted from 0."""

FACTOR = 1.5
"""Side of the square, in longer sides of the box around the landmarks."""

LEFT_EYE, RIGHT_EYE = range(36, 42), range(42, 48)
"""As seen by the camera: the left one has the smaller x."""


class Square(NamedTuple):
    """A box in whole px, from the first column and row to just behind the last.

    ``shifted``: it was moved to be inside the image. ``smaller``: it was cut down to the image's shorter side first.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    shifted: bool
    smaller: bool


def square(points: Points, shape: tuple[int, int], factor: float = FACTOR) -> Square:
    """The square around points (n, 2) in an image of this height and width.

    Its side is ``factor`` times the longer side of their box. It is centred on the box and shifted to be inside the
    image; only where it is larger than the image, it becomes smaller.
    """
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    wanted = max(1, round(float((high - low).max()) * factor))
    height, width = shape
    side = min(wanted, height, width)
    # a point's coordinates are those of the middle of a pixel, so the box begins half a pixel before it
    start = np.floor((low + high) / 2 + 0.5 - side / 2 + 0.5).astype(int)
    inside = np.clip(start, 0, np.array([width - side, height - side]))
    x0, y0 = (int(value) for value in inside)
    return Square(x0, y0, x0 + side, y0 + side, bool((inside != start).any()), side < wanted)


def eyes(points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The middles of both eyes, (2,) each."""
    return (
        points[list(LEFT_EYE)].mean(axis=0).astype(np.float64),
        points[list(RIGHT_EYE)].mean(axis=0).astype(np.float64),
    )


def levelled(image: Image, points: Points) -> tuple[Image, Points, float]:
    """The image turned about the middle between the eyes until they are level, on the same canvas.

    With it come its landmarks (68, 2), and the angle in degrees it was turned by, anticlockwise. The border is repeated
    where nothing is known.
    """
    left, right = eyes(points)
    across = right - left
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    middle = (left + right) / 2
    turn = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), angle, 1.0)
    turned = cv2.warpAffine(image, turn, image.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    moved = points @ turn[:, :2].T + turn[:, 2]
    return np.asarray(turned, np.uint8), moved.astype(np.float32), angle


def mirrored_difference(grey: Image, points: Points) -> float:
    """How little the two halves of a face have in common: 0 for halves that mirror each other, 1 for none.

    The face is put upright on 64x64 px by its eyes and chin, light is evened out locally, and each half is compared
    with the other's mirror image: one minus their correlation, at most 1. What covers one half shows; so do a turned
    head and light from one side. What covers both halves alike does not.
    """
    left, right = eyes(points)
    chin = points[8].astype(np.float64)
    side = 64
    middle = (left + right) / 2
    across = right - left
    down = np.array([-across[1], across[0]])
    length = max(float(np.linalg.norm(across)), 1e-6)
    drop = max(float((chin - middle) @ down) / length, length)
    # eyes at a third from the top, chin near the bottom; the frame is upright and symmetric about the eyes' middle
    source = np.array([left, right, middle + down / length * drop], np.float32)
    axis = (side - 1) / 2  # the middle of the picture is between two pixels
    eye = 0.21 * side
    target = np.array([[axis - eye, 0.36 * side], [axis + eye, 0.36 * side], [axis, 0.95 * side]], np.float32)
    upright = cv2.warpAffine(
        grey, cv2.getAffineTransform(source, target), (side, side), borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    even = upright - cv2.GaussianBlur(upright, (0, 0), side / 6)
    y, x = np.mgrid[0:side, 0:side]
    inside = ((x - axis) / (0.36 * side)) ** 2 + ((y - 0.52 * side) / (0.44 * side)) ** 2 <= 1
    inside &= x < side // 2
    one, two = even[inside], even[:, ::-1][inside]
    one, two = one - one.mean(), two - two.mean()
    strength = float(np.sqrt((one**2).sum() * (two**2).sum()))
    return float(np.clip(1 - (one * two).sum() / strength, 0, 1)) if strength > 0 else 0.0
