"""Predictions in the viewer are those that the scores read."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.core.errors import FolderError, MeDatasetsError
from datasets_me.viewer import predictions
from datasets_me.viewer.dataset import Dataset
from tests.scores.conftest import annotation, manifest


def test_files_of_other_programs_are_read_as_the_scores_read_them(tmp_path: Path) -> None:
    rows = [annotation(1, onset=4, apex=8, offset=12)]
    (tmp_path / "vid.csv").write_text("vid,pred_onset,pred_offset,type\nv1,5,13,me\n")  # counted from 1
    (tmp_path / "ours.csv").write_text("video,onset,offset,type\nv1,4,12,micro\nnobody,1,2,micro\n")
    (tmp_path / "labels.csv").write_text("annotation,label\nv1:1,happiness\n")
    read = predictions.read(manifest(*rows), [tmp_path / "ours.csv", tmp_path / "labels.csv"])
    assert [(each.onset, each.offset, each.hit) for each in read.intervals["v1"]] == [(4, 12, True)]
    assert [finding.code for finding in read.findings][:1] == ["ME540"]
    other = predictions.read(manifest(*rows), [tmp_path / "vid.csv"])
    assert [(each.onset, each.offset, each.hit) for each in other.intervals["v1"]] == [(4, 12, True)]


def test_files_without_anything_to_show(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("video,score\nv1,1\n")
    with pytest.raises(MeDatasetsError, match="the file has neither intervals"):
        predictions.read(manifest(annotation(1)), [tmp_path / "p.csv"])


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="the root is not a folder"):
        Dataset(manifest(annotation(1)), tmp_path / "nowhere")
