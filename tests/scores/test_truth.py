"""Which annotation a prediction is about, and where the findings about it point."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.predictions import Predictions
from datasets_me.formats.records import SplitRow
from datasets_me.scores.truth import Index, OfSplit, all_annotations, annotated, assign, without
from tests.scores.conftest import annotation, manifest

Read = Callable[..., Predictions]
ROWS = [
    annotation(1, expression="e1"),
    annotation(2, expression="e2", onset=40),
    annotation(3, video="V_02", subject="sub02", expression=None, dataset="samm"),
]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"annotation": "v1:1"}, [0]),
        ({"video": "v1"}, [0, 1]),
        ({"video": "v1", "onset": "40"}, [1]),
        ({"onset": "10", "video": "v1"}, [0]),
        ({"video": " V1 "}, [0, 1]),  # to the letter none, but for case and spaces two
        ({"video": "v 02"}, [2]),
        ({"subject": "sub2"}, []),
        ({"dataset": "samm", "onset": "010"}, [2]),
        ({"expression": "e9"}, []),
        ({}, [0, 1, 2]),
    ],
)
def test_columns_find_what_agrees_with_all_of_them(keys: dict[str, str], found: list[int]) -> None:
    assert Index(ROWS).find(keys) == found


def test_names_to_the_letter_come_first() -> None:
    index = Index([annotation(1, video="1_1"), annotation(2, video="11")])
    assert [index.find({"video": name}) for name in ("1_1", "11", "1 1")] == [[0], [1], [0, 1]]


def test_each_annotation_has_one_prediction_and_the_rest_is_said(predictions: Read) -> None:
    first = predictions("annotation,video,label", "v1:1,,a", ",v1,b", "v1:1,,c", name="one.csv")
    second = predictions("annotation,label", "v1:2,d", "v1:1,e", "v9:1,f", name="two.csv")
    chosen, found = assign([first, second], annotated([manifest(*ROWS[:2])]))
    assert chosen == {0: (first, 0), 1: (second, 0)}
    assert [(one.code, one.where, one.video, one.message) for one in found] == [
        ("ME541", "one.csv, row 3", "v1", "2 annotations have video v1: v1:1, v1:2"),
        ("ME542", "one.csv, row 4", "v1", "v1:1 was predicted before, at one.csv, row 2; that one counts"),
        ("ME542", "two.csv, row 3", "v1", "v1:1 was predicted before, at one.csv, row 2; that one counts"),
        ("ME540", "two.csv, row 4", None, "no annotation has annotation v9:1"),
    ]


def test_of_several_videos_the_first_is_named(predictions: Read) -> None:
    chosen, (found,) = assign([predictions("onset,label", "10,a")], annotated([manifest(*ROWS)]))
    assert chosen == {}
    assert (found.code, found.video, found.message) == ("ME541", "v1", "2 annotations have onset 10: v1:1, v1:3")


def test_a_prediction_of_nothing_named_says_so(predictions: Read) -> None:
    chosen, (found,) = assign([predictions("video,label", ",a")], annotated([manifest(*ROWS[:2])]))
    assert chosen == {}
    assert (found.code, found.message) == ("ME541", "2 annotations have an empty name: v1:1, v1:2")


def test_findings_point_into_the_workbook() -> None:
    found = without(ROWS[1], "ME545", "it has no emotion; it is not scored")
    assert (found.where, found.subject, found.video) == ("book.xlsx, sheet 'Sheet1', row 3", "sub01", "v1")


def test_annotations_of_all_datasets_in_order() -> None:
    other = manifest(ROWS[2], dataset="samm")
    assert all_annotations([other, manifest(*ROWS[:2])]) == [ROWS[2], *ROWS[:2]]
    with pytest.raises(MeDatasetsError, match="the manifest has no annotations"):
        all_annotations([manifest()])


def test_what_a_split_tests() -> None:
    def row(part: str, video: str, one: str | None) -> SplitRow:
        return SplitRow(fold="f", part=part, dataset="casme2", subject="s", video=video, annotation=one)

    tested = OfSplit([row("test", "v1", "v1:1"), row("test", "v2", None), row("train", "v3", None)])
    others = [annotation(4, video="v2"), annotation(5, video="v3"), annotation(6, video="v2", dataset="samm")]
    assert [tested.annotation(one) for one in (*ROWS[:2], *others)] == [True, False, True, False, False]
    assert [tested.video(one) for one in (*ROWS[:2], *others)] == [True, True, True, False, False]
