"""Spotted intervals with labels: the STRS and what it is made of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.predictions import Predictions
from datasets_me.scores.spot_then_recognise import spot_then_recognise
from tests.scores.conftest import annotation, manifest

Read = Callable[..., Predictions]


def row(number: int, first: int, label: str | None, kind: str = "micro"):  # type: ignore[no-untyped-def]
    return annotation(number, onset=first, apex=first + 4, offset=first + 9, class_3=label, type=kind)


def test_by_hand(predictions: Read) -> None:
    rows = [
        row(1, 0, "negative"),
        row(2, 100, "negative"),
        row(3, 200, "positive"),
        row(4, 300, None),
        row(5, 400, "surprise"),
    ]
    lines = ["v1,0,9,Negative", "v1,101,109,positive", "v1,200,208,positive", "v1,300,309,negative", "v1,600,609,joy"]
    scores = spot_then_recognise([manifest(*rows)], [predictions("video,onset,offset,label", *lines)])
    counts = scores.spotting.counts()
    assert (counts.tp, counts.fp, counts.fn) == (4, 1, 1)
    # negative: 1 of 1 predicted so, 1 of 2 labelled so; positive 1 of 2, and 1 of 1; of surprise nothing was hit
    assert scores.precision == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert scores.recall == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert scores.f1 == pytest.approx(1 / 2)
    assert scores.uf1 == pytest.approx((2 / 3 + 2 / 3) / 3)
    assert scores.strs == pytest.approx(0.8 * 0.5)
    assert scores.unlabelled == 1


def test_classes_that_are_only_predicted_and_only_by_another_spelling(predictions: Read) -> None:
    rows = [row(1, 0, "Negative"), row(2, 100, "Negative"), row(3, 200, "positive")]
    lines = ["v1,0,9,NEGATIVE", "v1,100,109,surprise", "v1,200,209,negative"]
    scores = spot_then_recognise([manifest(*rows)], [predictions("video,onset,offset,label", *lines)])
    assert scores.recall == pytest.approx((1 / 2 + 0) / 2)
    assert scores.precision == pytest.approx((1 / 2 + 0) / 2)
    assert [finding.code for finding in scores.findings] == ["ME544"]


def test_one_type_alone(predictions: Read) -> None:
    rows = [row(1, 0, "negative"), row(2, 100, "positive", kind="macro")]
    made = predictions("video,onset,offset,label", "v1,0,9,negative", "v1,100,109,positive")
    counts = spot_then_recognise([manifest(*rows)], [made], kind="micro").spotting.counts()
    assert (counts.tp, counts.fp, counts.fn) == (1, 1, 0)
    typed = predictions("video,onset,offset,label,type", "v1,0,9,negative,micro", "v1,100,109,positive,macro")
    counts = spot_then_recognise([manifest(*rows)], [typed], kind="micro").spotting.counts()
    assert (counts.tp, counts.fp, counts.fn) == (1, 0, 0)


def test_unknown_classes_and_missing_labels(predictions: Read) -> None:
    rows = [row(1, 0, "negative")]
    scores = spot_then_recognise([manifest(*rows)], [predictions("video,onset,offset,label", "v1,0,9,negativ")])
    assert [finding.code for finding in scores.findings] == ["ME544"]
    assert (scores.precision, scores.recall, scores.f1, scores.strs) == (0, 0, 0, 0)
    with pytest.raises(MeDatasetsError, match="the column 'label' is missing"):
        spot_then_recognise([manifest(*rows)], [predictions("video,onset,offset", "v1,0,9")])
    with pytest.raises(MeDatasetsError, match="no annotation has a class_5"):
        made = predictions("video,onset,offset,label", "v1,0,9,a")
        spot_then_recognise([manifest(*rows)], [made], label="class_5")
