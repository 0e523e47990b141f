"""The frames of a folder: only those that lie under the root."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.core.errors import FolderError
from datasets_me.formats.frame_files import frame_files
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.schema.schema_files import Schema


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
        "../private": "'../private' is no path under the folder: it leads upwards",
        str(tmp_path / "private"): f"'{tmp_path / 'private'}' is no path under the folder: it is absolute",
        "out": "'out' goes through a link that leads out of the folder",
    }.items():
        with pytest.raises(FolderError) as caught:
            frame_files(manifest, video(path), root)
        assert (caught.value.what, caught.value.where) == (fault, str(root))
