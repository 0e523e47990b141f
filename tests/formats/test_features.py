"""Reading folders of features, an extraction's and others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets_me.core.errors import FeaturesError, PathError
from datasets_me.core.tables import write_parquet
from datasets_me.formats import features as feature_files
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import VideoFeatures
from datasets_me.schema.schema_files import Schema


@pytest.fixture
def manifest(casme_sq: Schema) -> Manifest:
    return Manifest(casme_sq, [], [], [], "three-sheets")


def save(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)


def test_arrays_from_elsewhere(tmp_path: Path, manifest: Manifest) -> None:
    array = np.arange(48, dtype=np.float32).reshape(2, 12, 2)
    save(tmp_path / "casme_015" / "casme_015_0401.npy", array)
    folder = feature_files.read(tmp_path, manifest)
    assert not folder.extracted
    (row,) = folder.rows
    assert (row.subject, row.video, row.frames, row.fps, row.start) == ("casme_015", "casme_015_0401", 3, 30, 0)
    assert np.array_equal(folder.load(row), array)
    assert folder.quality(row) is None


def test_an_extraction(tmp_path: Path, manifest: Manifest) -> None:
    save(tmp_path / "features" / "s" / "v.npy", np.zeros((4, 12, 2), np.float32))
    (tmp_path / "landmarks" / "s").mkdir(parents=True)
    np.savez(tmp_path / "landmarks" / "s" / "v.npz", quality=np.array([0, 1, 0, 0, 4], np.uint8))
    row = VideoFeatures(
        dataset="casme-sq",
        subject="s",
        video="v",
        name="v",
        status="ok",
        features="features/s/v.npy",
        landmarks="landmarks/s/v.npz",
        frames=5,
        fps=30,
        box=[1, 2, 3, 4],
    )
    failed = row.model_copy(update={"name": "w", "status": "failed", "why": "no frames", "features": None})
    write_parquet(VideoFeatures, [row, failed], tmp_path / "features.parquet")
    folder = feature_files.read(tmp_path, manifest)
    assert folder.extracted
    assert folder.rows == (row, failed)
    assert folder.load(row).shape == (4, 12, 2)
    assert folder.quality(row).tolist() == [0, 1, 0, 0, 4]
    with pytest.raises(FeaturesError, match="there are no features of w: no frames"):
        folder.load(failed)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros((4, 12), np.float32), "features must be floating-point numbers of shape"),
        (np.zeros((4, 0, 2), np.float32), "features must be floating-point numbers of shape"),
        (np.zeros((4, 12, 2), int), "features must be floating-point numbers of shape"),
        (np.array([{}], object), "the array cannot be read"),
    ],
)
def test_arrays_that_are_none(tmp_path: Path, manifest: Manifest, content: np.ndarray, message: str) -> None:
    save(tmp_path / "s" / "v.npy", content)
    with pytest.raises(FeaturesError, match=message):
        folder = feature_files.read(tmp_path, manifest)
        folder.load(folder.rows[0])


def test_folders_that_are_none(tmp_path: Path, manifest: Manifest) -> None:
    with pytest.raises(FeaturesError, match="there is no such folder"):
        feature_files.read(tmp_path / "nowhere", manifest)
    with pytest.raises(FeaturesError, match=r"neither features\.parquet nor any"):
        feature_files.read(tmp_path, manifest)
    (tmp_path / "features.parquet").write_bytes(b"nonsense")
    with pytest.raises(FeaturesError, match=r"features\.parquet is damaged"):
        feature_files.read(tmp_path, manifest)


def test_an_empty_file_is_named(tmp_path: Path, manifest: Manifest) -> None:
    save(tmp_path / "s" / "v.npy", np.zeros((4, 12, 2), np.float32))
    (tmp_path / "s" / "v.npy").write_bytes(b"")
    with pytest.raises(FeaturesError, match="the array cannot be read"):
        feature_files.read(tmp_path, manifest)


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("name", "../../x", "it contains '/'"),
        ("features", "../../private.npy", "it leads upwards"),
        ("landmarks", "/private.npz", "it is absolute"),
        ("path", "a/../../b", "it leads upwards"),
    ],
)
def test_a_strangers_table_is_refused(tmp_path: Path, manifest: Manifest, field: str, value: str, fault: str) -> None:
    row = VideoFeatures(dataset="casme-sq", subject="s", video="v", name="v", status="ok", fps=30)
    write_parquet(VideoFeatures, [row, row.model_copy(update={field: value})], tmp_path / "features.parquet")
    with pytest.raises(PathError) as caught:
        feature_files.read(tmp_path, manifest)
    assert (caught.value.what, caught.value.where) == (
        f"the {field} '{value}' cannot be used: {fault}",
        f"{tmp_path / 'features.parquet'}, row 2",
    )


def test_an_array_that_several_rows_name(tmp_path: Path, manifest: Manifest) -> None:
    save(tmp_path / "features" / "casme_015" / "casme_015_0401.npy", np.zeros((3, 12, 2), np.float32))
    place = "features/casme_015/casme_015_0401.npy"
    row = VideoFeatures(
        dataset="casme-sq", subject="casme_015", video="v", name="v", status="ok", fps=30, features=place
    )
    write_parquet(VideoFeatures, [row, row, row], tmp_path / "features.parquet")
    with pytest.raises(FeaturesError, match=f"3 rows name the array {place}, which is of one video"):
        feature_files.read(tmp_path, manifest)


def test_arrays_behind_links_out_of_the_folder_are_not_read(tmp_path: Path, manifest: Manifest) -> None:
    save(tmp_path / "private" / "v.npy", np.zeros((4, 12, 2), np.float32))
    save(tmp_path / "f" / "s" / "w.npy", np.zeros((4, 12, 2), np.float32))
    row = VideoFeatures(dataset="casme-sq", subject="s", video="v", name="v", status="ok", fps=30)
    row = row.model_copy(update={"features": "t/v.npy", "landmarks": "t/v.npz"})
    (tmp_path / "f" / "t").symlink_to(tmp_path / "private")
    with pytest.raises(PathError, match=r"'t/v\.npy' goes through a link that leads out of the folder"):
        feature_files.read(tmp_path / "f", manifest)
    write_parquet(VideoFeatures, [row], tmp_path / "f" / "features.parquet")
    folder = feature_files.read(tmp_path / "f", manifest)
    for read in (folder.load, folder.quality):
        with pytest.raises(PathError, match="goes through a link that leads out of the folder"):
            read(row)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fps": float("inf")}, "fps: input should be a finite number, not inf"),
        ({"step": 0}, "step: input should be greater than or equal to 1, not 0"),
        ({"start": -1}, "start: input should be greater than or equal to 0, not -1"),
        ({"unit_px": 0.0}, "unit_px: input should be greater than 0, not 0.0"),
    ],
)
def test_numbers_that_no_video_has(tmp_path: Path, manifest: Manifest, values: dict[str, float], message: str) -> None:
    row = VideoFeatures(dataset="casme-sq", subject="s", video="v", name="v", status="ok", fps=30)
    write_parquet(VideoFeatures, [row, row.model_copy(update=values)], tmp_path / "features.parquet")
    with pytest.raises(FeaturesError) as said:
        feature_files.read(tmp_path, manifest)
    assert said.value.what == f"features.parquet is damaged: features.parquet, row 2: {message}"


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([b"x", b""]), "quality must be numbers of shape (T), not |S1 (2,)"),
        (np.zeros(2, [("a", "<f4")]), "quality must be numbers of shape (T), not [('a', '<f4')] (2,)"),
        (np.array(3, np.uint8), "quality must be numbers of shape (T), not uint8 ()"),
        (np.zeros((2, 68), np.uint8), "quality must be numbers of shape (T), not uint8 (2, 68)"),
    ],
)
def test_what_is_no_quality(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.savez(tmp_path / "v.npz", quality=array)
    row = VideoFeatures(
        dataset="casme-sq", subject="s", video="v", name="v", status="ok", fps=30, landmarks="v.npz", features="v.npy"
    )
    with pytest.raises(FeaturesError) as said:
        feature_files.FeatureFolder(tmp_path, (row,), True).quality(row)
    assert said.value.what == message


def test_which_motion_is_the_skins(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.zeros((2, 12, 2), np.float32))
    row = VideoFeatures(
        dataset="casme-sq", subject="s", video="v", name="v", status="ok", fps=30, landmarks="v.npz", features="v.npy"
    )
    folder = feature_files.FeatureFolder(tmp_path, (row,), True)
    valid = np.ones((2, 12), bool)
    valid[1, 3] = False
    np.savez(tmp_path / "v.npz", valid=valid)
    np.testing.assert_array_equal(folder.valid(row), valid)
    np.savez(tmp_path / "v.npz", quality=np.zeros(3, np.uint8))  # of an older version
    assert folder.valid(row) is None
    assert folder.valid(row.model_copy(update={"landmarks": None})) is None
    for array, message in (
        (valid[:1], "valid must be bool of shape (2, 12), not bool (1, 12)"),
        (valid.astype(np.uint8), "valid must be bool of shape (2, 12), not uint8 (2, 12)"),
    ):
        np.savez(tmp_path / "v.npz", valid=array)
        with pytest.raises(FeaturesError) as caught:
            folder.valid(row)
        assert caught.value.what == message


def test_a_header_that_claims_terabytes(tmp_path: Path, manifest: Manifest) -> None:
    (tmp_path / "s").mkdir()
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 12, 2), }"
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    (tmp_path / "s" / "v.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(FeaturesError) as said:
        feature_files.read(tmp_path, manifest)
    assert said.value.what == (
        "the array cannot be read: its header claims 96,000,000,000,000 bytes of float32 in the shape "
        "(1000000000000, 12, 2); the file has 0"
    )


def test_tables_without_a_later_change_are_believed(tmp_path: Path, manifest: Manifest) -> None:
    row = VideoFeatures(dataset="casme-sq", subject="s", video="v.1", name="v.1", status="ok", fps=30)
    feature_files.begin(tmp_path, "v.1")
    changes = feature_files.begun(tmp_path)
    feature_files.begin(tmp_path, "v.1")
    feature_files.write_tables(tmp_path, [row], [], changes)
    with pytest.raises(FeaturesError) as caught:
        feature_files.read(tmp_path, manifest)
    assert caught.value.lines() == [
        "an extraction into this folder is not finished: v.1 has changed since features.parquet was written",
        f"  where: {tmp_path}",
        "  to do: run the same me-datasets extract again; finished videos are kept",
    ]
    feature_files.write_tables(tmp_path, [row], [], feature_files.begun(tmp_path))
    assert feature_files.read(tmp_path, manifest).rows == (row,)


def test_notes_of_changes_behind_a_link_are_not_looked_at(tmp_path: Path, manifest: Manifest) -> None:
    (tmp_path / "private").mkdir()
    row = VideoFeatures(dataset="casme-sq", subject="s", video="v", name="v", status="ok", fps=30)
    feature_files.write_tables(tmp_path / "out", [row], [], [])
    (tmp_path / "out" / "done").symlink_to(tmp_path / "private")
    with pytest.raises(PathError, match=r"'done/\.begun' goes through a link that leads out of the folder"):
        feature_files.read(tmp_path / "out", manifest)
    with pytest.raises(PathError):
        feature_files.begin(tmp_path / "out", "v")
    assert not list((tmp_path / "private").iterdir())
