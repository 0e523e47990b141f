"""Each planted defect is found, and nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from datasets_me.findings.finding import Finding
from datasets_me.images.importing import import_images
from datasets_me.images.looks.quality import write_quality
from datasets_me.images.unify import Form, unify
from datasets_me.schema import image_schemas
from datasets_me.synthetic.image_sets import SHAPES, SyntheticImageSet, make
from tests.images.conftest import Looked, quiet


def found(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(each.code, each.path or f"{each.file}#{each.row}") for each in findings}


def planted(made: SyntheticImageSet, *codes: str) -> set[tuple[str, str]]:
    return {(each.code, each.about[0]) for each in made.planted if not codes or each.code in codes}


def content(folder: Path) -> dict[Path, str]:
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_every_defect_of_a_folder_per_class_and_nothing_else(looked: Looked, tmp_path: Path) -> None:
    before = content(looked.root)
    _, quality, doubts = write_quality(looked.images, looked.root, out=tmp_path / "q", workers=0, progress=quiet)
    new = unify(looked.images, looked.root, tmp_path / "u", Form(), workers=0, progress=quiet)
    assert found([*looked.findings, *quality, *new.findings()]) == planted(looked.made)
    assert len({each.code for each in looked.made.planted}) == 16
    assert doubts["not decoded"] == sum(each.code == "ME702" for each in looked.made.planted)
    assert content(looked.root) == before


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "folder-per-class"])
def test_every_shape_imports_with_the_defects_planted_in_it(shape: str, tmp_path: Path) -> None:
    made = make(shape, tmp_path / "raw", images=24, seed=5, defects=True)
    images = import_images(image_schemas.load_file(made.schema), made.source, tmp_path / "images", workers=0)
    findings = images.findings()
    assert found(findings) == planted(made, "ME701", "ME702", "ME703", "ME704", "ME705", "ME706")
    assert images.about["counts"]["findings"] == {
        code: sum(each.code == code for each in made.planted) for code, _ in sorted(found(findings))
    }
    assert {row.dataset for row in images.rows()} == {"raf-db-basic" if shape == "raf-db" else shape}


def test_copies_are_named_with_both_places(looked: Looked) -> None:
    (across,) = (each for each in looked.findings if each.code == "ME713")
    about = next(each.about for each in looked.made.planted if each.code == "ME713")
    assert across.message.startswith("2 images of test and train are near (hashes ")
    assert all(path in across.message for path in about)
    (differ,) = (each for each in looked.findings if each.code == "ME715")
    assert "but have different labels" in differ.message
    assert " fear, " in differ.message and differ.message.endswith(" surprise")
