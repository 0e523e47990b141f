"""Shards and tables are read by the libraries they are for."""

from __future__ import annotations

import gc
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets_me.core.errors import PathError
from datasets_me.export import sinks
from datasets_me.export.options import SegmentOptions
from datasets_me.export.segments import write_segments
from datasets_me.formats.items import read_items
from tests.export.builders import annotation, arrays, manifest, noise


def export(tmp_path: Path, form: str) -> Path:
    made = manifest(annotation(1, 2, 4, 9), annotation(2, 20, 24, 30, type="macro"))
    features = arrays(tmp_path / "features", made, {"casme_015_0401": noise(40), "casme_015_0502": noise(20, 1)})
    write_segments(made, features, tmp_path / "out", SegmentOptions(length=16, context=3, format=form))
    return tmp_path / "out"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves the shards open
def test_webdataset_reads_the_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    webdataset = pytest.importorskip("webdataset")
    monkeypatch.setattr(sinks, "SHARD", 2)
    out = export(tmp_path, "webdataset")
    shards = sorted(path.as_posix() for path in out.glob("segments/train-*.tar"))
    assert [Path(shard).name for shard in shards] == [f"train-00000{number}.tar" for number in range(3)]
    data = webdataset.WebDataset(shards, shardshuffle=False).decode()
    samples = list(data)
    del data
    gc.collect()
    assert [sample["__key__"] for sample in samples] == [row.key for row in read_items(out) if row.part == "train"]
    first = samples[0]
    assert first["feature.npy"].shape == (22, 12, 2)
    assert np.array_equal(first["feature.npy"][3:], noise(40)[:19])
    assert first["label.npy"].dtype == np.int8
    assert first["mask.npy"].tolist() == [False] * 3 + [True] * 19
    assert first["json"] == {
        "annotations": ["casme_015_0401:1"],
        "fps": 30.0,
        "start": 0,
        "subject": "casme_015",
        "video_name": "casme_015_0401",
    }
    tables = {row.file for row in read_items(out)}
    assert all((out / name).is_file() for name in tables)
    assert np.load(out / "segments" / "test" / "casme_015" / "casme_015_0401.npy").shape == (40, 12, 2)


def test_a_full_stop_in_a_name_ends_no_key(tmp_path: Path) -> None:
    sink = sinks.TarSink(tmp_path, "clips")
    (stored,) = sink.add(("",), "a.b", "c%d.e", {"x": np.zeros(2), "name": "c%d.e"})
    sink.close()
    assert (stored.file, stored.key) == ("clips/all-000000.tar", "a%2Eb/c%25d%2Ee")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return tmp_path / "cache"


@pytest.mark.filterwarnings("ignore")
def test_datasets_reads_the_tables(tmp_path: Path, offline: Path) -> None:
    datasets = pytest.importorskip("datasets")
    out = export(tmp_path, "parquet")
    files = {part: str(out / "segments" / f"{part}.parquet") for part in ("train", "test")}
    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(offline))
    assert {part: loaded[part].num_rows for part in loaded} == {"train": 5, "test": 5}
    rows = loaded["test"].with_format("numpy")
    assert rows[0]["feature"].shape == (22, 12, 2)
    assert np.array_equal(rows[0]["feature"][3:], noise(40)[:19])
    assert rows[0]["label"].shape == (22, 8)
    assert loaded["test"][0]["annotations"] == ["casme_015_0401:1"]
    assert loaded["test"][0]["key"] == "casme_015/casme_015_0401_0000"
    assert loaded["test"].features["feature"].feature.feature.feature.dtype == "float32"


@pytest.mark.filterwarnings("ignore")
def test_datasets_decodes_the_pictures_of_clips(tmp_path: Path, offline: Path) -> None:
    datasets = pytest.importorskip("datasets")
    frames = np.random.default_rng(0).integers(0, 255, (2, 8, 8, 3)).astype(np.uint8)
    sink = sinks.ParquetSink(tmp_path, "clips")
    for count in (2, 1):
        item = {
            "frames": frames[:count],
            "aus": np.array([4][: count - 1], np.int16),
            "emotion": "",
            "annotations": ["a"],
        }
        sink.add(("",), "s", str(count), {**item, "fps": 30.0, "onset": 3})
    sink.close()
    loaded = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "clips" / "all.parquet"), cache_dir=str(offline)
    )
    rows = loaded["train"]
    assert np.array_equal(np.asarray(rows[0]["frames"][1]), frames[1])
    assert [len(row["frames"]) for row in rows] == [2, 1]
    assert [row["aus"] for row in rows] == [[4], []]
    assert rows.features["aus"].feature.dtype == "int16"


def test_an_npz_needs_no_pickle() -> None:
    content = sinks.npz({"names": [], "text": "ä", "number": 3, "array": np.zeros((0, 2), np.int8)})
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        assert file["names"].tolist() == []
        assert json.dumps([file["text"].item(), file["number"].item()]) == '["\\u00e4", 3]'
        assert file["array"].shape == (0, 2)


def test_pictures_survive_the_table() -> None:
    from datasets_me.export.columns import table

    frames = np.random.default_rng(0).integers(0, 255, (1, 4, 6, 3)).astype(np.uint8)
    cell = table([{"frames": frames}])["frames"][0].as_py()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(cell[0]["bytes"]))), frames[0])


@pytest.mark.parametrize("form", ["npz", "webdataset", "parquet"])
def test_nothing_is_written_through_a_link_out_of_the_export(tmp_path: Path, form: str) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "clips").symlink_to(tmp_path / "private")
    sink = sinks.open_sink(form, tmp_path / "out", "clips")
    with pytest.raises(PathError, match="goes through a link that leads out of the folder"):
        try:
            sink.add(("",), "s", "one", {"numbers": np.zeros(3)})
        finally:
            sink.close()
    assert list((tmp_path / "private").iterdir()) == []
