"""The frames of one folder, from the names of its files alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

IMAGE_SUFFIXES = ("jpg", "jpeg", "png", "bmp", "tif", "tiff")

# The number of a frame is the last run of digits before the suffix: reg_img46.jpg, 006_1_0001.jpg, image000090.png.
# "._img46.jpg" is no frame but a companion file of macOS.
_FRAME = re.compile(rf"(?!\._)(.*?)(\d+)\.({'|'.join(IMAGE_SUFFIXES)})", re.IGNORECASE | re.DOTALL)

_MOST_DIGITS = 9  # a longer number is a date and time, not a frame's

_Shape = tuple[str, str, int]
"""Prefix, suffix, and the width that numbers with leading zeros are padded to; 0 for numbers without."""


@dataclass(frozen=True)
class Frames:
    """Numbers and names of the frames of a folder, in the order of their numbers.

    ``gaps`` are the ranges of numbers missing between first and last, ends included. ``twice`` pairs files of
    one number. ``strays`` are files that are no numbered images. ``names_differ`` shows two names that differ in
    prefix, padding or suffix, or is empty.
    """

    numbers: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()
    twice: tuple[tuple[str, str], ...] = ()
    strays: tuple[str, ...] = ()
    text_order_differs: bool = False
    names_differ: str = ""

    @property
    def missing(self) -> int:
        """How many numbers between first and last have no file."""
        return sum(last - first + 1 for first, last in self.gaps)


def is_image(name: str) -> bool:
    """Whether a file's name is that of an image, numbered or not."""
    return name.rpartition(".")[2].casefold() in IMAGE_SUFFIXES and not name.startswith("._")


def number_of(name: str) -> int | None:
    """The number of a frame's file; None for any other file."""
    found = _FRAME.fullmatch(name)
    return int(found[2]) if found and len(found[2]) <= _MOST_DIGITS else None


def read_names(files: Sequence[str]) -> Frames:
    """Sort a folder's file names by frame number, and note what is odd about them."""
    numbered: list[tuple[int, str]] = []
    shapes: dict[_Shape, str] = {}
    strays = []
    match = _FRAME.fullmatch
    for name in files:
        found = match(name)
        if found is None or len(found[2]) > _MOST_DIGITS:
            strays.append(name)
            continue
        prefix, digits, suffix = found.groups()
        numbered.append((int(digits), name))
        shape = (prefix, suffix, len(digits) if digits[0] == "0" and len(digits) > 1 else 0)
        if shape not in shapes or len(name) < len(shapes[shape]):
            shapes[shape] = name
    numbered.sort()
    names = tuple(name for _, name in numbered)
    all_numbers = [number for number, _ in numbered]
    numbers = tuple(dict.fromkeys(all_numbers))
    return Frames(
        numbers=numbers,
        names=names,
        gaps=_gaps(numbers),
        twice=tuple((a[1], b[1]) for a, b in pairwise(numbered) if a[0] == b[0])
        if len(numbers) < len(numbered)
        else (),
        strays=tuple(sorted(strays)),
        text_order_differs=any(first > second for first, second in pairwise(names)),
        names_differ=_differing(shapes),
    )


def _gaps(numbers: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    if not numbers or numbers[-1] - numbers[0] + 1 == len(numbers):
        return ()
    return tuple((first + 1, second - 1) for first, second in pairwise(numbers) if second - first > 1)


def _differing(shapes: dict[_Shape, str]) -> str:
    """Two names that one rule cannot have made. Numbers too long for their padding are made by one rule."""
    padded = [shape for shape in shapes if shape[2]]
    plain = [shape for shape in shapes if not shape[2]]
    for first, second in pairwise(padded):
        return f"{shapes[first]}, {shapes[second]}"
    for shape in plain:
        for other in [*padded, *plain]:
            too_short = len(shapes[shape]) < len(shapes[other])
            if shape[:2] != other[:2] or (other[2] and too_short):
                return f"{shapes[other]}, {shapes[shape]}"
    return ""
