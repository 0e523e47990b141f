"""The annotations or images that predictions are compared with, and which of them a prediction is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets_me.core.choices import EmotionLabel, ExpressionType
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

ALL = "all"
"""The group of all images of a set without splits."""


@dataclass(frozen=True)
class ScoredItem:
    """An annotation or an image that may be predicted.

    Scores are given per ``group``: the dataset of an annotation, the split of an image. ``label`` is None where it is
    unknown. ``scored`` is false for items that are not to be scored. The rest is the place of findings about it.
    """

    id: str
    dataset: str
    group: str
    label: str | None = None
    subject: str | None = None
    scored: bool = True
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
        labels: the labels that occur, in the truth's spelling.
        find: the positions of the items that a prediction may be about, and its own words for them.
        class_of: the class that a word of a prediction means: one of the labels, or the word itself; None where it
            means that nothing was recognised.
        complete: whether a group without any prediction is scored, too.
        doubts: findings about the words of the predictions read so far.
    """

    noun: str
    label: str
    items: tuple[ScoredItem, ...]
    labels: tuple[str, ...]
    find: Callable[[Predictions, int], tuple[list[int], str]]
    class_of: Callable[[str], str | None]
    complete: bool = True
    doubts: Callable[[], list[Finding]] = list


def truth_of(
    folders: Sequence[Path],
    label: EmotionLabel = "emotion",
    *,
    kind: ExpressionType | None = None,
    split: Path | None = None,
    copies: Sequence[Path] = (),
) -> Truth:
    """The annotations of manifests, or the images of one set, to compare predictions with.

    Args:
        folders: manifests, or one set of images.
        label, kind: of annotations; see `annotated`.
        split: a split whose test parts alone are scored.
        copies: folders exported from the set of images, whose files predictions may name.

    Raises:
        MeDatasetsError: a folder is neither, there are several sets, or a label, type or split is given with images.
    """
    sets = [folder for folder in folders if (folder / IMAGE_SET.about).is_file()]
    if not sets:
        if copies:
            raise MeDatasetsError("--copies is for a set of images", where=str(folders[0]), fix="leave --copies out")
        return annotated([manifest.read(folder) for folder in folders], label, kind=kind, tested=tested_by(split))
    if len(folders) > 1:
        raise MeDatasetsError(
            "a set of images cannot be scored together with others",
            where=str(sets[0]),
            fix="give this set alone, or only manifests",
        )
    if label != "emotion" or kind is not None or split is not None:
        raise MeDatasetsError(
            "the images of a set have one label, no type and a split of their own",
            where=str(sets[0]),
            fix="leave --label, --type and --split out",
        )
    return labelled(image_set.read(sets[0]), copies)


def tested_by(split: Path | None) -> OfSplit | None:
    """The annotations and videos that a split tests; None without a split.

    Raises:
        MeDatasetsError: it cannot be read, or has no test part.
    """
    return None if split is None else OfSplit(split_files.read(split).rows)


def annotated(
    manifests: Sequence[Manifest],
    label: EmotionLabel = "emotion",
    *,
    kind: ExpressionType | None = None,
    tested: OfSplit | None = None,
) -> Truth:
    """The annotations of several datasets; those of another type, or not in the tested part, are not scored.

    Raises:
        MeDatasetsError: two manifests are of one dataset, or there are no annotations.
    """
    rows = all_annotations(manifests)
    index = Index(rows)
    items = tuple(
        ScoredItem(
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
    """The images of a set, by split.

    A split without any prediction is not scored, because a model trained on the set predicts only its test part.

    Raises:
        MeDatasetsError: there is no image.
    """
    names, items = Names(copies=copies_of(images, copies)), list[ScoredItem]()
    for row in images.rows(pixels=False):
        names.add(row)
        items.append(ScoredItem(row.id, row.dataset, row.split or ALL, row.label, row.subject, path=row.id))
    if not items:
        raise MeDatasetsError("the set has no images", where=str(images.folder), fix="import it again")
    form = prediction_forms.load("plain")
    classes = Classes(images.spec, form)

    def find(file: Predictions, number: int) -> tuple[list[int], str]:
        text = next((text for name in form.image if (text := file.rows[number].get(name))), "")
        return (names.find(text), f"the name {text}") if text else ([], "")

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
    for source in manifests:
        if source.spec.id in seen:
            raise MeDatasetsError(
                f"two manifests are of {source.spec.id}",
                fix="give one manifest per dataset; annotations would count twice",
            )
        seen.add(source.spec.id)
    rows = [row for source in manifests for row in source.annotations]
    if not rows:
        raise MeDatasetsError("the manifest has no annotations", fix="look at its findings")
    return rows


class Index:
    """Finds the annotations, or videos, that a prediction's columns name; built once per set of columns."""

    def __init__(self, rows: Sequence[Annotation | Video]) -> None:
        self._rows = rows
        self._tables: dict[tuple[Callable[[str], str], tuple[str, ...]], dict[tuple[str, ...], list[int]]] = {}

    def find(self, keys: Mapping[str, str]) -> list[int]:
        """Positions of the rows that agree with all columns.

        Case, spaces, punctuation and padding are ignored only where none agrees exactly, because ``1_1`` and ``11``
        may both be names.
        """
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
    """The prediction of each item, by its position; the first of several.

    Findings: ME540 a prediction fits no item, ME541 it fits several, ME542 it is a second one for the same item.
    """
    items, findings = truth.items, list[Finding]()
    chosen: dict[int, tuple[Predictions, int]] = {}
    for file in files:
        for number in range(len(file.rows)):
            fits, name = truth.find(file, number)
            name = name or "an empty name"
            place = file.place(number)
            if not fits:
                findings.append(finding("ME540", f"no {truth.noun} has {name}", place=place))
            elif len(fits) > 1:
                ids = ", ".join(items[fit].id for fit in fits[:3])
                message = f"{len(fits)} {truth.noun}s have {name}: {ids}"
                findings.append(finding("ME541", message, place=place, video=items[fits[0]].video))
            elif fits[0] in chosen:
                first, entry = chosen[fits[0]]
                item = items[fits[0]]
                message = f"{item.id} was predicted before, at {first.place(entry)}; that one counts"
                findings.append(finding("ME542", message, place=place, video=item.video, path=item.path))
            else:
                chosen[fits[0]] = (file, number)
    return chosen, findings


def about(item: ScoredItem, code: str, message: str) -> Finding:
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
