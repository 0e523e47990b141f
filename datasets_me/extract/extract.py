"""An extraction over all videos of a manifest.

First every video is worked on by itself. Those in which no face is found wait until the others of their subject are
done, and take the mean of their boxes; so the result does not depend on the order in which videos happen to finish.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from datasets_me.core import artefact, engine
from datasets_me.core.engine import Failure, Report
from datasets_me.core.errors import FeaturesError, FolderError, WriteError
from datasets_me.core.files import read_json
from datasets_me.core.locks import remove_left
from datasets_me.core.paths import under
from datasets_me.core.tables import write_parquet
from datasets_me.extract import findings as found
from datasets_me.extract import ledger
from datasets_me.extract.crops import Fallback
from datasets_me.extract.ledger import Done
from datasets_me.extract.options import ExtractOptions, check_options, check_rate, choose_layout, environment, record
from datasets_me.extract.video import Job, Postponed, Setting, make_handler, row_of
from datasets_me.features.boxes import Box
from datasets_me.findings.finding import Finding
from datasets_me.formats.features import DONE, FINDINGS, TABLE
from datasets_me.formats.kinds import EXTRACTION
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video, VideoFeatures

Progress = Callable[[str], None]
"""Told the name of each video that is done."""


@dataclass(frozen=True)
class Extraction:
    """What a run leaves: a row per video that is done, and all findings; ``remaining`` videos were not reached."""

    rows: list[VideoFeatures]
    findings: list[Finding]
    remaining: int


def extract(
    manifest: Manifest,
    root: Path,
    out: Path,
    options: ExtractOptions,
    *,
    videos: Sequence[str] = (),
    workers: int = 1,
    force: bool = False,
    frames_done: Report | None = None,
    video_done: Progress | None = None,
) -> Extraction:
    """Extract the features of a manifest's videos into a folder, or go on where an earlier run ended.

    Args:
        root: where the paths of the manifest begin.
        out: see `datasets_me.formats.features`.
        videos: glob patterns of names of videos; all if empty.
        workers: processes.
        force: do again what is done.
        frames_done, video_done: told of progress.

    Raises:
        MeDatasetsError: an option cannot be met, there is nothing to do, the folder holds something else, or it cannot
            be written to. What was done until then is kept.
    """
    if not root.is_dir():
        raise FolderError("the root is no folder", where=str(root))
    boxes = check_options(options)
    options = options.model_copy(update={"layout": choose_layout(manifest, options)})
    everything, further = one_of_each([video for video in manifest.videos if video.layout == options.layout])
    jobs = [job for job in everything if wanted(job.video, videos)]
    if not jobs:
        raise FeaturesError(
            f"no video fits {', '.join(videos)}",
            fix="give the names of videos as in the manifest, such as 'casme_015_*'",
        )
    if not any((root / str(job.video.path)).exists() for job in jobs):
        raise FolderError(
            f"none of the manifest's folders lies under the root, such as {jobs[0].video.path}",
            where=str(root),
            fix="give the --root that the manifest was made with",
        )
    check_rate(manifest, [job.video for job in jobs], options)
    surroundings = environment(options)
    _claim(out, manifest, options, surroundings, force and not videos)
    setting = Setting(manifest, root, out, options, surroundings, boxes, force)
    failures: dict[tuple[str, str], Done] = {}
    fatal: WriteError | None = None
    try:
        postponed: list[Job] = []
        for job, outcome in engine.run(make_handler, jobs, setting, workers=workers, report=frames_done):
            if isinstance(outcome, Postponed):
                postponed.append(job)
                continue
            _note(setting, job, outcome, failures)
            if video_done:
                video_done(job.name)
        if postponed:
            second = [_with_fallbacks(out, job, everything) for job in postponed]
            for job, outcome in engine.run(make_handler, second, setting, workers=workers, report=frames_done):
                _note(setting, job, outcome, failures)
                if video_done:
                    video_done(job.name)
    except WriteError as error:
        fatal = error
    finally:
        extraction = _collect(setting, everything, failures, manifest)
        extraction.findings.extend(map(found.second_folder, further))
        unknown = boxes.keys() - {video.video for video in manifest.videos}
        extraction.findings.extend(map(found.box_of_no_video, sorted(unknown)))
        if not fatal:
            _write_tables(setting, extraction)
    if fatal:
        raise fatal
    return extraction


def one_of_each(videos: Sequence[Video]) -> tuple[list[Job], list[Video]]:
    """A job for each video that has a folder, and the further folders of the same.

    Of several the one with annotations is taken, which `convert` gives to the one in the right place.
    """
    jobs: dict[tuple[str, str], Job] = {}
    further = []
    for video in sorted(videos, key=lambda video: (-video.annotations, video.path or "")):
        job = Job(video)
        if video.path is None:
            continue
        if (job.subject, job.name) in jobs:
            further.append(video)
        else:
            jobs[job.subject, job.name] = job
    return list(jobs.values()), further


def wanted(video: Video, patterns: Sequence[str]) -> bool:
    """Whether a video's name, or that of its files, fits one of some glob patterns, or there are none."""
    names = video.video, Job(video).name
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _note(
    setting: Setting, job: Job, outcome: Done | Postponed | Failure, failures: dict[tuple[str, str], Done]
) -> None:
    """Keep what is not written down already: failures that a rerun tries again."""
    if isinstance(outcome, Failure):
        row = row_of(setting, job).model_copy(update={"why": outcome.why})
        outcome = Done(row, [found.failed(row, outcome.why)])
    if isinstance(outcome, Done):
        failures[job.subject, job.name] = outcome


