"""Findings about the features themselves."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_me.extract.findings import about_trust
from datasets_me.features.boxes import Box
from datasets_me.features.video import extract_video
from datasets_me.formats.records import VideoFeatures
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions


def test_a_hand_is_named_and_a_blink_is_not() -> None:
    video = FaceVideo(15, 0, FaceVideoOptions(frames=40, micro=0, blinks=60))
    assert video.blinks
    frames = list(video.frames())
    row = VideoFeatures(dataset="d", subject="s", video="v", name="v", status="ok", fps=30, frames=40, start=100)
    blinking = extract_video(frames, video.landmarks, box=Box(0, 0, 200, 250))
    assert not list(about_trust(row, blinking, 1))
    hand = np.random.default_rng(0).integers(0, 255, (90, 120), np.uint8)
    for number in range(22, 38):
        top = int(video.landmarks[number, 33, 1]) - number % 3
        frames[number][top : top + 90, 40:160] = hand
    (finding,) = about_trust(row, extract_video(frames, video.landmarks, box=Box(0, 0, 200, 250)), 1)
    assert finding.code == "ME617"
    assert finding.message.endswith("% of the motion is not believed to be that of the skin, mostly in 121-137")


@pytest.mark.parametrize(("fps", "half", "codes"), [(200, 40, ["ME618"]), (30, 6, []), (200, 1, []), (200, None, [])])
def test_a_step_below_the_noise(fps: int, half: int | None, codes: list[str]) -> None:
    video = FaceVideo(3, 7, FaceVideoOptions(frames=30, fps=fps, face_width=100, micro=0, blinks=0, noise=3.0))
    features = extract_video(list(video.frames()), video.landmarks, box=Box(0, 0, 200, 250))
    row = VideoFeatures(dataset="d", subject="s", video="v", name="v", status="ok", fps=fps, frames=30)
    findings = list(about_trust(row, features, half))
    assert [finding.code for finding in findings] == codes
    for finding in findings:
        assert finding.message.startswith(
            "at 200 frames a second, a micro-expression moves the skin by 0.020 px in 1 frame, and where nothing moves"
        )
        assert finding.message.endswith(" px: take --step 40")
