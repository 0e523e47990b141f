"""Decisions applied: they become corrections, relocations and exclusions of the schema, and so take part in everything.

`decide` applies them to a manifest that was converted before; :mod:`make_manifest` to an annotation file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from datasets_me.convert.across_rows import check_videos
from datasets_me.convert.normalise import Normaliser
from datasets_me.convert.sheets import Sheet
from datasets_me.convert.variants import AnnotationTable
from datasets_me.core.errors import Place, plural
from datasets_me.findings.codes import all_codes
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import manifest as manifests
from datasets_me.formats.decisions import (
    Decision,
    Decisions,
    changed_cell,
    changed_finding,
    changed_ground,
    column_of,
    elsewhere,
    is_about,
    not_applied,
    outside_video,
    rows_of,
    standing,
)
from datasets_me.formats.manifest import Manifest, refuse_other
from datasets_me.formats.records import Annotation, Video
from datasets_me.schema.additions import with_additions
from datasets_me.schema.schema_files import Schema
from datasets_me.schema.spec import FRAME_FIELDS, Correction, DurationConvention, LeftOut, Relocation, Spec

_ACCEPTED = "; accepted: "

_MADE_EACH_TIME = frozenset(("ME132", "ME133", "ME138"))

ABOUT_DECISIONS = _MADE_EACH_TIME | {"ME135"}
"""Findings about the decisions themselves: whether they can be read, and were applied."""


def why(decision: Decision) -> str:
    """The reason that a schema gives for what was decided."""
    name = f"decision {decision.id}"
    return f"{decision.note} ({name})" if decision.note else name


def with_decisions(schema: Schema, decisions: Sequence[Decision]) -> Schema:
    """The schema with what was decided: corrections, relocations and exclusions. Other decisions change nothing.

    Raises:
        SchemaError: a decision does not fit the schema.
    """
    relocations = [_relocation(decision) for decision in decisions if decision.action == "relocate"]
    return with_additions(
        schema,
        [_correction(decision) for decision in decisions if decision.action == "correct"],
        [entry for entry in relocations if entry not in schema.spec.relocations],
        [_left_out(decision) for decision in decisions if decision.action == "exclude"],
    )


def _correction(decision: Decision) -> Correction:
    return Correction.model_validate(_key(decision) | _fields(decision, "column", "old", "new"))


def _relocation(decision: Decision) -> Relocation:
    return Relocation.model_validate({"why": why(decision), **_fields(decision, "layout", "found", "belongs")})


def _left_out(decision: Decision) -> LeftOut:
    return LeftOut.model_validate(_key(decision))


def _key(decision: Decision) -> dict[str, object]:
    """What names the row, or the video, in a schema."""
    if decision.row is None:
        return {"why": why(decision), **_fields(decision, "subject", "video")}
    return {"why": why(decision), **_fields(decision, "subject", "video", "expression", "onset", "row")}


def _fields(decision: Decision, *names: str) -> dict[str, object]:
    return {name: getattr(decision, name) for name in names if getattr(decision, name) is not None}


def holding(
    manifest: Manifest, decisions: Decisions, applied: Collection[str] = (), *, folders: bool = True
) -> tuple[list[Decision], list[Finding]]:
    """The standing decisions whose ground is as it was, and findings about the others and about unreadable lines.

    Decisions about other datasets, and those that are ``applied`` already, are left out. Without ``folders``, there may
    be videos that the manifest does not know yet; `finished` tells afterwards.
    """
    chosen: list[Decision] = []
    findings = list(decisions.findings)
    by_video = _by_video(manifest.annotations)
    for decision in standing(decisions.rows):
        if decision.dataset != manifest.spec.id or decision.image is not None or decision.id in applied:
            continue
        if decision.action == "exclude" and _left_out(decision) in manifest.spec.exclude:
            continue  # the schema was made of decisions
        later = not folders and decision.row is None and decision.action != "relocate"
        part = replace(manifest, annotations=by_video.get(decision.video, []))
        reason = None if later else changed_ground(decision, part)
        if reason is None:
            chosen.append(decision)
        else:
            findings.append(not_applied(decision, reason))
    return chosen, findings


def _carried_over(manifest: Manifest, decisions: Sequence[Decision]) -> Iterator[Finding]:
    """A finding about decisions that were made on another file than the manifest's, where there are any."""
    present = {source.get("sha256") for source in manifest.sources} | {None}
    others = [each for each in decisions if each.source not in present]
    if others:
        message = f"{plural(len(others), 'decision')} made on another file, in which the rows say the same"
        yield finding("ME135", message, place=Place(manifest.sources[0].get("name") if manifest.sources else None))


