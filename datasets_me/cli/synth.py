"""``me-datasets synth``: a dataset whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import typer

from datasets_me.cli import completion, options, show
from datasets_me.cli.run import Answer, verb
from datasets_me.core.choices import Container, Distractor
from datasets_me.core.errors import MeDatasetsError, plural


@verb("me-datasets synth casme2 -o synthetic --subjects 4 --defects all --faces")
def synth(
    dataset: str = typer.Argument(None, help=options.DATASET.help, autocompletion=completion.datasets),
    place: str = typer.Argument(None, metavar="out", help="The folder to make; -o is the same."),
    out: Path = options.OR_OUT,
    seed: int = typer.Option(0, "--seed", help="The same seed makes the same files."),
    subjects: int = typer.Option(6, "--subjects", min=1, help="How many people."),
    defects: str = typer.Option(
        "none", "--defects", help="'none', 'all' that the dataset can have, or codes: ME103,ME301."
    ),
    real_lengths: bool = typer.Option(
        False, "--real-lengths", help="Expressions as long as real ones at the dataset's frame rate, not a few frames."
    ),
    faces: bool = typer.Option(False, "--faces", help="Show a real face that moves as annotated, for extract."),
    people: bool = typer.Option(
        False, "--people", help="With --faces: another person for each subject: shape, skin, light, beard, glasses."
    ),
    size: str = typer.Option(None, "--size", help="With --faces: width x height of a frame in px (320x240)."),
    fps: float = typer.Option(
        None, "--fps", help="With --faces: frames per second of blinks and of the head's sway (30)."
    ),
    amplitude: float = typer.Option(
        None, "--amplitude", help="With --faces: px at the apex of a micro-expression (1)."
    ),
    noise: float = typer.Option(None, "--noise", help="With --faces: the sensor's noise, in grey values (1)."),
    flicker: float = typer.Option(
        None, "--flicker", help="With --faces: the light's changes; 0.005 is half a percent (0)."
    ),
    head_motion: float = typer.Option(None, "--head-motion", help="With --faces: slow sway of the head in px (0.5)."),
    disturbed: str = typer.Option(
        None,
        "--with",
        help=f"With --faces: what disturbs the measuring, 'all' or some of {','.join(get_args(Distractor))}.",
    ),
    flow: bool = typer.Option(False, "--flow", help="With --faces: also write the dense true flow (large)."),
    container: Container | None = typer.Option(
        None, "--container", help="Video files instead of folders of frames: avi (Motion JPEG) or mp4 (H.264)."
    ),
    schema: Path = options.SCHEMA,
    force: bool = options.FORCE,
) -> Answer:
    """Make a synthetic dataset: a workbook in the raw shape, folders in the real layouts, defects on request.

    Beside them lie schema.yaml, the schema with the counts of this set, and truth.json, every finding that convert
    and check have to make; with --faces also truth/, the motion of every video.
    """
    from datasets_me.schema import schema_files
    from datasets_me.synthetic.write import PLANTABLE, make

    film = None
    settings: dict[str, Any] = {
        "size": _size(size) if size else None,
        "fps": fps,
        "amplitude": amplitude,
        "noise": noise,
        "flicker": flicker,
        "head_motion": head_motion,
        "people": people or None,
        "with": disturbed,
        "flow": flow or None,
    }
    settings = {name: value for name, value in settings.items() if value is not None}
    if faces:
        from datasets_me.synthetic.film import Film

        if "with" in settings:
            settings["disturbed"] = _names(settings.pop("with"))
        film = Film(**settings)
    elif settings:
        raise MeDatasetsError(f"--{next(iter(settings)).replace('_', '-')} is about faces", fix="add --faces")

    names = [str(each) for each in (dataset, place, out) if each is not None]
    if len(names) != (2 if schema is None else 1):
        raise MeDatasetsError(
            "synth takes one dataset and one folder to make", fix="give DATASET, or --schema FILE, and -o FOLDER"
        )
    chosen = schema_files.load(names[0]) if schema is None else schema_files.load_file(schema)
    wanted = {"none": (), "all": PLANTABLE}.get(defects.casefold())
    if wanted is None:
        wanted = tuple(code.strip().upper() for code in defects.split(",") if code.strip())
    with show.progress("folders") as update:
        written = make(
            chosen,
            Path(names[-1]),
            seed=seed,
            subjects=subjects,
            defects=wanted,
            as_fits=wanted is PLANTABLE,
            real_lengths=real_lengths,
            film=film,
            container=container,
            force=force,
            progress=update,
        )
    motion = written.truth.parent / "truth" if film else None
    table = show.named(
        ("workbook", written.workbook),
        ("frames", f"{written.root} ({plural(written.frames, 'file')})"),
        ("schema", written.schema),
        ("truth", f"{written.truth}, {motion}" if motion else written.truth),
        ("planted", ", ".join(written.planted) or "nothing"),
        *([("not in this set", ", ".join(written.impossible))] if written.impossible else []),
    )
    data = {
        "workbook": str(written.workbook),
        "frames": str(written.root),
        "files": written.frames,
        "schema": str(written.schema),
        "truth": str(written.truth),
        "motion": motion and str(motion),
        "planted": written.planted,
        "impossible": written.impossible,
    }
    return Answer([table], data=data)


def _names(text: str) -> tuple[str, ...]:
    """The distractors of a list with commas."""
    names = tuple(name.strip().casefold() for name in text.split(",") if name.strip())
    if not names:
        raise MeDatasetsError("--with names nothing", fix=f"choose from all, {', '.join(get_args(Distractor))}")
    return get_args(Distractor) if "all" in names else names


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise MeDatasetsError(f"--size must be width x height, such as 320x240, not '{text}'")
    return int(width), int(height)
