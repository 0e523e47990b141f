"""Files of predictions for what they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datasets_me.formats import predictions
from datasets_me.formats.predictions import Predictions
from datasets_me.scores.truth import Truth, image_keys


def read_predictions(paths: Sequence[Path], truth: Truth) -> list[Predictions]:
    """The predictions in files, each of which names annotations or images, as the truth has them.

    Raises:
        MeDatasetsError: a file cannot be read, or names neither.
    """
    keys = image_keys() if truth.noun == "image" else predictions.KEYS
    return [predictions.read(path, keys=keys) for path in paths]


def read_intervals(paths: Sequence[Path]) -> list[Predictions]:
    """The spotted intervals in files.

    Raises:
        MeDatasetsError: a file cannot be read, or has no video, onset and offset.
    """
    return [predictions.read(path, ["video", "onset", "offset"]) for path in paths]
