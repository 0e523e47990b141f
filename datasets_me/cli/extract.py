"""``me-datasets extract``: from frames to features."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import MeDatasetsError, plural

if TYPE_CHECKING:
    from datasets_me.extract.extract import Extraction
    from datasets_me.extract.options import ExtractOptions
    from datasets_me.formats.manifest import Manifest


class Preset(StrEnum):
    """How features are computed."""

    default = "default"
    tvl1 = "tvl1"
    auwgcn = "auwgcn"
    dis = "dis"
    farneback = "farneback"


class Faces(StrEnum):
    """What finds faces."""

    dlib = "dlib"
    haar = "haar"
    yunet = "yunet"
    boxes = "boxes"
    published_crop = "published-crop"


class Device(StrEnum):
    """Where flow is computed."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


_FACES = (
    "What finds faces. dlib: its HOG detector, Boost licence. haar: OpenCV's cascade, Intel Open Source licence. "
    "yunet: an ONNX file of yours (--weights), under its own licence. boxes: a CSV of yours (--boxes). "
    "published-crop: where the dataset's own cropped images lie in its frames. All then use the 68-landmark model "
    "trained on iBUG 300-W, whose licence excludes commercial use: for research."
)

_LARGEST_STEP = 1_000_000


def extract(
    sources: list[Path] = typer.Argument(
        help="A manifest, made by 'me-datasets convert'; or video files and folders of frames, each a video of its own."
    ),
    root: Path = typer.Option(None, "--root", help="The folder under which the frames of the manifest lie."),
    out: Path = typer.Option(..., "-o", "--out", help="The folder of features to make or to go on with."),
    preset: Preset = typer.Option(
        Preset.default,
        "--preset",
        help="default: least squares, px. auwgcn: the published form, 8-bit files. tvl1, dis, farneback: OpenCV's, px.",
    ),
    step: str = typer.Option(
        "1", "--step", help="Frames from one to the other of a pair; auto: half a micro-expression."
    ),
    fps: float = typer.Option(None, "--fps", help="Take frames at this rate, such as 25 of 200."),
    temporal: int = typer.Option(None, "--temporal", min=1, help="Pairs averaged by the default flow; 1 is strict."),
    regions: str = typer.Option("twelve", "--regions", help="twelve, eleven or grid-4x4."),
    align: bool = typer.Option(False, "--align", help="Warp each frame onto the first by the stable landmarks."),
    faces: Faces = typer.Option(Faces.dlib, "--faces", help=_FACES),
    weights: Path = typer.Option(None, "--weights", help="The ONNX file for --faces yunet."),
    boxes: Path = typer.Option(None, "--boxes", help="A CSV video,x0,y0,x1,y1 in px, for --faces boxes."),
    layout: str = typer.Option(None, "--layout", help="The layout to take frames from; by default the schema's first."),
    rate: float = typer.Option(
        None, "--rate", min=0.01, help="Frames per second of folders of frames without a manifest."
    ),
    videos: list[str] = typer.Option([], "--videos", help="Only videos whose names fit: 'casme_015_*'."),
    workers: int = typer.Option(0, "--workers", min=0, help="Processes; 0 for one per core."),
    device: Device = typer.Option(Device.auto, "--device", help="Where TV-L1 is computed (--preset tvl1 or auwgcn)."),
    sheet: Path = typer.Option(None, "--sheet", help="Also write a page with a frame of every video, worst first."),
    force: bool = typer.Option(False, "--force", help="Do again what is done already."),
) -> None:
    """Compute the features of every video, in parallel; run it again to go on where it ended.

    Exit code 0: no errors. 1: there are error findings. 2: could not run.
    """
    from datasets_me.core.engine import workers_for
    from datasets_me.extract import recordings
    from datasets_me.formats import manifest as manifests

    made, root, of_recordings = recordings.manifest_of(sources, root, rate)
    options = _options(made, preset, step, fps, temporal, regions, align, faces, weights, boxes, layout, device)
    if sheet is not None:
        from datasets_me.cards.contact_sheet import check_sheet

        check_sheet(sheet)
    extraction = _run(made, root, out, options, videos, workers_for(workers), force)
    _print(extraction, out)
    if of_recordings:
        manifests.write(made, out / recordings.FOLDER, force=True)
        show.echo(f"their manifest is {out / recordings.FOLDER}, their root {root}")
    if sheet is not None:
        from datasets_me.cards.contact_sheet import write_sheet

        write_sheet(made, root, out, extraction, sheet)
        show.echo(f"contact sheet {sheet}")
    raise typer.Exit(1 if any(finding.severity == "error" for finding in extraction.findings) else 0)


