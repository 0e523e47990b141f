"""What an extraction is asked to do, checked before any work begins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from datasets_me.core.choices import LANDMARKS_EVERY, Detector, Device, Head, Preset
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.rates import ratio, shown
from datasets_me.features.boxes import Box, DetectorError, read_boxes
from datasets_me.features.faces import NAMES, detector, model_file, sha256
from datasets_me.features.landmarks import MODEL
from datasets_me.features.regions import REGION_SETS
from datasets_me.features.video import PRESETS
from datasets_me.formats.frame_files import frame_rate, measurable
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video

ALGORITHM = 9
"""Raised when the same options give other numbers than before, so that old results are not kept."""


SLOW = 50.0
"""Frames a second up to which a step of one frame is well above the noise (``benchmarks/fidelity.py``)."""

FIELD_RATE = 25.0
"""Frames a second that fast videos are usually brought to, as SAMM Long Videos by every published spotter."""


class ExtractOptions(BaseModel):
    """What decides the numbers of an extraction, besides the frames.

    ``fps`` is the rate that frames are taken at, null for all of them; ``temporal`` and ``head`` null are the
    preset's; ``layout`` null is the first layout of the schema, crops aside, that has annotated folders;
    ``landmarks`` is a folder of tables of another tool, null where landmarks are predicted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: Preset = "default"
    step: int = Field(1, ge=1)
    temporal: int | None = None
    head: Head | None = None
    landmarks_every: int = Field(LANDMARKS_EVERY, ge=1)
    fps: float | None = None
    regions: str = "twelve"
    aligned: bool = False
    faces: Detector = "dlib"
    weights: Path | None = None
    boxes: Path | None = None
    landmarks: Path | None = None
    layout: str | None = None
    device: Literal["cpu", "cuda"] = "cpu"

    @property
    def colour(self) -> bool:
        """Whether frames are decoded in colour: where the published scripts or the detector do."""
        return PRESETS[self.preset].published or self.faces == "yunet"


def check_options(options: ExtractOptions) -> dict[str, Box]:
    """Refuse what cannot be done; returns the boxes of the file that was given, if any.

    Raises:
        MeDatasetsError: an unknown preset, region set or detector; a detector without what it needs; a missing model.
    """
    for what, name, known in (
        ("preset", options.preset, tuple(PRESETS)),
        ("set of regions", options.regions, tuple(REGION_SETS)),
        ("face detector", options.faces, NAMES),
    ):
        if name not in known:
            raise MeDatasetsError(f"unknown {what} '{name}'", fix=f"choose one of {', '.join(known)}")
    if options.temporal is not None and (options.preset != "default" or options.temporal % 2 == 0):
        raise MeDatasetsError(
            f"--temporal {options.temporal} cannot be had: it is an odd number of pairs, for the preset default"
        )
    if options.head == "rigid" and PRESETS[options.preset].published:
        raise MeDatasetsError(
            f"--head rigid is not for --preset {options.preset}, which is the published form",
            fix="leave --head out, or take --preset default",
        )
    model_file(MODEL)
    if options.faces in ("dlib", "haar", "yunet"):
        detector(options.faces, weights=options.weights)
    if (options.boxes is None) == (options.faces == "boxes"):
        raise DetectorError("--faces boxes and --boxes FILE belong together")
    if options.landmarks is not None and (options.faces != "dlib" or PRESETS[options.preset].published):
        raise DetectorError(
            "--landmarks says where the face is, and is not for the published form",
            fix="leave out --faces, and take another --preset than auwgcn",
        )
    if options.weights is not None and options.faces != "yunet":
        raise DetectorError("--weights is for --faces yunet")
    return read_boxes(options.boxes) if options.boxes else {}


def environment(options: ExtractOptions) -> dict[str, str]:
    """The software and models that the numbers depend on: versions and SHA-256."""
    import dlib

    versions = {
        "algorithm": str(ALGORITHM),
        "opencv": cv2.__version__,
        "numpy": np.__version__,
        "dlib": str(dlib.__version__),
        MODEL: sha256(model_file(MODEL)),
    }
    return versions | ({"weights": sha256(options.weights.resolve())} if options.weights else {})


def record(options: ExtractOptions) -> dict[str, Any]:
    """The options as they are written down; of files their names, and of the head what the preset takes."""
    raw = options.model_dump(mode="json") | {"head": options.head or PRESETS[options.preset].head}
    return raw | {name: raw[name] and Path(raw[name]).name for name in ("weights", "boxes", "landmarks")}


