"""Regions cut out by landmarks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets_me.core.errors import ImagesError, MeDatasetsError
from datasets_me.core.tables import batches
from datasets_me.formats import image_set
from datasets_me.formats.image_records import CropRow, Face, FaceRow
from datasets_me.formats.image_tables import read_table, write_table
from datasets_me.images.crop import Cut, crop
from tests.images.conftest import Looked, Write, quiet, row


def test_mouths_are_the_pixels_of_their_boxes(looked: Looked, tmp_path: Path) -> None:
    new = crop(looked.images, looked.root, tmp_path / "m", Cut("mouth"), workers=0, progress=quiet)
    entries = {each.id: each for batch in batches(tmp_path / "m" / "crops.parquet", CropRow) for each in batch}
    faces = {each.id: each for each in read_table(looked.images, "faces", FaceRow)}
    assert list(entries) == list(faces)
    cut = 0
    for old in looked.images.rows():
        entry = entries[old.id]
        if not faces[old.id].faces:
            assert (entry.path, bool(entry.why)) == (None, True)
            continue
        x0, y0, x1, y1 = entry.box
        points = np.array(faces[old.id].faces[0].landmarks).reshape(68, 2)[48:68]
        wanted = np.ptp(points, axis=0).max() * 1.5
        assert x1 - x0 == y1 - y0 and abs(x1 - x0 - wanted) <= 0.51
        image = image_set.load(old, looked.root).image
        part = cv2.imread(str(tmp_path / "m" / (entry.path or "")))
        assert np.array_equal(part, image[y0:y1, x0:x1])
        cut += 1
    assert cut == len(new) > 30
    assert {each.code for each in new.findings()} == {"ME702", "ME710"}


def test_aligned_crops_have_the_size_asked_for(looked: Looked, tmp_path: Path) -> None:
    cutting = Cut("eyes", align=True, size=48, format="jpg")
    for _ in range(2):  # the second time in the place of the first
        new = crop(looked.images, looked.root, tmp_path / "e", cutting, workers=0, progress=quiet, force=True)
    assert {(each.width, each.height, each.format) for each in new.rows()} == {(48, 48, "jpeg")}
    angles = [each.angle for batch in batches(tmp_path / "e" / "crops.parquet", CropRow) for each in batch if each.path]
    assert 1 < np.std(angles) < 15


@pytest.mark.parametrize("landmarks", [[], [1.0] * 135, [float("nan")] * 136])
def test_faces_without_whole_landmarks_are_no_faces(write_set: Write, tmp_path: Path, landmarks: list[float]) -> None:
    images = write_set(row("a.png"))
    place = dict.fromkeys(("x0", "y0", "x1", "y1", "score", "residual"), 1.0)
    face = Face.model_construct(**place, landmarks=landmarks)
    rows = [FaceRow.model_construct(id="a.png", dataset="mine", count=1, faces=[face])]
    write_table(images, "faces", FaceRow, rows, [])
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", np.zeros((9, 9), np.uint8))[1].tobytes())
    with pytest.raises(MeDatasetsError, match="the table is damaged"):
        crop(images, tmp_path, tmp_path / "m", Cut("mouth"), workers=0, progress=quiet)
    assert not (tmp_path / "m").exists()


def test_faces_have_to_be_looked_for_first(write_set: Write, tmp_path: Path) -> None:
    images = write_set(row("a.png"))
    with pytest.raises(ImagesError) as caught:
        crop(images, tmp_path, tmp_path / "m", Cut("mouth"), workers=0, progress=quiet)
    assert caught.value.what == "there is no faces.parquet"
    assert caught.value.fix == "run me-datasets images faces first"
    assert not (tmp_path / "m").exists()
