"""Perceptual hashes of pictures, and of what they look like mirrored, turned and cropped."""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Grey = NDArray[np.uint8]

_SIDE, _LOW = 32, 8
"""The picture is shrunk to 32x32 px, and the 8x8 lowest frequencies give the 64 bits, as in ``imagehash.phash``."""

CROPS = (0.95, 0.9, 0.85, 0.8, 0.75)
"""Sides of the central crops, as shares of the picture's."""

WAYS = ("mirrored", "upside down", "turned by 180 degrees", "turned by 90 degrees", "mirrored and turned",
        "turned and mirrored", *(f"cropped to {share:.0%}" for share in CROPS))  # fmt: skip
"""What may have been done to a copy, in order of the variants of `hashes`."""

_PLACES = np.arange(_LOW * _LOW).reshape(_LOW, _LOW)
_TURNED = np.stack([_PLACES] * 4 + [_PLACES.T] * 3).reshape(-1, _LOW * _LOW)
"""Where the frequencies of the picture itself and of the first six of `WAYS` stand among those of the picture."""

_ODD = np.where(np.arange(_LOW) % 2, -1.0, 1.0)
_SIGNS = np.stack(
    [np.broadcast_to(sign, (_LOW, _LOW)) for sign in (1.0, _ODD, _ODD[:, None], _ODD * _ODD[:, None])]
    + [np.broadcast_to(sign, (_LOW, _LOW)) for sign in (_ODD, 1.0, _ODD * _ODD[:, None])]
).reshape(-1, _LOW * _LOW)
"""Their signs: mirroring a picture turns the sign of its odd cosine frequencies along that side."""

_CROPPED = 96
"""px of the longer side that a picture is shrunk to before it is cropped."""


def hashes(grey: Grey) -> tuple[bytes, bytes]:
    """The hash of a picture (H, W), 8 bytes, and the hashes it would have after each of `WAYS`, 8 bytes each.

    The hash is that of ``imagehash.phash``: bits of the low frequencies of the discrete cosine transform above their
    median (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010). Of a picture mirrored or
    turned, the frequencies follow from those of the picture itself.
    """
    shrunk = np.asarray(Pillow.fromarray(grey).resize((_SIDE, _SIDE), Pillow.Resampling.LANCZOS), np.float64)
    low = _cosines() @ shrunk @ _cosines().T
    values = np.concatenate([low.ravel()[_TURNED] * _SIGNS, _cropped(grey)])
    ranked, half = np.sort(values, axis=1), values.shape[1] // 2
    median = (ranked[:, half - 1] + ranked[:, half]) / 2
    bits = np.packbits(values > median[:, None], axis=1)
    return bits[0].tobytes(), bits[1:].tobytes()


def _cropped(grey: Grey) -> NDArray[np.float64]:
    """The low frequencies of the central crops of a picture, (5, 64)."""
    factor = _CROPPED / max(grey.shape)
    if factor < 1:
        size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = grey.shape
    rows = (_of_crops(height) @ grey.astype(np.float64)).reshape(len(CROPS), _LOW, width)
    return (rows @ _of_crops(width).reshape(len(CROPS), _LOW, width).swapaxes(1, 2)).reshape(len(CROPS), -1)


@lru_cache(512)
def _of_crops(size: int) -> NDArray[np.float64]:
    """What gives the low frequencies of all central crops from a side of so many px, (5 * 8, size)."""
    unit = Pillow.fromarray(np.eye(size, dtype=np.float32))
    crops = []
    for share in CROPS:
        margin = size * (1 - share) / 2
        box = (margin, 0.0, size - margin, float(size))
        crops.append(np.asarray(unit.resize((_SIDE, size), Pillow.Resampling.LANCZOS, box), np.float64).T)
    return np.concatenate([_cosines() @ crop for crop in crops])


@cache
def _cosines() -> NDArray[np.float64]:
    """The lowest rows (8, 32) of the transform of type II; a common factor does not change what is above the median."""
    frequency, place = np.arange(_LOW)[:, None], np.arange(_SIDE)[None]
    return np.asarray(2 * np.cos(np.pi * frequency * (2 * place + 1) / (2 * _SIDE)), np.float64)
