"""The crop of a video by the detector that was asked for, and what is tried where it finds nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import FolderError, plural
from datasets_me.core.files import checksum
from datasets_me.extract.options import ExtractOptions
from datasets_me.extract.reader import FrameReader
from datasets_me.features.boxes import Box, FaceDetector
from datasets_me.features.crop import PADDINGS, Crop, Margin, Margins, choose_crop, crop_of_others, given_crop
from datasets_me.features.faces import detector
from datasets_me.formats.frame_files import FrameFiles, frame_files
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.schema.spec import Pad, Spec

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
    """The crop of a video and the detector that its landmarks start from.

    ``instead`` says why the detector that was asked for gave none and what was taken; None where it did.
    """

    crop: Crop
    finder: FaceDetector
    instead: str | None = None

    @property
    def padded(self) -> bool:
        """Whether the crop is a face with the room that the schema gives it."""
        return self.crop.source in ("sample", "all-frames") and not self.finder.finds_crops


def padding(spec: Spec, video: str) -> float | Pad:
    """The room around a video's face: the schema's, or its override for the video."""
    pads = [item.pad for item in spec.crop.overrides if fnmatchcase(video, item.video)]
    return pads[-1] if pads else spec.crop.pad


def margins(pad: Pad, usual: float) -> Margins:
    """Room of its own on each side; the usual one where the schema says nothing."""
    return Margins(*(_margin(usual if value is None else value) for _, value in pad))


def _margin(value: float | str) -> Margin:
    if isinstance(value, str):
        return Margin(px=math.inf if value == "edge" else float(value.removesuffix("px")))
    return Margin(part=value)


@dataclass(frozen=True)
class CropRule:
    """What decides the crops of a run; ``boxes`` are by video, for ``--faces boxes``."""

    manifest: Manifest
    root: Path
    options: ExtractOptions
    boxes: Mapping[str, Box]


def find_crop(
    rule: CropRule,
    video: Video,
    frames: FrameReader,
    shape: tuple[int, int],
    fallbacks: Sequence[Fallback] | None,
) -> Found | str:
    """The crop of a video.

    Args:
        rule: what decides it.
        video: the video.
        frames: its frames.
        shape: height and width of the frames to look at.
        fallbacks: boxes of the subject's other videos; None while they are not known yet.

    Returns:
        The crop, or why there is none as long as no fallbacks were given.
    """
    options, boxes = rule.options, rule.boxes
    framed = _framing(rule.manifest.spec, video.video, shape)
    if options.faces == "boxes":
        box = boxes.get(video.video)
        if box and _reaches(box, shape):
            finder = detector("boxes", box=box)
            shown = next(
                f for f in map(frames.__getitem__, range(len(frames))) if f is not None and f.shape[:2] == shape
            )
            return Found(given_crop(box, shown, finder), finder)
        name = options.boxes.name if options.boxes else "the boxes"
        lack = f"its box in {name} lies outside its frames" if box else f"there is no box for it in {name}"
    elif options.faces == "published-crop":
        pool, crops = published_crops(rule.manifest, video, frames, rule.root)
        lack = "there is no published crop of it"
        if any(frame is not None and frame.shape[:2] == shape for frame in pool):
            finder = detector("published-crop", crops=crops)
            crop = framed(pool, finder)
            if crop.face is not None:
                return Found(crop, finder)
            lack = f"{plural(len(crops), 'published crop')} of it cannot be found in its frames"
    else:
        finder = detector(options.faces, weights=options.weights)
        crop = framed(frames, finder, fallbacks=_fitting(fallbacks, shape))
        return f"{options.faces} finds no face" if crop.face is None and fallbacks is None else Found(crop, finder)
    return lack if fallbacks is None else _instead(frames, shape, framed, lack, fallbacks)


def _framing(spec: Spec, video: str, shape: tuple[int, int]) -> Callable[..., Crop]:
    """`choose_crop` with the room that a video's face is to have, for frames of this height and width."""
    pad = padding(spec, video)
    if isinstance(pad, Pad):
        return partial(choose_crop, shape=shape, margins=margins(pad, spec.crop.pad))
    return partial(choose_crop, shape=shape, paddings=(pad, *(wider for wider in PADDINGS if wider > pad)))


def _instead(
    frames: FrameReader,
    shape: tuple[int, int],
    framed: Callable[..., Crop],
    lack: str,
    fallbacks: Sequence[Fallback],
) -> Found:
    """The crop of a video for which there is no box: that of its subject's other videos, or what dlib finds."""
    dlib = detector("dlib")
    if fallbacks:
        crop = crop_of_others(_fitting(fallbacks, shape), shape)
        return Found(crop, dlib, f"{lack}; taken instead: {crop.tried['subject']} of its subject")
    crop = framed(frames, dlib)
    taken = "the face that dlib finds" if crop.face is not None else "the whole frame, as dlib finds no face"
    return Found(crop, dlib, f"{lack}, and there is none for another video of its subject; taken instead: {taken}")


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
    """The raw frames of a video that the dataset's own crops are found in best, and those crops.

    The crops are from the middle of some of its expressions; the frames have the same numbers.
    """
    by_number = {number: index for index, number in enumerate(frames.numbers)}
    raw: list[Image | None] = []
    crops: list[Image] = []
    for number, crop_files in _crop_files(manifest, video, frames.files, root):
        image = crop_files.read(number, colour=frames.colour)[0]
        if image is not None:
            crops.append(image)
            raw.append(frames[by_number.get(number, len(frames) // 2)])
    return raw, crops


def crops_digest(manifest: Manifest, video: Video, files: FrameFiles, root: Path) -> list[str]:
    """What `published_crops` depends on: the contents of the crops."""
    return [
        _content(crop_files.folder / crop_files.names[number])
        for number, crop_files in _crop_files(manifest, video, files, root)
    ]


def _content(path: Path) -> str:
    try:
        return checksum(path)
    except OSError:
        return "cannot be read"


def _crop_files(manifest: Manifest, video: Video, files: FrameFiles, root: Path) -> Iterator[tuple[int, FrameFiles]]:
    """Numbers and folders of the published crops that are looked for; a folder that is not there has none."""
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
            crop_files = frame_files(manifest, folder, root)
        except FolderError:
            continue
        numbers = [number for number in crop_files.names if number in files.names] or sorted(crop_files.names)
        if numbers:
            middle = numbers[len(numbers) // 2]
            yield middle, crop_files
