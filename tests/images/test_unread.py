"""Sets whose files are elsewhere, or gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datasets_me.core.errors import ImagesError
from datasets_me.findings.finding import Finding
from datasets_me.formats.image_set import ImageSet
from datasets_me.images.looks.duplicates import write_duplicates
from datasets_me.images.looks.faces import Finder, write_faces
from datasets_me.images.looks.quality import write_quality
from tests.conftest import Run
from tests.images.conftest import quiet
from tests.images.made import image_set

Look = Callable[[ImageSet, Path], tuple[Any, list[Finding], Any]]
LOOKS: dict[str, Look] = {
    "duplicates": lambda images, root: write_duplicates([(images, root)], workers=0, progress=quiet),
    "faces": lambda images, root: write_faces(images, root, Finder("haar"), workers=0, progress=quiet),
    "quality": lambda images, root: write_quality(images, root, workers=0, progress=quiet),
}


@pytest.mark.parametrize("name", LOOKS)
def test_a_wrong_root(tmp_path: Path, name: str) -> None:
    images = image_set(tmp_path, ["happy/1.png", "sad/2.png"])
    empty = tmp_path / "empty"
    empty.mkdir()
    before = sorted(images.folder.iterdir())
    with pytest.raises(ImagesError) as caught:
        LOOKS[name](images, empty)
    assert caught.value.what == (
        "no image of the set can be read; the first, happy/1.png: the file cannot be read: No such file or directory"
    )
    assert (caught.value.where, caught.value.fix) == (
        str(empty),
        "give the --root that was imported; or import the images again",
    )
    assert sorted(images.folder.iterdir()) == before


@pytest.mark.parametrize("name", LOOKS)
def test_one_file_that_is_gone(tmp_path: Path, name: str) -> None:
    images = image_set(tmp_path, ["happy/1.png", "sad/2.png"])
    (tmp_path / "raw/sad/2.png").unlink()
    _, found, _ = LOOKS[name](images, tmp_path / "raw")
    assert [(each.severity, each.path, each.message) for each in found if each.code == "ME702"] == [
        ("error", "sad/2.png", "the image cannot be decoded: the file cannot be read: No such file or directory")
    ]


@pytest.mark.parametrize("name", LOOKS)
def test_what_the_import_found_damaged_is_said_once(tmp_path: Path, name: str) -> None:
    damaged = tmp_path / "raw/sad/2.png"
    damaged.parent.mkdir(parents=True)
    damaged.touch()
    images = image_set(tmp_path, ["happy/1.png"])
    assert [each.code for each in images.findings()] == ["ME702"]
    _, found, _ = LOOKS[name](images, tmp_path / "raw")
    assert "ME702" not in {each.code for each in found}


def test_the_command(me_datasets: Run, tmp_path: Path) -> None:
    image_set(tmp_path, ["happy/1.png", "sad/2.png"])
    (tmp_path / "raw/sad/2.png").unlink()
    assert me_datasets("images", "quality", "set", "--root", "raw").returncode == 1
    (tmp_path / "empty").mkdir()
    assert me_datasets("images", "duplicates", "set", "--root", "empty").returncode == 2
