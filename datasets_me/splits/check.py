"""``me-datasets check-split``: what a split says, against the manifests; without a look at features or images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from datasets_me.core.errors import plural
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.formats.split import PARTS, LabelField, Part, Split
from datasets_me.splits.items import Group, Item, items

_NAMED = 5  # classes or folds that a message lists


@dataclass(frozen=True)
class Context:
    """A split beside the manifests it is of. ``folds`` maps fold and part to items; ``annotations`` an item to its own.

    ``known`` are the items of the split that the manifests have, ``strangers`` those they have not.
    """

    split: Split
    manifests: Sequence[Manifest]
    label: LabelField | None = None
    folds: dict[str, dict[Part, list[Item]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        made: dict[tuple[str, str, str, str | None], Item] = {}
        for row in self.split.rows:
            key = (row.dataset, row.subject, row.video, row.annotation)
            item = made[key] if key in made else made.setdefault(key, Item(*key))
            self.folds.setdefault(row.fold, {}).setdefault(row.part, []).append(item)

    @cached_property
    def annotations(self) -> dict[Item, list[Annotation]]:
        """The expressions of every item of the manifests: one, or those of the whole video."""
        found: dict[Item, list[Annotation]] = {item: [] for item in items(self.manifests, "video")[0]}
        for row in (row for manifest in self.manifests for row in manifest.annotations):
            found[Item(row.dataset, row.subject, row.video, row.id)] = [row]
            found.setdefault(Item(row.dataset, row.subject, row.video), []).append(row)
        return found

    @cached_property
    def items(self) -> list[Item]:
        """Every item of the split, once, in order."""
        return list(dict.fromkeys(item for parts in self.folds.values() for part in parts.values() for item in part))

    @cached_property
    def known(self) -> list[Item]:
        return [item for item in self.items if item in self.annotations]

    @cached_property
    def strangers(self) -> list[Item]:
        return [item for item in self.items if item not in self.annotations]

    @cached_property
    def sides(self) -> dict[Item, dict[str, frozenset[Part]]]:
        """Item -> fold -> the parts it is in."""
        found: dict[Item, dict[str, frozenset[Part]]] = {}
        alone: dict[Part, frozenset[Part]] = {part: frozenset({part}) for part in PARTS}
        for fold, parts in self.folds.items():
            for part, members in parts.items():
                for item in members:
                    sides = found.setdefault(item, {})
                    sides[fold] = sides[fold] | {part} if fold in sides else alone[part]
        return found

    def apart(self, first: Item, second: Item) -> tuple[list[str], str]:
        """The folds in which two items are in different parts, and of the first fold the two parts, in words."""
        folds: list[str] = []
        said = ""
        for fold, mine in self.sides[first].items():
            theirs = self.sides[second].get(fold, frozenset())
            if theirs and len(mine | theirs) > 1:
                if not folds:
                    one = min(mine, key=PARTS.index)
                    other = max(theirs - {one} or theirs, key=PARTS.index)
                    said = f"in {one} and {other} of {in_folds([fold])}"
                folds.append(fold)
        return folds, said if len(folds) < 2 else said + _and_more(folds)


def check(context: Context) -> Iterator[Finding]:
    """What a split says that cannot be, or should not be."""
    yield from _strangers(context)
    yield from _twice(context)
    yield from _subjects(context)
    yield from _frames(context)
    yield from _classes(context)
    yield from _empty(context)
    yield from _nowhere(context)


def in_folds(folds: Sequence[str]) -> str:
    """``fold a``, or the first of several and how many others there are."""
    return f"fold {folds[0]}" + _and_more(folds)


def _and_more(folds: Sequence[str]) -> str:
    return "" if len(folds) < 2 else f" (and of {plural(len(folds) - 1, 'more fold')})"


def _strangers(context: Context) -> Iterator[Finding]:
    datasets = {manifest.spec.id for manifest in context.manifests}
    missing = Counter(item.dataset for item in context.strangers if item.dataset not in datasets)
    for dataset, count in sorted(missing.items()):
        message = f"{plural(count, 'item')} of {dataset}, of which no manifest is given"
        yield finding("ME522", message, expected=", ".join(sorted(datasets)), found=dataset)
    for item in context.strangers:
        if item.dataset in datasets:
            message = f"{item.name} of {item.subject} is not in the manifest of {item.dataset}"
            yield finding("ME522", message, subject=item.subject, video=item.video)


def _twice(context: Context) -> Iterator[Finding]:
    places: dict[tuple[Item, Part], list[str]] = {}
    for fold, parts in context.folds.items():
        for part, members in parts.items():
            if len(set(map(id, members))) < len(members):  # equal items are one object
                for item in (item for item, times in Counter(members).items() if times > 1):
                    places.setdefault((item, part), []).append(fold)
    for (item, part), folds in places.items():
        message = f"{item.name} stands more than once in {part} of {in_folds(folds)}"
        yield finding("ME534", message, subject=item.subject, video=item.video)


def _subjects(context: Context) -> Iterator[Finding]:
    torn: dict[Group, list[tuple[str, list[Part]]]] = {}
    sides: dict[str, dict[Group, set[Part]]] = {}
    for fold, parts in context.folds.items():
        of_group = sides.setdefault(fold, {})
        for part, members in parts.items():
            for item in members:
                of_group.setdefault(item.group, set()).add(part)
        for group, found in of_group.items():
            if len(found) > 1:
                torn.setdefault(group, []).append((fold, sorted(found, key=PARTS.index)))
    for (_, subject), places in torn.items():
        both = " and ".join(places[0][1])
        message = f"{subject} is in {both} of {in_folds([fold for fold, _ in places])}"
        yield finding("ME523", message, subject=subject)
    yield from shared_names(sides)


def shared_names(sides: Mapping[str, Mapping[Group, Set[Part]]]) -> Iterator[Finding]:
    """Subjects of one name in two datasets that a fold has in different parts; ``sides`` maps fold and subject to the
    parts it is in."""
    shared: dict[tuple[str, str, str], list[str]] = {}
    for fold, of_group in sides.items():
        by_name: dict[str, list[Group]] = {}
        for group in of_group:
            by_name.setdefault(group[1], []).append(group)
        for name, groups in by_name.items():
            for first, second in combinations(sorted(groups), 2):
                if of_group[first] != of_group[second]:
                    shared.setdefault((name, first[0], second[0]), []).append(fold)
    for (subject, one, other), folds in shared.items():
        message = f"{subject} is a subject of {one} and of {other}, which are in different parts of {in_folds(folds)}"
        yield finding("ME532", message, subject=subject)


def _frames(context: Context) -> Iterator[Finding]:
    by_video: dict[tuple[str, str], list[tuple[float, float, Item]]] = {}
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
            folds, said = context.apart(first[2], second[2])
            if folds:
                message = f"{_named(*first)} and {_named(*second)} share frames, {said}"
                yield finding("ME524", message, subject=first[2].subject, video=first[2].video)


def _span(item: Item, annotations: list[Annotation]) -> tuple[float, float] | None:
    if item.annotation is None:
        return 0, float("inf")
    known = [frame for frame in (annotations[0].onset, annotations[0].apex, annotations[0].offset) if frame is not None]
    return (min(known), max(known)) if known else None


def _overlapping(
    spans: list[tuple[float, float, Item]],
) -> Iterator[tuple[tuple[float, float, Item], tuple[float, float, Item]]]:
    ordered = sorted(spans, key=lambda span: (span[0], span[1], span[2].name))
    for index, first in enumerate(ordered):
        for second in ordered[index + 1 :]:
            if second[0] > first[1]:
                break
            yield first, second


def _named(first: float, last: float, item: Item) -> str:
    return f"{item.name} ({first:.0f} to {last:.0f})" if last < float("inf") else item.name


def _classes(context: Context) -> Iterator[Finding]:
    label: LabelField = context.label or _label_of(context.split)
    everything = _labels_of(context, context.known, label)
    untested: dict[str, list[str]] = {}
    for fold, parts in context.folds.items():
        trained = _labels_of(context, parts.get("train", []), label)
        tested = _labels_of(context, parts.get("test", []), label)
        if not trained or not tested:
            continue
        for name in sorted(tested - trained):
            yield finding("ME528", f"fold {fold} tests '{name}', and trains none", expected=name)
        for name in everything - tested:
            untested.setdefault(name, []).append(fold)
    for name, folds in sorted(untested.items()):
        named = ", ".join(folds[:_NAMED]) + (", …" if len(folds) > _NAMED else "")
        message = f"'{name}' is not tested in {plural(len(folds), 'fold')} of {len(context.folds)}: {named}"
        yield finding("ME529", message, expected=name)


def _label_of(split: Split) -> LabelField:
    """The classes a split is about: what it was stratified by, else the protocol's own."""
    if split.options.get("stratify"):
        label: LabelField = split.options["stratify"]
        return label
    if split.protocol == "megc2019":
        return "class_3"
    return "emotion" if split.unit == "expression" else "type"


def _labels_of(context: Context, members: Sequence[Item], label: LabelField) -> set[str]:
    values = (getattr(row, label) for item in members for row in context.annotations.get(item, ()))
    return {value for value in values if value is not None}


def _empty(context: Context) -> Iterator[Finding]:
    if not context.folds:
        yield finding("ME530", "the split has no fold at all")
    validated = any("validation" in parts for parts in context.folds.values())
    needed: tuple[Part, ...] = PARTS if validated else ("train", "test")
    for fold, parts in context.folds.items():
        for part in needed:
            if part not in parts:
                yield finding("ME530", f"fold {fold} has no {part} part", expected=part)


def _nowhere(context: Context) -> Iterator[Finding]:
    unit = context.split.unit
    there = set(context.items)
    wanted = [item for item in context.annotations if (item.annotation is not None) == (unit == "expression")]
    total = Counter(item.group for item in wanted)
    lost = Counter(item.group for item in wanted if item not in there)
    for group, count in sorted(lost.items()):
        message = f"{count} of {plural(total[group], unit)} of {group[1]} are in no fold"
        yield finding("ME531", message, subject=group[1])
