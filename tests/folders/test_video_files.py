"""Video files in the place of folders of frames: found, checked, and read by every stage."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from datasets_me.convert.convert import convert
from datasets_me.core.errors import FolderError, SchemaError
from datasets_me.export.clips import ClipOptions, write_clips
from datasets_me.export.flow import write_flow
from datasets_me.export.flow_options import FlowOptions
from datasets_me.extract.extract import extract
from datasets_me.extract.options import ExtractOptions
from datasets_me.folders.check import check, with_folders
from datasets_me.formats.frame_files import frame_files
from datasets_me.formats.items import read_items
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.schema import schema_files
from datasets_me.synthetic.film import Film
from datasets_me.synthetic.write import make
from tests.core.videos import SIZE, encode, jpegs, number_of, of_jpegs


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Path]:
    """Two videos of CAS(ME)², as folders of JPEG files and as Motion JPEG of the same files."""
    folder = tmp_path_factory.mktemp("filmed")
    made = make(schema_files.load("casme-sq"), folder / "set", subjects=1, seed=2, film=Film(size=(100, 125)))
    manifest = convert(schema_files.load_file(made.schema), made.workbook).manifest()
    for path in (made.root / "selectedpic", made.root / "cropped"):
        shutil.rmtree(path)
    for number, frames in enumerate(sorted((made.root / "rawpic").glob("*/*"))):
        if number > 1:
            shutil.rmtree(frames)
            continue
        place = made.root / "rawvideo" / frames.parent.name / f"{frames.name}.avi"
        place.parent.mkdir(parents=True, exist_ok=True)
        files = sorted(frames.iterdir(), key=lambda path: int(path.stem.removeprefix("img")))
        of_jpegs(place, [path.read_bytes() for path in files], rate=30)
    found = with_folders(manifest, made.root)
    there = {video.video for video in found.videos if video.path}
    rows = [row for row in manifest.annotations if row.video in there]
    return with_folders(replace(manifest, annotations=rows), made.root), made.root


def videos_of(manifest: Manifest, layout: str) -> list[Video]:
    return [video for video in manifest.videos if video.layout == layout]


def test_a_file_is_a_video_as_its_folder_is(filmed: tuple[Manifest, Path]) -> None:
    manifest, _ = filmed
    folders, files = videos_of(manifest, "rawpic"), videos_of(manifest, "rawvideo")
    assert [video.path for video in files] == [f"{video.path.replace('rawpic', 'rawvideo')}.avi" for video in folders]
    same = {"video", "subject", "annotations", "frames", "first", "last", "missing", "width", "height", "fps"}
    assert [video.model_dump(include=same) for video in files] == [video.model_dump(include=same) for video in folders]
    assert {video.format for video in files} == {"mjpeg"}


def test_frames_are_counted_as_the_workbook_does(filmed: tuple[Manifest, Path]) -> None:
    manifest, root = filmed
    folder, file = (frame_files(manifest, videos_of(manifest, name)[0], root) for name in ("rawpic", "rawvideo"))
    assert (file.start, file.end, list(file.names)) == (folder.start, folder.end, list(folder.names))
    for number in (0, 5, 3, file.end - 1):
        assert np.array_equal(file.read(number, colour=True)[0], folder.read(number, colour=True)[0])


def test_features_are_bit_for_bit_those_of_the_same_jpeg_files(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    one = replace(manifest, annotations=[row for row in manifest.annotations if row.video == manifest.videos[0].video])
    features = {}
    for layout in ("rawpic", "rawvideo"):
        done = extract(one, root, tmp_path / layout, ExtractOptions(layout=layout), videos=[manifest.videos[0].video])
        (row,) = done.rows
        assert (row.status, [found.code for found in done.findings]) == ("ok", [])
        features[layout] = (tmp_path / layout / row.features).read_bytes()
    assert features["rawpic"] == features["rawvideo"]
    again = extract(one, root, tmp_path / "rawvideo", ExtractOptions(layout="rawvideo"), videos=[row.video])
    assert again.rows == done.rows


def test_clips_and_flow_images(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    for layout in ("rawpic", "rawvideo"):
        done = write_clips(manifest, root, tmp_path / layout, ClipOptions(frames="key", size=24, layout=layout))
        assert done.clips == done.annotations
        flow = FlowOptions(layout=layout, flow="dis", size=32)
        write_flow(manifest, root, tmp_path / f"flow-{layout}", flow)
    for name in ("", "flow-"):
        pictures, video = (
            [row.sha256 for row in read_items(tmp_path / f"{name}{kind}")] for kind in ("rawpic", "rawvideo")
        )
        assert pictures == video


def checked(manifest: Manifest, root: Path, deep: bool = False) -> list[tuple[str, str, str | None]]:
    found = check(manifest, root, deep=deep, select=["ME203", "ME309", "ME31", "ME32"]).findings
    return [(one.code, one.message, one.path) for one in found]


def test_a_good_file_has_no_findings(filmed: tuple[Manifest, Path]) -> None:
    assert checked(*filmed, deep=True) == []


def test_what_is_wrong_with_files(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, _ = filmed
    path, other = (video.path for video in videos_of(manifest, "rawvideo"))
    for name in (path, other):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    files = jpegs(9)
    files[4] = files[4][:300]
    of_jpegs(tmp_path / path, files, rate=25)
    (tmp_path / other).write_bytes(b"")
    encode(tmp_path / "holiday.mp4", 3, "mpeg4")
    assert checked(manifest, tmp_path, deep=True) == [
        ("ME203", "the video file fits no layout", "holiday.mp4"),
        ("ME313", "the video cannot be opened: Invalid data found when processing input", other),
        ("ME315", "the file says 25 frames a second, it is read as 30", path),
        ("ME319", "1 of 9 frames cannot be decoded, first 5", path),
    ]
    of_jpegs(tmp_path / path, jpegs(9), rate=30)
    content = (tmp_path / path).read_bytes()
    (tmp_path / path).write_bytes(content[: content.index(jpegs(9)[6])])
    assert checked(manifest, tmp_path)[-1] == ("ME314", "the header says 9 frames, the file holds 6", path)


def test_odd_files_are_named(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, _ = filmed
    path, other = (Path(video.path) for video in videos_of(manifest, "rawvideo"))
    (tmp_path / path).parent.mkdir(parents=True)
    encode(tmp_path / path.with_suffix(".mkv"), 300, "libx264", "yuv420p10le", rate=30, g="400", sc_threshold="0")
    of_jpegs(tmp_path / other.with_suffix(".mkv"), jpegs(5), rate=30, times=[0, 1, 2, 9, 10])
    with av.open(str(tmp_path / path.with_suffix(".mkv"))) as container:
        bits = sum(8 * packet.size for packet in container.demux(video=0)) / (300 * SIZE[0] * SIZE[1])
    assert [(code, message) for code, message, _ in checked(manifest, tmp_path)] == [
        ("ME316", "the frames do not follow each other evenly; they are counted, whatever their times say"),
        ("ME317", "1 key frame in 300 frames"),
        ("ME318", "brought to 8 bits from yuv420p10le"),
        ("ME320", f"h264 of {bits:.3f} bits per pixel; motion of less than a pixel is lost in part"),
    ]
    found = with_folders(manifest, tmp_path)
    files = frame_files(found, videos_of(found, "rawvideo")[0], tmp_path)
    assert number_of(files.read(150, colour=True)[0]) == 150


def test_a_file_that_is_gone_or_leads_out(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    video = videos_of(manifest, "rawvideo")[0]
    with pytest.raises(FolderError, match="the video cannot be opened: No such file or directory"):
        frame_files(manifest, video, tmp_path)
    (tmp_path / video.path).parent.mkdir(parents=True)
    (tmp_path / video.path).symlink_to(root / video.path)
    with pytest.raises(FolderError, match="leads out"):
        frame_files(manifest, video, tmp_path)
    with pytest.raises(FolderError) as caught:
        check(manifest, tmp_path / "rawvideo" / "s15")
    assert "rawvideo: s{folder:0}/{folder:0}_{code:04}{slug} (a video file)" in "\n".join(caught.value.details)


def test_a_layout_is_of_files_or_of_frames(tmp_path: Path) -> None:
    text = schema_files.load("casme-sq").text
    for old, new, message in (
        ("    video_files: true\n", "", "layouts.1: frame is missing"),
        (
            "    video_files: true\n",
            '    video_files: true\n    frame: "{frame}.jpg"\n',
            "frames in video files have no names",
        ),
    ):
        with pytest.raises(SchemaError) as caught:
            schema_files.parse(text.replace(old, new, 1), "my.yaml")
        assert message.rpartition(": ")[2] in str(caught.value)
