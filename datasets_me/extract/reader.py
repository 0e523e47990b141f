"""Reading the frames of a video, one at a time, and noting what is wrong with them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import overload

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.files import read_regular
from datasets_me.core.look import look
from datasets_me.features.stages import common_shape
from datasets_me.formats.frame_files import FrameFiles

Image = NDArray[np.uint8]

REPORT_EVERY = 16
"""Frames after which progress is reported."""

SPREAD = 5
"""Frames looked at to learn the size of the others."""

_JPEG, _PNG = b"\xff\xd8", b"\x89PNG"


class FrameReader(Sequence[Image | None]):
    """The frames of a video as a sequence; None for one that cannot be read.

    Going through it in order also takes the checksum of all files and notes `unreadable` and `missing` frames, by
    their index.
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
        return shape or next((found for found in every if found), None)

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
        return None if name is None else read_image(self.files.folder / name, colour=self.colour)[0]

    def __iter__(self) -> Iterator[Image | None]:
        waiting = 0
        for index, number in enumerate(self.numbers):
            waiting += 1
            if self.report and waiting == REPORT_EVERY:
                self.report(waiting)
                waiting = 0
            name = self.files.names.get(number)
            if name is None:
                self.missing.append(index)
                yield None
                continue
            image, data, why = read_image(self.files.folder / name, colour=self.colour)
            self._checksum.update(b"%d %d\n" % (number, len(data)))
            self._checksum.update(data)
            if image is None:
                self.unreadable[index] = why
            else:
                self.sizes[index] = (image.shape[1], image.shape[0])
            yield image
        if self.report and waiting:
            self.report(waiting)


def read_image(path: Path, *, colour: bool) -> tuple[Image | None, bytes, str]:
    """Decode an image file by its content, whatever its name says.

    Returns:
        (H, W, 3) BGR or (H, W) grey uint8, the file's bytes, and why there is no image, if there is none. A file that
        ends too early gives none: its lower part would be grey.
    """
    try:
        data = read_regular(path)
    except OSError as error:
        return None, b"", error.strerror or str(error)
    if not data:
        return None, data, "the file is empty"
    if not _is_whole(data) and (damage := look(path, decode=True).damage):
        return None, data, damage
    try:
        with _silent():
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
    except cv2.error:
        image = None
    if image is None:
        return None, data, look(path, decode=True).damage or "it cannot be decoded"
    return np.asarray(image, np.uint8), data, ""


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what C libraries say about odd files off the terminal, where it would stand without a file's name."""
    stderr = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _is_whole(data: bytes) -> bool:
    """Whether a file ends as its format ends; decoders fill up what is missing without a word."""
    if data.startswith(_JPEG):
        return data.rstrip(b"\0\n\r ").endswith(b"\xff\xd9")
    return not data.startswith(_PNG) or b"IEND" in data[-16:]
