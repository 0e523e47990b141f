"""What a set of images *is*: the model of ``schemas/images/<id>.yaml``.

A set comes in one of two forms: a table whose rows hold the pixels, or files whose paths say what they are, with or
without lists of labels beside them.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from datasets_me.core.text import clean, fold
from datasets_me.schema.spec import Model, Name, Pattern, TemplateText, not_valid
from datasets_me.schema.template import Template

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

Names = Annotated[list[str], Field(min_length=1)]

KNOWN_FIELDS = ("split", "label", "subject", "sequence", "frame")
"""Fields of a name with a column of their own; every other goes into ``extra``."""


class Table(Model):
    """A CSV with one image per row."""

    files: Names = Field(description="names the file goes by")
    pixels: Names = Field(description="titles of the column of grey values, separated by spaces, row after row")
    label: Names
    split: list[str] = Field(default_factory=list)
    subject: list[str] = Field(default_factory=list)
    width: int = Field(ge=1, description="px")
    height: int = Field(ge=1, description="px")


class Layout(Model):
    """How files lie: a path with fields, such as ``{split}/{label}/{name}``. ``**/`` in front: under any folders."""

    id: str
    path: TemplateText
    patterns: dict[Name, Pattern] = Field(default_factory=dict, description="what a field looks like")

    @model_validator(mode="after")
    def _fields(self) -> Self:
        template = Template(self.path.removeprefix("**/"))
        if template.broken or not template.fields:
            raise ValueError("a path has fields in braces, lower case: {split}/{label}/{name}")
        if unknown := set(self.patterns) - set(template.fields):
            raise ValueError(f"patterns for fields that the path does not have: {', '.join(sorted(unknown))}")
        return self


class LabelList(Model):
    """A text file with one line per image, such as ``train_00001.jpg 5``."""

    files: Names
    line: Pattern = Field(description="a regular expression with the groups key and label")
    key: str = Field(description="what key is, in the fields of the path: {split}_{number}.jpg")

    @model_validator(mode="after")
    def _groups(self) -> Self:
        if missing := {"(?P<key>", "(?P<label>"} - {g for g in ("(?P<key>", "(?P<label>") if g in self.line}:
            raise ValueError(f"line lacks the group {', '.join(sorted(missing))}")
        return self


class LabelFiles(Model):
    """A text file per sequence, whose content is a label; the rule says which frames it holds for."""

    path: TemplateText = Field(
        description="like the path of a layout: **/Emotion/{subject}/{session}/{name}_emotion.txt"
    )
    by: Names = Field(description="the fields that name a sequence, in both paths")
    number: bool = Field(False, description="the label is a number, such as 3.0000000e+00")
    first: int = Field(0, ge=0, description="so many frames at the start of a sequence are of first_label")
    first_label: str | None = None
    last: int = Field(1, ge=1, description="so many frames at the end have the label")


class Files(Model):
    """Files of images and what their paths say."""

    layouts: Annotated[list[Layout], Field(min_length=1)]
    choose: Literal["first", "all"] = Field("all", description="of several layouts in one source")
    label: Name = Field("label", description="the field that holds the label")
    sequence: list[Name] = Field(default_factory=list, description="fields that together name a sequence")
    label_list: LabelList | None = None
    label_files: LabelFiles | None = None


class Thresholds(Model):
    """Beyond these an image is doubtful; units as in `formats.image_records.QualityRow`.

    Chosen on pictures whose blur and light are known, see tests/images/looks/test_quality_truth.py.
    """

    sharpness: float = Field(0.24, ge=0, le=1, description="less is blurred")
    dark: float = Field(70.0, ge=0, le=255, description="dark: the brightest twentieth of the pixels begins below it")
    bright: float = Field(
        190.0, ge=0, le=255, description="overexposed: the darkest twentieth of the pixels ends above it"
    )
    contrast: float = Field(15.0, ge=0, description="a standard deviation below is flat")
    side: int = Field(40, ge=0, description="px of the shorter side; less is small")
    asymmetry: float = Field(0.65, ge=0, le=1, description="more is a face perhaps covered on one side")


class Expected(Model):
    """Published counts, to compare with."""

    images: int | None = Field(None, ge=0)
    splits: dict[Split, int] = Field(default_factory=dict)


class Subset(Model):
    """One of several sets that are delivered together. What it leaves out is as in the schema."""

    folders: Names = Field(description="names of the folders whose files belong to this subset and to no other")
    title: str
    labels: dict[str, list[str]] | None = Field(None, description="in place of the labels of the schema")
    expected: Expected | None = Field(None, description="in place of the expected counts of the schema")


def form(text: str) -> str:
    """The form in which labels are compared.

    Of words without marks and spaces, of numbers with their sign: -1 is not 1.
    """
    try:
        return f"{float(clean(text)):g}"
    except ValueError:
        return fold(text)


class ImageSpec(Model):
    """A set of images: identity, labels, where they are, thresholds of quality, expected counts."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9\-]*$")
    version: int = Field(ge=1, description="of this schema; raised when its meaning changes")
    title: str
    aliases: list[str] = Field(default_factory=list)
    citation: str | None = None
    licence: str | None = Field(None, description="the page that says who may have it")
    labels: dict[str, list[str]] = Field(description="each label with its other spellings and codes")
    splits: dict[Split, list[str]] = Field(default_factory=dict, description="each split with its names in the set")
    table: Table | None = None
    files: Files | None = None
    quality: Thresholds = Field(default_factory=Thresholds)
    expected: Expected = Field(default_factory=Expected)
    subsets: dict[Name, Subset] = Field(default_factory=dict, description="sets that are delivered together, by name")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = []
        if (self.table is None) == (self.files is None):
            faults.append(("table", "give either table or files"))
        if self.subsets and self.files is None:
            faults.append(("subsets", "only a set of files has subsets"))
        faults += _ambiguous("labels", self.labels)
        for name, subset in self.subsets.items():
            faults += _ambiguous(f"subsets.{name}.labels", subset.labels or {})
        rule = self.files.label_files if self.files else None
        if rule and rule.first_label is not None and rule.first_label not in self.labels:
            faults.append(("files.label_files.first_label", f"'{rule.first_label}' is not one of the labels"))
        if faults:
            raise not_valid(faults)
        return self

    def of_subset(self, name: str | None) -> ImageSpec:
        """The spec of one of its subsets; the spec itself for None.

        Raises:
            KeyError: there is no such subset.
        """
        if name is None:
            return self
        subset = self.subsets[name]
        changes = {
            name: value for name in ("title", "labels", "expected") if (value := getattr(subset, name)) is not None
        }
        return ImageSpec.model_validate({**self.model_dump(), **changes, "subsets": {}})

    @cached_property
    def _label_of(self) -> dict[str, str]:
        return {form(text): label for label, spellings in self.labels.items() for text in (label, *spellings)}

    @cached_property
    def _split_of(self) -> dict[str, Split]:
        return {form(text): split for split, names in self.splits.items() for text in (split, *names)}

    def label_of(self, text: str) -> str | None:
        """The label that a text of the set, or of anybody else, stands for; None for one that is not known."""
        return self._label_of.get(form(text))

    def split_of(self, text: str) -> Split | None:
        """The split that a text stands for; None for one that is not known."""
        return self._split_of.get(form(text))


def _ambiguous(key: str, labels: dict[str, list[str]]) -> list[tuple[str, str]]:
    """YAML path and fault of every text that stands for two labels."""
    label_of: dict[str, str] = {}
    return [
        (f"{key}.{label}", f"'{text}' stands for {label_of[form(text)]}, too")
        for label, spellings in labels.items()
        for text in (label, *spellings)
        if label_of.setdefault(form(text), label) != label
    ]
