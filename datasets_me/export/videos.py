"""The videos of a folder of features with their annotations, at the frame rate of the export."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets_me.core import rates
from datasets_me.core.errors import FeaturesError, plural
from datasets_me.core.paths import safe_name
from datasets_me.export.labels import Span
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.frame_files import frame_rate
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, Video, VideoFeatures

UNSEEN = 3
"""`features.video.Quality` MISSING and NO_FACE: the motion of such frames is not measured."""

LENGTH_FRAMES = 16
LENGTH_SHARE = 0.05
"""How far the length of an array from elsewhere may be from its video's, in frames and as a fraction, before its frame
rate is doubted: extractors leave out a few frames at the ends, while frame rates differ by a fifth or more."""


@dataclass(frozen=True)
class Source:
    """One video of a folder of features, and its annotations in the order of the manifest."""

    row: VideoFeatures
    annotations: tuple[Annotation, ...]


@dataclass(frozen=True)
class Loaded:
    """The features of a video, and which of them are reliable.

    Attributes:
        span: the frames that they cover.
        feature: (n, R, 2) float32, NaN where unknown.
        valid: (n, R) bool, the motion is known, and believed to be that of the skin.
        good: (n,) bool, the frames show a face, the motion of all regions is known, and that of one at least is valid.
        sha256: hash of the numbers of the stored array.
    """

    span: Span
    feature: NDArray[np.float32]
    valid: NDArray[np.bool_]
    good: NDArray[np.bool_]
    sha256: str


def match(manifest: Manifest, features: FeatureFolder) -> tuple[list[Source], list[Finding]]:
    """The videos that have features, with their annotations; findings about features or annotations without the other.

    Raises:
        FeaturesError: no video has features, or none of those that have is in the manifest.
    """
    by_video: dict[str, list[Annotation]] = {}
    for annotation in manifest.annotations:
        by_video.setdefault(annotation.video, []).append(annotation)
    subjects = {video.video: video.subject for video in manifest.videos}
    subjects |= {video: rows[0].subject for video, rows in by_video.items()}
    present = [row for row in features.rows if row.features is not None]
    if features.rows and not present:
        first = features.rows[0]
        raise FeaturesError(
            f"no video has features; the first of {plural(len(features.rows), 'video')}, {first.name}, "
            f"has none because: {first.why or first.status}",
            where=str(features.folder),
            fix="look at the findings of the extraction, and run it again",
        )
    if not any(row.video in subjects for row in present):
        raise FeaturesError(
            "none of the features belong to a video of the manifest"
            + (f": they are of {', '.join(row.video for row in present[:3])}" if present else "")
            + (f"; the manifest has {', '.join(list(by_video)[:3])}" if by_video else ""),
            where=str(features.folder),
            fix="name the arrays <subject>/<video>.npy, as the manifest does",
        )
    sources, findings = [], []
    for row in (row for row in present if not manifest.leaves_out(row.video)):
        subject = subjects.get(row.video, row.subject)
        if row.video not in subjects:
            message = f"{row.subject}/{row.name} is not in the manifest; taken as a video without expressions"
            findings.append(finding("ME502", message, subject=row.subject, video=row.video, path=row.features))
        elif subject is not None and subject != row.subject:
            message = f"{row.name} lies under {row.subject}; the manifest has it under {subject}, which is taken"
            findings.append(finding("ME502", message, subject=subject, video=row.video, path=row.features))
        annotations = [a for a in by_video.get(row.video, []) if row.expression in (None, a.expression)]
        sources.append(Source(row.model_copy(update={"subject": subject or row.subject}), tuple(annotations)))
    lengths = () if features.extracted else _lengths(manifest, sources)
    return sources, [*manifest.notices, *findings, *lengths, *_without(by_video, features, sources)]


def folder_of(row: VideoFeatures) -> str:
    """The name of a subject's folder: the subject as a safe name."""
    return safe_name(row.subject)


