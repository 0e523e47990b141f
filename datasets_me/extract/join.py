"""``me-datasets join``: the tables of another tool, by the manifest's videos and frames."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets_me.core import artefact
from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.core.paths import safe_name, under
from datasets_me.core.tables import write_parquet
from datasets_me.extract.video import Job
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import tool_tables
from datasets_me.formats.frame_files import known_span
from datasets_me.formats.items import describe
from datasets_me.formats.joined import TABLE, JoinedVideo
from datasets_me.formats.kinds import JOINED
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.formats.tool_tables import ToolTable, fitted

FINDINGS = "findings.parquet"


@dataclass(frozen=True)
class Joined:
    """The videos with a table, and the findings."""

    rows: list[JoinedVideo]
    findings: list[Finding]


def join(manifest: Manifest, tables: Path, out: Path, *, force: bool = False) -> Joined:
    """Write what a tool has found in each frame into a new folder.

    Args:
        manifest: the videos; with folders of frames, their numbers of frames are known.
        tables: a folder of ``<video>.csv`` or ``.npz``, at any depth.
        out: the folder to write.
        force: replace it if it is such a folder.

    Raises:
        MeDatasetsError: there is no table of any video, one cannot be read, or the folder cannot be written.
    """
    jobs = {job.name: job for job in _videos(manifest)}
    found = tool_tables.find(tables, list(jobs))
    if not found:
        raise MeDatasetsError(
            "no table is named like a video of the manifest",
            where=str(tables),
            fix=f"name them <video>.csv or .npz, such as {min(jobs, key=len, default='casme_015_0401')}.csv",
        )
    shortest = {jobs[name].video.video: name for name in sorted(jobs, key=len, reverse=True)}
    reached = {jobs[name].video.video for name in found}
    rows, findings = list[JoinedVideo](), list[Finding]()
    with artefact.new_folder(out, JOINED, force=force) as new:
        for name, job in jobs.items():
            video = job.video
            if name not in found:
                if video.video not in reached:
                    reached.add(video.video)  # one finding for all of its folders
                    message = f"there is no table {shortest[video.video]}.csv or .npz"
                    findings.append(finding("ME620", message, subject=video.subject, video=video.video))
                continue
            table = tool_tables.read(found[name])
            start, end = known_span(manifest, video)
            row = _row(job, table, found[name].name, start, end - start if end > start else table.frames)
            _write(under(new.path, row.file), table, row.frames)
            rows.append(row)
            findings += _about(row, table)
        write_parquet(JoinedVideo, rows, new.path / TABLE)
        write_parquet(Finding, findings, new.path / FINDINGS)
        new.about.update({"manifest": describe(manifest), "videos": len(rows)})
    return Joined(rows, findings)


def _videos(manifest: Manifest) -> Iterator[Job]:
    """The videos of a manifest, or of its annotations if it has no folders."""
    listed = manifest.videos or [
        Video(dataset=row.dataset, subject=row.subject, video=row.video, fps=row.fps)
        for row in {row.video: row for row in manifest.annotations}.values()
    ]
    return map(Job, listed)


def _row(job: Job, table: ToolTable, source: str, start: int, frames: int) -> JoinedVideo:
    return JoinedVideo(
        dataset=job.video.dataset,
        subject=job.video.subject or "unknown",
        video=job.video.video,
        expression=job.video.expression,
        name=job.name,
        file=f"arrays/{job.subject}/{safe_name(job.name)}.npz",
        source=source,
        tool=table.tool,
        start=start,
        frames=frames,
        rows=table.frames,
        arrays=sorted(table.arrays),
        au=list(table.units.get("au", ())),
        intensity=list(table.units.get("intensity", ())),
    )


def _write(path: Path, table: ToolTable, frames: int) -> None:
    arrays = {name: fitted(array, frames) for name, array in table.arrays.items()}
    units = {f"{name}_units": np.array(numbers, np.int32) for name, numbers in table.units.items()}
    content = io.BytesIO()
    np.savez(content, **arrays, **units)  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.getvalue())


def _about(row: JoinedVideo, table: ToolTable) -> Iterator[Finding]:
    if not table.frames:
        message = f"the table of {table.tool} has a header and no row"
        yield finding("ME619", message, expected=str(row.frames), found="0", video=row.video)
    elif table.frames != row.frames:
        message = table.of_another_length(row.frames)
        yield finding("ME619", message, expected=str(row.frames), found=str(table.frames), video=row.video)
    if table.unread:
        count = plural(len(table.unread), "cell")
        message = f"{count} of the table of {table.tool} hold no finite number, such as {table.unread[0]}"
        yield finding("ME546", message, video=row.video)
    if table.others:
        yield finding("ME607", table.left_out, video=row.video)
