"""The pictures of clips are those that features are made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from datasets_me.export.frames_on_disk import read_frame
from datasets_me.formats.frame_files import FrameFiles


def test_a_frame_is_turned_as_in_an_extraction(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "img1.jpg", exif=exif)
    files = FrameFiles(tmp_path, {0: "img1.jpg"}, 0, 1)
    extracted, _, _ = files.read(0, colour=True)
    shown = read_frame(files, 0)
    assert extracted is not None and shown is not None
    assert shown.shape == (60, 40, 3)
    assert np.array_equal(shown[:, :, ::-1], extracted)


def test_what_is_no_picture_is_none(tmp_path: Path) -> None:
    (tmp_path / "img1.jpg").write_bytes(b"no picture")
    files = FrameFiles(tmp_path, {0: "img1.jpg", 1: "img2.jpg"}, 0, 3)
    assert [read_frame(files, number) for number in range(3)] == [None] * 3
