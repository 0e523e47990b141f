"""Segments in PyTorch: shapes, folds, normalisation, workers, order."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from datasets_me.core.errors import MeDatasetsError  # noqa: E402
from datasets_me.export.options import SegmentOptions  # noqa: E402
from datasets_me.export.segments import write_segments  # noqa: E402
from datasets_me.formats import split as split_files  # noqa: E402
from datasets_me.formats.records import SplitRow  # noqa: E402
from datasets_me.torch_data import SegmentDataset  # noqa: E402
from tests.export.builders import annotation, arrays, extraction, manifest, noise, split  # noqa: E402

VIDEOS = {"casme_015_0401": 40, "casme_016_0502": 20, "casme_019_0101": 33}


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Three videos of three people in segments of 16 with 3 of context; a frame of the second is unknown."""
    made = manifest(
        annotation(1, 2, 4, 9), annotation(2, 3, 5, 8, video="casme_016_0502"), annotation(3, video="casme_019_0101")
    )
    videos = {video: noise(count, seed) for seed, (video, count) in enumerate(VIDEOS.items())}
    videos["casme_016_0502"][7] = np.nan
    write_segments(made, arrays(tmp_path / "f", made, videos), tmp_path / "out", SegmentOptions(length=16, context=3))
    return tmp_path / "out"


@pytest.fixture
def loso(tmp_path: Path) -> Path:
    rows = [
        (held, "test" if held == video[:9] else "train", video[:9], video, None)
        for held in (video[:9] for video in VIDEOS)
        for video in VIDEOS
    ]
    return split(tmp_path / "loso", *rows)


@pytest.mark.parametrize("soft", [None, 4.0])
def test_fields_say_what_is_there(export: Path, soft: float | None) -> None:
    data = SegmentDataset(export, soft_apex=soft)
    assert len(data) == 8
    assert data.fields["feature"].shape == (22, 12, 2)
    assert data.fields["label"].dtype == (torch.int8 if soft is None else torch.float32)
    everything = data.to_torch()
    assert set(everything) == set(data.fields)
    for index in range(len(data)):
        item = data[index]
        for name, field in data.fields.items():
            assert field.fits(item[name])
            assert torch.equal(everything[name][index], item[name])
    assert all(tensor.shape[0] == 8 for tensor in everything.values())


def test_items_are_those_of_the_files(export: Path) -> None:
    data = SegmentDataset(export, part="test")
    with np.load(export / data.rows[1].file) as file:
        assert np.array_equal(data[1]["feature"].numpy(), file["feature"])
        assert np.array_equal(data[1]["label"].numpy(), file["label"])
        assert (data[1]["video_name"], int(data[1]["start"])) == ("casme_015_0401", 16)
    assert data.rows[0].annotations == ["casme_015_0401:1"]


def test_a_fold_holds_its_subjects_and_no_others(export: Path, loso: Path) -> None:
    for held in ("casme_015", "casme_016", "casme_019"):
        train = SegmentDataset(export, split=loso, fold=held)
        test = SegmentDataset(export, split=str(loso), fold=held, part="test")
        assert {row.subject for row in test.rows} == {held}
        assert {row.subject for row in train.rows} == {video[:9] for video in VIDEOS} - {held}
        assert {row.part for row in train.rows} == {"train"}
        assert {row.part for row in test.rows} == {"test"}
    assert len(SegmentDataset(export, split=loso, fold="casme_015", part="validation")) == 0


def test_normalisation_sees_the_training_part_alone(export: Path, loso: Path) -> None:
    test = SegmentDataset(export, split=loso, fold="casme_015", part="test", normalise=True)
    train = SegmentDataset(export, split=loso, fold="casme_015", normalise=True)
    trained_on = np.concatenate([np.delete(noise(20, 1), 7, axis=0), noise(33, 2)]).reshape(-1, 2).astype(float)
    for data in (test, train):
        assert data.mean.dtype == data.std.dtype == np.float32
        assert np.allclose(data.mean, trained_on.mean(axis=0), atol=1e-6)
        assert np.allclose(data.std, trained_on.std(axis=0), atol=1e-6)
    expected = (noise(40)[:19] - data.mean) / data.std
    assert np.allclose(test[0]["feature"][3:].numpy(), expected, atol=1e-6)
    assert not test[0]["feature"][:3].any()
    unknown = next(item for item in train if item["video_name"] == "casme_016_0502")
    assert not unknown["feature"][10].any()
    assert not unknown["mask"][10]


