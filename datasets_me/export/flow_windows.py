"""Flow images of every frame of a video, over a fixed number of frames, as spotters read them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import FolderError, MeDatasetsError, plural
from datasets_me.core.paths import safe_name
from datasets_me.core.rates import ratio
from datasets_me.export import frames_on_disk as disk
from datasets_me.export.expressions import Expressions
from datasets_me.export.flow_maker import FlowMaker, landmarks_within
from datasets_me.export.flow_options import FlowOptions
from datasets_me.export.sinks import NpzSink, Value
from datasets_me.features.flow_images import flow_fields, flow_image, grey_of
from datasets_me.findings.finding import finding
from datasets_me.formats.frame_files import frame_files, frame_rate
from datasets_me.formats.items import ItemRow
from datasets_me.formats.records import Annotation, Video

Grey = NDArray[np.uint8]


def half_mean_length(rows: list[Annotation], fps: float) -> int:
    """The window of SOFTNet, k: ``int((mean of offset - onset + 1) / 2)`` at a frame rate, over rows that have both.

    Raises:
        MeDatasetsError: there is none, or expressions are too short for a window.
    """
    spans = [
        float((row.offset - row.onset) * ratio(fps, row.fps))
        for row in rows
        if row.onset is not None and row.offset is not None and row.offset >= row.onset
    ]
    k = int((float(np.mean(spans)) + 1) / 2) if spans else 0
    if k < 1:
        raise MeDatasetsError(
            f"half the mean length of {plural(len(spans), 'expression')} is no window",
            fix="give --to with a number of frames",
        )
    return k


def windows_of(expressions: Expressions, options: FlowOptions) -> dict[float, int]:
    """The window of the videos that have expressions, by their frame rate: ``--to``, or half the mean length.

    Raises:
        MeDatasetsError: nothing says how long a window is.
    """
    rates = {frame_rate(expressions.manifest, video) for video in expressions.folders.values()}
    if options.to.isdecimal():
        return dict.fromkeys(rates, int(options.to))
    return {fps: half_mean_length(expressions.manifest.annotations, fps) for fps in rates}


def video_item(maker: FlowMaker, sink: NpzSink, video: Video, windows: Mapping[float, int]) -> ItemRow:
    """Write the item of a video, whose window stands in ``windows`` by its frame rate.

    Raises:
        FolderError: its frames cannot be read or are too few, or its landmarks lie outside of its face's picture.
    """
    expressions = maker.expressions
    fps = frame_rate(expressions.manifest, video)
    try:
        item = _item(maker, video, windows[fps])
    except ValueError as error:
        raise FolderError(str(error)) from error
    stem = safe_name(video.video if video.expression is None else f"{video.video}_{video.expression}")
    (stored,) = sink.add(("",), safe_name(video.subject or "unknown"), stem, item)
    return ItemRow(
        file=stored.file,
        key=stored.key,
        sha256=stored.sha256,
        subject=video.subject or "unknown",
        video=video.video,
        name=stem,
        start=int(np.asarray(item["start"])),
        length=len(np.asarray(item["images"])),
        fps=fps,
        annotations=[row for row, other in expressions.folders.items() if other.path == video.path],
    )


def _item(maker: FlowMaker, video: Video, k: int) -> dict[str, Value]:
    """The images of a video's frames.

    Raises:
        FolderError: its frames cannot be read, or are too few.
        ValueError: its landmarks lie outside of its face's picture.
    """
    expressions = maker.expressions
    files = frame_files(expressions.manifest, video, expressions.root)
    if files.end - files.start <= k:
        raise FolderError(f"{plural(files.end - files.start, 'frame')} are too few for a window of {k}")
    first = next((picture for number in files.names if (picture := disk.read_frame(files, number)) is not None), None)
    if first is None:
        raise FolderError("no frame of it can be read")
    face, _ = expressions.face_of(video)
    square = maker.square(face, first, None)
    reference = grey_of(square.picture(first), maker.recipe)
    raw = face.points(files.start, frame_rate(expressions.manifest, video))
    points = landmarks_within(reference) if raw is None else square.points(raw, first.shape)
    greys = (
        None if (picture := disk.read_frame(files, number)) is None else grey_of(square.picture(picture), maker.recipe)
        for number in range(files.start, files.end)
    )
    shape = flow_image(*flow_fields(reference, reference, maker.recipe), maker.recipe, points).shape
    images = np.full((files.end - files.start - k, *shape), np.nan, np.float32)
    for image, pair in zip(images, _pairs(greys, k), strict=True):
        if pair is not None:
            image[:] = flow_image(*flow_fields(*pair, maker.recipe), maker.recipe, points)
    lost = int(np.isnan(images[:, 0, 0, 0]).sum())
    if lost:
        message = f"{lost:,} of {plural(len(images), 'window')} have a frame that cannot be read; their images are NaN"
        expressions.findings.append(
            finding("ME512", message, subject=video.subject, video=video.video, path=video.path)
        )
    beside = maker.sources.beside
    return {
        "images": images,
        "landmarks": points,
        "start": files.start,
        "k": k,
        "fps": float(frame_rate(expressions.manifest, video)),
        "subject": video.subject or "unknown",
        "video_name": video.video,
        **({} if beside is None else beside.of_frames(video, range(files.start, files.end - k))),
    }


def _pairs(greys: Iterator[Grey | None], k: int) -> Iterator[tuple[Grey, Grey] | None]:
    """Each frame with the one k later; None where one of them is missing."""
    recent: deque[Grey | None] = deque(maxlen=k + 1)
    for grey in greys:
        recent.append(grey)
        if len(recent) > k:
            first, second = recent[0], recent[-1]
            yield None if first is None or second is None else (first, second)
