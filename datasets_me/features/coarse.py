"""Flow on a coarser grid than that of the pictures, looked up where it is needed: not at one pixel in ten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


@dataclass(frozen=True)
class CoarseFlow:
    """The flow of a pair of pictures in a part of them.

    Attributes:
        flow: (2, h, w) float32 in px, x and y, at the middles of squares of pixels.
        pool: the side of these squares in px.
        part: x0, y0, x1 and y1 in px of the part, whose upper left corner is that of the first square.
        shape: height and width of the pictures.
    """

    flow: Field
    pool: int
    part: tuple[int, int, int, int]
    shape: tuple[int, int]

    def everywhere(self) -> Field:
        """The flow (H, W, 2) of every pixel; NaN outside the part."""
        x0, y0, x1, y1 = self.part
        height, width = (side * self.pool for side in self.flow.shape[1:])
        planes = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in self.flow]
        large = cv2.merge(planes)
        if (y1 - y0, x1 - x0) == self.shape:
            return np.ascontiguousarray(large[: self.shape[0], : self.shape[1]])
        field = np.full((*self.shape, 2), np.nan, np.float32)
        field[y0:y1, x0:x1] = large[: y1 - y0, : x1 - x0]
        return field


class CoarseFlows:
    """The flow of T pairs, which stands for an array (T, H, W, 2) where only some pixels are looked at."""

    def __init__(self, flows: Sequence[CoarseFlow]) -> None:
        self.flows = flows
        self.shape = (len(flows), *flows[0].shape, 2)

    def __len__(self) -> int:
        return len(self.flows)

    def at(self, x: NDArray[np.int64], y: NDArray[np.int64]) -> tuple[Field, Field, NDArray[np.bool_]]:
        """Flow along x and y at some pixels (T, a, b) of each pair, and whether they lie in its part; 0 elsewhere."""
        x0, y0, x1, y1 = np.array([each.part for each in self.flows]).T[..., None, None]
        inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
        pool = np.array([each.pool for each in self.flows])[:, None, None]
        # on cv2.remap's grid of 1/32 px, since squares have sides of 1, 2, 4 or 8 px
        places = (((there - corner + 0.5) / pool - 0.5).astype(np.float32) for there, corner in ((x, x0), (y, y0)))
        u, v = np.empty(x.shape, np.float32), np.empty(x.shape, np.float32)
        for index, (each, right, down) in enumerate(zip(self.flows, *places, strict=True)):
            for plane, out in zip(each.flow, (u[index], v[index]), strict=True):
                cv2.remap(plane, right, down, cv2.INTER_LINEAR, out, cv2.BORDER_REPLICATE)
        if not inside.all():
            u[~inside], v[~inside] = 0, 0
        return u, v, inside
