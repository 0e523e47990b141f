"""The rows of a folder of images, and of the tables that later commands put beside them."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from datasets_me.core.tables import Record
from datasets_me.schema.images import Split

EMOTIONS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
"""The seven classes that the field's sets share, in the order of the alphabet."""

PIXELS = "pixels"
"""The format of an image that has no file: grey pixels that stood in a table."""


UNLABELLED = "(no label)"
"""What images without a label are counted, and sorted, under."""


class Origin(Record):
    """What an image was made from: an image of another set, as that set has it, and what was ``done`` to it."""

    dataset: str
    id: str
    path: str | None = None
    sha256: str | None = None
    done: str


class OfImage(Record):
    """What is known of an image of a set."""

    id: str
    dataset: str


class ImageRow(Record):
    """One image, where it lies and what its set says of it.

    ``id`` is unique within the set and stable: the path, or for an image that stood in a table the table's name and
    row (``fer2013.csv#17``). Exactly one of ``path`` (relative to the root, with ``/``) and ``pixels`` is there;
    ``pixels`` are ``width * height`` bytes, grey, row after row, and ``format`` is then ``pixels``, else the format
    that the content has (``jpeg``), whatever the name says. ``width`` and ``height`` in px are those of the picture
    as it is stored, before any EXIF rotation; null, with ``format``, where it cannot be decoded: ``damage`` says why.
    ``sha256`` is that of the file's bytes or of the pixels, ``size`` their number; null where there is no such file.
    ``label`` is one of the schema's, null where ``label_raw`` is not known or missing. ``sequence`` and ``frame`` are
    those of sets of short films, ``frame`` as the name numbers it. ``extra`` keeps every other field of the name or
    column of the table. ``origins`` are the images that one was made from, the oldest first; an image made from another
    keeps its ``id``.
    """

    id: str
    dataset: str
    path: str | None = None
    pixels: bytes | None = None
    split: Split | None = None
    label: str | None = None
    label_raw: str | None = None
    subject: str | None = None
    sequence: str | None = None
    frame: int | None = None
    width: int | None = None
    height: int | None = None
    format: str | None = None
    size: int | None = None
    sha256: str | None = None
    damage: str | None = None
    source_file: str
    source_row: int | None = None
    extra: dict[str, str] = Field(default_factory=dict)
    origins: list[Origin] = Field(default_factory=list)

    @property
    def where(self) -> str:
        """Where it lies, for messages: the path, or the table's row."""
        return self.path or self.id


