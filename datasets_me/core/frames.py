"""A video file as frames by number, from 0: how many there are, what each shows, and what is wrong with the file.

Frame n is the n-th picture of the first video stream in the order in which they are shown, whatever the timestamps say.
Pictures that an edit list hides are none of them. Files are read with PyAV (the extra ``features``), each on one
thread, a picture at a time.

Frames of Motion JPEG are JPEG files within the file, and are decoded as such: they are bit for bit those of the same
files in a folder. Pictures that the file says are turned or mirrored are brought upright, deeper ones to 8 bits.
"""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.core.pictures import MOST_PIXELS, DamageError, decode_frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

VIDEO_SUFFIXES = frozenset(
    (
        *("avi", "mp4", "m4v", "mov", "mkv", "webm", "wmv", "asf", "mpg", "mpeg", "m2v", "vob", "ts", "mts", "m2ts"),
        *("m2t", "flv", "f4v", "3gp", "3g2", "ogv", "mxf"),
    )
)
"""The suffixes of files that are taken for videos by their names."""

VARIABLE = 0.2
"""Of a variable frame rate, the distance of two frames is so much longer or shorter than the usual one."""

PAUSE = 5
"""A distance of two frames that is more than so many times the usual one is a pause, and says nothing of the rate."""

CONTRADICTED = 0.1
"""Of the rate by the times of the frames, by which that of the header differs where it cannot be right."""

_PLANAR = ("yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p")
_MICROSECONDS = 1_000_000  # AV_TIME_BASE
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG

SHORTFALL = 0.02
"""A file ends too early if its pictures last less than its header says by this share of it, and by half a second."""


class VideoError(MeDatasetsError):
    """A video file cannot be opened, or holds no video."""


@dataclass(frozen=True)
class VideoFacts:
    """What a video file says of itself, and what its packets say.

    Attributes:
        frames: how many it holds, by its packets, without hidden ones.
        stated: how many its header says it holds; None where it does not say.
        hidden: pictures that an edit list hides.
        fps: frames per second, by the header; None where it does not say.
        timed: frames per second, by the times of the frames, without pauses; None where there are no times.
        variable: the frames do not follow each other evenly.
        key_frames: pictures that can be decoded without others.
        codec: as FFmpeg names it.
        pixels: the form of its pixels, as FFmpeg names it.
        width, height: in px, of the upright picture.
        rotation: in degrees, as the file asks for it.
        mirrored: the file asks for the picture to be mirrored, after it was turned.
        interlaced: the lines of a picture are of two moments.
        bits: of the coded pictures, per pixel, on average.
        damage: what is wrong with its packets; None if nothing is.
    """

    frames: int
    stated: int | None
    hidden: int
    fps: float | None
    timed: float | None
    variable: bool
    key_frames: int
    codec: str
    pixels: str
    width: int
    height: int
    rotation: int
    mirrored: bool
    interlaced: bool
    bits: float
    damage: str | None

    @property
    def contradicted(self) -> bool:
        """Whether the times of the frames are far from what the header says of their rate."""
        if self.fps is None or self.timed is None:
            return False
        return abs(self.fps - self.timed) > CONTRADICTED * self.timed

    @property
    def rate(self) -> float | None:
        """Frames per second: what the header says, unless the times of the frames contradict it."""
        return self.timed if self.fps is None or self.contradicted else self.fps


_VIDEO_ENDINGS = tuple(f".{suffix}" for suffix in VIDEO_SUFFIXES)


def is_video(name: str) -> bool:
    """Whether a file's suffix is that of a video, and the file is not hidden."""
    return name.casefold().endswith(_VIDEO_ENDINGS) and not name.startswith(".")


def is_video_file(folder: Path, name: str) -> bool:
    """As ``is_video``, but ``.ts`` files of text, which are programs in TypeScript, are no videos."""
    if not is_video(name):
        return False
    if not name.casefold().endswith(".ts"):
        return True
    path = folder / name
    if not path.is_file():
        return True
    try:
        with path.open("rb") as file:
            start = file.read(1024)
    except OSError:
        return True
    return not start or b"\0" in start


