"""Bins of durations: nothing lost, 0.5 s on the side of micro-expressions, no bin cuts across a frame."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.cards.durations import histogram, quantile, seconds
from datasets_me.formats.records import Annotation


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
    expected, beyond = [0] * made.bins, 0
    for length in lengths:
        fits = [i for i in range(made.bins) if made.width * i + 1e-9 < length / fps <= made.width * (i + 1) + 1e-9]
        beyond += not fits
        for index in fits:
            expected[index] += 1
    assert made.counts == {"micro": expected}
    assert made.beyond == {"micro": beyond}
    assert sum(expected) + beyond == len(lengths)
    assert beyond <= len(lengths) / 20
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


def test_few_long_ones_do_not_squeeze_the_others() -> None:
    rows = [expression(length, 200.0) for length in [*range(50, 110), 2000, 5000]]
    made = histogram(rows, ["micro"])
    assert made is not None
    assert (made.beyond, made.longest) == ({"micro": 3}, 25.0)
    assert made.end < 0.6


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_a_value_that_so_many_do_not_exceed(values: list[float], part: float) -> None:
    found = quantile(values, part)
    assert found in values
    assert sum(value <= found for value in values) >= part * len(values) - 1e-9
