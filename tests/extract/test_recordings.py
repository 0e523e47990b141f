"""Videos without a workbook, and their frames for other tools."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets_me.core.errors import FolderError, MeDatasetsError
from datasets_me.core.frames import VideoError
from datasets_me.core.tables import read_parquet
from datasets_me.export.segments import write_segments
from datasets_me.extract.extract import extract
from datasets_me.extract.recordings import manifest_of, of_recordings
from datasets_me.extract.write_frames import write_frames
from datasets_me.findings.finding import Finding
from datasets_me.folders.check import check
from datasets_me.formats import features as feature_files
from datasets_me.formats import manifest as manifests
from datasets_me.formats.items import ItemRow
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions
from tests.conftest import Run
from tests.core.test_frames import with_matrix
from tests.core.videos import encode, jpegs, number_of, of_jpegs


def filmed(frames: int, drift: int = 0) -> list[bytes]:
    """A face that moves to the right by so many px a frame, as JPEG files."""
    video = FaceVideo(1, 1, FaceVideoOptions(frames=frames, size=(160, 200), colour=True, head_motion=0.0))
    moved = (np.roll(frame, number * drift, axis=1) for number, frame in enumerate(video.frames()))
    return [cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes() for frame in moved]


def folder_of(folder: Path, files: list[bytes], first: int = 1) -> Path:
    folder.mkdir(parents=True)
    for number, content in enumerate(files, start=first):
        (folder / f"img{number}.jpg").write_bytes(content)
    return folder


def test_files_and_folders_become_videos(tmp_path: Path) -> None:
    for name in ("a/one.avi", "a/two.avi", "b/two.mkv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        of_jpegs(tmp_path / name, jpegs(3), rate=50)
    manifest, root = of_recordings([tmp_path])
    assert root == tmp_path
    assert [(video.video, video.path, video.frames, video.fps) for video in manifest.videos] == [
        ("one", "a/one.avi", 3, 50),
        ("a_two.avi", "a/two.avi", 3, 50),
        ("b_two.mkv", "b/two.mkv", 3, 50),
    ]
    assert [video.fps for video in of_recordings([tmp_path / "a"], rate=25)[0].videos] == [25, 25]
    folder_of(tmp_path / "c" / "x", jpegs(4), first=0)
    folder_of(tmp_path / "c" / "y", jpegs(5), first=7)
    manifest, root = of_recordings([tmp_path / "c"], rate=200)
    assert [(video.video, video.first, video.last, video.fps) for video in manifest.videos] == [
        ("x", 0, 3, 200),
        ("y", 7, 11, 200),
    ]


def test_doubtful_files_are_findings(tmp_path: Path) -> None:
    encode(tmp_path / "small.mp4", 60, "libx264", rate=25)
    of_jpegs(tmp_path / "uneven.mkv", jpegs(5), rate=25, times=[0, 1, 2, 9, 10])
    manifest, _ = of_recordings([tmp_path], rate=30)
    found = [(each.code, each.video, each.path) for each in manifest.findings]
    assert found == [
        ("ME315", "small", "small.mp4"),
        ("ME320", "small", "small.mp4"),
        ("ME315", "uneven", "uneven.mkv"),
        ("ME316", "uneven", "uneven.mkv"),
    ]
    assert manifest.findings[0].message == "the file says 25 frames a second, it is read as 30"


def test_recordings_of_one_name_are_told_apart_by_check(tmp_path: Path) -> None:
    for name in ("x.avi", "x.mkv", "below/x.mkv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        of_jpegs(tmp_path / name, jpegs(3))
    manifest, root = of_recordings([tmp_path])
    checked = check(manifest, root)
    assert checked.findings == []
    names = {"below/x.mkv": "below_x.mkv", "x.avi": "x.avi", "x.mkv": "x.mkv"}
    assert {folder.path: folder.identity.video for folder in checked.inventory.folders} == names
    assert check(of_recordings([tmp_path / "x.avi"])[0], tmp_path).findings == []


def test_files_that_are_left_out_are_named(tmp_path: Path) -> None:
    encode(tmp_path / "video.ts", 20, "libx264")
    (tmp_path / "empty.ts").touch()
    (tmp_path / "program.ts").write_text("const rate = 30\n")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "notes.txt").touch()
    (tmp_path / ".hidden").touch()
    (tmp_path / "earlier").mkdir()
    (tmp_path / "earlier" / "extraction.json").touch()
    manifest, _ = of_recordings([tmp_path])
    assert [video.path for video in manifest.videos] == ["empty.ts", "video.ts"]
    found = [(each.message, each.path) for each in manifest.findings if each.code == "ME211"]
    assert found == [("2 files beside the videos: below/notes.txt, program.ts", tmp_path.name)]
    folder = folder_of(tmp_path / "frames", jpegs(2))
    for name in ("notes.txt", "face.jpg"):
        (folder / name).touch()
    (finding,) = of_recordings([folder], rate=30)[0].findings
    assert finding.message == "2 files beside the frames: face.jpg, notes.txt"


def test_times_that_contradict_the_header(tmp_path: Path) -> None:
    path = of_jpegs(tmp_path / "a.mkv", jpegs(6), rate=1000, times=[0, 40, 90, 130, 3000, 3050])
    manifest, _ = of_recordings([path])
    assert manifest.videos[0].fps == pytest.approx(4 / 0.180)
    message = "the file says 1000 frames a second, its frames are 22.2222 a second by their times, it is read as "
    assert [each.message for each in manifest.findings if each.code == "ME315"] == [f"{message}22.2222"]
    manifest, _ = of_recordings([path], rate=25)
    assert manifest.videos[0].fps == 25
    assert manifest.findings[0].message == f"{message}25"


def test_a_frame_rate_that_cannot_be(tmp_path: Path) -> None:
    path = of_jpegs(tmp_path / "a.mkv", jpegs(1), rate=30_000)
    with pytest.raises(MeDatasetsError) as caught:
        of_recordings([path])
    assert caught.value.lines() == [
        "the video says that it has 30000 frames a second",
        f"  where: {path}",
        "  to do: give --rate, such as --rate 30",
    ]


def test_what_is_no_recording(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "frames", jpegs(1))
    of_jpegs(tmp_path / "a.avi", jpegs(1))
    (tmp_path / "nothing").mkdir()
    for paths, message in (
        ([tmp_path / "nothing"], "there are neither video files nor images in it"),
        ([tmp_path / "gone.avi"], "there is no such file or folder"),
        ([folder], "a folder of frames does not say its frame rate"),
        ([tmp_path], "there are video files and folders of frames, and an extraction is of one kind"),
    ):
        with pytest.raises(MeDatasetsError) as caught:
            of_recordings(paths)
        assert caught.value.what == message
    manifests.write(of_recordings([tmp_path / "a.avi"])[0], tmp_path / "manifest")
    for root, rate, message in (
        (None, None, "--root is missing"),
        (tmp_path, 25.0, "a manifest knows its frame rates"),
    ):
        with pytest.raises(MeDatasetsError, match=message):
            manifest_of([tmp_path / "manifest"], root, rate)
    with pytest.raises(MeDatasetsError, match="this is not a manifest"):
        manifest_of([tmp_path / "a.avi"], tmp_path, None)


def test_a_broken_file_does_not_stop_the_others(me_datasets: Run, tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    whole = of_jpegs(tmp_path / "videos" / "one.avi", filmed(8), rate=30).read_bytes()
    for name, content in (("damaged.avi", b"RIFF"), ("empty.avi", b""), ("half.avi", whole[: len(whole) // 2])):
        (tmp_path / "videos" / name).write_bytes(content)
    done = me_datasets("extract", "videos", "-o", "out", "--workers", "1")
    assert done.returncode == 1, done.stderr
    assert "their manifest is out/manifest, their root videos\n" in done.stdout
    manifest = manifests.read(tmp_path / "out" / "manifest")
    extracted = feature_files.read(tmp_path / "out", manifest)
    assert [(row.video, row.status, row.frames, row.fps) for row in extracted.rows] == [
        ("damaged", "failed", 0, 30),
        ("empty", "failed", 0, 30),
        ("half", "partial", 4, 30),
        ("one", "ok", 8, 30),
    ]
    cannot = "the video cannot be opened: Invalid data found when processing input"
    findings = read_parquet(Finding, tmp_path / "out" / "findings.parquet")
    assert [(each.path, each.message) for each in findings if each.code == "ME610"] == [
        ("damaged.avi", cannot),
        ("empty.avi", cannot),
    ]
    exported = write_segments(manifest, extracted, tmp_path / "segments")
    assert (exported.videos, exported.annotations) == (2, 0)
    with pytest.raises(VideoError, match=cannot):
        of_recordings([tmp_path / "videos" / "damaged.avi"])


def test_frames_of_a_folder_have_the_same_numbers_everywhere(tmp_path: Path) -> None:
    files = filmed(6)
    files[2] = b""
    folder = folder_of(tmp_path / "one", files, first=7)
    (folder / "img10.jpg").unlink()
    manifest, root = of_recordings([folder], rate=30)
    done = extract(manifest, root, tmp_path / "out", workers=0)
    assert [(row.start, row.frames) for row in done.rows] == [(7, 6)]
    assert [(each.code, each.message) for each in done.findings[:2]] == [
        ("ME601", "1 frame cannot be read: 9: the file is empty"),
        ("ME602", "1 frame without a file: 10"),
    ]
    write_segments(manifest, feature_files.read(tmp_path / "out", manifest), tmp_path / "segments")
    items = read_parquet(ItemRow, tmp_path / "segments" / "items.parquet")
    assert {(item.start, item.length) for item in items} == {(7, 5)}


def test_frames_for_other_tools(tmp_path: Path) -> None:
    files = jpegs(4)
    files[2] = files[2][:200]
    done = write_frames(of_jpegs(tmp_path / "a.avi", files), tmp_path / "jpeg")
    assert (done.written, done.frames, done.box) == (3, 4, None)
    assert (tmp_path / "jpeg" / "img00002.jpg").read_bytes() == files[1]
    assert not (tmp_path / "jpeg" / "img00003.jpg").exists()
    assert json.loads((tmp_path / "jpeg" / "frames.json").read_text())["unreadable"] == [3]
    assert list(done.unreadable) == [3]
    write_frames(encode(tmp_path / "b.mp4", 3, "mpeg4"), tmp_path / "png")
    shown = [number_of(cv2.imread(str(tmp_path / "png" / f"img0000{number + 1}.png"))) for number in range(3)]
    assert shown == [0, 1, 2]
    with pytest.raises(FolderError, match="no face is found in it"):
        write_frames(tmp_path / "b.mp4", tmp_path / "cropped", crop=True)
    assert not (tmp_path / "cropped").exists()


def test_what_is_wrong_with_a_file_is_said_with_its_frames(me_datasets: Run, tmp_path: Path) -> None:
    content = encode(tmp_path / "whole.mkv", 40, "ffv1", "gray").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(content[: len(content) // 2])
    (tmp_path / "begun.mkv").write_bytes(content[: content.index(b"\x1f\x43\xb6\x75") + 16])  # within the first picture
    with_matrix(encode(tmp_path / "a.mp4", 3, "mpeg4"), tmp_path / "turned.mp4", 0.7, 0.7, -0.7, 0.7)
    done = me_datasets("frames", "cut.mkv", "-o", "cut")
    assert done.returncode == 1
    assert "it ends after" in done.stdout
    with pytest.raises(FolderError, match=r"^no picture of it can be decoded\n"):
        write_frames(tmp_path / "begun.mkv", tmp_path / "begun")
    why = "the video is to be turned by -45 degrees"
    assert write_frames(tmp_path / "turned.mp4", tmp_path / "out").unreadable == {1: why, 2: why, 3: why}


def test_a_layout_is_not_for_recordings(me_datasets: Run, tmp_path: Path) -> None:
    of_jpegs(tmp_path / "a.avi", jpegs(1))
    done = me_datasets("extract", "a.avi", "-o", "out", "--layout", "rawpic")
    assert (done.returncode, done.stderr.splitlines()) == (
        2,
        ["error: --layout is for manifests, and these are recordings", "  to do: leave out --layout"],
    )


def test_frames_of_a_folder_keep_their_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, content in zip((7, 8, 10), jpegs(3), strict=True):
        (folder / f"img{number}.jpg").write_bytes(content)
    done = write_frames(folder, tmp_path / "out")
    assert (done.written, done.unreadable) == (3, {9: "there is no file"})
    assert sorted(path.name for path in (tmp_path / "out").glob("*.jpg")) == [
        "img00007.jpg",
        "img00008.jpg",
        "img00010.jpg",
    ]
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.jpg").write_bytes(jpegs(1)[0])
    with pytest.raises(FolderError, match="no image in it has a number"):
        write_frames(tmp_path / "letters", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_aligned_frames_hold_the_face_still(tmp_path: Path) -> None:
    source = of_jpegs(tmp_path / "a.avi", filmed(8, drift=1))
    change = {}
    for name, aligned in (("cropped", False), ("aligned", True)):
        done = write_frames(source, tmp_path / name, crop=True, aligned=aligned)
        assert done.written == 8
        box = json.loads((tmp_path / name / "frames.json").read_text())["box"]
        assert box == list(done.box)
        pictures = [cv2.imread(str(path), 0).astype(float) for path in sorted((tmp_path / name).glob("*.png"))]
        assert pictures[0].shape == (box[3] - box[1], box[2] - box[0])
        middle = np.s_[
            pictures[0].shape[0] // 4 : -pictures[0].shape[0] // 4,
            pictures[0].shape[1] // 4 : -pictures[0].shape[1] // 4,
        ]
        change[name] = np.mean([np.abs(picture - pictures[0])[middle].mean() for picture in pictures])
    assert change["aligned"] < 0.6 * change["cropped"]
