"""``me-datasets images``: sets of still images, imported and cleaned without touching an original."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import MeDatasetsError, plural

if TYPE_CHECKING:
    from datasets_me.findings.finding import Finding

app = typer.Typer(help="Import and clean sets of still images, without touching an original.", no_args_is_help=True)

IMAGES = typer.Argument(help="A set of images, made by 'me-datasets images import'.")
ROOT = typer.Option(None, "--root", help="The folder under which the files lie: the one that was imported.")
WORKERS = typer.Option(None, "--workers", min=1, help="Processes; one per core by default, fewer for few images.")

NEW = typer.Option(..., "-o", "--out", help="The new folder.")
OUT = typer.Option(None, "-o", "--out", help="The folder for the table; that of the images by default.")
NAMING = typer.Option(
    "{split}/{label}/{number:06}",
    "--naming",
    help="Of the new files; fields are split, label, subject, sequence, frame, number, stem.",
)


class FileFormat(StrEnum):
    """The format of new files."""

    jpg = "jpg"
    png = "png"


class Labels(StrEnum):
    """Whose words the labels are."""

    schema = "schema"
    folders = "folders"


class Colour(StrEnum):
    """The channels of new files."""

    rgb = "rgb"
    grey = "grey"


class Region(StrEnum):
    """The part of a face."""

    face = "face"
    mouth = "mouth"
    eyes = "eyes"
    brows = "brows"


@app.callback()
def _group() -> None:
    """Import and clean sets of still images, without touching an original."""


@app.command("import")
def import_(
    source: Path = typer.Argument(help="The table, or the folder that holds the images."),
    schema: str = typer.Option(
        None,
        "--schema",
        help="fer2013, ckplus, ck48, raf-db, folder-per-class, gaf3, captures, or a schema of your own (.yaml).",
    ),
    labels: Labels = typer.Option(
        Labels.schema,
        "--labels",
        help="Whose words the labels are: the schema's, or the names of the folders as they are.",
    ),
    subset: str = typer.Option(
        None, "--subset", help="Of sets that are delivered together, the one to import: compound."
    ),
    out: Path = typer.Option(..., "-o", "--out", help="The folder to write."),
    name: str = typer.Option(None, "--name", help="What to call the set; the schema's id by default."),
    most_pixels: int = typer.Option(
        50_000_000,
        "--max-pixels",
        min=1,
        max=178_956_970,
        help="Larger images are damaged: none of their pixels is read, now or later.",
    ),
    workers: int = WORKERS,
    force: bool = arguments.FORCE,
) -> None:
    """Read a set of images into a table, and name what cannot be used.

    Exit code 0: no errors among the findings. 1: there are errors; the rest is written. 2: could not run.
    """
    from datasets_me.images.importing import ImportOptions, folder_labels, import_images
    from datasets_me.schema import image_schemas

    if (schema is None) != (labels is Labels.folders):
        raise MeDatasetsError(
            "nothing says what the labels are" if schema is None else "--labels folders needs no --schema",
            fix="give either --schema, or --labels folders",
        )
    chosen = folder_labels(source) if schema is None else image_schemas.load(schema)
    options = ImportOptions(name, subset, most_pixels)
    with show.progress("images") as update:
        made = import_images(chosen, source, out, options, workers=workers, progress=update, force=force)
    console, counts = show.console(), made.about["counts"]
    console.print(f"{made.spec.title}: {plural(counts['images'], 'image')}" + _others(made.about["source"]))
    table = show.table(None, "split", *counts["labels"], right=list(counts["labels"]))
    for split, by_label in _by_split(made).items():
        table.add_row(split or "-", *(f"{by_label[label]:,}" for label in counts["labels"]))
    if "" in counts["labels"]:
        table.columns[1].header = "no label"
    console.print(table)
    _finish(made.findings(), out)


@app.command()
def unify(
    images: Path = IMAGES,
    out: Path = NEW,
    root: Path = ROOT,
    file_format: FileFormat = typer.Option(FileFormat.png, "--format", help="Of the new files; jpg has quality 95."),
    size: int = typer.Option(None, "--size", min=1, help="The longer side in px; sizes are kept by default."),
    pad: bool = typer.Option(False, "--pad", help="Make squares, by black borders."),
    pad_only: bool = typer.Option(
        False, "--pad-only", help="Enlarge nothing: smaller images stand in the middle of a square of --size."
    ),
    colour: Colour = typer.Option(Colour.rgb, "--colour", help="Three channels or one."),
    naming: str = NAMING,
    workers: int = WORKERS,
    force: bool = arguments.FORCE,
) -> None:
    """Write copies of all images in one format, size, colour and naming. The originals stay as they are."""
    from datasets_me.formats import image_set
    from datasets_me.images.unify import Form
    from datasets_me.images.unify import unify as run

    made = image_set.read(images)
    form = Form(file_format.value, size, pad, colour.value, naming, pad_only)
    with show.progress("images") as update:
        new = run(made, made.root(root), out, form, workers=workers, progress=update, force=force)
    show.console().print(
        f"{len(new):,} of {plural(len(made), 'image')} written as {file_format.value}; unified.parquet says which"
    )
    _finish(new.findings(), out)


@app.command()
def faces(
    images: Path = IMAGES,
    root: Path = ROOT,
    detector: str = typer.Option("dlib", "--detector", help="dlib, haar, or yunet with --weights."),
    weights: Path = typer.Option(None, "--weights", help="The ONNX file of yunet."),
    out: Path = OUT,
    workers: int = WORKERS,
    force: bool = arguments.FORCE,
) -> None:
    """Look for faces in every image: how many, where, their landmarks, and what helped to find them."""
    from datasets_me.formats import image_set
    from datasets_me.images.looks.faces import HELP, Finder, write_faces

    made = image_set.read(images)
    with show.progress("images") as update:
        path, findings, counts = write_faces(
            made, made.root(root), Finder(detector, weights), out=out, workers=workers, progress=update, force=force
        )
    console = show.console()
    _counts(console, "faces", counts["faces"], ("0", "1", "many", "not decoded"))
    _counts(console, "what helped", counts["helped"], HELP)
    _finish(findings, path)


@app.command()
def duplicates(
    images: list[Path] = typer.Argument(help="One set of images or several, which are compared with each other, too."),
    root: list[Path] = typer.Option([], "--root", help="The folder of each set's files, as often as there are sets."),
    distance: int = typer.Option(4, "--distance", min=0, max=12, help="Bits of 64 that near ones differ in at most."),
    transformed: bool = typer.Option(
        True, "--transformed/--as-they-are", help="Find copies that were mirrored, turned or cropped, too."
    ),
    out: Path = OUT,
    workers: int = WORKERS,
    force: bool = arguments.FORCE,
) -> None:
    """Find images that are equal or nearly so, within a split, across splits and across sets."""
    from datasets_me.formats import image_set
    from datasets_me.images.looks.duplicates import write_duplicates

    sets = [image_set.read(folder) for folder in images]
    lying = [made for made in sets if made.about["root"] not in (None, image_set.INSIDE)]
    if len(root) != len(lying):
        raise MeDatasetsError(
            f"{plural(len(lying), 'set')} {'has its' if len(lying) == 1 else 'have their'} files elsewhere,"
            f" but --root is given {plural(len(root), 'time')}",
            fix=f"give --root for {', '.join(str(made.folder) for made in lying)}, in this order"
            if lying
            else "leave it out",
        )
    roots = iter(root)
    places = [(made, made.root(next(roots) if made in lying else None)) for made in sets]
    with show.progress("images") as update:
        path, findings, rows = write_duplicates(
            places,
            most=distance,
            transformed=transformed,
            out=out,
            workers=workers,
            progress=update,
            force=force,
        )
    clusters = {row.cluster for row in rows if row.cluster is not None}
    spare = sum(not row.keeper for row in rows)
    show.console().print(
        f"{plural(len(rows), 'image')}; {plural(len(clusters), 'cluster')} of equal or near ones,"
        f" {plural(spare, 'image')} beyond one of each"
    )
    _finish(findings, path)


@app.command()
def quality(
    images: Path = IMAGES,
    root: Path = ROOT,
    threshold: list[str] = typer.Option(
        [],
        "--threshold",
        help="In place of one of the schema's: sharpness=0.25; dark, bright, contrast, side, asymmetry.",
    ),
    out: Path = OUT,
    workers: int = WORKERS,
    force: bool = arguments.FORCE,
) -> None:
    """Measure sharpness, light, contrast and size; with faces.parquet, also how alike the halves of the faces are."""
    from datasets_me.formats import image_set
    from datasets_me.images.looks.quality import thresholds, write_quality

    made = image_set.read(images)
    limits = thresholds(made.spec.quality, {text.partition("=")[0]: text.partition("=")[2] for text in threshold})
    with show.progress("images") as update:
        path, findings, counts = write_quality(
            made, made.root(root), limits=limits, out=out, workers=workers, progress=update, force=force
        )
    _counts(show.console(), "doubts", counts, ("blurred", "dark", "bright", "flat", "small", "asymmetric"))
    _finish(findings, path)


@app.command()
def crop(
    images: Path = IMAGES,
    out: Path = NEW,
    region: Region = typer.Option(..., "--region", help="What to cut out."),
    root: Path = ROOT,
    align: bool = typer.Option(False, "--align", help="Turn images first, so that the eyes are level."),
    size: int = typer.Option(None, "--size", min=1, help="Side of the squares in px; as they are by default."),
    file_format: FileFormat = typer.Option(FileFormat.png, "--format", help="Of the new files; jpg has quality 95."),
    naming: str = NAMING,
    faces: Path = typer.Option(None, "--faces", help="The folder of faces.parquet, if it is not the set's own."),
    workers: int = WORKERS,
    force: bool = arguments.FORCE,
) -> None:
    """Cut squares around a part of the largest face out of every image, by the landmarks of 'images faces'."""
    from datasets_me.formats import image_set
    from datasets_me.images.crop import Cut
    from datasets_me.images.crop import crop as run

    made = image_set.read(images)
    cut = Cut(region.value, align, size, file_format.value, naming)
    with show.progress("images") as update:
        new = run(made, made.root(root), out, cut, faces=faces, workers=workers, progress=update, force=force)
    show.console().print(
        f"{region.value} cut out of {len(new):,} of {plural(len(made), 'image')}; crops.parquet says where"
    )
    _finish(new.findings(), out)


@app.command()
def synth(
    shape: str = typer.Argument(help="fer2013, ckplus, raf-db, folder-per-class, gaf3 or captures."),
    out: Path = typer.Argument(help="The folder to make."),
    count: int = typer.Option(60, "--images", min=1, help="How many, besides those with defects."),
    seed: int = typer.Option(0, "--seed", help="The same seed makes the same files."),
    defects: bool = typer.Option(False, "--defects", help="Plant defects; truth.json lists what has to be found."),
    force: bool = arguments.FORCE,
) -> None:
    """Make a set of face pictures in the shape of a real one, with its schema, and with defects if you like."""
    from datasets_me.synthetic.image_sets import make

    made = make(shape, out, images=count, seed=seed, defects=defects, force=force)
    codes = Counter(each.code for each in made.planted)
    show.lines(
        show.console(),
        ("images", f"{made.source} ({made.files:,} files)"),
        ("schema", made.schema),
        ("truth", made.truth),
        ("planted", ", ".join(f"{code} {number}" for code, number in sorted(codes.items())) or "nothing"),
    )


def _counts(console: Any, title: str, counts: dict[str, int], order: Sequence[str]) -> None:
    texts = [f"{name} {counts[name]:,}" for name in order if name in counts]
    console.print(f"{title}: {', '.join(texts) or 'none'}")


def _by_split(images: Any) -> dict[str, Counter[str]]:
    from datasets_me.schema.images import SPLITS

    found: dict[str, Counter[str]] = {}
    table = images.table(["split", "label"])
    for split, label in zip(table["split"].to_pylist(), table["label"].to_pylist(), strict=True):
        found.setdefault(split or "", Counter())[label or ""] += 1
    order = [*SPLITS, ""]
    return dict(sorted(found.items(), key=lambda item: order.index(item[0])))


def _others(source: dict[str, Any]) -> str:
    texts = [f"{count:,} in the layout '{name}' left out" for name, count in source.get("left_out", {}).items()]
    texts += [
        f"{count:,} files of the subset {name} left out" for name, count in source.get("other_subsets", {}).items()
    ]
    texts += [f"{count:,} other files ({name or 'no suffix'})" for name, count in source.get("others", {}).items()]
    return f" ({', '.join(texts)})" if texts else ""


def _finish(findings: Sequence[Finding], out: Path) -> None:
    """Print findings, one line per code, where the result lies, and exit with 1 if there are errors."""
    from datasets_me.findings.codes import all_codes

    console = show.console()
    if findings:
        console.print()
        by_code = Counter(found.code for found in findings)
        first = {found.code: found for found in reversed(findings)}
        console.print(
            show.findings_by_code(
                [
                    {
                        "code": code,
                        "severity": first[code].severity,
                        "count": by_code[code],
                        "name": all_codes()[code].name,
                        "where": first[code].where,
                        "first": first[code].message,
                    }
                    for code in sorted(by_code)
                ]
            )
        )
    console.print("", f"written to {out}")
    if any(found.severity == "error" for found in findings):
        raise typer.Exit(1)
