"""Tables of another tool, by the videos and frames of a manifest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.extract.join import join
from datasets_me.formats import joined
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.schema import schema_files
from tests.extract.conftest import FRAMES, listed, manifest_of


def test_frames_are_those_of_the_manifest(tmp_path: Path) -> None:
    videos = [
        listed(15, code).model_copy(update={"first": 1, "last": FRAMES, "missing": 0}) for code in ("0101", "0102")
    ]
    made = manifest_of(*videos, listed(16, "0101"))
    rows = "\n".join(f"{frame},{frame / 10},1,0.9" for frame in range(1, FRAMES))  # a frame short
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "casme_015_0101.csv").write_text(f"frame,AU01_r,success,confidence\n{rows}\n")
    np.savez(tmp_path / "tables" / "casme_015_0102.npz", au=np.eye(FRAMES, 2), au_names=np.array(["AU4", "au12"]))
    result = join(made, tmp_path / "tables", tmp_path / "out")
    assert [(row.name, row.start, row.frames, row.rows, row.tool, row.au, row.intensity) for row in result.rows] == [
        ("casme_015_0101", 0, FRAMES, FRAMES - 1, "openface", [], [1]),
        ("casme_015_0102", 0, FRAMES, FRAMES, "npz", [4, 12], []),
    ]
    assert [(found.code, found.message) for found in result.findings] == [
        ("ME619", "the table of openface has 19 frames, the video 20"),
        ("ME620", "there is no table casme_016_0101.csv or .npz"),
    ]
    folder = joined.read(tmp_path / "out")
    assert folder.dataset == "casme-sq"
    intensity = folder.arrays(folder.rows[0])["intensity"]
    assert intensity[:-1, 0].tolist() == pytest.approx([frame / 10 for frame in range(1, FRAMES)])
    assert np.isnan(intensity[-1]).all()
    assert folder.arrays(folder.rows[1])["au"].tolist() == np.eye(FRAMES, 2).tolist()


def test_a_clip_begins_where_the_workbook_says(tmp_path: Path) -> None:
    clip = Video(
        dataset="casme2",
        subject="casme2_01",
        video="casme2_01_EP02_01f",
        expression="EP02_01f",
        layout="raw-selected",
        path="CASME2_RAW_selected/sub01/EP02_01f",
        frames=3,
        first=46,
        last=48,
        fps=200,
    )
    np.savez(tmp_path / "casme2_01_EP02_01f.npz", pose=np.zeros((3, 3)))
    made = Manifest(schema_files.load("casme2"), [], [clip], [], "coding")
    (row,) = join(made, tmp_path, tmp_path / "out").rows
    assert (row.start, row.frames, row.arrays) == (45, 3, ["pose"])


def test_a_table_without_rows_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "casme_015_0101.csv").write_text("frame, face_id, timestamp, confidence, success, AU01_r\n")
    result = join(manifest_of(listed(15, "0101")), tmp_path, tmp_path / "out")
    assert [(row.tool, row.rows) for row in result.rows] == [("openface", 0)]
    assert [(found.code, found.message) for found in result.findings] == [
        ("ME619", "the table of openface has a header and no row")
    ]


def test_nothing_to_join(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("frame,AU01\n0,1\n")
    with pytest.raises(MeDatasetsError) as caught:
        join(manifest_of(listed(15, "0101")), tmp_path, tmp_path / "out")
    assert caught.value.what == "no table is named like a video of the manifest"
    assert not (tmp_path / "out").exists()


def test_cells_that_are_no_numbers_are_named_and_unknown(tmp_path: Path) -> None:
    video = listed(15, "0101")
    lines = "\n".join(f"{frame},{text}" for frame, text in enumerate(["1", "abc", "", "inf", "1;5"]))
    (tmp_path / f"{video.video}.csv").write_text(f"frame,AU01\n{lines}\n")
    made = manifest_of(video)
    done = join(made, tmp_path, tmp_path / "out")
    messages = [finding.message for finding in done.findings if finding.code == "ME546"]
    assert messages == ["3 cells of the table of plain hold no finite number, such as frame 1, AU01 'abc'"]
    folder = joined.read(tmp_path / "out")
    assert folder.arrays(folder.rows[0])["au"][:5, 0].tolist() == pytest.approx([1, *[np.nan] * 4], nan_ok=True)
