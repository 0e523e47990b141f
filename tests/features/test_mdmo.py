"""The rule of the regions: against golden data, against loops, and on input that is not kind."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from datasets_me.features.mdmo import LENGTH_EPSILON, mdmo, scaled_radius
from datasets_me.features.regions import ELEVEN, TWELVE, Sectors, face_grid
from tests.conftest import GOLDEN

Golden = dict[str, NDArray[np.generic]]


@pytest.fixture(scope="module")
def golden() -> Golden:
    """Flow, landmarks and the published feature; the flow is NaN wherever the rule has no business to look."""
    with np.load(GOLDEN / "roi_features.npz") as file:
        flow = np.full(file["shape"], np.nan, np.float32)
        flow.reshape(-1, 2)[file["pixels"]] = file["flow"]
        return {**file, "flow": flow}


def face(x: float = 20, y: float = 20, width: float = 60, height: float = 60) -> NDArray[np.float64]:
    """Landmarks spread over a box, with the eyes 45 px apart in a box of 60 px."""
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 1, (68, 2)) * [width, height] + [x, y]
    points[39], points[42] = [x + width / 8, y + height / 3], [x + width * 7 / 8, y + height / 3]
    points[29], points[30] = [x + width / 2, y + height / 2], [x + width / 2, y + height * 0.6]
    return points


def looped(window: NDArray[np.float32], sectors: Sectors, keep: float) -> NDArray[np.float64]:
    """The published rule, a vector at a time, on flow without ties."""
    vectors = [vector for row in window for vector in row]
    groups: list[list[NDArray[np.float32]]] = [[] for _ in sectors]
    for vector in vectors:
        angle = np.degrees(np.arctan2(vector[1], vector[0])) % 360
        for group, (low, high) in zip(groups, sectors, strict=True):
            if low <= angle < high or (low > high and (angle >= low or angle < high)):
                group.append(vector)
    fullest = max(groups, key=len)
    strongest = sorted(fullest, key=lambda vector: -np.hypot(*vector))[: int(len(fullest) * keep)]
    total = np.sum(np.array(strongest, np.float64), axis=0)
    mean = np.mean([np.hypot(*vector) for vector in strongest])
    return np.asarray(total / (np.hypot(*total) + LENGTH_EPSILON) * mean)


def test_exact_reproduces_the_published_feature(golden: Golden) -> None:
    result = mdmo(golden["flow"], golden["landmarks"], exact=True)
    np.testing.assert_allclose(result.global_motion, golden["global_motion"], atol=1e-6)
    np.testing.assert_allclose(result.feature, golden["feature"], atol=1e-6)
    assert result.valid.all()
    assert not result.clipped.any()


def test_default_is_the_same_rule_where_nothing_ties(golden: Golden) -> None:
    result = mdmo(golden["flow"], golden["landmarks"])
    np.testing.assert_allclose(result.feature, golden["feature"], atol=1e-5)


@pytest.mark.parametrize("exact", [False, True])
def test_one_frame_against_loops(exact: bool) -> None:
    rng = np.random.default_rng(5)
    flow = rng.normal(0.05, 0.1, (1, 100, 100, 2)).astype(np.float32)
    points = np.rint(face())
    result = mdmo(flow, points[None], exact=exact)
    margin = int(0.35 * (points[42, 0] - points[39, 0]) / 2)
    (x0, y0), (x1, y1) = points[[29, 30]].min(axis=0).astype(int), points[[29, 30]].max(axis=0).astype(int)
    box = flow[0, y0 - margin : y1 + margin + 1, x0 - margin : x1 + margin + 1]
    head = looped(box, TWELVE.head.sectors, 0.88)
    np.testing.assert_allclose(result.global_motion[0], head, atol=1e-5)
    x, y = points[19].astype(int)
    window = flow[0, y - 5 : y + 6, x - 5 : x + 6] - head.astype(np.float32)
    np.testing.assert_allclose(result.feature[0, 1], looped(window, TWELVE.sectors, 0.6), atol=1e-5)


@settings(deadline=None, max_examples=30)
@given(x=st.floats(-3, 3, width=32), y=st.floats(-3, 3, width=32), seed=st.integers(0, 99), exact=st.booleans())
def test_motion_of_the_whole_head_leaves_nothing(x: float, y: float, seed: int, exact: bool) -> None:
    rng = np.random.default_rng(seed)
    flow = np.zeros((2, 100, 100, 2), np.float32) + np.array([x, y], np.float32)
    points = np.stack([face(*rng.uniform(0, 40, 2))] * 2)
    result = mdmo(flow, points, exact=exact)
    np.testing.assert_allclose(result.feature[result.valid], 0, atol=1e-4)


@settings(deadline=None, max_examples=30)
@given(
    dx=st.integers(-150, 150),
    dy=st.integers(-150, 150),
    radius=st.integers(0, 9),
    exact=st.booleans(),
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
)
def test_windows_never_wrap(dx: int, dy: int, radius: int, exact: bool, size: tuple[int, int]) -> None:
    """What lies outside the image is invalid; what lies inside sees only the pixels under it."""
    flow = np.ones((1, *size, 2), np.float32)
    points = np.rint(face(dx, dy))
    result = mdmo(flow, points[None], radius=radius, exact=exact)
    centres = points[[18, 19, 20, 23, 24, 25, 28, 30, 48, 51, 54, 57]]
    outside = ((centres < -radius) | (centres >= np.array(size[::-1]) + radius)).any(axis=1)
    np.testing.assert_array_equal(result.valid[0], ~outside)
    over = ((centres < radius) | (centres >= np.array(size[::-1]) - radius)).any(axis=1)
    np.testing.assert_array_equal(result.clipped[0], over)
    assert np.isnan(result.feature[0, outside]).all()
    if not exact:
        assert np.isfinite(result.feature[0, ~outside]).all()


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("side", [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_a_window_over_one_edge_is_cut_and_said(side: tuple[int, int], exact: bool) -> None:
    """All windows but one are well inside; that one hangs over one edge by ``over`` pixels."""
    rng = np.random.default_rng(3)
    flow = rng.normal(0, 0.3, (1, 100, 100, 2)).astype(np.float32)
    for over in (0, 1, 5):
        points = np.rint(face())
        points[51] = np.where(np.array(side) > 0, 94 + over, np.where(np.array(side) < 0, 5 - over, 50))
        result = mdmo(flow, points[None], exact=exact)
        np.testing.assert_array_equal(np.flatnonzero(result.clipped[0]), [9] if over else [])
        x, y = points[51].astype(int)
        window = flow[0, max(y - 5, 0) : y + 6, max(x - 5, 0) : x + 6] - result.global_motion[0]
        np.testing.assert_allclose(result.feature[0, 9], looped(window, TWELVE.sectors, 0.6), atol=1e-5)


@pytest.mark.parametrize("exact", [False, True])
def test_a_head_box_of_one_column(exact: bool) -> None:
    """Eyes at one place widen the box by nothing: only the line from one landmark of the nose to the other is left."""
    flow = np.random.default_rng(6).normal(0.3, 0.2, (1, 100, 100, 2)).astype(np.float32)
    points = np.rint(face())
    points[42], points[29], points[30] = points[39], [50, 50], [50, 57]
    expected = looped(flow[0, 50:58, 50:51], TWELVE.head.sectors, 0.88)
    np.testing.assert_allclose(mdmo(flow, points[None], exact=exact).global_motion[0], expected, atol=1e-5)
    # of one pixel the published rule keeps int(0.88) = 0 vectors, which is no number
    points[30] = points[29]
    head = mdmo(flow, points[None], exact=exact).global_motion[0]
    np.testing.assert_allclose(head, [np.nan] * 2 if exact else flow[0, 50, 50], atol=1e-5)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("nose", [(2, 50), (97, 50), (50, 2), (50, 97)])
def test_a_head_box_over_the_edge_is_cut(nose: tuple[int, int], exact: bool) -> None:
    flow = np.random.default_rng(7).normal(0.3, 0.2, (1, 100, 100, 2)).astype(np.float32)
    points = np.rint(face())
    points[29] = points[30] = nose
    margin = int(0.35 * (points[42, 0] - points[39, 0]) / 2)
    (x0, y0), (x1, y1) = np.maximum(points[29].astype(int) - margin, 0), points[29].astype(int) + margin + 1
    expected = looped(flow[0, y0:y1, x0:x1], TWELVE.head.sectors, 0.88)
    np.testing.assert_allclose(mdmo(flow, points[None], exact=exact).global_motion[0], expected, atol=1e-5)


def test_a_head_of_which_nothing_is_known_does_not_move() -> None:
    flow = np.full((2, 100, 100, 2), 0.5, np.float32)
    points = np.stack([np.rint(face())] * 2)
    flow[0, 40:70, 35:65] = np.nan
    points[1, 29:31] = [150, 150]
    result = mdmo(flow, points)
    np.testing.assert_array_equal(result.global_motion, 0)
    np.testing.assert_allclose(result.feature[:, :6], [[[0.5, 0.5]] * 6] * 2, atol=1e-5)


@pytest.mark.parametrize("exact", [False, True])
def test_of_sectors_that_are_equally_full_the_first_wins(exact: bool) -> None:
    flow = np.zeros((1, 100, 100, 2), np.float32)
    points = np.rint(face())
    x, y = points[19].astype(int)
    flow[0, y - 1 : y + 2, x - 1] = [0, -5]  # up, the third sector
    flow[0, y - 1 : y + 2, x] = [[0, 1], [0, 4], [0, 2]]  # down, the first
    flow[0, y - 1 : y + 2, x + 1] = [-5, 0]  # left, the second
    np.testing.assert_allclose(mdmo(flow, points[None], radius=1, exact=exact).feature[0, 1], [0, 4], atol=1e-5)


def test_a_window_with_one_vector_is_a_number_by_default() -> None:
    flow = np.zeros((1, 100, 100, 2), np.float32)
    points = np.rint(face())
    x, y = points[19].astype(int)
    flow[0, y, x] = [0.0, 2.0]
    np.testing.assert_allclose(mdmo(flow, points[None], radius=0).feature[0, 1], [0, 2], atol=1e-5)
    assert np.isnan(mdmo(flow, points[None], radius=0, exact=True).feature[0, 1]).all()


def test_frames_do_not_depend_on_each_other() -> None:
    rng = np.random.default_rng(2)
    flow = rng.normal(0, 0.2, (70, 60, 60, 2)).astype(np.float32)
    points = np.stack([face(*rng.uniform(-20, 40, 2), *rng.uniform(20, 60, 2)) for _ in flow])
    whole = mdmo(flow, points)
    single = [mdmo(flow[t : t + 1], points[t : t + 1]) for t in range(len(flow))]
    np.testing.assert_array_equal(whole.feature, np.concatenate([one.feature for one in single]))
    np.testing.assert_array_equal(whole.global_motion, np.concatenate([one.global_motion for one in single]))


def test_what_is_unknown_is_marked() -> None:
    flow = np.full((3, 100, 100, 2), 0.5, np.float32)
    flow[1] = np.nan
    points = np.stack([face()] * 3)
    points[2, 5] = np.nan
    result = mdmo(flow, points)
    np.testing.assert_array_equal(result.valid.all(axis=1), [True, False, False])
    assert np.isnan(result.feature[1:]).all()
    assert np.isfinite(result.global_motion).all()


def test_eyes_the_wrong_way_round_leave_a_head_box() -> None:
    flow = np.full((1, 100, 100, 2), 0.5, np.float32)
    points = face()
    points[[39, 42]] = points[[42, 39]]
    np.testing.assert_allclose(mdmo(flow, points[None]).global_motion[0], 0.5, atol=1e-5)


def test_other_sets_are_other_tables() -> None:
    flow = np.random.default_rng(0).normal(size=(2, 100, 100, 2)).astype(np.float32)
    points = np.stack([face()] * 2)
    full = mdmo(flow, points)
    eleven = mdmo(flow, points, ELEVEN)
    np.testing.assert_array_equal(eleven.feature, np.delete(full.feature, 7, axis=1))
    assert mdmo(flow, points, face_grid(3, 5)).feature.shape == (2, 15, 2)


def test_windows_scale_with_the_face() -> None:
    assert scaled_radius(133.0) == 5
    assert scaled_radius(400.0) == 15
    assert [scaled_radius(width) for width in (146.0, 147.0)] == [5, 6]
    assert scaled_radius(10.0) == 1
    assert scaled_radius(None) == 5


def test_no_frames_and_wrong_shapes() -> None:
    assert mdmo(np.zeros((0, 9, 9, 2), np.float32), np.zeros((0, 68, 2))).feature.shape == (0, 12, 2)
    with pytest.raises(ValueError, match=r"\(T, H, W, 2\)"):
        mdmo(np.zeros((9, 9, 2), np.float32), np.zeros((1, 68, 2)))
    with pytest.raises(ValueError, match="landmarks"):
        mdmo(np.zeros((2, 9, 9, 2), np.float32), np.zeros((1, 68, 2)))
    with pytest.raises(ValueError, match="radius"):
        mdmo(np.zeros((1, 9, 9, 2), np.float32), np.zeros((1, 68, 2)), radius=-1)


def test_angles_are_those_of_opencv() -> None:
    """The published feature was computed with them, and 2 pi occurs."""
    length, angle = cv2.cartToPolar(np.ones((1, 1), np.float32), np.full((1, 1), -1e-9, np.float32))
    assert length[0, 0] == 1
    assert angle[0, 0] >= np.float32(6.28)
