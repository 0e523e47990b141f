"""The rows of an audit."""

from __future__ import annotations

from typing import Literal

from datasets_me.core.tables import Record

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
