"""A set of face pictures before it is written, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from datasets_me.synthetic.pictures import face_picture

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Planted:
    """A defect: the code of the finding it must lead to, and the images or rows it is about, in order."""

    code: str
    about: tuple[str, ...]


@dataclass
class ImageSetDraft:
    """A set before it is written: files by path, and what is wrong with them."""

    seed: int
    files: dict[str, bytes] = field(default_factory=dict)
    planted: list[Planted] = field(default_factory=list)
    splits: dict[str, int] = field(default_factory=dict)

    def plant(self, code: str, *about: str) -> None:
        """Note a defect."""
        self.planted.append(Planted(code, about))

    def picture(self, number: int, side: int = 128) -> Image:
        """The ``number``-th face of this set."""
        return face_picture(number, self.seed, side)
