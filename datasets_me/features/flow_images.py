"""From two pictures of a face to a flow image: u, v and strain, each in the form a recogniser was published with.

A `Recipe` says in data what the published scripts do in code; the recipes of the projects stand in
``export/flow_presets.yaml``. `flow_fields` computes the flow, `flow_image` makes the three channels of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.choices import FlowMethod, StrainDefinition
from datasets_me.features.flow import flow
from datasets_me.features.strain import strain

Grey = NDArray[np.uint8]
Field = NDArray[np.float32]
Points = NDArray[np.float32]

BROW_MARGIN = 12
"""Room in px around brows and mouth on a face of 128 px, in SOFTNet and MEAN."""

EYE_MARGIN = 15
"""Room in px around the eyes that SOFTNet masks, on a face of 128 px."""

NOSE, NOSE_RADIUS = 28, 5
"""The landmark on the bridge of the nose, and half the window around it, whose motion SOFTNet takes for the head's."""

STRIP = (42, 21)
"""Width and height in px that the parts of a face are brought to, brows above and mouth below."""


@dataclass(frozen=True)
class Recipe:
    """How two frames become a flow image.

    Attributes:
        face: side in px of the square that the face is brought to before its flow is computed.
        stretch: fill the square, whatever the proportions of the face's box; else its longer side fills it, and the
            rest is black.
        grey: ``rgb``: the usual brightness. ``swapped``: with the weights of red and blue exchanged, which is what
            ``COLOR_BGR2GRAY`` makes of a picture in RGB.
        flow: the method, see `datasets_me.features.flow`.
        farneback: pyramid scale, levels, window, iterations, polynomial size and its sigma, for ``farneback`` with
            parameters of its own.
        polar: u and v go through OpenCV's polar form and back, as published; that costs a thousandth of a pixel.
        strain: the definition of the third channel, see `datasets_me.features.strain`.
        remove_nose: subtract the mean of the nose's window from each channel; of u and v the absolute value remains.
        mask_eyes: set the eyes and their surroundings to 0.
        parts: ``whole``, or ``brows-mouth``: both brows above the mouth, 42 × 42 px.
        size: side in px that the image is resized to; None leaves it as large as the face.
        scale: bring each channel to 0–1 by its smallest and largest value: ``first``, before parts are cut out and
            resized; ``last``; or ``none``.
    """

    face: int = 128
    stretch: bool = False
    grey: Literal["rgb", "swapped"] = "rgb"
    flow: FlowMethod = "lk"
    farneback: tuple[float, int, int, int, int, float] | None = None
    polar: bool = False
    strain: StrainDefinition = "tensor"
    remove_nose: bool = False
    mask_eyes: bool = False
    parts: Literal["whole", "brows-mouth"] = "whole"
    size: int | None = None
    scale: Literal["none", "first", "last"] = "none"

    @property
    def needs_landmarks(self) -> bool:
        """Whether the image cannot be made without landmarks."""
        return self.remove_nose or self.mask_eyes or self.parts != "whole"


def grey_of(picture: NDArray[np.uint8], recipe: Recipe) -> Grey:
    """A picture (H, W, 3) in RGB as the grey one (H, W) that flow is computed on."""
    code = cv2.COLOR_RGB2GRAY if recipe.grey == "rgb" else cv2.COLOR_BGR2GRAY
    return np.asarray(cv2.cvtColor(picture, code), np.uint8)


def flow_fields(first: Grey, second: Grey, recipe: Recipe) -> tuple[Field, Field]:
    """The flow u, v (H, W) float32 in px from one grey picture (H, W) uint8 to another."""
    if recipe.flow == "farneback" and recipe.farneback is not None:
        field = np.asarray(cv2.calcOpticalFlowFarneback(first, second, None, *recipe.farneback, 0), np.float32)
    else:
        field = flow([first, second], recipe.flow, temporal=1)[0]
    u, v = np.ascontiguousarray(field[..., 0]), np.ascontiguousarray(field[..., 1])
    if recipe.polar:
        magnitude, angle = cv2.cartToPolar(u, v)
        u, v = magnitude * np.cos(angle), magnitude * np.sin(angle)
    return u, v


