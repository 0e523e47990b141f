"""What predictions are compared with, annotations or images, and which of them a prediction is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datasets_me.core.errors import MeDatasetsError, Place
from datasets_me.core.text import clean, fold, plain_number
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import image_set, manifest
from datasets_me.formats import split as split_files
from datasets_me.formats.image_classes import Classes
from datasets_me.formats.image_names import Names, copies_of
from datasets_me.formats.image_set import ImageSet
from datasets_me.formats.kinds import IMAGE_SET
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.predictions import Predictions
from datasets_me.formats.records import Annotation, SplitRow, Video
from datasets_me.schema import predictions as prediction_forms
from datasets_me.schema.spec import ExpressionType

Label = Literal["emotion", "class_3", "class_5"]

ALL = "all"
"""What the images of a set without splits are scored under."""


@dataclass(frozen=True)
class Item:
    """An annotation or an image that may be predicted.

    ``group`` is what figures are given for: the dataset of an annotation, the split of an image. ``label`` is None
    where nobody knows it. ``asked`` says whether it is to be scored. The rest says where findings about it belong.
    """

    id: str
    dataset: str
    group: str
    label: str | None = None
    subject: str | None = None
    asked: bool = True
    place: Place | None = None
    video: str | None = None
    path: str | None = None


@dataclass(frozen=True)
class Truth:
    """What predictions are compared with.

    Attributes:
        noun: what an item is: annotation or image.
        label: what is predicted.
        items: in order.
        labels: those that items can have; an item's own words for classes.
        find: the items that a prediction may be about, by position, and what it says it is about.
        class_of: the class that a word of a prediction means: one of the labels, or the word itself; None where it says
            that nothing was recognised.
        complete: a group none of whose items are predicted is scored, too.
        doubts: findings about words, once all of them were read.
    """

    noun: str
    label: str
    items: tuple[Item, ...]
    labels: tuple[str, ...]
    find: Callable[[Predictions, int], tuple[list[int], str]]
    class_of: Callable[[str], str | None]
    complete: bool = True
    doubts: Callable[[], list[Finding]] = list


def truth_of(
    folders: Sequence[Path],
    label: Label = "emotion",
    *,
    kind: ExpressionType | None = None,
    split: Path | None = None,
    copies: Sequence[Path] = (),
) -> Truth:
    """What predictions are compared with: the annotations of manifests, or the images of one set.

    Args:
        folders: manifests, or one set of images.
        label, kind: of annotations; see `annotated`.
        split: a split whose test parts alone are asked.
        copies: folders that were made from the set of images, whose files predictions may name.

    Raises:
        MeDatasetsError: a folder is neither, there are several sets, or a label, type or split is given for images.
    """
    sets = [folder for folder in folders if (folder / IMAGE_SET.about).is_file()]
    if not sets:
        if copies:
            raise MeDatasetsError("only images have copies", where=str(folders[0]), fix="leave --copies out")
        return annotated([manifest.read(folder) for folder in folders], label, kind=kind, tested=tested_by(split))
    if len(folders) > 1:
        raise MeDatasetsError(
            "a set of images is scored by itself", where=str(sets[0]), fix="give this set alone, or manifests alone"
        )
    if label != "emotion" or kind is not None or split is not None:
        raise MeDatasetsError(
            "the images of a set have one label, no type, and the set's own split",
            where=str(sets[0]),
            fix="leave --label, --type and --split out",
        )
    return labelled(image_set.read(sets[0]), copies)


def tested_by(split: Path | None) -> OfSplit | None:
    """What a split tests, None where there is none.

    Raises:
        MeDatasetsError: it cannot be read, or has no test part.
    """
    return None if split is None else OfSplit(split_files.read(split).rows)


def annotated(
    manifests: Sequence[Manifest],
    label: Label = "emotion",
    *,
    kind: ExpressionType | None = None,
    tested: OfSplit | None = None,
) -> Truth:
    """The annotations of several datasets; asked are those of a type, and those that a split tests.

    Raises:
        MeDatasetsError: two manifests are of one dataset, or there are no annotations.
    """
    rows = all_annotations(manifests)
    index = Index(rows)
    items = tuple(
        Item(
            row.id,
            row.dataset,
            row.dataset,
            getattr(row, label),
            row.subject,
            kind in (None, row.type) and (tested is None or tested.annotation(row)),
            _place(row),
            row.video,
        )
        for row in rows
    )
    labels = tuple(sorted({item.label for item in items if item.label is not None}))
    by_fold = {fold(name): name for name in labels}

    def find(file: Predictions, number: int) -> tuple[list[int], str]:
        keys = file.keys(number)
        return index.find(keys), ", ".join(f"{name} {value}" for name, value in keys.items())

    return Truth("annotation", label, items, labels, find, lambda text: by_fold.get(fold(text), text) or None)


def labelled(images: ImageSet, copies: Sequence[Path] = ()) -> Truth:
    """The images of a set, by split. A split in which nothing is predicted is not scored: models that were trained on
    the set are asked about its test part alone.

    Raises:
        MeDatasetsError: there is no image.
    """
    names, items = Names(copies=copies_of(images, copies)), list[Item]()
    for row in images.rows(pixels=False):
        names.add(row)
        items.append(Item(row.id, row.dataset, row.split or ALL, row.label, row.subject, path=row.id))
    if not items:
        raise MeDatasetsError("the set has no images", where=str(images.folder))
    form = prediction_forms.load("plain")
    classes = Classes(images.spec, form)

    def find(file: Predictions, number: int) -> tuple[list[int], str]:
        said = next((text for name in form.image if (text := file.rows[number].get(name))), "")
        return (names.find(said), f"the name {said}") if said else ([], "")

    def class_of(text: str) -> str | None:
        return None if classes.nothing(text) else classes.of(text)

    labels = tuple(sorted({item.label for item in items if item.label is not None}))
    return Truth("image", "label", tuple(items), labels, find, class_of, False, classes.findings)


def image_keys() -> list[str]:
    """The columns in which a prediction may name an image."""
    return prediction_forms.load("plain").image


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


def assign(files: Iterable[Predictions], truth: Truth) -> tuple[dict[int, tuple[Predictions, int]], list[Finding]]:
    """The prediction of each item, by its position; of several, the first.

    Findings: ME540 fits none, ME541 fits several, ME542 a second one for the same item.
    """
    items, found = truth.items, list[Finding]()
    chosen: dict[int, tuple[Predictions, int]] = {}
    for file in files:
        for number in range(len(file.rows)):
            fits, name = truth.find(file, number)
            name = name or "an empty name"
            place = file.place(number)
            if not fits:
                found.append(finding("ME540", f"no {truth.noun} has {name}", place=place))
            elif len(fits) > 1:
                message = f"{len(fits)} {truth.noun}s have {name}: {', '.join(items[fit].id for fit in fits[:3])}"
                found.append(finding("ME541", message, place=place, video=items[fits[0]].video))
            elif fits[0] in chosen:
                first, entry = chosen[fits[0]]
                item = items[fits[0]]
                message = f"{item.id} was predicted before, at {first.place(entry)}; that one counts"
                found.append(finding("ME542", message, place=place, video=item.video, path=item.path))
            else:
                chosen[fits[0]] = (file, number)
    return chosen, found


def about(item: Item, code: str, message: str) -> Finding:
    """A finding about an item: placed where the workbook has it, or by the image's id."""
    return finding(code, message, place=item.place, subject=item.subject, video=item.video, path=item.path)


def without(row: Annotation, code: str, message: str) -> Finding:
    """A finding about an annotation, placed where the workbook has it."""
    return finding(code, message, place=_place(row), subject=row.subject, video=row.video)


def _place(row: Annotation) -> Place:
    return Place(row.source_file, row.source_sheet, row.source_row)


def _value(row: Annotation | Video, name: str) -> str:
    value = getattr(row, "id" if name == "annotation" else name)
    return "" if value is None else str(value)


def _plain(text: str) -> str:
    return plain_number(fold(text))
