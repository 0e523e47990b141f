"""From an annotation file to a manifest, with the folders of frames where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from datasets_me.convert.auwgcn_csv import convert_auwgcn_csv
from datasets_me.convert.convert import convert
from datasets_me.convert.decided import finished, holding, with_decisions, within_videos
from datasets_me.convert.source import find_source
from datasets_me.convert.variants import fits
from datasets_me.convert.workbook import read_book
from datasets_me.core.errors import FindingsError, WorkbookError, plural
from datasets_me.folders.check import with_folders
from datasets_me.folders.walk import Progress
from datasets_me.formats.decisions import Decision, Decisions
from datasets_me.formats.manifest import Manifest
from datasets_me.schema.schema_files import Schema, shipped
from datasets_me.schema.spec import Spec

_NAMED = 10  # error findings that a refusal lists


def make_manifest(
    schema: Schema | None,
    source: str,
    root: Path | None = None,
    *,
    corrections: bool = True,
    decisions: Decisions | None = None,
    walking: Progress | None = None,
) -> Manifest:
    """The manifest of an annotation file, tied to the folders under a root.

    Args:
        schema: of the dataset; None for a 7-column CSV of the AUW-GCN family, whose videos tell the dataset.
        source: the file, a folder to search, or a bare ``xlsx``, ``xls`` or ``csv``: the file of that kind.
        root: the folder of frames; without one, no video has a folder.
        corrections: apply the corrections, relocations and exclusions of the schema.
        decisions: applied, too, where what they were made on is as it was.
        walking: told of folders and files seen so far.

    Raises:
        MeDatasetsError: the file cannot be found or read, or the root is no folder.
    """
    if schema is None:
        path = Path(source)
        conversion = convert_auwgcn_csv(path, corrections=corrections)
    else:
        path = find_source(schema.spec, source, root)
        try:
            conversion = convert(schema, path, corrections=corrections)
        except WorkbookError as error:
            raise _named(error, schema.spec, path) from error
    manifest = conversion.manifest()
    if decisions is None:
        return manifest if root is None else with_folders(manifest, root, walking)
    chosen, findings = holding(manifest, decisions, folders=False)

    def applied(standing: Sequence[Decision]) -> Manifest:
        decided = convert(with_decisions(manifest.schema, standing), path).manifest()
        return decided if root is None else with_folders(decided, root, walking)

    decided = applied(chosen)
    inside, outside = within_videos(decided, chosen)
    if outside:
        decided = applied(inside)
    decided = replace(decided, findings=[*decided.findings, *findings, *outside])
    later = [each for each in inside if each.action == "relocate"] if root is None else []
    return finished(decided, [each for each in inside if each not in later], [each.id for each in later])


def _named(error: WorkbookError, spec: Spec, path: Path) -> WorkbookError:
    """The error for a workbook that cannot be read; it names the datasets that the workbook fits instead, if any."""
    try:
        book = read_book(path)
    except WorkbookError:
        return error
    others = [schema.spec for schema in shipped() if fits(schema.spec, book)]
    if fits(spec, book) or not others:
        return error
    return WorkbookError(
        f"the workbook is not one of {spec.title}, but of {' or '.join(other.title for other in others)}",
        where=str(path),
        fix=" or ".join(f"me-datasets convert {other.id} {path}" for other in others),
    )


def refuse_errors(manifest: Manifest) -> None:
    """Refuse a manifest that has error findings.

    Raises:
        FindingsError: there are some; the first of them are named.
    """
    errors = [finding for finding in manifest.findings if finding.severity == "error"]
    if errors:
        more = [f"and {len(errors) - _NAMED} more"] if len(errors) > _NAMED else []
        raise FindingsError(
            f"{plural(len(errors), 'error finding')}, nothing was written",
            details=[*(f"{f.code} {f.where}: {f.message}" for f in errors[:_NAMED]), *more],
            fix="correct a copy of the workbook, or convert without --strict",
        )
