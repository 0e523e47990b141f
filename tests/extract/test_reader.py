"""Reading single frames."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from datasets_me.extract.reader import FrameReader
from datasets_me.formats.frame_files import FrameFiles, read_image

PICTURE = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)


def test_frames_that_are_the_picture_before(tmp_path: Path) -> None:
    other = PICTURE.copy()
    other[5, 5] ^= 1  # beside those that are compared first
    frames = {1: PICTURE, 2: PICTURE, 3: other, 4: other, 5: other, 7: other, 8: PICTURE[:8]}
    for number, picture in frames.items():
        cv2.imwrite(str(tmp_path / f"img{number}.png"), picture)
    files = FrameFiles(tmp_path, {number: f"img{number}.png" for number in frames}, 1, 9)
    reader = FrameReader(files, range(1, 9), colour=True)
    assert len(list(reader)) == 8
    assert (reader.repeated, reader.missing) == ([1, 3, 4], [5])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tif"])
def test_whole_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "img1.jpg"  # whatever the name says
    path.write_bytes(cv2.imencode(suffix, PICTURE)[1].tobytes())
    image, data, why = read_image(path, colour=True)
    assert (image.shape, why, len(data)) == ((40, 60, 3), "", path.stat().st_size)
    assert read_image(path, colour=False)[0].shape == (40, 60)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_files_that_end_too_early(tmp_path: Path, suffix: str, share: float) -> None:
    data = cv2.imencode(suffix, PICTURE)[1].tobytes()
    path = tmp_path / f"img1{suffix}"
    path.write_bytes(data[: int(len(data) * share)])
    image, _, why = read_image(path, colour=False)
    assert image is None
    assert why


def test_what_follows_the_end_of_a_jpeg_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "img1.jpg"
    for tail in (b"\0" * 100, b"a camera's remark"):
        path.write_bytes(cv2.imencode(".jpg", PICTURE)[1].tobytes() + tail)
        assert read_image(path, colour=False)[0] is not None


def test_a_picture_of_16_bits(tmp_path: Path) -> None:
    path = tmp_path / "img1.png"
    Image.fromarray(np.full((9, 9), 40000, np.uint16)).save(path)
    image, _, _ = read_image(path, colour=False)
    assert image.dtype == np.uint8


def test_no_image_at_all(tmp_path: Path) -> None:
    path = tmp_path / "img1.jpg"
    path.write_text("not an image")
    assert read_image(path, colour=True)[2] == "no image format is recognised"
    path.write_bytes(b"")
    assert read_image(path, colour=True)[2] == "the file is empty"
    assert read_image(tmp_path, colour=True)[2] == "it is a folder"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "img1.jpg")
    assert read_image(tmp_path / "img1.jpg", colour=True)[2] == "it is not a regular file"
