"""What a dataset *is*: the model of ``schemas/<id>.yaml``.

A new dataset is a new file of this form. Every per-dataset fact stands there; the code knows none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from datasets_me.core.choices import ExpressionType
from datasets_me.core.paths import name_fault, path_fault
from datasets_me.core.text import same
from datasets_me.schema.patterns import Located, matcher
from datasets_me.schema.template import Template

DurationConvention = Literal["inclusive", "exclusive"]
FrameField = Literal["onset", "apex", "offset"]
FRAME_FIELDS: tuple[FrameField, ...] = ("onset", "apex", "offset")


def _pattern(pattern: str) -> str:
    matcher(pattern)
    return Located(pattern)


def _path(path: str) -> str:
    fault = path_fault(path)
    if fault is not None:
        raise ValueError(f"it must be a relative path, but {fault}")
    return path


def _file_name(name: str) -> str:
    fault = name_fault(name)
    if fault is not None:
        raise ValueError(f"it must be a file name, but {fault}")
    return name


RelativePath = Annotated[str, AfterValidator(_path)]
FileName = Annotated[str, AfterValidator(_file_name)]
Pattern = Annotated[str, AfterValidator(_pattern)]
TemplateText = Annotated[str, Field(max_length=300), AfterValidator(Located)]
Letter = Annotated[str, Field(pattern=r"^[A-Z]{1,2}$", description="a column letter, as in a spreadsheet")]
Titles = Annotated[list[str], Field(min_length=1, description="the ways a column's title is spelt")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$", description="lower case, with underscores")]


Count = Annotated[int, Field(ge=0)]

SLOWEST, FASTEST = 0.01, 20_000
"""Frames a second. A rate outside is a typing mistake; at the fastest, the frames of a day still fit into an int32."""

Rate = Annotated[float, Field(ge=SLOWEST, le=FASTEST, allow_inf_nan=False, description="frames a second")]


class Model(BaseModel):
    """Base of all parts of a schema: unknown keys are errors, and numbers are accepted where text is expected."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False)


Fault = tuple[str, str]
"""A YAML path, and what is wrong there."""


def not_valid(faults: list[Fault]) -> PydanticCustomError:
    """An error about a schema as a whole, with the YAML path and the text of each fault."""
    text = "; ".join(f"{path}: {fault}" for path, fault in faults)
    return PydanticCustomError(NOT_VALID, "{text}", {"text": text, "faults": faults})


NOT_VALID = "schema"
"""The type of that error."""


class FrameNumbers(Model):
    """How frame numbers of the workbook become 0-based frames."""

    base: Literal[0, 1] = Field(1, description="the number of a video's first frame in the workbook")
    rounding: Literal["half-even", "floor"] = Field("half-even", description="for fractional frame numbers")
    before_first: Literal["error", "clamp"] = Field(
        "error", description="a number below the base: unreadable, or read as the first frame"
    )
    fps: Rate | None = Field(None, description="where a variant counts at another rate than the videos")


class LookupSheet(Model):
    """A sheet of two columns that translates one value into another."""

    sheet: int = Field(ge=1, description="the position of the sheet, from 1")
    key: Letter
    value: Letter


class Expected(Model):
    """Published counts. Differences from them are reported."""

    annotations: Count | None = None
    micro: Count | None = None
    macro: Count | None = None
    subjects: Count | None = None
    videos: Count | None = None
    emotions: dict[str, Count] = Field(default_factory=dict)
    folders: dict[str, Count] = Field(default_factory=dict, description="folders of frames, per layout")
    micro_frames: tuple[Count, Count] | None = Field(
        None,
        description="between which numbers of frames the median micro-expression lies at the dataset's frame rate; "
        "another median means frames of another rate",
    )


