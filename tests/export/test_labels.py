"""Labels of every frame: each rule, and each thing that is said."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_me.export import labels
from datasets_me.export.labels import Span
from tests.export.builders import annotation

SPAN = Span("casme_015_0401", start=0, count=100, frames=101, fps=30.0)


def marks(label: labels.LabelRow) -> tuple[int | None, ...]:
    return label.onset, label.apex, label.offset, label.first, label.last


@pytest.mark.parametrize(
    ("frames", "offset_missing", "expected", "said"),
    [
        ((10, 14, 20), "mirror", (10, 14, 20, 10, 20), {}),
        ((0, 4, 9), "mirror", (0, 4, 9, 0, 9), {}),
        (
            (10, 14, None),
            "mirror",
            (10, 14, 18, 10, 18),
            {"ME506": "the offset is not annotated; read as 18, as far after the apex as the onset lies before it"},
        ),
        ((10, 14, None), "apex", (10, 14, 14, 10, 14), {"ME506": "the offset is not annotated; read as 14, the apex"}),
        (
            (10, 14, None),
            "fixed:20",
            (10, 14, 34, 10, 34),
            {"ME506": "the offset is not annotated; read as 34, 20 frames after the apex"},
        ),
        (
            (10, 14, None),
            "drop",
            (None,) * 5,
            {"ME503": "the offset is not annotated, and --offset-missing drop leaves such rows out"},
        ),
        (
            (10, None, 21),
            "mirror",
            (10, 15, 21, 10, 21),
            {"ME507": "the apex is not annotated; read as 15, the middle"},
        ),
        ((10, None, None), "mirror", (None,) * 5, {"ME503": "neither apex nor offset is annotated"}),
        (
            (None, 14, 20),
            "mirror",
            (None,) * 5,
            {"ME503": "the onset is not annotated, so the position of the expression is unknown"},
        ),
        ((10, 14, 8), "mirror", (None,) * 5, {"ME503": "the offset, frame 8, lies before the onset, 10"}),
        ((10, 33, 31), "mirror", (10, None, 31, 10, 31), {"ME508": "the apex, frame 33, lies outside 10 to 31"}),
        (
            (90, 95, 100),
            "mirror",
            (90, 95, 99, 90, 99),
            {"ME505": "the offset, frame 100, has no motion after it: marked at 99, the last feature"},
        ),
        (
            (90, 95, 108),
            "mirror",
            (90, 95, None, 90, 99),
            {"ME505": "the offset, frame 108, lies after the last frame, 100: no offset is marked"},
        ),
        (
            (90, 100, 100),
            "mirror",
            (90, 99, 99, 90, 99),
            {"ME505": "the offset, frame 100, has no motion after it: marked at 99, the last feature"},
        ),
        (
            (90, 104, 108),
            "mirror",
            (90, None, None, 90, 99),
            {
                "ME505": "the offset, frame 108, lies after the last frame, 100: no offset is marked",
                "ME508": "the apex, frame 104, lies outside the video's frames",
            },
        ),
        ((99, 99, 99), "mirror", (99, 99, 99, 99, 99), {}),
        (
            (99, 101, 101),
            "mirror",
            (99, None, None, 99, 99),
            {
                "ME505": "the offset, frame 101, lies after the last frame, 100: no offset is marked",
                "ME508": "the apex, frame 101, lies outside the video's frames",
            },
        ),
        ((10, 10, 9), "mirror", (None,) * 5, {"ME503": "the offset, frame 9, lies before the onset, 10"}),
        ((10, 9, 20), "mirror", (10, None, 20, 10, 20), {"ME508": "the apex, frame 9, lies outside 10 to 20"}),
        ((100, 104, 108), "mirror", (None,) * 5, {"ME504": "frames 100 to 108, the features cover 0 to 99"}),
    ],
)
def test_the_rules(
    frames: tuple[int | None, ...], offset_missing: str, expected: tuple[int | None, ...], said: dict[str, str]
) -> None:
    label, found = labels.read(annotation(3, *frames), SPAN, offset_missing)
    assert marks(label) == expected
    assert {finding.code: finding.message for finding in found} == said
    assert all(finding.where.startswith("book.xlsx, sheet 'codes', cell ") for finding in found)
    array = labels.array([label], SPAN)
    assert array.shape == (SPAN.count, len(labels.CHANNELS))
    assert int(array.sum()) == sum(mark is not None for mark in expected[:3]) + (
        0 if label.first is None or label.last is None else label.last - label.first + 1
    )


def test_a_video_that_begins_later() -> None:
    span = Span("v", start=46, count=40, frames=41, fps=30.0)
    label, found = labels.read(annotation(1, 40, 60, 70), span)
    assert marks(label) == (None, 60, 70, 46, 70)
    assert found[0].message == "the onset, frame 40, lies before the first frame, 46: no onset is marked"
    _, found = labels.read(annotation(2, 46, 60, 90), span)
    assert [(one.message, one.where) for one in found] == [
        (
            "the offset, frame 90, lies after the last frame, 86: no offset is marked",
            "book.xlsx, sheet 'codes', cell E2",
        )
    ]
    _, found = labels.read(annotation(3, 45, 60, 90), span)
    assert [(one.message, one.where) for one in found] == [
        (
            "the onset, frame 45, lies before the first frame, 46: no onset is marked; "
            "the offset, frame 90, lies after the last frame, 86: no offset is marked",
            "book.xlsx, sheet 'codes', cell C3",
        )
    ]
    array = labels.array([label], span)
    assert np.flatnonzero(array[:, 3]).tolist() == list(range(25))
    assert [np.flatnonzero(array[:, column]).tolist() for column in (0, 1, 2)] == [[], [14], [24]]


def test_an_action_that_ends_where_the_features_begin() -> None:
    span = Span("v", start=46, count=40, frames=41, fps=30.0)
    assert marks(labels.read(annotation(1, 40, 44, 46), span)[0]) == (None, None, 46, 46, 46)
    assert marks(labels.read(annotation(1, 46, 46, 50), span)[0]) == (46, 46, 50, 46, 50)
    label, found = labels.read(annotation(1, 40, 44, 45), span)
    assert (marks(label), label.apex_from, label.reach) == ((None,) * 5, None, None)
    assert [one.message for one in found] == ["frames 40 to 45, the features cover 46 to 85"]
    label, _ = labels.read(annotation(1, 40, 44, 50), span)
    assert (label.apex, label.apex_from, label.offset_from, label.reach) == (None, None, "annotated", (46, 50))


def test_how_a_label_was_read_is_kept() -> None:
    label, _ = labels.read(annotation(1, 10, 14, None), SPAN, "apex")
    assert (label.apex_from, label.offset_from, label.reach) == ("annotated", "apex", (10, 14))
    label, _ = labels.read(annotation(1, 10, None, 20), SPAN)
    assert (label.apex_from, label.offset_from, label.reach) == ("middle", "annotated", (10, 20))


def test_annotations_at_200_on_features_at_25() -> None:
    label, found = labels.read(annotation(1, 566, 647, 743, fps=200.0), SPAN.__class__("v", 0, 100, 101, 25.0))
    assert marks(label) == (70, 80, 92, 70, 92)
    assert not found


def test_actions_that_run_together_are_named() -> None:
    rows = [
        annotation(1, 30, 33, 40),
        annotation(2, 10, 20, 32),
        annotation(3, 32, 35, 50, type="macro"),
        annotation(4, 39, 41, 45),
        annotation(5, 46, 47, 48),
    ]
    read = [labels.read(row, SPAN)[0] for row in rows]
    assert [(found.code, found.row, found.message) for found in labels.shared(rows, read)] == [
        ("ME514", 1, "frames 30 to 40 run into casme_015_0401:2, up to 32"),
        ("ME514", 4, "frames 39 to 45 run into casme_015_0401:1, up to 40"),
    ]


def test_micro_and_macro_have_channels_of_their_own() -> None:
    rows = [annotation(1, 2, 3, 4), annotation(2, 3, 5, 9, type="macro")]
    array = labels.array([labels.read(row, SPAN)[0] for row in rows], SPAN)
    assert array.dtype == np.int8
    assert array[2].tolist() == [1, 0, 0, 1, 0, 0, 0, 0]
    assert array[3].tolist() == [0, 1, 0, 1, 1, 0, 0, 1]
    assert array[:, 7].sum() == 7
