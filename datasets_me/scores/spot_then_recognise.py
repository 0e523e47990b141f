"""How well expressions were spotted in long videos and then recognised: the STRS.

Liong, See, Chan: Spot-then-recognize: A micro-expression analysis network for seamless evaluation of long videos
(Signal Processing: Image Communication 110, 2023), and the spot-then-recognise task of MEGC 2024 and 2025: STRS is
the F1 of spotting times the F1 of analysis. The analysis takes the hits of spotting alone, and of these the ones
whose annotation has a label: precision and recall of each class, their unweighted means over all classes that are
annotated, and the harmonic mean of the two. A class of which nothing was hit has zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datasets_me.core.choices import EmotionLabel, ExpressionType
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.text import fold
from datasets_me.findings.finding import Finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.predictions import Predictions
from datasets_me.scores.confusion import Confusion, confusion
from datasets_me.scores.recognition import unknown_classes
from datasets_me.scores.spotting import IOU, Spotting, spotting
from datasets_me.scores.truth import OfSplit


@dataclass(frozen=True)
class SpotThenRecognise:
    """The scores of spotting, and the labels of its hits in ``recognised``.

    ``unlabelled`` counts hits of annotations without a label, which are not analysed.
    """

    label: str
    spotting: Spotting
    recognised: Confusion
    unlabelled: int
    findings: list[Finding]

    @property
    def precision(self) -> float:
        """The mean over classes of right predictions among the hits predicted so, 0 where there are none."""
        size = len(self.recognised.classes)
        return self._mean(self.recognised.counts[:, :size].sum(axis=0))

    @property
    def recall(self) -> float:
        """The mean over classes of right predictions among the hits labelled so, 0 where there are none."""
        return self._mean(self.recognised.counts.sum(axis=1))

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def uf1(self) -> float:
        """The mean of the classes' F1 among hits, 0 for a class of which nothing was hit."""
        return sum(self.recognised.f1().values()) / len(self.recognised.classes)

    @property
    def strs(self) -> float:
        """F1 of spotting times F1 of analysis."""
        return self.spotting.counts().f1 * self.f1

    def _mean(self, totals: np.ndarray) -> float:
        right = np.diag(self.recognised.counts)
        return float(np.mean(right / np.maximum(totals, 1)))


def spot_then_recognise(
    manifests: Sequence[Manifest],
    files: Sequence[Predictions],
    *,
    label: EmotionLabel = "class_3",
    kind: ExpressionType | None = None,
    missing: str = "mirror",
    threshold: float = IOU,
    tested: OfSplit | None = None,
) -> SpotThenRecognise:
    """Score spotted intervals with a label each.

    Args:
        manifests: the annotations.
        files: the intervals, with the column ``label``.
        label: the label that is predicted.
        kind: only annotations of this type.
        missing: how a missing offset is read.
        threshold: the least IoU of a hit.
        tested: only in the videos that a split tests.

    Raises:
        MeDatasetsError: the predictions have no labels, no annotation has one, or an argument cannot be used.
    """
    for file in files:
        if "label" not in file.columns:
            raise MeDatasetsError("the column 'label' is missing", where=file.name, fix="add the predicted classes")
    spotted = spotting(manifests, files, missing=missing, threshold=threshold, tested=tested, kind=kind, label=label)
    known = sorted({spot.label for each in spotted.compared for spot in each.annotated if spot.label is not None})
    if not known:
        raise MeDatasetsError(f"no annotation has a {label}", fix="choose another --label")
    spelt = {fold(name): name for name in known}
    hits = [hit for each in spotted.compared for hit in each.hits()]
    labelled = [(spot.label, truth.label) for spot, truth in hits if truth.label is not None]
    guesses = [spelt.get(fold(guess), guess) if guess else None for guess, _ in labelled]
    matrix = confusion([name for _, name in labelled], guesses, known)
    findings = [*spotted.findings, *unknown_classes(guesses, known, "annotation")]
    return SpotThenRecognise(label, spotted, matrix, len(hits) - len(labelled), findings)