class Variant(Model):
    """One form in which the workbook is distributed, recognised by content, never by file name."""

    id: str
    header: Literal["none", "find"] = Field(description="columns by position, or by the names of a header row")
    columns: dict[Name, Letter | Titles] = Field(description="the columns that must be there")
    optional: dict[Name, Letter | list[str]] = Field(
        default_factory=dict, description="columns that are read if they are there"
    )
    looks: dict[Name, Pattern] = Field(
        default_factory=dict, description="what the cells of a column look like; decides for header: none"
    )
    lookups: dict[Name, LookupSheet] = Field(default_factory=dict)
    frames: FrameNumbers | None = Field(None, description="in place of workbook.frames")
    sentinels: dict[Name, list[str]] | None = Field(None, description="in place of workbook.sentinels")
    expected: Expected | None = Field(None, description="in place of the dataset's expected counts")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, column in {**self.columns, **self.optional}.items():
            if self.header == "none" and not isinstance(column, str):
                raise ValueError(f"header: none needs a column letter for '{name}'")
            if self.header == "find" and isinstance(column, str):
                raise ValueError(f"header: find needs a list of header names for '{name}'")
        if self.header == "none" and not self.looks:
            raise ValueError("header: none needs 'looks', or any sheet would fit")
        if "onset" not in self.columns:
            raise ValueError("the columns lack 'onset'")
        for name in self.looks:
            if name not in self.columns:
                raise ValueError(f"'looks' names '{name}', which is not one of the columns")
        return self


class Workbook(Model):
    """Where the annotations are and how they are written."""

    files: list[str] = Field(description="patterns of file names, used when a folder is searched")
    other_files: dict[str, str] = Field(
        default_factory=dict,
        description="patterns of names of files that have the same columns, but are of another dataset, which is named",
    )
    frames: FrameNumbers = FrameNumbers(base=1)
    sentinels: dict[Name, list[str]] = Field(
        default_factory=dict, description="per column, the texts that mean 'not annotated'"
    )
    duration: DurationConvention | None = Field(
        None, description="what a duration column counts, for a check against onset and offset"
    )
    variants: list[Variant] = Field(min_length=1)


class Lookup(Model):
    """A value that follows from another, by ``values``; a sheet of the workbook may give more."""

    by: Name
    values: dict[str, str]


class NameRules(Model):
    """The names of subjects, videos and expressions, from columns, splits of columns and lookups."""

    patterns: dict[Name, Pattern] = Field(
        default_factory=dict, description="what a value looks like, in a cell as in the name of a folder"
    )
    split: dict[Name, Pattern] = Field(default_factory=dict, description="splits a column; named groups become values")
    lookups: dict[Name, Lookup] = Field(default_factory=dict)
    subject: TemplateText = Field(description="template of a subject's name")
    video: TemplateText = Field(description="template of a video's name")
    expression: TemplateText | None = Field(None, description="template of an expression's name, if it has one")


class ExpressionTypes(Model):
    """Micro or macro: by the text of the column ``type``, or one for all rows where a workbook has no such column."""

    constant: ExpressionType | None = Field(None, description="the type of rows without a column 'type'")
    values: dict[ExpressionType, list[str]] = Field(default_factory=dict, description="the texts of the column 'type'")

    @model_validator(mode="after")
    def _any(self) -> Self:
        if self.constant is None and not self.values:
            raise ValueError("give 'constant', 'values' or both")
        return self


class Emotions(Model):
    """The labels of the dataset with their other spellings, and the coarser classes made of them."""

    labels: dict[str, list[str]] = Field(default_factory=dict)
    class_3: dict[str, list[str]] = Field(default_factory=dict)
    class_5: dict[str, list[str]] = Field(default_factory=dict)
    vocabularies: dict[Name, list[str]] = Field(default_factory=dict, description="known words of other label columns")

    @model_validator(mode="after")
    def _classes_name_labels(self) -> Self:
        for name, classes in (("class_3", self.class_3), ("class_5", self.class_5)):
            for label in (label for labels in classes.values() for label in labels):
                if label not in self.labels:
                    raise ValueError(f"{name} names the label '{label}', which is not one of the labels")
        return self


class Layout(Model):
    """One arrangement of the frames on disk. A folder's path is matched from its end; ``under`` names folders above."""

    id: str
    holds: Literal["video", "expression"] = Field(description="the frames of a whole video, or of one expression")
    under: list[str] = Field(default_factory=list, description="names of the folder that contains all others")
    folder: TemplateText = Field(
        description="template of the path of one folder of frames, or of one video file without suffix"
    )
    video_files: bool = Field(False, description="each video is a file, such as an .avi, and not a folder of frames")
    frame: TemplateText = Field(
        "{frame}", description="template of a frame's name; {frame} is its number. Not for video files"
    )
    numbers: Literal["video", "clip"] = Field(
        "video",
        description="frame numbers count the video as the workbook does, or start again in every folder",
    )
    base: int = Field(1, ge=0, description="the number of the first frame")
    cropped: bool = Field(False, description="the images are the dataset's own crops of another layout's frames")

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.video_files == ("frame" in self.model_fields_set):
            raise ValueError("frames in video files have no names" if self.video_files else "frame is missing")
        return self


