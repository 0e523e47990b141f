"""Decisions applied: they become corrections, relocations and exclusions of the schema, and so take part in everything.

`decide` applies them to a manifest that was converted before; :mod:`make_manifest` to an annotation file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from datasets_me.convert.normalise import Normaliser
from datasets_me.convert.sheets import Sheet
from datasets_me.convert.variants import AnnotationTable
from datasets_me.core.errors import Place, plural
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import manifest as manifests
from datasets_me.formats.decisions import Decision, Decisions, changed_ground, column_of, not_applied, rows_of, standing
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, Video
from datasets_me.schema.additions import with_additions
from datasets_me.schema.schema_files import Schema
from datasets_me.schema.spec import Correction, LeftOut, Relocation


def why(decision: Decision) -> str:
    """The reason that a schema gives for what was decided."""
    name = f"decision {decision.id}"
    return f"{decision.note} ({name})" if decision.note else name


def with_decisions(schema: Schema, decisions: Sequence[Decision]) -> Schema:
    """The schema with what was decided: corrections, relocations and exclusions. Other decisions change nothing.

    Raises:
        SchemaError: a decision does not fit the schema.
    """
    return with_additions(
        schema,
        [_correction(decision) for decision in decisions if decision.action == "correct"],
        [_relocation(decision) for decision in decisions if decision.action == "relocate"],
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
    be videos that the manifest does not know yet; `unused` tells afterwards.
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
    return chosen, [*findings, *_carried_over(manifest, chosen)]


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

    Decisions that the manifest was converted with are not applied again. Its findings stay as they are, with those
    about the decisions added; folders are not looked at again, so that relocations are not applied.

    Raises:
        SchemaError: a decision does not fit the schema.
    """
    before = set(manifest.options.get("decisions", ()))
    chosen, findings = holding(manifest, decisions, before)
    findings += _no_longer_standing(before, decisions)
    findings += [not_applied(each, _BY_CONVERT) for each in chosen if each.action == "relocate"]
    chosen = [each for each in chosen if each.action in ("correct", "exclude")]
    kept = [each for each in manifest.findings if each.code not in ("ME132", "ME133")]
    decided = replace(
        manifest,
        schema=with_decisions(manifest.schema, chosen),
        options={**manifest.options, "decisions": sorted({*before, *(each.id for each in chosen)})},
    )
    entries = _entries(manifest.annotations, chosen)
    annotations, more = _corrected(decided, chosen, entries)
    videos = {each.video: _left_out(each) for each in chosen if each.action == "exclude" and each.row is None}
    left_out = [manifests.left_out(entries[row.id], row.place()) for row in manifest.annotations if row.id in entries]
    left_out += [
        manifests.left_out(videos[row.video], path=row.path)
        for row in manifest.videos
        if row.video in videos and row.path is not None
    ]
    return replace(
        decided,
        annotations=annotations,
        videos=_recounted(
            [row for row in manifest.videos if row.video not in videos],
            [row for row in manifest.annotations if row.id in entries],
        ),
        findings=[*kept, *findings, *more, *left_out],
    )


_BY_CONVERT = "folders are looked for by me-datasets convert --decisions only"


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


def _corrected(
    manifest: Manifest, decisions: Sequence[Decision], left_out: Collection[str]
) -> tuple[list[Annotation], list[Finding]]:
    """The annotations that are not left out, with corrections applied, and what reading the new cells finds."""
    variant = next(each for each in manifest.spec.workbook.variants if each.id == manifest.variant)
    by_video = _by_video(manifest.annotations)
    by_row: defaultdict[str, list[Correction]] = defaultdict(list)
    for decision in decisions:
        if decision.action == "correct":
            for row in rows_of(decision, by_video.get(decision.video, ())):
                by_row[row.id].append(_correction(decision))
    annotations, findings = [], []
    for row in (row for row in manifest.annotations if row.id not in left_out):
        if row.id not in by_row:
            annotations.append(row)
            continue
        letters = {name: cell.rstrip("0123456789") for name, cell in row.source_cells.items()}
        table = AnnotationTable(variant, Sheet(row.source_sheet or "", 1, []), [], letters, {})
        normaliser = Normaliser(manifest.spec, table)
        reread = normaliser.reread(row, by_row[row.id])
        if reread is not None:
            annotations.append(reread)
        findings += normaliser.findings
    return annotations, findings


