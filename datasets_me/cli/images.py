"""Verbs about sets of still images: imported, looked through and copied, without touching an original."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import completion, options, show
from datasets_me.cli.run import Answer, group, verb
from datasets_me.cli.view import reviewed, serve
from datasets_me.core.choices import Colour, ImageExport, ImageFormat, KeepOne, LabelSource, Region
from datasets_me.core.errors import MeDatasetsError, plural

if TYPE_CHECKING:
    from datasets_me.formats.image_set import ImageSet
    from datasets_me.images.bulk import Bulk
    from datasets_me.images.decisions import Verdict
    from datasets_me.images.groups.embed import Embedder
    from datasets_me.images.looks.audit import Audit
    from datasets_me.images.summary import Counts

images = group("Import and clean sets of still images, without touching an original.")

WORKERS = typer.Option(None, "--workers", min=1, help="Processes; one per core by default, fewer for few images.")
NEW = typer.Option(..., "-o", "--out", help="The new folder.")
TABLE = typer.Option(None, "-o", "--out", help="The folder for the table; that of the images by default.")
FILE_FORMAT = typer.Option("png", "--format", help="Of the new files; jpg has quality 95.")
NAMING = typer.Option(
    "{split}/{label}/{number:06}",
    "--naming",
    help="Of the new files; fields are split, label, subject, sequence, frame, number, stem.",
)
DETECTOR = typer.Option("dlib", "--detector", help="dlib, haar, or yunet with --weights.")
WEIGHTS = typer.Option(None, "--weights", help="The ONNX file of yunet.")
DECISIONS = typer.Option(None, "--decisions", help="The decisions; by default decisions.parquet of the set.")
SAVED_DECISIONS = typer.Option(None, "--decisions", help="Where to save; by default decisions.parquet of the set.")

_MOST_ERRORS = 8  # likely label errors that are listed


@verb("me-datasets images import fer2013.csv --schema fer2013 -o fer2013-images")
def import_(
    source: Path = typer.Argument(help="The table, or the folder that holds the images."),
    schema: str = typer.Option(
        None,
        "--schema",
        help="fer2013, ckplus, ck48, raf-db, folder-per-class, gaf3, captures, or a schema of your own (.yaml).",
        autocompletion=completion.image_schemas,
    ),
    labels: LabelSource = typer.Option(
        "schema",
        "--labels",
        help="Where the labels come from: schema, or folders, the names of the folders as they are (without --schema).",
    ),
    subset: str = typer.Option(
        None, "--subset", help="Of sets that are delivered together, the one to import, such as compound."
    ),
    out: Path = options.OUT,
    name: str = typer.Option(None, "--name", help="What to call the set; the schema's id by default."),
    most_pixels: int = typer.Option(
        50_000_000,
        "--max-pixels",
        min=1,
        max=178_956_970,  # Pillow refuses larger images, whatever is given
        help="Larger images count as damaged: none of their pixels is read, now or later.",
    ),
    workers: int = WORKERS,
    force: bool = options.FORCE,
) -> Answer:
    """Read a set of images into a table, and name what cannot be used.

    Exit code 0: no errors among the findings. 1: there are errors; the rest is written. 2: could not run.
    """
    from datasets_me.images.importing import ImportOptions, folder_labels, import_images
    from datasets_me.images.summary import count_set
    from datasets_me.schema import image_schemas

    if (schema is None) != (labels == "folders"):
        raise MeDatasetsError(
            "nothing says what the labels are" if schema is None else "--labels folders needs no --schema",
            fix="give either --schema, or --labels folders",
        )
    chosen = folder_labels(source) if schema is None else image_schemas.load(schema)
    with show.progress("images") as update:
        imported = import_images(
            chosen,
            source,
            out,
            ImportOptions(name, subset, most_pixels),
            workers=workers,
            progress=update,
            force=force,
        )
    counts = imported.about["counts"]
    by_split = count_set(imported)
    return Answer(
        [
            f"{imported.spec.title}: {plural(counts['images'], 'image')}{_others(imported.about['source'])}",
            _by_split(by_split, list(counts["labels"])),
        ],
        imported.findings(),
        ending=[f"written to {out}"],
        data={"images": str(out), **imported.about, "by_split": by_split},
    )


def _by_split(counts: Counts, labels: Sequence[str]) -> show.Rows:
    titles = [label or "no label" for label in labels]
    table = show.Rows(None, "split", "images", *titles, right=["images", *titles])
    for split, of_split in counts.items():
        table.add_row(split or "-", f"{of_split.total():,}", *(f"{of_split[label]:,}" for label in labels))
    return table


def _others(source: dict[str, Any]) -> str:
    texts = [f"{count:,} in the layout '{name}' left out" for name, count in source.get("left_out", {}).items()]
    texts += [f"{count:,} of the subset {name} left out" for name, count in source.get("other_subsets", {}).items()]
    texts += [f"{count:,} other files ({name or 'no suffix'})" for name, count in source.get("others", {}).items()]
    return f" ({', '.join(texts)})" if texts else ""


@verb("me-datasets images unify fer2013-images -o unified --size 112 --pad", formats=None)
def unify(
    images: Path = options.IMAGES,
    out: Path = NEW,
    root: Path = options.IMAGE_ROOT,
    file_format: ImageFormat = FILE_FORMAT,
    size: int = typer.Option(None, "--size", min=1, help="The longer side in px; sizes are kept by default."),
    pad: bool = typer.Option(False, "--pad", help="Make squares, by black borders."),
    pad_only: bool = typer.Option(
        False, "--pad-only", help="Enlarge nothing: smaller images stand in the middle of a square of --size."
    ),
    colour: Colour = typer.Option("rgb", "--colour", help="Three channels or one."),
    naming: str = NAMING,
    workers: int = WORKERS,
    force: bool = options.FORCE,
) -> Answer:
    """Write copies of all images in one format, size, colour and naming. The originals stay as they are."""
    from datasets_me.formats import image_set
    from datasets_me.images.unify import Form
    from datasets_me.images.unify import unify as run

    originals = image_set.read(images)
    form = Form(file_format, size, pad, colour, naming, pad_only)
    with show.progress("images") as update:
        new = run(originals, originals.root(root), out, form, workers=workers, progress=update, force=force)
    return Answer(
        [f"{len(new):,} of {plural(len(originals), 'image')} written as {file_format}; unified.parquet says which"],
        new.findings(),
        ending=[f"written to {out}"],
        data={"images": str(out), "of": len(originals), "written": len(new)},
    )


@verb("me-datasets images crop ckplus-images -o mouths --root CK+ --region mouth", formats=None)
def crop(
    images: Path = options.IMAGES,
    out: Path = NEW,
    region: Region = typer.Option(..., "--region", help="What to cut out."),
    root: Path = options.IMAGE_ROOT,
    align: bool = typer.Option(False, "--align", help="Turn images first, so that the eyes are level."),
    size: int = typer.Option(None, "--size", min=1, help="Side of the squares in px; as they are by default."),
    file_format: ImageFormat = FILE_FORMAT,
    naming: str = NAMING,
    faces: Path = typer.Option(None, "--faces", help="The folder of faces.parquet, if it is not the set's own."),
    workers: int = WORKERS,
    force: bool = options.FORCE,
) -> Answer:
    """Cut squares around a part of the largest face out of every image, by the landmarks of 'images faces'."""
    from datasets_me.formats import image_set
    from datasets_me.images.crop import Cut
    from datasets_me.images.crop import crop as run

    originals = image_set.read(images)
    cut = Cut(region, align, size, file_format, naming)
    with show.progress("images") as update:
        new = run(originals, originals.root(root), out, cut, faces=faces, workers=workers, progress=update, force=force)
    return Answer(
        [f"{region} cut out of {len(new):,} of {plural(len(originals), 'image')}; crops.parquet says where"],
        new.findings(),
        ending=[f"written to {out}"],
        data={"images": str(out), "of": len(originals), "written": len(new)},
    )


@verb("me-datasets images faces ckplus-images --root CK+")
def faces(
    images: Path = options.IMAGES,
    root: Path = options.IMAGE_ROOT,
    detector: str = DETECTOR,
    weights: Path = WEIGHTS,
    out: Path = TABLE,
    workers: int = WORKERS,
    force: bool = options.FORCE,
) -> Answer:
    """Look for faces in every image: how many, where, their landmarks, and what helped to find them."""
    from datasets_me.formats import image_set
    from datasets_me.images.looks.faces import HELP, Finder, write_faces

    pictures = image_set.read(images)
    with show.progress("images") as update:
        path, findings, counts = write_faces(
            pictures,
            pictures.root(root),
            Finder(detector, weights),
            out=out,
            workers=workers,
            progress=update,
            force=force,
        )
    return Answer(
        [
            _counted("faces", counts["faces"], ("0", "1", "many", "not decoded")),
            _counted("what helped", counts["helped"], HELP),
        ],
        findings,
        ending=[f"written to {path}"],
        data={"table": str(path), **counts},
    )


@verb("me-datasets images quality ckplus-images --root CK+")
def quality(
    images: Path = options.IMAGES,
    root: Path = options.IMAGE_ROOT,
    threshold: list[str] = typer.Option(
        [],
        "--threshold",
        help="In place of one of the schema's: sharpness=0.25; dark, bright, contrast, side, asymmetry.",
    ),
    out: Path = TABLE,
    workers: int = WORKERS,
    force: bool = options.FORCE,
) -> Answer:
    """Measure sharpness, light, contrast and size; with faces.parquet, also how alike the halves of the faces are."""
    from datasets_me.formats import image_set
    from datasets_me.images.looks.quality import thresholds, write_quality

    pictures = image_set.read(images)
    limits = thresholds(pictures.spec.quality, _thresholds(threshold))
    with show.progress("images") as update:
        path, findings, counts = write_quality(
            pictures, pictures.root(root), limits=limits, out=out, workers=workers, progress=update, force=force
        )
    return Answer(
        [_counted("doubts", counts, ("blurred", "dark", "bright", "flat", "small", "asymmetric", "not decoded"))],
        findings,
        ending=[f"written to {path}"],
        data={"table": str(path), "doubts": counts},
    )


def _thresholds(texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    return {name.strip(): value.strip() for name, _, value in pairs}


def _counted(title: str, counts: dict[str, int], order: Sequence[str]) -> str:
    texts = [f"{name} {counts[name]:,}" for name in order if name in counts]
    return f"{title}: {', '.join(texts) or 'none'}"


@verb("me-datasets images duplicates fer2013-images ckplus-images --root CK+ -o duplicates")
def duplicates(
    images: list[Path] = typer.Argument(help="One set of images or several, which are compared with each other, too."),
    root: list[Path] = typer.Option([], "--root", help="The folder of each set's files, as often as there are sets."),
    distance: int = typer.Option(4, "--distance", min=0, max=12, help="Bits of 64 that near ones differ in at most."),
    transformed: bool = typer.Option(
        True, "--transformed/--as-they-are", help="Find copies that were mirrored, turned or cropped, too."
    ),
    embeddings: Path = typer.Option(
        None,
        "--embeddings",
        help="An npz of a model of yours, embeddings (N, D) and id (N,): near ones are alike, too.",
    ),
    cosine: float = typer.Option(0.95, "--cosine", min=-1, max=1, help="The least cosine of near embeddings."),
    out: Path = TABLE,
    workers: int = WORKERS,
    force: bool = options.FORCE,
) -> Answer:
    """Find images that are equal or nearly so, within a split, across splits and across sets."""
    from datasets_me.formats import image_set
    from datasets_me.images.looks.duplicates import write_duplicates
    from datasets_me.images.summary import with_roots

    sets = with_roots([image_set.read(folder) for folder in images], root)
    with show.progress("images") as update:
        path, findings, rows = write_duplicates(
            sets,
            most=distance,
            transformed=transformed,
            near=(embeddings, cosine) if embeddings else None,
            out=out,
            workers=workers,
            progress=update,
            force=force,
        )
    clusters = {row.cluster for row in rows if row.cluster is not None}
    spare = sum(not row.keeper for row in rows)
    unseen = sum(row.phash is None for row in rows)
    return Answer(
        [
            f"{plural(len(rows), 'image')}; {plural(len(clusters), 'cluster')} of equal or near ones,"
            f" {plural(spare, 'image')} beyond one of each",
            *([f"{plural(unseen, 'image')} not decoded, and compared byte for byte only"] if unseen else []),
        ],
        findings,
        ending=[f"written to {path}"],
        data={
            "table": str(path),
            "images": len(rows),
            "clusters": len(clusters),
            "beyond_one_of_each": spare,
            "not_decoded": unseen,
        },
    )


@verb("me-datasets images audit raf-db-images -p predictions.csv --map contempt=disgust")
def audit(
    images: Path = options.IMAGES,
    predictions: Path = typer.Option(..., "-p", "--predictions", help="A CSV, JSON, file of JSON lines, or npz."),
    form: str = typer.Option(
        "plain", "--schema", help="What it looks like: plain, microsoft, face-plus-plus, or a form of your own (.yaml)."
    ),
    maps: list[str] = typer.Option([], "--map", help="A class of theirs: contempt=disgust, or contempt= to drop it."),
    copies: list[Path] = options.COPIES,
    out: Path = typer.Option(None, "-o", "--out", help="The folder for audit.parquet; by default that of the set."),
    force: bool = options.FORCE,
) -> Answer:
    """Compare somebody else's predictions with the labels of a set.

    Every image is unsubmitted, unrecognised, agrees or disagrees. Likely label errors are ranked by confident learning
    where the predictions have scores. Exit code 0: no errors among the findings. 1: there are some. 2: could not run.
    """
    from datasets_me.formats import image_set
    from datasets_me.images.looks.audit import write_audit
    from datasets_me.schema import predictions as prediction_forms

    chosen, pictures = prediction_forms.load(form), image_set.read(images)
    path, result = write_audit(pictures, predictions, chosen, _maps(maps), copies=copies, out=out, force=force)
    labels, columns, counts = result.confusion()
    return Answer(
        [*_states(result), *_confusion(labels, columns, counts), *_likely_errors(result)],
        result.findings,
        ending=[f"written to {path}"],
        data={
            "images": len(result.rows),
            "classes": {name: dict(states) for name, states in result.by_class().items()},
            "confusion": {"labels": labels, "predicted": columns, "counts": counts},
        },
    )


def _maps(texts: Sequence[str]) -> dict[str, str]:
    maps: dict[str, str] = {}
    for text in texts:
        name, sign, target = text.partition("=")
        if not sign or not name.strip():
            raise MeDatasetsError(
                f"--map '{text}' does not map a class", fix="give --map contempt=disgust, or --map contempt="
            )
        maps[name.strip()] = target.strip()
    return maps


def _states(result: Audit) -> list[show.Part]:
    from datasets_me.formats.image_records import STATES

    lines: list[tuple[str, dict[str, int]]] = [(name, dict(counts)) for name, counts in result.by_class().items()]
    lines.append(("all", {state: sum(counts.get(state, 0) for _, counts in lines) for state in STATES}))
    titles = ("images", *STATES, "agree of recognised")
    table = show.Rows(None, "label", *titles, right=titles)
    for name, counts in lines:
        recognised = counts.get("agree", 0) + counts.get("disagree", 0)
        share = f"{counts.get('agree', 0) / recognised:.1%}" if recognised else "-"
        table.add_row(name, f"{sum(counts.values()):,}", *(f"{counts.get(state, 0):,}" for state in STATES), share)
    return [table]


def _confusion(labels: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]]) -> list[show.Part]:
    if not columns:
        return []
    turned = [list(line) for line in zip(*counts, strict=True)]
    return [
        _matrix("\nLabel (rows), prediction (columns)", labels, columns, counts),
        _matrix("\nPrediction (rows), label (columns)", columns, labels, turned),
    ]


def _matrix(title: str, rows: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]]) -> show.Rows:
    table = show.Rows(title, "", *columns, "sum", right=[*columns, "sum"])
    for name, line in zip(rows, counts, strict=True):
        table.add_row(name, *(f"{count:,}" for count in line), f"{sum(line):,}")
    return table


def _likely_errors(result: Audit) -> list[show.Part]:
    worst = sorted((row for row in result.rows if row.likely_error), key=lambda row: row.rank or 0)
    if not worst:
        return []
    table = show.Rows("\nLikely label errors, the surest first", "rank", "image", "label", "rather", "margin")
    for row in worst[:_MOST_ERRORS]:
        table.add_row(row.rank, row.id, row.label, row.suggested, f"{row.margin or 0:+.3f}")
    more = len(worst) - _MOST_ERRORS
    return [table, *([f"and {more:,} more in audit.parquet"] if more > 0 else [])]


@verb("me-datasets images review fer2013-images", formats=None)
def review(
    images: Path = options.IMAGES,
    root: Path = options.IMAGE_ROOT,
    decisions: Path = SAVED_DECISIONS,
    every: bool = typer.Option(False, "--every", help="Show images without doubts, too."),
    new_classes: list[str] = typer.Option([], "--new-class", help="A class that the set does not have, such as dirty."),
    port: int = typer.Option(0, "--port", min=0, max=65535, help="The port; a free one by default."),
    browser: bool = typer.Option(True, "--browser/--no-browser", help="Open the page in the browser."),
) -> Answer:
    """Serve a page on this machine only: look at doubtful images; accept, relabel or exclude them by keyboard.

    Every decision is saved at once, to a table of decisions, never to the images; the next review goes on from there.
    Ends with Ctrl-C.
    """
    from datasets_me.formats import image_set
    from datasets_me.images.review.session import Review
    from datasets_me.viewer.images import application

    session = Review(image_set.read(images), root, decisions=decisions, every=every, new_classes=new_classes)
    serve(application(session), plural(len(session.items), "image"), port=port, browser=browser)
    return reviewed(session)


@verb("me-datasets images groups gaf3-images --root GAF3 -o faces")
def groups(
    images: Path = options.IMAGES,
    out: Path = options.OUT,
    root: Path = options.IMAGE_ROOT,
    pad: int = typer.Option(None, "--pad", min=1, help="Vectors per image: zeros are added, or the smallest faces go."),
    model: Path = typer.Option(None, "--model", help="Your model of faces: .onnx, or TorchScript; dlib's by default."),
    mean: float = typer.Option(127.5, "--mean", help="What is subtracted from grey values before your model."),
    std: float = typer.Option(127.5, "--std", min=1e-6, help="What they are divided by then."),
    whole: Path = typer.Option(
        None,
        "--whole-model",
        help="A model that describes the whole photograph: .onnx, or TorchScript; RGB, (v - mean) / std.",
    ),
    side: int = typer.Option(224, "--whole-size", min=8, help="Side in px of the square that it is given."),
    detector: str = DETECTOR,
    weights: Path = WEIGHTS,
    workers: int = WORKERS,
    force: bool = options.FORCE,
) -> Answer:
    """Find every face of every image: coordinates, crops, aligned faces, and an npz with one vector per face.

    Exit code 0: no errors among the findings. 1: there are some; the rest is written. 2: could not run.
    """
    from datasets_me.formats import image_set
    from datasets_me.images.groups.align import SIDE
    from datasets_me.images.groups.groups import GroupOptions, write_groups
    from datasets_me.images.looks.faces import Finder

    pictures = image_set.read(images)
    chosen = GroupOptions(
        Finder(detector, weights),
        _embedder(model, mean, std, SIDE),
        pad,
        None if whole is None else _embedder(whole, mean, std, side),
        side,
    )
    with show.progress("images") as update:
        result = write_groups(pictures, pictures.root(root), out, chosen, workers=workers, progress=update, force=force)
    table = show.Rows(None, "faces", "images", right=["faces", "images"])
    for count, times in sorted(result.by_count.items()):
        table.add_row(f"{count:,}", f"{times:,}")
    return Answer(
        [table],
        result.findings,
        ending=[f"{plural(result.faces, 'face')} of {plural(result.images, 'image')} written to {out}"],
        data={"groups": str(out), "images": result.images, "faces": result.faces, "by_count": dict(result.by_count)},
    )


def _embedder(model: Path | None, mean: float, std: float, side: int) -> Callable[[], Embedder]:
    from datasets_me.images.groups import embed

    if model is None:
        return embed.dlib_embedder
    if model.suffix.casefold() == ".onnx":
        return partial(embed.onnx_embedder, model, mean=mean, std=std, side=side)
    from datasets_me.torch_data.embedding import torchscript_embedder

    return partial(torchscript_embedder, model, mean=mean, std=std, side=side)


@verb("me-datasets images plan captures-images --by label,light")
def plan(
    images: Path = typer.Argument(help="A set of captures, made by 'me-datasets images import'."),
    by: str = typer.Option("label,light,view", "--by", help="What is varied: the label, and fields of the names."),
) -> Answer:
    """Say which person lacks which expression, light or view."""
    from datasets_me.formats import image_set
    from datasets_me.images.captures import completeness

    complete = completeness(image_set.read(images), [name.strip() for name in by.split(",") if name.strip()])
    columns = ("images", "combinations", "missing")
    table = show.Rows(None, "subject", *columns, right=columns)
    subjects: dict[str, dict[str, int]] = {}
    for subject, counts in complete.counts.items():
        present = sum(counts[values] > 0 for values in complete.wanted)
        numbers = (counts.total(), present, len(complete.wanted) - present)
        subjects[subject] = dict(zip(columns, numbers, strict=True))
        table.add_row(subject, *(f"{number:,}" for number in numbers))
    return Answer(
        [table],
        complete.findings,
        ending=[f"{plural(len(complete.wanted), 'combination')} of {', '.join(complete.by)}"],
        data={"by": complete.by, "combinations": complete.wanted, "subjects": subjects},
        each=True,
    )


@verb("me-datasets images decide fer2013-images --code ME716,ME717 --exclude --apply")
def decide(
    images: Path = options.IMAGES,
    codes: list[str] = typer.Option(
        [],
        "--code",
        help="Images with these findings: ME710, or ME716,ME717.",
        autocompletion=completion.selected_codes,
    ),
    exclude: bool = typer.Option(False, "--exclude", help="Leave them out of exports; of copies (ME712) one stays."),
    accept: bool = typer.Option(False, "--accept", help="Keep them as they are, and do not show them again."),
    label: str = typer.Option(None, "--label", help="Give them this label; 'predicted': what the audit says of each."),
    new_class: str = typer.Option(None, "--new-class", help="Give them a class that the set does not have: dirty."),
    decisions: Path = SAVED_DECISIONS,
    apply: bool = typer.Option(False, "--apply", help="Save; without it, only the numbers are shown."),
    undo: bool = typer.Option(False, "--undo", help="Take back what the last 'images decide --apply' saved."),
) -> Answer:
    """Decide about all images with a finding at once; a dry run unless --apply is given.

    What was decided about an image before stays. Images and labels are never changed: export applies the decisions.
    """
    if undo:
        if codes or exclude or accept or label or new_class or apply:
            raise MeDatasetsError("--undo takes back what was saved, and nothing else", fix="give it alone")
        return taken_back(images, decisions)
    if sum((exclude, accept, label is not None, new_class is not None)) != 1 or not codes:
        raise MeDatasetsError(
            "say which images, and what is decided about them",
            fix="give --code, and one of --exclude, --accept, --label and --new-class",
        )
    verdict: Verdict = "exclude" if exclude else "accept" if accept else "relabel"
    label, is_new = new_class or label, new_class is not None
    return decided_in_bulk(images, codes, verdict, label, new_class=is_new, decisions=decisions, apply=apply)


def taken_back(images: Path, decisions: Path | None) -> Answer:
    """Take back what was saved last about images in bulk."""
    from datasets_me.formats import image_set
    from datasets_me.images import bulk

    count, since = bulk.undo(image_set.read(images), decisions)
    stays = [f"  stays, because it was decided anew: {name}" for name in since]
    return Answer([f"taken back: {plural(count, 'decision')}", *stays], data={"undone": count, "stay": since})


def decided_in_bulk(
    images: Path,
    codes: list[str],
    verdict: Verdict,
    label: str | None = None,
    *,
    new_class: bool = False,
    decisions: Path | None = None,
    apply: bool = False,
) -> Answer:
    """Decide about all images with a finding; ``apply`` saves it."""
    from datasets_me.findings.choice import read_codes, without_findings
    from datasets_me.formats import image_set, image_tables
    from datasets_me.images import bulk

    pictures = image_set.read(images)
    selected = read_codes(codes)
    planned = bulk.bulk(pictures, selected, verdict, label, new_class=new_class, decisions=decisions)
    absent = without_findings(selected, image_tables.read_findings(pictures))
    concerned = len(planned.decisions) + planned.unchanged.total()
    if saved := apply and bool(planned.decisions):
        bulk.save(pictures, planned, decisions)
    what = {"exclude": "excluded", "accept": "accepted", "relabel": "given a label"}[verdict]
    return Answer(
        [
            f"{'' if apply else 'would be '}{what}: {plural(len(planned.decisions), 'image')}",
            *_in_bulk(planned, by_label=label == bulk.PREDICTED),
            *_named(absent),
            *([] if absent or concerned else ["  its findings are about no image of the set"]),
            "--undo takes it back"
            if saved
            else f"nothing is saved{'; add --apply to do it' if planned.decisions else ''}",
        ],
        data={
            "applied": apply,
            "decisions": [decision.model_dump(mode="json") for decision in planned.decisions],
            "unchanged": dict(planned.unchanged),
            "absent": absent,
        },
    )


def _named(absent: list[str]) -> list[str]:
    """A line that names the codes of which a set has no finding."""
    looks = "images faces, quality, duplicates and audit each add theirs"
    return [f"  the set has no finding {', '.join(absent)}; {looks}"] if absent else []


def _in_bulk(planned: Bulk, *, by_label: bool) -> list[str]:
    labels = Counter(str(decision.label) for decision in planned.decisions) if by_label else {}
    lines = [f"  {name}: {count:,}" for name, count in sorted(labels.items())]
    return lines + [
        f"  unchanged: {plural(count, 'image')}, {reason}" for reason, count in sorted(planned.unchanged.items())
    ]


@verb("me-datasets images export fer2013-images -o training --split 0.8,0.1,0.1", formats=None)
def export_(
    images: Path = options.IMAGES,
    out: Path = options.OUT,
    kind: ImageExport = typer.Option("folders", "--format", help="A folder per class, a CSV, or shards of WebDataset."),
    root: Path = options.IMAGE_ROOT,
    split: str = typer.Option(
        "own", "--split", help="The set's own, or shares of train, validation and test: 0.8,0.1,0.1."
    ),
    seed: int = typer.Option(0, "--seed", help="Decides a split by shares; the same seed, the same split."),
    decisions: Path = DECISIONS,
    exclude: list[str] = typer.Option(
        [],
        "--exclude",
        help="Leave out images with these findings: ME710,ME716. Of copies (ME712) one stays.",
        autocompletion=completion.selected_codes,
    ),
    keep_one: KeepOne | None = typer.Option(
        None,
        "--keep-one",
        help="Of near-duplicates, keep the largest, the sharpest, or one whose label an audit agrees with.",
    ),
    by_audit: bool = typer.Option(
        False,
        "--by-audit",
        help="Sort the whole set into unsubmitted, unrecognised, agree and disagree/<label>-<predicted>.",
    ),
    link: bool = typer.Option(False, "--link", help="Symbolic links to the originals instead of copies."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what would be written and left out, and write nothing."),
    force: bool = options.FORCE,
) -> Answer:
    """Write copies for training, with decisions applied; near-duplicates and subjects never straddle a new split.

    What is left out stands in left_out.csv with the reason, and in remove.txt as bare paths. Originals are never moved.
    Exit code 0: no errors among the findings. 1: there are some; the rest is written. 2: could not run.
    """
    from datasets_me.findings.choice import read_codes, without_findings
    from datasets_me.formats import image_set, image_tables
    from datasets_me.images.export.plan import plan
    from datasets_me.images.export.write import write
    from datasets_me.images.summary import count_plan

    pictures = image_set.read(images)
    if link and kind != "folders":
        raise MeDatasetsError("only folders hold links", fix="leave --link out, or give --format folders")
    if by_audit:
        if exclude or keep_one or decisions or dry_run or split != "own" or kind != "folders":
            raise MeDatasetsError(
                "--by-audit sorts the whole set as it is",
                fix="leave out all other options but --root, --link and --force",
            )
        return _sorted_by_audit(pictures, out, root, link, force)
    codes = read_codes(exclude)
    planned = plan(pictures, split=split, seed=seed, decisions=decisions, exclude=codes, keep_one=keep_one)
    findings = planned.findings
    if not dry_run:
        chosen: dict[str, object] = {"split": split, "seed": seed, "exclude": codes, "keep_one": keep_one}
        with show.progress("images") as update:
            on_the_way = write(
                pictures, planned, out, kind, root=root, link=link, options=chosen, progress=update, force=force
            )
        findings = [*findings, *on_the_way]
    counts = count_plan(planned)
    left_out = [f"left out: {plural(count, 'image')}, {reason}" for reason, count in planned.left_out.items()]
    absent = without_findings(codes, image_tables.read_findings(pictures))
    written = len(planned.rows) - sum(finding.code == "ME740" for finding in findings)
    return Answer(
        [_by_split(counts, planned.classes), *left_out, *_named(absent)],
        findings,
        ending=["nothing is written" if dry_run else f"{plural(written, 'image')} written to {out}"],
        data={
            "export": None if dry_run else str(out),
            "images": written,
            "by_split": counts,
            "left_out": planned.left_out,
            "absent": absent,
        },
    )


def _sorted_by_audit(images: ImageSet, out: Path, root: Path | None, link: bool, force: bool) -> Answer:
    from datasets_me.formats.image_records import STATES
    from datasets_me.images.export.by_audit import sort_by_audit

    with show.progress("images") as update:
        by_state, findings = sort_by_audit(images, out, root=root, link=link, progress=update, force=force)
    table = show.Rows(None, "label", "images", *STATES, right=["images", *STATES])
    for label in sorted({label for counts in by_state.values() for label in counts}):
        numbers = [by_state[state][label] if state in by_state else 0 for state in STATES]
        table.add_row(label, f"{sum(numbers):,}", *(f"{number:,}" for number in numbers))
    written = sum(counts.total() for counts in by_state.values())
    return Answer(
        [table],
        findings,
        ending=[f"{plural(written, 'image')} written to {out}"],
        data={"export": str(out), "images": written, "by_state": by_state},
    )


@verb("me-datasets images synth ckplus -o synthetic --images 60 --defects")
def synth(
    shape: str = typer.Argument(
        help="fer2013, ckplus, raf-db, folder-per-class, gaf3 or captures.", autocompletion=completion.image_schemas
    ),
    place: Path = typer.Argument(None, metavar="out", help="The folder to make; -o is the same."),
    out: Path = options.OR_OUT,
    count: int = typer.Option(60, "--images", min=1, help="How many, besides those with defects."),
    seed: int = typer.Option(0, "--seed", help="The same seed makes the same files."),
    defects: bool = typer.Option(False, "--defects", help="Plant defects; truth.json lists what has to be found."),
    force: bool = options.FORCE,
) -> Answer:
    """Make a set of face pictures in the shape of a real one, with its schema, and with defects if you like."""
    from datasets_me.synthetic.image_sets import make

    folder = out or place
    if folder is None or (out and place):
        raise MeDatasetsError("images synth takes one folder to make", fix="give -o FOLDER")
    written = make(shape, folder, images=count, seed=seed, defects=defects, force=force)
    codes = dict(sorted(Counter(defect.code for defect in written.planted).items()))
    table = show.named(
        ("images", f"{written.source} ({plural(written.files, 'file')})"),
        ("schema", written.schema),
        ("truth", written.truth),
        ("planted", ", ".join(f"{code} {number}" for code, number in codes.items()) or "nothing"),
    )
    return Answer(
        [table],
        data={
            "images": str(written.source),
            "files": written.files,
            "schema": str(written.schema),
            "truth": str(written.truth),
            "planted": codes,
        },
    )
