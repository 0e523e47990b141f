"""What disturbs the measuring of a face: it is seen, and the truth stays the motion of the skin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import cv2
import numpy as np
import pytest

from datasets_me.core.choices import Distractor
from datasets_me.core.errors import MeDatasetsError
from datasets_me.synthetic.distractors import DISTRACTORS
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions
from datasets_me.synthetic.film import Film

STILL = FaceVideoOptions(
    frames=40, size=(120, 130), face_width=70, micro=0, noise=0, jpeg=None, head_motion=0, blinks=0, people=True
)
BROWS, MOUTH, CORNERS = slice(17, 27), slice(48, 60), [36, 45]


def disturbed(name: Distractor, person: int = 0) -> FaceVideo:
    return FaceVideo(person, 3, replace(STILL, **DISTRACTORS[name]))


def test_each_has_a_name() -> None:
    assert tuple(DISTRACTORS) == get_args(Distractor)


@pytest.mark.parametrize("person", [0, 1])
@pytest.mark.parametrize("name", [name for name in DISTRACTORS if name not in ("roll", "zoom", "yaw", "jolt", "blink")])
def test_pictures_change_and_only_speech_moves_the_skin(name: Distractor, person: int) -> None:
    video, plain = disturbed(name, person), FaceVideo(person, 3, STILL)
    assert np.abs(video.frame(0).astype(int) - plain.frame(0)).max() > 8
    motion = np.abs(video.landmarks[3] - plain.landmarks[3]).max(axis=1)
    assert (motion[MOUTH].max() > 0.3) == (name == "speech")
    assert motion[BROWS].max() < 0.02


def _angle(points: np.ndarray) -> float:
    across = points[45] - points[36]
    return float(np.degrees(np.arctan2(across[1], across[0])))


def _nose_off(points: np.ndarray) -> float:
    return float(points[30, 0] - points[[0, 16], 0].mean())


@pytest.mark.parametrize(
    ("name", "measure", "furthest"),
    [
        ("roll", _angle, 3.0),
        ("zoom", lambda points: float(np.log(np.linalg.norm(points[45] - points[36]))), 0.01),
        # the nose lies 0.36 widths in front of the ears
        ("yaw", _nose_off, 0.36 * 70 * np.sin(np.radians(2))),
    ],
)
def test_heads_turn_as_far_as_they_should(
    name: Distractor, measure: Callable[[np.ndarray], float], furthest: float
) -> None:
    options = replace(STILL, frames=120, fps=10, **DISTRACTORS[name])
    points = FaceVideo(0, 3, options).landmarks
    values = [measure(frame) for frame in points]
    assert (max(values) - min(values)) / 2 == pytest.approx(furthest, rel=0.15)


@pytest.mark.parametrize("name", ["roll", "zoom", "yaw", "speech"])
def test_the_true_flow_explains_the_frames(name: Distractor) -> None:
    video = disturbed(name)
    grid = np.stack(np.meshgrid(np.arange(120), np.arange(130)), axis=-1).astype(np.float32)
    first, second = (video.frame(t).astype(np.float32) for t in (2, 36))
    moved = cv2.remap(second, grid + video.flow(2, 34), None, cv2.INTER_CUBIC)
    assert np.abs(moved - first)[9:-9, 9:-9].mean() < 0.5 * np.abs(second - first)[9:-9, 9:-9].mean()


def test_what_a_hand_covers_is_told() -> None:
    video = disturbed("hand")
    plain = FaceVideo(0, 3, STILL).frame(0)
    change = np.abs(video.frame(7).astype(int) - plain)
    for region, (x, y) in enumerate(np.rint(video.landmarks[7][[18, 19, 20, 23, 24, 25, 28, 30, 48, 51, 54, 57]])):
        there = change[int(y) - 5 : int(y) + 6, int(x) - 5 : int(x) + 6]
        assert (there > 0).mean() >= video.covered[7, region] - 0.1
        assert video.covered[7, region] > 0 or there.max() <= 1
    assert video.covered[:, :7].max() == 0
    assert video.covered[:, 11].max() > 0.8
    assert FaceVideo(0, 3, STILL).covered.max() == 0


def test_glasses_do_not_ride_on_the_skin() -> None:
    """They stay where they are while the brows rise, and move with the head."""
    still = disturbed("glasses")
    dark = still.frame(0) < 45
    raised = replace(still.options, micro=1, amplitude=4.0, frames=60)
    video = FaceVideo(0, 3, raised, tuple(replace(one, aus=(1, 2)) for one in FaceVideo(0, 3, raised).expressions))
    (expression,) = video.expressions
    apex = video.frame(expression.apex)
    plain = FaceVideo(0, 3, STILL).frame(0)
    rim = dark & (plain > 90)
    assert rim.sum() > 100
    assert (apex[rim] < 60).mean() > 0.95
    turned = FaceVideo(0, 3, replace(still.options, head_motion=20.0))
    moved = [(turned.frame(t) < 45) & (plain > 90) for t in (0, 20)]
    assert (moved[0] & moved[1]).sum() < 0.8 * moved[0].sum()


def test_an_unknown_one_is_named() -> None:
    with pytest.raises(MeDatasetsError, match=r"--with does not know 'hat'") as error:
        Film(disturbed=("hand", "hat"))  # type: ignore[arg-type]
    assert "choose from all, hand, blink, speech" in str(error.value.fix)
