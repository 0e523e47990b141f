"""From the frames of one video to its features, in one pass and in constant memory.

Everything here works on arrays: ``extract_video(frames)`` needs neither files nor a manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntFlag
from types import MappingProxyType
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.choices import LANDMARKS_EVERY, FlowMethod, Head
from datasets_me.features.boxes import Box, FaceDetector, checked_box
from datasets_me.features.crop import Crop, choose_crop, given_crop
from datasets_me.features.faces import detector, landmark_detector
from datasets_me.features.flow import STORED_RANGE, TEMPORAL, flow_stream
from datasets_me.features.landmarks import FIRST_REST, SMOOTHING, Tracker, bridged
from datasets_me.features.mdmo import RegionMotion, scaled_radius
from datasets_me.features.regions import LANDMARKS, REGION_SETS, TWELVE, RegionSet
from datasets_me.features.stages import (
    Log,
    Pictures,
    Rule,
    add_given,
    add_tracked,
    align_all,
    around,
    common_shape,
    crop_all,
    first_width,
    fits,
    measured_width,
    peek,
    reduce_all,
)
from datasets_me.features.trust import skin, watched

Image = NDArray[np.uint8]
Value = str | int | float | bool | None
HEADS: tuple[Head, ...] = get_args(Head)


class Quality(IntFlag):
    """What is wrong with a frame; 0 is a good one."""

    MISSING = 1
    """The frame could not be read, is not an 8-bit picture, or has another size than the rest."""
    NO_FACE = 2
    """No landmarks of its own that can be believed; they are interpolated."""
    CLIPPED = 4
    """A window reaches over the edge of the crop."""


@dataclass(frozen=True)
class Preset:
    """One way to compute features.

    Attributes:
        method: the optical flow.
        head: what is taken for the motion of the head.
        temporal: pairs averaged by ``lk``.
        published: the published form throughout: flow through 8-bit JPEG files in units of 20 px, landmarks
            of the pair's second frame in whole pixels and not smoothed, the exact rule of ``mdmo``.
    """

    method: FlowMethod
    head: Head
    temporal: int = TEMPORAL
    published: bool = False


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "default": Preset("lk", "rigid"),
        "tvl1": Preset("tvl1", "translation"),
        "auwgcn": Preset("tvl1", "translation", published=True),
        "dis": Preset("dis", "rigid"),
        "farneback": Preset("farneback", "rigid"),
    }
)
"""``default`` is the most accurate; ``tvl1`` the published flow without its 8-bit files; ``auwgcn`` the published
form; ``dis`` and ``farneback`` are OpenCV's other flows."""


@dataclass(frozen=True)
class Features:
    """What is known of a video of T frames.

    Attributes:
        feature: (T - step, R, 2) float32, x and y of each region in units of ``unit_px``; NaN where a frame of
            the pair is missing or shows no face at all, no face was seen by then, or a window lies outside
            the crop.
        global_motion: (T - step, 2) float32, the motion of the head that was subtracted, in the same unit.
        landmarks: (T, 68, 2) float32 in px of the raw frames; interpolated where ``quality`` says NO_FACE, NaN
            if there were none in the whole video.
        residual: (T,) float32, the landmarks' doubt (see ``landmarks.predict``); NaN for missing frames and
            for given landmarks, infinite where no face was found.
        quality: (T,) uint8, flags of ``Quality``. Feature i rests on the frames i and i + step.
        clipped: (T - step, R) bool, windows that were cut at the edge of the crop.
        valid: (T - step, R) bool, the motion is known and believed to be that of the skin: both frames have landmarks,
            or a frame near enough to fill in for them does, the region looks in both as it mostly does, and skin can
            move so fast (see ``trust``).
        box: the crop in px of the raw frames.
        crop: how the box was found, or None if landmarks were given and no box.
        unit_px: px per unit of ``feature``: 1, or 20 for the published form.
        method: what the numbers depend on, for the record.
    """

    feature: NDArray[np.float32]
    global_motion: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    residual: NDArray[np.float32]
    quality: NDArray[np.uint8]
    clipped: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    box: Box
    crop: Crop | None
    unit_px: float
    method: Mapping[str, Value]


