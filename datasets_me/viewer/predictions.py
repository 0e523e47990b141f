"""What models said about the videos, compared with the annotations as the scores do it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats import intervals
from datasets_me.formats import predictions as prediction_files
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.predictions import Predictions
from datasets_me.scores.recognition import predicted_label
from datasets_me.scores.spotting import spotting
from datasets_me.scores.truth import annotated, assign
from datasets_me.viewer.dataset import Predicted, Spotted


def read(manifest: Manifest, paths: Sequence[Path]) -> Predicted:
    """Read files of predictions: those with onset and offset are intervals, the others labels of annotations.

    Raises:
        MeDatasetsError: a file cannot be read, or has neither intervals nor labels.
    """
    predicted = Predicted()
    spotted, others = list[Predictions](), list[Predictions]()
    for path in paths:
        try:
            spotted.append(intervals.read(path))
        except MeDatasetsError:
            others.append(_labels(path))
    if spotted:
        result = spotting([manifest], spotted)
        predicted.findings += result.findings
        for each in result.compared:
            hits = {index for index, _ in each.pairs}
            predicted.intervals[each.counts.video] += [
                Spotted(each.counts.type, spot.onset, spot.offset, index in hits)
                for index, spot in enumerate(each.spotted)
            ]
    if others:
        truth = annotated([manifest])
        chosen, findings = assign(others, truth)
        predicted.findings += findings
        for position, (file, number) in chosen.items():
            label = predicted_label(file, number, (), truth)
            if label is not None:
                predicted.labels[truth.items[position].id] = label
    return predicted


def _labels(path: Path) -> Predictions:
    file = prediction_files.read(path)
    if "label" not in file.columns and file.scores is None:
        raise MeDatasetsError(
            "the file has neither intervals (onset, offset) nor labels (label, or scores)", where=str(path)
        )
    return file