class Relocation(Model):
    """A folder known to be in the wrong place. Paths are those of the layout's template."""

    layout: str
    found: RelativePath
    belongs: RelativePath
    why: str


class RowKey(Model):
    """What tells a row of the workbook from others: subject, video, and what it says, never its number alone.

    ``row`` only decides between rows that are alike in everything else.
    """

    subject: str | None = None
    video: str
    expression: str | None = None
    onset: str | None = Field(None, description="the onset of the row, as the workbook writes it")
    row: Annotated[int, Field(ge=1)] | None = Field(
        None, description="the number of the row in its sheet, which decides between rows that are otherwise alike"
    )

    def fits(self, subject: str | None, video: str, expression: str | None, onset: str) -> bool:
        """Whether a row may be meant; what this key leaves open is not compared."""
        return (
            (self.subject is None or self.subject == subject)
            and self.video == video
            and (self.expression is None or same(self.expression, expression or ""))
            and (self.onset is None or same(self.onset, onset))
        )

    def meant(self, numbers: Sequence[int]) -> list[int]:
        """Of the numbers of all rows that may be meant, those that are: of several, the one that the key gives."""
        if len(numbers) < 2 or self.row is None:
            return list(numbers)
        return [number for number in numbers if number == self.row]


class Correction(RowKey):
    """A cell known to be wrong, identified by subject, video and old value, never by row number alone."""

    subject: str
    column: Name
    old: str
    new: str
    why: str


class LeftOut(RowKey):
    """A row that is not to be used; a whole video, where only subject and video are given."""

    why: str

    @property
    def whole_video(self) -> bool:
        """Whether the video is left out with all its rows."""
        return self.expression is None and self.onset is None and self.row is None


class Exclusion(Model):
    """An expression that a published protocol leaves out."""

    subject: str = Field(description="the subject of the row, as the manifest names it")
    expression: str = Field(description="the expression of the row, as the manifest names it")
    why: str = Field(description="why it is left out")


class Composite(Model):
    """Which rows of this dataset a published protocol uses, and how many it had."""

    source: str = Field(description="where the rows are published")
    classes: dict[str, list[str]] = Field(description="emotions by class; rows with others are not used")
    without: list[Exclusion] = Field(default_factory=list, description="expressions that are not used either")
    samples: int = Field(ge=1, description="published number of rows")
    subjects: int = Field(ge=1, description="published number of their subjects")

    def why_not(self, subject: str, expression: str | None, emotion: str | None) -> str | None:
        """Why a row is not used; None for one that is."""
        for item in self.without:
            if (item.subject, item.expression) == (subject, expression):
                return item.why
        if emotion is None:
            return "the emotion is unknown"
        if not any(emotion in emotions for emotions in self.classes.values()):
            return f"'{emotion}' is in none of its classes"
        return None


class Absence(Model):
    """A folder known to be missing from a layout."""

    layout: str
    video: str
    expression: str | None = None
    why: str


def _margin(value: object) -> object:
    is_part = isinstance(value, int | float) and not isinstance(value, bool) and -1 <= value <= 5
    if not is_part and not (isinstance(value, str) and re.fullmatch(r"-?\d{1,5}(\.\d+)?px|edge", value)):
        raise ValueError("the margin must be a fraction of the face box, such as 0.25, or '10px', '-40px' or 'edge'")
    return value


Margin = Annotated[float | str, BeforeValidator(_margin)]
"""Margin on one side of the face box: a fraction of the box's longer side, ``10px``, ``-40px`` to cut that much off, or
``edge`` for everything up to the picture's edge."""


class Pad(Model):
    """Margins around the face, one per side. A side that is left out has the dataset's default."""

    left: Margin | None = None
    top: Margin | None = None
    right: Margin | None = None
    bottom: Margin | None = None

    def __str__(self) -> str:
        """Its sides, such as ``top edge, bottom 20px``."""
        return ", ".join(
            f"{side} {value if isinstance(value, str) else f'{value:g}'}" for side, value in self if value is not None
        )


