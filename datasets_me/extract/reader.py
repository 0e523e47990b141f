"""Reading the frames of a video, one at a time, and noting what is wrong with them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from datasets_me.features.stages import common_shape
from datasets_me.formats.frame_files import FrameFiles

Image = NDArray[np.uint8]

REPORT_EVERY = 16
"""Frames after which progress is reported."""

SPREAD = 5
"""Frames looked at to learn the size of the others."""


class FrameReader(Sequence[Image | None]):
    """The frames of a video as a sequence; None for one that cannot be read.

    Going through it in order also takes the checksum of all files and notes frames that are `unreadable`, `missing`, or
    `repeated`, the same picture as the one before, by their index.
    """

    def __init__(
        self, files: FrameFiles, numbers: Sequence[int], *, colour: bool, report: Callable[[int], None] | None = None
    ) -> None:
        self.files = files
        self.numbers = numbers
        self.colour = colour
        self.report = report
        self.unreadable: dict[int, str] = {}
        self.missing: list[int] = []
        self.repeated: list[int] = []
        self.sizes: dict[int, tuple[int, int]] = {}
        self._checksum = hashlib.sha256()

    @property
    def checksum(self) -> str:
        """SHA-256 over numbers and contents of the files gone through."""
        return self._checksum.hexdigest()

    def common_shape(self) -> tuple[int, int] | None:
        """The height and width of most of some frames spread over the video; None if no frame can be read."""
        spread = np.linspace(0, len(self) - 1, min(len(self), SPREAD)).round().astype(int) if len(self) else ()
        shape = common_shape([self[int(index)] for index in spread])
        every = (common_shape([self[index]]) for index in range(len(self)))
        return shape or next((of_video for of_video in every if of_video), None)

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> Image | None: ...
    @overload
    def __getitem__(self, index: slice) -> list[Image | None]: ...
    def __getitem__(self, index: int | slice) -> Image | list[Image | None] | None:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        name = self.files.names.get(self.numbers[index])
        return None if name is None else self.files.read(self.numbers[index], colour=self.colour)[0]

    def __iter__(self) -> Iterator[Image | None]:
        waiting, before = 0, None
        for index, number in enumerate(self.numbers):
            waiting += 1
            if self.report and waiting == REPORT_EVERY:
                self.report(waiting)
                waiting = 0
            name = self.files.names.get(number)
            if name is None:
                self.missing.append(index)
                before = None
                yield None
                continue
            image, data, why = self.files.read(number, colour=self.colour)
            self._checksum.update(b"%d %d\n" % (number, len(data)))
            self._checksum.update(data)
            if image is None:
                self.unreadable[index] = why
            else:
                self.sizes[index] = (image.shape[1], image.shape[0])
                if before is not None and _same(before, image):
                    self.repeated.append(index)
            before = image
            yield image
        if self.report and waiting:
            self.report(waiting)


def _same(a: Image, b: Image) -> bool:
    # noise makes nearly all pictures differ in a few of their pixels
    return np.array_equal(a[::8, ::8], b[::8, ::8]) and np.array_equal(a, b)