@dataclass(frozen=True)
class VideoOptions:
    """How the features of a video are computed.

    Attributes:
        preset: ``default`` (least squares, px), ``tvl1`` (DualTVL1, px), ``auwgcn`` (the published form), or OpenCV's
            ``dis`` and ``farneback`` (px).
        step: distance of the two frames of a pair.
        temporal: another number of neighbouring pairs for ``lk`` than the preset's; 1 is the strict form.
        head: another motion of the head than the preset's: ``rigid`` is fitted all over the face, with roll, zoom and
            turns, and the features are means of the windows (``rigid_free``); ``translation`` is that of the nose, and
            the features are main directions (``mdmo``), as published.
        regions: the table of windows, or the name of one of ``regions.REGION_SETS``.
        radius: half the side of the windows in px instead of the table's, or ``scaled`` with the face (see
            ``mdmo.scaled_radius``).
        landmarks_every: landmarks are predicted in every so many frames while the picture holds still, and interpolated
            between; the published form predicts them in every frame.
        aligned: warp each frame onto the first by the stable landmarks before the flow is computed.
        device: ``cpu``, or a device of torch for the presets with TV-L1; see ``flow.flow_stream``.

    Raises:
        ValueError: for an unknown preset, motion of the head or set of regions, or the published form without its own.
    """

    preset: str = "default"
    step: int = 1
    temporal: int | None = None
    head: Head | None = None
    regions: RegionSet | str = TWELVE
    radius: int | Literal["scaled"] | None = None
    landmarks_every: int = LANDMARKS_EVERY
    aligned: bool = False
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f"unknown preset {self.preset!r}; choose one of {', '.join(PRESETS)}")
        if self.head not in (None, *HEADS):
            raise ValueError(f"unknown motion of the head {self.head!r}; choose one of {', '.join(HEADS)}")
        if PRESETS[self.preset].published and self.head == "rigid":
            raise ValueError(f"the preset {self.preset} is the published form, with head 'translation'")
        if self.landmarks_every < 1:
            raise ValueError(f"landmarks_every is a number of frames and at least 1, not {self.landmarks_every}")
        if isinstance(self.regions, str) and self.regions not in REGION_SETS:
            raise ValueError(f"unknown set of regions {self.regions!r}; choose one of {', '.join(REGION_SETS)}")

    @property
    def chosen(self) -> Preset:
        """The preset, with the number of pairs and the motion of the head that were asked for."""
        preset = PRESETS[self.preset]
        temporal = preset.temporal if self.temporal is None else self.temporal
        return replace(preset, temporal=temporal, head=self.head or preset.head)

    @property
    def table(self) -> RegionSet:
        """The table of windows."""
        return REGION_SETS[self.regions] if isinstance(self.regions, str) else self.regions


