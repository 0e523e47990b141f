"""The frames of one video on disk, by their 0-based number."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from datasets_me.core.errors import FolderError, PathError
from datasets_me.core.files import read_regular
from datasets_me.core.frame_names import number_of, reach, read_names
from datasets_me.core.frames import VideoError, VideoFile
from datasets_me.core.paths import leads_out, under
from datasets_me.core.pictures import DamageError, decode_frame
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, Video

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

_KNOWN = 100_000  # frames, the longest video that a manifest alone can say was there


@dataclass(frozen=True)
class FrameFiles:
    """The files of a folder of frames, or a video file.

    ``names`` are file names by 0-based frame number of the video; of a video file its own, for each. A number from ``start`` to before ``end`` without a
    name is a missing frame. ``left_out`` are files whose number lies before the first frame or occurs a second time,
    and links that lead out of the root; ``far`` those whose number lies too far from the others to be one of theirs.
    """

    folder: Path
    names: dict[int, str]
    start: int
    end: int
    left_out: tuple[str, ...] = ()
    far: tuple[str, ...] = ()
    in_file: bool = False

    def read(self, number: int, *, colour: bool) -> tuple[Image | None, bytes, str]:
        """A frame of those that ``names`` has: (H, W, 3) BGR or (H, W) grey uint8.

        Also bytes that tell it from others, and why there is no image, if there is none.
        """
        if not self.in_file:
            return read_image(self.folder / self.names[number], colour=colour)
        try:
            return *self._video.read(number - self.start, colour=colour), ""
        except (DamageError, VideoError) as error:
            return None, b"", error.what

    @cached_property
    def _video(self) -> VideoFile:
        return VideoFile(self.folder / self.names[self.start])


def frame_rate(manifest: Manifest, video: Video) -> float:
    """The rate of a video's files, whatever rate the source of the annotations counts at (25 instead of 200)."""
    variants = {variant.id: variant for variant in manifest.spec.workbook.variants}
    variant = variants.get(manifest.variant)
    resampled = variant is not None and variant.frames is not None and variant.frames.fps
    return manifest.spec.fps if resampled else video.fps


def video_seconds(manifest: Manifest, video: Video) -> float | None:
    """How long a whole video lasts, by the number of its last frame; None where that is not known."""
    layout = next((layout for layout in manifest.spec.layouts if layout.id == video.layout), None)
    if layout is None or layout.holds != "video" or video.last is None:
        return None
    return max(0, video.last - layout.base + 1) / frame_rate(manifest, video)


def measurable(manifest: Manifest) -> list[Annotation]:
    """The annotations whose frames are in order, and which last no longer than their video, where that is known."""
    longest: dict[str, float] = {}
    for video in manifest.videos:
        longest[video.video] = max(longest.get(video.video, 0.0), video_seconds(manifest, video) or 0.0)
    return [
        row
        for row in manifest.annotations
        if row.in_order and (row.length or 0) / row.fps <= (longest.get(row.video) or math.inf)
    ]


def annotations_of(manifest: Manifest, video: Video) -> list[Annotation]:
    """The annotations that a folder of frames shows: of its video, and of its expression if it holds only one."""
    return [
        row for row in manifest.annotations if row.video == video.video and video.expression in (None, row.expression)
    ]


def frame_files(manifest: Manifest, video: Video, root: Path) -> FrameFiles:
    """List the frames of a video.

    A folder of a whole video begins with frame 0, whether or not its file is there, unless its numbers obviously do not
    count from there. A folder of one expression begins with its first file, or the first that the manifest knows; where
    file numbers start anew in every folder, that is the annotated onset.

    Raises:
        FolderError: the video has no folder, it cannot be opened, or it lies outside the root.
    """
    if video.path is None or video.layout is None:
        raise FolderError(f"there is no folder of frames of {video.video}", fix="see me-datasets check")
    layout = manifest.spec.layout(video.layout)
    if layout.video_files:
        return _frames_in_file(root, video.path, _first_of(manifest, video))
    try:
        folder = under(root, video.path)
        with os.scandir(folder) as entries:
            files = {
                entry.name: entry.is_symlink() and leads_out(root, f"{video.path}/{entry.name}")
                for entry in entries
                if not entry.is_dir(follow_symlinks=False)
            }
    except PathError as error:
        raise FolderError(error.what, where=error.where) from error
    except OSError as error:
        raise FolderError(f"the folder cannot be opened: {error.strerror}", where=str(folder)) from error
    frames = read_names([name for name, out in files.items() if not out])
    shift = _first_of(manifest, video) - layout.base
    names: dict[int, str] = {}
    left_out = [name for name, out in files.items() if out and number_of(name) is not None]
    for name in frames.names:
        number = (number_of(name) or 0) + shift
        if number < 0 or number in names:
            left_out.append(name)
        else:
            names[number] = name
    start, end = _ends(video, names, shift, whole=layout.holds == "video")
    return FrameFiles(folder, names, start, end, tuple(left_out), frames.far)


def _first_of(manifest: Manifest, video: Video) -> int:
    """The 0-based frame that the layout's first number stands for: 0, or the onset where each folder counts anew."""
    if manifest.spec.layout(video.layout or "").numbers == "video":
        return 0
    onsets = [row.onset for row in annotations_of(manifest, video) if row.onset is not None]
    return min(onsets, default=0)


def _frames_in_file(root: Path, path: str, first: int) -> FrameFiles:
    """The frames of a video file, the first of which has this number.

    Raises:
        FolderError: it cannot be opened, or lies outside the root.
    """
    try:
        place = under(root, path)
        with VideoFile(place) as video:
            count = len(video)
    except (PathError, VideoError) as error:
        raise FolderError(error.what, where=error.where) from error
    names = dict.fromkeys(range(first, first + count), place.name)
    return FrameFiles(place.parent, names, first, first + count, in_file=True)


def _ends(video: Video, names: Mapping[int, str], shift: int, *, whole: bool) -> tuple[int, int]:
    """The first frame of a video and the one behind its last: of its files, and of those that were there when the
    manifest was made, which are missing now, not gone. Nothing makes it longer than so many files can be.
    """
    width = max(reach(len(names)), min(video.frames or 0, _KNOWN))
    before = [number + shift for number in (video.first, video.last) if number is not None]
    known = [*names, *(number for number in before if number >= 0)]
    if known and max(known) - min(known) >= width:
        known = list(names)
    start = min(known, default=0)
    if whole and start < width:
        start = 0
    return start, max(known, default=start - 1) + 1


def read_image(path: Path, *, colour: bool) -> tuple[Image | None, bytes, str]:
    """Decode an image file by its content, whatever its name says.

    Returns:
        (H, W, 3) BGR or (H, W) grey uint8, the file's bytes, and why there is no image, if there is none. A file that
        ends too early gives none: its lower part would be grey.
    """
    data = b""
    try:
        data = read_regular(path)
        return decode_frame(data, colour=colour), data, ""
    except OSError as error:
        return None, b"", error.strerror or str(error)
    except DamageError as error:
        return None, data, str(error)
