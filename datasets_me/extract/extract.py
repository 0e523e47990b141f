"""An extraction over all videos of a manifest.

What earlier runs have done is looked up first. Every other video is then worked on by itself. Those in which no face
is found wait until the others of their subject are done, and take the mean of their boxes; so the result does not
depend on the order in which videos happen to finish.

Several runs, each with a share of the videos, may fill one folder. None of them writes the tables unless it finds that
all videos are done.
"""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from datasets_me.core import artefact, engine
from datasets_me.core.engine import Failure, Report, Shard, read_shard, workers_for
from datasets_me.core.errors import FeaturesError, FolderError, MeDatasetsError, WriteError, plural
from datasets_me.core.files import check_root, read_json
from datasets_me.core.locks import locked, remove_left
from datasets_me.core.paths import under
from datasets_me.extract import ledger
from datasets_me.extract.crops import Fallback
from datasets_me.extract.findings import box_of_no_video, failed, second_folder, without_folder
from datasets_me.extract.ledger import Done
from datasets_me.extract.options import (
    ExtractOptions,
    check_options,
    check_rate,
    environment,
    half_expression,
    rate_of,
    record,
)
from datasets_me.extract.video import (
    Job,
    Outcome,
    Postponed,
    Setting,
    known,
    make_handler,
    noted,
    row_of,
    state_of,
)
from datasets_me.features.boxes import Box
from datasets_me.findings.finding import Finding
from datasets_me.formats import features as feature_files
from datasets_me.formats import tool_tables
from datasets_me.formats.features import DONE
from datasets_me.formats.frame_files import choose_layout
from datasets_me.formats.kinds import EXTRACTION
from datasets_me.formats.manifest import Manifest, refuse_other
from datasets_me.formats.records import Video, VideoFeatures

Progress = Callable[[str], None]
"""Told the name of each video that is done."""

_Key = tuple[str, str]
"""Subject and name of a video, as they are in paths."""


@dataclass(frozen=True)
class Extraction:
    """What a run leaves.

    Attributes:
        rows: one per video that is done: of this run's share, or of all videos where the tables were written.
        findings: all of these videos.
        remaining: videos that this run did not reach.
        owed: videos that other shares have to do.
        waiting: videos without a face, which wait for the boxes of their subject's others.
        tables: whether the tables were written.
    """

    rows: list[VideoFeatures]
    findings: list[Finding]
    remaining: int
    owed: int = 0
    waiting: int = 0
    tables: bool = True


