"""A whole video: what comes out, and that one bad frame costs one frame."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from datasets_me.features.boxes import Box
from datasets_me.features.crop import cut
from datasets_me.features.faces import detector
from datasets_me.features.flow import flow, quantise_8bit
from datasets_me.features.mdmo import mdmo
from datasets_me.features.regions import ELEVEN
from datasets_me.features.video import PRESETS, Features, Quality, VideoOptions, extract_video
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

Frames = list[NDArray[np.uint8]]


@pytest.fixture(scope="module")
def features(frames: Frames) -> Features:
    return extract_video(frames)


def relative_error(found: NDArray[np.float32], video: FaceVideo) -> float:
    truth = np.stack([video.flow(t) for t in range(len(video) - 1)])
    target = mdmo(truth, video.landmarks[:-1]).feature
    return float(np.sqrt(((found - target) ** 2).mean() / (target**2).mean()))


def test_shapes_and_record(features: Features, frames: Frames) -> None:
    assert features.feature.shape == (39, 12, 2)
    assert features.feature.dtype == np.float32
    assert features.global_motion.shape == (39, 2)
    assert features.landmarks.shape == (40, 68, 2)
    assert features.residual.shape == features.quality.shape == (40,)
    assert features.clipped.shape == (39, 12)
    assert not features.quality.any()
    assert features.unit_px == 1
    assert features.crop is not None
    assert features.crop.confirmed
    assert features.method["preset"] == "default"
    assert features.method["detector"] == "dlib"


def test_known_motion_is_found(features: Features, video: FaceVideo) -> None:
    assert relative_error(features.feature, video) < 0.6
    assert np.abs(features.landmarks - video.landmarks).mean() < 2.5


def test_colour_is_as_good_as_grey(features: Features, frames: Frames) -> None:
    colour = [cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR) for frame in frames]
    np.testing.assert_array_equal(extract_video(colour).feature, features.feature)


def test_a_stream_gives_the_same_as_a_list(frames: Frames, features: Features) -> None:
    box = features.box
    listed = extract_video(frames, box=box)
    streamed = extract_video(iter(frames), box=box)
    stacked = extract_video(np.stack(frames), box=box)
    for other in (streamed, stacked):
        np.testing.assert_array_equal(listed.feature, other.feature)
        np.testing.assert_array_equal(listed.landmarks, other.landmarks)


def test_few_frames_are_held_at_a_time(frames: Frames, features: Features) -> None:
    """Frames are asked for one by one, and what comes out of them is not hoarded."""
    alive = {"now": 0, "most": 0}

    class Counted(np.ndarray):
        def __del__(self) -> None:
            alive["now"] -= 1

    def read() -> Iterator[NDArray[np.uint8]]:
        for index in range(150):
            alive["now"] += 1
            alive["most"] = max(alive["most"], alive["now"])
            # a copy of its own, counted as long as anybody holds it
            yield frames[index % 40].copy().view(Counted)

    extract_video(read(), video_landmarks(features, 150), options=VideoOptions(preset="default"))
    assert alive["most"] <= 60


def video_landmarks(features: Features, count: int) -> NDArray[np.float32]:
    return features.landmarks[np.arange(count) % len(features.landmarks)]


def test_bad_frames_are_marked_and_the_rest_kept(frames: Frames, features: Features) -> None:
    broken: list[NDArray[np.uint8] | None] = list(frames)
    broken[10] = None
    broken[18] = frames[18][:50]
    broken[25] = np.full_like(frames[25], 60)
    broken[33] = frames[33].astype(np.float32)
    found = extract_video(broken)
    bad = Quality.MISSING | Quality.NO_FACE
    expected = {10: bad, 18: bad, 25: Quality.NO_FACE, 33: bad}
    assert {t: int(q) for t, q in enumerate(found.quality) if q} == expected
    lost = np.flatnonzero(np.isnan(found.feature).any(axis=(1, 2)))
    np.testing.assert_array_equal(lost, [9, 10, 17, 18, 24, 25, 32, 33])
    assert np.isfinite(found.landmarks).all()
    # far from any gap nothing has changed
    np.testing.assert_allclose(found.feature[1:5], features.feature[1:5], atol=0.02)


@pytest.mark.parametrize(
    "frames_in",
    [[None], [None] * 50, [np.zeros((1, 1), np.uint8)] * 3, [np.full((200, 200), 60, np.uint8)] * 3],
    ids=["one missing", "all missing", "1x1", "nobody"],
)
def test_videos_with_nothing_in_them(frames_in: list[NDArray[np.uint8] | None]) -> None:
    found = extract_video(frames_in)
    assert found.feature.shape == (len(frames_in) - 1, 12, 2)
    assert np.isnan(found.feature).all()
    assert (found.quality & Quality.NO_FACE).all()
    assert np.isnan(found.landmarks).all()


def test_one_good_frame_among_many_bad_ones(frames: Frames) -> None:
    lonely: list[NDArray[np.uint8] | None] = [None] * 300
    lonely[123] = frames[0]
    found = extract_video(lonely)
    assert list(np.flatnonzero(found.quality == 0)) == [123]
    assert np.isfinite(found.landmarks[123]).all()


def test_one_frame_has_landmarks_but_no_feature(frames: Frames) -> None:
    found = extract_video(frames[:1])
    assert found.feature.shape == (0, 12, 2)
    assert np.isfinite(found.landmarks).all()


def test_the_first_frame_may_be_the_odd_one(frames: Frames, features: Features) -> None:
    found = extract_video([np.zeros((10, 10), np.uint8), *frames[:6]])
    assert list(found.quality) == [Quality.MISSING | Quality.NO_FACE, 0, 0, 0, 0, 0, 0]
    assert np.isnan(found.feature[0]).all()
    assert np.isfinite(found.feature[1:]).all()


def test_two_faces_follow_the_larger(frames: Frames) -> None:
    small = [cv2.resize(frame, None, fx=0.7, fy=0.7) for frame in frames[:6]]
    both = []
    for large, little in zip(frames[:6], small, strict=True):
        image = np.full((280, 520), 128, np.uint8)
        image[: little.shape[0], : little.shape[1]] = little
        image[:, 220:] = large
        both.append(image)
    found = extract_video(both)
    assert found.landmarks[:, :, 0].min() > 220
    assert not found.quality.any()


def test_windows_over_the_edge_are_marked(frames: Frames, video: FaceVideo) -> None:
    low = video.landmarks[0, 48].astype(int)
    cut = [np.ascontiguousarray(frame[:, low[0] :]) for frame in frames[:4]]
    points = video.landmarks[:4] - np.array([low[0], 0])
    found = extract_video(cut, points)
    assert found.clipped[:, 8].all()
    assert (found.quality[:3] == Quality.CLIPPED).all()
    assert found.quality[3] == 0


def test_landmarks_of_ones_own(frames: Frames, video: FaceVideo) -> None:
    found = extract_video(frames, video.landmarks)
    np.testing.assert_allclose(found.landmarks, video.landmarks, atol=1e-4)
    assert found.crop is None
    low, high = video.landmarks.min(axis=(0, 1)), video.landmarks.max(axis=(0, 1))
    assert found.box.x0 < low[0] < high[0] < found.box.x1
    assert found.method["landmarks"] == "given"
    assert relative_error(found.feature, video) < 0.6
    gap = video.landmarks.copy()
    gap[5:8] = np.nan
    filled = extract_video(frames, gap)
    np.testing.assert_allclose(filled.landmarks, video.landmarks, atol=1.5)
    assert list(np.flatnonzero(filled.quality)) == [5, 6, 7]


def test_far_away_landmarks_are_not_fatal(frames: Frames, video: FaceVideo) -> None:
    found = extract_video(frames[:3], video.landmarks[:3] + 5000)
    assert np.isnan(found.feature).all()
    assert found.clipped.all()


def test_a_box_of_ones_own(frames: Frames, video: FaceVideo) -> None:
    found = extract_video(frames[:5], video.landmarks[:5], box=Box(50, 40, 260, 270))
    np.testing.assert_allclose(found.landmarks, video.landmarks[:5], atol=1e-4)
    assert found.box == Box(50, 40, 260, 270)
    assert found.crop is not None
    assert found.crop.source == "given"


def test_the_published_form(frames: Frames, video: FaceVideo) -> None:
    """8-bit JPEG flow in units of 20 px, landmarks of the second frame, the exact rule."""
    two = frames[14:16]
    found = extract_video(two, video.landmarks[14:16], options=VideoOptions(preset="auwgcn"))
    stored = quantise_8bit(flow(np.stack(two), "tvl1")[0], jpeg=95)
    expected = mdmo(stored[None], video.landmarks[15:16], exact=True)
    np.testing.assert_array_equal(found.feature, expected.feature)
    assert found.unit_px == 20


@pytest.mark.parametrize("name", ["haar", "boxes", "published-crop"])
def test_other_detectors_lead_to_the_same_landmarks(name: str, frames: Frames, features: Features) -> None:
    crops = [cut(frames[0], features.box)]
    finder = detector(name, box=features.box, crops=crops)
    found = extract_video(frames[:12], face_detector=finder)
    assert not found.quality.any()
    assert np.abs(found.landmarks - features.landmarks[:12]).mean() < 1.5
    assert found.method["detector"] == name


@pytest.mark.parametrize("step", [2, 5])
def test_steps(frames: Frames, video: FaceVideo, step: int) -> None:
    found = extract_video(frames, video.landmarks, options=VideoOptions(step=step))
    assert found.feature.shape == (40 - step, 12, 2)
    truth = np.stack([video.flow(t, step) for t in range(40 - step)])
    target = mdmo(truth, video.landmarks[:-step]).feature
    assert np.sqrt(((found.feature - target) ** 2).mean() / (target**2).mean()) < 0.5


def test_options(frames: Frames, video: FaceVideo) -> None:
    points = video.landmarks[:8]
    assert extract_video(frames[:8], points, options=VideoOptions(regions=ELEVEN)).feature.shape == (7, 11, 2)
    assert extract_video(frames[:8], points, options=VideoOptions(radius=9)).method["radius"] == 9
    assert extract_video(frames[:8], points * 1.0, options=VideoOptions(radius="scaled")).method["radius"] == 5
    strict = extract_video(frames[:8], points, options=VideoOptions(temporal=1))
    pair = extract_video(frames[3:5], points[3:5], options=VideoOptions(temporal=1))
    assert strict.method["temporal"] == 1
    # the width of the face, and so the window, is the median of another set of frames
    np.testing.assert_allclose(strict.feature[3], pair.feature[0], atol=0.01)


def test_aligned_frames_have_less_head_motion() -> None:
    options = FaceVideoOptions(frames=24, head_motion=10.0, micro=0, blinks=0)
    frames = list(FaceVideo(0, 5, options).frames())
    free = extract_video(frames)
    found = extract_video(frames, options=VideoOptions(aligned=True))
    # landmarks are those of the raw frames in either case
    np.testing.assert_array_equal(found.landmarks, free.landmarks)
    assert np.abs(found.global_motion).mean() < 0.3 * np.abs(free.global_motion).mean()
    assert found.method["aligned"] is True


def test_bad_arguments_say_what_is_wrong(frames: Frames, video: FaceVideo) -> None:
    assert set(PRESETS) == {"default", "tvl1", "auwgcn", "dis", "farneback"}
    with pytest.raises(ValueError, match="unknown preset 'best'; choose one of default, tvl1, auwgcn"):
        extract_video(frames, options=VideoOptions(preset="best"))
    with pytest.raises(ValueError, match="there are no frames"):
        extract_video([])
    with pytest.raises(ValueError, match=r"\(T, 68, 2\)"):
        extract_video(frames, np.zeros((4, 5, 2)))
    for count in (3, 5):
        with pytest.raises(ValueError, match=f"landmarks of {count} frames for a video of 4"):
            extract_video(frames[:4], video.landmarks[:count])
    with pytest.raises(ValueError, match="step"):
        extract_video(frames[:4], video.landmarks[:4], options=VideoOptions(step=0))


def test_the_published_form_with_a_missing_frame(video: FaceVideo, frames: Frames) -> None:
    small = [cv2.resize(frame, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA) for frame in frames[:4]]
    some: list[NDArray[np.uint8] | None] = [small[0], small[1], None, small[3]]
    found = extract_video(some, video.landmarks[:4] * 0.4, options=VideoOptions(preset="auwgcn"))
    assert np.isfinite(found.feature[0]).all()
    assert np.isnan(found.feature[1:]).all()
    assert list(found.quality) == [0, 0, Quality.MISSING, 0]


def test_alignment_keeps_the_features_of_a_drifting_head() -> None:
    video = FaceVideo(
        300, 300, FaceVideoOptions(frames=30, size=(260, 250), face_width=133, noise=1.5, head_motion=1.0)
    )
    drifting = [
        cv2.warpAffine(
            frame,
            np.array([[1, 0, 0.8 * number], [0, 1, 0]], np.float32),
            frame.shape[1::-1],
            flags=cv2.INTER_LANCZOS4,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for number, frame in enumerate(video.frames())
    ]
    assert relative_error(extract_video(drifting, options=VideoOptions(aligned=True)).feature, video) < 0.6


@pytest.mark.parametrize("box", [(20, 10, 180, 240), [20, 10, 180, 240], np.array([20, 10, 180, 240], np.int32)])
def test_a_box_as_four_numbers(box: object, frames: Frames) -> None:
    assert extract_video(frames[:4], box=box).box == Box(20, 10, 180, 240)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((20, 10, 180), "a box is four numbers x0, y0, x1, y1, not"),
        ((0, 0, float("inf"), 100), "a box is four numbers x0, y0, x1, y1, not"),
        ((180, 10, 20, 240), r"the box \(180.0, 10.0, 20.0, 240.0\) has no part in frames of 300 x 280 px"),
        ((900, 900, 990, 990), "has no part in frames of 300 x 280 px"),
    ],
)
def test_boxes_that_are_none(box: object, message: str, frames: Frames) -> None:
    with pytest.raises(ValueError, match=message):
        extract_video(frames[:4], box=box)


def test_what_is_no_picture_is_a_bad_frame(frames: Frames) -> None:
    found = extract_video([frames[0], "frame", *frames[2:6]])
    assert found.quality.tolist() == [0, Quality.MISSING | Quality.NO_FACE, 0, 0, 0, 0]


def test_what_covers_a_region_is_marked(video: FaceVideo, frames: Frames) -> None:
    """A hand that comes to the mouth for a while is no motion of the skin; the brows stay what they are."""
    rng = np.random.default_rng(0)
    hand = cv2.GaussianBlur(rng.normal(130, 60, (90, 150)).astype(np.float32), (0, 0), 2)
    covered = []
    for number, (frame, points) in enumerate(zip(frames, video.landmarks, strict=True)):
        image = frame.copy()
        if 10 <= number < 18:
            x, y = int(points[57, 0]) - 75 + 3 * (number - 14), int(points[57, 1]) - 50
            part = image[y : y + 90, x : x + 150]
            part[:] = np.clip(hand[: part.shape[0], : part.shape[1]], 0, 255)
        covered.append(image)
    bare, found = extract_video(frames, video.landmarks), extract_video(covered, video.landmarks)
    assert bare.valid.mean() > 0.98
    assert not found.valid[9:18, 8:].any()
    assert found.valid[:, :6].mean() > 0.98
    assert found.valid[:8].mean() > 0.98


def test_given_landmarks_that_are_unknown_are_not_believed(video: FaceVideo, frames: Frames) -> None:
    landmarks = video.landmarks[:8].copy()
    landmarks[4] = np.nan
    found = extract_video(frames[:8], landmarks)
    assert np.flatnonzero(~found.valid.all(axis=1)).tolist() == [3, 4]
    assert not found.valid[3:5].any()
    assert np.isfinite(found.feature).all()


def test_the_motion_of_the_head_is_recorded(video: FaceVideo, frames: Frames) -> None:
    some = frames[:6], video.landmarks[:6]
    assert extract_video(*some).method["head"] == "rigid"
    nose = extract_video(*some, options=VideoOptions(head="translation"))
    assert nose.method["head"] == "translation"
    fields = flow(np.stack(frames[:6]), face_width=130)
    assert np.abs(nose.feature - mdmo(fields, video.landmarks[:5]).feature).max() < 0.02
    with pytest.raises(ValueError, match="the preset auwgcn is the published form, with head 'translation'"):
        VideoOptions(preset="auwgcn", head="rigid")
    with pytest.raises(ValueError, match="unknown motion of the head 'neck'; choose one of rigid, translation"):
        VideoOptions(head="neck")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="landmarks_every is a number of frames and at least 1, not 0"):
        VideoOptions(landmarks_every=0)
