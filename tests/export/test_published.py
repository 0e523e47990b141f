"""The published reading, at its corners; that it is exact as a whole is held by the golden segments."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.export import published
from datasets_me.export.labels import Span, read
from tests.export.builders import annotation, manifest

SPAN = Span("v", start=0, count=50, frames=51, fps=30.0)


def where(array: np.ndarray) -> list[list[int]]:
    return [np.flatnonzero(array[:, column]).tolist() for column in range(4)]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("10", "14", "20"), [[10], [14], [20], list(range(10, 21))]),
        (("10", "14", "0"), [[10], [14], [18], list(range(10, 19))]),
        (("10", "0", "21"), [[10], [15], [21], list(range(10, 22))]),
        (("0", "3", "5"), [[0], [3], [5], list(range(6))]),
        (("40", "45", "60"), [[40], [45], [49], list(range(40, 50))]),
        (("10", "33", "8"), [[10], [33], [8], []]),
        (("10", "-1", "20"), [[10], [49], [20], list(range(10, 21))]),
        (("10", "2", "0"), [[10], [2], [44], []]),
    ],
)
def test_the_rule(texts: published.Numbers, expected: list[list[int]]) -> None:
    row = annotation()
    array, (label,), said = published.label_video([row], {row.id: texts}, SPAN)
    assert where(array) == expected
    assert not array[:, 4:].any()
    assert not said
    assert [[frame] for frame in (label.onset, label.apex, label.offset)] == expected[:3]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("0", "0", "20"), "the published scripts leave out a row with two zeros"),
        (("10", "50", "60"), "the published scripts leave out a row whose apex, 50, is not among 50 features"),
        (("60", "14", "20"), "the published scripts would crash at 60, 14, 20 with 50 features; left out"),
        (("10", "", "20"), "the published scripts cannot read 10, an empty cell, 20"),
    ],
)
def test_rows_that_are_left_out_are_named(texts: published.Numbers, message: str) -> None:
    row = annotation()
    array, (label,), (said,) = published.label_video([row], {row.id: texts}, SPAN)
    assert not array.any()
    assert label.first is None
    assert (said.code, said.message) == ("ME503", message)


def test_a_row_that_differs_is_named() -> None:
    row = annotation()
    texts = published.numbers(manifest(row))
    assert texts == {row.id: ("11", "15", "21")}
    _, (theirs,), _ = published.label_video([row], texts, SPAN)
    found = published.difference(row, theirs, read(row, SPAN)[0])
    assert found is not None
    assert found.expected == "onset 10, apex 14, offset 20, action 10 to 20"
    assert found.found == "onset 11, apex 15, offset 21, action 11 to 21"
    assert published.difference(row, theirs, theirs) is None


def test_datasets_without_a_published_form() -> None:
    with pytest.raises(MeDatasetsError, match="there is no AUW-GCN CSV of casme2"):
        published.fps(manifest(dataset="casme2"))
