"""Windowed least squares: how pairs are put together, and what decides between its ways."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from datasets_me.features.flow import dense, flow, flow_stream
from datasets_me.features.least_squares import products
from datasets_me.features.lk import (
    ABOVE,
    BESIDE,
    COARSE,
    SLACK,
    _add,
    _eyes,
    _leave_out_blinks,
    _Pair,
    _scale,
    _View,
    _view,
)
from tests.conftest import GOLDEN

WIDTH = 96


def texture(seed: int, size: int = WIDTH) -> NDArray[np.float32]:
    """Grey values (size, size) that are smooth enough to be moved by less than a pixel."""
    picture = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, (size, size)).astype(np.float32), (0, 0), 2)
    return np.asarray(128 + 45 * picture / picture.std(), np.float32)


def bump(picture: NDArray[np.float32], px: float) -> NDArray[np.uint8]:
    """The picture with its middle moved to the right by ``px``, and its surroundings left where they are."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    middle = (picture.shape[0] - 1) / 2
    moved = px * np.exp(-((x - middle) ** 2 + (y - middle) ** 2) / (2 * 10.0**2))
    return np.clip(np.rint(cv2.remap(picture, x - moved, y, cv2.INTER_CUBIC)), 0, 255).astype(np.uint8)


def test_a_sudden_motion_of_the_skin_stays_in_its_pair() -> None:
    """What the neighbouring pairs say is not believed where the pair itself contradicts them."""
    still = texture(0)
    middle = slice(WIDTH // 2 - 4, WIDTH // 2 + 4)
    frames = [bump(still, 0.0)] * 6 + [bump(still, 0.4)] * 6
    motion = flow(np.stack(frames), temporal=5)[:, middle, middle, 0].mean(axis=(1, 2))
    assert motion[5] > 0.3
    assert np.abs(np.delete(motion, 5)).max() < 0.01


def test_where_noise_decides_neighbouring_pairs_are_averaged() -> None:
    still = [bump(texture(0), 0.0)] * 12
    alone, averaged = (np.abs(flow(noisy(still, 5), temporal=temporal)).mean() for temporal in (1, 5))
    assert averaged < 0.7 * alone


def test_a_frame_of_something_else_does_not_spoil_the_pairs_around_it() -> None:
    still = [bump(texture(0), 0.0)] * 12
    still[6] = bump(texture(9), 0.0)
    speed = np.linalg.norm(flow(noisy(still, 5)), axis=3).mean(axis=(1, 2))
    assert speed[5:7].min() > 0.2
    assert np.delete(speed, [5, 6]).max() < 0.02


def test_a_blink_does_not_move_the_brow() -> None:
    """The lid closes at once, 5 px below the window of the brow."""
    open_, closed = texture(0), texture(0)
    for x in (30, 66):
        closed[52:61, x - 7 : x + 8] = texture(0)[46:55, x - 7 : x + 8]
    frames = noisy([bump(each, 0.0) for each in [open_] * 4 + [closed] * 4], 5)
    motion = list(dense(flow_stream(iter(frames), face_width=60, landmarks=[eyes()])))[3]
    right, left = (np.abs(motion[36:47, x - 8 : x + 8]).mean() for x in (30, 66))
    assert right < 0.01
    assert left < 0.1


def test_a_head_that_moves_is_no_blink() -> None:
    frames = noisy([turned(texture(0), 0.0, 1.0, (0.45 * t, 0.3 * t)) for t in range(2)], 5)
    (motion,) = dense(flow_stream(iter(frames), face_width=60, landmarks=[eyes()]))
    np.testing.assert_array_equal(motion, flow(frames, face_width=60)[0])


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.7, -0.5), (-0.4, 0.8)])
@pytest.mark.parametrize(("lid", "blinks"), [(0.0, False), (0.3, False), (-0.3, False), (0.9, True), (-0.9, True)])
def test_an_eye_is_left_out_where_its_lid_moves_beside_the_head(
    shift: tuple[float, float], lid: float, blinks: bool
) -> None:
    first = texture(1) - 128
    y, x = np.mgrid[:WIDTH, :WIDTH].astype(np.float32)
    outlines = _eyes(eyes())
    inside = np.zeros((2, WIDTH, WIDTH), np.uint8)
    for mask, outline in zip(inside, outlines, strict=True):
        cv2.fillConvexPoly(mask, outline, 1)
    left = cv2.dilate(inside[0], np.ones((5, 5))) * np.float32(lid)
    second = cv2.remap(first, x - shift[0], y - shift[1] - left, cv2.INTER_CUBIC)
    before = products(first, second)
    after = [plane.copy() for plane in before]
    _leave_out_blinks(after, outlines, np.float32(shift))
    gone = inside[0] > 0 if blinks else np.zeros((WIDTH, WIDTH), bool)
    for plane, whole in zip(after, before, strict=True):
        np.testing.assert_array_equal(plane, np.where(gone, 0, whole))


