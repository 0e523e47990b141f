"""The face of a frame as a square picture, and its landmarks in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.export.faces import Picture, cut_out


@dataclass(frozen=True)
class Square:
    """How a frame becomes a square picture.

    ``box`` is x0, y0, x1, y1 in px of the frame, or empty for all of it; ``size`` the side of the square in px. With
    ``stretch`` the box fills the square, bilinearly and whatever its proportions, as published scripts have it; else
    its longer side does.
    """

    box: tuple[int, ...]
    size: int
    stretch: bool = False

    def picture(self, frame: Picture) -> Picture:
        """The face (size, size, 3) in a frame (H, W, 3)."""
        if not self.stretch:
            return cut_out(frame, self.box, self.size)
        x0, y0, x1, y1 = self._inside(frame.shape[:2])
        return np.asarray(cv2.resize(frame[y0:y1, x0:x1], (self.size, self.size)), np.uint8)

    def points(self, landmarks: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Landmarks (68, 2) in px of a frame of this height and width, in px of the square."""
        x0, y0, x1, y1 = self._inside(shape)
        width, height = x1 - x0, y1 - y0
        scale_x, scale_y = self.scales(shape)
        left, top = (self.size - width * scale_x) / 2, (self.size - height * scale_y) / 2
        moved = (landmarks - np.array([x0, y0]) + 0.5) * np.array([scale_x, scale_y]) + np.array([left, top])
        return np.asarray(moved - 0.5, np.float32)

    def scales(self, shape: tuple[int, ...]) -> tuple[float, float]:
        """Px of the square per px of a frame of this height and width, along x and y."""
        x0, y0, x1, y1 = self._inside(shape)
        width, height = x1 - x0, y1 - y0
        if self.stretch:
            return self.size / width, self.size / height
        return self.size / max(width, height), self.size / max(width, height)

    def _inside(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """The part of the box that lies in the frame; the whole frame where none does."""
        height, width = shape[:2]
        x0, y0, x1, y1 = self.box or (0, 0, width, height)
        x0, y0, x1, y1 = max(0, x0), max(0, y0), min(width, x1), min(height, y1)
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else (0, 0, width, height)
