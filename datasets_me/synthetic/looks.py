"""Other people from two portraits: painted and relit at rest, so that the motion of a video stays known.

A look is drawn from the number of a person: one of the portraits, mirrored or not, another shape, skin and hair tone,
light from a side, another background, and for some a beard, a moustache or glasses. Everything is painted onto the
resting face and rides on the skin, glasses included.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Texture = NDArray[np.float32]
Points = NDArray[np.float64]

PORTRAITS = ("portrait", "portrait_coelho")
"""Names of the files of the package that people are made from, in turn."""

RIM = 32.0
"""Grey value of the rims of glasses."""

# The landmark that takes the place of each in the mirror image (68 points, iBUG 300-W).
MIRRORED = np.array(
    [
        *range(16, -1, -1),
        *range(26, 16, -1),
        *(27, 28, 29, 30, 35, 34, 33, 32, 31),
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
        *(64, 63, 62, 61, 60, 67, 66, 65),
    ]
)

_RIGHT_EYE, _LEFT_EYE = slice(36, 42), slice(42, 48)
_MOUTH, _JAW = slice(48, 60), slice(0, 17)


@dataclass(frozen=True)
class Look:
    """What tells a person from the portrait.

    Attributes:
        portrait: the name of its file.
        mirrored: the portrait is turned left to right.
        stretch: width and height of the face over those of the portrait.
        shape: standard deviation of the smooth changes of proportion, in widths of the face.
        gamma, gains: skin and hair tone: 255 · (value / 255) ** gamma · gain, with a gain for B, G and R.
        slope: how much the light falls off from left to right and from top to bottom.
        background: B, G and R of the background, whose texture shows through.
        beard, moustache: opacity, 0 for none.
        glasses: opacity of their rims, 0 for none.
        hair: B, G and R of the beard and the moustache.
    """

    portrait: str
    mirrored: bool
    stretch: tuple[float, float]
    shape: float
    gamma: float
    gains: tuple[float, float, float]
    slope: tuple[float, float]
    background: tuple[float, float, float]
    beard: float
    moustache: float
    glasses: float
    hair: tuple[float, float, float]


def look_of(person: int) -> Look:
    """The look of a person; the same number is always the same look."""
    rng = np.random.default_rng([person, 5])
    tone = rng.uniform(0, 1)  # from light to dark
    warmth = rng.uniform(-0.06, 0.06)
    hair = rng.uniform(20, 110) * np.array([0.75, 0.85, 1.0])
    blue, green, red = rng.uniform(40, 215, 3)
    return Look(
        portrait=PORTRAITS[person % len(PORTRAITS)],
        mirrored=bool(rng.random() < 0.5),
        stretch=(float(rng.uniform(0.93, 1.06)), float(rng.uniform(0.95, 1.1))),
        shape=0.035,
        gamma=float(0.75 + 1.15 * tone),
        gains=(float(1.0 - 0.12 * tone - warmth), float(1.0 - 0.06 * tone), float(1.0 + warmth)),
        slope=(float(rng.uniform(-0.3, 0.3)), float(rng.uniform(-0.15, 0.15))),
        background=(float(blue), float(green), float(red)),
        beard=float(rng.uniform(0.3, 0.6)) if rng.random() < 0.3 else 0.0,
        moustache=float(rng.uniform(0.35, 0.65)) if rng.random() < 0.3 else 0.0,
        glasses=float(rng.uniform(0.6, 0.85)) if rng.random() < 0.35 else 0.0,
        hair=(float(hair[0]), float(hair[1]), float(hair[2])),
    )


def mirrored(picture: Texture, points: Points) -> tuple[Texture, Points]:
    """The mirror image of a face, and its landmarks (68, 2) in their own order."""
    turned = points[MIRRORED] * (-1, 1) + (picture.shape[1] - 1, 0)
    return np.ascontiguousarray(picture[:, ::-1]), turned


def paint(texture: Texture, points: Points, look: Look, rng: np.random.Generator) -> Texture:
    """A resting face (H, W) or (H, W, 3), BGR, of 0 to 255, with the look of a person.

    Args:
        texture: the face, already in its shape.
        points: its landmarks (68, 2) in px of the texture.
        look: of the person.
        rng: for the grain of beards.
    """
    width = float(np.linalg.norm(points[16] - points[0]))
    grey = texture.ndim == 2
    picture = texture[..., None] if grey else texture
    gains = np.array(look.gains, np.float32)
    toned = 255 * (np.clip(picture, 0, 255) / 255) ** look.gamma * (gains.mean() if grey else gains)
    head = _head(texture.shape[:2], points, width)
    toned = head * toned + (1 - head) * (0.65 * _colour(look.background, grey) + 0.35 * picture)
    for opacity, region in ((look.beard, _beard), (look.moustache, _moustache)):
        if opacity:
            mask = opacity * _soft(region(texture.shape[:2], points), 0.035 * width)
            grain = cv2.GaussianBlur(rng.standard_normal(texture.shape[:2]).astype(np.float32), (0, 0), 0.008 * width)
            hair = np.clip(_colour(look.hair, grey) + 18 * grain[..., None] / grain.std(), 0, 255)
            toned = (1 - mask) * toned + mask * hair
    if look.glasses:
        glasses = look.glasses * rims(texture.shape[:2], points, width)
        toned = (1 - glasses) * toned + glasses * _colour((35.0, 30.0, 30.0), grey)
    height, across = texture.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : across * 1j].astype(np.float32)
    light = (1 + look.slope[0] * x + look.slope[1] * y)[..., None]
    lit = np.clip(toned * light, 0, 255).astype(np.float32)
    return np.asarray(lit[..., 0] if grey else lit, np.float32)


def _colour(colour: tuple[float, float, float], grey: bool) -> NDArray[np.float32]:
    return np.array([np.mean(colour)] if grey else colour, np.float32)


def _soft(mask: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(sigma, 0.3))[..., None], np.float32)


def _filled(shape: tuple[int, ...], *outlines: Points) -> NDArray[np.float32]:
    """1 within the first outline and outside of the others."""
    mask = np.zeros(shape, np.float32)
    for number, outline in enumerate(outlines):
        cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1.0 if number == 0 else 0.0)
    return mask


def _head(shape: tuple[int, ...], points: Points, width: float) -> NDArray[np.float32]:
    """1 on the head and its hair, falling to 0 on the background."""
    middle = points.mean(axis=0) - (0, 0.12 * width)
    mask = np.zeros(shape, np.float32)
    axes = round(0.72 * width), round(0.95 * width)
    cv2.ellipse(mask, (round(middle[0]), round(middle[1])), axes, 0, 0, 360, 1.0, -1)
    return _soft(mask, 0.08 * width)


def _beard(shape: tuple[int, ...], points: Points) -> NDArray[np.float32]:
    """Chin and cheeks below the mouth's corners, without the lips."""
    nose, mouth = points[33], points[_MOUTH].mean(axis=0)
    corners = [0.45 * points[side] + 0.55 * points[jaw] for side, jaw in ((54, 13), (48, 3))]
    below = 0.4 * nose + 0.6 * points[51]
    outline = np.array([*points[_JAW][3:14], corners[0], points[54], below, points[48], corners[1]])
    return _filled(shape, outline, mouth + 1.12 * (points[_MOUTH] - mouth))


