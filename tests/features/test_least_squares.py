"""The pieces of the least squares, each against what is known of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from datasets_me.features import least_squares as ls

Y, X = np.mgrid[:40, :48].astype(np.float32)


def waves(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float32]:
    """A picture as a function of place, so that it can be moved exactly."""
    return np.asarray(60 * np.sin(x / 5 + y / 11) + 40 * np.cos(y / 4 - x / 13), np.float32)


def test_gradients_and_change_of_a_slope() -> None:
    first = 3 * X + 5 * Y
    planes = (plane[2:-2, 2:-2] for plane in ls.products(first, first - 2))
    for plane, value in zip(planes, (9, 15, 25, 6, 10, 4), strict=True):
        np.testing.assert_allclose(plane, value, rtol=1e-4)
    # motion that was taken out already is put back: 0.5 to the right and 0.25 up
    again = ls.products(first, first - 2, (0.5, -0.25))
    change = [plane[2:-2, 2:-2].mean() for plane in again[3:]]
    np.testing.assert_allclose(change, [3 * 2.25, 5 * 2.25, 2.25**2], rtol=1e-4)
    # the gradient is that of both frames together
    xx = ls.products(first, 2 * first)[0][2:-2, 2:-2]
    np.testing.assert_allclose(xx, 4.5**2, rtol=1e-4)


@given(st.integers(0, 999), st.sampled_from([0.0, 0.5, 7.0]), st.booleans())
def test_the_solution_is_that_of_the_equations(seed: int, ridge: float, drawn: bool) -> None:
    rng = np.random.default_rng(seed)
    gradients = rng.normal(0, 3, (2, 12, 2, 3))
    sums = np.stack(
        [(gradients[i] * gradients[j]).mean(axis=0) for i, j in ((0, 0), (0, 1), (1, 1))]
        + [*rng.normal(0, 2, (2, 2, 3))]
    ).astype(np.float32)
    toward = rng.normal(0, 1, (2, 2, 3)).astype(np.float32) if drawn else None
    found = ls.solve(sums, ridge, toward)
    for place in np.ndindex(2, 3):
        xx, xy, yy, xb, yb = (float(value) for value in sums[(slice(None), *place)])
        right = np.array([xb, yb]) + ridge * (toward[:, *place] if toward is not None else 0)
        expected = np.linalg.solve([[xx + ridge, xy], [xy, yy + ridge]], right)
        np.testing.assert_allclose(found[:, *place], expected, rtol=2e-3, atol=2e-3)


def test_the_weight_of_the_middle() -> None:
    x, y, weight = ls.centre_weight(4, 8)
    np.testing.assert_allclose(x[0], (np.arange(8) - 3.5) / 8)
    np.testing.assert_allclose(y[:, 0], (np.arange(4) - 1.5) / 4)
    np.testing.assert_allclose(weight, np.exp(-8 * (x**2 + y**2)), rtol=1e-6)


def test_affine_motion_is_recovered() -> None:
    """A picture that is turned, stretched and shifted, from one linear step."""
    matrix, shift = np.array([[0.004, -0.003], [0.002, 0.005]]), np.array([0.12, -0.08])
    x, y = (X + 0.5) / X.shape[1] - 0.5, (Y + 0.5) / X.shape[0] - 0.5
    by_x, by_y = (shift[i] + matrix[i, 0] * 40 * x + matrix[i, 1] * 40 * y for i in (0, 1))
    planes = np.stack(ls.products(waves(X, Y), waves(X - by_x, Y - by_y)))
    nothing = np.zeros_like(planes)
    found = ls.affine(np.stack([nothing, planes], axis=1))
    assert found.shape == (2, 2, 40, 48)
    np.testing.assert_array_equal(found[:, 0], 0)
    np.testing.assert_allclose(found[0, 1, 5:-5, 5:-5], by_x[5:-5, 5:-5], atol=0.012)
    np.testing.assert_allclose(found[1, 1, 5:-5, 5:-5], by_y[5:-5, 5:-5], atol=0.012)
    np.testing.assert_array_equal(found[:, 1], ls.affine(planes[:, None])[:, 0])  # whatever it is computed with


def test_what_moves_on_its_own_does_not_pull_the_affine_motion() -> None:
    """A quarter of the picture moves by a pixel, and the rest by a tenth."""
    x, y, _ = np.broadcast_arrays(X, Y, X)
    by = np.where((y > 26) & (x > 10) & (x < 40), 1.0, 0.1).astype(np.float32)
    planes = ls.products(waves(X, Y), waves(X - by, Y))
    found = ls.affine(ls.blurred(planes, 2.0)[:, None])[:, 0]
    np.testing.assert_allclose(found[0, 5:20, 5:-5], 0.1, atol=0.02)
    np.testing.assert_allclose(found[1, 5:20, 5:-5], 0, atol=0.02)


@pytest.mark.parametrize("by", [(0.0, 0.0), (2.0, -3.0), (0.3, 0.0), (-0.5, 0.49), (3.4, -1.75)])
def test_shifts_are_exact_on_polynomials(by: tuple[float, float]) -> None:
    """Six points carry any polynomial of the fifth degree."""

    def picture(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float32]:
        u, v = x / 48, y / 40
        return np.asarray(10 * u**5 - 20 * u**3 * v + 30 * v**4 + 5 * u * v - 7, np.float32)

    moved = ls.shifted(picture(X, Y), np.array(by, np.float32))
    inner = np.s_[8:-8, 8:-8]
    np.testing.assert_allclose(moved[inner], picture(X + by[0], Y + by[1])[inner], atol=2e-4)
    assert moved.shape == X.shape


def test_the_border_of_a_shift_is_repeated() -> None:
    row = ls.shifted(X, np.array([3, 0], np.float32))[0]
    assert row[:3].tolist() == [3, 4, 5]
    assert row[-4:].tolist() == [47, 47, 47, 47]
    assert ls.shifted(X, np.array([-2, 0], np.float32))[0, :4].tolist() == [0, 0, 0, 1]
    column = ls.shifted(Y, np.array([0, -2], np.float32))[:, 0]
    assert column[:4].tolist() == [0, 0, 0, 1]
    assert ls.shifted(Y, np.array([0, 2], np.float32))[-4:, 0].tolist() == [38, 39, 39, 39]


def test_the_applied_field_is_the_one_that_is_returned() -> None:
    """cv2.remap rounds places to 32nds of a pixel of the doubled image; the motion is rounded to what it does."""
    by = np.empty((2, 40, 48), np.float32)
    by[0], by[1] = 0.27, -0.4
    image, applied = ls.resampled(waves(X, Y), by)
    np.testing.assert_allclose(applied[:, 0, 0], [17 / 64, -26 / 64])
    inner = np.s_[6:-6, 6:-6]
    np.testing.assert_allclose(image[inner], waves(X + 17 / 64, Y - 26 / 64)[inner], atol=0.25)


def test_an_image_is_doubled_by_the_values_between_its_pixels() -> None:
    twice = ls.doubled(waves(X, Y))
    y, x = np.mgrid[:80, :96] / 2
    assert twice.shape == (80, 96)
    np.testing.assert_array_equal(twice[::2, ::2], waves(X, Y))
    np.testing.assert_allclose(twice[8:-8, 8:-8], waves(x, y)[8:-8, 8:-8], atol=0.01)


def test_the_difference_is_weighted_to_the_middle() -> None:
    zero = np.zeros((40, 48), np.float32)
    assert ls.difference(zero, zero + 3) == pytest.approx(9)
    corner, middle = zero.copy(), zero.copy()
    corner[:8, :8], middle[16:24, 20:28] = 1, 1
    assert ls.difference(zero, middle) > 10 * ls.difference(zero, corner) > 0


def test_pictures_are_blurred_and_reduced_together() -> None:
    spot = np.zeros((33, 33), np.float32)
    spot[16, 16] = 1
    both = ls.blurred([spot, 2 * spot], 3.0)
    assert both.shape == (2, 33, 33)
    np.testing.assert_allclose(both[1], 2 * both[0])
    assert both[0].sum() == pytest.approx(1, abs=0.01)
    assert np.sqrt((both[0] * (np.arange(33) - 16) ** 2).sum()) == pytest.approx(3, abs=0.1)
    np.testing.assert_allclose(ls.blurred([spot], 0.0), ls.blurred([spot], 0.3))
    np.testing.assert_allclose(ls.reduce(X, 4)[0], 1.5 + 4 * np.arange(12))
    assert ls.reduce(X, 4).shape == (10, 12)
    np.testing.assert_allclose(ls.reduce(Y[:, :9], 4)[:, 1], 1.5 + 4 * np.arange(10))
    x, y = ls.grid(2, 3)
    assert (x.tolist(), y.tolist()) == ([[0, 1, 2]] * 2, [[0] * 3, [1] * 3])


@pytest.mark.parametrize(
    ("by", "rows", "columns"),
    [
        ((0.0, 0.0), slice(0, 10), slice(0, 12)),
        ((1.2, 0.0), slice(0, 10), slice(0, 8)),  # two px have no partner, and two more for the derivative
        ((-1.0, 0.0), slice(0, 10), slice(3, 12)),
        ((0.0, 3.0), slice(0, 5), slice(0, 12)),
        ((0.0, -0.1), slice(3, 10), slice(0, 12)),
    ],
)
def test_what_had_no_partner_is_cleared(by: tuple[float, float], rows: slice, columns: slice) -> None:
    planes = [np.ones((10, 12), np.float32), np.full((10, 12), 2, np.float32)]
    ls.clear_border(planes, np.array(by, np.float32))
    expected = np.zeros((10, 12), np.float32)
    expected[rows, columns] = 1
    np.testing.assert_array_equal(planes[0], expected)
    np.testing.assert_array_equal(planes[1], 2 * expected)


def test_a_field_that_stretches_clears_both_sides() -> None:
    plane, moved = np.ones((10, 12), np.float32), np.zeros((2, 10, 12), np.float32)
    moved[0, :, 0], moved[0, :, -1] = -1.5, 0.5
    ls.clear_border([plane], moved)
    assert plane[4].tolist() == [0] * 4 + [1] * 5 + [0] * 3
