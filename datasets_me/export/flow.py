"""``me-datasets export flow``: for recognition, the optical flow from the onset of each expression to its apex.

::

    export.json  items.parquet  annotations.parquet  findings.parquet
    flow/<subject>/<annotation>.npz
    …                                   what the project of the preset reads, see `datasets_me.export.flow_layouts`

An item holds ``u``, ``v`` (S, S) float32 in px of the face's picture, to the right and downwards; ``strain`` (S, S)
float32, the magnitude of the strain tensor; ``image`` (h, w, 3) float32, the channels as the preset has them;
``onset_frame`` and ``to_frame`` (S, S, 3) uint8 RGB, the faces between which the flow is; ``landmarks`` (68, 2) float32
in px of ``onset_frame``, NaN where there are none; ``frames`` (2,) int32, which frames of the video these are, 0-based
at ``fps``; ``scale`` (2,) float32, px of the picture per px of the video's frames along x and y. Further ``onset``,
``apex``, ``offset`` (−1 for none), ``apex_from``, and the labels as in an export of clips.

With a preset of every frame there is one item for each video instead, with ``images`` (T − k, h, w, 3) float32, from
frame ``start`` on, and ``k``. Arrays of another tool (`export.beside`) have a row for each of the two frames of an
item, or for the first frame of each image: ``with_au`` (2, A) and others.

A run that was killed goes on where it was, see `formats.parts`; items whose frames have changed since are made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from datasets_me.core import artefact
from datasets_me.core.arrays import load_npz
from datasets_me.core.engine import Failure, Report, run
from datasets_me.core.errors import FolderError
from datasets_me.core.files import checksum
from datasets_me.core.paths import safe_name, under
from datasets_me.core.tables import Record
from datasets_me.export.beside import Beside
from datasets_me.export.expressions import Expressions, item_row
from datasets_me.export.flow_layouts import Layout, open_layout
from datasets_me.export.flow_maker import FlowMaker, FlowSources
from datasets_me.export.flow_options import FlowOptions
from datasets_me.export.flow_windows import video_item, windows_of
from datasets_me.export.labels import about
from datasets_me.export.sinks import NpzSink
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.frame_files import frame_files, stat_of
from datasets_me.formats.items import ItemRow, describe, write_tables
from datasets_me.formats.kinds import FLOW
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.parts import Parts, resumed
from datasets_me.formats.records import Annotation, Video

Progress = Callable[[int, int, str], None]
"""Called with expressions or videos done, how many there are, and the id of the last."""

TOGETHER = 8
"""Expressions of a part: what a killed run may lose. A video of a preset of every frame is a part of its own."""


@dataclass(frozen=True)
class ExportedFlow:
    """What was written: flow images, of annotations and of their videos in all; and what was found.

    Of a preset of every frame, the images of a video count as one.
    """

    images: int
    annotations: int
    videos: int
    findings: list[Finding]


class Kept(Record):
    """What is kept of a task: its item, if there is one; the findings; whether it is not to be tried again."""

    id: str
    items: list[ItemRow]
    findings: list[Finding]
    finished: bool


class _Task(NamedTuple):
    """An expression, or the video of a preset of every frame; ``id`` changes with its frames."""

    id: str
    source: Annotation | Video


@dataclass(frozen=True)
class _Work:
    """What a process needs to write items: their sources, the folder, and of videos the windows by frame rate."""

    sources: FlowSources
    folder: Path
    windows: Mapping[float, int]


def write_flow(  # noqa: PLR0913 - what it reads and where it writes; the choices are one object
    manifest: Manifest,
    root: Path,
    out: Path,
    options: FlowOptions,
    *,
    features: FeatureFolder | None = None,
    apexes: Mapping[str, int] | None = None,
    beside: Beside | None = None,
    workers: int = 0,
    force: bool = False,
    progress: Progress | None = None,
) -> ExportedFlow:
    """Export a flow image per annotated expression, or per frame, to a new folder.

    Args:
        root: where the paths of the manifest begin.
        features: an extraction, whose boxes and landmarks are used. Without one, the default detector looks for the
            face in the frame of the onset, unless the folders hold cropped faces.
        apexes: estimated apexes by the id of the annotation, at its rate, for those that have none.
        beside: what another tool has found in each frame, for further arrays of an item.
        workers: processes; with 0 all is done in this one. The same files are written.

    Raises:
        MeDatasetsError: the folder exists, there are no folders of frames, or ``align`` has no landmarks to go by.
    """
    chosen = options.of_preset
    artefact.may_replace(out, FLOW, force)
    sources = FlowSources(_of_type(manifest, options.type), root, options, features, apexes or {}, beside)
    expressions = sources.maker().expressions
    findings = expressions.findings
    size, noun = (1, "video") if chosen.every_frame else (TOGETHER, "expression")
    parts = Parts(out, Kept, sources.key(), folders=[FLOW.name], size=size, noun=noun)
    with parts.held(), artefact.new_folder(out, FLOW, force=force) as new:
        windows = windows_of(expressions, options) if chosen.every_frame else {}
        tasks = _tasks(expressions, every_frame=chosen.every_frame)
        layout = open_layout(new.path, chosen)
        maker = sources.maker()  # of the layout, whose findings are those of the items once more
        items: list[ItemRow] = []
        made = _made(parts, tasks, _Work(sources, parts.folder, windows), workers)
        for count, (task, each) in enumerate(zip(tasks, made, strict=True), start=1):
            findings.extend(each.findings)
            items.extend(each.items)
            if layout is not None:
                for item in each.items:
                    _lay_out(layout, maker, task, parts.folder / item.file)
            if progress:
                progress(count, len(tasks), _name(task))
        if layout is not None:
            layout.finish()
            findings.extend(layout.findings)
        parts.give(new, {item.file for item in items})
        write_tables(new.path, items, manifest.annotations, findings)
        recorded = asdict(options) | {"layout": expressions.layout, "format": "npz"}
        if chosen.every_frame:
            recorded["k"] = {f"{fps:g}": k for fps, k in windows.items()}
        new.about.update(
            {
                "options": recorded,
                "preset": chosen.model_dump(mode="json"),
                "with": {} if beside is None else beside.about(),
                "manifest": describe(manifest),
                "images": len(items),
            }
        )
    annotations = expressions.manifest.annotations
    videos = len({(row.dataset, row.video) for row in annotations})
    return ExportedFlow(len(items), len(annotations), videos, findings)


def _of_type(manifest: Manifest, kind: str | None) -> Manifest:
    if kind is None:
        return manifest
    return replace(manifest, annotations=[row for row in manifest.annotations if row.type == kind])


def _tasks(expressions: Expressions, *, every_frame: bool) -> list[_Task]:
    """What items are made of, in order."""
    stats: dict[str | None, str] = {}

    def task(source: Annotation | Video, video: Video | None) -> _Task:
        name = source.id if isinstance(source, Annotation) else source.video
        if video is None:
            return _Task(name, source)
        if video.path not in stats:
            stats[video.path] = _stat(expressions, video)
        return _Task(f"{name} {video.path} {stats[video.path]}", source)

    if not every_frame:
        return [task(row, expressions.folders.get(row.id)) for row in expressions.ordered()]
    videos = {video.path or "": video for video in expressions.folders.values()}
    return [task(videos[path], videos[path]) for path in sorted(videos)]


def _stat(expressions: Expressions, video: Video) -> str:
    try:
        return stat_of(frame_files(expressions.manifest, video, expressions.root))
    except FolderError as error:
        return error.what


def _made(parts: Parts[Kept], tasks: list[_Task], work: _Work, workers: int) -> Iterator[Kept]:
    """What was made of each task: what an earlier run has kept, and the others by the workers."""
    known = {each.id: each for each in parts.kept()[0] if each.finished and _is_whole(parts.folder, each)}
    parts.begin()  # before there are items in its folder

    def fresh(lacking: Iterable[_Task]) -> Iterator[Kept]:
        outcomes = run(_handler, lacking, work, workers=workers, in_order=True)
        made = (_failed(task, each) if isinstance(each, Failure) else each for task, each in outcomes)
        return parts.keep(made, [])

    return resumed(lambda: tasks, lambda task: task.id, known, fresh)


def _is_whole(folder: Path, each: Kept) -> bool:
    """Whether the file of a task, if there is one, is as an earlier run wrote it."""
    try:
        return all(checksum(under(folder, item.file)) == item.sha256 for item in each.items)
    except OSError:
        return False


def _handler(work: _Work) -> Callable[[_Task, Report], Kept]:
    """A function that writes the item of a task, and says what it has found."""
    maker = work.sources.maker()
    sink = NpzSink(work.folder, FLOW.name)

    def make(task: _Task, report: Report) -> Kept:
        findings = maker.expressions.findings
        findings.clear()
        source = task.source
        if isinstance(source, Annotation):
            item: ItemRow | None = _expression_item(maker, sink, source)
        else:
            item = video_item(maker, sink, source, work.windows)
        return Kept(id=task.id, items=[] if item is None else [item], findings=findings, finished=True)

    return make


def _expression_item(maker: FlowMaker, sink: NpzSink, row: Annotation) -> ItemRow | None:
    """Write the item of an expression; None, and a finding, where it cannot be made."""
    expression = maker.expressions.find(row)
    item = None if expression is None else maker.item(expression)
    if expression is None or item is None:
        return None
    stem = safe_name(row.id.replace(":", "_"))
    (stored,) = sink.add(("",), safe_name(row.subject), stem, item)
    first, second = np.sort(np.asarray(item["frames"])).tolist()
    return item_row(expression, stored, stem, first, second - first + 1)


def _failed(task: _Task, outcome: Failure) -> Kept:
    """What is kept of a task that failed."""
    source = task.source
    if isinstance(source, Annotation):
        why = about("ME516", f"no flow image: {outcome.why}", source, "onset")
    else:
        message = f"no flow images of {source.video}: {outcome.why}"
        why = finding("ME516", message, subject=source.subject, video=source.video, path=source.path)
    return Kept(id=task.id, items=[], findings=[why], finished=False)


def _name(task: _Task) -> str:
    return task.source.id if isinstance(task.source, Annotation) else task.source.video


def _lay_out(layout: Layout, maker: FlowMaker, task: _Task, file: Path) -> None:
    """Give the item of an expression to the layout of the preset."""
    assert isinstance(task.source, Annotation)  # a preset of every frame has no layout
    expression = maker.expressions.find(task.source)
    if expression is not None:
        layout.add(expression, load_npz(file, ("image", "to_frame", "frames")), maker.faces(expression))
