"""Clips in PyTorch."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from datasets_me.convert.convert import convert  # noqa: E402
from datasets_me.core.errors import MeDatasetsError  # noqa: E402
from datasets_me.export.clips import ClipOptions, write_clips  # noqa: E402
from datasets_me.folders.check import with_folders  # noqa: E402
from datasets_me.formats.manifest import Manifest  # noqa: E402
from datasets_me.schema import schema_files  # noqa: E402
from datasets_me.synthetic.write import make  # noqa: E402
from datasets_me.torch_data import ClipDataset  # noqa: E402
from tests.export.builders import split  # noqa: E402


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """Clips of CAS(ME)² in the folder of each --frames, and their manifest."""
    folder = tmp_path_factory.mktemp("clips")
    synthetic = make(schema_files.load("casme-sq"), folder / "set", subjects=3)
    converted = convert(schema_files.load_file(synthetic.schema), synthetic.workbook).manifest()
    manifest = with_folders(converted, synthetic.root)
    for frames in ("all", "4"):
        write_clips(manifest, synthetic.root, folder / frames, ClipOptions(frames=frames, size=16))
    return folder, manifest


def test_fields_say_what_is_there(made: tuple[Path, Manifest]) -> None:
    folder, manifest = made
    data = ClipDataset(folder / "4")
    assert len(data) == len(manifest.annotations)
    assert data.classes == ("negative", "others", "positive", "surprise")
    everything = data.to_torch()
    assert everything["frames"].shape == (len(data), 4, 3, 16, 16)
    by_id = {row.id: row for row in manifest.annotations}
    for index, item in enumerate(data):
        assert all(field.fits(item[name]) for name, field in data.fields.items())
        assert all(torch.equal(everything[name][index], item[name]) for name in data.fields)
        row = by_id[item["annotation"]]
        assert data.classes[item["label"]] == row.emotion
        units = {au for au, there in zip(data.action_units, item["aus"], strict=True) if there}
        assert units == {unit.au for unit in row.aus}
        with np.load(folder / "4" / data.rows[index].file) as clip:
            assert np.array_equal(item["frames"].permute(0, 2, 3, 1).numpy(), clip["frames"])


def test_clips_without_the_label_are_named(made: tuple[Path, Manifest]) -> None:
    folder, manifest = made
    data = ClipDataset(folder / "4", classes="class_3")
    others = {row.id for row in manifest.annotations if row.class_3 is None}
    assert others
    assert set(data.without_class) == others
    assert len(data) == len(manifest.annotations) - len(others)
    assert data.classes == ("negative", "positive", "surprise")


def test_the_numbers_of_classes_do_not_depend_on_which_occur(made: tuple[Path, Manifest], tmp_path: Path) -> None:
    folder, manifest = made
    few = [row for row in manifest.annotations if row.class_3 == "surprise"][:2]
    surprised = dataclasses.replace(manifest, annotations=few)
    write_clips(surprised, folder / "set" / "frames", tmp_path / "few", ClipOptions(frames="key", size=8))
    data = ClipDataset(tmp_path / "few", classes="class_3")
    assert data.classes == ("negative", "positive", "surprise")
    assert {int(item["label"]) for item in data} == {2}
    assert ClipDataset(tmp_path / "few").classes == ("surprise",)
    joined = ("positive", "surprise", "anger")
    a, b = (ClipDataset(path, class_names=joined, action_units=(99, 4, 1)) for path in (tmp_path / "few", folder / "4"))
    assert a.classes == b.classes == joined
    assert a.fields["aus"] == b.fields["aus"]
    by_id = {row.id: row for row in manifest.annotations}
    assert set(b.without_class) == {row.id for row in manifest.annotations if row.emotion not in joined}
    for item in (*a, *b):
        row = by_id[item["annotation"]]
        assert joined[item["label"]] == row.emotion
        assert item["aus"].tolist() == [float(au in {unit.au for unit in row.aus}) for au in (99, 4, 1)]
    with pytest.raises(MeDatasetsError) as said:
        ClipDataset(tmp_path / "few", class_names=("Surprise", "anger"))
    assert (said.value.what, said.value.fix) == (
        "no clip of the export is of any of the classes Surprise, anger",
        "its classes are surprise",
    )
    for options in ({"class_names": ("a", "a")}, {"action_units": (1, 1)}, {"class_names": "surprise"}):
        with pytest.raises(MeDatasetsError, match="must be a list without duplicates"):
            ClipDataset(tmp_path / "few", **options)


def test_folds_of_videos_and_of_expressions(made: tuple[Path, Manifest], tmp_path: Path) -> None:
    folder, manifest = made
    rows = manifest.annotations
    one = split(
        tmp_path / "one",
        *(("f", "test" if row.subject == rows[0].subject else "train", row.subject, row.video, row.id) for row in rows),
    )
    test = ClipDataset(folder / "4", split=one, fold="f", part="test")
    train = ClipDataset(folder / "4", split=one, fold="f")
    assert {row.subject for row in test.rows} == {rows[0].subject}
    assert len(test) + len(train) == len(rows)
    assert test.classes == train.classes
    videos = {(row.subject, row.video) for row in rows}
    whole = split(
        tmp_path / "whole",
        *(("f", "test" if subject == rows[0].subject else "train", subject, video, None) for subject, video in videos),
    )
    assert ClipDataset(folder / "4", split=whole, fold="f", part="test").rows == test.rows


def test_workers_and_lengths_that_differ(made: tuple[Path, Manifest]) -> None:
    folder, _ = made
    data = ClipDataset(folder / "4", seed=3)
    here, there = (list(DataLoader(data, batch_size=5, num_workers=workers)) for workers in (0, 2))
    assert [batch["annotation"] for batch in here] == [batch["annotation"] for batch in there]
    assert all(torch.equal(a["frames"], b["frames"]) for a, b in zip(here, there, strict=True))
    long = ClipDataset(folder / "all")
    assert long.fields["frames"].shape == (None, 3, 16, 16)
    assert all(long.fields["frames"].fits(item["frames"]) for item in long)
    with pytest.raises(MeDatasetsError, match="the items differ in length, so 'frames' cannot be one tensor"):
        long.to_torch()


def test_what_cannot_be_opened(made: tuple[Path, Manifest], tmp_path: Path) -> None:
    folder, _ = made
    with pytest.raises(MeDatasetsError, match="there is no part 'all'"):
        ClipDataset(folder / "4", part="all")
    with pytest.raises(MeDatasetsError, match="a split and one of its folds belong together"):
        ClipDataset(folder / "4", split=tmp_path)
    from datasets_me.torch_data import SegmentDataset

    with pytest.raises(MeDatasetsError, match="this is a folder of the kind 'clips', not an export of segments"):
        SegmentDataset(folder / "4")
