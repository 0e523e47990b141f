"""The folder of a split: what is written is read, and nothing else is overwritten."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_me.core import tables
from datasets_me.core.errors import OutputError, SplitError
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import split as split_files
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import SplitRow
from datasets_me.formats.split import Split
from datasets_me.splits.make import Options, make

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
ROWS = st.builds(
    SplitRow,
    fold=TEXT,
    part=st.sampled_from(split_files.PARTS),
    dataset=TEXT,
    subject=TEXT,
    video=TEXT,
    annotation=st.none() | TEXT,
)


@settings(max_examples=30)
@given(st.lists(ROWS, max_size=12), st.integers(0, 2**40))
def test_a_split_survives(tmp_path: Path, rows: list[SplitRow], seed: int) -> None:
    said = (finding("ME520", "why", subject="s"),)
    split = Split("kfold", "expression", tuple(rows), seed, said, [{"dataset": "d", "sources": []}], {"folds": 3})
    split_files.write(split, tmp_path / "split", force=True)
    assert split_files.read(tmp_path / "split") == split
    for fold in split.folds:
        found = [row for part in split_files.PARTS for row in split.part(fold, part)]
        assert sorted(map(repr, found)) == sorted(repr(row) for row in rows if row.fold == fold)


def test_the_same_split_gives_the_same_bytes(tmp_path: Path, five: Manifest) -> None:
    for name in ("a", "b"):
        split_files.write(make([five], Options("kfold", validation=0.3)), tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_json_says_the_same(tmp_path: Path, five: Manifest) -> None:
    split_files.write(make([five], Options("loso")), tmp_path / "split")
    said = json.loads((tmp_path / "split" / "split.json").read_text())
    assert said["folds"]["casme2_02"]["test"] == {"casme2": {"casme2_02": ["casme2_02_v0", "casme2_02_v1"]}}
    assert sorted(said["folds"]["casme2_02"]["train"]["casme2"]) == [f"casme2_0{n}" for n in (1, 3, 4, 5)]


def test_a_fold_that_is_none(five: Manifest) -> None:
    with pytest.raises(SplitError) as caught:
        make([five], Options("loso")).part("casme2_09", "test")
    assert str(caught.value) == (
        "the split has no fold 'casme2_09'\n"
        "  to do: its folds are casme2_01, casme2_02, casme2_03, casme2_04, casme2_05"
    )


def test_folders_that_are_no_split(tmp_path: Path, five: Manifest) -> None:
    split = make([five], Options("loso"))
    with pytest.raises(SplitError, match="not a split: there is no such folder"):
        split_files.read(tmp_path / "nowhere")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match="the output exists and is not a split"):
        split_files.write(split, tmp_path / "other", force=True)
    split_files.write(split, tmp_path / "split")
    with pytest.raises(OutputError, match="the split exists already"):
        split_files.write(split, tmp_path / "split")
    (tmp_path / "split" / "notes.txt").write_text("x")
    with pytest.raises(OutputError, match=r"contains other files, which would be lost: notes\.txt"):
        split_files.write(split, tmp_path / "split", force=True)
    assert split_files.read(tmp_path / "split") == replace(split, rows=split.rows)
    tables.write_parquet(Finding, split.findings, tmp_path / "split" / "splits.parquet")
    with pytest.raises(SplitError, match=r"the split is damaged: splits\.parquet has other columns"):
        split_files.read(tmp_path / "split")
    odd = split.rows[0].model_copy(update={"part": "exam"})
    tables.write_parquet(SplitRow, [odd], tmp_path / "split" / "splits.parquet")
    with pytest.raises(SplitError, match=r"has other parts than train, validation, test"):
        split_files.read(tmp_path / "split")
    (tmp_path / "split" / "splits.parquet").write_bytes(b"nonsense")
    with pytest.raises(SplitError, match="the split is damaged"):
        split_files.read(tmp_path / "split")
    about = json.loads((tmp_path / "split" / "split.json").read_text())
    (tmp_path / "split" / "split.json").write_text(json.dumps({**about, "format": 2}))
    with pytest.raises(SplitError, match="the split has format 2, this version reads 1"):
        split_files.read(tmp_path / "split")


def _rewritten(folder: Path, **changes: object) -> None:
    about = json.loads((folder / "split.json").read_text())
    (folder / "split.json").write_text(json.dumps({**about, **changes}))


def test_two_files_that_differ(tmp_path: Path, five: Manifest) -> None:
    folder = tmp_path / "split"
    split_files.write(make([five], Options("loso")), folder)
    folds = json.loads((folder / "split.json").read_text())["folds"]
    _rewritten(folder, folds=dict(reversed(folds.items())))
    assert split_files.read(folder).folds == [f"casme2_0{n}" for n in range(1, 6)]
    folds["casme2_02"]["test"]["casme2"]["casme2_02"].remove("casme2_02_v1")
    _rewritten(folder, folds=folds)
    with pytest.raises(SplitError) as caught:
        split_files.read(folder)
    assert (caught.value.what, caught.value.fix) == (
        "split.json and splits.parquet differ: in test of fold 'casme2_02', only splits.parquet has casme2_02_v1, "
        "of casme2_02 of casme2",
        "make the split again, do not edit it",
    )
    folds["casme2_02"]["test"]["casme2"]["casme2_02"] += ["casme2_02_v1", "casme2_09_v1"]
    _rewritten(folder, folds=folds)
    with pytest.raises(SplitError, match=r"fold 'casme2_02', only split\.json has casme2_09_v1, of casme2_02"):
        split_files.read(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unit": "foo"}, "the unit is 'foo', which is not one of expression, video"),
        ({"options": {"stratify": "nonsense"}}, "it is stratified by 'nonsense', which is not one of type, emotion"),
        ({"options": {"stratify": 5}}, "it is stratified by 5, which is not one of"),
        ({"options": {"stratify": "onset"}}, "it is stratified by 'onset', which is not one of"),
        ({"protocol": ["loso"]}, r"the protocol is \['loso'\]"),
        ({"folds": ["a"]}, ""),
        ({"folds": {"casme2_01": {"train": 5}}}, ""),
    ],
)
def test_a_split_that_says_nonsense_of_itself(
    changes: dict[str, object], said: str, tmp_path: Path, five: Manifest
) -> None:
    split_files.write(make([five], Options("loso")), tmp_path / "split")
    _rewritten(tmp_path / "split", **changes)
    with pytest.raises(SplitError, match=f"the split is damaged: .*{said}"):
        split_files.read(tmp_path / "split")
