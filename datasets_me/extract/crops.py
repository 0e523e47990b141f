"""The crop of a video by the detector that was asked for, and what is tried where it finds nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import FolderError
from datasets_me.core.files import checksum
from datasets_me.extract.options import ExtractOptions
from datasets_me.extract.reader import FrameReader, read_image
from datasets_me.features.boxes import Box, CallableDetector, FaceDetector
from datasets_me.features.crop import PADDINGS, Crop, choose_crop, given_crop
from datasets_me.features.faces import detector
from datasets_me.formats.frame_files import FrameFiles, frame_files
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.schema.spec import Spec

Image = NDArray[np.uint8]

PUBLISHED_CROPS = 3
"""Published crops looked for per video: one may fail where the crop was also turned or warped."""


class Fallback(NamedTuple):
    """A box of another video of the subject, and the size of that video's frames in px."""

    box: Box
    width: int
    height: int


@dataclass(frozen=True)
class Found:
    """The crop of a video and the detector that its landmarks start from."""

    crop: Crop
    finder: FaceDetector


def padding(spec: Spec, video: str) -> float:
    """The least margin around a video's face, in sides of its box: the schema's, or its override for the video."""
    pads = [item.pad for item in spec.crop.overrides if fnmatchcase(video, item.video)]
    return max(pads) if pads else spec.crop.pad


def find_crop(
    manifest: Manifest,
    video: Video,
    frames: FrameReader,
    shape: tuple[int, int],
    root: Path,
    options: ExtractOptions,
    boxes: Mapping[str, Box],
    fallbacks: Sequence[Fallback] | None,
) -> Found | str:
    """The crop of a video.

    Args:
        shape: height and width of the frames to look at.
        boxes: by video, for ``--faces boxes``.
        fallbacks: boxes of the subject's other videos; None while they are not known yet.

    Returns:
        The crop, or why there is none as long as no fallbacks were given.
    """
    pad = padding(manifest.spec, video.video)
    margins = (pad, *(margin for margin in PADDINGS if margin > pad))
    pool: Sequence[Image | None] = frames
    finder: FaceDetector | None = None
    if options.faces == "published-crop":
        pool, crops = published_crops(manifest, video, frames, root)
        finder = detector("published-crop", crops=crops) if crops else None
    elif options.faces == "boxes":
        box = boxes.get(video.video)
        finder = detector("boxes", box=box) if box and _reaches(box, shape) else None
    else:
        finder = detector(options.faces, weights=options.weights)
    if finder is not None:
        if options.faces == "boxes":
            shown = next(
                f for f in map(frames.__getitem__, range(len(frames))) if f is not None and f.shape[:2] == shape
            )
            return Found(given_crop(boxes[video.video], shown, finder), finder)
        crop = choose_crop(pool, finder, shape=shape, fallbacks=_fitting(fallbacks, shape), paddings=margins)
        if crop.face is not None or (fallbacks is not None and not finder.finds_crops):
            return Found(crop, finder)
    if fallbacks is None:
        return f"{options.faces} has no box" if finder is None else f"{options.faces} finds no face"
    if fallbacks:
        nothing = CallableDetector("subject", lambda image: [], finds_crops=True)
        boxes_of_others = _fitting(fallbacks, shape)
        return Found(choose_crop(frames, nothing, shape=shape, fallbacks=boxes_of_others), detector("dlib"))
    return Found(choose_crop(frames, detector("dlib"), shape=shape, paddings=margins), detector("dlib"))


def _reaches(box: Box, shape: tuple[int, int]) -> bool:
    """Whether some of a box lies in a frame of this height and width."""
    return box.x0 < shape[1] and box.y0 < shape[0] and box.x1 > 0 and box.y1 > 0


def _fitting(fallbacks: Sequence[Fallback] | None, shape: tuple[int, int]) -> list[Box]:
    """The boxes from frames of this height and width; if there are none, those of others, scaled."""
    same = [item.box for item in fallbacks or () if (item.height, item.width) == shape]
    return same or [
        Box(
            item.box.x0 * shape[1] / item.width,
            item.box.y0 * shape[0] / item.height,
            item.box.x1 * shape[1] / item.width,
            item.box.y1 * shape[0] / item.height,
        )
        for item in fallbacks or ()
    ]


def published_crops(
    manifest: Manifest, video: Video, frames: FrameReader, root: Path
) -> tuple[list[Image | None], list[Image]]:
    """The dataset's own crops of a video, from the middle of some of its expressions, and the raw frames of the same
    numbers, which they are found in best.
    """
    by_number = {number: index for index, number in enumerate(frames.numbers)}
    raw: list[Image | None] = []
    crops: list[Image] = []
    for number, path in _crop_files(manifest, video, frames.files, root):
        image = read_image(path, colour=frames.colour)[0]
        if image is not None:
            crops.append(image)
            raw.append(frames[by_number.get(number, len(frames) // 2)])
    return raw, crops


def crops_digest(manifest: Manifest, video: Video, files: FrameFiles, root: Path) -> list[str]:
    """What `published_crops` depends on: the contents of the crops."""
    return [_content(path) for _, path in _crop_files(manifest, video, files, root)]


def _content(path: Path) -> str:
    try:
        return checksum(path)
    except OSError:
        return "cannot be read"


def _crop_files(manifest: Manifest, video: Video, files: FrameFiles, root: Path) -> Iterator[tuple[int, Path]]:
    """Numbers and files of the published crops that are looked for; a folder that is not there has none."""
    cropped = {layout.id for layout in manifest.spec.layouts if layout.cropped}
    folders = [
        other
        for other in manifest.videos
        if other.layout in cropped
        and other.path
        and other.video == video.video
        and video.expression in (None, other.expression)
    ]
    for folder in folders[:PUBLISHED_CROPS]:
        try:
            own = frame_files(manifest, folder, root)
        except FolderError:
            continue
        numbers = [number for number in own.names if number in files.names] or sorted(own.names)
        if numbers:
            middle = numbers[len(numbers) // 2]
            yield middle, own.folder / own.names[middle]
