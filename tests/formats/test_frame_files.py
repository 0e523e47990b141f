"""The frames of one video: where it begins and ends, and what can make it no longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.core.errors import FolderError, MeDatasetsError
from datasets_me.formats.frame_files import choose_layout, frame_files, video_seconds
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.schema.schema_files import Schema


def listed(layout: str = "rawpic", **fields: int) -> Video:
    return Video(dataset="casme-sq", subject="s", video="v", layout=layout, path="folder", fps=30, **fields)


@pytest.fixture
def manifest(casme_sq: Schema) -> Manifest:
    return Manifest(casme_sq, [], [], [], "three-sheets")


@pytest.mark.parametrize(
    ("layout", "numbers", "known", "extent"),
    [
        ("rawpic", range(3, 9), {}, (0, 8)),
        ("selectedpic", range(3, 9), {}, (2, 8)),
        ("rawpic", range(3, 9), {"first": 1, "last": 12, "frames": 12}, (0, 12)),
        ("selectedpic", range(3, 9), {"first": 1, "last": 12, "frames": 12}, (0, 12)),
        ("rawpic", range(0), {"first": 1, "last": 14_000, "frames": 14_000}, (0, 14_000)),
        ("rawpic", range(0), {}, (0, 0)),
        # no manifest makes a video longer than its files can be, and no numbers of their own do
        ("rawpic", range(3, 9), {"first": 1, "last": 2_000_000_000, "frames": 2_000_000_000}, (0, 8)),
        ("rawpic", range(0), {"first": 1, "last": 2_000_000_000, "frames": 2_000_000_000}, (0, 0)),
        ("rawpic", range(20_140_508, 20_140_548), {}, (20_140_507, 20_140_547)),
    ],
)
def test_where_a_video_begins_and_ends(
    layout: str, numbers: range, known: dict[str, int], extent: tuple[int, int], manifest: Manifest, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    for number in numbers:
        (tmp_path / "folder" / f"img{number}.jpg").touch()
    files = frame_files(manifest, listed(layout, **known), tmp_path)
    assert (files.start, files.end) == extent
    assert list(files.names) == [number - 1 for number in numbers]


def test_files_too_far_away_are_named(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for number in (0, 1, 2, 20_140_508):
        (tmp_path / "folder" / f"img{number}.jpg").touch()
    files = frame_files(manifest, listed(), tmp_path)
    assert (files.names, files.end) == ({0: "img1.jpg", 1: "img2.jpg"}, 2)
    assert (files.left_out, files.far) == (("img0.jpg",), ("img20140508.jpg",))


def test_how_long_a_whole_video_lasts(manifest: Manifest) -> None:
    assert video_seconds(manifest, listed(last=90)) == 3
    assert video_seconds(manifest, listed()) is None
    assert video_seconds(manifest, listed("selectedpic", last=90)) is None


def video(path: str) -> Video:
    return Video(dataset="casme-sq", subject="casme_015", video="casme_015_0401", layout="rawpic", path=path, fps=30)


def test_what_lies_outside_the_root_is_not_listed(casme_sq: Schema, tmp_path: Path) -> None:
    manifest = Manifest(casme_sq, [], [], [], "three-sheets")
    for place in ("root/v", "private"):
        (tmp_path / place).mkdir(parents=True)
        for number in (1, 2, 3):
            (tmp_path / place / f"img{number:03}.jpg").touch()
    root = tmp_path / "root"
    (root / "v" / "img002.jpg").unlink()
    (root / "v" / "img002.jpg").symlink_to(tmp_path / "private" / "img002.jpg")
    (root / "v" / "img004.jpg").symlink_to("img001.jpg")
    (root / "out").symlink_to(tmp_path / "private")
    (root / "in").symlink_to("v")
    for path in ("v", "in"):
        files = frame_files(manifest, video(path), root)
        assert files.names == {0: "img001.jpg", 2: "img003.jpg", 3: "img004.jpg"}
        assert files.left_out == ("img002.jpg",)
    for path, fault in {
        "../private": "'../private' is not a path under the folder: it leads upwards",
        str(tmp_path / "private"): f"'{tmp_path / 'private'}' is not a path under the folder: it is absolute",
        "out": "'out' goes through a link that leads out of the folder",
    }.items():
        with pytest.raises(FolderError) as caught:
            frame_files(manifest, video(path), root)
        assert (caught.value.what, caught.value.where) == (fault, str(root))


@pytest.mark.parametrize(
    ("there", "wanted", "annotated", "chosen"),
    [
        ({"cropped": 2, "selectedpic": 2}, None, False, "selectedpic"),
        ({"cropped": 2, "rawpic": 0}, None, False, "cropped"),
        ({"cropped": 0, "selectedpic": 0}, None, False, "selectedpic"),
        ({"cropped": 2, "rawpic": 2}, "cropped", True, "cropped"),
        ({"rawpic": 0}, "rawpic", False, "rawpic"),
        ({"rawpic": 0}, None, True, "the manifest has no annotated folders of frames"),
        ({"rawpic": 0}, "rawpic", True, "the manifest has no annotated folders of frames of the layout 'rawpic'"),
        ({"rawpic": 1}, "cropped", False, "the manifest has no folders of frames of the layout 'cropped'"),
        ({}, None, False, "the manifest has no folders of frames"),
        ({"rawpic": 1}, "nowhere", False, "there is no layout 'nowhere'"),
    ],
)
def test_the_layout_that_is_taken(
    manifest: Manifest, there: dict[str, int], wanted: str | None, annotated: bool, chosen: str
) -> None:
    manifest.videos.extend(listed(layout, annotations=count) for layout, count in there.items())
    try:
        assert choose_layout(manifest, wanted, annotated=annotated) == chosen
    except MeDatasetsError as error:
        assert error.what == chosen