def test_an_eye_outside_the_picture_is_passed_over() -> None:
    planes = [np.ones((20, 20), np.float32)] * 6
    _leave_out_blinks(planes, [outline - (200, 0) for outline in _eyes(eyes())], np.zeros(2, np.float32))
    assert all((plane == 1).all() for plane in planes)


@given(
    st.tuples(st.floats(-50, 350), st.floats(-50, 250)),
    st.tuples(st.floats(40, 130), st.floats(40, 130)),
    st.tuples(st.floats(-40, 40), st.floats(-40, 40)),
)
def test_flow_is_computed_around_the_face_and_the_part_is_kept_while_it_covers_it(
    corner: tuple[float, float], size: tuple[float, float], motion: tuple[float, float]
) -> None:
    shape, scale = (240, 320), _scale(100)
    before: _View | None = None
    for moved in (np.zeros(2), np.array(motion)):
        points = np.resize(np.float32([np.add(corner, moved), np.add(corner, size) + moved]), (68, 2))
        view = _view(points, shape, before, scale)
        low = np.clip(points[0] - np.float32([BESIDE, ABOVE]) * 100, 0, shape[::-1])
        high = np.clip(points[1] + BESIDE * 100, 0, shape[::-1])
        room = SLACK * 100 + COARSE[0]
        around = ((view[:2] <= low) & (view[2:] >= high)).all()
        if before is not None and ((before[:2] <= low) & (before[2:] >= high)).all():
            assert view == before
        elif view != (0, 0, 320, 240):
            assert around
            assert min(view.x1 - view.x0, view.y1 - view.y0) > 50
            assert ((low - view[:2] <= room) & (view[2:] - high <= room)).all()
            assert [place % COARSE[0] for place in view] == [0] * 4
        else:  # little of the face is in the picture, or nearly all of the picture is face
            assert (high - low).min() <= 50 or ((low <= room) & (high >= np.subtract(shape[::-1], room))).all()
        before = view
    assert _view(np.full((68, 2), np.nan, np.float32), shape, before, scale) == before
    assert _view(np.full((68, 2), np.nan, np.float32), shape, None, scale) == (0, 0, 320, 240)


def eyes() -> NDArray[np.float32]:
    """Landmarks (68, 2) all over a picture, with eyes around (30, 56) and (66, 56)."""
    points = np.resize(np.float32([[2, 2], [93, 93]]), (68, 2))
    eye = np.float32([[-1, 0], [-0.5, -0.6], [0.5, -0.6], [1, 0], [0.5, 0.6], [-0.5, 0.6]])
    points[36:42], points[42:48] = 7 * eye + np.float32([30, 56]), 7 * eye + np.float32([66, 56])
    return points


def noisy(frames: list[NDArray[np.uint8]], seed: int) -> NDArray[np.uint8]:
    """Frames (T, H, W) with the noise of a sensor."""
    noise = np.random.default_rng(seed).normal(0, 1.5, (len(frames), *frames[0].shape))
    return np.clip(np.rint(np.stack(frames) + noise), 0, 255).astype(np.uint8)


