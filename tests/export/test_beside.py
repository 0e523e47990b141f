"""What another tool has found, beside the features of segments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.export import beside
from datasets_me.export.options import SegmentOptions
from datasets_me.export.segments import write_segments
from datasets_me.extract.join import join
from datasets_me.formats.manifest import Manifest
from datasets_me.torch_data import SegmentDataset
from tests.export.builders import annotation, arrays, manifest, noise


@pytest.fixture
def dataset(tmp_path: Path) -> Manifest:
    """Two videos, of which one has a table of 40 frames that is its own number in au, and three times it in pose."""
    made = manifest(annotation(1, video="s1_v1"), annotation(2, video="s1_v2"))
    count = np.arange(40, dtype=np.float32)[:, None]
    (tmp_path / "tables").mkdir()
    np.savez(
        tmp_path / "tables" / "s1_v1.npz", au=count, au_names=np.array(["AU12"]), pose=np.repeat(count * 3, 3, axis=1)
    )
    join(made, tmp_path / "tables", tmp_path / "joined")
    return made


def test_a_row_for_each_feature(dataset: Manifest, tmp_path: Path) -> None:
    features = arrays(tmp_path / "features", dataset, {"s1_v1": noise(45), "s1_v2": noise(8)})
    more = beside.read(tmp_path / "joined", ["au", "pose"], dataset)
    write_segments(dataset, features, tmp_path / "out", SegmentOptions(length=32, context=2), beside=more)
    with np.load(tmp_path / "out/segments/train/s1/s1_v1_0000.npz", allow_pickle=False) as file:
        assert file["au"][:, 0].tolist() == [0, 0, *range(34)]  # two of padding
        assert np.array_equal(file["pose"], np.repeat(file["au"] * 3, 3, axis=1))
    with np.load(tmp_path / "out/segments/train/s1/s1_v1_0032.npz", allow_pickle=False) as file:
        assert file["au"][:10, 0].tolist() == list(range(30, 40))
        assert np.isnan(file["au"][10:15]).all()  # the table is shorter than the features
        assert not file["au"][15:].any()
    with np.load(tmp_path / "out/segments/train/s1/s1_v2_0000.npz", allow_pickle=False) as file:
        assert np.isnan(file["pose"][2:10]).all()
    data = SegmentDataset(tmp_path / "out")
    assert (data.units, data.fields["au"].shape, data.fields["pose"].shape) == ({"au": (12,)}, (36, 1), (36, 3))
    assert data[0]["au"][:, 0].tolist() == [0, 0, *range(34)]
    assert data.to_torch()["pose"].shape == (len(data), 36, 3)


def test_at_another_rate(dataset: Manifest, tmp_path: Path) -> None:
    features = arrays(tmp_path / "features", dataset, {"s1_v1": noise(38)})
    more = beside.read(tmp_path / "joined", ["au"], dataset)
    options = SegmentOptions(length=16, context=0, fps=10)
    write_segments(dataset, features, tmp_path / "out", options, beside=more)
    with np.load(tmp_path / "out/segments/train/s1/s1_v1_0000.npz", allow_pickle=False) as file:
        assert file["au"][:12, 0].tolist() == list(range(0, 36, 3))


def test_what_is_not_there(dataset: Manifest, tmp_path: Path) -> None:
    with pytest.raises(MeDatasetsError) as caught:
        beside.read(tmp_path / "joined", ["au", "gaze"], dataset)
    assert (caught.value.what, caught.value.fix) == ("the tables have no gaze", "give some of au, pose")
    with pytest.raises(MeDatasetsError, match="the tables are of casme-sq, the manifest of samm-lv"):
        beside.read(tmp_path / "joined", ["au"], manifest(dataset="samm-lv"))
