"""The extraction of one video: from its folder to its files, its row and its findings."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.artefact import write_file
from datasets_me.core.engine import Report
from datasets_me.core.errors import FolderError, MeDatasetsError, plural
from datasets_me.core.files import checksum
from datasets_me.core.locks import locked
from datasets_me.core.paths import safe_name, under
from datasets_me.extract import findings as found
from datasets_me.extract import ledger
from datasets_me.extract.crops import CropRule, Fallback, Found, crops_digest, find_crop, padding
from datasets_me.extract.ledger import Done
from datasets_me.extract.options import ExtractOptions, rate_of, taken
from datasets_me.extract.reader import FrameReader
from datasets_me.features.boxes import Box
from datasets_me.features.crop import Crop
from datasets_me.features.faces import detector
from datasets_me.features.stages import around
from datasets_me.features.video import Features, Quality, VideoOptions, extract_video
from datasets_me.findings.finding import Finding
from datasets_me.formats import tool_tables
from datasets_me.formats.frame_files import FrameFiles, frame_files, frame_rate, stat_of
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video, VideoFeatures


@dataclass(frozen=True)
class Setting:
    """What is the same for all videos of a run.

    ``halves`` is half a micro-expression in frames at each rate, if its length is known.
    """

    manifest: Manifest
    root: Path
    out: Path
    options: ExtractOptions
    environment: Mapping[str, str]
    boxes: Mapping[str, Box] = field(default_factory=dict)
    halves: Mapping[float, int] = field(default_factory=dict)
    force: bool = False
    tables: Mapping[str, Path] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """A hash of what the numbers of every video depend on."""
        options = self.options.model_dump(mode="json", exclude={"weights", "boxes", "landmarks"})
        return ledger.digest({"options": options, "environment": dict(self.environment)})


@dataclass(frozen=True)
class Job:
    """A video to be extracted. ``fallbacks`` are the boxes of the subject's other videos, None in the first round."""

    video: Video
    fallbacks: tuple[Fallback, ...] | None = None

    @cached_property
    def name(self) -> str:
        """The stem of its files."""
        video, expression = self.video.video, self.video.expression
        if expression and not video.endswith(expression):
            video = f"{video}_{expression}"
        return safe_name(video)

    @cached_property
    def subject(self) -> str:
        """The folder of its files."""
        return safe_name(self.video.subject or "unknown")


@dataclass(frozen=True)
class Postponed:
    """No face in this video: it waits for the boxes of the subject's others."""

    why: str


Outcome = Done | Postponed

NO_FACE = "no face was found by an earlier run"


