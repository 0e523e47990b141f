"""The frames of one video on disk, by their 0-based number."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from datasets_me.core.errors import FolderError, MeDatasetsError, PathError, plural
from datasets_me.core.files import read_regular
from datasets_me.core.frame_names import number_of, reach, read_names
from datasets_me.core.frames import VideoError, VideoFile
from datasets_me.core.paths import leads_out, under
from datasets_me.core.pictures import DamageError, decode_frame
from datasets_me.core.rates import ratio
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, Video

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

_KNOWN = 100_000  # frames; a manifest alone cannot make a video longer


@dataclass(frozen=True)
class FrameFiles:
    """The files of a folder of frames, or a video file.

    ``names`` are file names by 0-based frame number of the video; a video file has its own name for each of its frames.
    A number from ``start`` up to ``end`` (excluded) without a name is a missing frame. ``left_out`` are files whose
    number is before the first frame or occurs twice, and links that lead out of the root; ``far`` are those whose
    number is too far from the others.
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


def gap_inside(
    row: Annotation, path: str | None, ends: tuple[int, int], gaps: Iterable[tuple[int, int]]
) -> Finding | None:
    """What is found where frames are missing inside an expression (ME405).

    Args:
        row: the expression.
        path: of its folder.
        ends: the numbers in the names of the files of onset and offset.
        gaps: ranges of numbers without a file, ends included.
    """
    onset, offset = ends
    missing = sum(max(0, min(last, offset) - max(first, onset) + 1) for first, last in gaps)
    if not missing:
        return None
    return finding(
        "ME405",
        f"{plural(missing, 'frame')} missing between onset {onset} and offset {offset}",
        place=row.place("onset"),
        subject=row.subject,
        video=row.video,
        path=path,
        expected=f"{onset} to {offset}",
        found=str(missing),
    )


def stat_of(files: FrameFiles) -> str:
    """A hash of the names, sizes and times of change of the files of a video."""
    hashed = hashlib.sha256()
    folder = str(files.folder)
    # A video file has one name for all its frames.
    listed = files.names if not files.in_file else dict(list(files.names.items())[:1])
    for number, name in listed.items():
        try:
            about = os.stat(f"{folder}{os.sep}{name}")  # noqa: PTH116 - no Path for each of millions of frames
            facts = f"{about.st_size} {about.st_mtime_ns}"
        except OSError:
            facts = "cannot be read"
        hashed.update(f"{number} {name} {facts}\n".encode("utf-8", "surrogateescape"))
    return hashed.hexdigest()


def choose_layout(
    manifest: Manifest, wanted: str | None, *, annotated: bool = False, named_in: Path | None = None
) -> str:
    """The layout to take frames from, among those with folders in the manifest.

    Without a wanted one, layouts with annotated folders come first, then those whose images are not the dataset's own
    crops, then the order of the schema.

    Args:
        manifest: with folders.
        wanted: the id of a layout, or None.
        annotated: only layouts with annotated folders will do.
        named_in: what names the wanted layout, if it is not an option of the command line.

    Raises:
        MeDatasetsError: there is no such layout, or the manifest has no folders of it, or none at all.
    """
    known = [layout.id for layout in manifest.spec.layouts]
    if wanted is not None and wanted not in known:
        where = None if named_in is None else str(named_in)
        raise MeDatasetsError(f"there is no layout '{wanted}'", where=where, fix=f"choose one of {', '.join(known)}")
    with_annotations = {video.layout for video in manifest.videos if video.path and video.annotations}
    usable = with_annotations if annotated else {video.layout for video in manifest.videos if video.path}
    ranked = sorted(manifest.spec.layouts, key=lambda layout: (layout.id not in with_annotations, layout.cropped))
    chosen = next((layout.id for layout in ranked if layout.id in usable and wanted in (None, layout.id)), None)
    if chosen is None:
        raise MeDatasetsError(
            f"the manifest has no {'annotated ' if annotated else ''}folders of frames"
            + (f" of the layout '{wanted}'" if wanted else ""),
            fix="make it with me-datasets convert … --root FOLDER",
        )
    return chosen


def frame_rate(manifest: Manifest, video: Video) -> float:
    """The rate of a video's files, even if the annotations count at another (25 instead of 200)."""
    return video.fps if _annotated_fps(manifest) is None else manifest.spec.fps


def disk_frames(manifest: Manifest) -> Fraction:
    """Frames on disk per annotated frame: 8 for annotations at 25 frames a second of videos at 200, 1 usually."""
    fps = _annotated_fps(manifest)
    return Fraction(1) if fps is None else ratio(manifest.spec.fps, fps)


def _annotated_fps(manifest: Manifest) -> float | None:
    """The rate that the source of the annotations counts at, where that is not the videos' own."""
    variants = {variant.id: variant for variant in manifest.spec.workbook.variants}
    variant = variants.get(manifest.variant)
    return variant.frames.fps if variant is not None and variant.frames is not None else None


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

    A folder of a whole video begins with frame 0, even if its file is missing, unless its numbers are obviously counted
    from elsewhere. A folder of one expression begins with its first file, or the first that the manifest knows; where
    file numbers start again in every folder, that is the annotated onset.

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


def known_span(manifest: Manifest, video: Video) -> tuple[int, int]:
    """The first frame of a video and the last plus one, as far as the manifest knows; (0, 0) where it does not."""
    if video.path is None or video.layout is None:
        return 0, 0
    layout = manifest.spec.layout(video.layout)
    shift = _first_of(manifest, video)
    if layout.video_files:
        return shift, shift + (video.frames or 0)
    return _ends(video, {}, shift - layout.base, whole=layout.holds == "video")


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
    """The first frame of a video, and the last plus one.

    Files that the manifest knows are counted, since they are missing if they are no longer there; but a manifest cannot
    make a video longer than its number of files allows.
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
