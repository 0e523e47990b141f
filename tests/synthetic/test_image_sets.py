"""Generated sets of images: the same bytes every time, and different pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.synthetic.image_sets import make
from datasets_me.synthetic.pictures import face_picture, no_face, two_faces


@pytest.mark.parametrize("shape", ["fer2013", "captures"])
def test_the_same_arguments_make_the_same_files(tmp_path: Path, shape: str) -> None:
    for name in "ab":
        make(shape, tmp_path / name, images=9, seed=2, defects=True)
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(files) > 2
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_the_truth_is_written(tmp_path: Path) -> None:
    made = make("fer2013", tmp_path / "s", images=7, defects=True)
    truth = json.loads(made.truth.read_text())
    assert truth == [{"code": each.code, "about": list(each.about)} for each in made.planted]
    lines = (made.source / "fer2013.csv").read_text().splitlines()
    assert lines[0] == "emotion,pixels,Usage"
    assert len(lines) == 1 + 7 + 4
    assert lines[1].split(",")[1] == lines[8].split(",")[1]


def test_pictures_differ_from_each_other() -> None:
    several = [face_picture(number) for number in range(3)] + [face_picture(0, seed=1), no_face(0)]
    assert {picture.shape for picture in several} == {(128, 128, 3)}
    assert len({picture.tobytes() for picture in several}) == 5
    assert np.array_equal(face_picture(2), several[2])
    assert two_faces(0, side=64).shape == (64, 128, 3)


def test_what_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(MeDatasetsError, match="there is no synthetic set 'fer'"):
        make("fer", tmp_path / "s")
    (tmp_path / "mine").touch()
    with pytest.raises(MeDatasetsError, match="the output exists and is not a synthetic dataset"):
        make("fer2013", tmp_path)