def _by_video(rows: Iterable[Annotation]) -> Mapping[str | None, list[Annotation]]:
    by_video: defaultdict[str | None, list[Annotation]] = defaultdict(list)
    for row in rows:
        by_video[row.video].append(row)
    return by_video


def decide(manifest: Manifest, decisions: Decisions) -> Manifest:
    """A manifest with decisions applied, as `convert` with the same decisions makes it from the workbook.

    Decisions that the manifest was converted with are not applied again. Findings about rows that are corrected or left
    out are made again, those about the decisions are added, and the others stay as they are. A folder is relocated
    where the manifest knows it; folders are not looked at again.

    Raises:
        SchemaError: a decision does not fit the schema.
    """
    refuse_other(manifest)
    before = set(manifest.options.get("decisions", ()))
    chosen, findings = holding(manifest, decisions, before)
    if not any(video.path for video in manifest.videos):  # without folders, none is there to be relocated
        chosen = [each for each in chosen if each.action != "relocate"]
    findings += _no_longer_standing(before, decisions)
    trial, _ = apply_to_rows(manifest, [each for each in chosen if each.action == "correct"])
    chosen, outside = within_videos(replace(manifest, annotations=trial), chosen)
    kept = [each for each in manifest.findings if each.code not in _MADE_EACH_TIME]
    annotations, derived = apply_to_rows(replace(manifest, findings=kept), chosen)
    without = {each.video: _left_out(each) for each in chosen if each.action == "exclude" and each.row is None}
    folders = [
        manifests.left_out(without[row.video], path=row.path)
        for row in manifest.videos
        if row.video in without and row.path is not None
    ]
    ids = {row.id for row in annotations}
    videos, moved = _relocated([row for row in manifest.videos if row.video not in without], manifest.spec, chosen)
    decided = replace(
        manifest,
        schema=with_decisions(manifest.schema, chosen),
        annotations=annotations,
        videos=_recounted(videos, [row for row in manifest.annotations if row.id not in ids]),
        findings=[*derived, *findings, *outside, *moved, *folders],
    )
    return finished(decided, chosen, before)


def finished(manifest: Manifest, decisions: Sequence[Decision], before: Collection[str] = ()) -> Manifest:
    """A manifest to which decisions were applied, with what was accepted, and with the ids of all that hold.

    Args:
        manifest: with the other decisions applied.
        decisions: all of them.
        before: the ids of those that it had before.
    """
    chosen, findings = _present(manifest, decisions)
    accepted, chosen = _with_accepted(replace(manifest, findings=[*manifest.findings, *findings]), chosen)
    ids = sorted({*before, *(each.id for each in chosen)})
    doubts = [*accepted.findings, *_carried_over(manifest, chosen)]
    doubts.sort(key=lambda doubt: doubt.code in _MADE_EACH_TIME)  # last, as where decisions are applied again
    return replace(accepted, findings=doubts, options={**accepted.options, "decisions": ids})


def within_videos(corrected: Manifest, decisions: Sequence[Decision]) -> tuple[list[Decision], list[Finding]]:
    """The decisions without corrections to a frame outside the video, and findings about those.

    Args:
        corrected: the manifest with all of them applied, and with folders where there are any.
        decisions: that were applied.
    """
    outside = beyond(corrected, decisions)
    chosen = [each for each in decisions if each.id not in outside]
    return chosen, [not_applied(each, outside[each.id]) for each in decisions if each.id in outside]


def beyond(corrected: Manifest, decisions: Sequence[Decision]) -> dict[str, str]:
    """How corrections, by their ids, lie outside the video; only those that do. See `within_videos`."""
    by_video = _by_video(corrected.annotations)
    reasons: dict[str, str] = {}
    for decision in decisions:
        if decision.action == "correct" and decision.column in FRAME_FIELDS:
            for row in rows_of(decision, by_video.get(decision.video, ())):
                frame = getattr(row, decision.column)
                reason = None if frame is None else outside_video(corrected, row, frame)
                if reason is not None:
                    reasons[decision.id] = f"{decision.column} {decision.new} {reason}, counted from 0"
    return reasons


def _no_longer_standing(before: set[str], decisions: Decisions) -> Iterator[Finding]:
    """Findings about decisions that a manifest was converted with, and that were taken back since."""
    standing_now = standing(decisions.rows)
    ids, keys = {each.id for each in standing_now}, {each.key() for each in standing_now}
    for decision in decisions.rows:
        if decision.id in before and decision.id not in ids and decision.key() not in keys:
            message = f"'{decision.action}' of {decision.about} was taken back, and the manifest still has it"
            yield finding(
                "ME132",
                f"{message} (decision {decision.id})",
                place=decision.place(),
                video=decision.video,
                fix="make the manifest again with me-datasets convert --decisions",
            )


