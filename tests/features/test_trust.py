"""Which motion is believed: regions that are covered, blurred out of the picture, too fast or unknown are not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from datasets_me.features.mdmo import RegionMotion
from datasets_me.features.regions import RegionSet, at
from datasets_me.features.trust import CONTRAST, FASTEST, NEAR, SIZE, Patches, skin, watched

SIDE = SIZE + 2 * NEAR
REGIONS = 3
FRAMES = 12
WIDTH = 133.0


def looks(seed: int, contrast: float = 40) -> NDArray[np.uint8]:
    """What each region looks like: noise about grey."""
    noise = np.random.default_rng(seed).normal(128, contrast, (REGIONS, SIDE, SIDE))
    return noise.clip(0, 255).astype(np.uint8)


def video(contrast: float = 40) -> list[Patches | None]:
    return [looks(1, contrast).copy() for _ in range(FRAMES)]


def motion(step: int = 1, feature: NDArray[np.float32] | None = None, spread: float = 0) -> RegionMotion:
    shape = (FRAMES - step, REGIONS)
    return RegionMotion(
        feature=np.zeros((*shape, 2), np.float32) if feature is None else feature,
        global_motion=np.zeros((shape[0], 2), np.float32),
        clipped=np.zeros(shape, bool),
        valid=np.ones(shape, bool),
        spread=np.full(shape, spread, np.float32),
    )


@pytest.mark.parametrize("step", [1, 3])
def test_pairs_with_a_covered_frame_are_not_believed(step: int) -> None:
    patches = video()
    for frame in (5, 6):
        patches[frame][1] = looks(2)[1]  # type: ignore[index]
    believed = skin(patches, motion(step), step, WIDTH)
    expected = np.ones((FRAMES - step, REGIONS), bool)
    for frame in (5, 6):
        expected[frame, 1] = expected[frame - step, 1] = False
    np.testing.assert_array_equal(believed, expected)


def test_a_frame_that_mostly_shows_something_else_is_not_believed_at_all() -> None:
    patches = video()
    for region in (0, 2):
        patches[5][region] = looks(2)[region]  # type: ignore[index]
    assert np.argwhere(~skin(patches, motion(), 1, WIDTH)).tolist() == [
        [pair, region] for pair in (4, 5) for region in range(3)
    ]


@pytest.mark.parametrize("half", [np.s_[:, SIDE // 2 :], np.s_[SIDE // 2 :], np.s_[: SIDE // 2]])
def test_half_a_cover_is_enough(half: tuple[slice, ...] | slice) -> None:
    patches = video()
    patches[5][1][half] = looks(2)[1][half]  # type: ignore[index]
    assert np.argwhere(~skin(patches, motion(), 1, WIDTH)).tolist() == [[4, 1], [5, 1]]


def test_pairs_with_an_unknown_frame_are_not_believed() -> None:
    patches = video()
    patches[4] = None
    believed = skin(patches, motion(), 1, WIDTH)
    assert [pair for pair, row in enumerate(believed) if not row.all()] == [3, 4]
    assert not believed[3:5].any()
    assert not skin([None] * FRAMES, motion(), 1, WIDTH).any()


def test_no_motion_faster_than_skin() -> None:
    feature = motion().feature
    feature[2, 0] = 3, 4
    feature[3, 1] = 3.01, 4
    feature[4, 2] = np.nan
    believed = skin(video(), motion(feature=feature), 1, 5 / FASTEST)
    assert np.argwhere(~believed).tolist() == [[3, 1], [4, 2]]


@pytest.mark.parametrize(
    ("spread", "speed", "step", "is_skin"),
    [(0.29, 0, 1, True), (0.31, 0, 1, False), (0.31, 1.1, 1, True), (0.5, 1.6, 1, False), (0.58, 0, 4, True)],
)
def test_a_window_that_is_torn_is_not_skin(spread: float, speed: float, step: int, is_skin: bool) -> None:
    """On a face of 133 px; what moves much may spread by more, and so may what moves for longer."""
    feature = motion(step).feature
    feature[..., 1] = speed
    assert skin(video(), motion(step, feature, spread), step, WIDTH).all() == is_skin
    assert skin(video(), motion(step, 2 * feature, 2 * spread), step, 2 * WIDTH).all() == is_skin


@pytest.mark.parametrize(
    ("off", "is_skin"),
    [((2, 0), True), ((0, -4), True), ((4, 4), True), ((6, 0), False), ((1, -3), True), ((0, 3), True)],
)
def test_landmarks_may_be_a_little_off(off: tuple[int, int], is_skin: bool) -> None:
    """By as many halves of a pixel."""
    fine = np.random.default_rng(1).normal(128, 60, (REGIONS, 2 * SIDE, 2 * SIDE))
    fine = np.stack([cv2.GaussianBlur(one, (0, 0), 1) for one in fine])
    plain, moved = (
        np.stack([cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for one in np.roll(fine, by, (1, 2))])
        for by in ((0, 0), off)
    )
    patches: list[Patches | None] = [plain.clip(0, 255).astype(np.uint8) for _ in range(FRAMES)]
    patches[6] = moved.clip(0, 255).astype(np.uint8)
    believed = skin(patches, motion(), 1, WIDTH)
    assert believed[[5, 6]].all() == believed[[5, 6]].any() == is_skin
    assert believed[:5].all()


def test_what_is_covered_most_of_the_time_has_no_usual_look() -> None:
    patches = video()
    for frame in range(3, FRAMES):
        patches[frame][2] = looks(frame)[2]  # type: ignore[index]
    believed = skin(patches, motion(), 1, WIDTH)
    assert believed[:, :2].all()
    assert not believed[:, 2].any()


def test_brighter_or_of_more_contrast_is_the_same_skin() -> None:
    patches = video(20)
    patches[6] = (patches[6] * 0.8 + 60).astype(np.uint8)  # type: ignore[operator]
    assert skin(patches, motion(), 1, WIDTH).all()


@pytest.mark.parametrize(("contrast", "is_skin"), [(0.3 * CONTRAST, True), (0.8 * CONTRAST, False)])
def test_smooth_skin_is_like_any_other(contrast: float, is_skin: bool) -> None:
    patches = video(contrast)
    patches[6] = looks(2, contrast)
    assert skin(patches, motion(), 1, WIDTH)[5:7].all() == is_skin


def test_what_is_watched_lies_around_the_regions() -> None:
    """In a picture whose grey is x in its upper half and y in its lower one, a patch tells where it was cut."""
    regions = RegionSet("two", (at("upper", 10), at("lower", 20)))
    across, down = np.meshgrid(np.arange(200), np.arange(200))
    picture = np.where(down < 100, across, down).astype(np.uint8)
    points = np.full((68, 2), 100, np.float32)
    points[10], points[20] = (60, 50), (120, 150)
    landmarks, patches = [points], list[Patches | None]()
    width = 100.0
    watcher = watched(iter([picture, None, picture]), landmarks, regions, width, patches)
    assert next(watcher) is picture
    assert next(watcher) is None
    landmarks.append(np.full((68, 2), 100, np.float32))
    landmarks[-1][20] = np.nan
    assert next(watcher) is picture
    assert [each is not None for each in patches] == [True, False, False]
    first, second = patches[0].astype(float)  # type: ignore[union-attr]
    assert first.shape == (SIDE, SIDE)
    assert abs(first.mean() - 60) < 1
    assert abs(second.mean() - 150) < 1
    pixel = 0.17 * width / SIZE  # of the picture, in one of the patch
    assert np.diff(first, axis=1).mean() == pytest.approx(pixel, abs=0.15)
    assert np.diff(second, axis=0).mean() == pytest.approx(pixel, abs=0.15)
