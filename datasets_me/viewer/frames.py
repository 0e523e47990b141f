"""Frames as a page shows them: by number, scaled, decoded on demand and a little ahead of whoever plays them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock, RLock
from typing import Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.choices import FlowMethod
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.frame_names import number_of, read_names
from datasets_me.core.rates import shown
from datasets_me.features.flow import flow
from datasets_me.features.magnify import along_flow
from datasets_me.findings.finding import Finding
from datasets_me.formats.frame_files import FrameFiles, frame_files, gap_inside
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.viewer.dataset import Entry
from datasets_me.viewer.web import RefusedError

Image = NDArray[np.uint8]
Field = NDArray[np.float32]

WIDTHS = (160, 480, 960, 1920)
"""Widths in px that frames are scaled down to; smaller frames are sent as they are."""

AHEAD = 16
"""Frames that are decoded before anybody asks for them, behind the last one that was asked for."""

BEHIND = 16
"""Frames of a video file before the one that is asked for that are kept, too, where somebody steps back: the decoder
passes them on its way from the key frame."""

FAST: FlowMethod = "dis"
"""The flow that motion is magnified by, and that is shown where there are no features."""

CACHE_BYTES = 192 << 20
"""Room for coded pictures; the one not asked for longest makes room first."""

_OPEN_VIDEOS = 8
_BACK = range(1, 4)  # frames that somebody steps back by
_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 90]
_EDGE = 0.05  # of the width of a comparison; no motion is drawn so near to its edge
_STILL = 0.25  # of the longest motion; what is shorter is drawn without colour and arrows
_COMPARED = 480  # px, the width of pictures that are compared

Value = TypeVar("Value")


class FrameError(RefusedError):
    """There is no such frame, or it cannot be decoded; the text says why."""


class Recent(Generic[Value]):
    """What was asked for last, up to a total weight. May be used by several threads."""

    def __init__(self, room: int, weight: Callable[[Value], int] = lambda value: 1) -> None:
        self._room, self._weight = room, weight
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._used = 0
        self._lock = Lock()

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._values

    def get(self, key: Hashable) -> Value | None:
        """The value of a key, if it is kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value; those not asked for longest go."""
        with self._lock:
            if key in self._values:
                self._used -= self._weight(self._values.pop(key))
            self._values[key] = value
            self._used += self._weight(value)
            while self._used > self._room and len(self._values) > 1:
                self._used -= self._weight(self._values.popitem(last=False)[1])


class FrameStore:
    """The frames of a manifest's videos as pictures for a page. May be used by several threads."""

    def __init__(self, manifest: Manifest, root: Path) -> None:
        self._manifest, self._root = manifest, root
        self._files: Recent[tuple[FrameFiles, RLock]] = Recent(_OPEN_VIDEOS)
        self._opening = Lock()
        self._coded: Recent[bytes] = Recent(CACHE_BYTES, len)
        self._ahead = ThreadPoolExecutor(1, "frames ahead")
        self._head: tuple[int, int, int] = (-1, 0, 0)

    def close(self) -> None:
        """Decode nothing any more."""
        self._ahead.shutdown(cancel_futures=True)

    def files(self, entry: Entry) -> FrameFiles:
        """The frames of a video on disk.

        Raises:
            FrameError: there are none.
        """
        return self._opened(entry)[0]

    def gap(self, entry: Entry, row: Annotation) -> Finding | None:
        """What is found where frames are missing inside an expression of a video, as `check` finds it (ME405)."""
        if row.onset is None or row.offset is None:
            return None
        try:
            files = self.files(entry)
        except FrameError:
            return None
        if files.in_file or not files.names:
            return None
        first, name = next(iter(files.names.items()))
        base = (number_of(name) or 0) - first  # of the numbers in the names
        ends = (shown(row.onset, entry.step) + base, shown(row.offset, entry.step) + base)
        return gap_inside(row, entry.source.path, ends, read_names(list(files.names.values())).gaps)

    def jpeg(self, entry: Entry, number: int, width: int) -> bytes:
        """A frame as JPEG, no wider than ``width``; those after it are decoded, too, if it follows the last one.

        Raises:
            FrameError: there is no such frame, or it cannot be decoded.
        """
        content = self._jpeg(entry, number, width)
        if width > WIDTHS[0]:
            (video, before, wide), self._head = self._head, (entry.number, number, width)
            follows = (video, wide) == (entry.number, width) and 0 < number - before <= AHEAD
            if follows and (entry.number, number + AHEAD // 2, width) not in self._coded:
                self._ahead.submit(self._decode_ahead, entry, number, width)
        return content

    def strip(self, entry: Entry, numbers: tuple[int, ...], height: int) -> bytes:
        """Small frames side by side, as JPEG; one that cannot be shown is grey.

        Raises:
            FrameError: none can be shown.
        """
        key = (entry.number, numbers, height)
        if (kept := self._coded.get(key)) is not None:
            return kept
        pictures = []
        for number in numbers:
            try:
                image = self.image(entry, number)
                pictures.append(_resized(image, max(1, round(image.shape[1] * height / image.shape[0])), height))
            except FrameError:
                pictures.append(np.full((height, height, 3), 128, np.uint8))
        content = coded(np.hstack(pictures))
        self._coded.put(key, content)
        return content

    def magnified(self, entry: Entry, pair: tuple[int, int], width: int, factor: float) -> bytes:
        """The second of two frames as JPEG, with its motion since the first ``factor`` times as large.

        Raises:
            FrameError: a frame cannot be shown.
        """
        key = (entry.number, pair, width, factor)
        if (kept := self._coded.get(key)) is not None:
            return kept
        first, second = (_scaled(self.image(entry, number), min(width, _COMPARED)) for number in pair)
        content = coded(along_flow(first, second, motion(first, second), factor))
        self._coded.put(key, content)
        return content

    def pair(self, entry: Entry, pair: tuple[int, int], box: tuple[int, int, int, int] | None) -> tuple[Image, Image]:
        """Two frames of a video, cut to a box in px of the raw frames and scaled for a comparison.

        Raises:
            FrameError: a frame cannot be shown, or they differ in size.
        """
        first, second = (self.image(entry, number) for number in pair)
        if first.shape != second.shape:
            raise FrameError("the two frames differ in size")
        if box is not None:
            x0, y0, x1, y1 = (max(0, edge) for edge in box)
            first, second = first[y0:y1, x0:x1], second[y0:y1, x0:x1]
        if not first.size:
            raise FrameError("the crop lies outside the frames")
        return _scaled(first, _COMPARED), _scaled(second, _COMPARED)

    def image(self, entry: Entry, number: int) -> Image:
        """A frame (H, W, 3) uint8 in BGR.

        Raises:
            FrameError: there is no such frame, or it cannot be decoded.
        """
        files, lock = self._opened(entry)
        if number not in files.names:
            raise FrameError(f"there is no frame {number}")
        if files.in_file:
            with lock:
                image, _, why = files.read(number, colour=True)
        else:
            image, _, why = files.read(number, colour=True)
        if image is None:
            raise FrameError(why or "the frame cannot be decoded")
        return image

    def _jpeg(self, entry: Entry, number: int, width: int) -> bytes:
        content = self._coded.get((entry.number, number, width))
        if content is not None:
            return content
        files, lock = self._opened(entry)
        if not files.in_file:
            return self._code(entry, number, width)
        with lock:
            if any((entry.number, number + step, width) in self._coded for step in _BACK):
                for before in range(max(files.start, number - BEHIND), number):
                    with suppress(FrameError):
                        self._code(entry, before, width)
            return self._code(entry, number, width)

    def _code(self, entry: Entry, number: int, width: int) -> bytes:
        key = (entry.number, number, width)
        content = self._coded.get(key)
        if content is None:
            content = coded(_scaled(self.image(entry, number), width))
            self._coded.put(key, content)
        return content

    def _decode_ahead(self, entry: Entry, number: int, width: int) -> None:
        for frame in range(number + 1, number + 1 + AHEAD):
            video, head, wide = self._head
            if (video, wide) != (entry.number, width) or not head <= frame <= head + AHEAD:
                return  # whoever plays is somewhere else by now
            try:
                self._jpeg(entry, frame, width)
            except FrameError:
                continue

    def _opened(self, entry: Entry) -> tuple[FrameFiles, RLock]:
        opened = self._files.get(entry.number)
        if opened is None:
            with self._opening:
                opened = self._files.get(entry.number)
                if opened is None:
                    try:
                        opened = frame_files(self._manifest, entry.source, self._root), RLock()
                    except MeDatasetsError as error:
                        raise FrameError(error.what) from error
                    self._files.put(entry.number, opened)
        return opened


def motion(first: Image, second: Image, method: FlowMethod = FAST) -> tuple[Field, Field]:
    """The optical flow u, v (H, W) in px from one picture (H, W, 3) to another."""
    grey = [np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8) for image in (first, second)]
    field = flow(grey, method, temporal=1)[0]
    return np.ascontiguousarray(field[..., 0]), np.ascontiguousarray(field[..., 1])