class CropOverride(Model):
    """Videos, by a glob of their names, with other margins than the default; the last that fits counts."""

    video: str
    pad: Annotated[
        Annotated[float, Field(ge=0), Tag("[number]")] | Annotated[Pad, Tag("[sides]")],
        Discriminator(lambda value: "[sides]" if isinstance(value, dict | Pad) else "[number]"),
    ] = Field(description="a fraction of the face box on every side, or margins for left, top, right and bottom")
    why: str


class Crop(Model):
    """The margin around the face, as a fraction of the face box on every side."""

    pad: float = Field(0.25, ge=0)
    overrides: list[CropOverride] = Field(default_factory=list)


class Licence(Model):
    """The page where access is requested, and the terms in one sentence."""

    page: str
    terms: str


class AuwgcnCsv(Model):
    """How the 7-column CSV of the AUW-GCN family counts this dataset's frames.

    ``workbook``: the numbers exactly as the workbook says. ``sampled``: 0-based at ``fps``,
    ``max(0, (round(x) - 1) // step)`` with ``step`` the ratio of the frame rates; texts in ``keep`` stay.
    """

    index: Literal["workbook", "sampled"]
    fps: Rate
    keep: list[str] = Field(default_factory=list)
    dataset: FileName | None = Field(None, description="the project's name for the dataset; its id if left out")
    file: FileName | None = Field(None, description="the project's name for the CSV; <id>.csv if left out")
    training: dict[Annotated[str, Field(pattern=r"^\w+$")], int | float] = Field(
        default_factory=dict, description="settings that its authors chose for this dataset only"
    )


class QuestionNames(Model):
    """How MEGC's files of questions name the dataset, its subjects and its clips."""

    dataset: str = Field(description="the dataset")
    subject: TemplateText = Field(description="template of a subject's name")
    image: TemplateText = Field(description="template of a clip's name")


class Synthetic(Model):
    """The form and content of a synthetic workbook of this dataset.

    ``columns`` are templates over ``{subject}`` (a running number from 1), ``{clip}`` (one of ``clips``, one per
    video) and ``{number}`` (of the expression in its video).
    """

    sheets: list[str] = Field(default=["Sheet1"], description="the annotations' sheet, then those of the lookups")
    preamble: list[str] = Field(default_factory=list, description="lines of text above the header")
    order: list[str] = Field(
        default_factory=list, description='header: find only: the columns from left to right, "" for a blank one'
    )
    columns: dict[Name, str]
    clips: list[str] = Field(min_length=2)
    per_video: int = Field(2, ge=1, description="annotations of a video")
    aus: list[str | int]
    size: tuple[int, int] = Field((48, 36), description="width and height of a frame, px")
    rates: list[Rate] = Field(
        default_factory=list, description="frames a second of the videos, in turn, in sets of real lengths"
    )


def _faults_of(template: str, known: Set[str]) -> Iterator[str]:
    """What is wrong with a template whose fields must be ``known``."""
    fields = Template(template).fields
    for field in fields:
        if field not in known:
            yield f"no column, split, lookup or pattern gives {{{field}}}"
    if Template(template).broken:
        yield "a brace is not closed, or the text in braces is not a field"
    if not fields:
        yield "there is no field in it, so everything would have one name"


