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
frame ``start`` on, and ``k``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from datasets_me.core import artefact
from datasets_me.core.engine import Failure, Report, run
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.paths import safe_name
from datasets_me.export.expressions import Expression, item_row
from datasets_me.export.flow_layouts import open_layout
from datasets_me.export.flow_maker import FlowMaker, FlowSources
from datasets_me.export.flow_options import FlowOptions
from datasets_me.export.flow_windows import write_windows
from datasets_me.export.labels import about
from datasets_me.export.sinks import ExportItem, open_sink
from datasets_me.findings.finding import Finding
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.items import ItemRow, describe, write_tables
from datasets_me.formats.kinds import FLOW
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation

Progress = Callable[[int, int, str], None]
"""Called with expressions or videos done, how many there are, and the id of the last."""


@dataclass(frozen=True)
class ExportedFlow:
    """What was written: flow images, of annotations and of their videos in all; and what was found.

    Of a preset of every frame, the images of a video count as one.
    """

    images: int
    annotations: int
    videos: int
    findings: list[Finding]


def write_flow(  # noqa: PLR0913 - what it reads and where it writes; the choices are one object
    manifest: Manifest,
    root: Path,
    out: Path,
    options: FlowOptions,
    *,
    features: FeatureFolder | None = None,
    apexes: Mapping[str, int] | None = None,
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
        workers: processes; with 0 all is done in this one. The same files are written.

    Raises:
        MeDatasetsError: the folder exists, there are no folders of frames, or ``align`` has no landmarks to go by.
    """
    chosen = options.of_preset
    if chosen.every_frame and options.type is None:
        raise MeDatasetsError(
            f"the preset {options.preset} looks over half the mean length of one type of expression",
            fix="give --type micro or --type macro",
        )
    if chosen.every_frame and options.magnify != 1:
        raise MeDatasetsError(
            f"the preset {options.preset} has the flow of every frame, which is not magnified",
            fix="leave --magnify out",
        )
    sources = FlowSources(_of_type(manifest, options.type), root, options, features, apexes or {})
    maker = sources.maker()
    expressions = maker.expressions
    with artefact.new_folder(out, FLOW, force=force) as new:
        if chosen.every_frame:
            items, more = write_windows(new.path, sources, maker, workers, progress)
        else:
            items, more = _write_expressions(new.path, sources, maker, workers, progress), {}
        write_tables(new.path, items, manifest.annotations, expressions.findings)
        new.about.update(
            {
                "options": asdict(options) | {"layout": expressions.layout, "format": "npz"} | more,
                "preset": chosen.model_dump(mode="json"),
                "manifest": describe(manifest),
                "images": len(items),
            }
        )
    annotations = expressions.manifest.annotations
    videos = len({(row.dataset, row.video) for row in annotations})
    return ExportedFlow(len(items), len(annotations), videos, expressions.findings)


def _of_type(manifest: Manifest, kind: str | None) -> Manifest:
    if kind is None:
        return manifest
    return replace(manifest, annotations=[row for row in manifest.annotations if row.type == kind])


def _write_expressions(
    folder: Path, sources: FlowSources, maker: FlowMaker, workers: int, progress: Progress | None
) -> list[ItemRow]:
    """Write one item for each expression, made by the workers, in the order of the expressions."""
    items: list[ItemRow] = []
    sink = open_sink("npz", folder, FLOW.name)
    layout = open_layout(folder, maker.preset)
    expressions = maker.expressions
    outcomes = run(_handler, expressions.ordered(), sources, workers=workers, in_order=True)
    for done, (row, outcome) in enumerate(outcomes, start=1):
        if isinstance(outcome, Failure):
            expressions.findings.append(about("ME516", f"no flow image: {outcome.why}", row, "onset"))
        else:
            expression, item, findings = outcome
            expressions.findings.extend(findings)
            if expression is not None and item is not None:
                stem = safe_name(row.id.replace(":", "_"))
                (stored,) = sink.add(("",), safe_name(row.subject), stem, item)
                first, second = np.sort(np.asarray(item["frames"])).tolist()
                items.append(item_row(expression, stored, stem, first, second - first + 1))
                if layout is not None:
                    layout.add(expression, item, maker.faces(expression))
        if progress:
            progress(done, len(expressions.manifest.annotations), row.id)
    sink.close()
    if layout is not None:
        layout.finish()
        expressions.findings.extend(layout.findings)
    return items


_Made = tuple[Expression | None, ExportItem | None, list[Finding]]


def _handler(sources: FlowSources) -> Callable[[Annotation, Report], _Made]:
    """A function that makes the item of an annotation, and says what it has found."""
    maker = sources.maker()

    def make(row: Annotation, report: Report) -> _Made:
        findings = maker.expressions.findings
        findings.clear()
        expression = maker.expressions.find(row)
        item = None if expression is None else maker.item(expression)
        return expression, item, list(findings)

    return make