def extract(  # noqa: PLR0913 - each keyword stands for itself
    manifest: Manifest,
    root: str | Path,
    out: str | Path,
    options: ExtractOptions = ExtractOptions(),  # noqa: B008 - it is frozen
    *,
    videos: str | Sequence[str] = (),
    workers: int = 1,
    executor: Executor | None = None,
    shard: str | Shard | None = None,
    finish: bool = False,
    force: bool = False,
    frames_done: Report | None = None,
    video_done: Progress | None = None,
) -> Extraction:
    """Extract the features of a manifest's videos into a folder, or go on where an earlier run ended.

    Args:
        manifest: of the dataset.
        root: where the paths of the manifest begin.
        out: see `datasets_me.formats.features`.
        options: what decides the numbers.
        videos: glob patterns of names of videos, or one; all if empty.
        workers: processes of this machine; 0 for all in this one, which a crash of a library then ends.
        executor: works on the videos in place of these processes: a `datasets_me.core.engine.cluster.Cluster`, or any
            other, such as ``client.get_executor()`` of Dask or ``MPIPoolExecutor`` of mpi4py.
        shard: do only this share of the videos, such as ``3/16``. Other runs do the others, at the same time or not.
        finish: do nothing of what shares have to do, and write the tables when they have done it all.
        force: do again what is done.
        frames_done: told of progress in frames.
        video_done: told of progress in videos.

    Raises:
        MeDatasetsError: an option cannot be met, there is nothing to do, the folder holds something else, or it cannot
            be written to; with ``finish``, a share is not done. What was done until then is kept.
    """
    refuse_other(manifest)
    root, out, boxes = Path(root), Path(out), check_options(options)
    videos = [videos] if isinstance(videos, str) else videos
    shard = read_shard(shard) if isinstance(shard, str) else shard
    if workers < 0:
        raise MeDatasetsError(f"there cannot be {workers} workers", fix="give 0, or more")
    options = options.model_copy(update={"layout": choose_layout(manifest, options.layout)})
    everything, further = one_of_each([video for video in manifest.videos if video.layout == options.layout])
    selected = [job for job in everything if wanted(job.video, videos)]
    seen = _check_root(selected, root, videos)
    check_rate(manifest, [job.video for job in selected], options)
    surroundings = environment(options)
    if finish and not (out / EXTRACTION.about).exists():
        raise FeaturesError("there is no extraction to finish", where=str(out), fix="give the folder of the shares")
    _claim(out, manifest, options, surroundings, force and not videos and shard is None)
    names = [Job(video).name for video in manifest.videos] if options.landmarks else []
    tables = tool_tables.find(options.landmarks, names) if options.landmarks else {}
    of_each_rate = {job.video.fps: job.video for job in everything}.values()
    rates = {rate_of(manifest, video, options) for video in of_each_rate}
    halves = {rate: half for rate in rates if (half := half_expression(manifest, rate)) is not None}
    setting = Setting(_needed(manifest, options), root, out, options, surroundings, boxes, halves, force, tables)
    run = _Run(setting, everything, workers, executor, seen, frames_done, video_done)
    run.notes = {} if force else ledger.read_notes(out)
    run.look_up(selected if shard is None else shard.of(selected, size_of), finish)
    if finish and run.missing:
        raise FeaturesError(
            f"{len(run.missing):,} of {plural(len(selected), 'video')} are not done, such as {run.missing[0].name}",
            where=str(out),
            fix="wait for shares that still run, and run those that are missing; or do these videos here, without "
            "--finish and --shard",
        )
    unknown = boxes.keys() - {video.video for video in manifest.videos}
    others = [
        *map(without_folder, _without_folder(manifest, everything)),
        *map(second_folder, further),
        *map(box_of_no_video, sorted(unknown)),
    ]
    try:
        run.work()
        run.work_on_postponed(shared=shard is not None)
    except WriteError:
        raise
    except BaseException:
        if shard is None:
            run.write_tables(others)
        raise
    return run.write_tables(others) if shard is None else run.of_share(selected, others)


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
        ledger.share_texts(video)
        if (job.subject, job.name) in jobs:
            further.append(video)
        else:
            jobs[job.subject, job.name] = job
    return list(jobs.values()), further


def size_of(job: Job) -> int:
    """The frames of a video, as far as the manifest knows them."""
    return job.video.frames or 0


def wanted(video: Video, patterns: Sequence[str]) -> bool:
    """Whether a video's name, or that of its files, fits one of some glob patterns, or there are none."""
    if not patterns:
        return True
    names = video.video, Job(video).name
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _check_root(jobs: Sequence[Job], root: Path, videos: Sequence[str]) -> Path:
    """Refuse a root without the videos; returns the first of their folders or files that is there.

    Raises:
        FeaturesError: there are no videos.
        FolderError: none of them is under the root.
    """
    check_root(root)
    if not jobs:
        raise FeaturesError(
            f"no video fits {', '.join(videos)}",
            fix="give the names of videos as in the manifest, such as 'casme_015_*'",
        )
    places = (root / str(job.video.path) for job in jobs)
    first = next((place for place in places if place.exists()), None)
    if first is None:
        raise FolderError(
            f"none of the manifest's folders is under the root, such as {jobs[0].video.path}",
            where=str(root),
            fix="give the --root that the manifest was made with",
        )
    return first


