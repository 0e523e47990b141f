"""``me-datasets frames``: the frames of a video as numbered pictures, for other tools.

::

    frames.json               the video, the box, and which frames could not be read
    img00001.png …            frame n, counted from 0, is number n + 1; a frame that cannot be read has no file

Frames of Motion JPEG that are written whole keep the bytes they have in the file, as ``.jpg``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core import artefact
from datasets_me.core.errors import FolderError, MeDatasetsError
from datasets_me.extract.reader import FrameReader
from datasets_me.extract.recordings import of_recordings
from datasets_me.features.boxes import Box
from datasets_me.features.crop import choose_crop, cut
from datasets_me.features.faces import detector, landmark_detector
from datasets_me.features.landmarks import Tracker, align, finite, smooth, track
from datasets_me.findings.finding import Finding
from datasets_me.formats.frame_files import FrameFiles, frame_files
from datasets_me.formats.kinds import FRAMES

Image = NDArray[np.uint8]
Points = NDArray[np.float32]
Progress = Callable[[int, int, str], None]

JPEG = b"\xff\xd8"
"""How a JPEG file begins."""


@dataclass(frozen=True)
class WrittenFrames:
    """How many frames were written, of how many; and the box they were cut to, None for whole frames.

    ``unreadable`` says why frames are missing or cannot be read, by their numbers in the names of the pictures.
    ``findings`` are about the video file.
    """

    written: int
    frames: int
    box: Box | None
    unreadable: Mapping[int, str]
    findings: Sequence[Finding]


def write_frames(
    video: Path,
    out: Path,
    *,
    crop: bool = False,
    aligned: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> WrittenFrames:
    """Write the frames of a video to a new folder.

    Args:
        video: a video file, or a folder of frames.
        crop: cut to one box for the whole video, as in an extraction.
        aligned: cut, and each frame moved so that the face lies as in the first.

    The pictures have the numbers of a folder's files; frames of a file are counted from 1.

    Raises:
        MeDatasetsError: there is not one video, it has no frames, it cannot be read, no face is found in it, or the
            folder exists.
    """
    manifest, root = of_recordings([video], rate=1.0 if video.is_dir() else None)
    if len(manifest.videos) != 1:
        raise MeDatasetsError("there are several videos", where=str(video), fix="give one of them")
    files = frame_files(manifest, manifest.videos[0], root)
    reader = FrameReader(files, range(files.start, files.end), colour=True)
    if not len(reader):
        raise _nothing(video, manifest.findings)
    first = 0 if video.is_dir() else 1
    unreadable: dict[int, str] = {}
    with artefact.new_folder(out, FRAMES, force=force) as new:
        box = _box(reader, video) if crop or aligned else None
        points = _landmarks(reader, box) if box and aligned else None
        for index, number in enumerate(reader.numbers):
            content, why = _content(files, number, box, points, index)
            if content is None:
                unreadable[number + first] = why
            else:
                suffix = "jpg" if content.startswith(JPEG) else "png"
                (new.path / f"img{number + first:05}.{suffix}").write_bytes(content)
            if progress:
                progress(index + 1, len(reader), video.name)
        new.about.update(
            {
                "video": video.name,
                "frames": len(reader),
                "box": None if box is None else [int(value) for value in box],
                "aligned": aligned,
                "unreadable": list(unreadable),
            }
        )
    return WrittenFrames(len(reader) - len(unreadable), len(reader), box, unreadable, manifest.findings)


def _nothing(video: Path, findings: Sequence[Finding]) -> FolderError:
    """The error for a video without frames."""
    if video.is_dir():
        return FolderError("no image in it has a number", where=str(video), fix="name them img1.jpg, img2.jpg, …")
    damage = next((each.message for each in findings if each.code == "ME313"), "there are no frames in it")
    return FolderError(damage, where=str(video), fix="fetch the file again, and compare its size with the original")


def _box(reader: FrameReader, video: Path) -> Box:
    shape = reader.common_shape()
    if shape is None:
        raise FolderError("no frame of it can be read", where=str(video))
    choice = choose_crop(reader, detector(), shape=shape)
    if choice.face is None:
        raise FolderError("no face is found in it", where=str(video), fix="leave out --crop and --align")
    return choice.box


def _landmarks(reader: FrameReader, box: Box) -> Points:
    """Landmarks (T, 68, 2) in px of the crop, smoothed as in an extraction; NaN where no face is found."""
    greys = (None if image is None else cv2.cvtColor(cut(image, box), cv2.COLOR_BGR2GRAY) for image in reader)
    nothing = np.full((68, 2), np.nan, np.float32)
    rows = [
        nothing if each.points is None else each.points for each in track(greys, Tracker(landmark_detector(detector())))
    ]
    return smooth(np.stack(rows))[0]


def _content(
    files: FrameFiles, number: int, box: Box | None, points: Points | None, index: int
) -> tuple[bytes | None, str]:
    """The file of a frame, or None and why there is none."""
    if number not in files.names:
        return None, "there is no file"
    image, stored, why = files.read(number, colour=True)
    if image is None:
        return None, why
    if box is None and stored.startswith(JPEG):
        return stored, ""
    picture: Image = image if box is None else np.ascontiguousarray(cut(image, box))
    if points is not None:
        known = np.flatnonzero(finite(points))
        if len(known) and index in known:
            picture = align(picture, points[index], points[known[0]])[0]
    return bytes(cv2.imencode(".png", picture)[1]), ""
