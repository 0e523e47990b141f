"""``me-datasets export segments``: features and labels of every video, in segments of equal length with context.

::

    export.json  items.parquet  labels.parquet  annotations.parquet  findings.parquet
    segments/train/<subject>/<video>_<start>.npz
    segments/test/<subject>/<video>_<start>.npz  <video>.npy

A segment holds ``feature`` (length + 2 * context, R, 2) float32, ``label`` (…, 8) int8 with the columns
`labels.CHANNELS`, ``mask`` (…,) and ``valid`` (…, R) bool, the names ``subject``, ``video_name`` and ``annotations``
(ids of the manifest's rows whose labels it shows), ``start``, the 0-based number of its first frame without context,
and ``fps``. Both parts hold all videos of all subjects; the training script or a split chooses the subjects to train
on. The features of the whole video (n, R, 2) lie beside the segments of the test part. Without labels there is the test
part alone, and neither ``label`` nor ``labels.parquet``. Arrays of another tool (`export.beside`) have a row for each
feature: NaN where nothing is known, 0 in the padding.

Unknown features (NaN) are written as 0. ``valid`` is false there, in frames in which no face was found, in the padding
before and after the video, and where the motion of a region is not believed to be that of the skin, such as below a
hand (see `datasets_me.features.trust`); what was measured there is kept. ``mask`` is false in frames with an unknown
region, and in those without a valid one. Only the published form keeps NaN, as the published scripts do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core import artefact
from datasets_me.core.errors import FeaturesError, MeDatasetsError, plural
from datasets_me.core.paths import safe_name, under
from datasets_me.core.tables import read_parquet, write_parquet
from datasets_me.export import labels, published
from datasets_me.export.beside import Beside
from datasets_me.export.labels import LabelRow
from datasets_me.export.options import SegmentOptions
from datasets_me.export.sinks import ExportItem, Sink, npy, open_sink
from datasets_me.export.tiles import tiles
from datasets_me.export.videos import Loaded, Source, folder_of, load, match
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.features import read as read_features
from datasets_me.formats.frame_files import frame_rate
from datasets_me.formats.items import ItemRow, describe, write_tables
from datasets_me.formats.kinds import SEGMENTS
from datasets_me.formats.manifest import Manifest, refuse_other

LABELS = "labels.parquet"
PARTS = ("train", "test")

Progress = Callable[[int, int, str], None]
"""Called with videos done, videos in all, and the name of the last."""


@dataclass(frozen=True)
class ExportedSegments:
    """The numbers of segments per part, videos, labelled annotations and all annotations, and the findings."""

    segments: int
    videos: int
    labelled: int
    annotations: int
    findings: list[Finding]


def write_segments(
    manifest: Manifest,
    features: FeatureFolder | str | Path,
    out: str | Path,
    options: SegmentOptions = SegmentOptions(),  # noqa: B008 - immutable
    *,
    beside: Beside | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> ExportedSegments:
    """Export the segments of a dataset, from its features or their folder, to a new folder.

    ``beside`` has further arrays for each segment.

    Raises:
        MeDatasetsError: the folder exists, the features cannot be used, or the options do not fit the dataset.
    """
    refuse_other(manifest)
    if isinstance(features, str | Path):
        features = read_features(features, manifest)
    with artefact.new_folder(Path(out), SEGMENTS, force=force) as new:
        folder = new.path
        exported = add_segments(manifest, features, folder, options, progress, beside)
        about = {
            "options": options.as_dict(),
            "with": {} if beside is None else beside.about(),
            "manifest": describe(manifest),
            "features": {
                "extracted": features.extracted,
                "videos": exported.videos,
                **{
                    name: sorted({getattr(row, name) for row in features.rows})
                    for name in ("regions", "step", "unit_px")
                },
            },
            "segments": exported.segments,
            "labelled": exported.labelled,
            "annotations": exported.annotations,
        }
        new.about.update(about)
    return exported


def add_segments(
    manifest: Manifest,
    features: FeatureFolder,
    folder: Path,
    options: SegmentOptions = SegmentOptions(),  # noqa: B008 - immutable
    progress: Progress | None = None,
    beside: Beside | None = None,
) -> ExportedSegments:
    """Write ``segments/`` and its tables into an existing folder, without ``export.json``.

    Raises:
        MeDatasetsError: the features cannot be used, or the options do not fit the dataset.
    """
    features, fps = _rates(manifest, features, options)
    reader = _Reader(options, published.numbers(manifest) if options.compat else {})
    sources, findings = match(manifest, features)
    sink = open_sink(options.format, folder, SEGMENTS.name)
    items: list[ItemRow] = []
    read: list[LabelRow] = []
    shape: tuple[int, ...] | None = None
    try:
        for done, source in enumerate(sources, start=1):
            video = load(features, source.row, fps)
            if shape not in (None, video.feature.shape[1:]):
                raise FeaturesError(
                    f"{source.row.name} has regions of shape {video.feature.shape[1:]}, others {shape}",
                    where=str(features.folder),
                    fix="extract all videos with the same regions",
                )
            shape = video.feature.shape[1:]
            label, rows = None, list[LabelRow]()
            if options.labels:
                more, label, rows = reader.label(source, video)
                findings += more
            findings += _unknown(source, video, options)
            read += rows
            more_arrays = {}
            if beside is not None:
                more_arrays = beside.arrays(source, video.span, _rate(manifest, source))
            items += _write(folder, sink, source, video, label, rows, options, more_arrays)
            if progress:
                progress(done, len(sources), source.row.name)
    finally:
        sink.close()
    write_tables(folder, items, manifest.annotations, findings)
    if options.labels:
        write_parquet(LabelRow, read, folder / LABELS)
    return ExportedSegments(
        segments=sum(item.part == "test" for item in items),
        videos=len(sources),
        labelled=len({row.annotation for row in read if row.reach is not None}),
        annotations=len(manifest.annotations),
        findings=findings,
    )


def read_labels(folder: Path) -> list[LabelRow]:
    """How each annotation is labelled in an export of segments.

    Raises:
        MeDatasetsError: the table is missing or damaged.
    """
    try:
        return read_parquet(LabelRow, folder / LABELS)
    except (OSError, ValueError) as error:
        raise MeDatasetsError(f"{LABELS} is damaged: {error}", where=str(folder), fix="export again") from error


def _rates(manifest: Manifest, features: FeatureFolder, options: SegmentOptions) -> tuple[FeatureFolder, float | None]:
    """The features at their true rate, and the rate to export at."""
    features_fps = options.features_fps
    if features_fps is not None and features.extracted:
        raise MeDatasetsError(
            "--features-fps is for arrays from elsewhere; an extraction records its frame rate",
            where=str(features.folder),
            fix="leave out --features-fps",
        )
    fps = options.fps
    if options.compat:
        convention = published.fps(manifest)
        if fps not in (None, convention):
            raise MeDatasetsError(
                f"the published frame numbers of {manifest.spec.id} are at {convention:g} frames a second, not {fps:g}",
                fix="leave out --fps, or --compat",
            )
        fps, features_fps = convention, convention if features_fps is None else features_fps
    if features_fps is not None and not features.extracted:
        rows = tuple(row.model_copy(update={"fps": features_fps}) for row in features.rows)
        features = FeatureFolder(features.folder, rows, features.extracted)
    return features, fps


@dataclass(frozen=True)
class _Reader:
    """Labels annotations as the options say."""

    options: SegmentOptions
    texts: Mapping[str, published.Numbers]

    def label(self, source: Source, video: Loaded) -> tuple[list[Finding], NDArray[np.int8], list[LabelRow]]:
        """Findings, the labels (n, 8) of a video, and how each annotation is labelled."""
        findings: list[Finding] = []
        rows: list[LabelRow] = []
        for annotation in source.annotations:
            row, more = labels.read(annotation, video.span, self.options.offset_missing)
            rows.append(row)
            findings += more
        if not self.options.compat:
            return [*findings, *labels.shared(source.annotations, rows)], labels.array(rows, video.span), rows
        array, label_rows, more = published.label_video(source.annotations, self.texts, video.span)
        readings = zip(source.annotations, label_rows, rows, strict=True)
        more += filter(None, (published.difference(*reading) for reading in readings))
        return [*more, *labels.shared(source.annotations, label_rows)], array, label_rows


def _rate(manifest: Manifest, source: Source) -> float:
    """The rate of the frames of a video on disk."""
    rows = (video for video in manifest.videos if video.video == source.row.video)
    return next((frame_rate(manifest, video) for video in rows), source.row.fps)


def _write(  # noqa: PLR0913 - all that a video's items are made of
    folder: Path,
    sink: Sink,
    source: Source,
    video: Loaded,
    label: NDArray[np.int8] | None,
    rows: Sequence[LabelRow],
    options: SegmentOptions,
    beside: Mapping[str, NDArray[np.float32]],
) -> list[ItemRow]:
    """Store the whole video and its segments, without labels if there are none; returns their rows."""
    span, row = video.span, source.row
    feature = video.feature if options.compat else np.nan_to_num(video.feature, nan=0.0, posinf=0.0, neginf=0.0)
    reaches = {r.annotation: r.reach for r in rows if r.reach is not None}
    ids = list(reaches)
    ends = np.array(list(reaches.values()), np.int64).reshape(-1, 2) - span.start
    arrays = {"feature": feature, "label": label, "mask": video.good, "valid": video.valid, **beside}
    pieces = {
        name: tiles(array, options.length, options.context) for name, array in arrays.items() if array is not None
    }
    parts = PARTS if options.labels else PARTS[1:]
    stem = safe_name(row.name)
    place = f"{SEGMENTS.name}/test/{folder_of(row)}/{stem}.npy"
    content = npy(feature)
    under(folder, place).parent.mkdir(parents=True, exist_ok=True)
    under(folder, place).write_bytes(content)
    whole = ItemRow(
        part="whole",
        file=place,
        key=row.name,
        sha256=hashlib.sha256(content).hexdigest(),
        subject=row.subject,
        video=row.video,
        name=row.name,
        start=span.start,
        length=span.count,
        fps=span.fps,
        annotations=ids,
        features=row.features,
        features_key=row.key,
        features_sha256=video.sha256,
    )
    items = [whole]
    for cuts in zip(*pieces.values(), strict=True):
        start = cuts[0][0]
        low, high = start - options.context, start + options.length + options.context
        shown = [ids[i] for i in np.flatnonzero((ends[:, 0] < high) & (ends[:, 1] >= low))]
        item: ExportItem = {
            **{name: cut for name, (_, cut) in zip(pieces, cuts, strict=True)},
            "video_name": row.name,
            "subject": row.subject,
            "annotations": shown,
            "start": span.start + start,
            "fps": float(span.fps),
        }
        covers = {
            "start": span.start + start,
            "length": min(options.length, span.count - start),
            "annotations": shown,
        }
        stored = sink.add(parts, folder_of(row), f"{stem}_{span.start + start:04}", item)
        items += [
            whole.model_copy(
                update=covers | {"part": part, "file": place_of.file, "key": place_of.key, "sha256": place_of.sha256}
            )
            for part, place_of in zip(parts, stored, strict=True)
        ]
    return items


def _unknown(source: Source, video: Loaded, options: SegmentOptions) -> list[Finding]:
    """A finding about unreliable features of a video."""
    bad = np.flatnonzero(~video.good)
    if not len(video.good):
        message = f"{source.row.name} has no features at {video.span.fps:g} frames a second"
    elif len(bad):
        unknown = int((~np.isfinite(video.feature).all(axis=(1, 2))).sum())
        written = "kept as NaN" if options.compat else "written as 0"
        message = (
            f"{len(bad)} of {plural(len(video.good), 'feature')} are unreliable, the first at frame "
            f"{video.span.start + int(bad[0])}: {unknown} unknown, {written}; the mask is false for all of them"
        )
    else:
        return []
    row = source.row
    return [finding("ME509", message, subject=row.subject, video=row.video, path=row.features)]