@dataclass(frozen=True)
class _Index:
    """What the packets of a stream say.

    ``bytes`` are those of all pictures. ``places`` are the numbers of the frames by their timestamps, ``keys`` those of
    key frames, in order, and ``sought`` the timestamp by which the container finds each. All three are empty where
    timestamps are missing, repeated or made up; frames are then counted as they are decoded, from the first.
    """

    frames: int
    key_frames: int
    hidden: int
    bytes: int
    timed: float | None
    variable: bool
    places: dict[int, int]
    keys: tuple[int, ...]
    sought: tuple[int, ...]
    damage: str | None


class VideoFile:
    """The frames of a video file. What is opened is closed again by `close`, or at the end of a ``with``."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            VideoError: it cannot be opened, or holds no video that can be decoded.
        """
        self.path = path
        self._container, self._stream = _open(path)
        self._running: Iterator[tuple[int, Any, bytes]] | None = None
        self._next = 0

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._running = None
        self._container.close()

    def __len__(self) -> int:
        return self._index.frames

    @cached_property
    def facts(self) -> VideoFacts:
        """What is known of the file; its packets are gone through once, and its first picture is decoded."""
        index, codec = self._index, self._stream.codec_context
        stated, rate = self._stream.frames or None, self._stream.average_rate or self._stream.guessed_rate
        damage, rotation, mirrored, interlaced = index.damage, 0, False, False
        shape = (codec.height, codec.width)
        try:
            _, frame, content = next(self._decoded(0))
            if frame is not None:
                (a, b, c, d), interlaced = _shown_at(frame), bool(frame.interlaced_frame)
                mirrored = a * d < b * c
                rotation = int(frame.rotation or 0) if b or not mirrored else 0
            shape = self._picture(frame, content, colour=False)[0].shape
        except StopIteration:
            damage = damage or "no picture of it can be decoded"
        except DamageError as error:
            damage = damage or f"its first picture cannot be decoded: {error}"
        self._running = None
        return VideoFacts(
            frames=index.frames,
            stated=stated,
            hidden=index.hidden,
            fps=float(rate) if rate else None,
            timed=index.timed,
            variable=index.variable,
            key_frames=index.key_frames,
            codec=codec.name,
            pixels=codec.pix_fmt or "",
            width=shape[1],
            height=shape[0],
            rotation=rotation,
            mirrored=mirrored,
            interlaced=interlaced,
            bits=8 * index.bytes / max(1, (index.frames + index.hidden) * shape[0] * shape[1]),
            damage=damage,
        )

    def read(self, number: int, *, colour: bool) -> tuple[Image, bytes]:
        """A frame: (H, W, 3) in BGR or (H, W) grey; and bytes that are the same for the same frame.

        Frames in order are decoded one after the other; for any other the file is searched from the key frame before.

        Raises:
            DamageError: it cannot be decoded.
        """
        if not 0 <= number < len(self):
            raise DamageError(f"the video has {plural(len(self), 'frame')}")
        if self._running is None or number < self._next or self._nearer(number):
            self._running = self._decoded(number)
        for place, frame, content in self._running:
            self._next = place + 1
            if place == number:
                return self._picture(frame, content, colour)
            if place > number:
                break
        self._running = None
        raise DamageError("it cannot be decoded from the video")

    def _nearer(self, number: int) -> bool:
        """Whether a key frame lies between the next frame that would be decoded and this one."""
        keys = self._index.keys
        return number > self._next and bisect_right(keys, number) > bisect_right(keys, self._next)

    def _picture(self, frame: Any, content: bytes, colour: bool) -> tuple[Image, bytes]:
        import numpy as np

        if frame is None:
            return decode_frame(content, colour=colour), content
        if frame.is_corrupt:
            raise DamageError("the video is damaged there")
        with _failures():
            picture = frame.to_ndarray(format="bgr24") if colour else _grey(frame)
        a, b, c, d = _shown_at(frame)
        if not b and not c:
            turned = picture[:: 1 if d > 0 else -1, :: 1 if a > 0 else -1]
        elif not a and not d:
            turned = picture.swapaxes(0, 1)[:: 1 if b > 0 else -1, :: 1 if c > 0 else -1]
        else:
            raise DamageError(f"the video is to be turned by {frame.rotation} degrees")
        upright = np.ascontiguousarray(turned)
        return upright, content or hashlib.sha256(upright.data).digest()

    def _decoded(self, number: int) -> Iterator[tuple[int, Any, bytes]]:
        """Frames by their number, from one at or before a number on.

        With each its picture and a hash of what it is coded as, where that is known; of Motion JPEG None and its file.
        """
        packets, count = self._packets_from(number)
        places = self._index.places
        coded: dict[int, bytes] = {}
        for packet in packets:
            if packet.size and packet.pts in places and not self._motion_jpeg:
                coded[packet.pts] = hashlib.sha256(packet).digest()
            pictures = [packet] if self._motion_jpeg and packet.size else self._pictures(packet)
            for picture in pictures:
                place = places.get(picture.pts, -1) if places else count
                count += 1
                if place >= 0:
                    jpeg = bytes(packet) if self._motion_jpeg else None
                    yield (place, picture, coded.pop(picture.pts, b"")) if jpeg is None else (place, None, jpeg)

    def _pictures(self, packet: Any) -> list[Any]:
        import av

        try:
            return [] if self._motion_jpeg else list(packet.decode())
        except (av.error.FFmpegError, ValueError):
            return []

    @cached_property
    def _motion_jpeg(self) -> bool:
        return bool(self._stream.codec_context.name == "mjpeg")

    def _packets_from(self, number: int) -> tuple[Iterator[Any], int]:
        """The packets from a key frame at or before a number on, and how many frames come before it."""
        import av

        keys, places = self._index.keys, self._index.places
        key = bisect_right(keys, number) - 1
        try:
            if key > 0:
                self._container.seek(self._index.sought[key], stream=self._stream, backward=True, any_frame=False)
                packets = self._packets()
                first = next(packets, None)
                if first is not None and first.is_keyframe and places.get(first.pts, number + 1) <= number:
                    return chain([first], packets), places[first.pts]
        except av.error.FFmpegError:
            pass
        self._reopen()  # which, other than a search, always leads to the very first packet
        return self._packets(), 0

    def _reopen(self) -> None:
        self._container.close()
        self._container, self._stream = _open(self.path)

    def _packets(self) -> Iterator[Any]:
        """The packets of the stream, up to the first that cannot be read, and an empty one at the end of the file."""
        import av

        try:
            yield from self._container.demux(self._stream)
        except (av.error.FFmpegError, ValueError, OSError):
            return

    @cached_property
    def _index(self) -> _Index:
        """All packets, without their contents."""
        import av

        times: list[int | None] = []
        found_by: dict[int, int] = {}
        sound: int | None = None  # frames that are shown before this time are all there
        key_frames, hidden, damaged, size, damage = 0, 0, 0, 0, None
        by_dts = av.format.Flags.seek_to_pts not in av.format.Flags(self._container.format.flags)
        try:
            for packet in self._container.demux(self._stream):
                size += packet.size
                if packet.is_discard:
                    hidden += 1
                elif packet.size:
                    times.append(packet.pts)
                    damaged += packet.is_corrupt
                    sound = packet.dts if not damaged and packet.dts is not None else sound
                    if packet.is_keyframe:
                        key_frames += 1
                        found_by[packet.pts] = packet.dts if by_dts and packet.dts is not None else packet.pts
        except (av.error.FFmpegError, ValueError, OSError) as error:
            damage = f"it cannot be read beyond frame {len(times)}: {_words(error)}"
        if damaged and damage is None:
            damage = f"{plural(damaged, 'packet')} of it {'is' if damaged == 1 else 'are'} damaged"
        # AVI has no times of pictures that are stored in another order than they are shown in; FFmpeg makes some up
        made_up = self._container.format.name == "avi" and self._stream.codec_context.has_b_frames
        known = [] if made_up else sorted(pts for pts in times if pts is not None)
        damage = damage or self._shortfall(known)
        steps = _steps(known, sound)
        unique = len(known) == len(times) == len(set(known))
        places = {pts: place for place, pts in enumerate(known)} if unique else {}
        keys = sorted(found_by) if unique else []
        self._reopen()
        return _Index(
            frames=len(times),
            key_frames=key_frames,
            hidden=hidden,
            bytes=size,
            timed=_rate(steps, self._stream.time_base),
            variable=_variable(steps),
            places=places,
            keys=tuple(places[pts] for pts in keys),
            sought=tuple(found_by[pts] for pts in keys),
            damage=damage,
        )

    def _shortfall(self, times: Sequence[int]) -> str | None:
        """What is missing at the end of a file whose header says how long it lasts, but not how many frames it has."""
        header, alone = self._container.duration, len(self._container.streams) == 1
        if not (times and header and alone and self._stream.time_base) or self._stream.frames:
            return None
        usual = (times[-1] - times[0]) / max(len(times) - 1, 1)
        lasts, stated = float((times[-1] + usual - times[0]) * self._stream.time_base), header / _MICROSECONDS
        if stated - lasts <= max(SHORTFALL * stated, 0.5):
            return None
        return f"it ends after {lasts:.1f} s, its header says {stated:.1f} s"


