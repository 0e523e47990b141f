"""What the AUW-GCN project finds: paths that hold, numbers of this dataset, constants of these features."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from datasets_me.convert.convert import convert_any
from datasets_me.core import tables
from datasets_me.core.errors import MeDatasetsError
from datasets_me.export import auwgcn
from datasets_me.export.auwgcn import AuwgcnOptions
from datasets_me.findings.finding import Finding
from datasets_me.formats import features as feature_files
from datasets_me.formats import manifest
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema import schema_files
from tests.conftest import GOLDEN, Run


def row(subject: str, onset: int, offset: int, kind: str, aus: str = "1+2") -> Annotation:
    apex = (onset + offset) // 2
    return Annotation(
        id=f"{subject}_0401:{onset}",
        dataset="casme-sq",
        subject=subject,
        video=f"{subject}_0401",
        type=kind,
        onset=onset,
        apex=apex,
        offset=offset,
        onset_raw=str(onset + 1),
        apex_raw=str(apex + 1),
        offset_raw=str(offset + 1),
        au_raw=aus,
        fps=30,
        source_file="f",
        source_row=1,
    )


def dataset(schema: str = "casme-sq") -> Manifest:
    people = ("casme_015", "casme_016")
    rows = [row(s, *ends) for s in people for ends in ((10, 20, "micro"), (40, 71, "macro"))]
    return Manifest(schema_files.load(schema), rows, [], [], "three-sheets")


def arrays(folder: Path, made: Manifest, scale: float = 0.5, regions: int = 12) -> FeatureFolder:
    """300 features of each person; of the second, ten are not known."""
    random = np.random.default_rng(1)
    for number, subject in enumerate(("casme_015", "casme_016")):
        feature = random.normal(number, scale, (300, regions, 2)).astype(np.float32)
        if number:
            feature[100:110] = np.nan
        (folder / subject).mkdir(parents=True)
        np.save(folder / subject / f"{subject}_0401.npy", feature)
    return feature_files.read(folder, made)


def test_everything_is_where_the_project_looks(tmp_path: Path) -> None:
    made = dataset()
    written = auwgcn.write(made, arrays(tmp_path / "features", made), tmp_path / "out")
    out = tmp_path / "out"
    config = yaml.safe_load((out / "config.yaml").read_text())
    assert config["dataset"] == written.dataset == "cas(me)^2"
    options = config["cas(me)^2"]
    assert options["subject_list"] == ["casme_015", "casme_016"]
    assert (options["micro_average_len"], options["macro_max"], options["macro_left_max_dis"]) == (10, 31, 15)
    assert (options["SEGMENT_LENTH"], options["RECEPTIVE_FILED"], options["epochs"]) == (256, 15, 100)
    assert (out / options["anno_csv"]).read_text().splitlines()[:2] == [
        "subject,video_name,start_frame,apex_frame,end_frame,type_idx,au",
        "casme_015,casme_015_0401,11,16,21,2,1+2",
    ]
    assert np.load(out / "assets" / "cas(me)^2.npy").shape == (12, 12)
    for part in ("train", "test"):
        found = sorted((out / options["segment_feat_root"] / part / "casme_016").glob("*.npz"))
        assert [path.stem.rsplit("_", 1)[1] for path in found] == ["0000", "0256"]
        with np.load(found[0]) as item:
            assert item["feature"].shape == (270, 12, 2)
            assert item["label"].shape == (270, 8)
            assert item["video_name"].item() == "casme_016_0401"
            assert np.flatnonzero(item["label"][:, 0]).tolist() == [17]
            assert np.isfinite(item["feature"]).all()


def test_constants_are_those_of_the_features_and_of_nobody_tested(tmp_path: Path) -> None:
    made = dataset()
    features = arrays(tmp_path / "features", made)
    written = auwgcn.write(made, features, tmp_path / "out")
    constants = json.loads((tmp_path / "out" / "normalisation.json").read_text())
    first, second = (np.asarray(features.load(row), np.float64) for row in features.rows)
    known = second[np.isfinite(second).all(axis=(1, 2))]
    both = np.concatenate([first, known]).reshape(-1, 2)
    assert constants["all"]["values"] == [len(both), len(both)]
    np.testing.assert_allclose(constants["all"]["mean"], both.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(constants["all"]["std"], both.std(axis=0), atol=1e-9)
    np.testing.assert_allclose(constants["without"]["casme_015"]["mean"], known.mean(axis=(0, 1)), atol=1e-9)
    np.testing.assert_allclose(constants["without"]["casme_016"]["std"], first.std(axis=(0, 1)), atol=1e-9)
    assert constants["published"] == {"mean": [0.003463, 0.003873], "std": [0.548588, 0.645621]}
    assert [found.code for found in written.findings] == ["ME509"]


def test_features_in_another_unit_are_pointed_at(tmp_path: Path) -> None:
    made = dataset()
    written = auwgcn.write(made, arrays(tmp_path / "features", made, scale=0.001), tmp_path / "out")
    said = tables.read_parquet(Finding, tmp_path / "out" / "findings.parquet")
    assert said == written.findings
    # The two people differ by 1 in mean; one of them alone spreads as little as the features do.
    one = Manifest(made.schema, made.annotations[:2], [], [], made.variant)
    (tmp_path / "features" / "casme_016" / "casme_016_0401.npy").unlink()
    alone = auwgcn.write(one, feature_files.read(tmp_path / "features", one), tmp_path / "one")
    constants = json.loads((tmp_path / "one" / "normalisation.json").read_text())
    assert constants["without"] == {"casme_015": None}
    (far,) = [found for found in alone.findings if found.code == "ME533"]
    assert far.message == (
        "the standard deviations of the features are 0.0009948 and 0.0009957; "
        "the project divides by 0.548588 and 0.645621"
    )


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    made = dataset()
    features = arrays(tmp_path / "features", made)
    for name in ("a", "b"):
        auwgcn.write(made, features, tmp_path / name)
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(files) == 19
    assert all((tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes() for path in files)


def test_labels_as_published(tmp_path: Path) -> None:
    made = dataset()
    auwgcn.write(made, arrays(tmp_path / "features", made), tmp_path / "out", AuwgcnOptions(compat="auwgcn"))
    with np.load(tmp_path / "out" / "segments" / "train" / "casme_015" / "casme_015_0401_0000.npz") as item:
        assert np.flatnonzero(item["label"][:, 0]).tolist() == [18]


def test_how_far_from_an_apex_is_the_users_choice(tmp_path: Path) -> None:
    made = dataset()
    features = arrays(tmp_path / "features", made)
    wide = made.annotations[1].model_copy(update={"id": "wide", "onset": 100, "apex": 105, "offset": 160})
    made = replace(made, annotations=[*made.annotations, wide])

    def right(name: str, **options: str) -> list[int]:
        auwgcn.write(made, features, tmp_path / name, AuwgcnOptions(**options))
        config = yaml.safe_load((tmp_path / name / "config.yaml").read_text())["cas(me)^2"]
        return [config[f"macro_right_{end}_dis"] for end in ("min", "max")]

    assert right("default") == [15, 55]
    assert right("mean", distances="mean") == right("published", compat="auwgcn") == [15, 20]
    with pytest.raises(MeDatasetsError, match="leave out --distances, or --compat"):
        right("both", compat="auwgcn", distances="observed")
    assert not (tmp_path / "both").exists()


def test_what_the_project_cannot_use(tmp_path: Path) -> None:
    made = dataset()
    with pytest.raises(MeDatasetsError, match="the network of AUW-GCN takes 12 regions, but the features have 11"):
        auwgcn.write(made, arrays(tmp_path / "eleven", made, regions=11), tmp_path / "out")
    with pytest.raises(MeDatasetsError, match="there is no AUW-GCN CSV of casme2"):
        auwgcn.write(dataset("casme2"), arrays(tmp_path / "twelve", made), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_golden_annotations(tmp_path: Path) -> None:
    made = convert_any(GOLDEN / "segments_annotations.csv").manifest()
    with np.load(GOLDEN / "segments_source_features.npz") as source:
        for video in source.files:
            subject = video.rpartition("_")[0]
            (tmp_path / "features" / subject).mkdir(parents=True, exist_ok=True)
            np.save(tmp_path / "features" / subject / f"{video}.npy", source[video])
    auwgcn.write(
        made, feature_files.read(tmp_path / "features", made), tmp_path / "out", AuwgcnOptions(compat="auwgcn")
    )
    with np.load(GOLDEN / "segments_expected.npz") as expected:
        names = {key.rpartition("/")[0] for key in expected.files}
        written = {path.stem: path for path in (tmp_path / "out" / "segments" / "train").rglob("*.npz")}
        assert set(written) == {name.rpartition("/")[2] for name in names}
        for name in names:
            with np.load(written[name.rpartition("/")[2]]) as item:
                assert np.array_equal(item["feature"], expected[f"{name}/feature"], equal_nan=True)
                assert np.array_equal(item["label"], expected[f"{name}/label"])


def test_the_command(me_datasets: Run, tmp_path: Path) -> None:
    made = dataset()
    manifest.write(made, tmp_path / "manifest")
    arrays(tmp_path / "features", made)
    done = me_datasets("export", "auwgcn", "manifest", "features", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert "4 segments of 2 videos, 4 of 4 annotations labelled; mean 0.4" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        "written to out; in there: python AUW-GCN/train.py --dataset 'cas(me)^2' --subject …"
    )
    again = me_datasets("export", "auwgcn", "manifest", "features", "-o", "out")
    assert again.stderr == (
        "error: the export for AUW-GCN exists already\n  where: out\n  to do: add --force to replace it\n"
    )