CELL_CODES = frozenset(
    ("ME101", "ME103", "ME104", "ME105", "ME106", "ME111", "ME112", "ME113", "ME114", "ME115", "ME116", "ME130")
)
"""Findings about one cell, which are made again when the cell is corrected."""

ROW_CODES = frozenset(("ME107", "ME124", "ME127"))
"""Findings about the frames of a row, which are made again when one of them is corrected."""

VIDEO_CODES = frozenset(("ME108", "ME109", "ME136"))
"""Findings about the rows of a video beside each other, which are made again when one of them changes."""

MADE_AGAIN = CELL_CODES | ROW_CODES | VIDEO_CODES
"""Findings that `apply_to_rows` makes again about rows that change."""


def apply_to_rows(manifest: Manifest, decisions: Sequence[Decision]) -> tuple[list[Annotation], list[Finding]]:
    """The annotations with corrections and exclusions applied, and the findings that the manifest has then.

    Findings about what has changed are made again; all others, such as those about folders, stay as they are.
    """
    by_video = _by_video(manifest.annotations)
    corrections: defaultdict[str, list[Correction]] = defaultdict(list)
    left_out: dict[str, LeftOut] = {}
    for decision in decisions:
        of_video = by_video.get(decision.video, [])
        meant = of_video if decision.row is None else rows_of(decision, of_video)
        if decision.action == "exclude":
            left_out |= {row.id: _left_out(decision) for row in meant}
        elif decision.action == "correct":
            for row in meant:
                corrections[row.id].append(_correction(decision))
    annotations: list[Annotation] = []
    findings: list[Finding] = []
    for row in manifest.annotations:
        if row.id in left_out:
            findings.append(manifests.left_out(left_out[row.id], row.place()))
        elif row.id in corrections:
            reread, doubts = _reread(manifest, row, corrections[row.id])
            annotations += [] if reread is None else [reread]
            findings += doubts
        else:
            annotations.append(row)
    changed = {row.id: row for row in manifest.annotations if row.id in left_out or row.id in corrections}
    videos = {row.video.casefold() for row in changed.values()}
    findings += check_videos([row for row in annotations if row.video.casefold() in videos])
    gone = {row.place() for row in changed.values() if row.id in left_out}
    columns = {changed[name].place(): [each.column for each in of_row] for name, of_row in corrections.items()}
    rows = {row.place(): row for row in changed.values()}
    kept: list[Finding] = []
    again: dict[tuple[str, str, str], Finding] = {}
    for doubt in manifest.findings:
        place = Place(doubt.file, doubt.sheet, doubt.row)
        if (
            place in gone
            or (doubt.code in VIDEO_CODES and (doubt.video or "").casefold() in videos)
            or _is_made_again(doubt, rows.get(place), columns.get(place, []))
        ):
            again[doubt.code, doubt.where, doubt.message.partition(_ACCEPTED)[0]] = doubt
        else:
            kept.append(doubt)
    return annotations, [*kept, *(again.get((each.code, each.where, each.message), each) for each in findings)]


def _is_made_again(doubt: Finding, row: Annotation | None, columns: Collection[str]) -> bool:
    """Whether a finding about a row is made again when some of its columns are corrected."""
    if row is None or not columns:
        return False
    if doubt.code in ROW_CODES:
        return not set(FRAME_FIELDS).isdisjoint(columns)
    return doubt.code in CELL_CODES and column_of(row, doubt) in columns


def _reread(
    manifest: Manifest, row: Annotation, corrections: Sequence[Correction]
) -> tuple[Annotation | None, list[Finding]]:
    """A row with corrections applied, None where it has no frame any more, and what reading it finds."""
    variant = next(each for each in manifest.spec.workbook.variants if each.id == manifest.variant)
    letters = {name: cell.rstrip("0123456789") for name, cell in row.source_cells.items()}
    table = AnnotationTable(variant, Sheet(row.source_sheet or "", 1, []), [], letters, {})
    normaliser = Normaliser(manifest.spec, table)
    by_majority = next((doubt.found for doubt in manifest.findings if doubt.code == "ME131"), None)
    conventions = (each for each in get_args(DurationConvention) if each == by_majority)
    convention = next(conventions, manifest.spec.workbook.duration)
    return normaliser.reread(row, corrections, convention), normaliser.findings