def _steps(times: Sequence[int], sound: int | None) -> list[int]:
    """From each frame to the next, by length, up to a time: later ones may have lost frames between them."""
    known = times if sound is None else times[: bisect_right(times, sound)]
    return sorted(after - before for before, after in pairwise(known))


def _rate(steps: Sequence[int], unit: Fraction | None) -> float | None:
    """Frames per second, by the times between frames in order of length, in units of so many seconds."""
    even = steps[: bisect_right(steps, PAUSE * steps[len(steps) // 2])] if steps else []
    return float(len(even) / (sum(even) * unit)) if unit and sum(even) else None


def _variable(steps: Sequence[int]) -> bool:
    """Whether frames are shown for different times, which are given in order of length."""
    usual = steps[len(steps) // 2] if steps else 0
    # containers count in thousandths of a second, so that 30 a second are 33 and 34 apart
    return any(abs(step - usual) > max(VARIABLE * usual, 1) for step in steps)


def _open(path: Path) -> tuple[Any, Any]:
    import av

    av.logging.set_level(av.logging.PANIC)  # it would write to the terminal, without the name of the file
    try:
        container = av.open(str(path), metadata_errors="ignore")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"the video cannot be opened: {_words(error)}", where=str(path)) from error
    covers = av.stream.Disposition.attached_pic
    stream = next((stream for stream in container.streams.video if covers not in stream.disposition), None)
    fault = "it is a picture" if container.format.name.endswith("_pipe") else _fault(stream)
    if stream is None or fault:
        container.close()
        raise VideoError(f"the video cannot be read: {fault}", where=str(path))
    stream.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    return container, stream


def _fault(stream: Any) -> str | None:
    if stream is None:
        return "there is no video stream in it"
    if stream.codec_context is None:
        return "its codec is not known"
    if not stream.width or not stream.height:
        return "it does not say how large its pictures are"
    if stream.width * stream.height > MOST_PIXELS:
        return f"its pictures have more than {MOST_PIXELS:,} pixels"
    return None


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _shown_at(frame: Any) -> tuple[int, int, int, int]:
    """``a b c d`` of a picture whose point (x, y) is to be shown at (a x + c y, b x + d y), but for a shift."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 1, 0, 0, 1
    a, b, _, c, d = struct.unpack("=5i", bytes(matrix)[:20])
    return a, b, c, d


def _grey(frame: Any) -> Image:
    """The brightness of a picture, which most forms hold by itself: from 0 to 255, or from 16 to 235."""
    import cv2
    import numpy as np

    if frame.format.name not in _PLANAR:
        return np.asarray(frame.to_ndarray(format="gray"), np.uint8)
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    if frame.format.name.startswith("yuvj") or frame.color_range == _FULL_RANGE:
        return rows.copy()
    stretched = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(rows, stretched), np.uint8)


@contextmanager
def _failures() -> Iterator[None]:
    """Errors of FFmpeg as damage."""
    import av

    try:
        yield
    except (av.error.FFmpegError, ValueError) as error:
        raise DamageError(_words(error)) from error
