"""The frames of one folder, from the names of its files alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from datasets_me.core.errors import plural

IMAGE_SUFFIXES = ("jpg", "jpeg", "png", "bmp", "tif", "tiff")

# The number of a frame is the last run of digits before the suffix: reg_img46.jpg, 006_1_0001.jpg, image000090.png.
# "._img46.jpg" is not a frame but a companion file of macOS.
_FRAME = re.compile(rf"(?!\._)(.*?)(\d+)\.({'|'.join(IMAGE_SUFFIXES)})", re.IGNORECASE | re.DOTALL)

_MOST_DIGITS = 9  # a longer number is a date and time

_LEAST_REACH = 10_000
_REACH = 30  # numbers per file: videos of 500 frames a second are sampled down to 25, every 20th file then being there

_SHOWN = 5  # names in one message

_Shape = tuple[str, str, int]
"""Prefix, suffix, and the width that numbers with leading zeros are padded to; 0 for numbers without."""


@dataclass(frozen=True)
class Frames:
    """Numbers and names of the frames of a folder, in the order of their numbers.

    ``gaps`` are the ranges of numbers missing between first and last, ends included. ``twice`` pairs files of
    one number. ``strays`` are files that are not numbered images, ``far`` are images whose number is too far from the
    others. ``names_differ`` shows two names that differ in prefix, padding or suffix, or is empty.
    """

    numbers: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()
    twice: tuple[tuple[str, str], ...] = ()
    strays: tuple[str, ...] = ()
    far: tuple[str, ...] = ()
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
    match = _FRAME.fullmatch(name)
    return int(match[2]) if match and len(match[2]) <= _MOST_DIGITS else None


def reach(files: int) -> int:
    """How many numbers the frames of a folder with this number of files may span: 30 per file, and 10,000 in any case.

    Videos may lack frames or be sampled down; but ``img20140508.jpg`` beside 40 frames is a date.
    """
    return max(_LEAST_REACH, _REACH * files)


def read_names(files: Sequence[str]) -> Frames:
    """Sort a folder's file names by frame number, and note irregularities.

    If the numbers span more than their `reach`, the frames are those of the stretch of numbers with the most files, the
    first of equals; the rest are too far away.
    """
    numbered: list[tuple[int, str]] = []
    shapes: dict[_Shape, str] = {}
    strays = []
    fullmatch = _FRAME.fullmatch
    for name in files:
        match = fullmatch(name)
        if match is None or len(match[2]) > _MOST_DIGITS:
            strays.append(name)
            continue
        prefix, digits, suffix = match.groups()
        numbered.append((int(digits), name))
        shape = (prefix, suffix, len(digits) if digits[0] == "0" and len(digits) > 1 else 0)
        if shape not in shapes or len(name) < len(shapes[shape]):
            shapes[shape] = name
    numbered.sort()
    near = _nearest_together([number for number, _ in numbered])
    if len(near) < len(numbered):
        far = [name for index, (_, name) in enumerate(numbered) if index not in near]
        frames = read_names([*(numbered[index][1] for index in near), *strays])
        return replace(frames, far=(*far, *frames.far))
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


def beside(strays: Sequence[str], frames: str = "frames") -> str:
    """The message about files that are not read."""
    return f"{plural(len(strays), 'file')} beside the {frames}: {_shown(strays)}"


def far_away(far: Sequence[str], frames: Sequence[str]) -> str:
    """The message about files whose number is too far from the frames', both in the order of their numbers."""
    return f"{plural(len(far), 'file')} left out, too far from {frames[0]} to {frames[-1]} to be frames: {_shown(far)}"


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _nearest_together(numbers: Sequence[int]) -> range:
    """The positions of the most numbers, in a sorted list, that lie within the `reach` of that many files."""
    width = reach(len(numbers))
    if not numbers or numbers[-1] - numbers[0] < width:
        return range(len(numbers))
    best, first = range(0), 0
    for last, number in enumerate(numbers):
        while number - numbers[first] >= width:
            first += 1
        best = max(best, range(first, last + 1), key=len)
    return best


def _gaps(numbers: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    if not numbers or numbers[-1] - numbers[0] + 1 == len(numbers):
        return ()
    return tuple((first + 1, second - 1) for first, second in pairwise(numbers) if second - first > 1)


def _differing(shapes: dict[_Shape, str]) -> str:
    """Two names that do not follow one rule, or an empty text. Numbers longer than their padding follow the rule."""
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
