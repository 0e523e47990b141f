"""Synthetic datasets with faces: from the workbook to features."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from datasets_me.convert.convert import convert
from datasets_me.extract.extract import extract
from datasets_me.extract.options import ExtractOptions
from datasets_me.features.faces import detector
from datasets_me.features.mdmo import mdmo
from datasets_me.folders.check import check, with_folders
from datasets_me.formats import features as feature_files
from datasets_me.schema import schema_files, yaml_files
from datasets_me.synthetic.film import Film
from datasets_me.synthetic.write import SyntheticDataset, make

FILM = Film(size=(240, 220), flow=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SyntheticDataset:
    out = tmp_path_factory.mktemp("film") / "raw"
    spec = yaml_files.load(schema_files.load("casme2").text, "casme2").value
    spec["synthetic"]["clips"] = spec["synthetic"]["clips"][:5]  # four videos, and one name to spare
    schema = schema_files.parse(yaml.safe_dump(spec, allow_unicode=True), "four-videos.yaml")
    return make(schema, out, seed=3, subjects=1, defects=["ME306"], film=FILM)


def test_the_whole_way_from_workbook_to_features(made: SyntheticDataset, tmp_path: Path) -> None:
    schema = schema_files.load(str(made.schema))
    manifest = with_folders(convert(schema, made.workbook).manifest(), made.root)
    found = check(manifest, made.root, deep=True).findings
    assert [finding.code for finding in found if finding.severity == "error"] == ["ME306"]
    result = extract(manifest, made.root, tmp_path / "out", ExtractOptions(layout="raw"), workers=2)
    assert {row.status for row in result.rows} <= {"ok", "partial"}
    folder = feature_files.read(tmp_path / "out", manifest)
    errors = truths = 0.0
    for row in folder.rows:
        with np.load(made.truth.parent / "truth" / f"{row.video}.npz", allow_pickle=False) as truth:
            expected = mdmo(truth["flow"], truth["landmarks"][:-1]).feature
            assert len(truth["expressions"]) == 1
        assert row.frames == len(expected) + 1
        feature = folder.load(row)
        fine = np.isfinite(feature)
        errors += float(((feature - expected)[fine] ** 2).sum())
        truths += float((expected[fine] ** 2).sum())
    assert np.sqrt(errors / truths) < 0.6


def test_the_default_detector_finds_every_face(made: SyntheticDataset) -> None:
    find = detector("dlib").detect
    files = sorted(made.root.rglob("CASME2-RAW/**/*.jpg"))
    assert len(files) > 60
    for path in files[::7]:
        image = cv2.imread(str(path))
        assert image.shape == (220, 240, 3)
        assert len(find(image)) == 1, path


def test_the_published_crops_are_found_in_the_frames(made: SyntheticDataset, tmp_path: Path) -> None:
    schema = schema_files.load(str(made.schema))
    manifest = with_folders(convert(schema, made.workbook).manifest(), made.root)
    options = ExtractOptions(layout="raw", faces="published-crop")
    video = manifest.videos[0].video
    result = extract(manifest, made.root, tmp_path / "out", options, videos=[video])
    (row,) = result.rows
    with np.load(made.truth.parent / "truth" / f"{row.video}.npz", allow_pickle=False) as truth:
        low, high = truth["landmarks"][0].min(axis=0), truth["landmarks"][0].max(axis=0)
    margin = 0.1 * (high - low)
    assert np.abs(np.array(row.box) - [*(low - margin), *(high + margin)]).max() <= 4


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    def files(name: str, seed: int) -> dict[str, bytes]:
        film = Film(size=(64, 48))
        out = make(schema_files.load("smic-hs"), tmp_path / name, seed=seed, subjects=1, film=film).workbook.parent
        return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}

    first = files("a", 1)
    assert files("b", 1) == first
    other = files("c", 2)
    assert any(other[name] != content for name, content in first.items() if name in other and name.endswith(".jpg"))