def test_what_is_not_valid_has_no_part_in_normalisation(tmp_path: Path) -> None:
    feature, valid = noise(16), np.ones((16, 12), bool)
    feature[4, 2], valid[4, 2] = 1000, False
    made = manifest(annotation())
    write_segments(
        made,
        extraction(tmp_path / "f", feature, [0] * 17, valid),
        tmp_path / "out",
        SegmentOptions(length=16, context=0),
    )
    everyone = split(tmp_path / "split", ("all", "train", "casme_015", "casme_015_0401", None))
    data = SegmentDataset(tmp_path / "out", split=everyone, fold="all", normalise=True)
    assert np.allclose(data.mean, feature[valid].mean(axis=0), atol=1e-6)
    assert torch.equal(data[0]["valid"], torch.from_numpy(valid))
    assert data[0]["mask"].all()
    assert not data[0]["feature"][4, 2].any()
    assert float(SegmentDataset(tmp_path / "out")[0]["feature"][4, 2, 0]) == 1000


def test_soft_apexes(export: Path) -> None:
    hard, soft = SegmentDataset(export)[0]["label"], SegmentDataset(export, soft_apex=4)[0]["label"]
    distance = np.abs(np.arange(22) - 7)
    inside = (distance <= 12) & (np.arange(22) >= 3)
    assert np.allclose(soft[:, 1].numpy(), np.where(inside, np.exp(-(distance**2) / 32), 0))
    others = [0, 2, 3, 4, 5, 6, 7]
    assert torch.equal(soft[:, others], hard[:, others].float())


@pytest.mark.parametrize("apex", [2, 15, 18, 19, 20, 24, 37])
def test_a_frame_is_as_soft_in_every_segment(apex: int, tmp_path: Path) -> None:
    made = manifest(annotation(1, 0, apex, 39), annotation(2, 30, 32, 35, type="macro"))
    features = arrays(tmp_path / "f", made, {"casme_015_0401": noise(45)})
    write_segments(made, features, tmp_path / "out", SegmentOptions(length=20, context=3))
    wanted = np.zeros((45, 2), np.float32)
    for column, peak in enumerate((apex, 32)):
        away = np.abs(np.arange(45) - peak)
        wanted[:, column] = np.where(away <= 12, np.exp(-(away**2) / 32), 0)
    wanted = np.pad(wanted, ((3, 18), (0, 0)))
    for item in SegmentDataset(tmp_path / "out", soft_apex=4):
        start = int(item["start"])
        assert np.allclose(item["label"][:, [1, 5]].numpy(), wanted[start : start + 26])


def test_normalisation_by_what_another_export_was_trained_on(export: Path, loso: Path, tmp_path: Path) -> None:
    train = SegmentDataset(export, split=loso, fold="casme_015", normalise=True)
    wanted = SegmentDataset(export, part="test", split=loso, fold="casme_015", normalise=True)
    pair = (train.mean, train.std)
    test = SegmentDataset(export, part="test", split=loso, fold="casme_015", normalise=pair)
    assert torch.equal(test[0]["feature"], wanted[0]["feature"])
    assert torch.equal(
        SegmentDataset(export, normalise=pair).to_torch()["mask"], SegmentDataset(export).to_torch()["mask"]
    )
    each = SegmentDataset(export, normalise=(np.zeros((12, 2)), [[2.0, 4.0]]))
    plain = SegmentDataset(export)
    inside = plain[0]["mask"]
    assert torch.equal(each[0]["feature"][inside], plain[0]["feature"][inside] / torch.tensor([2.0, 4.0]))
    for bad in (
        None,
        3,
        (train.mean,),
        (np.zeros(3), 1.0),
        ("x", 1.0),
        (None, None),
        (0.0, 0.0),
        (np.nan, 1.0),
        (np.zeros((2, 12, 2)), 1.0),
    ):
        with pytest.raises(MeDatasetsError, match=r"normalise is not a mean|to normalise, means have to be finite"):
            SegmentDataset(export, normalise=bad)


