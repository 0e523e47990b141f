"""Video files made with PyAV, with pictures that say which they are."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

SIZE = (96, 64)


def picture(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture (H, W, 3) in RGB that shows its number as twelve bright or dark squares."""
    width, height = size
    out = np.full((height, width, 3), 60, np.uint8)
    for bit in range(12):
        row, column = divmod(bit, 4)
        out[row * 16 + 8 : row * 16 + 20, column * 20 + 8 : column * 20 + 22] = 220 if number >> bit & 1 else 20
    return out


def number_of(image: np.ndarray) -> int:
    """The number that a picture shows."""
    grey = image if image.ndim == 2 else image.mean(axis=2)
    middles = [grey[row * 16 + 14, column * 20 + 15] for row in range(3) for column in range(4)]
    return sum(1 << bit for bit, value in enumerate(middles) if value > 120)


def encode(path: Path, frames: int, codec: str, pixels: str = "yuv420p", rate: int = 25, **options: str) -> Path:
    """A file of numbered pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, pixels
        for number in range(frames):
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture(number), format="rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def jpegs(frames: int) -> list[bytes]:
    """Numbered pictures as JPEG files."""
    return [cv2.imencode(".jpg", picture(number)[:, :, ::-1])[1].tobytes() for number in range(frames)]


def of_jpegs(path: Path, files: Sequence[bytes], rate: int = 25, times: Sequence[int] = ()) -> Path:
    """JPEG files as Motion JPEG, as they are."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=rate)
        height, width = cv2.imdecode(np.frombuffer(files[0], np.uint8), 0).shape
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        stream.time_base = Fraction(1, rate)
        for content, time in zip(files, times or range(len(files)), strict=True):
            packet = av.Packet(content)
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, rate), True
            packet.pts = packet.dts = time
            container.mux(packet)
    return path
