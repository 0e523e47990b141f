"""``me-datasets check-split``: a split against its manifests, without features and images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from datasets_me.core.choices import LabelField
from datasets_me.core.errors import plural
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.formats.split import PARTS, Part, Split
from datasets_me.splits.items import Group, SplitItem, items

_NAMED = 5  # folds that a message lists


@dataclass(frozen=True)
class SplitContext:
    """A split and its manifests. ``folds`` maps fold and part to items.

    ``known`` are the items of the split that are in the manifests, ``strangers`` those that are not.
    """

    split: Split
    manifests: Sequence[Manifest]
    label: LabelField | None = None
    folds: dict[str, dict[Part, list[SplitItem]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        known: dict[tuple[str, str, str, str | None], SplitItem] = {}
        for row in self.split.rows:
            key = (row.dataset, row.subject, row.video, row.annotation)
            item = known[key] if key in known else known.setdefault(key, SplitItem(*key))
            self.folds.setdefault(row.fold, {}).setdefault(row.part, []).append(item)

    @cached_property
    def annotations(self) -> dict[SplitItem, list[Annotation]]:
        """The expressions of each item of the manifests: a single one, or all those of a video."""
        annotations: dict[SplitItem, list[Annotation]] = {item: [] for item in items(self.manifests, "video")[0]}
        for row in (row for manifest in self.manifests for row in manifest.annotations):
            annotations[SplitItem(row.dataset, row.subject, row.video, row.id)] = [row]
            annotations.setdefault(SplitItem(row.dataset, row.subject, row.video), []).append(row)
        return annotations

    @cached_property
    def items(self) -> list[SplitItem]:
        """The items of the split, each once, in order."""
        return list(dict.fromkeys(item for parts in self.folds.values() for part in parts.values() for item in part))

    @cached_property
    def known(self) -> list[SplitItem]:
        """The items of the split that are in the manifests."""
        return [item for item in self.items if item in self.annotations]

    @cached_property
    def strangers(self) -> list[SplitItem]:
        """The items of the split that are in no manifest."""
        return [item for item in self.items if item not in self.annotations]

    @cached_property
    def sides(self) -> dict[SplitItem, dict[str, frozenset[Part]]]:
        """For each item and fold the parts it is in."""
        parts_of: dict[SplitItem, dict[str, frozenset[Part]]] = {}
        alone: dict[Part, frozenset[Part]] = {part: frozenset({part}) for part in PARTS}
        for fold, parts in self.folds.items():
            for part, members in parts.items():
                for item in members:
                    sides = parts_of.setdefault(item, {})
                    sides[fold] = sides[fold] | {part} if fold in sides else alone[part]
        return parts_of

    def apart(self, first: SplitItem, second: SplitItem) -> tuple[list[str], str]:
        """The folds in which two items are in different parts, and the parts in words."""
        folds: list[str] = []
        where = ""
        for fold, firsts in self.sides[first].items():
            seconds = self.sides[second].get(fold, frozenset())
            if seconds and len(firsts | seconds) > 1:
                if not folds:
                    part = min(firsts, key=PARTS.index)
                    other = max(seconds - {part} or seconds, key=PARTS.index)
                    where = f"in {part} and {other} of {in_folds([fold])}"
                folds.append(fold)
        return folds, where if len(folds) < 2 else where + _and_more(folds)


def check(context: SplitContext) -> Iterator[Finding]:
    """Findings about what is wrong or doubtful in a split."""
    yield from _strangers(context)
    yield from _twice(context)
    yield from _subjects(context)
    yield from _frames(context)
    yield from _classes(context)
    yield from _empty(context)
    yield from _nowhere(context)


def in_folds(folds: Sequence[str]) -> str:
    """``fold a``, or the first of several folds and the number of the others."""
    return f"fold {folds[0]}" + _and_more(folds)


def _and_more(folds: Sequence[str]) -> str:
    return "" if len(folds) < 2 else f" (and of {plural(len(folds) - 1, 'more fold')})"


def _strangers(context: SplitContext) -> Iterator[Finding]:
    datasets = {manifest.spec.id for manifest in context.manifests}
    missing = Counter(item.dataset for item in context.strangers if item.dataset not in datasets)
    for dataset, count in sorted(missing.items()):
        message = f"{plural(count, 'item')} of {dataset}, whose manifest is not given"
        yield finding("ME522", message, expected=", ".join(sorted(datasets)), found=dataset)
    for item in context.strangers:
        if item.dataset in datasets:
            message = f"{item.name} of {item.subject} is not in the manifest of {item.dataset}"
            yield finding("ME522", message, subject=item.subject, video=item.video)


def _twice(context: SplitContext) -> Iterator[Finding]:
    places: dict[tuple[SplitItem, Part], list[str]] = {}
    for fold, parts in context.folds.items():
        for part, members in parts.items():
            if len(set(map(id, members))) < len(members):  # equal items are one object
                for item in (item for item, times in Counter(members).items() if times > 1):
                    places.setdefault((item, part), []).append(fold)
    for (item, part), folds in places.items():
        message = f"{item.name} occurs more than once in {part} of {in_folds(folds)}"
        yield finding("ME534", message, subject=item.subject, video=item.video)


def _subjects(context: SplitContext) -> Iterator[Finding]:
    torn: dict[Group, list[tuple[str, list[Part]]]] = {}
    sides: dict[str, dict[Group, set[Part]]] = {}
    for fold, parts in context.folds.items():
        of_group = sides.setdefault(fold, {})
        for part, members in parts.items():
            for item in members:
                of_group.setdefault(item.group, set()).add(part)
        for group, its_parts in of_group.items():
            if len(its_parts) > 1:
                torn.setdefault(group, []).append((fold, sorted(its_parts, key=PARTS.index)))
    for (_, subject), places in torn.items():
        both = " and ".join(places[0][1])
        message = f"{subject} is in {both} of {in_folds([fold for fold, _ in places])}"
        yield finding("ME523", message, subject=subject)
    yield from shared_names(sides)


def shared_names(sides: Mapping[str, Mapping[Group, Set[Part]]]) -> Iterator[Finding]:
    """Findings about subjects of the same name in two datasets that are in different parts of a fold.

    Args:
        sides: for each fold and subject the parts it is in.
    """
    shared: dict[tuple[str, str, str], list[str]] = {}
    for fold, of_group in sides.items():
        by_name: dict[str, list[Group]] = {}
        for group in of_group:
            by_name.setdefault(group[1], []).append(group)
        for name, groups in by_name.items():
            for one, other in combinations(sorted(groups), 2):
                if of_group[one] != of_group[other]:
                    shared.setdefault((name, one[0], other[0]), []).append(fold)
    for (subject, first, second), folds in shared.items():
        message = f"{subject} is a subject of {first} and of {second}, in different parts of {in_folds(folds)}"
        yield finding("ME532", message, subject=subject)


def _frames(context: SplitContext) -> Iterator[Finding]:
    by_video: dict[tuple[str, str], list[tuple[float, float, SplitItem]]] = {}
    for item in context.known:
        span = _span(item, context.annotations[item])
        if span is not None:
            by_video.setdefault((item.dataset, item.video), []).append((*span, item))
        if any(len(parts) > 1 for parts in context.sides[item].values()):
            folds = [fold for fold, parts in context.sides[item].items() if len(parts) > 1]
            sides = " and ".join(sorted(context.sides[item][folds[0]], key=PARTS.index))
            message = f"{item.name} is in {sides} of {in_folds(folds)}"
            yield finding("ME524", message, subject=item.subject, video=item.video)
    for spans in by_video.values():
        for first, second in _overlapping(spans):
            folds, where = context.apart(first[2], second[2])
            if folds:
                message = f"{_named(*first)} and {_named(*second)} share frames, {where}"
                yield finding("ME524", message, subject=first[2].subject, video=first[2].video)


def _span(item: SplitItem, annotations: list[Annotation]) -> tuple[float, float] | None:
    if item.annotation is None:
        return 0, float("inf")
    known = [frame for frame in (annotations[0].onset, annotations[0].apex, annotations[0].offset) if frame is not None]
    return (min(known), max(known)) if known else None


def _overlapping(
    spans: list[tuple[float, float, SplitItem]],
) -> Iterator[tuple[tuple[float, float, SplitItem], tuple[float, float, SplitItem]]]:
    ordered = sorted(spans, key=lambda span: (span[0], span[1], span[2].name))
    for index, first in enumerate(ordered):
        for second in ordered[index + 1 :]:
            if second[0] > first[1]:
                break
            yield first, second


def _named(first: float, last: float, item: SplitItem) -> str:
    return f"{item.name} ({first:.0f} to {last:.0f})" if last < float("inf") else item.name


def _classes(context: SplitContext) -> Iterator[Finding]:
    label: LabelField = context.label or _label_of(context.split)
    everything = _labels_of(context, context.known, label)
    untested: dict[str, list[str]] = {}
    for fold, parts in context.folds.items():
        trained = _labels_of(context, parts.get("train", []), label)
        tested = _labels_of(context, parts.get("test", []), label)
        if not trained or not tested:
            continue
        for name in sorted(tested - trained):
            yield finding("ME528", f"fold {fold} tests '{name}', but does not train on it", expected=name)
        for name in everything - tested:
            untested.setdefault(name, []).append(fold)
    for name, folds in sorted(untested.items()):
        named = ", ".join(folds[:_NAMED]) + (", …" if len(folds) > _NAMED else "")
        message = f"'{name}' is not tested in {plural(len(folds), 'fold')} of {len(context.folds)}: {named}"
        yield finding("ME529", message, expected=name)


def _label_of(split: Split) -> LabelField:
    """The column of classes: the one the split was stratified by, otherwise the protocol's."""
    if split.options.get("stratify"):
        label: LabelField = split.options["stratify"]
        return label
    if split.protocol == "megc2019":
        return "class_3"
    return "emotion" if split.unit == "expression" else "type"


def _labels_of(context: SplitContext, members: Sequence[SplitItem], label: LabelField) -> set[str]:
    values = (getattr(row, label) for item in members for row in context.annotations.get(item, ()))
    return {value for value in values if value is not None}


def _empty(context: SplitContext) -> Iterator[Finding]:
    if not context.folds:
        yield finding("ME530", "the split has no folds")
    validated = any("validation" in parts for parts in context.folds.values())
    needed: tuple[Part, ...] = PARTS if validated else ("train", "test")
    for fold, parts in context.folds.items():
        for part in needed:
            if part not in parts:
                yield finding("ME530", f"fold {fold} has no {part} part", expected=part)


def _nowhere(context: SplitContext) -> Iterator[Finding]:
    unit = context.split.unit
    present = set(context.items)
    wanted = [item for item in context.annotations if (item.annotation is not None) == (unit == "expression")]
    total = Counter(item.group for item in wanted)
    lost = Counter(item.group for item in wanted if item not in present)
    for group, count in sorted(lost.items()):
        message = f"{count} of {plural(total[group], unit)} of {group[1]} are in no fold"
        yield finding("ME531", message, subject=group[1])