def difference(first: Image, second: Image, gain: float = 4.0) -> bytes:
    """The change of brightness from one picture to another as JPEG: grey is none, ``gain`` makes it easier to see."""
    grey = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32) for image in (first, second)]
    return coded(np.clip(128 + gain * (grey[1] - grey[0]), 0, 255).astype(np.uint8))


def flow_picture(first: Image, second: Image, method: FlowMethod = FAST) -> bytes:
    """The flow from one picture to another as JPEG: arrows on the first, where the motion is not near zero.

    The median, which is the shift of the whole head, is removed.
    """
    u, v = (part - np.median(part) for part in motion(first, second, method))
    edge = max(1, round(_EDGE * first.shape[1]))
    size = np.zeros_like(u)
    size[edge:-edge, edge:-edge] = np.hypot(u, v)[edge:-edge, edge:-edge]  # at the edge, things move in and out
    longest = max(float(np.quantile(size, 0.999)), 0.5)
    hue = ((np.degrees(np.arctan2(v, u)) % 360) / 2).astype(np.uint8)
    strength = np.clip(size / longest, 0, 1)
    colour = cv2.cvtColor(np.dstack([hue, np.full_like(hue, 255), np.full_like(hue, 255)]), cv2.COLOR_HSV2BGR)
    grey = cv2.cvtColor(cv2.cvtColor(first, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    share = (np.clip((strength - _STILL) / (1 - _STILL), 0, 1) * 0.7)[..., None]
    image = np.ascontiguousarray((grey * (1 - share) + colour * share).astype(np.uint8))
    every = max(8, first.shape[1] // 15)
    for y in range(every // 2, image.shape[0], every):
        for x in range(every // 2, image.shape[1], every):
            if strength[y, x] > _STILL:
                end = tuple(round(at + float(part[y, x]) * 1.5 * every / longest) for at, part in ((x, u), (y, v)))
                for shade, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
                    cv2.arrowedLine(image, (x, y), end, shade, width, cv2.LINE_AA, tipLength=0.35)
    return coded(image)


def _scaled(image: Image, width: int) -> Image:
    if image.shape[1] <= width:
        return image
    return _resized(image, width, max(1, round(image.shape[0] * width / image.shape[1])))


def _resized(image: Image, width: int, height: int) -> Image:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def coded(image: Image) -> bytes:
    """A picture as JPEG."""
    return bytes(cv2.imencode(".jpg", image, _QUALITY)[1])
