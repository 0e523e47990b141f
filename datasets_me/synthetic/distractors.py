"""What disturbs the measuring of a face: a head that turns, what passes in front of the face, and the camera itself.

Drawn apart from what the features were developed on; ``benchmarks/scenes.py`` has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.choices import Distractor

Field = NDArray[np.float32]
Points = NDArray[np.floating]

DISTRACTORS: Mapping[Distractor, Mapping[str, Any]] = MappingProxyType(
    {
        "hand": {"hand": True},
        "blink": {"blinks": 60.0},
        "speech": {"speech": 3.0},
        "glasses": {"glasses": True},
        "roll": {"roll": 3.0},
        "zoom": {"zoom": 0.01},
        "yaw": {"yaw": 2.0},
        "jolt": {"jolt": 3.0},
        "pattern": {"pattern": 3.0},
        "highlights": {"highlights": 80.0},
        "codec": {"jpeg": 60},
        "dark": {"brightness": 0.3},
    }
)
"""What each sets of ``FaceVideoOptions``."""

SPEECH = (25, 17, 12)
"""Action units that take turns in speech."""

SYLLABLES = 4.0
"""How often each of them comes, in Hz."""

TURNS = (0.15, 0.35)
"""How often a head turns back and forth, in Hz."""

NOSE, BROW_MIDDLE, CHIN = 30, 27, 8


def depth(relative: Points) -> Field:
    """How far forward places (..., 2) of a face lie, which are given in widths from its middle: (..., 1), the same."""
    x, y = np.moveaxis(relative, -1, 0)
    head = 0.5 * np.exp(-((x / 0.6) ** 2) - (y / 0.85) ** 2) - 0.35
    nose = 0.1 * np.exp(-((x / 0.09) ** 2) - ((y - 0.05) / 0.12) ** 2)
    return np.asarray((head + nose)[..., None], np.float32)


def spots(grid: Field, points: Points, width: float) -> Field:
    """Highlights (H, W), at most 1, where forehead, nose, cheeks and brows shine in a face of these landmarks (68, 2).

    Args:
        grid: x and y of every pixel, (H, W, 2).
        points: landmarks of the resting face.
        width: of the face, in px.
    """
    forehead = points[BROW_MIDDLE] - (0, 0.25 * width)
    places = [(forehead, 0.08), (points[NOSE], 0.03)]
    places += [((points[a] + points[b]) / 2, 0.04) for a, b in ((1, 31), (15, 35), (19, 37), (24, 44))]
    out = np.zeros(grid.shape[:2], np.float32)
    for place, size in places:
        out += np.exp(-0.5 * ((grid - place) ** 2).sum(axis=-1) / (size * width) ** 2)
    return np.minimum(out, 1)


def hand(grid: Field, chin: Points, width: float, time: float, phase: Points) -> tuple[Field, Field]:
    """A hand that rests at the chin and fidgets there: how much of each pixel it covers, and how bright it is.

    Args:
        grid: x and y of every pixel, (H, W, 2).
        chin: where it is on the resting face, (2,).
        width: of the face, in px.
        time: in s.
        phase: of its motion to the side and up, (2,).

    Returns:
        Two arrays (H, W): from 0 to 1; and about 1, for a grey value to be multiplied with.
    """
    swing = np.array([0.12, 0.1]) * np.sin(2 * np.pi * np.array([0.7, 0.5]) * time + phase)
    x, y = np.moveaxis((grid - chin) / width - swing - (0.05, 0.08), -1, 0)
    palm = np.hypot(x / 0.4, y / 0.22)
    fingers = [np.hypot((x - across + 0.15 * y) / 0.055, (y + 0.2) / 0.22) for across in (-0.2, -0.07, 0.06)]
    nearest = np.minimum.reduce([palm, *fingers])
    cover = np.clip((1.06 - nearest) / 0.12, 0, 1)
    # knuckles and folds ride on the hand
    folds = 0.05 * np.sin(34 * x + 5 * np.sin(9 * y)) + 0.05 * np.sin(41 * y - 3 * np.sin(13 * x))
    return np.asarray(cover, np.float32), np.asarray(1.05 + folds - 0.25 * np.minimum(nearest, 1.2), np.float32)


def darkened(picture: Field, mask: Field, shade: float) -> Field:
    """A picture (H, W) or (H, W, 3) in which what a mask (H, W) covers has this grey value."""
    share = mask if picture.ndim == 2 else mask[..., None]
    return np.asarray(picture * (1 - share) + share * np.float32(shade), np.float32)


def sampled(mask: Field, places: Field) -> Field:
    """A mask (h, w) at places (H, W, 2) in px of it, 0 beyond its edge."""
    return np.asarray(cv2.remap(mask, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT))
