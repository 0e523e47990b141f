"""Files of predictions: CSV with a header, or npz with one array per column.

Both have one entry per prediction. The annotation or video it is about is given by any of the columns ``annotation``
(the id in the manifest), ``dataset``, ``subject``, ``video``, ``expression``, ``onset``; the image of a set by a
column ``image``, ``id``, ``path`` or the like (see ``schemas/predictions/plain.yaml``). The rest depends on the task:

=============  =====================================================================================================
recognition    ``label``: a class, or its number in ``--classes``; or scores: in a CSV one column ``score_<class>`` per
               class, in an npz ``scores`` (N, C) with ``classes`` (C,)
spotting       ``video``, ``onset``, ``offset``: 0-based frames, both included; optional ``type``: micro or macro,
               ``score``, ``apex``; other programs' files: see `formats.intervals`
ensemble       npz as for recognition with scores; ``part`` (N,): ``validation`` or ``test``; images without it have
               that of their split
=============  =====================================================================================================

Frame numbers are the manifest's. A file with a header and no row, or with empty arrays, has zero predictions. An npz
cannot contain Python objects (it is read without pickle).
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.arrays import ArrayError, load_npz
from datasets_me.core.errors import MeDatasetsError, Place
from datasets_me.core.files import read_regular
from datasets_me.core.text import clean, fold

Counting = Literal["manifest", "workbook", "proposals"]
"""How a file counts frames: see `formats.intervals`."""

KEYS = ("annotation", "dataset", "subject", "video", "expression", "onset")
SCORE = "score_"
"""The beginning of the titles of score columns."""

_NAMED = 20  # columns in a message

_WHOLE = re.compile(r"([+-]?[0-9]{1,9})(?:\.0*)?")
"""The number of a class, with ``.0`` if a tool has written it as a floating-point number."""


@dataclass(frozen=True)
class Predictions:
    """The columns of one file, as text, and its scores, if any.

    ``columns`` are the names of all columns but those of scores; ``rows`` has one mapping per prediction; ``numbers``
    are the lines of the CSV or the 0-based indices of the npz. ``scores`` is (N, C) float64 with ``classes``, or None.
    ``counting`` says how frames are counted.

    Raises:
        MeDatasetsError: a class is given twice.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    numbers: tuple[int, ...]
    scores: NDArray[np.float64] | None = None
    classes: tuple[str, ...] = ()
    counting: Counting = "manifest"

    def __post_init__(self) -> None:
        if repeated := first_repeated(self.classes):
            raise MeDatasetsError(
                f"the class {repeated} is given twice", where=self.name, fix="give every class once, in order"
            )

    def place(self, index: int) -> Place:
        """The place of a prediction in its file."""
        return Place(self.name, None, self.numbers[index])

    def keys(self, index: int) -> dict[str, str]:
        """The columns, and their values, that say what a prediction is about."""
        return {name: value for name in KEYS if (value := self.rows[index].get(name))}

    def class_named(self, text: str, classes: Sequence[str] = ()) -> str:
        """The class with a number among ``classes``, or among the file's; any other text unchanged."""
        number, names = whole_number(text), tuple(classes) or self.classes
        return names[number] if number is not None and 0 <= number < len(names) and text not in names else text


def first_repeated(classes: Sequence[str]) -> str | None:
    """The first class that occurs twice, whatever its spelling, or None."""
    seen: set[str] = set()
    for name in classes:
        if fold(name) in seen:
            return name
        seen.add(fold(name))
    return None


def whole_number(text: str) -> int | None:
    """The whole number in a text, with or without ``.0``; None for any other text."""
    match = _WHOLE.fullmatch(text)
    return int(match[1]) if match else None


def read(path: Path, keys: Sequence[str] | None = KEYS) -> Predictions:
    """Read a file of predictions.

    Args:
        path: a ``.npz``, or any other file as CSV.
        keys: columns of which one must be there; None if that is checked elsewhere.

    Raises:
        MeDatasetsError: there is no such file, it is empty or cannot be read, or no column says what it is about.
    """
    content = content_of(path)
    predictions = read_npz(path, content) if is_npz(content) else _csv(path, text_of(path, content))
    if keys is not None and not set(predictions.columns) & set(keys):
        raise MeDatasetsError(
            "no column says what the predictions are about",
            where=str(path),
            fix=f"add one of {', '.join(keys)}; it has {named(predictions.columns) or 'none'}",
        )
    return predictions


def named(columns: Collection[str]) -> str:
    """The columns of a file, in a message."""
    return ", ".join(sorted(columns)[:_NAMED]) + (", …" if len(columns) > _NAMED else "")


def content_of(path: Path) -> bytes:
    """The bytes of a file of predictions.

    Raises:
        MeDatasetsError: it cannot be read, or is empty.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise MeDatasetsError(f"the predictions cannot be read: {error.strerror}", where=str(path)) from error
    if not content.strip():
        raise MeDatasetsError(
            "the file is empty",
            where=str(path),
            fix="write the predictions again; of a table without any, write the header alone",
        )
    return content


def is_npz(content: bytes) -> bool:
    """Whether the content of a file begins as an npz does."""
    return content[:2] == b"PK"


def text_of(path: Path, content: bytes) -> str:
    """The content of a file as text.

    Raises:
        MeDatasetsError: it is not text in UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fix = "write a CSV, or an npz by numpy.savez"
        raise MeDatasetsError("the file is neither an npz nor text in UTF-8", where=str(path), fix=fix) from error


def read_rows(path: Path, text: str) -> tuple[list[str], list[dict[str, str]], list[int]]:
    """The header of a CSV, its rows that are not empty, and their lines.

    Raises:
        MeDatasetsError: a column occurs twice, or a row has another number of cells than the header.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[dict[str, str]] = []
    numbers: list[int] = []
    try:
        header = [clean(cell) for cell in next(reader, [])]
        repeated = [name for name, count in Counter(filter(None, header)).items() if count > 1]
        if repeated:
            raise MeDatasetsError(f"the column '{min(repeated)}' occurs twice in the header", where=str(path))
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
    return header, rows, numbers


def _csv(path: Path, text: str) -> Predictions:
    header, rows, numbers = read_rows(path, text)
    columns = [name for name in header if name.startswith(SCORE)]
    classes = tuple(name.removeprefix(SCORE) for name in columns)
    scores = np.array([[_number(row.pop(name)) for name in columns] for row in rows]).reshape(len(rows), len(columns))
    others = tuple(name for name in header if name not in columns)
    return Predictions(path.name, others, tuple(rows), tuple(numbers), scores if columns else None, classes)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def read_npz(path: Path, content: bytes) -> Predictions:
    """The arrays of an npz as predictions.

    Raises:
        MeDatasetsError: it is damaged, or its arrays do not fit together.
    """
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
        shown = ", ".join(f"{name} {len(array)}" for name, array in sorted(columns.items()))
        raise MeDatasetsError(f"the arrays differ in length: {shown}", where=str(path))
    if scores is not None and classes and scores.shape[1] != len(classes):
        raise MeDatasetsError(f"scores has {scores.shape[1]} columns, classes {len(classes)} names", where=str(path))
    count = lengths.pop() if columns else 0
    texts = {name: [clean(_text(value)) for value in array.tolist()] for name, array in columns.items()}
    rows = tuple({name: values[index] for name, values in texts.items()} for index in range(count))
    return Predictions(
        path.name,
        tuple(columns),
        rows,
        tuple(range(count)),
        None if scores is None else np.asarray(scores, np.float64),
        classes,
    )


def _text(value: object) -> str:
    """A cell as text; whole numbers without the ``.0`` of float arrays."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
