"""The rows of ``images groups``."""

from __future__ import annotations

from pydantic import Field

from datasets_me.core.tables import Record
from datasets_me.schema.images import Split


class FaceCoordinates(Record):
    """One face of one image: a row of ``face_coordinates.parquet``.

    ``split`` and ``label`` are those of the photograph. ``number`` is the image's place in the set, ``face`` the face's
    in the image, from 0, the largest first. The box is in px of the upright image, from the first column and row to
    just behind the last, as the detector gave it; it may reach over the border. The five points are in px, with left
    and right as the camera sees them. ``confidence`` is the detector's score, ``residual`` that of the landmarks (see
    ``features.landmarks``: below 0.012 all is well). ``crop`` and ``aligned`` are files relative to the output.
    """

    id: str
    dataset: str
    split: Split | None = None
    label: str | None = None
    number: int
    face: int
    x0: float
    y0: float
    x1: float
    y1: float
    left_eye_x: float
    left_eye_y: float
    right_eye_x: float
    right_eye_y: float
    nose_x: float
    nose_y: float
    left_mouth_x: float
    left_mouth_y: float
    right_mouth_x: float
    right_mouth_y: float
    confidence: float
    residual: float
    landmarks: list[float] = Field(default_factory=list)
    crop: str
    aligned: str


class GroupRow(Record):
    """One image: how many faces it shows, and how many are in its npz; ``why`` says why there is none."""

    id: str
    dataset: str
    number: int
    split: Split | None = None
    label: str | None = None
    faces: int = 0
    used: int = 0
    file: str | None = None
    why: str | None = None
