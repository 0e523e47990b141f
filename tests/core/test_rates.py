"""Other frame rates: what is kept, what is summed, where annotations go."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core import rates
from tests.export.builders import noise

STEPS = st.builds(Fraction, st.integers(1, 12), st.integers(1, 12))


def test_every_8th_from_200_to_25() -> None:
    feature = noise(707)
    first, out = rates.resample(feature, 0, rates.ratio(200, 25))
    assert (first, out.shape, out.dtype) == (0, (88, 12, 2), np.float32)
    assert np.allclose(out, feature[:704].reshape(88, 8, 12, 2).sum(axis=1), atol=1e-5)
    assert [rates.moved(frame, Fraction(8)) for frame in (0, 7, 8, 565, 704)] == [0, 0, 1, 70, 88]


def test_a_video_that_begins_later() -> None:
    feature = noise(30)
    first, out = rates.resample(feature, 5, Fraction(8))
    assert first == 1
    assert np.allclose(out, [feature[3 + 8 * k : 11 + 8 * k].sum(axis=0) for k in range(3)], atol=1e-5)


def test_unknown_motion_stays_unknown() -> None:
    feature = noise(32)
    feature[9, 3] = np.nan
    _, out = rates.resample(feature, 0, Fraction(8))
    assert np.argwhere(~np.isfinite(out)).tolist() == [[1, 3, 0], [1, 3, 1]]
    good = np.isfinite(feature).all(axis=(1, 2))
    assert rates.all_within(good, 0, Fraction(8)).tolist() == [True, False, True, True]


def test_odd_rates_are_exact() -> None:
    assert rates.ratio(200, 29.97) == Fraction(20000, 2997)
    assert rates.ratio(30, 30) == 1
    assert rates.exact(24000 / 1001) == Fraction(24000, 1001)
    assert rates.exact(30000 / 1001) == Fraction(30000, 1001)


def test_at_a_higher_rate_motion_is_shared_out() -> None:
    feature = np.arange(6, dtype=np.float32).reshape(3, 1, 2)
    first, out = rates.resample(feature, 4, Fraction(1, 2))
    assert first == 8
    assert out[:, 0].tolist() == [[0, 0.5], [0, 0.5], [1, 1.5], [1, 1.5], [2, 2.5], [2, 2.5]]
    feature[1] = np.nan
    _, out = rates.resample(feature, 4, Fraction(1, 2))
    assert np.isnan(out[:, 0, 0]).tolist() == [False, False, True, True, False, False]
    good = np.array([True, False, True])
    assert rates.all_within(good, 4, Fraction(1, 2)).tolist() == [True, True, False, False, True, True]


def test_between_two_frames_nothing_is_interpolated_where_frames_are_dropped() -> None:
    """At two thirds of the rate frames 0, 1 and 3 are kept, not frame one and a half."""
    feature = np.array([1, 10, 100, 1000], np.float32).reshape(4, 1, 1)
    first, out = rates.resample(feature, 0, Fraction(3, 2))
    assert (first, out.ravel().tolist()) == (0, [1, 110, 1000])
    assert rates.all_within(np.array([True, False, True, True]), 0, Fraction(3, 2)).tolist() == [True, False, True]


@given(STEPS, st.integers(0, 40), st.integers(0, 60))
def test_motion_is_neither_lost_nor_doubled(step: Fraction, start: int, count: int) -> None:
    feature = noise(count, regions=1)
    first, out = rates.resample(feature, start, step)
    assert len(rates.all_within(np.ones(count, bool), start, step)) == len(out)
    edges = [math.floor(k * step) if step >= 1 else k * step for k in (first, first + len(out))]
    low, high = (float(edge - start) for edge in edges)
    assert len(out) == 0 or 0 <= low <= high <= count
    total = np.concatenate([np.zeros((1, 2)), feature[:, 0].cumsum(axis=0, dtype=np.float64)])
    inside = [np.interp([low, high], range(count + 1), total[:, axis]) for axis in (0, 1)] if len(out) else None
    if inside:
        assert np.allclose(out.sum(axis=(0, 1)), [b - a for a, b in inside], atol=1e-3)


@given(STEPS, st.integers(0, 1000))
def test_an_annotated_frame_becomes_the_one_that_shows_it(step: Fraction, frame: int) -> None:
    new = rates.moved(frame, step)
    shown = math.floor(new * step)
    assert shown <= frame < math.floor((new + 1) * step) or shown == frame
    assert shown < frame or new == 0 or math.floor((new - 1) * step) < frame


@given(st.integers(0, 100_000), STEPS)
def test_a_frame_that_is_shown_moves_to_the_frame_that_shows_it(frame: int, step: Fraction) -> None:
    old = rates.shown(frame, step)
    assert old == math.floor(frame * step)
    if step >= 1:
        assert rates.moved(old, step) == frame
