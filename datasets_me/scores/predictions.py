"""Files of predictions: CSV with a header, or npz with one array per column.

Both have one entry per prediction. Which annotation or video it is about stands in any of the columns ``annotation``
(the id in the manifest), ``dataset``, ``subject``, ``video``, ``expression``, ``onset``; the rest depends on the task:

=============  =====================================================================================================
recognition    ``label``: a class, or its number in ``--classes``; or scores: in a CSV one column ``score_<class>`` per
               class, in an npz ``scores`` (N, C) with ``classes`` (C,)
spotting       ``video``, ``onset``, ``offset``: 0-based frames, both included; optional ``type``: micro or macro
ensemble       npz as for recognition with scores; ``part`` (N,): ``validation`` or ``test``
=============  =====================================================================================================

Frame numbers are the manifest's. An npz never holds Python objects (it is read without pickle).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.arrays import ArrayError, load_npz
from datasets_me.core.errors import MeDatasetsError, Place
from datasets_me.core.files import read_regular
from datasets_me.core.text import clean, closest

KEYS = ("annotation", "dataset", "subject", "video", "expression", "onset")
_SCORE = "score_"


@dataclass(frozen=True)
class Predictions:
    """The columns of one file, as text, with its scores where it has them.

    ``rows`` holds one mapping per prediction; ``numbers`` the line of the CSV or the 0-based index of the npz.
    ``scores`` is (N, C) float64 with its ``classes``, or None.
    """

    name: str
    rows: tuple[dict[str, str], ...]
    numbers: tuple[int, ...]
    scores: NDArray[np.float64] | None = None
    classes: tuple[str, ...] = ()

    def place(self, index: int) -> Place:
        """Where a prediction stands."""
        return Place(self.name, None, self.numbers[index])

    def keys(self, index: int) -> dict[str, str]:
        """The columns, and their values, that say what a prediction is about."""
        return {name: value for name in KEYS if (value := self.rows[index].get(name))}


def read(path: Path, needs: Sequence[str] = ()) -> Predictions:
    """Read a file of predictions.

    Args:
        path: a ``.npz``, or any other file as CSV.
        needs: columns that must be there.

    Raises:
        MeDatasetsError: there is no such file, it cannot be read, or a column is missing.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise MeDatasetsError(f"the predictions cannot be read: {error.strerror}", where=str(path)) from error
    made = _npz(path, content) if content[:2] == b"PK" else _csv(path, content)
    if not made.rows:
        raise MeDatasetsError("the file holds no predictions", where=str(path))
    names = set(made.rows[0])
    for column in needs:
        if column not in names:
            near = closest(column, names)
            hint = f"is '{near}' meant as {column}?" if near else f"it has: {', '.join(sorted(names))}"
            raise MeDatasetsError(f"the column '{column}' is missing", where=str(path), fix=hint)
    if not names & set(KEYS):
        raise MeDatasetsError(
            "no column says what the predictions are about", where=str(path), fix=f"add one of {', '.join(KEYS)}"
        )
    return made


def _csv(path: Path, content: bytes) -> Predictions:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MeDatasetsError("the file is neither an npz nor text in UTF-8", where=str(path)) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[dict[str, str]] = []
    numbers: list[int] = []
    try:
        header = [clean(cell) for cell in next(reader, [])]
        repeated = {name for name in header if header.count(name) > 1}
        if repeated:
            raise MeDatasetsError(f"the column '{min(repeated)}' stands twice in the header", where=str(path))
        for cells in reader:
            if not any(clean(cell) for cell in cells):
                continue
            if len(cells) != len(header):
                raise MeDatasetsError(
                    f"the row has {len(cells)} cells, the header {len(header)}",
                    where=str(Place(str(path), None, reader.line_num)),
                )
            rows.append(dict(zip(header, map(clean, cells), strict=True)))
            numbers.append(reader.line_num)
    except csv.Error as error:
        raise MeDatasetsError(f"not a CSV: {error}", where=f"{path}, line {reader.line_num}") from error
    columns = [name for name in header if name.startswith(_SCORE)]
    classes = tuple(name.removeprefix(_SCORE) for name in columns)
    scores = np.array([[_number(row.pop(name)) for name in columns] for row in rows]) if columns and rows else None
    return Predictions(path.name, tuple(rows), tuple(numbers), scores, classes)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _npz(path: Path, content: bytes) -> Predictions:
    try:
        arrays = load_npz(content)
    except ArrayError as error:
        raise MeDatasetsError(
            f"the npz cannot be read: {error}",
            where=str(path),
            fix="write plain arrays; texts as np.array(texts), not as objects",
        ) from error
    classes = tuple(map(str, arrays.pop("classes", np.array([], str)).ravel().tolist()))
    scores = arrays.pop("scores", None)
    if scores is not None and (scores.ndim != 2 or scores.dtype.kind not in "fiu"):
        raise MeDatasetsError(
            f"scores must be numbers of shape (predictions, classes), not {scores.dtype} {scores.shape}",
            where=str(path),
        )
    columns = {name: array for name, array in arrays.items() if array.ndim == 1}
    lengths = {len(array) for array in [*columns.values(), *([] if scores is None else [scores])]}
    if len(lengths) > 1:
        said = ", ".join(f"{name} {len(array)}" for name, array in sorted(columns.items()))
        raise MeDatasetsError(f"the arrays differ in length: {said}", where=str(path))
    if scores is not None and classes and scores.shape[1] != len(classes):
        raise MeDatasetsError(f"scores has {scores.shape[1]} columns, classes {len(classes)} names", where=str(path))
    count = lengths.pop() if columns else 0
    texts = {name: [clean(_text(value)) for value in array.tolist()] for name, array in columns.items()}
    rows = tuple({name: values[index] for name, values in texts.items()} for index in range(count))
    return Predictions(
        path.name,
        rows,
        tuple(range(count)),
        None if scores is None else np.asarray(scores, np.float64),
        classes,
    )


def _text(value: object) -> str:
    """A cell as text: whole numbers without the point that float arrays give them."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
