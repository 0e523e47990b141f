"""Verbs about annotations and the folders they belong to: ``convert``, ``diff``, ``relocate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import completion, options, show
from datasets_me.cli.run import Answer, verb
from datasets_me.core.errors import MeDatasetsError, plural

if TYPE_CHECKING:
    from datasets_me.convert.diff import Comparison
    from datasets_me.folders.relocate import Move

_SOURCE = "A manifest, a workbook, or a 7-column CSV of the AUW-GCN family."


@verb("me-datasets convert casme2 CASME2-coding-20140508.xlsx --root CASME2 -o casme2-manifest")
def convert(
    dataset: str = options.DATASET,
    source: str = typer.Argument(
        None,
        help="The workbook (.xlsx, .xls, .csv), a folder to search, or 'xlsx', 'xls', 'csv': the one of that kind.",
    ),
    root: Path = typer.Option(None, "--root", help="The folder of frames; its folders are tied to the annotations."),
    out: Path = typer.Option(None, "-o", "--out", help="The manifest to write. Default: <dataset>-manifest."),
    schema: Path = options.SCHEMA,
    corrections: bool = typer.Option(
        True,
        "--corrections/--no-corrections",
        help="Apply the corrections, relocations and exclusions of the schema.",
    ),
    decisions: Path = options.DECISIONS,
    strict: bool = typer.Option(False, "--strict", help="Write nothing if there is any error finding; exit code 1."),
    force: bool = options.FORCE,
) -> Answer:
    """Read an annotation workbook into a checked manifest.

    DATASET may also be 'auwgcn-csv': then SOURCE is a 7-column CSV of the AUW-GCN family, of whichever dataset.

    Exit code 0: the manifest is written, whatever was found. 1: --strict, and there are errors. 2: could not run.
    """
    from datasets_me.convert.make_manifest import make_manifest, refuse_errors
    from datasets_me.convert.summary import summarise
    from datasets_me.formats import decisions as decision_files
    from datasets_me.formats import manifest as manifests

    if decisions is not None and not corrections:
        raise MeDatasetsError("--decisions and --no-corrections exclude each other", fix="give one of them")
    if dataset.casefold() == "auwgcn-csv" and source is not None and schema is None:
        chosen, where = None, source
    else:
        chosen, where = options.schema_and_rest(schema, dataset, source, "SOURCE")
    with show.progress("folders") as update:
        manifest = make_manifest(
            chosen,
            where,
            root,
            corrections=corrections,
            decisions=None if decisions is None else decision_files.read(decisions),
            walking=lambda folders, files: update(folders, note=plural(files, "file")),
        )
    if strict:
        refuse_errors(manifest)
    folder = out or Path(f"{manifest.spec.id}-manifest")
    manifests.write(manifest, folder, force=force)
    summary = {"manifest": str(folder), **summarise(manifest)}
    parts = _summary(summary)
    if decisions is not None:
        summary["decisions"] = manifest.options["decisions"]
        parts.append(f"{plural(len(summary['decisions']), 'decision')} applied")
    return Answer(parts, manifest.findings, ending=[f"written to {folder}"], data=summary, exit_code=0)


def _summary(summary: dict[str, Any]) -> list[show.Part]:
    numbers = ["rows", "with length", "min", "mean", "max"]
    table = show.Rows(None, "type", *numbers, right=numbers)
    for kind, counted in summary["types"].items():
        mean = "-" if counted["mean"] is None else f"{counted['mean']:.6f}"
        ends = ["-" if counted[name] is None else f"{counted[name]:.6g}" for name in ("min", "max")]
        table.add_row(kind, counted["rows"], counted["with_length"], ends[0], mean, ends[1])
    parts: list[show.Part] = [
        f"{summary['title']} from {summary['source']}, read as '{summary['variant']}'",
        "",
        table,
        "",
        f"{plural(summary['annotations'], 'annotation')} of {plural(summary['subjects'], 'subject')} in "
        f"{plural(summary['annotated_videos'], 'video')}; lengths in {summary['unit']}, both ends included",
    ]
    if summary["emotions"]:
        parts.append("emotions: " + ", ".join(f"{label} {count}" for label, count in summary["emotions"].items()))
    files, folders = summary["video_files"], summary["folders"] - summary["video_files"]
    ties = [f"{plural(folders, 'folder')} of frames"] if folders else []
    ties += [plural(files, "video file")] if files else []
    if ties:
        parts.append(f"tied to {' and '.join(ties)}")
    return parts


@verb("me-datasets diff CASME2-coding-20140508.xlsx CASME2-coding-20190701.xlsx --dataset casme2")
def diff(
    a: Path = typer.Argument(help=_SOURCE),
    b: Path = typer.Argument(help=_SOURCE),
    dataset: str = typer.Option(
        None,
        "--dataset",
        help="The dataset of workbooks that do not tell: id, alias or schema.",
        autocompletion=completion.datasets,
    ),
    parquet: Path = typer.Option(None, "--parquet", help="Write the differences to this file, too."),
) -> Answer:
    """Compare two annotation sources, row matched to row by what they are about.

    Exit code 0: they say the same. 1: they differ. 2: could not run.
    """
    from datasets_me.convert.diff import Difference
    from datasets_me.convert.diff_sources import compare_sources
    from datasets_me.core.tables import write_parquet

    comparison = compare_sources(a, b, dataset)
    if parquet:
        write_parquet(Difference, comparison.differences, parquet)
    data = {
        "a": str(a),
        "b": str(b),
        "matched": comparison.matched,
        "equal": comparison.equal,
        "not_compared": comparison.not_compared,
        "differences": [difference.model_dump(exclude_none=True) for difference in comparison.differences],
    }
    parts = [f"A: {a}", f"B: {b}", "", *_differences(comparison)]
    return Answer(parts, data=data, exit_code=int(bool(comparison.differences)))


def _differences(comparison: Comparison) -> list[show.Part]:
    parts: list[show.Part] = []
    if comparison.differences:
        table = show.Rows(None, "video", "expression", "field", "A", "B", "where in A", "where in B")
        for row in comparison.differences:
            field = row.field or row.status
            table.add_row(row.video, row.expression, field, row.a or "-", row.b or "-", row.where_a, row.where_b)
        parts += [table, ""]
    parts.append(
        f"{plural(comparison.matched, 'row')} matched, {comparison.equal} equal; "
        f"only in A {comparison.only('only in A')}, only in B {comparison.only('only in B')}"
    )
    return parts + [f"not compared, because only one source has any: {name}" for name in comparison.not_compared]


@verb("me-datasets relocate casme-sq-manifest --root CASME_sq")
def relocate(
    manifest: Path = options.MANIFEST,
    root: Path = options.ROOT,
    apply: bool = typer.Option(False, "--apply", help="Move, and keep a journal under the root."),
    undo: bool = typer.Option(False, "--undo", help="Put everything back that the journal says was moved."),
) -> Answer:
    """Show the moves that would put misplaced folders right; a dry run unless --apply is given.

    Nothing is ever overwritten. The manifest points at the right folders without any move.
    Exit code 0: nothing stands in the way. 1: some moves are blocked. 2: could not run.
    """
    from datasets_me.folders import relocate as moving
    from datasets_me.folders.check import take_inventory
    from datasets_me.formats import manifest as manifests

    if apply and undo:
        raise MeDatasetsError("--apply and --undo exclude each other", fix="give one of them")
    if undo:
        return _undone(*moving.undo(root))
    left = moving.unfinished(root)
    moves = moving.plan(take_inventory(manifests.read(manifest), root))
    blocked = [move for move in moves if move.blocked]
    if apply:
        moved = moving.apply(root, moves)
        parts = [f"moved: {plural(len(moved), 'folder')}; --undo puts everything back"]
    else:
        moved = [move for move in moves if not move.blocked]
        parts = [f"would move: {plural(len(moved), 'folder')}; add --apply to do it"]
    if left:
        parts.append(f"  unfinished: an earlier run stopped before it moved {left.source} -> {left.target}")
    for move in moved:
        parts += [f"  {move.source} -> {move.target}", f"    {move.why}"]
    parts += [f"  blocked: {move.source} -> {move.target}: {move.blocked}" for move in blocked]
    data = {
        "applied": apply,
        "moves": [vars(move) for move in moved],
        "blocked": [vars(move) for move in blocked],
        "unfinished": vars(left) if left else None,
    }
    return Answer(parts, data=data, exit_code=int(bool(blocked)))


def _undone(undone: list[Move], gone: list[Move]) -> Answer:
    parts = [
        f"put back: {plural(len(undone), 'folder')}",
        *(f"  {move.target} -> {move.source}" for move in undone),
        *(f"  gone: {move.source} is not there, nor at {move.target}" for move in gone),
    ]
    data = {"put_back": [vars(move) for move in undone], "gone": [vars(move) for move in gone]}
    return Answer(parts, data=data, exit_code=int(bool(gone)))
