"""Making the motion between two pictures larger."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Field = NDArray[np.float32]

ROUNDS = 8
"""Rounds of the search for where a pixel of the magnified picture comes from; each halves the error or better where
neighbouring pixels move alike."""


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