def automatic_step(manifest: Manifest, fps: float | None) -> int:
    """Half the mean length of the micro-expressions in frames, rounded down as published, at least 1.

    Half a length is how far the apex lies from the onset, so that the motion of a step is the largest one. The rule is
    that of the AUW-GCN scripts (Yin et al., ACM MM 2023), ``int(mean // 2)``; it gives 6 for CAS(ME)².

    Raises:
        MeDatasetsError: no micro-expression has both ends, or the frames are taken at several rates.
    """
    there = {frame_rate(manifest, video) for video in manifest.videos if video.path} or {manifest.spec.fps}
    rates = sorted({min(rate, fps or rate) for rate in there})
    if len(rates) > 1:
        raise MeDatasetsError(
            f"--step auto needs frames of one rate, and these are taken at {', '.join(f'{rate:g}' for rate in rates)} "
            "a second",
            fix=f"take all frames at one rate, with --fps {rates[0]:g}, or give --step as a number",
        )
    step = half_expression(manifest, rates[0])
    if step is None:
        raise MeDatasetsError(
            "--step auto needs the length of micro-expressions, and no annotation has one",
            fix="give --step as a number",
        )
    return step


def usual_step(manifest: Manifest, fps: float | None) -> int:
    """The step that shows motion at the rate that the field works at: 1 for slow cameras, 8 for 200 frames a second.

    At 200 frames a second a micro-expression moves less from one frame to the next than noise does. With videos of
    several rates it is that of the slowest.
    """
    there = {frame_rate(manifest, video) for video in manifest.videos if video.path} or {manifest.spec.fps}
    rate = min(min(rate, fps or rate) for rate in there)
    return int(rate // FIELD_RATE) if rate > SLOW else 1


def half_expression(manifest: Manifest, rate: float) -> int | None:
    """Half the mean length of the micro-expressions in frames at a rate, at least 1; None if no length is known."""
    lengths = [row.length * rate / row.fps for row in measurable(manifest) if row.type == "micro" and row.length]
    return max(1, int(sum(lengths) / len(lengths) // 2)) if lengths else None


def choose_device(name: Device, preset: Preset) -> Literal["cpu", "cuda"]:
    """The device for ``auto``, ``cpu`` or ``cuda``: a GPU for the preset ``tvl1``, where there is one.

    The other presets stay on the CPU, unless ``auwgcn`` is asked to go: its flow is OpenCV's to the last bit only
    there, and the default's takes about a millisecond a frame.

    Raises:
        MeDatasetsError: cuda was asked for, and this preset's flow cannot be computed there, or there is none.
    """
    if name == "cpu" or (name == "auto" and preset != "tvl1"):
        return "cpu"
    if PRESETS[preset].method != "tvl1":
        raise MeDatasetsError(
            f"the flow of --preset {preset} is computed on the CPU only",
            fix="leave --device out, or take --preset tvl1",
        )
    try:
        import torch

        there = torch.cuda.is_available()
    except ImportError:
        there = False
    if not there and name == "cuda":
        raise MeDatasetsError("torch is not installed, or sees no CUDA device", fix="leave --device out")
    return "cuda" if there else "cpu"


def taken(start: int, end: int, rate: float, fps: float | None) -> tuple[int, list[int]]:
    """Which frames are taken at another rate: the 0-based number of the first at that rate, and the frames' own.

    Frame k at the rate ``fps`` is frame ``floor(k * rate / fps)``: every 8th from 200 to 25, as the field does it.
    """
    if fps is None or fps >= rate:
        return start, list(range(start, end))
    step = ratio(rate, fps)
    first, last = math.ceil(start / step), math.ceil(end / step)
    return first, [shown(k, step) for k in range(first, last)]


def check_rate(manifest: Manifest, videos: Sequence[Video], options: ExtractOptions) -> None:
    """Refuse a rate above that of every video.

    Raises:
        MeDatasetsError: there are not so many frames.
    """
    highest = max(frame_rate(manifest, video) for video in videos)
    if options.fps is not None and options.fps > highest:
        raise MeDatasetsError(f"--fps {options.fps:g} is above the {highest:g} frames a second of the videos")


def rate_of(manifest: Manifest, video: Video, options: ExtractOptions) -> float:
    """The rate of the frames that are taken."""
    rate = frame_rate(manifest, video)
    return rate if options.fps is None else min(rate, options.fps)
