"""Verbs about videos and their features.

``extract`` computes features, ``show`` draws those of one video, ``apex`` estimates apexes from them, and ``frames``
writes the pictures of a video.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import options, show
from datasets_me.cli.log import LOGGER
from datasets_me.cli.run import Answer, verb
from datasets_me.core.choices import LANDMARKS_EVERY, Detector, Device, Head, Preset
from datasets_me.core.errors import MeDatasetsError, StoppedError, plural

if TYPE_CHECKING:
    from datasets_me.core.engine import Shard
    from datasets_me.extract.extract import Extraction
    from datasets_me.extract.options import ExtractOptions
    from datasets_me.formats.manifest import Manifest


@verb("me-datasets extract casme2-manifest --root CASME2 -o casme2-features --sheet faces.html")
def extract(
    sources: list[Path] = typer.Argument(
        help="A manifest folder, made by 'me-datasets convert'; or video files and folders of frames, each a video of "
        "its own."
    ),
    root: Path = typer.Option(None, "--root", help="The folder under which the frames of the manifest lie."),
    out: Path = typer.Option(..., "-o", "--out", help="The folder of features to make or to go on with."),
    preset: Preset = options.PRESET,
    step: str = typer.Option(
        "1", "--step", help="Frames from one to the other of a pair; auto: half a micro-expression."
    ),
    fps: float = options.FPS,
    temporal: int = typer.Option(None, "--temporal", min=1, help="Pairs averaged by the default flow; 1 is strict."),
    head: Head | None = typer.Option(
        None,
        "--head",
        help="Motion of the head to take out. rigid: shift, roll, zoom and turns, fitted all over the face (default); "
        "translation: that of the nose, as published (tvl1, auwgcn).",
    ),
    landmarks_every: int = typer.Option(
        LANDMARKS_EVERY,
        "--landmarks-every",
        min=1,
        help="Look for landmarks in every so many frames while the picture holds still.",
    ),
    regions: str = typer.Option("twelve", "--regions", help="twelve, eleven or grid-4x4."),
    align: bool = typer.Option(False, "--align", help="Warp each frame onto the first by the stable landmarks."),
    faces: Detector = options.FACES,
    weights: Path = typer.Option(None, "--weights", help="The ONNX file for --faces yunet."),
    boxes: Path = typer.Option(None, "--boxes", help="A CSV video,x0,y0,x1,y1 in px, for --faces boxes."),
    landmarks: Path = typer.Option(
        None,
        "--landmarks",
        help="A folder with a table per video, VIDEO.csv or .npz, of OpenFace, py-feat, MediaPipe or your own.",
    ),
    layout: str = options.LAYOUT,
    rate: float = typer.Option(
        None, "--rate", min=0.01, help="Frames per second of folders of frames without a manifest."
    ),
    videos: list[str] = typer.Option([], "--videos", help="Only videos whose names fit: 'casme_015_*'."),
    workers: int = options.PROCESSES,
    cluster: str = typer.Option(
        None, "--cluster", help="Run on a Dask cluster: tcp://host:8786, a scheduler file, or slurm with --workers N."
    ),
    shard: str = typer.Option(
        None, "--shard", help="Do a share of the videos, such as 3/16; auto: that of this job of an array."
    ),
    finish: bool = typer.Option(False, "--finish", help="Write the tables when all shares are done."),
    device: Device = typer.Option("auto", "--device", help="Where TV-L1 is computed (--preset tvl1 or auwgcn)."),
    sheet: Path = typer.Option(None, "--sheet", help="Also write a page with a frame of every video, worst first."),
    force: bool = typer.Option(False, "--force", help="Do again what is done already."),
) -> Answer:
    """Compute the features of every video, in parallel; run it again to go on where it ended.

    Exit code 0: no errors. 1: there are error findings. 2: could not run.
    """
    from datasets_me.cards.contact_sheet import check_sheet, write_sheet
    from datasets_me.core.engine import read_shard
    from datasets_me.extract import recordings
    from datasets_me.extract.options import ExtractOptions, choose_device
    from datasets_me.extract.plan import read_step
    from datasets_me.formats import manifest as manifests

    if finish and (shard is not None or force):
        other = "--force" if shard is None else "--shard"
        raise MeDatasetsError(f"{other} and --finish exclude each other", fix="give --finish when all shares are done")
    if shard is not None and sheet is not None:
        raise MeDatasetsError("a share of the videos has no --sheet", fix="give --sheet with --finish")
    annotated, root, of_recordings = recordings.manifest_of(sources, root, rate)
    if of_recordings and layout is not None:
        raise MeDatasetsError("--layout is for manifests, and these are recordings", fix="leave out --layout")
    chosen = ExtractOptions(
        preset=preset,
        step=read_step(step, annotated, fps),
        temporal=temporal,
        head=head,
        landmarks_every=landmarks_every,
        fps=fps,
        regions=regions,
        aligned=align,
        faces=faces,
        weights=weights,
        boxes=boxes,
        landmarks=landmarks,
        layout=layout,
        device=choose_device(device, preset),
    )
    if sheet is not None:
        check_sheet(sheet)
    share = None if shard is None else read_shard(shard)
    extraction = _run(
        annotated, root, out, chosen, workers, cluster, videos=videos, shard=share, finish=finish, force=force
    )
    ending = [_counts(extraction), f"written to {out}"]
    if share is not None and not extraction.tables:
        ending.append(_owed(extraction, share))
    if of_recordings and extraction.tables:
        manifests.write(annotated, out / recordings.FOLDER, force=True)
        shown = root.relative_to(Path.cwd()) if root.is_relative_to(Path.cwd()) else root
        ending.append(f"their manifest is {out / recordings.FOLDER}, their root {shown}")
    if sheet is not None:
        write_sheet(annotated, root, out, extraction, sheet)
        ending.append(f"contact sheet {sheet}")
    findings = [*annotated.findings, *extraction.findings] if of_recordings else extraction.findings
    return Answer(findings=findings, each=True, ending=ending, data=_data(extraction, out))


def _run(
    manifest: Manifest,
    root: Path,
    out: Path,
    chosen: ExtractOptions,
    workers: int,
    cluster: str | None,
    *,
    videos: list[str],
    shard: Shard | None,
    finish: bool,
    force: bool,
) -> Extraction:
    """The run itself, with one bar over all frames."""
    from datasets_me.core.engine import workers_for
    from datasets_me.core.engine.cluster import connect
    from datasets_me.extract.extract import extract as run
    from datasets_me.extract.plan import planned

    work = planned(manifest, chosen, videos, shard)
    done = finished = 0
    with ExitStack() as stack:
        tell = partial(show.echo, err=True)
        executor = None if cluster is None else stack.enter_context(connect(cluster, workers=workers, say=tell))
        update = stack.enter_context(show.progress("frames", speed="frames/s"))

        def frames_done(count: int) -> None:
            nonlocal done
            done += count
            update(done, max(work.frames, done), f"{finished}/{work.videos} videos")

        def video_done(name: str) -> None:
            nonlocal finished
            finished += 1
            LOGGER.info("video %s, number %d of %d", name, finished, work.videos)

        try:
            return run(
                manifest,
                root,
                out,
                chosen,
                videos=videos,
                workers=workers_for(workers),
                executor=executor,
                shard=shard,
                finish=finish,
                force=force,
                frames_done=frames_done,
                video_done=video_done,
            )
        except KeyboardInterrupt:
            raise StoppedError(
                f"stopped: {finished} of {plural(work.videos, 'video')} done; run the same again to go on"
            ) from None


def _counts(extraction: Extraction) -> str:
    from datasets_me.extract.extract import counts

    statuses = ", ".join(f"{count} {status}" for status, count in counts(extraction) if count)
    frames = sum(row.frames for row in extraction.rows)
    return f"{plural(len(extraction.rows), 'video')} ({statuses}), {plural(frames, 'frame')}"


def _owed(extraction: Extraction, shard: Shard) -> str:
    waiting = f"{plural(extraction.waiting, 'video')} without a face left for --finish" if extraction.waiting else ""
    if not extraction.owed:
        return f"share {shard}: all shares are done, with {waiting}, which also writes the tables"
    owed = f"the other shares still owe {plural(extraction.owed, 'video')}{', ' if waiting else ''}{waiting}"
    return f"share {shard}: {owed}; when all are done, write the tables with --finish"


def _data(extraction: Extraction, out: Path) -> dict[str, object]:
    from datasets_me.extract.extract import counts

    frames = sum(row.frames for row in extraction.rows)
    return {
        "features": str(out),
        "videos": dict(counts(extraction)),
        "frames": frames,
        "tables": extraction.tables,
        "owed": extraction.owed,
        "waiting": extraction.waiting,
    }


@verb("me-datasets join casme-sq-manifest openface -o casme-sq-openface")
def join(
    manifest: Path = options.MANIFEST,
    tables: Path = typer.Argument(
        help="A folder with a table per video, VIDEO.csv or .npz, as for extract --landmarks."
    ),
    out: Path = options.OUT,
    force: bool = options.FORCE,
) -> Answer:
    """Tie what another tool has found to the videos and frames of a manifest: action units, gaze, head pose, landmarks.

    Exit code 0: written, whatever warnings there are. 1: there are errors among the findings. 2: could not run.
    """
    from datasets_me.extract import join as stage
    from datasets_me.formats import manifest as manifests

    joined = stage.join(manifests.read(manifest), tables, out, force=force)
    frames = sum(row.frames for row in joined.rows)
    return Answer(
        findings=joined.findings,
        ending=[f"{plural(len(joined.rows), 'table')} of {plural(frames, 'frame')} joined, written to {out}"],
        data={"joined": str(out), "videos": len(joined.rows), "frames": frames},
    )


@verb("me-datasets frames interview.mp4 -o interview --align")
def frames(
    video: Path = typer.Argument(help="A video file, or a folder of frames."),
    out: Path = options.OUT,
    crop: bool = typer.Option(False, "--crop", help="Cut the face out: one box for the whole video."),
    align: bool = typer.Option(False, "--align", help="Cut the face out, and hold it still."),
    force: bool = options.FORCE,
) -> Answer:
    """Write the frames of a video as numbered pictures, for other tools.

    Exit code 0: all frames are written. 1: some could not be read, or there are error findings. 2: could not run.
    """
    from datasets_me.extract.write_frames import write_frames

    with show.progress("frames") as update:
        written = write_frames(video, out, crop=crop, aligned=align, force=force, progress=update)
    box = "" if written.box is None else f", cut to {', '.join(f'{value:.0f}' for value in written.box)}"
    lines = [f"{written.written:,} of {plural(written.frames, 'frame')} written to {out}{box}"]
    for reason in dict.fromkeys(written.unreadable.values()):
        concerned = [number for number, why in written.unreadable.items() if why == reason]
        numbers = ", ".join(map(str, concerned[:10])) + (", …" if len(concerned) > 10 else "")
        lines.append(f"not written: {numbers} ({reason})")
    failed = written.written < written.frames or any(each.severity == "error" for each in written.findings)
    return Answer(
        lines,
        findings=written.findings,
        each=True,
        data={
            "folder": str(out),
            "written": written.written,
            "frames": written.frames,
            "box": None if written.box is None else [int(value) for value in written.box],
            "unreadable": list(written.unreadable),
        },
        exit_code=int(failed),
    )


@verb("me-datasets apex smic-hs-manifest smic-hs-features -o apexes.csv")
def apex(
    manifest: Path = options.MANIFEST,
    features: Path = typer.Argument(help="An extraction of its videos, with --step 1."),
    out: Path = typer.Option(..., "-o", "--out", help="The CSV to write."),
    force: bool = options.FORCE,
) -> Answer:
    """Estimate the apex of every expression that has none: the frame furthest from the onset.

    Exit code 0: written. 1: some expressions have no features. 2: could not run.
    """
    from datasets_me.core.artefact import may_write
    from datasets_me.extract.apexes import estimate
    from datasets_me.formats import apexes
    from datasets_me.formats import features as feature_files
    from datasets_me.formats import manifest as manifests

    annotated = manifests.read(manifest)
    may_write(out, force)
    lacking = sum(row.apex is None for row in annotated.annotations)
    rows = list(estimate(annotated, feature_files.read(features, annotated)))
    apexes.write(rows, out)
    return Answer(
        [f"apexes of {len(rows):,} of {plural(lacking, 'expression')} without one written to {out}"],
        data={"apexes": str(out), "estimated": len(rows), "without_apex": lacking},
        exit_code=int(len(rows) < lacking),
    )


@verb("me-datasets show casme-sq-manifest casme-sq-features casme_015_0401")
def show_video(
    manifest: Path = options.MANIFEST,
    features: Path = options.FEATURES,
    video: str = typer.Argument(help="The name of a video, such as casme_015_0401."),
    out: Path = typer.Option(None, "-o", "--out", help="The PNG to write; VIDEO.png here by default."),
    force: bool = options.FORCE,
) -> Answer:
    """Draw the motion of the regions of one video, with the annotated expressions shaded."""
    from datasets_me.cards.video_plot import draw_video
    from datasets_me.formats import features as feature_files
    from datasets_me.formats import manifest as manifests

    annotated = manifests.read(manifest)
    picture = draw_video(annotated, feature_files.read(features, annotated), video, out, force=force)
    return Answer([f"written to {picture}"], data={"picture": str(picture)})
