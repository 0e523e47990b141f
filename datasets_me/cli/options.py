"""Arguments and options that several verbs share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import completion
from datasets_me.core.errors import MeDatasetsError

if TYPE_CHECKING:
    from datasets_me.formats.manifest import Manifest
    from datasets_me.schema.schema_files import Schema

DATASET = typer.Argument(
    help="A dataset: its id, an alias, or the path of a schema (.yaml). See 'me-datasets datasets'.",
    autocompletion=completion.datasets,
)
SCHEMA = typer.Option(None, "--schema", help="A schema of your own (.yaml), in place of DATASET.")
MANIFEST = typer.Argument(help="A manifest folder, made by 'me-datasets convert'.")
MANIFESTS = typer.Argument(help="Manifest folders, made by 'me-datasets convert'; several to join or cross datasets.")
FEATURES = typer.Argument(help="A folder that 'me-datasets extract' wrote, or any of <subject>/<video>.npy.")
ROOT = typer.Option(..., "--root", help="The folder under which the frames lie.")
OUT = typer.Option(..., "-o", "--out", help="The folder to write.")
OR_OUT = typer.Option(None, "-o", "--out", help="The folder to make, as for other commands.")
FORCE = typer.Option(False, "--force", help="Replace an existing output.")
PROCESSES = typer.Option(0, "--workers", min=0, help="Processes; 0 for one per core.")

PRESET = typer.Option(
    "default",
    "--preset",
    help="default: least squares, px. auwgcn: the published form, 8-bit files. tvl1, dis, farneback: OpenCV's, px.",
)
FACES = typer.Option(
    "dlib",
    "--faces",
    help="What finds faces. dlib: its HOG detector, Boost licence. haar: OpenCV's cascade, Intel Open Source licence. "
    "yunet: an ONNX file of yours (--weights), under its own licence. boxes: a CSV of yours (--boxes). "
    "published-crop: where the dataset's own cropped images lie in its frames. All then use the 68-landmark model "
    "trained on iBUG 300-W, whose licence excludes commercial use: for research.",
)
FPS = typer.Option(None, "--fps", help="Take frames at this rate, such as 25 of 200.")
LAYOUT = typer.Option(None, "--layout", help="The layout to take frames from; by default the schema's first.")

COMPAT = typer.Option(
    None, "--compat", help="Label, read action units and measure lengths exactly as the published scripts do."
)
OFFSET_MISSING = typer.Option(
    "mirror",
    "--offset-missing",
    help="How a missing offset is read: mirror (2*apex - onset), apex, fixed:N (N frames after the apex), drop.",
)
FEATURES_FPS = typer.Option(
    None, "--features-fps", help="The frame rate of arrays from elsewhere, where it is not the dataset's."
)
DISTANCES = typer.Option(
    None,
    "--distances",
    help="How far from an apex start and end are looked for: mean (half the mean length, as published), observed (all "
    "distances that occur; the default), q95 (the 5 % to the 95 % quantile).",
)

PROTOCOL = typer.Option(
    "loso",
    "--protocol",
    help="loso: each subject is tested once, alone. kfold: in --folds groups. holdout: some are tested. cross-dataset: "
    "train on one dataset, test on another, in every order. megc2019: the composite of three databases with three "
    "classes, each subject tested alone.",
)
UNIT = typer.Option(
    None,
    "--unit",
    help="Deal out expressions (recognition) or whole videos (spotting). Default: videos; megc2019: expressions.",
)
FOLDS = typer.Option(5, "--folds", help="How many folds kfold makes.")
TEST = typer.Option(0.2, "--test", help="The part of the subjects that holdout tests.")
VALIDATION = typer.Option(
    0.0, "--validation", help="The part of each fold's training subjects to set aside as a validation part."
)

OF_DATASET = typer.Option(
    None,
    "--dataset",
    help="The dataset, where there are decisions about several, or a schema of your own (.yaml) for it.",
    autocompletion=completion.datasets,
)
DECISIONS = typer.Option(
    None, "--decisions", help="A folder of decisions ('me-datasets decide', 'view'): they are applied."
)
DECISION_FOLDERS = typer.Option(
    [], "--decisions", help="A folder of decisions ('me-datasets decide', 'view'), which are applied; one or more."
)

IMAGES = typer.Argument(help="A set of images, made by 'me-datasets images import'.")
IMAGE_ROOT = typer.Option(None, "--root", help="The folder under which the files lie: the one that was imported.")
COPIES = typer.Option(
    [], "--copies", help="A folder made of the set by images unify, crop or export, whose files the predictions name."
)


def read_manifest(folder: Path, decisions: Sequence[Path | None]) -> Manifest:
    """A manifest with the decisions of some folders applied; None stands for no folder.

    Raises:
        MeDatasetsError: the manifest or a folder cannot be read, or a decision does not fit the schema.
    """
    from datasets_me.convert.decided import decide
    from datasets_me.formats import decisions as decision_files
    from datasets_me.formats import manifest as manifests
    from datasets_me.formats.decisions import Decisions

    manifest = manifests.read(folder)
    read = [decision_files.read(each) for each in decisions if each is not None]
    if not read:
        return manifest
    rows = tuple(row for each in read for row in each.rows)
    return decide(manifest, Decisions(rows, tuple(finding for each in read for finding in each.findings)))


def schema_and_rest(schema: Path | None, dataset: str, rest: str | None, name: str) -> tuple[Schema, str]:
    """The schema, and the argument after DATASET, which comes first when ``--schema`` is given.

    Raises:
        MeDatasetsError: an argument is missing, or one too many.
    """
    from datasets_me.schema import schema_files

    if schema is not None:
        if rest is not None:
            raise MeDatasetsError("both DATASET and --schema are given", fix=f"give --schema and {name} only")
        return schema_files.load_file(schema), dataset
    if rest is None:
        raise MeDatasetsError(f"{name} is missing", fix=f"give DATASET and {name}, or --schema FILE and {name}")
    return schema_files.load(dataset), rest
