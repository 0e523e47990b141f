"""Video files of a synthetic dataset: Motion JPEG in AVI, or H.264 in MP4."""

from __future__ import annotations

import io
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import numpy as np
from PIL import Image

from datasets_me.core import extras
from datasets_me.core.choices import Container
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.rates import exact

QUALITY = 95
"""The quality of JPEG frames."""

CRF = 18
"""The quality of H.264: visually without loss, as its authors say."""

KEY_EVERY = 30
"""Frames from one key frame of H.264 to the next."""


def check_container(container: str) -> None:
    """Check that files of a container can be written here.

    Raises:
        MeDatasetsError: it is not known, or the library or the encoder is missing.
    """
    if container not in get_args(Container):
        fix = f"choose one of {', '.join(get_args(Container))}"
        raise MeDatasetsError(f"there is no container '{container}'", fix=fix)
    try:
        import av
    except ImportError as error:
        raise extras.missing("av") from error
    if container == "mp4" and "libx264" not in av.codecs_available:
        raise MeDatasetsError("this build of PyAV has no encoder of H.264", fix="choose --container avi")


def write_video(path: Path, pictures: Iterable[Image.Image], fps: float, crf: int = CRF) -> None:
    """Write pictures in RGB of one size as a video file, by its suffix; the same pictures give the same bytes.

    Args:
        path: a file in ``.avi`` or ``.mp4``.
        pictures: one at a time.
        fps: frames per second.
        crf: the quality of H.264, lower is better.

    Raises:
        MeDatasetsError: the pictures of H.264 have an odd width or height.
    """
    import av

    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as file:
        stream: Any = None
        for number, picture in enumerate(pictures):
            if stream is None:
                stream = _stream(file, path, picture.size, exact(fps), crf)
            if path.suffix == ".avi":
                content = io.BytesIO()
                picture.save(content, "JPEG", quality=QUALITY)
                packet = av.Packet(content.getvalue())
                packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1) / exact(fps), True
                packet.pts = packet.dts = number
                file.mux(packet)
            else:
                file.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")))
        if path.suffix != ".avi":
            file.mux(stream.encode(None))


def _stream(file: Any, path: Path, size: tuple[int, int], rate: Fraction, crf: int) -> Any:
    if path.suffix == ".avi":
        stream = file.add_stream("mjpeg", rate=rate)
        stream.pix_fmt = "yuvj420p"
    else:
        if size[0] % 2 or size[1] % 2:
            raise MeDatasetsError(
                f"H.264 needs an even width and height, not {size[0]}x{size[1]}", fix="give another --size"
            )
        options = {"crf": str(crf), "g": str(KEY_EVERY), "threads": "1", "flags": "+bitexact"}
        stream = file.add_stream("libx264", rate=rate, options=options)
        stream.pix_fmt = "yuv420p"
    stream.width, stream.height = size
    return stream