class Spec(Model):
    """A dataset: identity, workbook, names, labels, folders, known defects, expected counts."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9\-]*$", description="lower case letters, digits and hyphens")
    version: int = Field(ge=1, description="of this schema; raised when its meaning changes")
    title: str = Field(description="the name of the dataset as people write it")
    aliases: list[str] = Field(default_factory=list, description="other names that the command line accepts")
    fps: Rate
    citation: str = Field(description="the paper to cite")
    licence: Licence
    workbook: Workbook
    names: NameRules
    expression_type: ExpressionTypes
    emotions: Emotions = Emotions()
    layouts: list[Layout] = Field(default_factory=list)
    relocations: list[Relocation] = Field(default_factory=list)
    corrections: list[Correction] = Field(default_factory=list)
    exclude: list[LeftOut] = Field(default_factory=list)
    absent: list[Absence] = Field(default_factory=list)
    composites: dict[str, Composite] = Field(default_factory=dict, description="by the name of the protocol")
    crop: Crop = Crop()
    expected: Expected = Expected()
    auwgcn_csv: AuwgcnCsv | None = None
    questions: QuestionNames | None = None
    synthetic: Synthetic | None = None

    @model_validator(mode="after")
    def _references(self) -> Self:
        faults = [*self._unknown_names(), *self._repeated_ids(), *self._template_faults()]
        if faults:
            raise not_valid(faults)
        return self

    def _columns(self) -> set[str]:
        return {name for variant in self.workbook.variants for name in (*variant.columns, *variant.optional)}

    def _unknown_names(self) -> Iterator[Fault]:
        """Names in one part of the schema that the part they refer to does not have."""
        layouts = [layout.id for layout in self.layouts]
        references = [(f"relocations.{i}.layout", item.layout) for i, item in enumerate(self.relocations)]
        references += [(f"absent.{i}.layout", item.layout) for i, item in enumerate(self.absent)]
        references += [(f"expected.folders.{name}", name) for name in self.expected.folders]
        for path, name in references:
            if name not in layouts:
                yield path, f"no layout '{name}'; there are {', '.join(layouts)}"
        labels = [(f"expected.emotions.{label}", label) for label in self.expected.emotions]
        labels += [
            (f"workbook.variants.{index}.expected.emotions.{label}", label)
            for index, variant in enumerate(self.workbook.variants)
            for label in (variant.expected.emotions if variant.expected else ())
        ]
        labels += [
            (f"composites.{name}.classes.{class_name}", label)
            for name, composite in self.composites.items()
            for class_name, emotions in composite.classes.items()
            for label in emotions
        ]
        for path, label in labels:
            if label not in self.emotions.labels:
                yield path, f"'{label}' is not one of the labels"
        for index, correction in enumerate(self.corrections):
            if correction.column not in self._columns():
                yield f"corrections.{index}.column", f"no column '{correction.column}' in any variant"
        for index, variant in enumerate(self.workbook.variants):
            for name in variant.lookups:
                if name not in self.names.lookups:
                    yield f"workbook.variants.{index}.lookups.{name}", f"names.lookups has no '{name}'"

    def _repeated_ids(self) -> Iterator[Fault]:
        for part, items in (("layouts", self.layouts), ("workbook.variants", self.workbook.variants)):
            ids = [item.id for item in items]
            yield from ((f"{part}.{i}.id", f"'{name}' is taken") for i, name in enumerate(ids) if name in ids[:i])

    def _template_faults(self) -> Iterator[Fault]:
        """Fields of templates that nothing gives, and templates that cannot be names."""
        groups = {name for pattern in self.names.split.values() for name in matcher(pattern).groups}
        known = self._columns() | groups | set(self.names.lookups) | set(self.names.patterns)
        templates = {f"names.{name}": getattr(self.names, name) for name in ("subject", "video", "expression")}
        if self.questions:
            templates |= {f"questions.{name}": getattr(self.questions, name) for name in ("subject", "image")}
        for path, text in templates.items():
            if text:
                yield from ((path, fault) for fault in _faults_of(text, known))
        for index, layout in enumerate(self.layouts):
            for key, fields, check, what in (
                ("folder", known, path_fault, "relative path"),
                ("frame", known | {"frame"}, name_fault, "file name"),
            ):
                text = getattr(layout, key)
                faults = list(_faults_of(text, fields))
                if fault := check(Template(text).render(dict.fromkeys(Template(text).fields, "0"))):
                    faults.append(f"it must be a {what}, but {fault}")
                if key == "frame" and "frame" not in Template(text).fields:
                    faults.append("{frame} is missing")
                yield from ((f"layouts.{index}.{key}", fault) for fault in faults)
        for name, pattern in self.names.patterns.items():
            if matcher(pattern).groups:
                yield f"names.patterns.{name}", "a pattern has no named groups; those belong under split"

    def expected_of(self, variant: str) -> Expected:
        """The published counts of a workbook variant."""
        counts = (each.expected for each in self.workbook.variants if each.id == variant)
        return next(filter(None, counts), self.expected)

    def layout(self, name: str) -> Layout:
        """The layout of that id."""
        return next(layout for layout in self.layouts if layout.id == name)


FIELDS_OF_A_ROW: tuple[FrameField | str, ...] = ("onset", "apex", "offset", "aus", "emotion", "type", "fps")
"""Columns with a meaning of their own; all others serve names and are kept as text."""
