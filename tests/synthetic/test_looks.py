"""Other people from one portrait: found by the default detector and landmarks, and unlike each other."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from datasets_me.features.faces import detector
from datasets_me.features.landmarks import predict
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions
from datasets_me.synthetic.looks import MIRRORED, look_of

OPTIONS = FaceVideoOptions(frames=2, size=(240, 220), colour=True, people=True, pores=False)


@pytest.mark.parametrize("person", range(12))
def test_everybody_is_found(person: int) -> None:
    video = FaceVideo(person, 0, OPTIONS)
    grey = cv2.cvtColor(video.frame(0), cv2.COLOR_BGR2GRAY)
    (face,) = detector("dlib").detect(grey)
    error = predict(grey, face.box).points - video.landmarks[0]
    assert np.linalg.norm(error, axis=1).mean() < 0.035 * video.width


def test_people_differ_and_stay_themselves() -> None:
    looks = [look_of(person) for person in range(40)]
    assert looks == [look_of(person) for person in range(40)]
    assert len({look.background for look in looks}) == 40
    for feature in ("mirrored", "beard", "moustache", "glasses"):
        assert {bool(getattr(look, feature)) for look in looks} == {False, True}
    still = FaceVideoOptions(frames=1, size=(120, 110), colour=True, people=True, noise=0, jpeg=None)
    faces = [FaceVideo(person, 0, still).frame(0).astype(float) for person in range(6)]
    differences = [np.abs(a - b).mean() for i, a in enumerate(faces) for b in faces[:i]]
    assert min(differences) > 12


def test_the_motion_of_a_mirrored_face_is_still_the_true_one() -> None:
    person = next(person for person in range(40) if look_of(person).mirrored)
    video = FaceVideo(person, 1, FaceVideoOptions(frames=10, people=True, micro=0, blinks=0, head_motion=4.0))
    points = video.landmarks
    assert points[0, 36, 0] < points[0, 45, 0]  # the right eye is on the left of the picture
    assert (points[0, 8] > points[0, 27])[1]
    flow = cv2.remap(video.flow(0, 9), points[0][None], None, cv2.INTER_LINEAR)[0]
    np.testing.assert_allclose(flow, points[9] - points[0], atol=0.02)


def test_the_mirror_image_of_the_mirror_image_is_the_face() -> None:
    assert MIRRORED[MIRRORED].tolist() == list(range(68))