def _options(
    made: Manifest,
    preset: Preset,
    step: str,
    fps: float | None,
    temporal: int | None,
    regions: str,
    align: bool,
    faces: Faces,
    weights: Path | None,
    boxes: Path | None,
    layout: str | None,
    device: Device,
) -> ExtractOptions:
    from datasets_me.extract.options import ExtractOptions, automatic_step, choose_device

    if fps is not None and not fps > 0:
        raise MeDatasetsError(f"--fps must be above 0, not {fps:g}")
    if step == "auto":
        pairs = automatic_step(made, fps)
    elif step.isdecimal() and 1 <= int(step) <= _LARGEST_STEP:
        pairs = int(step)
    else:
        raise MeDatasetsError(f"--step must be a whole number from 1 to {_LARGEST_STEP:,}, or auto, not '{step}'")
    return ExtractOptions(
        preset=preset.value,
        step=pairs,
        temporal=temporal,
        fps=fps,
        regions=regions,
        aligned=align,
        faces=faces.value,
        weights=weights,
        boxes=boxes,
        layout=layout,
        device=choose_device(device.value, preset.value),
    )


def _run(
    made: Manifest, root: Path, out: Path, options: ExtractOptions, videos: list[str], workers: int, force: bool
) -> Extraction:
    """The run itself, with one bar over all frames; SIGTERM ends it as Ctrl-C does."""
    from datasets_me.extract.extract import extract as run
    from datasets_me.extract.extract import wanted
    from datasets_me.extract.options import choose_layout, rate_of
    from datasets_me.formats.frame_files import frame_rate

    name = choose_layout(made, options)
    chosen = [video for video in made.videos if video.layout == name and video.path and wanted(video, videos)]
    total = round(
        sum((video.frames or 0) * rate_of(made, video, options) / frame_rate(made, video) for video in chosen)
    )
    done = finished = 0
    with show.progress("frames", speed="frames/s") as update:

        def frames_done(count: int) -> None:
            nonlocal done
            done += count
            update(done, max(total, done), f"{finished}/{len(chosen)} videos")

        def video_done(_: str) -> None:
            nonlocal finished
            finished += 1

        try:
            return run(
                made,
                root,
                out,
                options,
                videos=videos,
                workers=workers,
                force=force,
                frames_done=frames_done,
                video_done=video_done,
            )
        except KeyboardInterrupt:
            pass
    show.echo(f"stopped: {finished} of {plural(len(chosen), 'video')} done; run the same again to go on", err=True)
    sys.exit(arguments.INTERRUPTED)


def _print(extraction: Extraction, out: Path) -> None:
    from datasets_me.extract.extract import counts

    console = show.console()
    if extraction.findings:
        console.print(show.findings_table(extraction.findings))
        console.print()
    said = ", ".join(f"{count} {status}" for status, count in counts(extraction) if count)
    frames = sum(row.frames for row in extraction.rows)
    console.print(f"{plural(len(extraction.rows), 'video')} ({said}), {plural(frames, 'frame')}")
    console.print(f"written to {out}")
    if extraction.findings:
        console.print("me-datasets explain CODE says what a finding means and what to do")
