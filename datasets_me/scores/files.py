"""Files of predictions for what they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datasets_me.formats import image_scores, intervals, predictions
from datasets_me.formats.predictions import Predictions
from datasets_me.scores.truth import Truth, image_keys


def read_predictions(paths: Sequence[Path], truth: Truth) -> list[Predictions]:
    """The predictions in files, each of which names annotations or images, as the truth has them.

    A file about images may hold several models, and name no image if it stands in the order of the set.

    Raises:
        MeDatasetsError: a file cannot be read, or nothing says what its predictions are about.
    """
    if truth.noun != "image":
        return [predictions.read(path, keys=predictions.KEYS) for path in paths]
    keys, ids, labels = image_keys(), [item.id for item in truth.items], [item.label for item in truth.items]
    return [model for path in paths for model in image_scores.read(path, keys, ids, labels)]


def read_intervals(paths: Sequence[Path]) -> list[Predictions]:
    """The spotted intervals in files.

    Raises:
        MeDatasetsError: a file cannot be read, or has no video, onset and offset.
    """
    return [intervals.read(path) for path in paths]