def extract_video(
    frames: Iterable[Image | None],
    landmarks: NDArray[np.generic] | None = None,
    options: VideoOptions = VideoOptions(),
    *,
    box: Box | Crop | Sequence[float] | NDArray[np.generic] | None = None,
    face_detector: FaceDetector | None = None,
    fallbacks: Sequence[Box] = (),
    shape: tuple[int, int] | None = None,
) -> Features:
    """Compute the features of one video.

    Args:
        frames: T frames in order, (H, W) or (H, W, 3) BGR uint8, from any iterable: they are read once and a
            few are held at a time. None, another type or another size is a bad frame, which is marked and
            skipped. In a sequence, the box is looked for in frames spread over the whole video, else in the
            first 16.
        landmarks: (T, 68, 2) in px of the raw frames, to use instead of detecting any; NaN where unknown.
        box: the crop, in px of the raw frames, or what ``choose_crop`` gave. Without it and without landmarks
            it is found by ``choose_crop``; with landmarks only, it is drawn around them, and in the published
            form the whole frame is used. Four numbers x0, y0, x1, y1 are a box as well.
        face_detector: dlib's by default.
        fallbacks: boxes of the subject's other videos, for ``choose_crop``.
        shape: height and width that frames must have; by default what most of the first 16 have.

    Raises:
        ValueError: for a bad option, a box without area or outside the frames, no frames at all, none that is an
            8-bit picture, or landmarks whose number is not that of the frames.
        DetectorError: if the detector or the landmark model is not installed.
    """
    given = _checked_landmarks(landmarks)
    finder = detector("dlib") if face_detector is None else face_detector
    head, stream = peek(frames)
    shape = common_shape(head) if shape is None else shape
    if shape is None:
        _refuse_no_picture(head)
    crop = _crop(frames, head, shape, given, box, finder, fallbacks)
    area = _area(crop, shape, given, options.chosen.published)
    log = Log()
    grey = crop_all(stream, shape, area, log)
    if given is None:
        tracker = _tracker(area, crop, finder, options)
        face_width = first_width(crop_all(head, shape, area, Log()), tracker)
        pictures = add_tracked(grey, tracker, 0.0 if options.chosen.published else SMOOTHING, log, area)
    else:
        face_width = measured_width(given)
        pictures = add_given(grey, given - np.array([area.x0, area.y0], np.float32), log)
    radius = scaled_radius(face_width, options.table) if options.radius == "scaled" else options.radius
    motion = _motion(pictures, log, area, options, face_width, radius)
    if not log.missing:
        raise ValueError("there are no frames")
    if given is not None and len(given) != len(log.missing):
        raise ValueError(f"landmarks of {len(given)} frames for a video of {len(log.missing)}")
    method = _record(options, face_width, radius, finder, given is not None)
    return _features(log, motion, options, area, crop, method)


def _checked_landmarks(landmarks: NDArray[np.generic] | None) -> NDArray[np.float32] | None:
    given = None if landmarks is None else np.asarray(landmarks, np.float32)
    if given is not None and (given.ndim != 3 or given.shape[1:] != (LANDMARKS, 2)):
        raise ValueError(f"landmarks must have the shape (T, {LANDMARKS}, 2), not {given.shape}")
    return given


def _refuse_no_picture(head: Sequence[Image | None]) -> None:
    """Say what the frames are, where there are some and not one is a picture."""
    odd = next((frame for frame in head if frame is not None), None)
    if odd is not None:
        kind = f"{odd.dtype} {odd.shape}" if isinstance(odd, np.ndarray) else type(odd).__name__
        raise ValueError(f"no frame is a picture (H, W) or (H, W, 3) of uint8; the first is {kind}")


def _crop(
    frames: Iterable[Image | None],
    head: Sequence[Image | None],
    shape: tuple[int, int] | None,
    given: NDArray[np.float32] | None,
    box: Box | Crop | Sequence[float] | NDArray[np.generic] | None,
    finder: FaceDetector,
    fallbacks: Sequence[Box],
) -> Crop | None:
    """The crop that was given or is found; None where landmarks say where to look, or there is no picture."""
    if isinstance(box, Crop):
        return box
    if shape is None:
        return None
    if box is not None:
        return given_crop(checked_box(box, shape), _first(frames, head, shape), finder)
    if given is not None:
        return None
    pool = frames if isinstance(frames, Sequence | np.ndarray) else head
    return choose_crop(pool, finder, shape=shape, fallbacks=fallbacks)


def _area(crop: Crop | None, shape: tuple[int, int] | None, given: NDArray[np.float32] | None, published: bool) -> Box:
    """The part of the frames that is looked at, in px."""
    if crop is not None:
        return crop.box
    height, width = (1, 1) if shape is None else shape
    if given is not None and not published:
        return around(given, height, width)
    return Box(0, 0, width, height)