def _needed(manifest: Manifest, options: ExtractOptions) -> Manifest:
    """What the work on a video needs of a manifest, which every worker gets."""
    layouts = manifest.spec.layouts
    cropped = {layout.id for layout in layouts if layout.cropped} if options.faces == "published-crop" else set()
    return replace(
        manifest,
        annotations=manifest.annotations if any(layout.numbers == "clip" for layout in layouts) else [],
        videos=[video for video in manifest.videos if video.layout in cropped],
        findings=[],
        sources=[],
        options={},
    )


def _everywhere(setting: Setting) -> Setting:
    """A setting for workers that were started in another working directory: its paths are absolute."""
    weights = setting.options.weights
    return replace(
        setting,
        root=setting.root.absolute(),
        out=setting.out.absolute(),
        options=setting.options.model_copy(update={"weights": weights and weights.absolute()}),
        tables={name: path.absolute() for name, path in setting.tables.items()},
    )


def make_remote_handler(setting: Setting) -> Callable[[Job, Report], Outcome]:
    """What a worker of an executor does with a job: it may run where other software is installed.

    Raises:
        FeaturesError: its software or models would give other numbers.
    """
    ledger.checked_folder.cache_clear()
    here, there = environment(setting.options), setting.environment
    differing = [
        f"{name} {here.get(name, 'missing')}, not {there.get(name, 'missing')}"
        for name in sorted({*here, *there})
        if here.get(name) != there.get(name)
    ]
    if differing:
        raise FeaturesError(
            f"a worker would give other numbers: it has {'; '.join(differing)}",
            where=socket.gethostname(),
            fix="start the workers from the same environment",
        )
    return make_handler(setting)


