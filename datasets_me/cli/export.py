"""Verbs that write what training scripts read, and ``trace``, which leads back from such a file to the workbook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import options, show
from datasets_me.cli.run import Answer, group, verb
from datasets_me.core.choices import (
    Compat,
    Distances,
    ExpressionType,
    FlowMethod,
    FlowPreset,
    ItemFormat,
    StrainDefinition,
)
from datasets_me.core.errors import MeDatasetsError, plural

if TYPE_CHECKING:
    from datasets_me.export.beside import Beside
    from datasets_me.export.trace import Trace, TracedRow
    from datasets_me.formats.manifest import Manifest

export = group("Write what training scripts read.")

JOINED = typer.Option(None, "--joined", help="A folder of 'me-datasets join', for --with.")
WITH = typer.Option(
    [], "--with", help="Also write what another tool has found: au, intensity, pose, gaze, confidence, with commas."
)
MAGNIFY = typer.Option(1.0, "--magnify", help="Make the motion so many times as large.")
BAND = typer.Option(
    None, "--band", help="With --magnify: only motion of these frequencies in Hz, such as 0.5-10, in Eulerian form."
)


@verb("me-datasets export segments casme-sq-manifest casme-sq-features -o segments", formats=None)
def segments(
    manifest: Path = typer.Argument(help="A manifest folder; with --no-labels also an extraction of recordings."),
    features: Path = typer.Argument(
        None, help="A folder that 'me-datasets extract' wrote, or any of <subject>/<video>.npy."
    ),
    out: Path = options.OUT,
    length: int = typer.Option(256, "--length", help="Frames of a segment."),
    context: int = typer.Option(7, "--context", help="Frames of context on each side of a segment."),
    compat: Compat | None = options.COMPAT,
    offset_missing: str = options.OFFSET_MISSING,
    fps: float = typer.Option(None, "--fps", help="The frame rate to export at. Default: that of the features."),
    features_fps: float = options.FEATURES_FPS,
    file_format: ItemFormat = typer.Option("npz", "--format", help="One npz per segment, tar shards, or Parquet."),
    joined: Path = JOINED,
    beside: list[str] = WITH,
    no_labels: bool = typer.Option(
        False, "--no-labels", help="Features alone, to run a trained model on: no labels, and only the part test."
    ),
    decisions: Path = options.DECISIONS,
    force: bool = options.FORCE,
) -> Answer:
    """Write features and labels in segments of equal length, for training and for testing.

    Exit code 0: written, whatever warnings there are. 1: written, and there are errors. 2: could not run.
    """
    from datasets_me.export.options import SegmentOptions
    from datasets_me.export.segments import write_segments
    from datasets_me.formats import features as feature_files

    chosen = SegmentOptions(length, context, compat, offset_missing, fps, features_fps, file_format, not no_labels)
    if features is None:
        manifest, features = _recordings(manifest, no_labels)
    annotated = options.read_manifest(manifest, [decisions])
    arrays = feature_files.read(features, annotated)
    more = _beside(joined, beside, annotated)
    with show.progress("videos") as update:
        exported = write_segments(annotated, arrays, out, chosen, beside=more, force=force, progress=update)
    return Answer(
        findings=exported.findings,
        ending=[
            f"{plural(exported.segments, 'segment')} of {plural(exported.videos, 'video')} written to {out}, "
            + (
                "without labels"
                if no_labels
                else "for training and for testing; "
                f"{exported.labelled:,} of {plural(exported.annotations, 'annotation')} labelled"
            )
        ],
        data={
            "export": str(out),
            "segments": exported.segments,
            "videos": exported.videos,
            "labelled": exported.labelled,
            "annotations": exported.annotations,
        },
        exit_code=None if exported.segments else 1,
    )


def _beside(joined: Path | None, wanted: list[str], manifest: Manifest) -> Beside | None:
    """The arrays of another tool that --joined and --with name; None where they are not given.

    Raises:
        MeDatasetsError: only one of the two is given, or the folder has no such arrays.
    """
    from datasets_me.export.beside import read

    if (joined is None) == bool(wanted):
        raise MeDatasetsError("--joined FOLDER and --with NAMES belong together", fix="give both, or neither")
    names = [name.strip() for name in ",".join(wanted).split(",") if name.strip()]
    return None if joined is None else read(joined, names, manifest)


def _recordings(extraction: Path, no_labels: bool) -> tuple[Path, Path]:
    """The manifest and the features of an extraction of recordings.

    Raises:
        MeDatasetsError: labels are wanted, or the extraction is of a dataset, whose manifest lies elsewhere.
    """
    from datasets_me.extract.recordings import FOLDER

    if not no_labels:
        raise MeDatasetsError("FEATURES is missing", fix="give a manifest and a folder of features")
    if not (extraction / FOLDER).is_dir():
        raise MeDatasetsError(
            "this is not an extraction of recordings",
            where=str(extraction),
            fix="give the manifest and its features: me-datasets export segments MANIFEST FEATURES --no-labels",
        )
    return extraction / FOLDER, extraction


@verb("me-datasets export clips casme2-manifest --root CASME2 --features casme2-features -o clips", formats=None)
def clips(
    manifest: Path = options.MANIFEST,
    root: Path = options.ROOT,
    out: Path = options.OUT,
    features: Path = typer.Option(None, "--features", help="An extraction: its boxes are what is cut out."),
    frames: str = typer.Option(
        "all",
        "--frames",
        help="all from onset to offset, key (onset, apex, offset), a number of frames, tim:N or linear:N (N frames "
        "interpolated between all of them).",
    ),
    size: int = typer.Option(128, "--size", help="Height and width of the pictures."),
    align: bool = typer.Option(False, "--align", help="Hold the face still, by the landmarks of --features."),
    magnify: float = MAGNIFY,
    band: str = BAND,
    joined: Path = JOINED,
    beside: list[str] = WITH,
    layout: str = options.LAYOUT,
    offset_missing: str = options.OFFSET_MISSING,
    file_format: ItemFormat = typer.Option("npz", "--format", help="One npz per clip, tar shards, or Parquet."),
    workers: int = options.PROCESSES,
    decisions: Path = options.DECISIONS,
    force: bool = options.FORCE,
) -> Answer:
    """Write the pictures of every annotated expression, with emotion, classes and action units.

    A run that was stopped begins anew.

    Exit code 0: written, whatever warnings there are. 1: written, and there are errors, or nothing could be made. 2:
    could not run.
    """
    from datasets_me.core.engine import workers_for
    from datasets_me.export.clips import ClipOptions, write_clips
    from datasets_me.formats import features as feature_files

    chosen = ClipOptions(frames, size, align, layout, offset_missing, file_format, magnify, band)
    annotated = options.read_manifest(manifest, [decisions])
    arrays = feature_files.read(features, annotated) if features else None
    more = _beside(joined, beside, annotated)
    with show.progress("expressions") as update:
        exported = write_clips(
            annotated,
            root,
            out,
            chosen,
            features=arrays,
            beside=more,
            workers=workers_for(workers),
            force=force,
            progress=update,
        )
    return Answer(
        findings=exported.findings,
        ending=[f"{plural(exported.clips, 'clip')} of {plural(exported.annotations, 'annotation')} written to {out}"],
        data={"export": str(out), "clips": exported.clips, "annotations": exported.annotations},
        exit_code=1 if exported.annotations and not exported.clips else None,
    )


@verb("me-datasets export flow casme2-manifest --root CASME2 --preset ststnet -o casme2-flow")
def flow(
    manifest: Path = options.MANIFEST,
    root: Path = options.ROOT,
    out: Path = options.OUT,
    preset: FlowPreset = typer.Option(
        "default", "--preset", help="How a project makes its images, and the folders it reads."
    ),
    features: Path = typer.Option(None, "--features", help="An extraction: its boxes and landmarks are used."),
    to: str = typer.Option("apex", "--to", help="The later frame: apex, offset, middle, or frames after the onset."),
    method: FlowMethod | None = typer.Option(None, "--flow", help="In place of the preset's; lk is the default's."),
    strain: StrainDefinition | None = typer.Option(
        None, "--strain", help="In place of the preset's; tensor is the default's."
    ),
    size: int = typer.Option(None, "--size", help="Side of the face's picture in px, in place of the preset's."),
    align: bool = typer.Option(False, "--align", help="Hold the face still, by the landmarks of --features."),
    magnify: float = MAGNIFY,
    band: str = BAND,
    joined: Path = JOINED,
    beside: list[str] = WITH,
    expression_type: ExpressionType | None = typer.Option(None, "--type", help="Only expressions of this type."),
    apexes: Path = typer.Option(None, "--apexes", help="Estimated apexes, made by 'me-datasets apex'."),
    sheet: Path = typer.Option(
        None, "--sheet", help="Draw up to eight of them: both frames, u, v and strain (.png; needs matplotlib)."
    ),
    layout: str = options.LAYOUT,
    offset_missing: str = options.OFFSET_MISSING,
    workers: int = options.PROCESSES,
    decisions: Path = options.DECISIONS,
    force: bool = options.FORCE,
) -> Answer:
    """Write the optical flow from onset to apex of every annotated expression: u, v and strain.

    A run that was killed goes on where it was.

    Exit code 0: written, whatever warnings there are. 1: written, and there are errors, or nothing could be made. 2:
    could not run.
    """
    from datasets_me.core.artefact import may_write, write_file
    from datasets_me.core.engine import workers_for
    from datasets_me.export.flow import write_flow
    from datasets_me.export.flow_options import FlowOptions
    from datasets_me.formats import apexes as apex_files
    from datasets_me.formats import features as feature_files

    chosen = FlowOptions(
        preset=preset,
        to=to,
        flow=method,
        strain=strain,
        size=size,
        align=align,
        magnify=magnify,
        band=band,
        type=expression_type,
        layout=layout,
        offset_missing=offset_missing,
    )
    may_write(sheet, force)
    if sheet is not None and chosen.of_preset.every_frame:
        raise MeDatasetsError(
            f"the preset {preset} has an image for every frame, and none of an expression to draw",
            fix="leave --sheet out",
        )
    annotated = options.read_manifest(manifest, [decisions])
    arrays = feature_files.read(features, annotated) if features else None
    estimated = apex_files.read(apexes) if apexes else None
    with show.progress("expressions") as update:
        exported = write_flow(
            annotated,
            root,
            out,
            chosen,
            features=arrays,
            apexes=estimated,
            beside=_beside(joined, beside, annotated),
            workers=workers_for(workers),
            force=force,
            progress=update,
        )
    images, annotations = plural(exported.images, "flow image"), plural(exported.annotations, "annotation")
    if chosen.of_preset.every_frame:
        images, annotations = f"the flow of {exported.images}", plural(exported.videos, "video")
    ending = [f"{images} of {annotations} written to {out}"]
    if sheet is not None and exported.images:
        from datasets_me.cards.flow_plot import draw

        picture, count = draw(out)
        write_file(sheet, picture)
        ending.append(f"{count} of them drawn in {sheet}")
    return Answer(
        findings=exported.findings,
        ending=ending,
        data={
            "export": str(out),
            "images": exported.images,
            "annotations": exported.annotations,
            "sheet": sheet and str(sheet),
        },
        exit_code=1 if exported.annotations and not exported.images else None,
    )


@verb("me-datasets export auwgcn casme-sq-manifest casme-sq-features -o auwgcn")
def auwgcn(
    manifest: Path = options.MANIFEST,
    features: Path = options.FEATURES,
    out: Path = options.OUT,
    compat: Compat | None = options.COMPAT,
    distances: Distances | None = options.DISTANCES,
    features_fps: float = options.FEATURES_FPS,
    decisions: Path = options.DECISIONS,
    force: bool = options.FORCE,
) -> Answer:
    """Write all that the AUW-GCN project trains on: segments, CSV, graph, config.yaml, and constants.

    Exit code 0: written, whatever warnings there are. 1: written, and there are errors. 2: could not run.
    """
    from datasets_me.export import auwgcn as project
    from datasets_me.formats import features as feature_files

    annotated = options.read_manifest(manifest, [decisions])
    arrays = feature_files.read(features, annotated)
    with show.progress("videos") as update:
        written = project.write(
            annotated,
            arrays,
            out,
            project.AuwgcnOptions(compat, distances, features_fps),
            force=force,
            progress=update,
        )
    exported = written.exported
    return Answer(
        findings=written.findings,
        ending=[
            f"{plural(exported.segments, 'segment')} of {plural(exported.videos, 'video')}, {exported.labelled:,} of "
            f"{plural(exported.annotations, 'annotation')} labelled; mean {written.mean[0]:.6f} {written.mean[1]:.6f}, "
            f"std {written.std[0]:.6f} {written.std[1]:.6f}",
            f"written to {out}; in there: python AUW-GCN/train.py --dataset '{written.dataset}' --subject …",
        ],
        data={
            "export": str(out),
            "dataset": written.dataset,
            "segments": exported.segments,
            "videos": exported.videos,
            "labelled": exported.labelled,
            "annotations": exported.annotations,
            "mean": list(written.mean),
            "std": list(written.std),
        },
    )


@verb("me-datasets export auwgcn-csv casme-sq-manifest -o cas(me)^2.csv")
def auwgcn_csv(
    manifest: Path = options.MANIFEST,
    out: Path = typer.Option(..., "-o", "--out", help="The CSV to write."),
    decisions: Path = options.DECISIONS,
    force: bool = options.FORCE,
) -> Answer:
    """Write the 7-column CSV of the AUW-GCN family, with the field's own frame numbers.

    Exit code 0: written. 1: written, and a decision could not be applied. 2: could not run.
    """
    from datasets_me.core.artefact import may_write
    from datasets_me.export import auwgcn_csv as csv_file

    annotated = options.read_manifest(manifest, [decisions])
    may_write(out, force)
    rows = csv_file.write(annotated, out)
    return Answer(
        findings=annotated.notices or None,
        ending=[f"{plural(rows, 'row')} written to {out}"],
        data={"export": str(out), "rows": rows},
    )


@verb("me-datasets trace segments/segments/test/casme_015/casme_015_0401_0000.npz")
def trace(
    file: Path = typer.Argument(
        help="A segment, a clip, the array of a video, a shard or a table, where 'me-datasets export' wrote it."
    ),
    item: str = typer.Option(None, "--item", help="The key of an item, in a tar shard or a Parquet table."),
) -> Answer:
    """Walk from an exported file back to the workbook's sheet, row and cells.

    Exit code 0: found. 1: found, but the file was changed since it was written. 2: could not run.
    """
    from datasets_me.export.trace import trace as walk

    origin = walk(file, item)
    rows = [part for row in origin.rows for part in _row(row)]
    if not rows:
        rows = ["", "no annotation: nothing is expressed here"]
    return Answer([_origin(origin), *rows], data=origin.model_dump(mode="json"), exit_code=int(not origin.intact))


def _origin(origin: Trace) -> show.Rows:
    features = origin.features or "none"
    key = f", key {origin.features_key}" if origin.features_key else ""
    return show.named(
        ("file", origin.file),
        *([("item", origin.key)] if Path(origin.file).stem != origin.key else []),
        ("sha256", f"{origin.sha256}{'' if origin.intact else ', CHANGED since it was written'}"),
        ("shows", f"{origin.video}, {origin.length:,} frames from {origin.start:,} at {origin.fps:g} a second"),
        ("subject", origin.subject),
        ("features", f"{features}{key}"),
        *([("their sha256", origin.features_sha256)] if origin.features_sha256 else []),
        ("schema", f"sha256 {origin.schema_sha256}"),
        ("made by", origin.tool),
    )


def _row(row: TracedRow) -> list[show.Part]:
    sheet = f", sheet '{row.sheet}'" if row.sheet else ""
    table = show.Rows(None, "field", "cell", "workbook", "manifest", "labelled at")
    rules = {"apex": row.apex_from, "offset": row.offset_from}
    for cell in row.cells:
        content = "" if cell.raw is None else cell.raw
        if cell.corrected is not None:
            content += f" (corrected to {cell.corrected})"
        labelled = "" if cell.labelled is None else str(cell.labelled)
        rule = rules.get(cell.field)
        if rule not in (None, "annotated"):
            labelled += f" ({rule})"
        table.add_row(cell.field, cell.cell, content, cell.value, labelled)
    return ["", f"{row.annotation}: {row.file}{sheet}, row {row.row}", f"sha256 {row.sha256 or 'not recorded'}", table]


@verb("me-datasets export vqa casme2-manifest samm-manifest -o questions.jsonl")
def vqa(
    manifests: list[Path] = options.MANIFESTS,
    out: Path = typer.Option(..., "-o", "--out", help="The JSONL to write."),
    seed: int = typer.Option(0, "--seed", help="Which units are asked about is drawn; the same seed draws the same."),
    decisions: list[Path] = options.DECISION_FOLDERS,
    force: bool = options.FORCE,
) -> Answer:
    """Write questions about expressions and their answers, a JSON object in each line (MEGC 2025).

    Exit code 0: written. 1: there is nothing to ask. 2: could not run.
    """
    from datasets_me.core.artefact import may_write
    from datasets_me.export import vqa as stage

    may_write(out, force)
    exported = stage.questions([options.read_manifest(folder, decisions) for folder in manifests], seed=seed)
    stage.write(exported.lines, out)
    count, expressions = plural(len(exported.lines), "question"), plural(exported.expressions, "expression")
    return Answer(
        findings=exported.findings,
        ending=[f"{count} about {expressions} written to {out}"],
        data={"questions": len(exported.lines), "expressions": exported.expressions},
        exit_code=None if exported.lines else 1,
    )
