"""Flow images of every frame of a video, over a fixed number of frames, as spotters read them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.engine import Failure, Report, run
from datasets_me.core.errors import FolderError, MeDatasetsError, plural
from datasets_me.core.paths import safe_name, under
from datasets_me.core.rates import ratio
from datasets_me.export import frames_on_disk as disk
from datasets_me.export.expressions import Expressions
from datasets_me.export.flow_maker import FlowMaker, FlowSources, landmarks_within
from datasets_me.export.sinks import Value, open_sink
from datasets_me.features.flow_images import flow_fields, flow_image, grey_of
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.frame_files import frame_files, frame_rate
from datasets_me.formats.items import ItemRow
from datasets_me.formats.kinds import FLOW
from datasets_me.formats.records import Annotation, Video

Grey = NDArray[np.uint8]
Progress = Callable[[int, int, str], None]


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


def write_windows(
    folder: Path, sources: FlowSources, maker: FlowMaker, workers: int, progress: Progress | None
) -> tuple[list[ItemRow], dict[str, object]]:
    """Write one item for each video that has expressions; returns their rows, and k to be recorded.

    The workers write the items themselves, since those of a long video are large.

    Raises:
        MeDatasetsError: nothing says how long a window is.
    """
    expressions = maker.expressions
    videos = {video.path or "": video for video in expressions.folders.values()}
    chosen = [videos[path] for path in sorted(videos)]
    fixed = int(maker.options.to) if maker.options.to.isdecimal() else None
    rates = {frame_rate(expressions.manifest, video) for video in chosen}
    windows = {fps: fixed or half_mean_length(expressions.manifest.annotations, fps) for fps in rates}
    rows: list[ItemRow] = []
    outcomes = run(_handler, chosen, _Work(sources, folder, windows), workers=workers, in_order=True)
    for done, (video, outcome) in enumerate(outcomes, start=1):
        if isinstance(outcome, Failure):
            _say(expressions, "ME516", f"no flow images of {video.video}: {outcome.why}", video)
            under(folder, f"{FLOW.name}/{_subject(video)}/{_stem(video)}.npz").unlink(missing_ok=True)  # half written
        else:
            row, findings = outcome
            rows.append(row)
            expressions.findings.extend(findings)
        if progress:
            progress(done, len(chosen), video.video)
    return rows, {"k": {f"{fps:g}": k for fps, k in windows.items()}}


@dataclass(frozen=True)
class _Work:
    """What a process needs to write the items of videos: the folder, and k by frame rate."""

    sources: FlowSources
    folder: Path
    windows: Mapping[float, int]


def _handler(work: _Work) -> Callable[[Video, Report], tuple[ItemRow, list[Finding]]]:
    """A function that writes the item of a video, and says what it has found."""
    maker = work.sources.maker()
    expressions = maker.expressions
    sink = open_sink("npz", work.folder, FLOW.name)

    def write(video: Video, report: Report) -> tuple[ItemRow, list[Finding]]:
        expressions.findings.clear()
        fps = frame_rate(expressions.manifest, video)
        try:
            item = _item(maker, video, work.windows[fps])
        except ValueError as error:
            raise FolderError(str(error)) from error
        (stored,) = sink.add(("",), _subject(video), _stem(video), item)
        row = ItemRow(
            file=stored.file,
            key=stored.key,
            sha256=stored.sha256,
            subject=video.subject or "unknown",
            video=video.video,
            name=_stem(video),
            start=int(np.asarray(item["start"])),
            length=len(np.asarray(item["images"])),
            fps=fps,
            annotations=[row for row, other in expressions.folders.items() if other.path == video.path],
        )
        return row, list(expressions.findings)

    return write


def _subject(video: Video) -> str:
    return safe_name(video.subject or "unknown")


def _stem(video: Video) -> str:
    return safe_name(video.video if video.expression is None else f"{video.video}_{video.expression}")


def _say(expressions: Expressions, code: str, message: str, video: Video) -> None:
    expressions.findings.append(finding(code, message, subject=video.subject, video=video.video, path=video.path))


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
        _say(expressions, "ME512", message, video)
    return {
        "images": images,
        "landmarks": points,
        "start": files.start,
        "k": k,
        "fps": float(frame_rate(expressions.manifest, video)),
        "subject": video.subject or "unknown",
        "video_name": video.video,
    }


def _pairs(greys: Iterator[Grey | None], k: int) -> Iterator[tuple[Grey, Grey] | None]:
    """Each frame with the one k later; None where one of them is missing."""
    recent: deque[Grey | None] = deque(maxlen=k + 1)
    for grey in greys:
        recent.append(grey)
        if len(recent) > k:
            first, second = recent[0], recent[-1]
            yield None if first is None or second is None else (first, second)
