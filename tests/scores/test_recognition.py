"""Recognition: folds summed first, several datasets, and every doubt a finding."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.predictions import Predictions
from datasets_me.formats.records import SplitRow
from datasets_me.scores.recognition import recognition
from datasets_me.scores.truth import OfSplit, annotated
from tests.scores.conftest import annotation, manifest

Read = Callable[..., Predictions]


def test_counts_are_summed_over_folds_before_f1(predictions: Read) -> None:
    rows = [annotation(i, subject=f"sub0{i % 2}", emotion=label) for i, label in enumerate("aabb")]
    folds = [
        predictions("annotation,label", "v1:0,a", "v1:2,a", name="fold0.csv"),
        predictions("annotation,label", "v1:1,b", "v1:3,b", name="fold1.csv"),
    ]
    found = recognition(annotated([manifest(*rows)]), folds)
    # summed: a has TP 1, FN 1, FP 1; b the same. The mean over folds would be (1/3 + 1/3) / 2.
    assert found.pooled.counts.tolist() == [[1, 1], [1, 1]]
    assert found.pooled.uf1 == pytest.approx(0.5)
    assert [(fold.subject, fold.annotations, fold.right) for fold in found.folds] == [("sub00", 2, 1), ("sub01", 2, 1)]
    assert {fold.dataset for fold in found.folds} == {"casme2"}
    assert found.findings == []


def test_datasets_alone_and_together(predictions: Read) -> None:
    one = manifest(annotation(1, emotion="a"), annotation(2, emotion="b"))
    other = manifest(annotation(1, dataset="samm", id="w1:1", video="w1", emotion="a"), dataset="samm")
    found = recognition(annotated([one, other]), [predictions("annotation,label", "v1:1,a", "v1:2,b", "w1:1,b")])
    assert {name: matrix.accuracy for name, matrix in found.groups.items()} == {"casme2": 1.0, "samm": 0.0}
    assert found.pooled.total == 3
    with pytest.raises(MeDatasetsError, match="two manifests are of casme2"):
        recognition(annotated([one, one]), [predictions("annotation,label", "v1:1,a")])


def test_every_doubt_is_a_finding(predictions: Read) -> None:
    rows = [
        annotation(1, emotion="happiness"),
        annotation(2, emotion="sadness"),
        annotation(3, emotion=None),
        annotation(4, emotion="sadness", expression="e4"),
    ]
    made = predictions(
        "annotation,video,label",
        "v1:1,v1,Happiness",  # spelling aside, right
        "v1:1,v1,sadness",
        ",v1,sadness",
        "v1:9,v1,sadness",
        "v1:2,v1,happines",
    )
    found = recognition(annotated([manifest(*rows)]), [made])
    assert [(finding.code, finding.message) for finding in found.findings] == [
        ("ME542", "v1:1 was predicted before, at fold.csv, row 2; that one counts"),
        ("ME541", "4 annotations have video v1: v1:1, v1:2, v1:3"),
        ("ME540", "no annotation has annotation v1:9, video v1"),
        ("ME545", "v1:3 has no emotion; it is not scored"),
        ("ME543", "v1:4 (sadness) has no prediction; it counts as wrong"),
        ("ME544", "'happines' was predicted 1 time, but is the label of no annotation; did you mean 'happiness'?"),
    ]
    assert found.pooled.right == 1
    assert found.pooled.total == 3
    assert found.unscored == {"casme2": 1}


def test_names_are_matched_to_the_letter_first(predictions: Read) -> None:
    rows = [annotation(i, id=name, video=name, emotion="a") for i, name in enumerate(["1_1", "11"])]
    made = predictions("video,label", "1_1,a", "11,a")
    assert recognition(annotated([manifest(*rows)]), [made]).findings == []


def test_scores_and_numbers(predictions: Read) -> None:
    rows = [annotation(1, emotion="a"), annotation(2, emotion="b")]
    by_score = predictions("annotation,score_b,score_a", "v1:1,0.1,0.9", "v1:2,nan,0.2")
    found = recognition(annotated([manifest(*rows)]), [by_score])
    assert found.pooled.right == 1
    assert [finding.code for finding in found.findings] == ["ME546"]
    by_score = predictions("annotation,score_b,score_a", "v1:1,0,0", "v1:2,0.5,0.5")  # of these, no class is chosen
    found = recognition(annotated([manifest(*rows)]), [by_score])
    assert (found.pooled.right, [finding.code for finding in found.findings]) == (0, ["ME546", "ME546"])
    by_number = predictions("annotation,label", "v1:1,1", "v1:2,0")
    assert recognition(annotated([manifest(*rows)]), [by_number], classes=["b", "a"]).pooled.right == 2
    with pytest.raises(MeDatasetsError, match="it is not known which class number 1 is"):
        recognition(annotated([manifest(*rows)]), [by_number])


def test_a_label_counts_more_than_scores(predictions: Read) -> None:
    rows = [annotation(1, emotion="a"), annotation(2, emotion="b")]
    made = predictions("annotation,label,score_a,score_b", "v1:1,a,0.2,0.8", "v1:2,,0.2,0.8")
    assert recognition(annotated([manifest(*rows)]), [made]).pooled.right == 2


@pytest.mark.parametrize(("text", "right"), [("1.0", True), ("1.", True), ("0.0", False), ("0", False)])
def test_numbers_with_a_point_are_those_without(predictions: Read, text: str, right: bool) -> None:
    made = predictions("annotation,label", f"v1:1,{text}")
    found = recognition(annotated([manifest(annotation(1, emotion="a"))]), [made], classes=["b", "a"])
    assert found.pooled.right == right
    assert [finding.code for finding in found.findings] == ([] if right else ["ME544"])


@pytest.mark.parametrize("text", ["7", "7.0", "-1", "-1.0"])
def test_numbers_of_no_class(predictions: Read, text: str) -> None:
    made = predictions("annotation,label", f"v1:1,{text}")
    with pytest.raises(MeDatasetsError, match=f"it is not known which class number {int(float(text))} is"):
        recognition(annotated([manifest(annotation(1, emotion="a"))]), [made], classes=["b", "a"])


def test_a_class_given_twice(predictions: Read) -> None:
    made = predictions("annotation,label", "v1:1,1")
    with pytest.raises(MeDatasetsError, match="the class Negative is given twice"):
        recognition(annotated([manifest(annotation(1, emotion="negative"))]), [made], classes=["negative", "Negative"])


def test_only_what_a_split_tests(predictions: Read) -> None:
    rows = [annotation(1, emotion="a"), annotation(2, emotion="a"), annotation(3, emotion="a", video="v2")]
    made = predictions("annotation,label", "v1:1,b", "v1:2,a")
    one = SplitRow(fold="f", part="test", dataset="casme2", subject="sub01", video="v1", annotation="v1:2")
    found = recognition(annotated([manifest(*rows)], tested=OfSplit([one])), [made])
    assert (found.pooled.right, found.pooled.total) == (1, 1)
    assert found.findings == []
    whole = SplitRow(fold="f", part="test", dataset="casme2", subject="sub01", video="v1")
    assert recognition(annotated([manifest(*rows)], tested=OfSplit([whole])), [made]).pooled.total == 2
    with pytest.raises(MeDatasetsError, match="the split has no test part"):
        OfSplit([whole.model_copy(update={"part": "train"})])


def test_only_one_type(predictions: Read) -> None:
    rows = [annotation(1, emotion="a"), annotation(2, emotion="a", type="macro")]
    made = predictions("annotation,label", "v1:1,a", "v1:2,a")
    found = recognition(annotated([manifest(*rows)], kind="macro"), [made])
    assert found.pooled.total == 1
    assert found.findings == []
    with pytest.raises(MeDatasetsError, match="no annotation has a class_3"):
        recognition(annotated([manifest(*rows)], "class_3"), [made])
