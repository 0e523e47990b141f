"""Strain: known fields, and the difference between the definitions."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_me.features.strain import DEFINITIONS, strain


def linear(u_x: float, u_y: float, v_x: float, v_y: float) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.indices((8, 9)).astype(np.float64)
    return u_x * x + u_y * y, v_x * x + v_y * y


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        # u_x = 1, u_y = 2, v_x = 4, v_y = 8
        ("tensor", np.sqrt(1 + 64 + 36 / 2)),
        ("half-inside", np.sqrt(1 + 64 + 36 / 4)),
        ("forward", np.sqrt(1 + 64 + 36 / 2)),
        ("backward", np.sqrt(1 + 64 + 36 / 2)),
        ("sobel", 8 * np.sqrt(4 + 16 + (1 + 64) / 2)),
    ],
)
def test_of_a_linear_field(definition: str, expected: float) -> None:
    inside = strain(*linear(1, 2, 4, 8), definition)[1:-1, 1:-1]
    assert inside == pytest.approx(expected)


def test_turning_is_no_strain_and_shear_is() -> None:
    assert strain(*linear(0, -0.3, 0.3, 0)) == pytest.approx(0)
    assert strain(*linear(0, 0.3, 0.3, 0)) == pytest.approx(np.sqrt(0.5) * 0.6)


def test_differences_look_to_the_side_that_their_name_says() -> None:
    u = np.zeros((5, 5))
    u[2, 2] = 1
    nothing = np.zeros((5, 5))
    assert np.argwhere(strain(u, nothing, "forward")).tolist() == [[1, 2], [2, 1], [2, 2]]
    assert np.argwhere(strain(u, nothing, "backward")).tolist() == [[2, 2], [2, 3], [3, 2]]


def test_the_border() -> None:
    u, v = linear(1, 0, 0, 0)
    assert strain(u, v, "backward")[:, 0].tolist() == [0] * 8
    assert strain(u, v, "forward")[:, -1].tolist() == [1] * 8
    assert strain(u, v)[:, 0].tolist() == [1] * 8


def test_magnitude_is_that_of_the_flow() -> None:
    assert strain(np.full((2, 2), 3.0), np.full((2, 2), 4.0), "magnitude").tolist() == [[5, 5], [5, 5]]


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_the_type_stays(definition: str) -> None:
    field = np.random.default_rng(0).normal(size=(2, 6, 7)).astype(np.float32)
    out = strain(*field, definition)
    assert out.dtype == np.float32
    assert out.shape == (6, 7)
    assert np.isfinite(out).all()


def test_what_cannot_be_computed() -> None:
    with pytest.raises(ValueError, match="unknown definition of strain 'none'; choose one of tensor"):
        strain(np.zeros((3, 3)), np.zeros((3, 3)), "none")
    with pytest.raises(
        ValueError, match=r"strain needs two fields of one shape, 2 x 2 at least, not \(3, 3\) and \(3, 4\)"
    ):
        strain(np.zeros((3, 3)), np.zeros((3, 4)))
