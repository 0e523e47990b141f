"""Landmarks of another tool in place of predicted ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets_me.extract.options import ExtractOptions
from datasets_me.features.boxes import DetectorError
from datasets_me.formats.manifest import Manifest
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions
from tests.extract.conftest import FRAMES, SIZE, extract

NAME = "casme_015_0101"


def test_landmarks_of_another_tool_are_taken(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, _, manifest = one
    truth = FaceVideo(15, 0, FaceVideoOptions(frames=FRAMES, size=SIZE, colour=True)).landmarks.astype(np.float32)
    tables = tmp_path / "tables"
    tables.mkdir()
    options = ExtractOptions(landmarks=tables)
    (row,) = (result := extract(manifest, root, tmp_path / "out", options)).rows
    assert (row.status, row.why) == ("failed", f"there is no table {NAME}.csv or .npz of landmarks")
    np.savez(tables / f"{NAME}.npz", landmarks=truth)
    (row,) = (result := extract(manifest, root, tmp_path / "out", options)).rows
    assert (row.status, row.crop_source, row.good, result.findings) == ("ok", "given", FRAMES, [])
    with np.load(tmp_path / "out" / str(row.landmarks)) as file:
        assert np.allclose(file["landmarks"], truth, atol=1e-3)
    low, high = truth.min(axis=(0, 1)), truth.max(axis=(0, 1))
    assert (row.box[0] < low[0], row.box[3] > high[1]) == (True, True)
    # a table that has changed is read again; one that is a frame short is said to be
    np.savez(tables / f"{NAME}.npz", landmarks=truth[:-1])
    (row,) = (result := extract(manifest, root, tmp_path / "out", options)).rows
    assert (row.status, row.no_face) == ("partial", 1)
    assert sorted((found.code, found.message) for found in result.findings) == [
        ("ME608", "1 frame without believable landmarks: 19"),
        ("ME619", "the table of npz has 19 frames, the video 20"),
    ]


def test_the_published_form_predicts_its_own(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, _, manifest = one
    with pytest.raises(DetectorError, match="--landmarks says where the face is"):
        extract(manifest, root, tmp_path / "out", ExtractOptions(preset="auwgcn", landmarks=tmp_path))
