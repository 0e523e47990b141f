"""Segments: equal to the published ones where asked, tiling every video, with nothing dropped unsaid."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets_me.convert.convert import convert_any
from datasets_me.core.choices import ItemFormat
from datasets_me.core.errors import FeaturesError, MeDatasetsError, PathError
from datasets_me.core.tables import read_parquet, write_parquet
from datasets_me.export.labels import LabelRow
from datasets_me.export.options import FORMATS, SegmentOptions
from datasets_me.export.segments import ExportedSegments, write_segments
from datasets_me.export.videos import match
from datasets_me.formats import features as feature_files
from datasets_me.formats import manifest as manifests
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.items import ItemRow, read_items
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import VideoFeatures
from tests.conftest import GOLDEN, Run
from tests.export.builders import annotation, arrays, extraction, manifest, noise


@pytest.fixture
def golden(tmp_path: Path) -> tuple[Manifest, feature_files.FeatureFolder]:
    """The golden annotations and features, as a manifest and a folder of arrays."""
    made = convert_any(GOLDEN / "segments_annotations.csv").manifest()
    for name, array in np.load(GOLDEN / "segments_source_features.npz").items():
        place = tmp_path / "features" / name.rpartition("_")[0] / f"{name}.npy"
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(place, array)
    return made, feature_files.read(tmp_path / "features", made)


def test_the_published_segments_come_out_exactly(
    golden: tuple[Manifest, feature_files.FeatureFolder], tmp_path: Path
) -> None:
    exported = write_segments(*golden, tmp_path / "out", SegmentOptions(compat="auwgcn"))
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


SMALL = SegmentOptions(length=16, context=3)


def exported(tmp_path: Path, options: SegmentOptions = SMALL) -> tuple[Path, ExportedSegments]:
    """Two videos of two people, 40 and 20 features, with three annotations."""
    made = manifest(
        annotation(1, 2, 4, 9), annotation(2, 30, 33, 38, type="macro"), annotation(3, 1, 2, 6, video="casme_016_0502")
    )
    videos = {"casme_015_0401": noise(40), "casme_016_0502": noise(20, seed=1)}
    features = arrays(tmp_path / "features", made, videos)
    return tmp_path / "out", write_segments(made, features, tmp_path / "out", options)


def test_both_parts_hold_every_subject_and_the_whole_videos(tmp_path: Path) -> None:
    out, done = exported(tmp_path)
    assert (done.segments, done.videos, done.labelled, done.annotations, done.findings) == (5, 2, 3, 3, [])
    for part in ("train", "test"):
        names = sorted(
            path.relative_to(out / "segments" / part).as_posix() for path in out.glob(f"segments/{part}/*/*.npz")
        )
        assert names == [
            *(f"casme_015/casme_015_0401_{start:04}.npz" for start in (0, 16, 32)),
            *(f"casme_016/casme_016_0502_{start:04}.npz" for start in (0, 16)),
        ]
    whole = np.load(out / "segments" / "test" / "casme_015" / "casme_015_0401.npy")
    assert np.array_equal(whole, noise(40))
    with np.load(out / "segments" / "test" / "casme_015" / "casme_015_0401_0032.npz", allow_pickle=False) as file:
        assert file["feature"].shape == (22, 12, 2)
        assert np.array_equal(file["feature"][:11], whole[29:])
        assert not file["feature"][11:].any()
        assert file["mask"].tolist() == [True] * 11 + [False] * 11
        assert np.flatnonzero(file["label"][:, 7]).tolist() == list(range(1, 10))
        assert file["annotations"].tolist() == ["casme_015_0401:2"]
        assert [file[name].item() for name in ("subject", "video_name", "start", "fps")] == [
            *("casme_015", "casme_015_0401"),
            *(32, 30.0),
        ]


def test_everything_is_recorded(tmp_path: Path) -> None:
    out, _ = exported(tmp_path)
    about = json.loads((out / "export.json").read_text())
    assert about["options"]["context"] == 3
    assert about["manifest"]["sources"] == [{"name": "book.xlsx", "sha256": "a" * 64, "bytes": 1}]
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert set(about["files"]) == written - {"export.json"}
    rows = read_items(out)
    assert Counter(row.part for row in rows) == {"train": 5, "test": 5, "whole": 2}
    for row in rows:
        content = (out / row.file).read_bytes()
        assert row.sha256 == hashlib.sha256(content).hexdigest()
        assert (
            row.features_sha256
            == hashlib.sha256(noise(40 if "0401" in row.video else 20, "0502" in row.video)).hexdigest()
        )
    assert sum(row.length for row in rows if row.part == "test") == 60
    assert {row.annotation: row.last for row in read_parquet(LabelRow, out / "labels.parquet")} == {
        "casme_015_0401:1": 9,
        "casme_015_0401:2": 38,
        "casme_016_0502:3": 6,
    }


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_input_gives_the_same_bytes(tmp_path: Path, form: ItemFormat) -> None:
    options = SegmentOptions(length=16, context=3, format=form)
    hashes = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        out, _ = exported(tmp_path / name, options)
        files = sorted(path for path in out.rglob("*") if path.is_file())
        hashes.append({path.relative_to(out).as_posix(): path.read_bytes() for path in files})
    assert hashes[0] == hashes[1]


def test_features_that_are_not_known(tmp_path: Path) -> None:
    feature = noise(30)
    feature[4, 2] = np.nan
    quality = [0] * 31
    quality[20] = 2  # no face
    quality[25] = 4  # a window clipped: still its own
    made = manifest(annotation())
    features = extraction(tmp_path / "features", feature, quality)
    done = write_segments(made, features, tmp_path / "out", SegmentOptions(length=30, context=0))
    (said,) = done.findings
    assert said.code == "ME509"
    assert said.message == (
        "3 of 30 features are unreliable, the first at frame 4: 1 unknown, written as 0; "
        "the mask is false for all of them"
    )
    with np.load(tmp_path / "out" / "segments" / "train" / "casme_015" / "casme_015_0401_0000.npz") as file:
        assert np.flatnonzero(~file["mask"]).tolist() == [4, 19, 20]
        assert np.array_equal(file["feature"], np.nan_to_num(feature))
    published = write_segments(
        made, features, tmp_path / "published", SegmentOptions(length=30, context=0, compat="auwgcn")
    )
    assert any("1 unknown, kept as NaN" in found.message for found in published.findings)


@pytest.mark.parametrize(
    ("fps", "mask", "valid"), [(None, [5], [(5, slice(None)), (8, 3)]), (15.0, [2], [(2, slice(None)), (4, 3)])]
)
def test_motion_that_is_not_of_the_skin(
    tmp_path: Path, fps: float | None, mask: list[int], valid: list[tuple[int, Any]]
) -> None:
    """What is not valid is told by region, keeps its numbers, and masks a frame only if no region of it is valid."""
    feature, believed = noise(20), np.ones((20, 12), bool)
    believed[5] = believed[8, 3] = False
    features = extraction(tmp_path / "f", feature, [0] * 21, believed)
    out = tmp_path / "out"
    write_segments(manifest(annotation()), features, out, SegmentOptions(length=10, context=10, fps=fps))
    expected = np.ones((10, 12), bool)
    for place in valid:
        expected[place] = False
    with np.load(out / "segments" / "train" / "casme_015" / "casme_015_0401_0000.npz") as file:
        assert np.array_equal(file["valid"][10:20], expected)
        assert not file["valid"][:10].any()
        assert np.flatnonzero(~file["mask"][10:20]).tolist() == mask
        assert file["feature"][10:20].all()


def test_a_video_without_a_single_feature(tmp_path: Path) -> None:
    made = manifest(annotation())
    features = arrays(tmp_path / "f", made, {"casme_015_0401": noise(0), "casme_015_0508": noise(1)})
    done = write_segments(made, features, tmp_path / "out")
    assert (done.segments, done.labelled) == (1, 0)
    assert [(found.code, found.message) for found in done.findings if found.video == "casme_015_0401"] == [
        ("ME504", "frames 10 to 20, there are no features"),
        ("ME509", "casme_015_0401 has no features at 30 frames a second"),
    ]


def test_quality_flags_are_those_of_the_extraction() -> None:
    from datasets_me.export.videos import UNSEEN
    from datasets_me.features.video import Quality

    assert UNSEEN == Quality.MISSING | Quality.NO_FACE


def test_videos_that_only_one_side_knows(tmp_path: Path) -> None:
    made = manifest(annotation(1), annotation(2, video="casme_016_0502"))
    features = arrays(tmp_path / "f", made, {"casme_015_0401": noise(30), "casme_015_0508": noise(10)})
    np.save(tmp_path / "f" / "casme_015" / "casme_015_0401.npy", noise(30))
    done = write_segments(made, features, tmp_path / "out", SegmentOptions())
    assert [(found.code, found.message) for found in done.findings] == [
        ("ME502", "casme_015/casme_015_0508 is not in the manifest; taken as a video without expressions"),
        ("ME501", "1 annotation of casme_016_0502 without features: there is no array"),
    ]
    (tmp_path / "f" / "casme_015").rename(tmp_path / "f" / "s15")
    done = write_segments(made, feature_files.read(tmp_path / "f", made), tmp_path / "out2", SegmentOptions())
    assert "casme_015_0401 lies under s15; the manifest has it under casme_015, which is taken" in [
        f.message for f in done.findings
    ]
    assert (tmp_path / "out2" / "segments" / "train" / "casme_015" / "casme_015_0401_0000.npz").is_file()
    nobody = arrays(tmp_path / "g", made, {"s15_0401": noise(30)})
    with pytest.raises(
        FeaturesError, match="none of the features belong to a video of the manifest: they are of s15_0401"
    ):
        write_segments(made, nobody, tmp_path / "out3", SegmentOptions())
    assert not (tmp_path / "out3").exists()


def test_frames_and_annotations_move_together(tmp_path: Path) -> None:
    made = manifest(annotation(1, 80, 120, 159, fps=200.0))
    features = extraction(tmp_path / "a", noise(320), fps=200.0)
    write_segments(made, features, tmp_path / "out", SegmentOptions(length=40, context=0, fps=25.0))
    with np.load(next((tmp_path / "out").glob("segments/train/*/*.npz"))) as file:
        assert np.allclose(file["feature"], noise(320).reshape(40, 8, 12, 2).sum(axis=1), atol=1e-5)
        assert [np.flatnonzero(file["label"][:, column]).tolist() for column in range(3)] == [[10], [15], [19]]
        assert file["fps"] == 25
    # motion over 8 frames already: every 8th is taken
    features = extraction(tmp_path / "b", noise(320), fps=200.0, step=8)
    write_segments(made, features, tmp_path / "out8", SegmentOptions(length=40, context=0, fps=25.0))
    with np.load(next((tmp_path / "out8").glob("segments/train/*/*.npz"))) as file:
        assert np.array_equal(file["feature"], noise(320)[::8])
    with pytest.raises(FeaturesError, match="motion over 8 frames at 200 frames a second cannot be converted to 30"):
        write_segments(made, features, tmp_path / "out30", SegmentOptions(fps=30.0))
    # arrays from elsewhere, made at 25
    features = arrays(tmp_path / "c", made, {"casme_015_0401": noise(40)})
    write_segments(made, features, tmp_path / "out25", SegmentOptions(length=40, context=0, features_fps=25.0))
    with np.load(next((tmp_path / "out25").glob("segments/train/*/*.npz"))) as file:
        assert np.array_equal(file["feature"], noise(40))
        assert np.flatnonzero(file["label"][:, 3]).tolist() == list(range(10, 20))


def test_outputs_are_replaced_only_where_they_are_ours(tmp_path: Path) -> None:
    out, _ = exported(tmp_path)
    made = manifest(annotation())
    features = arrays(tmp_path / "f", made, {"casme_015_0401": noise(30)})
    with pytest.raises(MeDatasetsError, match="the export of segments exists already"):
        write_segments(made, features, out, SegmentOptions())
    (out / "notes.txt").write_text("mine")
    with pytest.raises(MeDatasetsError, match=r"the folder contains other files, which would be lost: notes\.txt"):
        write_segments(made, features, out, SegmentOptions(), force=True)
    (out / "notes.txt").unlink()
    write_segments(made, features, out, SegmentOptions(), force=True)
    assert [row.part for row in read_items(out)] == ["whole", "train", "test"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with pytest.raises(MeDatasetsError, match="the output exists and is not an export of segments"):
        write_segments(made, features, tmp_path / "other", SegmentOptions(), force=True)
    assert not list(tmp_path.glob(".o*"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 0}, "a segment cannot have 0 frames"),
        ({"context": -1}, "the context cannot be -1 frames"),
        ({"offset_missing": "fixed"}, "'fixed' is not a rule for missing offsets"),
        (
            {"compat": "auwgcn", "offset_missing": "apex"},
            "with --compat, a missing offset is always read by the published rule",
        ),
        ({"fps": 0.0}, "--fps 0 is not a frame rate"),
        ({"format": "csv"}, "there is no format 'csv'"),
    ],
)
def test_options_that_mean_nothing(options: dict[str, Any], message: str) -> None:
    with pytest.raises(MeDatasetsError, match=message):
        SegmentOptions(**options)


def test_rates_that_contradict(tmp_path: Path) -> None:
    made = manifest(annotation())
    features = extraction(tmp_path / "f", noise(30))
    with pytest.raises(MeDatasetsError, match="an extraction records its frame rate"):
        write_segments(made, features, tmp_path / "out", SegmentOptions(features_fps=25.0))
    with pytest.raises(
        MeDatasetsError, match="the published frame numbers of casme-sq are at 30 frames a second, not 25"
    ):
        write_segments(made, features, tmp_path / "out", SegmentOptions(fps=25.0, compat="auwgcn"))
    mixed = arrays(tmp_path / "g", made, {"casme_015_0401": noise(9), "casme_015_0402": noise(9, regions=5)})
    with pytest.raises(FeaturesError, match=r"casme_015_0402 has regions of shape \(5, 2\), others \(12, 2\)"):
        write_segments(made, mixed, tmp_path / "out", SegmentOptions())


def test_an_extraction_without_features_is_named_as_the_reason() -> None:
    made = manifest(annotation(1))
    row = VideoFeatures(
        dataset="casme2", subject="casme_015", video="casme_015_0401", name="casme_015_0401", status="failed",
        why="no face was found", frames=30, fps=30.0,
    )  # fmt: skip
    with pytest.raises(FeaturesError, match=r"no video has features; .* no face was found") as raised:
        match(made, FeatureFolder(Path("features"), (row,), True))
    assert raised.value.fix == "look at the findings of the extraction, and run it again"


def test_a_strangers_features_write_nothing_outside(me_datasets: Run, tmp_path: Path) -> None:
    made = manifest(annotation())
    manifests.write(made, tmp_path / "m")
    (row,) = extraction(tmp_path / "f", noise(300)).rows
    for fields in ({"name": "../../../../x"}, {"features": "../../x.npy"}):
        write_parquet(VideoFeatures, [row.model_copy(update=fields)], tmp_path / "f" / "features.parquet")
        done = me_datasets("export", "segments", "m", "f", "-o", "deep/er/out")
        assert (done.returncode, done.stdout) == (2, "")
        ((field, value),) = fields.items()
        assert done.stderr.startswith(f"error: the {field} '{value}' cannot be used: it ")
        assert "  where: f/features.parquet, row 1\n" in done.stderr
        assert not (tmp_path / "deep").exists()


def test_names_that_are_no_names_of_files_stay_inside(tmp_path: Path) -> None:
    made = manifest(annotation())
    folder = extraction(tmp_path / "f", noise(300))
    row = folder.rows[0].model_copy(update={"name": "../../x", "subject": "../../s"})
    out = tmp_path / "deep" / "er" / "out"
    write_segments(made, FeatureFolder(folder.folder, (row,), True), out)
    names = {path.name for path in out.rglob("*.np[yz]")}
    assert names == {"_.._x-9cdf6a.npy", "_.._x-9cdf6a_0000.npz", "_.._x-9cdf6a_0256.npz"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "f"]


def test_items_outside_the_export_are_refused(tmp_path: Path) -> None:
    made = manifest(annotation())
    write_segments(made, extraction(tmp_path / "f", noise(30)), tmp_path / "out")
    rows = read_items(tmp_path / "out")
    write_parquet(ItemRow, [rows[0], rows[1].model_copy(update={"file": "/etc/x.npz"})], tmp_path / "out/items.parquet")
    with pytest.raises(PathError) as caught:
        read_items(tmp_path / "out")
    assert (caught.value.what, caught.value.where) == (
        "the file '/etc/x.npz' cannot be used: it is absolute",
        f"{tmp_path / 'out' / 'items.parquet'}, row 2",
    )


def test_features_without_labels(tmp_path: Path) -> None:
    from datasets_me.torch_data import SegmentDataset

    rows = [annotation(1, video="s1_v1"), annotation(2, video="s1_v2")]
    made = manifest(*rows)
    features = arrays(tmp_path / "features", made, {"s1_v1": noise(50), "s1_v2": noise(20, seed=1)})
    options = SegmentOptions(length=32, context=2, labels=False)
    exported = write_segments(made, features, tmp_path / "out", options)
    assert (exported.segments, exported.videos, exported.labelled, exported.annotations) == (3, 2, 0, 2)
    files = {path.relative_to(tmp_path / "out").parts[:2] for path in (tmp_path / "out").rglob("*.np[yz]")}
    assert files == {("segments", "test")}
    assert not (tmp_path / "out" / "labels.parquet").exists()
    items = [row for row in read_items(tmp_path / "out") if row.part == "test"]
    with np.load(tmp_path / "out" / items[0].file, allow_pickle=False) as file:
        assert "label" not in file
        assert file["annotations"].tolist() == []
        assert np.array_equal(file["feature"][2:34], noise(50)[:32])
    dataset = SegmentDataset(tmp_path / "out", part="test")
    assert set(dataset[0]) == {"feature", "mask", "valid", "start", "subject", "video_name"}
    assert all(field.fits(dataset[0][name]) for name, field in dataset.fields.items())
    with pytest.raises(MeDatasetsError, match="the export was made with --no-labels"):
        SegmentDataset(tmp_path / "out")
    with pytest.raises(MeDatasetsError, match="--compat says how to label, and --no-labels not to"):
        SegmentOptions(compat="auwgcn", labels=False)


def test_an_extraction_of_recordings_is_enough(tmp_path: Path, me_datasets: Run) -> None:
    made = manifest(annotation(1, video="s1_v1"))
    arrays(tmp_path / "recordings", made, {"s1_v1": noise(50)})
    export = ("export", "segments", "recordings", "-o", "out")
    assert "FEATURES is missing" in me_datasets(*export).stderr
    result = me_datasets(*export, "--no-labels")
    assert result.returncode == 2
    assert "this is not an extraction of recordings" in result.stderr
    manifests.write(made, tmp_path / "recordings" / "manifest")
    result = me_datasets(*export, "--no-labels")
    assert (result.returncode, result.stdout) == (0, "1 segment of 1 video written to out, without labels\n")
