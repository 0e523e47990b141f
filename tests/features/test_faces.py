"""Detectors: what they find, and what they say when they cannot be had."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from datasets_me.features.boxes import Box, DetectorError, read_boxes
from datasets_me.features.faces import LICENCES, NAMES, detector, model_file, sha256
from datasets_me.features.published import locate
from datasets_me.synthetic.face_video import FaceVideo


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (a.width * a.height + b.width * b.height - shared)


def true_face(video: FaceVideo) -> Box:
    low, high = video.landmarks[0].min(axis=0), video.landmarks[0].max(axis=0)
    return Box(*(float(value) for value in (*low, *high)))


@pytest.mark.parametrize("name", ["dlib", "haar"])
def test_embedded_detectors_find_the_face(name: str, video: FaceVideo, frames: list[NDArray[np.uint8]]) -> None:
    finder = detector(name)
    assert finder.name == name
    assert finder.provenance
    for image in (frames[0], cv2.cvtColor(frames[0], cv2.COLOR_GRAY2BGR)):
        faces = finder.detect(image)
        assert len(faces) == 1
        assert overlap(faces[0].box, true_face(video)) > 0.5


def test_a_large_picture_gives_boxes_in_its_own_pixels(video: FaceVideo, frames: list[NDArray[np.uint8]]) -> None:
    large = cv2.resize(frames[0], None, fx=4, fy=4)
    found = detector("dlib").detect(large)[0].box
    assert overlap(Box(*(value / 4 for value in found)), true_face(video)) > 0.5


@pytest.mark.parametrize("name", ["dlib", "haar"])
@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (3, 400), (120, 120)])
def test_no_face(name: str, shape: tuple[int, int]) -> None:
    assert detector(name).detect(np.full(shape, 90, np.uint8)) == []


def test_two_faces_come_largest_first(frames: list[NDArray[np.uint8]]) -> None:
    small = cv2.resize(frames[0], None, fx=0.7, fy=0.7)
    both = np.full((280, 520), 128, np.uint8)
    both[: small.shape[0], : small.shape[1]] = small
    both[:, 220:] = frames[0]
    faces = detector("dlib").detect(both)
    assert len(faces) == 2
    assert faces[0].box.width > faces[1].box.width
    assert faces[0].box.x0 > 220


def test_every_choice_has_its_licence() -> None:
    assert {*NAMES, "landmarks"} == set(LICENCES)
    assert "research" in LICENCES["landmarks"]


def test_what_cannot_be_had_is_said(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match="unknown face detector 'mtcnn'; choose one of dlib, haar"):
        detector("mtcnn")
    with pytest.raises(DetectorError, match="none are downloaded"):
        detector("yunet")
    with pytest.raises(DetectorError, match=r"no ONNX weights at .*missing\.onnx"):
        detector("yunet", weights=tmp_path / "missing.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a network")
    with pytest.raises(DetectorError, match=r"OpenCV cannot run .*broken\.onnx"):
        detector("yunet", weights=broken)
    with pytest.raises(DetectorError, match="box"):
        detector("boxes")
    with pytest.raises(DetectorError, match="cropped image"):
        detector("published-crop")
    with pytest.raises(DetectorError, match=r"nothing\.dat is missing"):
        model_file("nothing.dat")


def test_checksum_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"abc")
    assert sha256(file) == hashlib.sha256(b"abc").hexdigest()


def test_boxes_of_a_csv(tmp_path: Path) -> None:
    file = tmp_path / "boxes.csv"
    file.write_text("note,video,x0,y0,x1,y1\n,a,1,2,30.5,40\n,b,0,0,9,9\n", "utf-8")
    boxes = read_boxes(file)
    assert boxes == {"a": Box(1, 2, 30.5, 40), "b": Box(0, 0, 9, 9)}
    finder = detector("boxes", box=boxes["a"])
    assert [face.box for face in finder.detect(np.zeros((50, 50), np.uint8))] == [boxes["a"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("video,x0,y0,x1\n", "the header lacks y1"),
        ("", "the header lacks video"),
        ("video,x0,y0,x1,y1\na,1,2,wide,4\n", "line 2, column x1: 'wide' is not a number"),
        ("video,x0,y0,x1,y1\na,1,2\n", "line 2, column x1: None is not a number"),
        ("video,x0,y0,x1,y1\na,5,5,5,9\n", "line 2: the box of a has no area"),
        ("video,x0,y0,x1,y1\na,nan,5,5,9\n", "line 2: the box of a has no area"),
        ("video,x0,y0,x1,y1\na,0,0,5,9\na,0,0,5,9\n", "line 3: a second box for a"),
    ],
)
def test_boxes_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "boxes.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(DetectorError, match=message):
        read_boxes(file)


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7])
def test_a_published_crop_is_found_at_any_size(frames: list[NDArray[np.uint8]], scale: float) -> None:
    true = Box(70, 60, 240, 250)
    crop = frames[5][60:250, 70:240]
    crop = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    finder = detector("published-crop", crops=[crop])
    # looked for in another frame than it was cut from
    found = finder.detect(frames[20])
    assert len(found) == 1
    np.testing.assert_allclose(found[0].box, true, atol=4)


def test_a_crop_of_something_else_is_not_found(frames: list[NDArray[np.uint8]]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (80, 80), dtype=np.uint8)
    assert locate(frames[0], noise) is None
    assert locate(frames[0], np.full((80, 80), 7, np.uint8)) is None
    assert locate(np.zeros((1, 1), np.uint8), noise) is None
    assert detector("published-crop", crops=[noise]).detect(frames[0]) == []
