"""``me-datasets split``: folds from manifests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from datasets_me.core.choices import LabelField, Protocol, Unit
from datasets_me.core.errors import SplitError, plural
from datasets_me.core.files import checksum
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, SplitRow
from datasets_me.formats.split import Split, row_of
from datasets_me.schema.spec import Composite
from datasets_me.splits import protocols
from datasets_me.splits.check import shared_names
from datasets_me.splits.items import Group, SplitItem, items, labelled, of
from datasets_me.splits.only import listed
from datasets_me.splits.protocols import Fold

PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)

COMPOSITE = ("smic-hs", "casme2", "samm")
"""The databases of MEGC 2019 (See et al., FG 2019): 3 classes, leave-one-subject-out over all of them."""


@dataclass(frozen=True)
class SplitOptions:
    """How a split is made.

    Attributes:
        protocol: which subjects are trained on and which are tested.
        unit: expressions, for recognition, or whole videos, for spotting; None is the protocol's own: expressions for
            megc2019, else videos.
        folds: number of folds of ``kfold``.
        test: the fraction of the subjects that ``holdout`` tests.
        validation: the fraction of each fold's training subjects that is set aside; 0 for none.
        stratify: the column of classes to spread evenly; None to distribute subjects at random.
        seed: of every random choice.
        only: a published list of the expressions to distribute; see `datasets_me.splits.only`.
    """

    protocol: Protocol
    unit: Unit | None = None
    folds: int = 5
    test: float = 0.2
    validation: float = 0.0
    stratify: LabelField | None = None
    seed: int = 0
    only: Path | None = None


def make(manifests: Sequence[Manifest], options: SplitOptions) -> Split:
    """Distribute the items of manifests over folds. Subjects are never divided; the same input gives the same split.

    Raises:
        SplitError: the protocol cannot be followed with these manifests and options.
    """
    if options.protocol not in PROTOCOLS:
        raise SplitError(f"there is no protocol '{options.protocol}'", fix=f"choose one of {', '.join(PROTOCOLS)}")
    of_expressions = options.protocol == "megc2019" or options.only is not None
    unit: Unit = options.unit or ("expression" if of_expressions else "video")
    if options.only is not None and unit == "video":
        raise SplitError("a list names expressions, not whole videos", fix="leave out --unit, or --only")
    if options.protocol == "megc2019" and unit == "video":
        raise SplitError("MEGC 2019 is defined on expressions, not whole videos", fix="leave out --unit")
    members, findings = items(manifests, unit)
    if options.only is not None:
        named, more = listed(options.only, manifests)
        members = [item for item in members if item in named]
        findings += more
    elif options.protocol == "megc2019":
        members, more = _composite(manifests, members)
        findings += more
    if not members:
        raise SplitError("there is nothing to split: the manifests have no annotations", fix="look at their findings")
    folds = list(_folds(manifests, members, options))
    findings += shared_names(
        {fold.name: {group: {part} for part, groups in fold.parts for group in groups} for fold in folds}
    )
    by_group: dict[Group, list[SplitItem]] = {}
    for item in members:
        by_group.setdefault(item.group, []).append(item)
    return Split(
        protocol=options.protocol,
        unit=unit,
        rows=tuple(row for fold in folds for row in _rows(fold, by_group)),
        seed=options.seed,
        findings=tuple(findings),
        manifests=[{"dataset": manifest.spec.id, "sources": manifest.sources} for manifest in manifests],
        options=_used(options),
    )


def _folds(manifests: Sequence[Manifest], members: Sequence[SplitItem], options: SplitOptions) -> Iterator[Fold]:
    groups = list(dict.fromkeys(item.group for item in members))
    labels = None
    if options.stratify is not None:
        present = set(groups)
        rows = (row for manifest in manifests for row in manifest.annotations)
        labels = [pair for pair in labelled(rows, options.stratify) if pair[0] in present]
    match options.protocol:
        case "kfold":
            folds = protocols.kfold(groups, options.folds, options.seed, labels)
        case "holdout":
            folds = protocols.holdout(groups, options.test, options.seed, labels)
        case "cross-dataset":
            folds = protocols.cross_dataset(groups, [manifest.spec.id for manifest in manifests])
        case _:
            folds = protocols.loso(groups)
    for number, fold in enumerate(folds):
        if options.validation == 0:
            yield fold
        else:
            yield protocols.with_validation(fold, options.validation, options.seed + number, labels)


def _composite(manifests: Sequence[Manifest], members: Sequence[SplitItem]) -> tuple[list[SplitItem], list[Finding]]:
    """The expressions that the published composite uses, and findings about the others and about other counts."""
    findings = []
    datasets = [manifest.spec.id for manifest in manifests]
    if sorted(datasets) != sorted(COMPOSITE):
        message = f"MEGC 2019 consists of {', '.join(COMPOSITE)}; given: {', '.join(datasets)}"
        findings.append(finding("ME521", message, expected=", ".join(COMPOSITE), found=", ".join(datasets)))
    left_out = set()
    for manifest in manifests:
        composite = manifest.spec.composites.get("megc2019")
        for row in manifest.annotations:
            why = _why_not(row, composite)
            if why is not None:
                place = row.place("emotion")
                findings.append(finding("ME520", why, place=place, subject=row.subject, video=row.video))
                left_out.add(of(row))
        if composite is not None:
            used = [of(row) for row in manifest.annotations if of(row) not in left_out]
            findings += _counts_differ(manifest.spec.id, used, composite)
    return [item for item in members if item not in left_out], findings


def _why_not(row: Annotation, composite: Composite | None) -> str | None:
    """Why the composite does not use a row; by its class of three where nothing is published for the dataset."""
    if composite is not None:
        return composite.why_not(row.subject, row.expression, row.emotion)
    if row.class_3 is None:
        return "the emotion is unknown" if row.emotion is None else f"'{row.emotion}' is in none of the three classes"
    return None


def _counts_differ(dataset: str, used: Sequence[SplitItem], composite: Composite) -> Iterator[Finding]:
    subjects = len({item.subject for item in used})
    if (len(used), subjects) != (composite.samples, composite.subjects):
        expected = f"{composite.samples} samples of {plural(composite.subjects, 'subject')}"
        counted = f"{len(used)} samples of {plural(subjects, 'subject')}"
        message = f"{dataset} has {counted}; published are {expected}"
        yield finding("ME521", message, expected=expected, found=counted)


def _rows(fold: Fold, by_group: dict[Group, list[SplitItem]]) -> Iterator[SplitRow]:
    for part, groups in fold.parts:
        for group in groups:
            for item in by_group[group]:
                yield row_of(fold.name, part, item.dataset, item.subject, item.video, item.annotation)


def _used(options: SplitOptions) -> dict[str, Any]:
    """The options that apply to the protocol."""
    used: dict[str, Any] = {"validation": options.validation, "stratify": options.stratify}
    if options.protocol == "kfold":
        used["folds"] = options.folds
    if options.protocol == "holdout":
        used["test"] = options.test
    if options.only is not None:
        used["only"] = {"name": options.only.name, "sha256": checksum(options.only)}
    return used
