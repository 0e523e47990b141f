"""Means and deviations of channels: exact whatever the pieces, NaN left out, no test subject in them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.errors import FeaturesError
from datasets_me.export.statistics import channels
from datasets_me.formats import features as feature_files
from datasets_me.formats import manifest
from datasets_me.formats import split as split_files
from datasets_me.formats.records import SplitRow
from datasets_me.formats.split import Split
from tests.conftest import Run
from tests.export.statistics.conftest import Rows, expression, save_features


def split(**folds: dict[str, str]) -> Split:
    """``fold={"casme_015_0401": "train"}``."""
    rows = [
        SplitRow(fold=fold, part=part, dataset="casme-sq", subject=video.rpartition("_")[0], video=video)
        for fold, videos in folds.items()
        for video, part in videos.items()
    ]
    return Split("holdout", "video", tuple(rows))


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=5),
    st.integers(0, 2**32 - 1),
    st.floats(0, 0.5),
    st.sampled_from([0.0, 1e4]),
)
def test_moments_of_pieces_are_those_of_the_whole(lengths: list[int], seed: int, lost: float, far: float) -> None:
    random = np.random.default_rng(seed)
    pieces = [random.normal(far, 1, (length, 3, 2)) for length in lengths]
    for piece in pieces:
        piece[random.random(piece.shape) < lost] = np.nan
    made, whole = channels.moments(pieces), np.concatenate(pieces)
    known = np.isfinite(whole)
    assert np.array_equal(made.count, known.sum(axis=0))
    assert np.array_equal(made.unknown, (~known).sum(axis=0))
    for region, axis in np.ndindex(3, 2):
        values = whole[known[:, region, axis], region, axis]
        if values.size:
            assert made.mean[region, axis] == pytest.approx(values.mean(), rel=1e-12, abs=1e-12)
            assert made.std()[region, axis] == pytest.approx(values.std(), rel=1e-7, abs=1e-9)
        else:
            assert np.isnan(made.std()[region, axis])
    both = whole[:, :, 0][known[:, :, 0]]
    if both.size:
        assert made.pooled().mean[0, 0] == pytest.approx(both.mean(), rel=1e-12, abs=1e-12)
        assert made.pooled().std()[0, 0] == pytest.approx(both.std(), rel=1e-7, abs=1e-9)


def test_a_test_subject_never_counts(tmp_path: Path, manifest_of: Rows) -> None:
    made = manifest_of(expression("casme_015", "casme_015_0401", 1, 2, 3))
    save_features(
        tmp_path,
        casme_015_0401=np.full((10, 12, 2), 1, np.float32),
        casme_016_0401=np.full((30, 12, 2), 5, np.float32),
        casme_019_0401=np.full((20, 12, 2), np.nan, np.float32),
    )
    features = feature_files.read(tmp_path, made)
    folds = split(
        a={"casme_015_0401": "test", "casme_016_0401": "train", "casme_019_0401": "train"},
        b={"casme_015_0401": "train", "casme_016_0401": "validation", "casme_019_0401": "test"},
        c={"casme_015_0401": "test"},
    )
    first, second = channels.of_folds(features, made, folds)
    assert (first.fold, first.videos, second.fold, second.videos) == ("a", 2, "b", 1)
    assert np.all(first.moments.mean == 5)
    assert np.all(first.moments.std() == 0)
    assert np.all(first.moments.unknown == 20)
    assert np.all(second.moments.mean == 1)
    (everything,) = channels.of_folds(features, made)
    assert (everything.fold, everything.videos) == (None, 3)
    assert everything.moments.mean[0, 0] == pytest.approx((10 * 1 + 30 * 5) / 40)


def test_features_of_nobody_who_trains(tmp_path: Path, manifest_of: Rows) -> None:
    made = manifest_of(expression("casme_015", "casme_015_0401", 1, 2, 3))
    features = feature_files.read(save_features(tmp_path, casme_015_0401=np.zeros((9, 12, 2), np.float32)), made)
    with pytest.raises(FeaturesError, match="no video of any training part has features"):
        channels.of_folds(features, made, split(a={"casme_016_0401": "train"}))


def test_arrays_of_different_regions(tmp_path: Path, manifest_of: Rows) -> None:
    made = manifest_of(expression("casme_015", "casme_015_0401", 1, 2, 3))
    arrays = {"casme_015_0401": np.zeros((9, 12, 2)), "casme_015_0402": np.zeros((9, 11, 2))}
    features = feature_files.read(save_features(tmp_path, **arrays), made)
    with pytest.raises(FeaturesError, match="casme_015_0402 has 11 regions, others have 12"):
        channels.of_folds(features, made)


def test_the_command(me_datasets: Run, tmp_path: Path, manifest_of: Rows) -> None:
    rows = [
        expression(subject, f"{subject}_0401", 1, 3, 1 + length, type=kind, emotion="positive")
        for subject in ("casme_015", "casme_016")
        for kind, length in (("micro", 8), ("macro", 30))
    ]
    manifest.write(manifest_of(*rows), tmp_path / "manifest")
    arrays = {f"{s}_0401": np.full((40, 12, 2), value) for s, value in (("casme_015", 1.0), ("casme_016", 3.0))}
    save_features(tmp_path / "features", **arrays)
    split_files.write(split(one={"casme_015_0401": "train", "casme_016_0401": "test"}), tmp_path / "split")
    done = me_datasets("stats", "manifest", "features", "--split", "split", "--format", "json", "-o", "stats.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "stats.json").read_text())
    assert found["types"]["macro"]["emotions"]["positive"]["length"]["mean"] == 31
    (fold,) = found["channels"]
    assert (fold["fold"], fold["part"], fold["pooled"]["mean"]) == ("one", "train", [1, 1])
    assert np.array(fold["regions"]["std"]).shape == (12, 2)
    table = me_datasets("stats", "manifest", "features")
    assert "4 annotations of 2 subjects in 2 videos" in table.stdout
    assert "all videos (2 videos): x mean 2.000000 std 1.000000" in table.stdout
    yaml = me_datasets("stats", "manifest", "--format", "yaml")
    assert yaml.stdout.splitlines()[0] == "micro_average_len: 8"
    refused = me_datasets("stats", "manifest", "--split", "split")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: --split chooses whose features are measured, but no features are given")