def make_handler(setting: Setting) -> Callable[[Job, Report], Outcome]:
    """What a worker does with a job; called once in each worker."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

    def handle(job: Job, report: Report) -> Outcome:
        return extract_one(setting, job, report)

    return handle


def extract_one(setting: Setting, job: Job, report: Report) -> Outcome:
    """Extract a video, unless it is done already.

    Raises:
        WriteError: the results cannot be written.
        PathError: a link in the output leads out of it.
    """
    video, options = job.video, setting.options
    row = row_of(setting, job)
    try:
        files = frame_files(setting.manifest, video, setting.root)
        stamp = stamp_of(setting, job, files)
    except FolderError as error:
        return _unlisted(setting, job, error)
    before = None if setting.force else ledger.done(setting.out, job.subject, job.name, stamp)
    if before:
        report(before.row.frames)
        return _moved(setting, job, stamp, files, before)
    start, numbers = taken(files.start, files.end, frame_rate(setting.manifest, video), options.fps)
    row = row.model_copy(update={"start": start, "frames": len(numbers)})
    frames = FrameReader(files, numbers, colour=options.colour, report=report)
    result = _extract(setting, job, frames, row)
    if isinstance(result, Postponed):
        with locked(ledger.note(setting.out, job.subject, job.name)):
            ledger.wait(setting.out, job.subject, job.name, stamp)
        return result
    row, features, where, findings = result
    row = row.model_copy(
        update={"key": ledger.digest(_dependencies(setting, job, files) | {"frames": frames.checksum})}
    )
    everything = [*found.about_files(row, files, frames), *findings]
    if features is not None and where is not None:
        everything += found.about_face(row, where, features)
        everything += found.about_trust(row, features, setting.halves.get(row.fps))
    waited = None if job.fallbacks is None else stamp_of(setting, Job(video), files)
    with locked(ledger.note(setting.out, job.subject, job.name)):  # against another run on the same video
        row = _write(setting.out, job, row, features)
        ledger.finish(setting.out, job.subject, stamp, row, everything, waited)
    return Done(row, everything)


def known(setting: Setting, job: Job) -> Outcome | None:
    """What an earlier run found of a video, if it still holds; None where there is work to do.

    A video whose frames cannot be listed has failed; what was done of it before stays for when they can be again.
    """
    if setting.force or not ledger.note(setting.out, job.subject, job.name).is_file():
        return None
    try:
        files = frame_files(setting.manifest, job.video, setting.root)
        stamp = stamp_of(setting, job, files)
    except FolderError as error:
        return _unlisted(setting, job, error)
    before = ledger.done(setting.out, job.subject, job.name, stamp)
    if before is not None:
        return before if before.row.path == job.video.path else None
    waits = job.fallbacks is None and ledger.waits(setting.out, job.subject, job.name, stamp)
    return Postponed(NO_FACE) if waits else None


class State(NamedTuple):
    """What is on disk of a video: the stamp of its frames, and the sizes of its note and arrays."""

    stamp: str
    sizes: tuple[int | None, ...]


def state_of(setting: Setting, job: Job) -> State | None:
    """What is on disk of a video; None where its frames cannot be listed."""
    try:
        stamp = stamp_of(setting, job, frame_files(setting.manifest, job.video, setting.root))
    except FolderError:
        return None
    return State(stamp, ledger.sizes(setting.out, job.subject, job.name))


def noted(setting: Setting, job: Job, state: State | None, noted: ledger.Noted | None) -> Outcome | None:
    """As ``known``, by what the tables of an earlier run say, where that is what is on disk."""
    if state is not None and noted is not None and noted.sizes == state.sizes and noted.sizes[0] is not None:
        if noted.stamp == state.stamp:
            return noted.done if noted.done.row.path == job.video.path else None
        if job.fallbacks is None and noted.waited == state.stamp:
            return Postponed(NO_FACE)
    return known(setting, job)


def _unlisted(setting: Setting, job: Job, error: FolderError) -> Done:
    """A video whose frames cannot be listed."""
    row = row_of(setting, job)
    return Done(row.model_copy(update={"why": error.what}), [found.failed(row, error.what)])


def stamp_of(setting: Setting, job: Job, files: FrameFiles) -> str:
    """A hash of all that the arrays of a video depend on, as far as it is known without reading the frames."""
    return ledger.digest(_dependencies(setting, job, files) | {"stat": stat_of(files)})


def _moved(setting: Setting, job: Job, stamp: str, files: FrameFiles, before: Done) -> Done:
    """What was done of a video, when its folder may lie elsewhere by now."""
    row, old = before.row, before.row.path
    if old == job.video.path:
        return before
    row = row.model_copy(update={"path": job.video.path})
    findings = [
        finding.model_copy(update={"path": f"{job.video.path}{finding.path[len(old) :]}"})
        if old and finding.path and (finding.path == old or finding.path.startswith(f"{old}/"))
        else finding
        for finding in before.findings
    ]
    waited = None if job.fallbacks is None else stamp_of(setting, Job(job.video), files)
    ledger.begin(setting.out, job.subject, job.name)
    ledger.finish(setting.out, job.subject, stamp, row, findings, waited)
    return Done(row, findings)


def row_of(setting: Setting, job: Job) -> VideoFeatures:
    """The row of a video of which nothing is done yet."""
    video, options = job.video, setting.options
    return VideoFeatures(
        dataset=video.dataset,
        subject=video.subject or "unknown",
        video=video.video,
        expression=video.expression,
        layout=video.layout,
        path=video.path,
        name=job.name,
        status="failed",
        fps=rate_of(setting.manifest, video, options),
        step=options.step,
        regions=options.regions,
    )


def _dependencies(setting: Setting, job: Job, files: FrameFiles) -> dict[str, object]:
    """All that the numbers depend on but the frames."""
    options = setting.options
    about: dict[str, object] = {
        "setting": setting.digest,
        "padding": str(padding(setting.manifest.spec, job.video.video)),
        "fallbacks": job.fallbacks,
        "first": files.start,
        "fps": frame_rate(setting.manifest, job.video),
    }
    if options.landmarks is not None:
        table = setting.tables.get(job.name)
        about["landmarks"] = table and checksum(table)
    if options.faces == "boxes":
        about["box"] = setting.boxes.get(job.video.video)
    if options.faces == "published-crop":
        about["crops"] = crops_digest(setting.manifest, job.video, files, setting.root)
    return about


def _extract(
    setting: Setting, job: Job, frames: FrameReader, row: VideoFeatures
) -> Postponed | tuple[VideoFeatures, Features | None, Found | None, list[Finding]]:
    options = setting.options
    shape = frames.common_shape()
    if shape is None:
        for _ in frames:  # to note what is wrong with each
            pass
        why = "no frame of it can be read" if len(frames) else "there are no frames"
        return row.model_copy(update={"why": why}), None, None, [found.failed(row, why)]
    if len(frames) <= options.step:
        why = (
            f"{plural(len(frames), 'frame')} {'is' if len(frames) == 1 else 'are'} too few for a step of {options.step}"
        )
        return row.model_copy(update={"why": why}), None, None, [found.too_short(row, why)]
    landmarks, more = None, list[Finding]()
    if options.landmarks is not None:
        try:
            landmarks, where, more = _given(setting, job, frames, row, shape)
        except MeDatasetsError as error:
            return row.model_copy(update={"why": error.what}), None, None, [found.failed(row, error.what)]
    else:
        rule = CropRule(setting.manifest, setting.root, options, setting.boxes)
        crop = find_crop(rule, job.video, frames, shape, job.fallbacks)
        if isinstance(crop, str):
            return Postponed(crop)
        where = crop
    features = extract_video(
        frames,
        landmarks,
        VideoOptions(
            preset=options.preset,
            step=options.step,
            temporal=options.temporal,
            head=options.head,
            landmarks_every=options.landmarks_every,
            regions=options.regions,
            aligned=options.aligned,
            device=options.device,
        ),
        box=where.crop,
        face_detector=where.finder,
        shape=shape,
    )
    counts = {
        "good": int((features.quality == 0).sum()),
        "missing": int((features.quality & Quality.MISSING > 0).sum()),
        "no_face": int(((features.quality & Quality.NO_FACE > 0) & (features.quality & Quality.MISSING == 0)).sum()),
        "clipped": int((features.quality & Quality.CLIPPED > 0).sum()),
    }
    whole = not counts["missing"] and not counts["no_face"] and where.crop.face is not None
    nothing = not bool(np.isfinite(features.feature).any())
    doubt = None if whole else _why_partial(counts, where)
    reason = _why_nothing(features, options.step) if nothing else doubt
    row = row.model_copy(
        update=counts
        | {
            "status": "failed" if nothing else "ok" if whole else "partial",
            "why": reason,
            "unit_px": features.unit_px,
            "width": shape[1],
            "height": shape[0],
            "box": [int(value) for value in features.box],
            "crop_source": where.crop.source,
            "crop_pad": str(padding(setting.manifest.spec, job.video.video)) if where.padded else None,
            "crop_confirmed": where.crop.confirmed,
        }
    )
    return row, features, where, [*more, *([found.failed(row, str(reason))] if nothing else [])]


def _given(
    setting: Setting, job: Job, frames: FrameReader, row: VideoFeatures, shape: tuple[int, int]
) -> tuple[NDArray[np.float32], Found, list[Finding]]:
    """The landmarks of another tool for the frames of a video, the crop around them, and findings about the table.

    Raises:
        MeDatasetsError: there is no table, it cannot be read, or has no landmarks.
    """
    path = setting.tables.get(job.name)
    if path is None:
        raise MeDatasetsError(f"there is no table {job.name}.csv or .npz of landmarks")
    table = tool_tables.read(path)
    files = frames.files
    every = table.landmarks(files.end - files.start, shape[1], shape[0])
    if every is None or not np.isfinite(every).any():
        raise MeDatasetsError(f"the table {path.name} has no landmarks")
    landmarks = every[np.array(frames.numbers) - files.start]
    box = around(landmarks, *shape)
    known = int(np.isfinite(landmarks).all(axis=(1, 2)).sum())
    crop = Crop(box, box, "given", True, known, len(landmarks), 0, {})
    return landmarks, Found(crop, detector("boxes", box=box)), found.about_table(row, table, files.end - files.start)


def _why_nothing(features: Features, step: int) -> str:
    if not np.isfinite(features.landmarks).any():
        return "no face is found in it"
    return f"no two frames {step} apart are both good, with the face inside the crop"


def _why_partial(counts: Mapping[str, int], where: Found) -> str:
    parts: Sequence[tuple[int, str]] = (
        (counts["missing"], f"{plural(counts['missing'], 'frame')} missing"),
        (counts["no_face"], f"{plural(counts['no_face'], 'frame')} without a face"),
        (where.crop.face is None, "the crop is not its own"),
    )
    return ", ".join(text for applies, text in parts if applies)


def _write(out: Path, job: Job, row: VideoFeatures, features: Features | None) -> VideoFeatures:
    """Write the arrays of a video, in place of those of an earlier run; returns the row that says where they are."""
    ledger.begin(out, job.subject, job.name)
    feature, landmarks = ledger.arrays_of(job.subject, job.name)
    for path in (under(out, landmarks), under(out, feature)):
        path.unlink(missing_ok=True)  # of an earlier run, from other frames
    if features is None:
        return row
    content = io.BytesIO()
    np.savez_compressed(
        content,
        landmarks=features.landmarks,
        residual=features.residual,
        quality=features.quality,
        global_motion=features.global_motion,
        clipped=features.clipped,
        valid=features.valid,
        box=np.array(features.box, np.int32),
    )
    write_file(under(out, landmarks), content.getvalue())
    arrays = {"landmarks": landmarks}
    if row.status != "failed":
        arrays["features"] = feature
        content = io.BytesIO()
        np.save(content, features.feature)
        write_file(under(out, feature), content.getvalue())
    return row.model_copy(update=arrays)
