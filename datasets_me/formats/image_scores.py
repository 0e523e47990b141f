"""Predictions of images by one model or several: probabilities or logits, named by id, or in the order of the set.

An npz may hold, besides what `formats.predictions` reads:

======================  ==========================================================================================
``logits`` (N, C)       in place of ``scores``; a softmax makes probabilities of them
``scores`` (M, N, C)    those of M models, which ``models`` (M,) may name; ``logits`` likewise
``labels`` (N,)         in place of names of the images: the predictions stand in the order of the set, which is
                        believed only if these are the set's labels
======================  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.arrays import ArrayError, load_npz
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.text import fold
from datasets_me.formats import predictions
from datasets_me.formats.predictions import Predictions, whole_number

Scores = NDArray[np.float64]


def read(path: Path, keys: Sequence[str], ids: Sequence[str], labels: Sequence[str | None]) -> list[Predictions]:
    """The predictions of every model in a file.

    Args:
        path: a CSV or npz.
        keys: columns that may name an image.
        ids: of all images of the set, in order.
        labels: of the same.

    Raises:
        MeDatasetsError: the file cannot be read, its arrays do not fit together, or nothing says which image a
            prediction is about.
    """
    content = predictions.content_of(path)
    if not predictions.is_npz(content):
        return [predictions.read(path, keys=keys)]
    try:
        arrays = load_npz(content)
    except ArrayError:
        return [predictions.read(path, keys=keys)]  # which says what is wrong
    stacked, names = _models(path, arrays)
    if stacked is None:
        return [predictions.read(path, keys=keys)]
    columns = {name: [_text(value) for value in each.tolist()] for name, each in arrays.items() if each.ndim == 1}
    classes = tuple(columns.pop("classes", []))
    columns.pop("models", None)
    count = stacked.shape[1]
    if not set(columns) & set(keys):
        columns = {**columns, keys[0]: _in_order(path, columns.get("labels"), ids, labels, classes, count)}
    if wrong := [name for name, values in columns.items() if len(values) != count]:
        raise MeDatasetsError(f"{wrong[0]} has {len(columns[wrong[0]])} entries, the scores {count}", where=str(path))
    if classes and len(classes) != stacked.shape[2]:
        raise MeDatasetsError(
            f"the scores have {stacked.shape[2]} columns, classes {len(classes)} names", where=str(path)
        )
    columns.pop("labels", None)
    rows = tuple({name: values[at] for name, values in columns.items()} for at in range(count))
    first = Predictions(path.name, tuple(columns), rows, tuple(range(count)), None, classes)
    return [replace(first, name=name, scores=scores) for name, scores in zip(names, stacked, strict=True)]


def _models(path: Path, arrays: dict[str, NDArray[Any]]) -> tuple[Scores | None, list[str]]:
    """Probabilities (M, N, C) and the names of the models; None for a file without scores."""
    array = arrays.get("scores", arrays.get("logits"))
    if array is None:
        return None, []
    if array.ndim not in (2, 3) or array.dtype.kind not in "fiu":
        raise MeDatasetsError(
            "scores must be numbers of shape (images, classes) or (models, images, classes), "
            f"not {array.dtype} {array.shape}",
            where=str(path),
        )
    stacked = np.asarray(array if array.ndim == 3 else array[None], np.float64)
    names = [str(name) for name in arrays.get("models", np.array([], str)).ravel().tolist()]
    if names and len(names) != len(stacked):
        raise MeDatasetsError(f"{len(stacked)} models have scores, and {len(names)} names", where=str(path))
    if not names:
        names = [path.name] if array.ndim == 2 else [f"{path.name} ({number})" for number in range(1, len(stacked) + 1)]
    return (stacked if "scores" in arrays else softmax(stacked)), names


def softmax(logits: Scores) -> Scores:
    """Probabilities along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float64)


def _in_order(
    path: Path,
    file_labels: list[str] | None,
    ids: Sequence[str],
    labels: Sequence[str | None],
    classes: Sequence[str],
    count: int,
) -> list[str]:
    """The ids of the images, if the labels that the file gives are those of the set in its order."""
    if file_labels is None:
        raise MeDatasetsError(
            "nothing says which images the predictions are about",
            where=str(path),
            fix="add an array id; or labels, if the predictions stand in the order of the set",
        )
    if count != len(ids):
        raise MeDatasetsError(f"{count:,} predictions in order, and the set has {len(ids):,} images", where=str(path))
    numbers = [whole_number(text) for text in file_labels]
    known = dict(enumerate(classes))
    words = [
        known.get(number, text) if number is not None else text
        for number, text in zip(numbers, file_labels, strict=True)
    ]
    for at, (word, label) in enumerate(zip(words, labels, strict=True)):
        if label is not None and fold(word) != fold(label):
            raise MeDatasetsError(
                "the predictions do not stand in the order of the set: "
                f"entry {at} is labelled {word}, {ids[at]} {label}",
                where=str(path),
                fix="add an array id with the images' names",
            )
    return list(ids)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
