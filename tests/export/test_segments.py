"""Segments: equal to the published ones where asked, tiling every video, with nothing dropped unsaid."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from datasets_me import feature_files
from datasets_me.convert.convert import convert_any
from datasets_me.export.options import Options
from datasets_me.export.segments import write_segments
from datasets_me.manifest import Manifest
from tests.conftest import REPOSITORY

GOLDEN = REPOSITORY.parent / "shared" / "golden"


@pytest.fixture
def golden(tmp_path: Path) -> tuple[Manifest, feature_files.FeatureFolder]:
    """The golden annotations and features, as a manifest and a folder of arrays."""
    if not GOLDEN.is_dir():
        pytest.skip("shared/golden, with published segments, is not beside this checkout")
    made = convert_any(GOLDEN / "segments_annotations.csv").manifest()
    for name, array in np.load(GOLDEN / "segments_source_features.npz").items():
        place = tmp_path / "features" / name.rpartition("_")[0] / f"{name}.npy"
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(place, array)
    return made, feature_files.read(tmp_path / "features", made)


def test_the_published_segments_come_out_exactly(
    golden: tuple[Manifest, feature_files.FeatureFolder], tmp_path: Path
) -> None:
    exported = write_segments(*golden, tmp_path / "out", Options(compat="auwgcn"))
    expected = np.load(GOLDEN / "segments_expected.npz")
    names = {name.partition("/")[0] for name in expected}
    assert len(names) == exported.segments == 15
    for part in ("train", "test"):
        found = {path.stem: path for path in (tmp_path / "out" / "segments" / part).glob("*/*.npz")}
        assert set(found) == names
        for name, path in found.items():
            with np.load(path, allow_pickle=False) as file:
                assert file["feature"].dtype == np.float32
                assert np.array_equal(file["feature"], expected[f"{name}/feature"])
                assert np.array_equal(file["label"], expected[f"{name}/label"])
                assert file["video_name"].item() == name.rpartition("_")[0]
    # counted from 1 and read as counted from 0: every row that is labelled differs; two are left out
    assert Counter(found.code for found in exported.findings) == {"ME510": 32, "ME503": 2}