def _moustache(shape: tuple[int, ...], points: Points) -> NDArray[np.float32]:
    """Between the nose and the upper lip."""
    upper = 0.35 * points[51] + 0.65 * points[33]
    outline = np.array(
        [points[48], 0.5 * (points[48] + points[31]), upper, 0.5 * (points[54] + points[35]), points[54]]
    )
    return _filled(shape, np.array([*outline, *points[53:48:-1]]))


def rims(shape: tuple[int, ...], points: Points, width: float) -> NDArray[np.float32]:
    """The rims, the bridge and the temples of glasses, from 0 to 1: (H, W, 1).

    Args:
        shape: height and width of the picture.
        points: landmarks (68, 2) of the face in it, in px.
        width: of the face, in px.
    """
    mask = np.zeros(shape, np.float32)
    thickness = max(1, round(0.02 * width))
    middles = [points[eye].mean(axis=0) for eye in (_RIGHT_EYE, _LEFT_EYE)]
    axes = round(0.17 * width), round(0.125 * width)
    for middle in middles:
        cv2.ellipse(mask, _pixel(middle), axes, 0, 0, 360, 1.0, thickness, cv2.LINE_AA)
    inner = [middles[0] + (axes[0], 0), middles[1] - (axes[0], 0)]
    cv2.line(mask, _pixel(inner[0]), _pixel(inner[1]), 1.0, thickness, cv2.LINE_AA)
    for middle, ear, sign in ((middles[0], points[0], -1), (middles[1], points[16], 1)):
        cv2.line(mask, _pixel(middle + np.array([sign * axes[0], 0])), _pixel(ear), 1.0, thickness, cv2.LINE_AA)
    return _soft(mask, 0.004 * width)


def _pixel(place: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))