def flow_image(u: Field, v: Field, recipe: Recipe, landmarks: Points | None = None) -> Field:
    """The three channels of a flow image.

    Args:
        u: (H, W) in px.
        v: likewise.
        landmarks: (68, 2) in px of the face, for recipes that need them; rounded to whole pixels, as dlib gives them.

    Returns:
        (h, w, 3) float32: u, v, strain.

    Raises:
        ValueError: the recipe needs landmarks and there are none, or no part of the face lies where they say.
    """
    if recipe.needs_landmarks and (landmarks is None or not np.isfinite(landmarks).all()):
        raise ValueError("there are no landmarks")
    image = np.dstack([u, v, strain(u, v, recipe.strain)]).astype(np.float32)
    points = [] if landmarks is None else [(round(float(x)), round(float(y))) for x, y in landmarks]
    if recipe.remove_nose:
        _remove_nose(image, points)
    if recipe.mask_eyes:
        _mask_eyes(image, points)
    if recipe.scale == "first":
        image = scaled(image)
    if recipe.parts == "brows-mouth":
        image = _brows_and_mouth(image, points)
    if recipe.size is not None and image.shape[:2] != (recipe.size, recipe.size):
        image = np.asarray(cv2.resize(image, (recipe.size, recipe.size), interpolation=cv2.INTER_AREA))
    return scaled(image) if recipe.scale == "last" else image


def scaled(image: Field) -> Field:
    """Each channel of (H, W, C) brought to 0–1; one that is the same everywhere becomes 0."""
    low, high = image.min(axis=(0, 1)), image.max(axis=(0, 1))
    return np.asarray((image - low) / np.where(high > low, high - low, 1), np.float32)


def _remove_nose(image: Field, points: Sequence[tuple[int, int]]) -> None:
    x, y = points[NOSE]
    window = image[max(y - NOSE_RADIUS, 0) : y + NOSE_RADIUS + 1, max(x - NOSE_RADIUS, 0) : x + NOSE_RADIUS + 1]
    if not window.size:
        raise ValueError("the nose lies outside the face's picture")
    image -= window.astype(np.float64).mean(axis=(0, 1)).astype(np.float32)
    np.abs(image[..., :2], out=image[..., :2])


def _mask_eyes(image: Field, points: Sequence[tuple[int, int]]) -> None:
    height, width = image.shape[:2]
    for first in (36, 42):
        outer, upper_outer, upper_inner, inner, lower_inner, lower_outer = points[first : first + 6]
        outline = [
            (max(outer[0] - EYE_MARGIN, 0), outer[1]),
            (upper_outer[0], max(upper_outer[1] - EYE_MARGIN, 0)),
            (upper_inner[0], max(upper_inner[1] - EYE_MARGIN, 0)),
            (min(inner[0] + EYE_MARGIN, width), inner[1]),
            (lower_inner[0], min(lower_inner[1] + EYE_MARGIN, height)),
            (lower_outer[0], min(lower_outer[1] + EYE_MARGIN, height)),
        ]
        cv2.fillPoly(image, [np.array(outline, np.int32)], (0.0, 0.0, 0.0))


def _brows_and_mouth(image: Field, points: Sequence[tuple[int, int]]) -> Field:
    """Both brows, down to the lower lids, above the mouth, each 42 × 21 px."""
    height, width = image.shape[:2]

    def part(left: int, right: int, top: Sequence[int], bottom: Sequence[int]) -> Field:
        y0 = max(min(points[n][1] for n in top) - BROW_MARGIN, 0)
        y1 = min(max(points[n][1] for n in bottom) + BROW_MARGIN, height)
        x0, x1 = max(points[left][0] - BROW_MARGIN, 0), min(points[right][0] + BROW_MARGIN, width)
        if x0 >= x1 or y0 >= y1:
            raise ValueError("brows or mouth lie outside the face's picture")
        return np.asarray(cv2.resize(image[y0:y1, x0:x1], STRIP))

    return np.vstack([part(17, 26, (19, 24), (41, 46)), part(60, 64, (50,), (57,))])
