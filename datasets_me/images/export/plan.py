"""What of a set is exported, under which label and in which split, and what is left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets_me.core.errors import ImagesError
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import image_tables
from datasets_me.formats.image_records import DuplicateRow, ExportRow, ImageRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images import decisions as decided
from datasets_me.images.decisions import Decision
from datasets_me.images.export.splits import assign, shares, units
from datasets_me.schema.images import SPLITS, Split

OWN = "own"


@dataclass(frozen=True)
class Plan:
    """Rows in order of the set; classes in order of the alphabet; how many images were left out, by reason."""

    rows: list[ExportRow]
    classes: tuple[str, ...]
    left_out: dict[str, int]
    findings: list[Finding]


def plan(images: ImageSet, *, split: str = OWN, seed: int = 0, decisions: Path | None = None) -> Plan:
    """What to export.

    Decisions are applied first. With ``split="own"`` images keep the set's split; of near-duplicates in several splits
    only those in the last of train, validation, test stay, so that a test stays what it was. With shares
    (``"0.8,0.1,0.1"``) the set is split anew by subject and by cluster of near-duplicates, stratified by label.

    Findings: ME727 an image is left out, ME728 it would straddle a split, ME729 a decision fits no image any more,
    ME730 nobody has looked for duplicates, ME731 a part lacks a class, ME736 a decision gives a label the set lacks,
    ME739 a part is empty.

    Raises:
        MeDatasetsError: a table is damaged, ``split`` is no way to split, or the decisions given are not there.
    """
    if decisions is not None and not decisions.is_file():
        raise ImagesError(
            "there is no such file of decisions",
            where=str(decisions),
            fix="look at the path; without --decisions, those in the set's folder are applied",
        )
    wanted = None if split == OWN else shares(split)
    made = decided.read(images, decisions)
    found: list[Finding] = []
    clusters = _clusters(images, found)
    left_out: Counter[str] = Counter()
    rows: list[ExportRow] = []
    known: set[str] = set()
    asked: dict[Split, str] = {}
    for number, row in enumerate(images.rows(pixels=False)):
        decision = made.get(row.id)
        known.add(row.id)
        if row.split is not None:
            asked[row.split] = "the set has images in it"
        if decision is not None and not decided.holds(decision, row):
            message = f"the decision ({decision.decision}) is about another picture; it is not applied"
            found.append(finding("ME729", message, path=row.id))
            decision = None
        if decision is not None and decision.decision == "relabel" and decision.label not in images.spec.labels:
            message = f"the decision gives the label {decision.label!r}, which the set does not have; it is not applied"
            found.append(finding("ME736", message, path=row.id, found=decision.label))
            decision = None
        label = decision.label if decision is not None and decision.decision == "relabel" else row.label
        reason = _reason(row, decision, label)
        if reason is not None:
            left_out[reason] += 1
            found.append(finding("ME727", f"left out: {reason}", path=row.id))
        elif label is not None:
            rows.append(_row(number, row, label, decision, clusters.get(row.id)))
    for name in sorted(set(made) - known):
        message = f"the decision ({made[name].decision}) is about no image of the set"
        found.append(finding("ME729", message, path=name))
    if wanted is None:
        rows, straddling = _without_straddling(rows)
        for gone, kept in straddling:
            reason = f"a near-duplicate is in {kept}"
            left_out[f"{reason} already"] += 1
            message = f"left out of {gone.split}: {reason}"
            found.append(finding("ME728", message, path=gone.id, found=gone.split, expected=kept))
    else:
        keys: list[list[Hashable]] = [_keys(row) for row in rows]
        labels, ids = [row.label for row in rows], [row.id for row in rows]
        of = units(keys)
        parts = assign(labels, ids, of, wanted, seed) if rows else []
        rows = [row.model_copy(update={"split": part}) for row, part in zip(rows, parts, strict=True)]
        largest = max(Counter(of).values(), default=0)
        together = f"one group of images that stay together holds {largest:,} of {len(rows):,}"
        asked = {
            part: f"a share of {share:g} was asked for; {together}"
            for part, share in zip(SPLITS, wanted, strict=True)
            if share
        }
    found += [
        finding("ME739", f"{part} is empty, and {asked[part]}", expected=part)
        for part in SPLITS
        if part in asked and all(row.split != part for row in rows)
    ]
    classes = tuple(sorted({row.label for row in rows}))
    found += _lacking(rows, classes)
    return Plan(rows, classes, dict(left_out), found)


def _clusters(images: ImageSet, found: list[Finding]) -> Mapping[str, int]:
    if not (images.folder / "duplicates.parquet").is_file():
        found.append(finding("ME730", "there is no duplicates.parquet; near-duplicates may be in several splits"))
        return {}
    return {
        row.id: row.cluster
        for row in image_tables.read_table(images, "duplicates", DuplicateRow)
        if row.cluster is not None and row.dataset == images.dataset
    }


def _reason(row: ImageRow, decision: Decision | None, label: str | None) -> str | None:
    if decision is not None and decision.decision == "exclude":
        return "excluded by decision"
    if row.damage is not None:
        return "it cannot be decoded"
    return "it has no label" if label is None else None


def _row(number: int, row: ImageRow, label: str, decision: Decision | None, cluster: int | None) -> ExportRow:
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
    keys: list[Hashable] = []
    if row.subject is not None:
        keys.append(("subject", row.subject))
    if row.cluster is not None:
        keys.append(("cluster", row.cluster))
    if row.sha256 is not None:
        keys.append(("sha256", row.sha256))
    return keys


def _without_straddling(rows: Sequence[ExportRow]) -> tuple[list[ExportRow], list[tuple[ExportRow, Split]]]:
    """The rows whose near-duplicates are in no later split; and the others, with that split."""
    of = units([[key for key in _keys(row) if key[0] != "subject"] for row in rows])  # type: ignore[index]
    last: dict[int, Split] = {}
    for unit, row in zip(of, rows, strict=True):
        if row.split is not None:
            last[unit] = max(last.get(unit, row.split), row.split, key=SPLITS.index)
    kept, gone = [], []
    for unit, row in zip(of, rows, strict=True):
        if row.split is None or row.split == last[unit]:
            kept.append(row)
        else:
            gone.append((row, last[unit]))
    return kept, gone


def _lacking(rows: Sequence[ExportRow], classes: Sequence[str]) -> list[Finding]:
    counts = Counter((row.split, row.label) for row in rows)
    return [
        finding("ME731", f"{part} has no image of {name}", expected=name)
        for part in SPLITS
        if any(row.split == part for row in rows)
        for name in classes
        if not counts[part, name]
    ]