def _entries(rows: Sequence[Annotation], decisions: Sequence[Decision]) -> dict[str, LeftOut]:
    """The entry by which each excluded annotation is left out, by its id."""
    by_video = _by_video(rows)
    left_out: dict[str, LeftOut] = {}
    for decision in decisions:
        if decision.action == "exclude":
            of_video = by_video.get(decision.video, [])
            meant = of_video if decision.row is None else rows_of(decision, of_video)
            left_out |= {row.id: _left_out(decision) for row in meant}
    return left_out


def _recounted(videos: list[Video], lost: Sequence[Annotation]) -> list[Video]:
    """The rows of videos with the annotations that they still have."""
    by_video = _by_video(lost)

    def count(video: Video) -> int:
        shown = [row for row in by_video[video.video] if video.expression in (None, row.expression)]
        return max(0, video.annotations - len(shown))

    return [
        video.model_copy(update={"annotations": count(video)}) if video.video in by_video else video for video in videos
    ]


def unused(manifest: Manifest, decisions: Sequence[Decision]) -> Iterator[Finding]:
    """Findings about decisions to relocate a folder, or to leave out a whole video, that is not there."""
    paths = [f"/{video.path}/".casefold() for video in manifest.videos if video.relocated]
    left_out = {doubt.video for doubt in manifest.findings if doubt.code == "ME134"}
    for decision in decisions:
        if decision.action == "relocate" and not any(f"/{decision.found}".casefold() in path for path in paths):
            yield not_applied(decision, f"there is no folder {decision.found} in the layout '{decision.layout}'")
        elif decision.action == "exclude" and decision.row is None and decision.video not in left_out:
            yield not_applied(decision, f"there is no video {decision.video}")


def with_accepted(manifest: Manifest, decisions: Sequence[Decision]) -> Manifest:
    """The manifest whose accepted findings are no more than information, and say that they were accepted.

    A finding that finds something else now than when it was accepted stays as it is, and that is a finding, too.
    """
    by_video = _by_video(manifest.annotations)
    accepting: defaultdict[Hashable, list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.action == "accept":
            rows = rows_of(decision, by_video.get(decision.video, ())) if decision.row is not None else []
            elsewhere = _elsewhere(decision.path, decision.video, decision.row, decision.message)
            places: list[Hashable] = [row.place() for row in rows] or [elsewhere]
            for where in places:
                accepting[where].append(decision)
    annotations = {row.place(): row for row in manifest.annotations}
    findings: list[Finding] = []
    others: dict[str, Finding] = {}
    used: set[str] = set()
    for doubt in manifest.findings:
        place = Place(doubt.file, doubt.sheet, doubt.row)
        about = accepting.get(place) or accepting.get(_elsewhere(doubt.path, doubt.video, doubt.row, doubt.message), [])
        cell = (doubt.code, column_of(annotations.get(place), doubt))
        about = [each for each in about if each.code is None or (each.code, each.column) == cell]
        accepted = next((each for each in about if each.code is None or each.old == doubt.found), None)
        if accepted is None:
            others |= {each.id: doubt for each in about}
        else:
            used.add(accepted.id)
            message = f"{doubt.message}; accepted: {why(accepted)}"
            doubt = doubt.model_copy(update={"severity": "info", "message": message})
        findings.append(doubt)
    for decision in decisions:
        if decision.id in others.keys() - used:
            found, before = others[decision.id].found, decision.old
            findings.append(not_applied(decision, f"{decision.code} finds '{found}' now, and found '{before}'"))
    return replace(manifest, findings=findings)


def _elsewhere(path: str | None, video: str | None, row: int | None, message: str | None) -> Hashable:
    """The place of a finding about no annotation: a folder, a video or a row; its message where it has none."""
    return path or ((video, row) if video or row else message)
