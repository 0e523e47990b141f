"""Folders against annotations: exact findings for each thing that can be wrong, and what is tied to what."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from datasets_me.convert.convert import convert
from datasets_me.core.errors import FolderError
from datasets_me.folders.check import check, with_folders
from datasets_me.formats.manifest import Manifest
from datasets_me.schema.schema_files import Schema
from tests.conftest import CASME2_HEADER, Workbook, casme2_row


def frames(root: Path, path: str, numbers: range, name: str = "img{}.jpg") -> Path:
    folder = root / path
    folder.mkdir(parents=True)
    for number in numbers:
        Image.new("RGB", (8, 6)).save(folder / name.format(number))
    return folder


@pytest.fixture
def manifest(workbook: Workbook, casme2: Schema) -> Manifest:
    rows = [casme2_row(), casme2_row(subject="16", clip="EP01_08", onset=73, apex=94, offset=110)]
    return convert(casme2, workbook([CASME2_HEADER, *rows])).manifest()


def found(manifest: Manifest, root: Path, code: str, **options: Any) -> list[tuple[str, str]]:
    return [(f.where, f.message) for f in check(manifest, root, **options).findings if f.code == code]


def test_a_clip_that_is_shorter_than_its_annotation(manifest: Manifest, tmp_path: Path) -> None:
    frames(tmp_path / "data", "Cropped/sub01/EP02_01f", range(46, 87), "reg_img{}.jpg")
    frames(tmp_path / "data", "Cropped/sub16/EP01_08", range(73, 97), "reg_img{}.jpg")
    assert found(manifest, tmp_path / "data", "ME402") == [
        (
            "book.xlsx, sheet 'Sheet1', cell F3; Cropped/sub16/EP01_08",
            "offset is number 110, 14 after the last of the folder's frames, 73 to 96",
        )
    ]
    assert found(manifest, tmp_path / "data", "ME403") == [
        (
            "book.xlsx, sheet 'Sheet1', cell F3; Cropped/sub16/EP01_08",
            "the folder holds 24 frames, the annotation has 38",
        )
    ]


def test_missing_unknown_and_unannotated_folders(manifest: Manifest, tmp_path: Path) -> None:
    root = tmp_path / "data"
    frames(root, "CASME2_RAW_selected/sub01/EP02-01f", range(46, 87))
    frames(root, "CASME2_RAW_selected/sub16/EP01_08", range(73, 111))
    frames(root, "CASME2_RAW_selected/sub17/EP03_01", range(1, 4))
    assert found(manifest, root, "ME203") == [
        (
            "CASME2_RAW_selected/sub01/EP02-01f",
            "the folder fits no layout; it holds 41 frames; did you mean sub01/EP02_01f?",
        )
    ]
    assert found(manifest, root, "ME204") == [
        ("casme2_01_EP02_01f", "casme2_01_EP02_01f EP02_01f has 1 annotation but no folder in raw-selected")
    ]
    (root / "CASME2_RAW_selected/sub01/EP02-01f").rename(root / "CASME2_RAW_selected/sub01/EP02_01f ")
    ((_, message),) = found(manifest, root, "ME203")
    assert message.endswith("; a name in its path begins or ends with a space; did you mean sub01/EP02_01f?")
    assert found(manifest, root, "ME205") == [
        ("CASME2_RAW_selected/sub17/EP03_01", "casme2_17_EP03_01 has no annotation")
    ]


def test_select_and_ignore(manifest: Manifest, tmp_path: Path) -> None:
    frames(tmp_path / "data", "Cropped/sub16/EP01_08", range(73, 97), "reg_img{}.jpg")
    codes = {finding.code for finding in check(manifest, tmp_path / "data").findings}
    assert {"ME204", "ME402", "ME403"} <= codes
    only_4 = check(manifest, tmp_path / "data", select=["ME4"], ignore=["ME403"]).findings
    assert {finding.code for finding in only_4} == {"ME402"}


def test_images_are_looked_into(manifest: Manifest, tmp_path: Path) -> None:
    folder = frames(tmp_path / "data", "Cropped/sub01/EP02_01f", range(46, 87), "reg_img{}.jpg")
    Image.new("RGB", (8, 6)).save(folder / "reg_img46.jpg", "PNG")
    (folder / "reg_img47.jpg").write_bytes(b"")
    (folder / "reg_img48.jpg").write_bytes((folder / "reg_img49.jpg").read_bytes()[:300])
    Image.new("L", (8, 6)).save(folder / "reg_img50.jpg")
    Image.new("RGB", (16, 12)).save(folder / "reg_img51.jpg")
    root = tmp_path / "data"
    place = "Cropped/sub01/EP02_01f/"
    assert found(manifest, root, "ME308") == [(place + "reg_img46.jpg", "reg_img46.jpg is a PNG")]
    assert found(manifest, root, "ME305") == []
    assert found(manifest, root, "ME305", deep=True) == [(place + "reg_img47.jpg", "reg_img47.jpg has no content")]
    (damaged,) = found(manifest, root, "ME306", deep=True)
    assert damaged[0] == place + "reg_img48.jpg"
    assert found(manifest, root, "ME307", deep=True) == [
        (place + "reg_img50.jpg", "reg_img50.jpg is 8x6 with 1 channel, the others are 8x6 with 3 channels"),
        (place + "reg_img51.jpg", "reg_img51.jpg is 16x12 with 3 channels, the others are 8x6 with 3 channels"),
    ]


@pytest.mark.parametrize("deep", [False, True])
def test_a_pipe_among_frames_is_not_waited_for(manifest: Manifest, tmp_path: Path, deep: bool) -> None:
    folder = frames(tmp_path / "data", "Cropped/sub01/EP02_01f", range(46, 87), "reg_img{}.jpg")
    (folder / "reg_img46.jpg").unlink()
    os.mkfifo(folder / "reg_img46.jpg")
    assert [message for _, message in found(manifest, tmp_path / "data", "ME306", deep=deep)] == [
        "reg_img46.jpg cannot be decoded: it is not a regular file"
    ]


def test_many_broken_images_of_one_folder_are_summed_up(manifest: Manifest, tmp_path: Path) -> None:
    folder = frames(tmp_path / "data", "Cropped/sub01/EP02_01f", range(46, 87), "reg_img{}.jpg")
    for path in folder.iterdir():
        path.write_bytes(b"")
    messages = [message for _, message in found(manifest, tmp_path / "data", "ME305", deep=True)]
    assert len(messages) == 21
    assert "21 more images like this in the folder" in messages


def test_a_gap_inside_an_expression(manifest: Manifest, tmp_path: Path) -> None:
    folder = frames(tmp_path / "data", "CASME2-RAW/sub01/EP02_01f", range(1, 120))
    for number in (50, 51, 110):
        (folder / f"img{number}.jpg").unlink()
    assert found(manifest, tmp_path / "data", "ME301") == [
        ("CASME2-RAW/sub01/EP02_01f", "3 frames missing: 50-51, 110")
    ]
    assert found(manifest, tmp_path / "data", "ME405") == [
        (
            "book.xlsx, sheet 'Sheet1', cell D2; CASME2-RAW/sub01/EP02_01f",
            "2 frames missing between onset 46 and offset 86",
        )
    ]


def test_annotations_at_25_frames_a_second_meet_folders_of_200(samm_lv: Schema, tmp_path: Path) -> None:
    path = tmp_path / "25.csv"
    header = "subject,video_name,start_frame,apex_frame,end_frame,type_idx,au\n"
    path.write_text(header + "samm_006,samm_006_1,3,4,5,1,4\n" + "samm_006,samm_006_1,6,8,20,1,4\n")
    frames(tmp_path / "data", "006_1", range(1, 61), "006_1_{:04}.jpg")
    manifest = convert(samm_lv, path).manifest()
    assert [message for _, message in found(manifest, tmp_path / "data", "ME402")] == [
        "offset is number 161, 101 after the last of the folder's frames, 1 to 60"
    ]


def test_folders_become_rows_of_videos(manifest: Manifest, tmp_path: Path) -> None:
    frames(tmp_path / "data", "Cropped/sub01/ep02_01F", range(46, 87), "reg_img{}.jpg")
    tied = with_folders(manifest, tmp_path / "data")
    first, second = tied.videos
    assert (first.video, first.path, first.layout) == ("casme2_01_EP02_01f", "Cropped/sub01/ep02_01F", "cropped")
    assert (first.frames, first.first, first.last, first.missing) == (41, 46, 86, 0)
    assert (first.width, first.height, first.format, first.fps, first.annotations) == (8, 6, "jpeg", 200, 1)
    assert (second.video, second.path, second.annotations) == ("casme2_16_EP01_08", None, 1)


def test_a_folder_that_moved_after_the_manifest_was_made(manifest: Manifest, tmp_path: Path) -> None:
    folder = frames(tmp_path / "data", "Cropped/sub01/EP02_01f", range(46, 87), "reg_img{}.jpg")
    tied = with_folders(manifest, tmp_path / "data")
    (tmp_path / "data" / "Cropped" / "new" / "sub01").mkdir(parents=True)
    folder.rename(tmp_path / "data" / "Cropped" / "new" / "sub01" / "EP02_01f")
    assert found(tied, tmp_path / "data", "ME212") == [
        (
            "Cropped/new/sub01/EP02_01f",
            "the manifest says Cropped/sub01/EP02_01f, it lies at Cropped/new/sub01/EP02_01f",
        )
    ]


def test_a_folder_that_cannot_be_opened(manifest: Manifest, tmp_path: Path) -> None:
    """One that vanishes between being listed and being opened; permissions do not stop the superuser of a CI."""
    frames(tmp_path / "data", "Cropped/sub01/EP02_01f", range(46, 87), "reg_img{}.jpg")
    doomed = tmp_path / "data" / "Cropped" / "doomed"
    doomed.mkdir()

    def remove(folders: int, files: int) -> None:
        if folders == 2:  # the root and Cropped are listed
            doomed.rmdir()

    findings = check(manifest, tmp_path / "data", walking=remove).findings
    assert [(f.path, f.message) for f in findings if f.code == "ME210"] == [
        ("Cropped/doomed", "not everything here can be used: No such file or directory")
    ]


def test_frames_that_name_another_subject(samm_lv: Schema, tmp_path: Path) -> None:
    path = tmp_path / "25.csv"
    header = "subject,video_name,start_frame,apex_frame,end_frame,type_idx,au\n"
    path.write_text(header + "samm_006,samm_006_1,1,1,1,1,4\n")
    frames(tmp_path / "data", "006_1", range(1, 30), "007_1_{:04}.jpg")
    assert found(convert(samm_lv, path).manifest(), tmp_path / "data", "ME311") == [
        ("006_1", "007_1_0001.jpg names subject 007, unlike its folder")
    ]


def test_another_root_is_no_move(manifest: Manifest, tmp_path: Path) -> None:
    frames(tmp_path / "data", "Cropped/sub01/EP02_01f", range(46, 87), "reg_img{}.jpg")
    tied = with_folders(manifest, tmp_path / "data")
    assert found(tied, tmp_path / "data" / "Cropped", "ME212") == []


def test_annotations_that_do_not_name_expressions(casme_sq: Schema, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    header = "subject,video_name,start_frame,apex_frame,end_frame,type_idx,au\n"
    path.write_text(header + "casme_015,casme_015_0401,3,4,5,1,4\n")
    frames(tmp_path / "data", "selectedpic/s15/anger1_1", range(3, 6))
    manifest = convert(casme_sq, path).manifest()
    assert found(manifest, tmp_path / "data", "ME205") == []


def test_a_root_without_frames_gives_a_manifest_and_a_finding(manifest: Manifest, tmp_path: Path) -> None:
    tied = with_folders(manifest, tmp_path)
    assert [row.path for row in tied.videos] == [None, None]
    assert tied.findings[-1].message == f"nothing under {tmp_path.name} fits a layout of casme2"


def test_a_folder_of_a_video_that_holds_no_images(manifest: Manifest, tmp_path: Path) -> None:
    folder = frames(tmp_path / "data", "Cropped/sub01/EP02_01f", range(0))
    (folder / "readme.txt").touch()
    assert found(manifest, tmp_path / "data", "ME309") == [("Cropped/sub01/EP02_01f", "the folder holds no frames")]
    assert found(manifest, tmp_path / "data", "ME211") == [
        ("Cropped/sub01/EP02_01f", "1 file beside the frames: readme.txt")
    ]


def test_a_file_numbered_by_its_date(manifest: Manifest, tmp_path: Path) -> None:
    folder = frames(tmp_path / "data", "Cropped/sub01/EP02_01f", range(46, 87), "reg_img{}.jpg")
    Image.new("RGB", (8, 6)).save(folder / "reg_img20140508.jpg")
    message = "1 file left out, too far from reg_img46.jpg to reg_img86.jpg to be frames: reg_img20140508.jpg"
    assert found(manifest, tmp_path / "data", "ME312") == [("Cropped/sub01/EP02_01f", message)]
    assert found(manifest, tmp_path / "data", "ME301") == []
    tied = with_folders(manifest, tmp_path / "data")
    assert (tied.videos[0].frames, tied.videos[0].last, tied.videos[0].missing) == (41, 86, 0)
    assert [(row.code, row.message) for row in tied.findings if row.code.startswith("ME3")] == [("ME312", message)]


def test_folders_known_to_be_absent_are_all_named(casme_sq: Schema, workbook: Workbook, tmp_path: Path) -> None:
    rows = [
        [p, clip, 3, 4, 5, 4, "negative", "macro-expression", "sadness"]
        for p, clip in ((7, "happy4_1"), (7, "happy5_1"), (8, "happy4_1"))
    ]
    manifest = convert(casme_sq, workbook(rows)).manifest()
    frames(tmp_path / "data", "cropped/23/happy5_1", range(3, 6))
    assert [message for _, message in found(manifest, tmp_path / "data", "ME207")] == [
        "casme_015_0508 has no folder in cropped, as known: not delivered with cropped; it has no annotation",
        "casme_023_0503 has no folder in cropped, as known: not delivered with cropped; it has no annotation",
        "casme_023_0507 happy4_1 has no folder in cropped, as known: not delivered with cropped",
        "casme_024_0507 happy4_1 has no folder in cropped, as known: not delivered with cropped",
    ]
    frames(tmp_path / "data", "cropped/15/happy5_2", range(3, 6))  # it is there after all
    assert len(found(manifest, tmp_path / "data", "ME207")) == 3
    frames(tmp_path / "raw", "rawpic/s23/23_0507climbingthewall", range(1, 9))
    assert found(manifest, tmp_path / "raw", "ME207") == []


def test_a_tree_of_another_dataset(manifest: Manifest, tmp_path: Path) -> None:
    frames(tmp_path / "data", "holiday", range(3))
    with pytest.raises(FolderError) as caught:
        check(manifest, tmp_path / "data")
    assert str(caught.value).startswith(
        "nothing under the root fits a layout of casme2\n"
        "  raw-selected: sub{subject:02}/{clip}/img{frame:0}.jpg\n"
        "  cropped: sub{subject:02}/{clip}/reg_img{frame:0}.jpg\n"
        "  raw: sub{subject:02}/{clip}/img{frame:0}.jpg\n"
        "  there is: holiday"
    )
