"""Which annotation a prediction is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from datasets_me.core.errors import MeDatasetsError, Place
from datasets_me.core.text import clean, fold, plain_number
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, SplitRow, Video
from datasets_me.scores.predictions import Predictions


def all_annotations(manifests: Sequence[Manifest]) -> list[Annotation]:
    """The annotations of several datasets, in order.

    Raises:
        MeDatasetsError: two manifests are of one dataset, or there are no annotations.
    """
    seen: set[str] = set()
    for made in manifests:
        if made.spec.id in seen:
            raise MeDatasetsError(
                f"two manifests are of {made.spec.id}",
                fix="give one manifest per dataset; annotations would count twice",
            )
        seen.add(made.spec.id)
    rows = [row for made in manifests for row in made.annotations]
    if not rows:
        raise MeDatasetsError("the manifest has no annotations")
    return rows


class Index:
    """Finds the annotations, or videos, that a prediction's columns name; built once per set of columns."""

    def __init__(self, rows: Sequence[Annotation | Video]) -> None:
        self._rows = rows
        self._tables: dict[tuple[Callable[[str], str], tuple[str, ...]], dict[tuple[str, ...], list[int]]] = {}

    def find(self, keys: Mapping[str, str]) -> list[int]:
        """Positions of those that agree with all of the columns; case, spaces, marks and padding are looked
        over only where none agrees to the letter, because ``1_1`` and ``11`` may both be names."""
        return self._look_up(keys, clean) or self._look_up(keys, _plain)

    def _look_up(self, keys: Mapping[str, str], form: Callable[[str], str]) -> list[int]:
        names = tuple(sorted(keys))
        if (form, names) not in self._tables:
            table: dict[tuple[str, ...], list[int]] = defaultdict(list)
            for position, row in enumerate(self._rows):
                table[tuple(form(_value(row, name)) for name in names)].append(position)
            self._tables[form, names] = table
        return self._tables[form, names].get(tuple(form(keys[name]) for name in names), [])


class OfSplit:
    """Which annotations and videos a split tests, in any of its folds; the others are not scored."""

    def __init__(self, rows: Iterable[SplitRow]) -> None:
        tested = [row for row in rows if row.part == "test"]
        if not tested:
            raise MeDatasetsError("the split has no test part", fix="make one with me-datasets split")
        self._videos = {(row.dataset, row.video) for row in tested}
        self._whole = {(row.dataset, row.video) for row in tested if row.annotation is None}
        self._ids = {(row.dataset, row.annotation) for row in tested}

    def annotation(self, row: Annotation) -> bool:
        """Whether an annotation is tested."""
        return (row.dataset, row.id) in self._ids or (row.dataset, row.video) in self._whole

    def video(self, row: Annotation | Video) -> bool:
        """Whether any part of a video is tested."""
        return (row.dataset, row.video) in self._videos


def assign(
    files: Iterable[Predictions], rows: Sequence[Annotation]
) -> tuple[dict[int, tuple[Predictions, int]], list[Finding]]:
    """The prediction of each annotation, by its position in ``rows``; of several, the first.

    Findings: ME540 fits none, ME541 fits several, ME542 a second one for the same annotation.
    """
    index, found = Index(rows), list[Finding]()
    chosen: dict[int, tuple[Predictions, int]] = {}
    for file in files:
        for number in range(len(file.rows)):
            keys = file.keys(number)
            fits = index.find(keys)
            said = ", ".join(f"{name} {value}" for name, value in keys.items())
            place = file.place(number)
            if not fits:
                found.append(finding("ME540", f"no annotation has {said or 'an empty name'}", place=place))
            elif len(fits) > 1:
                message = f"{len(fits)} annotations have {said}: {', '.join(rows[fit].id for fit in fits[:3])}"
                found.append(finding("ME541", message, place=place, video=rows[fits[0]].video))
            elif fits[0] in chosen:
                first, entry = chosen[fits[0]]
                message = f"{rows[fits[0]].id} was predicted before, at {first.place(entry)}; that one counts"
                found.append(finding("ME542", message, place=place, video=rows[fits[0]].video))
            else:
                chosen[fits[0]] = (file, number)
    return chosen, found


def without(row: Annotation, code: str, message: str) -> Finding:
    """A finding about an annotation, placed where the workbook has it."""
    place = Place(row.source_file, row.source_sheet, row.source_row)
    return finding(code, message, place=place, subject=row.subject, video=row.video)


def _value(row: Annotation | Video, name: str) -> str:
    value = getattr(row, "id" if name == "annotation" else name)
    return "" if value is None else str(value)


def _plain(text: str) -> str:
    return plain_number(fold(text))