def _with_fallbacks(out: Path, job: Job, everything: Sequence[Job]) -> Job:
    """A job with the boxes in which its subject's face was found in other videos, and the sizes of their frames."""
    boxes: list[Fallback] = []
    for other in sorted(everything, key=lambda job: job.name):
        if other.subject == job.subject and other.name != job.name:
            finished = ledger.done(out, other.subject, other.name)
            if finished and finished.row.crop_source in ("given", "sample", "all-frames"):
                row = finished.row
                boxes.append(Fallback(Box(*row.box), row.width or 1, row.height or 1))
    return Job(job.video, tuple(boxes))


def _claim(
    out: Path, manifest: Manifest, options: ExtractOptions, surroundings: dict[str, str], all_anew: bool
) -> None:
    """Make the folder ours, before any work, or see that it is ours and about the same. What was done with other
    options is removed, if all is done anew.

    Raises:
        OutputError: it holds something else.
        FeaturesError: it holds an extraction of another dataset or with other options.
        PathError: a folder of it is a link that leads out of it.
        WriteError: it cannot be written.
    """
    about: dict[str, Any] = {
        **artefact.header(EXTRACTION),
        "dataset": manifest.spec.id,
        "schema": {"version": manifest.spec.version, "sha256": manifest.schema.sha256},
        "options": record(options),
        "environment": surroundings,
    }
    for name in (DONE, *ledger.ARRAYS):
        under(out, name)
    path = out / EXTRACTION.about
    if artefact.claim(out, EXTRACTION):
        try:
            before = read_json(path)
            old = {"dataset": before["dataset"], **before["options"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            if not all_anew:
                raise FeaturesError(
                    f"{EXTRACTION.about} is damaged: {error}",
                    where=str(out),
                    fix="choose another -o, or add --force, without --videos, to do all anew",
                ) from error
            old = {}
        new = {"dataset": manifest.spec.id, **about["options"]}
        changed = [f"{name} {old.get(name)!r}, now {new[name]!r}" for name in new if old.get(name) != new[name]]
        if changed and not all_anew:
            raise FeaturesError(
                f"the folder holds an extraction with other options: {'; '.join(changed)}",
                where=str(out),
                fix="choose another -o, or add --force, without --videos, to do all anew",
            )
        if changed:
            ledger.remove_all(out)
    remove_left(out / DONE)
    artefact.write_file(path, (json.dumps(about, indent=2, ensure_ascii=False) + "\n").encode())


def _collect(
    setting: Setting, jobs: Sequence[Job], failures: dict[tuple[str, str], Done], manifest: Manifest
) -> Extraction:
    """Everything that is done by now, in this run or an earlier one, in order of subject and name."""
    rows: list[VideoFeatures] = []
    findings: list[Finding] = []
    remaining = 0
    for job in sorted(jobs, key=lambda job: (job.subject, job.name)):
        finished = failures.get((job.subject, job.name)) or ledger.done(setting.out, job.subject, job.name)
        if finished is None:
            remaining += 1
            continue
        rows.append(finished.row)
        findings += finished.findings
    there = {job.video.video for job in jobs}
    findings += [
        found.without_folder(video)
        for video in manifest.videos
        if video.annotations and not video.path and video.video not in there
    ]
    return Extraction(rows, findings, remaining)


def _write_tables(setting: Setting, extraction: Extraction) -> None:
    for model, rows, name in (
        (Finding, extraction.findings, FINDINGS),
        (VideoFeatures, extraction.rows, TABLE),
    ):
        write_parquet(model, rows, setting.out / name)


def counts(extraction: Extraction) -> Iterator[tuple[str, int]]:
    """How many videos are ok, partial, failed, and not reached yet."""
    by_status = Counter(row.status for row in extraction.rows)
    yield from ((status, by_status[status]) for status in ("ok", "partial", "failed"))
    yield "not reached", extraction.remaining