class Face(Record):
    """One face of an image.

    The box is in px of the upright image, from the first column and row to just behind the last; it may reach over the
    border. ``score`` is the detector's, ``residual`` that of the landmarks (see ``features.landmarks``), ``landmarks``
    are x and y of 68 points in px, 136 numbers.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    x0: float
    y0: float
    x1: float
    y1: float
    score: float
    residual: float
    landmarks: list[float] = Field(min_length=136, max_length=136)


class FaceRow(OfImage):
    """The faces of one image, the largest first.

    ``count`` is null where the image cannot be decoded. ``helped`` says what had to be done before a face was found:
    ``nothing``, ``upscaled``, ``padded`` or ``upscaled and padded``; null where none was.
    """

    count: int | None = None
    helped: str | None = None
    faces: list[Face] = Field(default_factory=list)


class DuplicateRow(Record):
    """What one image is like.

    ``phash`` is the perceptual hash, 16 hexadecimal digits, null where the image cannot be decoded. Images of one
    ``cluster`` (numbered from 0, null for an image that is like no other) are chained by pairs that are equal byte
    for byte or near; ``exact`` says that some other image of it is equal. ``keeper`` marks the one that is suggested
    to stay, true for every image on its own; ``distance`` is that of the hash from the keeper's, in bits.
    ``transformed`` says what has to be done to one of the two before they are near, such as ``mirrored``; null where
    they are as they are, or only over other images of the cluster. ``cosine`` is that of the embedding with the
    keeper's; null without any.
    """

    id: str
    dataset: str
    sha256: str | None = None
    phash: str | None = None
    cluster: int | None = None
    cluster_size: int = 1
    exact: bool = False
    keeper: bool = True
    keeper_id: str
    keeper_dataset: str
    distance: int | None = None
    transformed: str | None = None
    cosine: float | None = None
    across_splits: bool = False
    across_datasets: bool = False
    labels_differ: bool = False


class QualityRow(OfImage):
    """How good one image is, measured on grey values 0 to 255; all null where it cannot be decoded.

    ``sharpness`` is the share of the local contrast that a slight blur takes away, 0 to 1, with the longer side shrunk
    to at most 128 px (low: blurred already); ``brightness`` the mean, ``highlights`` the 95th percentile, ``shadows``
    the 5th, ``contrast`` the standard deviation; ``side`` the shorter side in px, ``aspect`` the width over the height;
    ``colour`` says whether it has any. ``asymmetry`` is 0 for a face whose halves mirror each other and 1 for halves
    that have nothing in common, null where no face is known. ``doubts`` names what is beyond the thresholds.
    """

    sharpness: float | None = None
    brightness: float | None = None
    highlights: float | None = None
    shadows: float | None = None
    contrast: float | None = None
    side: int | None = None
    aspect: float | None = None
    colour: bool | None = None
    asymmetry: float | None = None
    doubts: list[str] = Field(default_factory=list)


State = Literal["unsubmitted", "unrecognised", "agree", "disagree"]
STATES: tuple[State, ...] = ("unsubmitted", "unrecognised", "agree", "disagree")


class AuditRow(Record):
    """What the predictions say of one image.

    ``state``: ``unsubmitted`` has no prediction, ``unrecognised`` one without a face or class, ``agree`` the label's
    class, ``disagree`` another (also where the image has no label). ``predicted`` is in the set's own words where it
    has one for it. ``confidence`` is the score of the class predicted and ``label_score`` that of the label, as shares
    of all classes; ``margin`` is ``label_score`` less the best other score. ``likely_error``: by confident learning the
    label is wrong; ``suggested`` says what it rather is, ``rank`` counts them from 1, the surest first. Null where the
    predictions have no scores.
    """

    id: str
    dataset: str
    label: str | None = None
    predicted: str | None = None
    predicted_raw: str | None = None
    state: State
    confidence: float | None = None
    label_score: float | None = None
    margin: float | None = None
    likely_error: bool = False
    suggested: str | None = None
    rank: int | None = None


class UnifiedRow(Record):
    """An image and its new form; ``path`` is null where there is none, because it cannot be decoded.

    ``changes`` says what became of what the new form cannot hold or the old one said: ``first of 5 frames``,
    ``rotated as EXIF says``, ``transparent parts made white``, …
    """

    id: str
    dataset: str
    old_path: str | None = None
    path: str | None = None
    changes: list[str] = Field(default_factory=list)


class CropRow(Record):
    """A part of an image: where it was cut from, in px of the upright image, before and after it was moved inside.

    ``angle`` is that by which the image was turned first, in degrees, so that the eyes are level; the box is in px of
    the turned image then. ``path`` is null, and ``why`` says why, where nothing could be cut.
    """

    id: str
    dataset: str
    region: str
    path: str | None = None
    why: str | None = None
    box: list[int] = Field(default_factory=list)
    shifted: bool = False
    smaller: bool = False
    angle: float = 0.0
    faces: int | None = None


class ExportRow(Record):
    """One exported image.

    ``number`` is its place in the set, from 0; ``label_was`` its label there, ``decision`` what was decided about it.
    ``cluster`` is that of its near-duplicates. ``file`` is its copy, relative to the export; null where there is none.
    """

    number: int
    id: str
    dataset: str
    path: str | None = None
    format: str | None = None
    sha256: str | None = None
    split: Split | None = None
    label: str
    label_was: str | None = None
    decision: str | None = None
    subject: str | None = None
    cluster: int | None = None
    file: str | None = None


class LeftOut(Record):
    """One image that is not in an export, and why; ``path`` is that under the root, null where it stood in a table."""

    id: str
    path: str | None = None
    reason: str