def _relocated(videos: Sequence[Video], spec: Spec, decisions: Sequence[Decision]) -> tuple[list[Video], list[Finding]]:
    """The videos with the folders that belong elsewhere marked, and a finding about each of them."""
    entries = [_relocation(each) for each in decisions if each.action == "relocate"]
    marked, findings = [], []
    for video in videos:
        path, suffix = video.path or "", ""
        if video.layout is not None and spec.layout(video.layout).video_files:
            path, _, suffix = path.rpartition(".")
        entry = next((each for each in entries if each.layout == video.layout and _ends(path, each.found)), None)
        if entry is None or video.relocated:
            marked.append(video)
            continue
        base = path[: len(path) - len(entry.found)]
        target = f"{base}{entry.belongs}" + (f".{suffix}" if suffix else "")
        marked.append(video.model_copy(update={"relocated": True}))
        findings.append(manifests.relocated(entry, video.path or "", target, subject=video.subject, video=video.video))
    return marked, findings


def _ends(path: str, found: str) -> bool:
    return f"/{path}".casefold().endswith(f"/{found}".casefold())


def _recounted(videos: list[Video], lost: Sequence[Annotation]) -> list[Video]:
    """The rows of videos with the annotations that they still have."""
    by_video = _by_video(lost)

    def count(video: Video) -> int:
        shown = [row for row in by_video[video.video] if video.expression in (None, row.expression)]
        return max(0, video.annotations - len(shown))

    return [
        video.model_copy(update={"annotations": count(video)}) if video.video in by_video else video for video in videos
    ]


def _present(manifest: Manifest, decisions: Sequence[Decision]) -> tuple[list[Decision], list[Finding]]:
    """The decisions without those to relocate a folder or to leave out a video that is not there, and findings.

    Args:
        manifest: with the decisions applied.
        decisions: that were applied.
    """
    paths = [f"/{video.path}/".casefold() for video in manifest.videos if video.relocated]
    left_out = {doubt.video for doubt in manifest.findings if doubt.code == "ME134"}
    chosen: list[Decision] = []
    findings: list[Finding] = []
    for decision in decisions:
        reason = None
        if decision.action == "relocate" and not any(f"/{decision.found}".casefold() in path for path in paths):
            reason = f"there is no folder {decision.found} in the layout '{decision.layout}'"
        elif decision.action == "exclude" and decision.row is None and decision.video not in left_out:
            reason = f"there is no video {decision.video}"
        if reason is None:
            chosen.append(decision)
        else:
            findings.append(not_applied(decision, reason))
    return chosen, findings


def _with_accepted(manifest: Manifest, decisions: Sequence[Decision]) -> tuple[Manifest, list[Decision]]:
    """The manifest whose accepted findings are no more than information, and say that they were accepted.

    A finding that finds something else now than when it was accepted, or in another text of its cell, stays as it is.
    That is a finding, too (ME132), and so is that what was accepted is not found, though convert looks for it (ME138).

    Returns:
        The manifest, and the decisions without those to accept such findings.
    """
    by_video = _by_video(manifest.annotations)
    accepting: defaultdict[Hashable, list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.action == "accept":
            rows = rows_of(decision, by_video.get(decision.video, ()))
            places: list[Hashable] = [row.place() for row in rows] if decision.of_annotation else [elsewhere(decision)]
            for where in places:
                accepting[where].append(decision)
    annotations = {row.place(): row for row in manifest.annotations}
    findings: list[Finding] = []
    reasons: dict[str, str] = {}
    used: set[str] = set()
    for doubt in manifest.findings:
        place = Place(doubt.file, doubt.sheet, doubt.row)
        row = annotations.get(place)
        about = accepting.get(place) or accepting.get(elsewhere(doubt), [])
        changes = {each.id: changed_finding(each, doubt, row) for each in about if is_about(each, doubt, row)}
        reasons |= {name: reason for name, reason in changes.items() if reason is not None}
        accepted = [each for each in about if each.id in changes and changes[each.id] is None]
        if accepted:
            used |= {each.id for each in accepted}
            message = f"{doubt.message}{_ACCEPTED}{why(accepted[0])}"
            doubt = doubt.model_copy(update={"severity": "info", "message": message})
        findings.append(doubt)
    chosen: list[Decision] = []
    for decision in decisions:
        if decision.action != "accept" or decision.code is None or decision.id in used:
            chosen.append(decision)
        elif decision.id in reasons:
            findings.append(not_applied(decision, reasons[decision.id]))
        else:
            row = next(iter(rows_of(decision, by_video.get(decision.video, ()))), None)
            reason = changed_cell(row, decision.cell)
            if reason is not None or all_codes()[decision.code].stage == "convert":  # others are for the viewer alone
                findings.append(not_applied(decision, reason or f"{decision.code} is not found", "ME138"))
    return replace(manifest, findings=findings), chosen