def _tracker(area: Box, crop: Crop | None, finder: FaceDetector, options: VideoOptions) -> Tracker:
    """What finds landmarks in the crop."""
    detector = landmark_detector(finder)
    face = None
    if crop is not None and crop.face is not None and finder.name == detector.name:
        x, y = float(area.x0), float(area.y0)
        face = Box(crop.face.x0 - x, crop.face.y0 - y, crop.face.x1 - x, crop.face.y1 - y)
    # where the whole video was looked through for the crop, the first frames have no face either
    looked = crop is not None and crop.source == "whole-frame"
    every = 1 if options.chosen.published else options.landmarks_every
    return Tracker(detector, face, every, rest=FIRST_REST if looked else 1)


def _motion(
    pictures: Pictures, log: Log, area: Box, options: VideoOptions, face_width: float | None, radius: int | None
) -> RegionMotion:
    chosen = options.chosen
    if options.aligned:
        pictures = align_all(pictures, log)
    fields = flow_stream(
        watched(pictures, log.points, options.table, face_width or area.width * 2 / 3, log.patches),
        chosen.method,
        step=options.step,
        temporal=chosen.temporal,
        face_width=face_width,
        device=options.device,
        landmarks=log.points,
    )
    rule = Rule(
        options.table,
        radius,
        rigid=chosen.head == "rigid",
        shift=options.step if chosen.published else 0,
        published=chosen.published,
    )
    return reduce_all(fields, log, (int(area.height), int(area.width)), rule)


def _features(
    log: Log, motion: RegionMotion, options: VideoOptions, area: Box, crop: Crop | None, method: Mapping[str, Value]
) -> Features:
    published, step = options.chosen.published, options.step
    corner = np.array([area.x0, area.y0], np.float32)
    quality = _quality(log, motion, published, step)
    unit = 2 * STORED_RANGE if published else 1.0
    width = float(method["face_width"] or area.width * 2 / 3)
    placed = ~np.array(log.missing) & np.array(log.near)
    count = len(motion.feature)
    both = placed[:count] & placed[step : step + count]
    return Features(
        feature=motion.feature,
        global_motion=motion.global_motion,
        landmarks=bridged(np.stack(log.unaligned) + corner, np.array(log.near)),
        residual=np.array(log.residual, np.float32),
        quality=quality,
        clipped=motion.clipped,
        valid=motion.valid & both[:, None] & skin(log.patches, motion, step, width / unit),
        box=area,
        crop=crop,
        unit_px=unit,
        method=method,
    )


def _record(
    options: VideoOptions, face_width: float | None, radius: int | None, finder: FaceDetector, given: bool
) -> Mapping[str, Value]:
    """What the numbers depend on."""
    chosen, regions = options.chosen, options.table
    return MappingProxyType(
        {
            "preset": options.preset,
            "flow": chosen.method,
            "temporal": chosen.temporal if chosen.method == "lk" else 1,
            "head": chosen.head,
            "step": options.step,
            "device": options.device,
            "regions": regions.name,
            "radius": regions.radius if radius is None else radius,
            "aligned": options.aligned,
            "landmarks": "given" if given else "dlib-68",
            "landmarks_every": 1 if given or chosen.published else options.landmarks_every,
            "detector": finder.name,
            "face_width": face_width,
            "opencv": cv2.__version__,
        }
    )


def _first(frames: Iterable[Image | None], head: Sequence[Image | None], shape: tuple[int, int]) -> Image:
    """A frame of that shape, from the beginning if there is one."""
    rest = frames if isinstance(frames, Sequence | np.ndarray) else ()
    fitting = (frame for part in (head, (rest[i] for i in range(len(rest)))) for frame in part if fits(frame, shape))
    found = next(fitting, None)
    if found is None:
        raise ValueError(f"no frame of {shape[1]} x {shape[0]} px was found to look for the face in")
    return found


def _quality(log: Log, motion: RegionMotion, published: bool, step: int) -> NDArray[np.uint8]:
    quality = np.array(log.missing) * np.uint8(Quality.MISSING)
    quality |= ~np.array(log.own) * np.uint8(Quality.NO_FACE)
    cut = np.asarray(motion.clipped.any(axis=1))
    shift = step if published else 0
    quality[shift : shift + len(cut)] |= cut * np.uint8(Quality.CLIPPED)
    return quality
