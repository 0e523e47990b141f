"""Flow images: each step of a recipe on fields whose result is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from datasets_me.features.flow_images import Recipe, flow_fields, flow_image, grey_of, scaled
from datasets_me.features.magnify import along_flow
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

LANDMARKS = FaceVideo(0, 0, FaceVideoOptions(size=(128, 128), face_width=100)).landmarks[0]


def texture(size: int = 128, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(0, 255, (size, size)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


@pytest.mark.parametrize("recipe", [Recipe(flow="tvl1"), Recipe(flow="farneback"), Recipe(flow="dis")])
def test_a_shift_is_found_in_its_direction(recipe: Recipe) -> None:
    first = texture()
    second = cv2.warpAffine(first, np.float32([[1, 0, 1.5], [0, 1, -0.5]]), (128, 128), borderMode=cv2.BORDER_REFLECT)
    u, v = flow_fields(first, second, recipe)
    middle = np.s_[30:-30, 30:-30]
    assert np.median(u[middle]) == pytest.approx(1.5, abs=0.1)
    assert np.median(v[middle]) == pytest.approx(-0.5, abs=0.1)


def test_the_default_flow_on_a_face_is_near_the_truth() -> None:
    video = FaceVideo(3, 3, FaceVideoOptions(frames=30, size=(128, 128), face_width=96, amplitude=1.5, head_motion=0))
    onset, apex = video.expressions[0].onset, video.expressions[0].apex
    truth = video.flow(onset, apex - onset)
    strong = np.hypot(truth[..., 0], truth[..., 1]) > 0.7
    u, v = flow_fields(video.frame(onset), video.frame(apex), Recipe())
    error = np.hypot(u - truth[..., 0], v - truth[..., 1])
    assert strong.sum() > 100
    assert np.median(error[strong]) < 0.35


def test_grey_by_the_weights_of_each_channel() -> None:
    red = np.zeros((1, 1, 3), np.uint8)
    red[..., 0] = 200
    assert grey_of(red, Recipe())[0, 0] == round(0.299 * 200)
    assert grey_of(red, Recipe(grey="swapped"))[0, 0] == round(0.114 * 200)


def test_polar_form_costs_next_to_nothing() -> None:
    first, second = texture(64), texture(64, 1)
    plain, polar = (np.stack(flow_fields(first, second, Recipe(flow="farneback", polar=p))) for p in (False, True))
    assert np.abs(plain - polar).max() < 0.01


def test_channels_scaled() -> None:
    image = np.dstack([np.arange(4.0).reshape(2, 2), np.full((2, 2), 7.0), -np.arange(4.0).reshape(2, 2)])
    out = scaled(image.astype(np.float32))
    assert out[..., 0].tolist() == [[0, pytest.approx(1 / 3)], [pytest.approx(2 / 3), 1]]
    assert not out[..., 1].any()
    assert out[..., 2].tolist() == [[1, pytest.approx(2 / 3)], [pytest.approx(1 / 3), 0]]


def test_scale_first_is_over_the_whole_face_and_last_over_what_is_left() -> None:
    rng = np.random.default_rng(0)
    u, v = rng.normal(size=(2, 128, 128)).astype(np.float32)
    first = flow_image(u, v, Recipe(parts="brows-mouth", scale="first"), LANDMARKS)
    last = flow_image(u, v, Recipe(parts="brows-mouth", scale="last"), LANDMARKS)
    assert first.shape == last.shape == (42, 42, 3)
    assert first.max() < 1
    assert (last.min(axis=(0, 1)).tolist(), last.max(axis=(0, 1)).tolist()) == ([0] * 3, [1] * 3)


def test_brows_above_and_mouth_below() -> None:
    u = np.zeros((128, 128), np.float32)
    mouth = LANDMARKS[48:68].mean(axis=0).round().astype(int)
    u[mouth[1] - 3 : mouth[1] + 4, mouth[0] - 3 : mouth[0] + 4] = 1
    image = flow_image(u, u, Recipe(parts="brows-mouth"), LANDMARKS)
    assert not image[:21, :, 0].any()
    assert image[21:, :, 0].max() == pytest.approx(1)


def test_the_motion_of_the_nose_is_taken_out_and_the_eyes_are_masked() -> None:
    u = np.full((128, 128), 2.0, np.float32)
    u[:20] = -1.0
    image = flow_image(u, u, Recipe(remove_nose=True), LANDMARKS)
    assert image[60:, :, 0].max() == 0
    assert image[5, 5, 0] == 3
    eye = LANDMARKS[36:42].mean(axis=0).round().astype(int)
    masked = flow_image(u, u, Recipe(mask_eyes=True), LANDMARKS)
    assert not masked[eye[1], eye[0]].any()
    assert masked[-5, -5, 0] == 2


@pytest.mark.parametrize("landmarks", [None, np.full((68, 2), np.nan, np.float32)])
def test_a_recipe_without_its_landmarks(landmarks: np.ndarray | None) -> None:
    field = np.zeros((64, 64), np.float32)
    with pytest.raises(ValueError, match="there are no landmarks"):
        flow_image(field, field, Recipe(mask_eyes=True), landmarks)


def test_landmarks_that_lie_elsewhere() -> None:
    field, far = np.zeros((64, 64), np.float32), LANDMARKS + 500
    with pytest.raises(ValueError, match="brows or mouth lie outside the face's picture"):
        flow_image(field, field, Recipe(parts="brows-mouth"), far)
    with pytest.raises(ValueError, match="the nose lies outside the face's picture"):
        flow_image(field, field, Recipe(remove_nose=True), far)


def test_motion_is_magnified_along_the_flow() -> None:
    video = FaceVideo(1, 1, FaceVideoOptions(frames=30, size=(128, 128), amplitude=1.0, noise=0, head_motion=0))
    onset, apex = video.expressions[0].onset, video.expressions[0].apex
    first, second, truth = video.frame(onset), video.frame(apex), video.flow(onset, apex - onset)
    flow = truth[..., 0].copy(), truth[..., 1].copy()
    same = along_flow(first, second, flow, 1.0)
    assert np.abs(same.astype(int) - second)[5:-5, 5:-5].max() <= 2
    large = along_flow(first, second, flow, 4.0)
    strong = np.hypot(*flow) > 0.7
    u, v = flow_fields(first, large, Recipe(flow="tvl1"))
    ratio = np.hypot(u, v)[strong] / np.hypot(*flow)[strong]
    assert np.median(ratio) == pytest.approx(4, rel=0.15)