def turned(picture: NDArray[np.float32], degrees: float, scale: float, by: tuple[float, float]) -> NDArray[np.uint8]:
    """The picture as a head shows it that turns, comes nearer and moves."""
    place = cv2.getRotationMatrix2D((WIDTH / 2, WIDTH / 2), degrees, scale)
    place[:, 2] += by
    moved = cv2.warpAffine(picture, place, (WIDTH, WIDTH), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.clip(np.rint(moved), 0, 255).astype(np.uint8)


def scenes() -> dict[str, NDArray[np.float32]]:
    """Flow of the cases that the method treats differently, every sixth pixel of some fields."""
    still = texture(7)
    slight = noisy([bump(still, 0.1 * t) for t in range(7)], 1)
    head = noisy([turned(still, 1.0 * t, 1 + 0.01 * t, (0.3 * t, -0.2 * t)) for t in range(4)], 2)
    large = noisy([turned(still, 0.5 * t, 1.0, (5.3 * t, -3.4 * t)) for t in range(2)], 3)
    local = noisy([bump(still, 2.5 * t) for t in range(2)], 4)
    dim = np.stack([slight[0] // 2, slight[3]])
    fields = {
        "slight": flow(slight, face_width=60)[1:4],
        "strict": flow(slight, temporal=1, step=3, face_width=200)[:2],
        "head": flow(head)[1:],
        "large": flow(large),
        "local": flow(local, face_width=40),
        "dim": flow(dim, temporal=1),
        "farneback": flow(slight, "farneback", face_width=60)[:1],
    }
    return {name: field[:, 3::6, 3::6].astype(np.float32) for name, field in fields.items()}


@pytest.fixture(scope="module")
def found() -> dict[str, NDArray[np.float32]]:
    return scenes()


@pytest.mark.parametrize("name", ["slight", "strict", "head", "large", "local", "dim", "farneback"])
def test_the_numbers_are_those_of_earlier_versions(found: dict[str, NDArray[np.float32]], name: str) -> None:
    """Features of two versions are compared with each other, so a change of the numbers is one on purpose."""
    with np.load(GOLDEN / "flow.npz") as golden:
        assert set(golden.files) == set(found)
        np.testing.assert_allclose(found[name], golden[name], atol=5e-4 if name != "farneback" else 5e-3)


@pytest.mark.parametrize(("name", "field"), [("large", (5.3, -3.4)), ("head", (0.3, -0.2))])
def test_the_head_is_followed(found: dict[str, NDArray[np.float32]], name: str, field: tuple[float, float]) -> None:
    middle = found[name][0, 7:9, 7:9].mean(axis=(0, 1))
    np.testing.assert_allclose(middle, field, atol=0.15)


def test_a_large_motion_of_the_skin_is_followed(found: dict[str, NDArray[np.float32]]) -> None:
    np.testing.assert_allclose(found["local"][0, 7:9, 7:9, 0].mean(), 2.2, atol=0.25)
    assert np.abs(found["local"][0, :2]).max() < 0.4


def test_flow_around_landmarks_follows_them_and_is_that_of_the_whole_picture() -> None:
    still = texture(3, 200)
    frames = noisy([np.roll(bump(still, 0.1 * t), 4 * t, axis=1) for t in range(8)], 6)
    face = np.resize(np.array([[x, y] for x in (60, 90, 120) for y in (70, 95, 120)], np.float32), (68, 2))
    seen = [np.full_like(face, np.nan)]

    def shown() -> Iterator[NDArray[np.uint8]]:
        for t, frame in enumerate(frames):
            seen.append(face + np.float32([4 * t, 0]))
            yield frame

    whole = flow(frames, face_width=60)
    around = list(dense(flow_stream(shown(), face_width=60, landmarks=seen)))
    known = [np.isfinite(field).all(axis=2) for field in around]
    assert (
        len({tuple(np.flatnonzero(there.any(axis=0))[[0, -1]]) for there in known}) > 1
    )  # another part of the picture
    for t, (field, there) in enumerate(zip(around, known, strict=True)):
        inner = (slice(70, 121), slice(60 + 4 * t, 121 + 4 * t))
        assert there[inner].all()
        assert there.mean() < 0.4
        assert np.abs(field[inner] - whole[t][inner]).mean() < 0.03


def test_sums_are_added_where_their_part_of_the_picture_lies() -> None:
    chance, pool, places = np.random.default_rng(5), 4, 9

    def part() -> tuple[_View, tuple[slice, slice]]:
        (x0, x1), (y0, y1) = (sorted(chance.choice(places + 1, 2, replace=False).tolist()) for _ in range(2))
        return _View(pool * x0, pool * y0, pool * x1, pool * y1), (slice(y0, y1), slice(x0, x1))

    for _ in range(50):
        (view, within), (of_pair, of_pair_within) = part(), part()
        picture = np.zeros((5, places, places), np.float32)
        shape = picture[:, *of_pair_within].shape
        pair = _Pair(of_pair, chance.normal(size=shape).astype(np.float32), np.zeros((2, *shape[1:]), np.float32), 1.0)
        picture[:, *of_pair_within] = pair.sums
        total = np.ones_like(picture[:, *within])
        _add(total, np.float32(0.5), pair, view, pool)
        np.testing.assert_array_equal(total, 1 + np.float32(0.5) * picture[:, *within])
