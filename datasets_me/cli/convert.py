"""``me-datasets convert``: workbook to manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import arguments, show
from datasets_me.core.errors import FindingsError, plural

if TYPE_CHECKING:
    from datasets_me.convert.convert import Conversion
    from datasets_me.findings.finding import Finding
    from datasets_me.formats.manifest import Manifest

_SHOWN = 10  # error findings listed when --strict refuses


def convert(
    dataset: str = arguments.DATASET,
    source: str = typer.Argument(
        None,
        help="The workbook (.xlsx, .xls, .csv), a folder to search, or 'xlsx', 'xls', 'csv': the one of that kind.",
    ),
    root: Path = typer.Option(None, "--root", help="The folder of frames; its folders are tied to the annotations."),
    out: Path = typer.Option(None, "-o", "--out", help="The manifest to write. Default: <dataset>-manifest."),
    schema: Path = arguments.SCHEMA,
    corrections: bool = typer.Option(
        True, "--corrections/--no-corrections", help="Apply the corrections and relocations of the schema."
    ),
    strict: bool = typer.Option(False, "--strict", help="Write nothing if there is any error finding; exit code 1."),
    force: bool = arguments.FORCE,
    as_json: bool = arguments.JSON,
) -> None:
    """Read an annotation workbook into a checked manifest.

    DATASET may also be 'auwgcn-csv': then SOURCE is a 7-column CSV of the AUW-GCN family, of whichever dataset.

    Exit code 0: the manifest is written, whatever was found. 1: --strict, and there are errors. 2: could not run.
    """
    from datasets_me.convert.summary import summarise
    from datasets_me.formats import manifest

    made = _read(dataset, source, root, schema, corrections).manifest()
    if root is not None:
        made = _tie(made, root)
    errors = [finding for finding in made.findings if finding.severity == "error"]
    if strict and errors:
        raise FindingsError(
            f"{plural(len(errors), 'error finding')}, nothing was written",
            details=_listed(errors),
            fix="correct a copy of the workbook, or convert without --strict",
        )
    folder = out or Path(f"{made.spec.id}-manifest")
    manifest.write(made, folder, force=force)
    summary = {"manifest": str(folder), **summarise(made)}
    if as_json:
        show.echo_json(summary)
    else:
        _show(summary)


def _read(dataset: str, source: str | None, root: Path | None, schema: Path | None, corrections: bool) -> Conversion:
    from datasets_me.convert.auwgcn_csv import convert_auwgcn_csv
    from datasets_me.convert.convert import convert as read
    from datasets_me.convert.source import find_source

    if dataset.casefold() == "auwgcn-csv" and source is not None and schema is None:
        return convert_auwgcn_csv(Path(source), corrections=corrections)
    chosen, rest = arguments.schema_and_rest(schema, dataset, source, "SOURCE")
    return read(chosen, find_source(chosen.spec, rest, root), corrections=corrections)


def _tie(made: Manifest, root: Path) -> Manifest:
    from datasets_me.folders.check import with_folders

    with show.progress("folders") as update:
        return with_folders(made, root, lambda folders, files: update(folders, note=f"{files:,} files"))


def _listed(errors: list[Finding]) -> list[str]:
    more = [f"and {len(errors) - _SHOWN} more"] if len(errors) > _SHOWN else []
    return [*(f"{f.code} {f.where}: {f.message}" for f in errors[:_SHOWN]), *more]


def _show(summary: dict[str, Any]) -> None:
    out = show.console()
    out.print(f"{summary['title']} from {summary['source']}, read as '{summary['variant']}'", "")
    table = show.table(
        None, "type", "rows", "with length", "min", "mean", "max", right=["rows", "with length", "min", "mean", "max"]
    )
    for kind, counted in summary["types"].items():
        mean = "-" if counted["mean"] is None else f"{counted['mean']:.6f}"
        ends = ["-" if counted[name] is None else f"{counted[name]:.6g}" for name in ("min", "max")]
        table.add_row(kind, str(counted["rows"]), str(counted["with_length"]), ends[0], mean, ends[1])
    out.print(table)
    out.print(
        "",
        f"{summary['annotations']} annotations of {plural(summary['subjects'], 'subject')} in "
        f"{plural(summary['annotated_videos'], 'video')}; lengths in {summary['unit']}, both ends included",
    )
    if summary["emotions"]:
        out.print("emotions: " + ", ".join(f"{label} {count}" for label, count in summary["emotions"].items()))
    if summary["folders"]:
        out.print(f"tied to {plural(summary['folders'], 'folder')} of frames")
    if summary["findings"]:
        out.print()
        out.print(show.findings_by_code(summary["findings"]))
    out.print("", f"written to {summary['manifest']}")
