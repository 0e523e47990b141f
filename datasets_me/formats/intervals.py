"""Files of spotted intervals, as this program and others write them.

==============================  ====================================  ============================================
columns                         written by                            frames
==============================  ====================================  ============================================
video, onset, offset            users of this program                 of the manifest: 0-based
video_name, start_frame,        the proposals of AUW-GCN, ABPN and    1-based, at the rate of the schema's
end_frame                       others of their family                ``auwgcn_csv``
vid, onset, offset              submissions to MEGC spotting tasks    of the workbook
video, onset, offset, emotion   MEGC's spot-then-recognise task       of the workbook
==============================  ====================================  ============================================

In each, ``apex``, ``score``, a type and a label may be there or not. The network of AUW-GCN adds 1 to the 0-based
index of a feature (``_cal_proposal`` in ``utils/eval_utils.py`` of github.com/xjtupanda/AUW-GCN); its ``type_idx`` is
1 for macro- and 2 for micro-expressions. The columns of MEGC's submissions are those of the templates of the
challenges since 2022 (``vid,pred_onset,pred_offset,type`` with types ``me`` and ``mae``) and of
github.com/genbing99/STRS-Metric.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from datasets_me.core import rates
from datasets_me.core.choices import ExpressionType
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.text import closest, fold
from datasets_me.formats import predictions
from datasets_me.formats.predictions import Counting, Predictions
from datasets_me.schema.spec import Spec

NEEDED = ("video", "onset", "offset")
_USUAL: Mapping[str, ExpressionType] = {"me": "micro", "mae": "macro"}


@dataclass(frozen=True)
class Form:
    """The columns of one kind of file.

    ``names`` are the titles, theirs by ours, of which the first that is there counts; ``marks`` are the columns that
    no other kind of file has; ``types`` are the types by the words for them.
    """

    marks: tuple[str, ...]
    names: Mapping[str, Sequence[str]]
    counting: Counting
    types: Mapping[str, ExpressionType] = field(default_factory=lambda: _USUAL)


_FORMS = (
    Form(
        ("video_name", "start_frame", "end_frame"),
        {
            "video": ["video_name"],
            "onset": ["start_frame"],
            "offset": ["end_frame"],
            "apex": ["apex_frame"],
            "type": ["type_idx"],
        },
        "proposals",
        {"1": "macro", "2": "micro"},
    ),
    Form(
        ("vid",), {"video": ["vid"], "onset": ["onset", "pred_onset"], "offset": ["offset", "pred_offset"]}, "workbook"
    ),
    Form(("video", "emotion"), {"label": ["emotion"]}, "workbook"),
)


def read(path: Path) -> Predictions:
    """A file of intervals with the columns ``video``, ``onset``, ``offset``, whoever wrote it.

    Raises:
        MeDatasetsError: the file cannot be read, or has no such columns.
    """
    file = predictions.read(path, keys=None)
    form = next((form for form in _FORMS if set(form.marks) <= set(file.columns)), None)
    if form is not None:
        file = _renamed(file, form)
    for column in NEEDED:
        if column not in file.columns:
            near = closest(column, file.columns)
            hint = f"is '{near}' meant as {column}?" if near else f"it has: {predictions.named(file.columns)}"
            raise MeDatasetsError(f"the column '{column}' is missing", where=str(path), fix=hint)
    return file


def _renamed(file: Predictions, form: Form) -> Predictions:
    ours = {
        title: name
        for name, titles in form.names.items()
        for title in [next((title for title in titles if title in file.columns), None)]
        if title is not None
    }
    rows = []
    for cells in file.rows:
        row = {ours.get(title, title): text for title, text in cells.items()}
        if "type" in row:
            row["type"] = form.types.get(fold(row["type"]), row["type"])
        rows.append(row)
    return replace(
        file, columns=tuple(ours.get(title, title) for title in file.columns), rows=tuple(rows), counting=form.counting
    )


def first_frame(number: int, counting: Counting, spec: Spec, fps: float) -> int:
    """The 0-based frame with which a number of a file begins, in a video of ``fps``; negative before the video."""
    if counting == "manifest":
        return number
    if counting == "workbook":
        return number - spec.workbook.frames.base
    step = rates.ratio(fps, spec.auwgcn_csv.fps if spec.auwgcn_csv else fps)
    return rates.shown(number - 1, step)


def last_frame(number: int, counting: Counting, spec: Spec, fps: float) -> int:
    """The same for the last frame that a number of a file stands for: at a lower rate, each stands for several."""
    return first_frame(number + 1, counting, spec, fps) - 1