def test_a_fold_that_trains_on_another_dataset(export: Path, tmp_path: Path) -> None:
    rows = [
        SplitRow(fold="samm-lv-to-casme-sq", part="train", dataset="samm-lv", subject="samm_006", video="006_1"),
        *(
            SplitRow(fold="samm-lv-to-casme-sq", part="test", dataset="casme-sq", subject=video[:9], video=video)
            for video in VIDEOS
        ),
    ]
    split_files.write(split_files.Split("cross-dataset", "video", tuple(rows)), tmp_path / "cross")
    fold = {"split": tmp_path / "cross", "fold": "samm-lv-to-casme-sq", "part": "test"}
    with pytest.raises(MeDatasetsError) as said:
        SegmentDataset(export, **fold, normalise=True)
    assert (said.value.what, said.value.fix) == (
        "the training part of fold 'samm-lv-to-casme-sq' is of samm-lv, but this export is of casme-sq",
        "open the training part in its own export, and give normalise=(train.mean, train.std) here",
    )
    assert len(SegmentDataset(export, **fold, normalise=(0.1, 2.0))) == 8


def test_workers_give_what_the_process_itself_gives(export: Path, loso: Path) -> None:
    data = SegmentDataset(export, split=loso, fold="casme_015", normalise=True, soft_apex=4, seed=5)
    here, there = (list(DataLoader(data, batch_size=2, num_workers=workers)) for workers in (0, 2))
    assert len(here) == len(there) == 3
    for ours, theirs in zip(here, there, strict=True):
        assert ours["video_name"] == theirs["video_name"]
        assert all(torch.equal(ours[name], theirs[name]) for name in data.fields)


def test_it_can_be_sent_to_a_process_that_was_not_forked(export: Path, loso: Path) -> None:
    data = SegmentDataset(export, split=loso, fold="casme_015", normalise=True)
    sent = pickle.loads(pickle.dumps(data))
    assert sent.fields == data.fields
    assert all(torch.equal(sent[index]["feature"], data[index]["feature"]) for index in range(len(data)))


def test_the_order_is_the_same_everywhere(export: Path) -> None:
    def names(seed: int | None) -> list[str]:
        return [f"{row.name}_{row.start}" for row in SegmentDataset(export, seed=seed).rows]

    assert names(None) == sorted(names(None), key=lambda name: (name[:14], int(name[15:])))
    assert names(1) == [
        *("casme_016_0502_0", "casme_015_0401_0", "casme_016_0502_16", "casme_015_0401_16"),
        *("casme_019_0101_16", "casme_019_0101_0", "casme_019_0101_32", "casme_015_0401_32"),
    ]
    assert names(1) != names(2)
    assert sorted(names(1)) == sorted(names(None))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fold": "casme_015"}, "a split and one of its folds belong together"),
        ({"normalise": True}, "normalisation needs a split"),
        ({"part": "validation"}, "validation needs a split"),
        ({"part": "all"}, "there is no part 'all'"),
        ({"soft_apex": 0.0}, "a soft apex cannot be 0 frames wide"),
        ({"split": "loso", "fold": "casme_099"}, "the split has no fold 'casme_099'"),
        ({"split": "nowhere", "fold": "casme_015"}, "not a split: there is no such folder"),
        ({"split": "clips", "fold": "a"}, "the split is of expressions"),
        ({"split": "elsewhere", "fold": "a"}, "nothing of the train part of fold 'a' was exported"),
    ],
)
def test_what_cannot_be_opened(export: Path, loso: Path, options: dict[str, Any], message: str) -> None:
    split(loso.parent / "clips", ("a", "train", "casme_015", "casme_015_0401", "casme_015_0401:1"))
    split(loso.parent / "elsewhere", ("a", "train", "casme_015", "casme_015_9999", None))
    if "split" in options:
        options = {**options, "split": loso.parent / options["split"]}
    with pytest.raises(MeDatasetsError, match=message):
        SegmentDataset(export, **options)


def test_damaged_and_other_exports(export: Path, tmp_path: Path) -> None:
    data = SegmentDataset(export)
    (export / data.rows[0].file).write_bytes(b"")
    with pytest.raises(MeDatasetsError, match="the item cannot be read"):
        data[0]
    np.savez_compressed(export / data.rows[1].file, feature=np.zeros(3))
    with pytest.raises(MeDatasetsError, match=r"'feature\.npy' is compressed"):
        data[1]
    with pytest.raises(MeDatasetsError, match="not an export"):
        SegmentDataset(tmp_path)
