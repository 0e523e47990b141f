"""Perceptual hashes of pictures, and of what they look like mirrored, turned and cropped."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

_SIDE, _LOW = 32, 8
"""The picture is shrunk to 32x32 px, and the 8x8 lowest frequencies give the 64 bits, as in ``imagehash.phash``."""

CROPS = (0.95, 0.9, 0.85, 0.8, 0.75)
"""Sides of the central crops, as shares of the picture's."""

_SIGN = np.where(np.arange(_LOW) % 2, -1.0, 1.0)
"""Mirroring a picture turns the sign of its odd cosine frequencies along that side."""

WAYS = ("mirrored", "upside down", "turned by 180 degrees", "turned by 90 degrees", "mirrored and turned",
        "turned and mirrored", *(f"cropped to {share:.0%}" for share in CROPS))  # fmt: skip
"""What may have been done to a copy, in order of the variants of `hashes`."""


def hashes(picture: Pillow.Image) -> tuple[int, list[int]]:
    """The hash of a picture, 64 bits, and the hashes that it would have after each of `WAYS`.

    The hash is that of ``imagehash.phash``: bits of the low frequencies of the discrete cosine transform above their
    median (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010). Of a picture mirrored or
    turned, the frequencies follow from those of the picture itself.
    """
    grey = picture if picture.mode == "L" else picture.convert("L")
    shrunk = np.stack([_shrunk(grey, share) for share in (1.0, *CROPS)])
    low, *cropped = _cosines() @ shrunk @ _cosines().T
    turned = [low * _SIGN, low * _SIGN[:, None], low * _SIGN * _SIGN[:, None]]
    turned += [low.T * _SIGN, low.T, low.T * _SIGN * _SIGN[:, None]]
    values = np.stack([low, *turned, *cropped]).reshape(-1, _LOW * _LOW)
    half = values.shape[1] // 2
    middle = np.partition(values, (half - 1, half), axis=1)[:, half - 1 : half + 1].mean(axis=1, keepdims=True)
    first, *others = (int.from_bytes(bits.tobytes(), "big") for bits in np.packbits(values > middle, axis=1))
    return first, others


def _shrunk(grey: Pillow.Image, share: float) -> NDArray[np.float64]:
    """The central part (32, 32) of a grey picture."""
    width, height = grey.size
    left, top = width * (1 - share) / 2, height * (1 - share) / 2
    box = None if share == 1 else (left, top, width - left, height - top)
    return np.asarray(grey.resize((_SIDE, _SIDE), Pillow.Resampling.LANCZOS, box), np.float64)


@cache
def _cosines() -> NDArray[np.float64]:
    """The lowest rows (8, 32) of the transform of type II; a common factor does not change what is above the median."""
    frequency, place = np.arange(_LOW)[:, None], np.arange(_SIDE)[None]
    return np.asarray(2 * np.cos(np.pi * frequency * (2 * place + 1) / (2 * _SIDE)), np.float64)
