"""The rows of a manifest, of a table of features and of a split."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from datasets_me.core.choices import ExpressionType
from datasets_me.core.errors import Place
from datasets_me.core.tables import Record
from datasets_me.core.text import clean
from datasets_me.schema.spec import Rate

Frame = Annotated[int, Field(ge=0, lt=2**31 - 1, description="0-based, or as a file's name says it")]
Amount = Annotated[int, Field(ge=0, lt=2**31)]
Side = Literal["bilateral", "left", "right", "asymmetric", "top", "bottom"]


class ActionUnit(Record):
    """One action unit of the Facial Action Coding System.

    ``side`` is ``bilateral`` where the coder wrote none; ``top`` and ``bottom`` mean the lips.
    ``intensity`` is a letter from A (trace) to E (maximum), or a doubt such as ``"B/C"``.
    Units that exclude each other share an ``alternative`` number; those with the same ``option``
    within it go together: ``(8+25)or(50)`` is alternative 0, option 0 for 8 and 25, option 1 for 50.
    """

    au: int
    side: Side = "bilateral"
    intensity: str | None = None
    uncertain: bool = False
    reflex: bool = False
    alternative: int | None = None
    option: int | None = None


class Annotation(Record):
    """One annotated expression: a row of the workbook as it was read, and as it was written.

    ``onset``, ``apex`` and ``offset`` are 0-based frame numbers of the video, inclusive, or null.
    ``corrected`` maps each column that a correction of the schema changed to its new text; the raw fields stay.
    ``source_cells`` maps each field to its cell (``{"onset": "C12"}``); ``extra`` keeps every other
    column of the row as text.
    """

    id: str
    dataset: str
    subject: str
    video: str
    expression: str | None = None
    type: ExpressionType
    onset: Frame | None = None
    apex: Frame | None = None
    offset: Frame | None = None
    fps: Rate
    aus: list[ActionUnit] = Field(default_factory=list)
    aus_unread: list[str] = Field(default_factory=list)
    emotion: str | None = None
    class_3: str | None = None
    class_5: str | None = None
    onset_raw: str | None = None
    apex_raw: str | None = None
    offset_raw: str | None = None
    au_raw: str | None = None
    emotion_raw: str | None = None
    type_raw: str | None = None
    corrected: dict[str, str] = Field(default_factory=dict)
    extra: dict[str, str] = Field(default_factory=dict)
    source_file: str
    source_sheet: str | None = None
    source_row: int
    source_cells: dict[str, str] = Field(default_factory=dict)

    @property
    def length(self) -> int | None:
        """Frames from onset to offset, both included, or None where either is missing."""
        if self.onset is None or self.offset is None:
            return None
        return self.offset - self.onset + 1

    @property
    def in_order(self) -> bool:
        """Whether onset, apex and offset, as far as they are known, are in this order; other rows are ME107."""
        known = [frame for frame in (self.onset, self.apex, self.offset) if frame is not None]
        return known == sorted(known)

    def written(self, column: str) -> str:
        """What the workbook says in a column of the row, as cleaned text; ``""`` where it says nothing."""
        name = "au_raw" if column == "aus" else f"{column}_raw"
        text = getattr(self, name) if name in type(self).model_fields else self.extra.get(column)
        return clean(text or "")

    def place(self, field: str | None = None) -> Place:
        """Its row in the workbook, or the cell of one field."""
        letter = self.source_cells.get(field or "", "").rstrip("0123456789") or None
        return Place(self.source_file, self.source_sheet, self.source_row, letter)


class Video(Record):
    """One folder of frames, or an annotated video for which none was found (``path`` is null).

    ``path`` is relative to the root. ``first`` and ``last`` are frame numbers as the file names say them;
    ``missing`` counts the numbers between them that have no file. ``subject`` is null for a folder without
    annotations whose name does not tell it.
    """

    dataset: str
    subject: str | None
    video: str
    expression: str | None = None
    layout: str | None = None
    path: str | None = None
    relocated: bool = False
    annotations: Amount = 0
    frames: Amount | None = None
    first: Frame | None = None
    last: Frame | None = None
    missing: Amount | None = None
    width: Amount | None = None
    height: Amount | None = None
    fps: Rate
    format: str | None = None


class VideoFeatures(Record):
    """One video of an extraction: where its arrays lie, and what is known of them.

    ``name`` is the stem of its files; ``features`` and ``landmarks`` are their paths relative to the extraction's
    folder, null where there is none. ``frames`` is the number T of frames that were read, ``fps`` their rate and
    ``start`` the 0-based number, at that rate, of the first; feature i is the motion from frame ``start + i`` to
    ``start + i + step``, in units of ``unit_px`` px. ``good``, ``missing``, ``no_face`` and ``clipped`` count frames
    by their quality. ``crop_pad`` is the margin that the schema asks for, where the crop has a margin. ``key`` is
    the hash of everything that the arrays depend on.
    """

    dataset: str
    subject: str
    video: str
    expression: str | None = None
    layout: str | None = None
    path: str | None = None
    name: str
    status: Literal["ok", "partial", "failed"]
    why: str | None = None
    features: str | None = None
    landmarks: str | None = None
    start: Frame = 0
    frames: Amount = 0
    step: int = Field(1, ge=1, lt=2**31)
    fps: Rate
    unit_px: float = Field(1.0, gt=0, allow_inf_nan=False)
    regions: str = "twelve"
    good: Amount = 0
    missing: Amount = 0
    no_face: Amount = 0
    clipped: Amount = 0
    width: Amount | None = None
    height: Amount | None = None
    box: list[int] = Field(default_factory=list)
    crop_source: str | None = None
    crop_pad: str | None = None
    crop_confirmed: bool | None = None
    key: str | None = None


class SplitRow(Record):
    """One item in one part of one fold of a split.

    ``annotation`` is the id of one expression, for splits of expressions; null stands for the whole video.
    """

    fold: str
    part: Literal["train", "validation", "test"]
    dataset: str
    subject: str
    video: str
    annotation: str | None = None
