"""Making motion larger: along the flow from one picture to another, or in a band of frequencies of a video.

`along_flow` moves the pixels of a picture on. `eulerian` changes the brightness of each where it is: Wu, Rubinstein,
Shih, Guttag, Durand, Freeman: Eulerian Video Magnification for Revealing Subtle Changes in the World (ACM Transactions
on Graphics 31(4), 2012), the linear form.
"""

from __future__ import annotations

import re

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import MeDatasetsError

Picture = NDArray[np.uint8]
Field = NDArray[np.float32]

MOST = 100.0
"""How many times as large motion can be made."""

CUTOFF = 16.0
"""Wavelength in px below which Eulerian magnification is weakened; Wu et al. take 16 px for small motion (table 1)."""

ROUNDS = 8
"""Rounds of the search for where a pixel of the magnified picture comes from; each halves the error or better where
neighbouring pixels move alike."""


SMALLEST = 4
"""Side in px from which on a level of the pyramid is mostly light, and left as it is."""


def along_flow(first: Picture, second: Picture, flow: tuple[Field, Field], factor: float) -> Picture:
    """The second of two pictures with its motion since the first ``factor`` times as large.

    A point that lies at p in the first picture and at p + f in the second lies at p + factor · f in the result, with
    the second picture's colour.

    Args:
        first: (H, W) or (H, W, 3) uint8; only its shape is used.
        second: likewise.
        flow: u and v (H, W) in px from the first to the second.
        factor: 1 gives the second picture back.
    """
    if first.shape != second.shape:
        raise ValueError(f"two pictures of one shape are needed, not {first.shape} and {second.shape}")
    height, width = first.shape[:2]
    u, v = (np.ascontiguousarray(part, np.float32) for part in flow)
    y, x = np.indices((height, width), np.float32)
    origin_x, origin_y = x, y  # where a pixel of the result lay in the first picture
    for _ in range(ROUNDS):
        there_u, there_v = _at(u, origin_x, origin_y), _at(v, origin_x, origin_y)
        origin_x = np.asarray((x - factor * there_u + origin_x) / 2, np.float32)
        origin_y = np.asarray((y - factor * there_v + origin_y) / 2, np.float32)
    place_x, place_y = origin_x + _at(u, origin_x, origin_y), origin_y + _at(v, origin_x, origin_y)
    return np.asarray(cv2.remap(second, place_x, place_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _at(plane: Field, x: Field, y: Field) -> Field:
    return np.asarray(cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def check_magnification(factor: float, band: str | None) -> None:
    """Check what a user asks for.

    Raises:
        MeDatasetsError: the factor is out of range, or the band is none.
    """
    if not 1 <= factor <= MOST:
        raise MeDatasetsError(f"motion cannot be magnified {factor:g} times", fix=f"give 1 to {MOST:g}")
    if band is not None:
        read_band(band)
        if factor == 1:
            raise MeDatasetsError("--band without --magnify changes nothing", fix="give --magnify, such as 8")


def read_band(text: str) -> tuple[float, float]:
    """The lowest and highest frequency, in Hz, of a text such as ``0.5-10``.

    Raises:
        MeDatasetsError: it is no such text.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)", text)
    low, high = (float(match[1]), float(match[2])) if match else (0.0, 0.0)
    if not 0 < low < high:
        raise MeDatasetsError(
            f"'{text}' is not a band of frequencies", fix="give the lowest and highest, such as 0.5-10"
        )
    return low, high


def eulerian(frames: Picture, factor: float, band: tuple[float, float], fps: float) -> Picture:
    """The frames of a video with motion of a band of frequencies ``factor`` times as large, to first order.

    Each level of the Laplacian pyramid of each frame is filtered over time, and what passes is added ``factor`` - 1
    times. The filter is a Butterworth band-pass of first order, forwards and backwards, so that nothing is shifted in
    time. Levels of short wavelengths, in which the first order does not hold for such a factor, are added fewer times,
    as in Wu et al.; the lowest level, mostly light, is left as it is.

    Args:
        frames: (T, H, W) or (T, H, W, 3) uint8, evenly in time.
        factor: 1 gives the frames back.
        band: the lowest and highest frequency in Hz.
        fps: frames per second.

    Raises:
        ValueError: the band lies above half the frame rate.
    """
    if band[0] >= fps / 2:
        raise ValueError(f"a band from {band[0]:g} Hz needs more than {2 * band[0]:g} frames a second, not {fps:g}")
    height, width = frames.shape[1:3]
    count = max(0, int(np.log2(max(1.0, min(height, width) / SMALLEST))))
    levels: list[Field] = []
    current = frames.astype(np.float32)
    for _ in range(count):
        smaller = np.stack([cv2.pyrDown(frame) for frame in current])
        size = (current.shape[2], current.shape[1])
        levels.append(current - np.stack([cv2.pyrUp(frame, dstsize=size) for frame in smaller]))
        current = smaller
    added = np.zeros_like(current)
    for number in reversed(range(count)):
        size = (levels[number].shape[2], levels[number].shape[1])
        added = np.stack([cv2.pyrUp(frame, dstsize=size) for frame in added])
        wavelength = 6.0 * 2**number  # of the waves that a level has most of
        gain = min(factor - 1, max(0.0, factor * wavelength / CUTOFF - 1))
        if gain:
            added += np.float32(gain) * _band_passed(levels[number], band, fps)
    return np.asarray(np.clip(np.rint(frames + added), 0, 255), np.uint8)


def _band_passed(signal: Field, band: tuple[float, float], fps: float) -> Field:
    """A signal (T, …) filtered over time; beyond its ends it goes on as its mirror image."""
    extended = np.concatenate([signal, signal[-2:0:-1]])
    spectrum = np.fft.rfft(extended, axis=0)
    frequency = np.fft.rfftfreq(len(extended), 1 / fps)
    low, high = band
    passed = (frequency * (high - low)) ** 2
    gain = passed / np.maximum(passed + (frequency**2 - low * high) ** 2, np.finfo(float).tiny)
    spectrum *= gain.reshape(-1, *[1] * (signal.ndim - 1))
    filtered = np.fft.irfft(spectrum, len(extended), axis=0)
    return np.asarray(filtered[: len(signal)], np.float32)
