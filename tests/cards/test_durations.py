"""Bins of durations: nothing lost, 0.5 s on the side of micro-expressions, no bin cuts across a frame."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.cards.durations import histogram, seconds
from datasets_me.records import Annotation


def expression(length: int, fps: float, kind: str = "micro") -> Annotation:
    return Annotation.model_validate(
        {
            **{"id": "x", "dataset": "d", "subject": "s", "video": "v", "type": kind, "fps": fps},
            **{"onset": 10, "offset": 9 + length, "source_file": "f", "source_row": 1},
        }
    )


LENGTHS = st.lists(st.integers(1, 5000), min_size=1, max_size=30)


@given(LENGTHS, st.sampled_from([25.0, 29.97, 30.0, 60.0, 100.0, 200.0, 500.0]))
def test_every_expression_is_in_the_bin_of_its_duration(lengths: list[int], fps: float) -> None:
    made = histogram([expression(length, fps) for length in lengths], ["micro"])
    assert made is not None
    expected = [0] * made.bins
    for length in lengths:
        fits = [i for i in range(made.bins) if made.width * i + 1e-9 < length / fps <= made.width * (i + 1) + 1e-9]
        assert len(fits) == 1
        expected[fits[0]] += 1
    assert made.counts == {"micro": expected}
    assert made.bins <= 61


@given(LENGTHS, st.sampled_from([25.0, 30.0, 100.0, 200.0]))
def test_bins_are_whole_frames(lengths: list[int], fps: float) -> None:
    made = histogram([expression(length, fps) for length in lengths], ["micro"])
    assert made is not None
    if max(lengths) <= 60_000:
        assert math.isclose(made.width * fps, round(made.width * fps))


@pytest.mark.parametrize(("length", "fps"), [(15, 30.0), (100, 200.0), (50, 100.0)])
def test_half_a_second_ends_a_bin(length: int, fps: float) -> None:
    made = histogram([expression(length, fps), expression(4 * length, fps, "macro")], ["micro", "macro"])
    assert made is not None
    (index,) = (i for i, count in enumerate(made.counts["micro"]) if count)
    assert made.width * (index + 1) == pytest.approx(0.5)


def test_mixed_rates_and_no_duration() -> None:
    made = histogram([expression(100, 200.0), expression(100, 500.0)], ["micro"])
    assert made is not None
    assert (made.width, sum(made.counts["micro"])) == (0.01, 2)
    unknown = expression(5, 30.0).model_copy(update={"offset": None})
    assert histogram([unknown], ["micro"]) is None
    assert seconds(expression(5, 30.0).model_copy(update={"offset": 3})) is None