@dataclass
class _Run:
    """A run in progress."""

    setting: Setting
    everything: Sequence[Job]
    workers: int
    executor: Executor | None
    seen: Path
    frames_done: Report | None
    video_done: Progress | None
    notes: dict[_Key, ledger.Noted] = field(default_factory=dict)
    done: dict[_Key, Done] = field(default_factory=dict)
    missing: list[Job] = field(default_factory=list)
    postponed: list[Job] = field(default_factory=list)

    def look_up(self, jobs: Sequence[Job], finish: bool = False) -> None:
        """Take over what earlier runs have done; with ``finish`` their failures, too, which are not tried again."""
        for job, before in self._settled(jobs) if finish else self._known(jobs):
            if before is None or isinstance(before, Failure):
                self.missing.append(job)
                continue
            if self.frames_done and isinstance(before, Done):
                self.frames_done(before.row.frames)
            self._note(job, before)

    def _settled(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Outcome | None]]:
        """What earlier runs have found of each video, failures too; None for one that has to be done."""
        for job, outcome in self._known(jobs):
            if outcome is None or isinstance(outcome, Failure):
                yield job, ledger.failed(self.setting.out, job.subject, job.name)
            else:
                yield job, outcome

    def _known(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Outcome | Failure | None]]:
        """What earlier runs have found of each video, by the tables where they are current, else by its note."""
        workers = min(self.workers, workers_for(None, len(jobs)))
        if workers == 1 and not self.setting.manifest.spec.layout(self.setting.options.layout or "").video_files:
            workers = 0  # nothing is opened that could end this process, and another one would take longer
        if not self.notes:
            yield from engine.in_order(partial(known, self.setting), jobs, workers)
            return
        for job, state in engine.in_order(partial(state_of, self.setting), jobs, workers):
            before = self.notes.pop((job.subject, job.name), None)  # it is needed once, and there may be many
            yield job, state if isinstance(state, Failure) else noted(self.setting, job, state, before)

    def work(self) -> None:
        """Work on the videos that are missing, the longest first: no worker has one left when the others are done."""
        jobs, self.missing = sorted(self.missing, key=size_of, reverse=True), []
        setting = self.setting if self.executor is None else _everywhere(self.setting)
        outcomes = engine.run(
            make_handler if self.executor is None else make_remote_handler,
            jobs,
            setting,
            workers=self.workers,
            executor=self.executor,
            report=self.frames_done,
            shared=(setting.out / EXTRACTION.about, self.seen.absolute()),
        )
        with closing(outcomes):
            for job, outcome in outcomes:
                if isinstance(outcome, Failure):
                    row = row_of(setting, job).model_copy(update={"why": outcome.why})
                    outcome = Done(row, [failed(row, outcome.why)])
                if isinstance(outcome, Done) and outcome.row.key is None:
                    self._keep_failure(job, outcome)
                self._note(job, outcome)

    def work_on_postponed(self, *, shared: bool) -> None:
        """Work on the videos that waited for others of their subject.

        Args:
            shared: other runs may still work on the others, so that only videos of finished subjects can be done.
        """
        waiting, self.postponed = self.postponed, []
        ready: list[Job] = []
        for subject, videos in self._of_subjects(waiting).items():
            of_subject = [job for job in waiting if job.subject == subject]
            noted = ledger.noted(self.setting.out, subject)
            if shared and any(job.name not in noted for job in videos):
                self.postponed += of_subject
            else:
                ready += self._with_fallbacks(of_subject, videos)
        self.look_up(ready)
        self.work()

    def of_share(self, selected: Sequence[Job], others: Sequence[Finding]) -> Extraction:
        """What a share leaves; the tables of all, if no other share has anything to do any more."""
        mine = self._collect([job for job in selected if (job.subject, job.name) in self.done])
        reached = {*self.done, *((job.subject, job.name) for job in self.postponed)}
        rest = [job for job in selected if (job.subject, job.name) not in reached]
        waiting, out = len(self.postponed), self.setting.out
        owed = sum(not ledger.note(out, job.subject, job.name).exists() for job in rest)
        if not owed:  # each of them has a note, perhaps of other frames or software
            self.setting = replace(self.setting, force=False)  # the others need not do theirs after this run
            found = list(self._settled(rest))
            owed = sum(outcome is None for _, outcome in found)
            waiting += self._still_waiting([job for job, outcome in found if isinstance(outcome, Postponed)])
        if not owed and not waiting:
            return self.write_tables(others)
        return replace(mine, owed=owed, waiting=waiting, tables=False)

    def _still_waiting(self, jobs: Sequence[Job]) -> int:
        """How many of some videos, which once waited for others, were not done with the boxes of these."""
        by_subject = self._of_subjects(jobs)
        again = (self._with_fallbacks([job], by_subject[job.subject]) for job in jobs)
        return sum(known(self.setting, job) is None for (job,) in again)

    def write_tables(self, others: Sequence[Finding]) -> Extraction:
        """Write the tables of everything that is done by now, in this run or an earlier one."""
        out = self.setting.out
        changes = feature_files.begun(out)  # before the rows are collected: later changes make these tables old
        videos = self._all_done(self.everything)
        extraction = _extraction_of(videos, len(self.everything))
        extraction.findings.extend(others)
        current = (out / ledger.NOTES).is_file() and feature_files.current(out, extraction.rows, extraction.findings)
        if changes or not current:
            ledger.write_notes(out, videos)
            feature_files.write_tables(out, extraction.rows, extraction.findings, changes)
        return extraction

    def _keep_failure(self, job: Job, outcome: Done) -> None:
        """Note that a video failed before anything was written of it, unless that is what its note means already."""
        lenient = replace(self.setting, force=False)
        if outcome not in (known(lenient, job), ledger.failed(lenient.out, job.subject, job.name)):
            ledger.fail(lenient.out, job.subject, outcome)

    def _note(self, job: Job, outcome: Outcome) -> None:
        if isinstance(outcome, Postponed):
            self.postponed.append(job)
            return
        ledger.share_texts(outcome.row, job.video)
        self.done[job.subject, job.name] = outcome
        if self.video_done:
            self.video_done(job.name)

    def _of_subjects(self, jobs: Sequence[Job]) -> dict[str, list[Job]]:
        """All videos of the subjects of some, by subject, in order of name."""
        by_subject: dict[str, list[Job]] = {job.subject: [] for job in jobs}
        for job in sorted(self.everything, key=lambda job: job.name):
            if job.subject in by_subject:
                by_subject[job.subject].append(job)
        return by_subject

    def _with_fallbacks(self, jobs: Sequence[Job], subject: Sequence[Job]) -> Iterator[Job]:
        """Jobs with the boxes of the face in their subject's other videos, and the sizes of their frames."""
        boxes: dict[str, Fallback] = {}
        for other in subject:
            video = self._finished(other)
            if video and video.row.crop_source in ("given", "sample", "all-frames"):
                row = video.row
                boxes[other.name] = Fallback(Box(*row.box), row.width or 1, row.height or 1)
        for job in jobs:
            yield Job(job.video, tuple(box for name, box in boxes.items() if name != job.name))

    def _finished(self, job: Job) -> Done | None:
        return self.done.get((job.subject, job.name)) or ledger.done(self.setting.out, job.subject, job.name)

    def _all_done(self, jobs: Sequence[Job]) -> list[Done]:
        """Those of some videos that are done, in order of subject and name."""
        videos = map(self._finished, sorted(jobs, key=lambda job: (job.subject, job.name)))
        return [video for video in videos if video is not None]

    def _collect(self, jobs: Sequence[Job]) -> Extraction:
        """What is done of some videos, in order of subject and name."""
        return _extraction_of(self._all_done(jobs), len(jobs))


