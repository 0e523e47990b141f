"""What of a set is exported, under which label and in which split, and what is left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datasets_me.core.choices import KeepOne
from datasets_me.core.errors import ImagesError
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.image_records import ExportRow, ImageRow, LeftOut
from datasets_me.formats.image_set import ImageSet
from datasets_me.images import decisions as deciding
from datasets_me.images.decisions import Decision
from datasets_me.images.export.copies import clusters_of, kept_of
from datasets_me.images.export.exclude import excluded_by, selected
from datasets_me.images.export.splits import assign, shares, units
from datasets_me.schema.images import SPLITS, Split

OWN = "own"


@dataclass(frozen=True)
class Plan:
    """Rows in order of the set; classes in order of the alphabet; what was left out, in order of the set; findings."""

    rows: list[ExportRow]
    classes: tuple[str, ...]
    removed: list[LeftOut]
    findings: list[Finding]

    @property
    def left_out(self) -> dict[str, int]:
        """How many images were left out, by reason."""
        return dict(Counter(each.reason for each in self.removed))


@dataclass
class _Draft:
    """A plan while it is made."""

    rows: list[ExportRow] = field(default_factory=list)
    removed: list[tuple[int, LeftOut]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    shown: set[Split] = field(default_factory=set)

    def leave_out(self, row: ExportRow | ImageRow, number: int, reason: str, why: Finding) -> None:
        self.removed.append((number, LeftOut(id=row.id, path=row.path, reason=reason)))
        self.findings.append(why)


def plan(
    images: ImageSet,
    *,
    split: str = OWN,
    seed: int = 0,
    decisions: Path | None = None,
    exclude: Sequence[str] = (),
    keep_one: KeepOne | None = None,
) -> Plan:
    """What to export.

    Decisions are applied first, then ``exclude``, then ``keep_one``. With ``split="own"`` images keep the set's split;
    of near-duplicates in several splits only those in the last of train, validation, test stay, so that a test stays
    what it was. With shares (``"0.8,0.1,0.1"``) the set is split anew by subject and by cluster of near-duplicates,
    stratified by label.

    Args:
        images: the set.
        split: ``own``, or shares.
        seed: decides a split by shares.
        decisions: the file of decisions; that in the set's folder by default.
        exclude: codes of findings; images with one of them are left out, of copies all but one.
        keep_one: of near-duplicates, the one that stays; with own splits one in the last of them.

    Findings: ME727 an image is left out, ME728 it would straddle a split, ME729 a decision fits no image any more,
    ME730 nobody has looked for duplicates, ME731 a part lacks a class, ME736 a decision gives a label the set lacks,
    ME739 a part is empty, ME741 nobody knows the subjects of a new split.

    Raises:
        MeDatasetsError: a table is damaged or missing, ``split`` is no way to split, a code selects nothing, or the
            decisions given are not there.
    """
    if decisions is not None and not decisions.is_file():
        raise ImagesError(
            "there is no such file of decisions",
            where=str(decisions),
            fix="look at the path; without --decisions, those in the set's folder are applied",
        )
    wanted = None if split == OWN else shares(split)
    draft = _Draft()
    clusters = clusters_of(images)
    if clusters is None:
        message = "there is no duplicates.parquet; near-duplicates may be in several splits"
        draft.findings.append(finding("ME730", message))
    _decide(images, deciding.read(images, decisions), clusters or {}, draft)
    _exclude(images, draft, selected(exclude), keep_one)
    rules = _keep_split(draft) if wanted is None else _split_anew(draft, wanted, seed)
    draft.findings += [
        finding("ME739", f"{part} is empty, and {rules[part]}", expected=part)
        for part in SPLITS
        if part in rules and all(row.split != part for row in draft.rows)
    ]
    classes = tuple(sorted({row.label for row in draft.rows}))
    draft.findings += _lacking(draft.rows, classes)
    removed = [each for _, each in sorted(draft.removed, key=lambda pair: pair[0])]
    return Plan(draft.rows, classes, removed, draft.findings)


def _decide(images: ImageSet, verdicts: Mapping[str, Decision], clusters: Mapping[str, int], draft: _Draft) -> None:
    """Apply decisions: each image becomes a row, or is left out."""
    known: set[str] = set()
    for number, row in enumerate(images.rows(pixels=False)):
        known.add(row.id)
        if row.split is not None:
            draft.shown.add(row.split)
        decision, doubt = _applied(images, row, verdicts.get(row.id))
        draft.findings += doubt
        label = decision.label if decision is not None and decision.decision == "relabel" else row.label
        reason = _reason(row, decision, label)
        if reason is not None or label is None:
            draft.leave_out(row, number, str(reason), finding("ME727", f"left out: {reason}", path=row.id))
        else:
            draft.rows.append(export_row(number, row, label, decision, clusters.get(row.id)))
    for name in sorted(set(verdicts) - known):
        message = f"the decision ({verdicts[name].decision}) is about no image of the set"
        draft.findings.append(finding("ME729", message, path=name))


def _applied(images: ImageSet, row: ImageRow, decision: Decision | None) -> tuple[Decision | None, list[Finding]]:
    """The decision about an image, or None and why it is not applied."""
    if decision is None:
        return None, []
    if not deciding.holds(decision, row):
        message = f"the decision ({decision.decision}) is about another picture; it is not applied"
        return None, [finding("ME729", message, path=row.id)]
    if decision.decision == "relabel" and not deciding.may_label(images, decision):
        message = f"the decision gives the label {decision.label!r}, which the set does not have; it is not applied"
        return None, [finding("ME736", message, path=row.id, found=decision.label)]
    return decision, []


def _exclude(images: ImageSet, draft: _Draft, codes: Collection[str], keep_one: KeepOne | None) -> None:
    """Leave out what has one of the findings, and copies of what stays."""
    gone = excluded_by(images, codes)
    for row in draft.rows:
        if row.id in gone:
            reason = f"finding {gone[row.id]}"
            draft.leave_out(row, row.number, reason, finding("ME727", f"left out: {reason}", path=row.id))
    draft.rows = [row for row in draft.rows if row.id not in gone]
    kept = kept_of(images, draft.rows, codes, keep_one)
    for row in draft.rows:
        keeper = kept.get(row.id, row.id)
        if keeper != row.id:
            reason = f"a copy is kept ({keep_one or 'largest'})"
            draft.leave_out(
                row, row.number, reason, finding("ME727", f"left out: its copy {keeper} is kept", path=row.id)
            )
    draft.rows = [row for row in draft.rows if kept.get(row.id, row.id) == row.id]


def _keep_split(draft: _Draft) -> dict[Split, str]:
    """Leave out near-duplicates of images in later splits; returns the parts that should not be empty, and why."""
    draft.rows, straddling = _without_straddling(draft.rows)
    for row, kept in straddling:
        reason = f"a near-duplicate is in {kept}"
        left_out = finding("ME728", f"left out of {row.split}: {reason}", path=row.id, found=row.split, expected=kept)
        draft.leave_out(row, row.number, f"{reason} already", left_out)
    return dict.fromkeys(draft.shown, "the set has images in it")


def _split_anew(draft: _Draft, wanted: Sequence[float], seed: int) -> dict[Split, str]:
    """Give every row a part; returns the parts that should not be empty, and why."""
    rows = draft.rows
    if rows and all(row.subject is None for row in rows):
        message = "the set names no subjects; images of one person may be in several parts of the new split"
        draft.findings.append(finding("ME741", message))
    unit_of = units([_keys(row) for row in rows])
    parts = assign([row.label for row in rows], [row.id for row in rows], unit_of, wanted, seed) if rows else []
    draft.rows = [row.model_copy(update={"split": part}) for row, part in zip(rows, parts, strict=True)]
    largest = max(Counter(unit_of).values(), default=0)
    together = f"one group of images that stay together holds {largest:,} of {len(rows):,}"
    return {
        part: f"a share of {share:g} was asked for; {together}"
        for part, share in zip(SPLITS, wanted, strict=True)
        if share
    }


def _reason(row: ImageRow, decision: Decision | None, label: str | None) -> str | None:
    if decision is not None and decision.decision == "exclude":
        return "excluded by decision"
    if row.damage is not None:
        return "it cannot be decoded"
    return "it has no label" if label is None else None


def export_row(
    number: int, row: ImageRow, label: str, decision: Decision | None = None, cluster: int | None = None
) -> ExportRow:
    """The row of the table for an image that is exported with a label."""
    return ExportRow(
        number=number,
        id=row.id,
        dataset=row.dataset,
        path=row.path,
        format=row.format,
        sha256=row.sha256,
        split=row.split,
        label=label,
        label_was=row.label,
        decision=decision.decision if decision else None,
        subject=row.subject,
        cluster=cluster,
    )


def _keys(row: ExportRow) -> list[Hashable]:
    """What a row shares with those that stay in the same part."""
    named = (("subject", row.subject), ("cluster", row.cluster), ("sha256", row.sha256))
    return [(name, value) for name, value in named if value is not None]


def _without_straddling(rows: Sequence[ExportRow]) -> tuple[list[ExportRow], list[tuple[ExportRow, Split]]]:
    """The rows whose near-duplicates are in no later split; and the others, with that split."""
    unit_of = units([_keys(row.model_copy(update={"subject": None})) for row in rows])
    last: dict[int, Split] = {}
    for unit, row in zip(unit_of, rows, strict=True):
        if row.split is not None:
            last[unit] = max(last.get(unit, row.split), row.split, key=SPLITS.index)
    kept, gone = [], []
    for unit, row in zip(unit_of, rows, strict=True):
        if row.split is None or row.split == last[unit]:
            kept.append(row)
        else:
            gone.append((row, last[unit]))
    return kept, gone


def _lacking(rows: Sequence[ExportRow], classes: Sequence[str]) -> Iterator[Finding]:
    counts = Counter((row.split, row.label) for row in rows)
    for part in SPLITS:
        for name in classes if any(row.split == part for row in rows) else ():
            if not counts[part, name]:
                yield finding("ME731", f"{part} has no image of {name}", expected=name)
