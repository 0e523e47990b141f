"""Intervals as several programs write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.intervals import first_frame, last_frame, read
from datasets_me.schema import schema_files


@pytest.mark.parametrize(
    ("content", "counting", "row"),
    [
        (
            "video_name,start_frame,end_frame,score,type_idx\ncasme_015_0401,9,20,0.5,2\n",
            "proposals",
            {"video": "casme_015_0401", "onset": "9", "offset": "20", "score": "0.5", "type": "micro"},
        ),
        (
            "video_name,start_frame,end_frame,start_score,end_score,apex_score,type_idx,score\nv,9,20,.1,.2,.3,1,.5\n",
            "proposals",
            {"video": "v", "onset": "9", "offset": "20", "score": ".5", "type": "macro"},
        ),
        (
            "vid,pred_onset,pred_offset,type\n006_1,3,9,mae\n",
            "workbook",
            {"video": "006_1", "onset": "3", "offset": "9", "type": "macro"},
        ),
        ("vid,onset,offset,type\n006_1,3,9,me\n", "workbook", {"video": "006_1", "onset": "3", "type": "micro"}),
        (
            "subject,video,onset,offset,emotion\n5,anger1,3,9,negative\n",
            "workbook",
            {"subject": "5", "video": "anger1", "label": "negative"},
        ),
        ("video,onset,offset,type\nv,3,9,micro\n", "manifest", {"video": "v", "onset": "3", "type": "micro"}),
    ],
)
def test_who_wrote_a_file_is_known_by_its_columns(
    tmp_path: Path, content: str, counting: str, row: dict[str, str]
) -> None:
    (tmp_path / "p.csv").write_text(content)
    file = read(tmp_path / "p.csv")
    assert file.counting == counting
    assert {**file.rows[0], **row} == file.rows[0]
    assert set(file.rows[0]) == set(file.columns)


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        ("vidoe,onset,offset\nv,1,3\n", "is 'vidoe' meant as video?"),
        ("vid,type\nv,me\n", "it has: type, video"),
        (
            ",".join(f"c{number:05}" for number in range(30_000)) + "\n",
            f"it has: {', '.join(f'c{number:05}' for number in range(20))}, …",
        ),
    ],
)
def test_missing_columns(tmp_path: Path, content: str, fix: str) -> None:
    (tmp_path / "p.csv").write_text(content)
    with pytest.raises(MeDatasetsError, match=r"the column '(video|onset)' is missing") as caught:
        read(tmp_path / "p.csv")
    assert caught.value.fix == fix


def test_frames_as_they_are_counted() -> None:
    casme, samm = schema_files.load("casme-sq").spec, schema_files.load("samm-lv").spec
    assert (first_frame(9, "manifest", casme, 30), last_frame(9, "manifest", casme, 30)) == (9, 9)
    assert (first_frame(9, "workbook", casme, 30), last_frame(9, "workbook", casme, 30)) == (8, 8)
    assert (first_frame(9, "proposals", casme, 30), last_frame(9, "proposals", casme, 30)) == (8, 8)
    # A proposal of SAMM Long Videos counts at 25 of 200 frames a second, so that each number stands for eight frames.
    assert (first_frame(1, "proposals", samm, 200), last_frame(2, "proposals", samm, 200)) == (0, 15)
    assert (first_frame(3, "proposals", samm, 25), last_frame(3, "proposals", samm, 25)) == (2, 2)
    assert first_frame(-2, "workbook", samm, 200) == -3