def _extraction_of(videos: Sequence[Done], count: int) -> Extraction:
    """What is done of so many videos."""
    findings = [finding for video in videos for finding in video.findings]
    return Extraction([video.row for video in videos], findings, count - len(videos))


def _claim(
    out: Path, manifest: Manifest, options: ExtractOptions, surroundings: dict[str, str], all_anew: bool
) -> None:
    """Make the folder ours before any work, or see that it is ours and of the same dataset and options.

    What was done with other options is removed if everything is done anew.

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
    ledger.checked_folder.cache_clear()
    for name in (DONE, *ledger.ARRAYS):
        under(out, name)
    path = out / EXTRACTION.about
    content = (json.dumps(about, indent=2, ensure_ascii=False) + "\n").encode()
    if not path.is_file():
        with locked(out):  # against the other shares, which begin at the same time
            if not artefact.claim(out, EXTRACTION):
                artefact.write_file(path, content)
                return
    with locked(path):
        artefact.claim(out, EXTRACTION)
        _compare(path, about, all_anew)
        remove_left(out / DONE)
        if path.read_bytes() != content:
            artefact.write_file(path, content)


def _compare(path: Path, about: dict[str, Any], all_anew: bool) -> None:
    """See that an extraction is of the same dataset, with the same options; or, if all is done anew, remove it.

    Raises:
        FeaturesError: it is not.
    """
    fix = "choose another -o, or add --force, without --videos and --shard, to do all anew"
    try:
        before = read_json(path)
        old = {"dataset": before["dataset"], **before["options"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        if not all_anew:
            raise FeaturesError(f"{path.name} is damaged: {error}", where=str(path.parent), fix=fix) from error
        old = {}
    new = {"dataset": about["dataset"], **about["options"]}
    changed = [f"{name} {old.get(name)!r}, now {new[name]!r}" for name in new if old.get(name) != new[name]]
    if changed and not all_anew:
        raise FeaturesError(
            f"the folder holds an extraction with other options: {'; '.join(changed)}",
            where=str(path.parent),
            fix=fix,
        )
    if changed:
        ledger.remove_all(path.parent)


def _without_folder(manifest: Manifest, jobs: Sequence[Job]) -> Iterator[Video]:
    there = {job.video.video for job in jobs}
    for video in manifest.videos:
        if video.annotations and not video.path and video.video not in there:
            yield video


def counts(extraction: Extraction) -> Iterator[tuple[str, int]]:
    """How many videos are ok, partial, failed, and not reached yet."""
    by_status = Counter(row.status for row in extraction.rows)
    yield from ((status, by_status[status]) for status in ("ok", "partial", "failed"))
    yield "not reached", extraction.remaining
