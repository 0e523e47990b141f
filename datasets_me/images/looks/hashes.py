"""Perceptual hashes of pictures, and of what they look like mirrored, turned and cropped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Grey = NDArray[np.uint8]
Frequencies = NDArray[np.int8]
Places = NDArray[np.int64]

_SIDE, _LOW = 32, 8
"""The picture is shrunk to 32x32 px, and the 8x8 lowest frequencies give the 64 bits, as in ``imagehash.phash``."""

CROPS = (0.95, 0.9, 0.85, 0.8, 0.75)
"""Sides of the central crops, as shares of the picture's."""

WAYS = ("mirrored", "upside down", "turned by 180 degrees", "turned by 90 degrees", "mirrored and turned",
        "turned and mirrored", *(f"cropped to {share:.0%}" for share in CROPS))  # fmt: skip
"""What may have been done to a copy, in order of the variants of `hashes`."""

TURNS = len(WAYS) - len(CROPS)
"""How many of `WAYS` mirror or turn; the others crop."""

_PLACES = np.arange(_LOW * _LOW).reshape(_LOW, _LOW)
_TURNED = np.stack([_PLACES] * 4 + [_PLACES.T] * 3).reshape(-1, _LOW * _LOW)
"""Where the frequencies of the picture itself and of the first six of `WAYS` stand among those of the picture."""

_ODD = np.where(np.arange(_LOW) % 2, -1.0, 1.0)
_SIGNS = (
    np.stack(
        [np.broadcast_to(sign, (_LOW, _LOW)) for sign in (1.0, _ODD, _ODD[:, None], _ODD * _ODD[:, None])]
        + [np.broadcast_to(sign, (_LOW, _LOW)) for sign in (_ODD, 1.0, _ODD * _ODD[:, None])]
    )
    .reshape(-1, _LOW * _LOW)
    .astype(np.float32)
)
"""Their signs: mirroring a picture turns the sign of its odd cosine frequencies along that side."""

_LARGEST = 192
"""px of the longer side; a picture of twice as many or more is shrunk by a whole number first."""

_FLAT = 64
"""A picture without a frequency as strong as this, a wave of a sixteenth of a grey value, has one colour."""

_WHITE = 255 * (2 * _SIDE) ** 2
"""The lowest frequency of a white picture."""

_EVEN = 2  # a place of a frequency whose sign no mirroring turns

_WEIGHTS = np.add.outer(np.arange(1, _LOW + 1), np.arange(_LOW)).ravel().astype(np.float32)
"""How much each frequency counts where two pictures are compared: high ones are weak, and tell faces apart."""


class Hashes(NamedTuple):
    """What is kept of a picture to find its copies.

    Attributes:
        phash: 8 bytes, the hash of the picture.
        variants: 8 bytes for each of `WAYS`, the hashes it would have.
        frequencies: int8 (1 + `CROPS`, 64), the weighted low frequencies of the picture and of its crops, as bytes.
    """

    phash: bytes
    variants: bytes
    frequencies: bytes


def hashes(grey: Grey) -> Hashes:
    """The hashes of a picture (H, W), and its low frequencies.

    The hash is that of ``imagehash.phash``: bits of the low frequencies of the discrete cosine transform above their
    median (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010). Of a picture mirrored or
    turned, the frequencies follow from those of the picture itself.
    """
    low = _low(grey)
    values = np.concatenate([low[0][_TURNED] * _SIGNS, low[1:]])
    ranked, half = np.sort(values, axis=1), values.shape[1] // 2
    median = (ranked[:, half - 1] + ranked[:, half]) / 2
    bits = np.packbits(values > median[:, None], axis=1).tobytes()
    weighted = low * _WEIGHTS
    weighted[:, 0] = 0  # the mean brightness
    most = np.abs(weighted).max(axis=1, keepdims=True)
    flat = most[:, 0] == 0
    # pictures of one colour are like no other, and alike where their brightness is: an angle from black to white
    brightness = low[flat, 0] * (np.pi / _WHITE)
    weighted[flat, 0], weighted[flat, _EVEN] = np.cos(brightness), np.sin(brightness)
    scaled = np.rint(weighted * (127 / np.maximum(most, 1)))
    return Hashes(bits[:8], bits[8:], scaled.astype(np.int8).tobytes())


def frequencies_of(kept: Sequence[bytes]) -> Frequencies:
    """The ``frequencies`` of pictures as numbers, (n, 1 + `CROPS`, 64)."""
    return np.frombuffer(b"".join(kept), np.int8).reshape(-1, 1 + len(CROPS), _LOW * _LOW)


def cosines(frequencies: Frequencies, first: Places, second: Places, way: int | None) -> NDArray[np.float32]:
    """How alike pairs of pictures are, (k,), the first of each changed in one of `WAYS`, by its place, or in none.

    Args:
        frequencies: of all pictures, (n, 1 + `CROPS`, 64).
        first: (k,) places of pictures.
        second: (k,) those of the pictures they are compared with.
        way: what is done to the first ones.
    """
    crop = 0 if way is None or way < TURNS else 1 + way - TURNS
    one = frequencies[first, crop].astype(np.float32)
    if way is not None and not crop:
        one = one[:, _TURNED[1 + way]] * _SIGNS[1 + way]
    two = frequencies[second, 0].astype(np.float32)
    lengths = np.einsum("ij,ij->i", one, one) * np.einsum("ij,ij->i", two, two)
    return np.asarray(np.einsum("ij,ij->i", one, two) / np.sqrt(lengths), np.float32)


def _low(grey: Grey) -> NDArray[np.float32]:
    """The low frequencies of a picture and of its central crops, (6, 64)."""
    if (by := max(grey.shape) // _LARGEST) > 1:
        size = (max(1, grey.shape[1] // by), max(1, grey.shape[0] // by))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = grey.shape
    exact = grey.astype(np.float32)
    # Pillow, and so imagehash, shrinks along the rows first and rounds each time
    across = np.clip(np.rint(exact @ _shrinking(width).T), 0, 255)
    small = np.clip(np.rint(_shrinking(height) @ across), 0, 255)
    rows = (_of_crops(height) @ exact).reshape(len(CROPS), _LOW, width)
    cropped = rows @ _of_crops(width).reshape(len(CROPS), _LOW, width).swapaxes(1, 2)
    low = np.concatenate([_cosines() @ small @ _cosines().T, *cropped]).reshape(-1, _LOW * _LOW)
    low[np.abs(low[:, 1:]).max(axis=1) < _FLAT, 1:] = 0
    return low


@lru_cache(512)
def _shrinking(size: int, margin: float = 0.0) -> NDArray[np.float32]:
    """What shrinks a side of so many px to 32, (32, size), as Pillow does; without a margin at both ends."""
    unit = Pillow.fromarray(np.eye(size, dtype=np.float32))
    box = (margin, 0.0, size - margin, float(size))
    return np.asarray(unit.resize((_SIDE, size), Pillow.Resampling.LANCZOS, box), np.float32).T.copy()


@lru_cache(512)
def _of_crops(size: int) -> NDArray[np.float32]:
    """What gives the low frequencies of all central crops from a side of so many px, (5 * 8, size)."""
    return np.concatenate([_cosines() @ _shrinking(size, size * (1 - share) / 2) for share in CROPS])


@cache
def _cosines() -> NDArray[np.float32]:
    """The lowest rows (8, 32) of the transform of type II; a common factor does not change what is above the median."""
    frequency, place = np.arange(_LOW)[:, None], np.arange(_SIDE)[None]
    return np.asarray(2 * np.cos(np.pi * frequency * (2 * place + 1) / (2 * _SIDE)), np.float32)
