"""Faces in images: counts, help for small ones, landmarks where they are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.features.boxes import Box, CallableDetector, Detection
from datasets_me.features.faces import detector
from datasets_me.formats.image_records import FaceRow
from datasets_me.formats.image_tables import read_table
from datasets_me.images.looks import faces
from datasets_me.images.looks.faces import Finder, examine, face_row, write_faces
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions
from datasets_me.synthetic.pictures import face_picture, no_face
from tests.images.conftest import Looked, quiet, row


def test_what_helped_is_said(looked: Looked) -> None:
    rows = list(read_table(looked.images, "faces", FaceRow))
    assert [each.id for each in rows] == [each.id for each in looked.images.rows()]
    planted = {
        code: [e.about[0] for e in looked.made.planted if e.code == code]
        for code in ("ME702", "ME710", "ME711", "ME718")
    }
    by_id = {each.id: each for each in rows}
    assert [by_id[name].count for name in planted["ME702"]] == [None] * 3
    assert [(by_id[name].count, by_id[name].helped) for name in planted["ME710"]] == [(0, None)] * 2
    assert [by_id[name].count for name in planted["ME711"]] == [2]
    assert [by_id[name].helped for name in planted["ME718"]] == ["upscaled and padded"]
    assert sum(looked.faces["faces"].values()) == len(rows)
    sizes = [(face.x1 - face.x0) * (face.y1 - face.y0) for face in by_id[planted["ME711"][0]].faces]
    assert sizes == sorted(sizes, reverse=True)


def test_landmarks_are_where_they_are_in_truth() -> None:
    options = FaceVideoOptions(frames=1, size=(200, 200), face_width=110, colour=True, jpeg=None, micro=0)
    video = FaceVideo(4, 0, options)
    (face,), helped = examine(video.frame(0), detector("dlib"))
    points = np.array(face.landmarks).reshape(68, 2)
    assert helped == "upscaled and padded"
    assert np.median(np.linalg.norm(points - video.landmarks[0], axis=1)) < 3
    low, high = video.landmarks[0].min(axis=0), video.landmarks[0].max(axis=0)
    assert face.x0 < low[0] + 15 and face.x1 > high[0] - 15 and low[1] < (face.y0 + face.y1) / 2 < high[1]


def test_small_faces_get_help_and_their_own_pixels() -> None:
    counts = 0
    for number in range(12):
        small = cv2.resize(face_picture(number), (48, 48), interpolation=cv2.INTER_AREA)
        faces, _ = examine(np.asarray(small, np.uint8), detector("dlib"))
        counts += len(faces) == 1
        for face in faces:
            assert -10 < face.x0 < face.x1 < 58
            assert 0 < np.mean(face.landmarks) < 48
    assert counts == 12
    for number in range(8):
        nothing = cv2.resize(no_face(number), (48, 48), interpolation=cv2.INTER_AREA)
        assert examine(np.asarray(nothing, np.uint8), detector("dlib")) == ([], None)


def test_tightly_cut_faces_of_25_px_are_found_and_nothing_else_is() -> None:
    found = false = 0
    for number in range(24):
        tight = cv2.resize(face_picture(number, 5)[26:104, 26:104], (25, 25), interpolation=cv2.INTER_AREA)
        found += len(examine(np.asarray(tight, np.uint8), detector("dlib"))[0]) == 1
        empty = cv2.resize(no_face(number, 5), (25, 25), interpolation=cv2.INTER_AREA)
        false += len(examine(np.asarray(empty, np.uint8), detector("dlib"))[0])
    assert (found >= 23, false) == (True, 0)


@pytest.mark.parametrize(("answers", "helped"), [(0, "upscaled"), (1, "padded"), (2, "upscaled and padded")])
def test_boxes_come_back_in_the_images_own_pixels(answers: int, helped: str) -> None:
    """A detector that sees the face only at one of the steps, where it really is."""
    image = np.asarray(cv2.resize(face_picture(3), (60, 60), interpolation=cv2.INTER_AREA), np.uint8)
    sizes = [(240, 240), (120, 120), (480, 480)]
    (truth,), _ = examine(image, detector("dlib"))

    def find(large: np.ndarray) -> list[Detection]:  # type: ignore[type-arg]
        if large.shape[:2] != sizes[answers]:
            return []
        scale = (4, 1, 4)[answers]
        around = (0, 30, 120)[answers]
        return [Detection(Box(*(value * scale + around for value in (truth.x0, truth.y0, truth.x1, truth.y1))), 1.0)]

    (face,), found = examine(image, CallableDetector("one step", find))
    assert found == helped
    assert np.allclose([face.x0, face.y0, face.x1, face.y1], [truth.x0, truth.y0, truth.x1, truth.y1], atol=0.02)


def test_faces_of_large_images_are_those_of_the_shrunk_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = face_picture(3, side=384)[:, :288]
    monkeypatch.setattr(faces, "LARGE", 128)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    small = cv2.resize(picture, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA)
    (truth,), helped = examine(np.asarray(small, np.uint8), detector("dlib"))
    looked_at = face_row(row("a.png", width=288, height=384), root=tmp_path, finder=Finder())
    assert looked_at.helped == helped
    for (face,) in (looked_at.faces, examine(picture, detector("dlib"))[0]):
        assert np.allclose([face.x0, face.y1], [3 * truth.x0, 3 * truth.y1], atol=2)
        assert np.allclose(face.landmarks, 3 * np.array(truth.landmarks), atol=3)


def test_a_detector_without_weights_or_name(looked: Looked, tmp_path: Path) -> None:
    faults = {"yunet": "yunet needs", "boxes": "unknown face detector 'boxes'; choose one of dlib, haar, yunet$"}
    for finder, message in ((Finder(name), message) for name, message in faults.items()):
        with pytest.raises(MeDatasetsError, match=message):
            write_faces(looked.images, looked.root, finder, out=tmp_path, progress=quiet)
    assert list(tmp_path.iterdir()) == []