def _without(
    by_video: dict[str, list[Annotation]], features: FeatureFolder, sources: list[Source]
) -> Iterator[Finding]:
    reached = {annotation.id for source in sources for annotation in source.annotations}
    why = {row.video: row.why or row.status for row in features.rows if row.features is None}
    for video, rows in by_video.items():
        lost = [row for row in rows if row.id not in reached]
        if lost:
            reason = why.get(video, "there is no array")
            message = f"{plural(len(lost), 'annotation')} of {video} without features: {reason}"
            yield finding("ME501", message, subject=rows[0].subject, video=video)


def _lengths(manifest: Manifest, sources: list[Source]) -> Iterator[Finding]:
    """Findings about arrays from elsewhere whose length does not fit their video at the rate they are taken to have."""
    videos: dict[str, list[Video]] = {}
    for video in manifest.videos:
        if video.frames:
            videos.setdefault(video.video, []).append(video)
    for row in (source.row for source in sources):
        expected = [
            round(count * row.fps / frame_rate(manifest, video))
            for video in videos.get(row.video, ())
            if video.expression in (None, row.expression)
            for count in (video.frames or 0, (video.frames or 0) + (video.missing or 0))
        ]
        count = row.frames - 1
        if expected and all(abs(count - frames) > max(LENGTH_FRAMES, LENGTH_SHARE * frames) for frames in expected):
            nearest = min(expected, key=lambda frames: abs(count - frames))
            message = (
                f"{plural(count, 'feature')} taken to be at {row.fps:g} frames a second; the video has "
                f"{nearest:,} frames at that rate"
            )
            yield finding("ME515", message, subject=row.subject, video=row.video, path=row.features)


def load(features: FeatureFolder, row: VideoFeatures, fps: float | None) -> Loaded:
    """The features of a video at ``fps``, or at their own rate.

    Raises:
        FeaturesError: the array cannot be used, or cannot be brought to this rate.
    """
    stored = features.load(row)
    feature = np.asarray(stored, np.float32)
    digest = hashlib.sha256(np.ascontiguousarray(stored).data).hexdigest()
    known = np.isfinite(feature).all(axis=2) & _seen(features, row, len(feature))[:, None]
    believed = features.valid(row)
    valid: NDArray[np.bool_] = known if believed is None else known & believed
    good = np.asarray(known.all(axis=1))
    target = row.fps if fps is None else fps
    step = rates.ratio(row.fps, target)
    if step == 1:
        span = Span(row.name, row.start, len(feature), len(feature) + row.step, target)
    elif row.step == 1:
        good, valid = (rates.all_within(array, row.start, step) for array in (good, valid))
        start, feature = rates.resample(feature, row.start, step)
        span = Span(row.name, start, len(feature), len(feature) + 1, target)
    elif step == row.step:
        first = -row.start % row.step
        feature, valid, good = feature[first :: row.step], valid[first :: row.step], good[first :: row.step]
        start = (row.start + first) // row.step
        span = Span(row.name, start, len(feature), len(feature) + 1, target)
    else:
        raise FeaturesError(
            f"motion over {row.step} frames at {row.fps:g} frames a second cannot be converted to {target:g}",
            where=str(features.folder),
            fix=f"export at {row.fps:g} or {row.fps / row.step:g}, or extract at {target:g}",
        )
    return Loaded(span, feature, valid, np.asarray(good & valid.any(axis=1)), digest)


def _seen(features: FeatureFolder, row: VideoFeatures, count: int) -> NDArray[np.bool_]:
    """Whether a face was seen in both frames of each pair; true where the quality is unknown."""
    quality = features.quality(row)
    if quality is None:
        return np.ones(count, bool)
    if len(quality) < count + row.step:
        raise FeaturesError(
            f"the quality covers {plural(len(quality), 'frame')}, too few for {plural(count, 'feature')}",
            where=str(features.folder / (row.landmarks or "")),
            fix="extract this video again",
        )
    seen = (quality & UNSEEN) == 0
    return np.asarray(seen[:count] & seen[row.step : row.step + count])
