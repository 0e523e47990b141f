"""Which video a folder is: layouts, case, padding, wrong places, roots at any depth."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datasets_me.core.errors import FolderError
from datasets_me.folders.layouts import Inventory, match_layouts
from datasets_me.folders.walk import walk
from datasets_me.schema.schema_files import Schema


def folders(root: Path, *paths: str, frames: str = "img{:03}.jpg") -> Path:
    for path in paths:
        (root / path).mkdir(parents=True)
        for number in (1, 2):
            (root / path / frames.format(number)).touch()
    return root


def identities(inventory: Inventory) -> list[tuple[str, str, str | None]]:
    return [(folder.layout.id, folder.identity.video, folder.identity.expression) for folder in inventory.folders]


def test_the_layouts_of_casme_sq(tmp_path: Path, casme_sq: Schema) -> None:
    root = folders(
        tmp_path,
        "rawpic/s15/15_0101disgustingteeth",
        "selectedpic/s26/disgust1_1",
        "cropped/15/anger2_5",
        "docs/figures",
    )
    inventory = match_layouts(casme_sq.spec, walk(root))
    assert identities(inventory) == [
        ("cropped", "casme_015_0402", "anger2_5"),
        ("rawpic", "casme_015_0101", None),
        ("selectedpic", "casme_026_0101", "disgust1_1"),
    ]
    assert [leaf.path for leaf in inventory.unknown] == ["docs/figures"]


@pytest.mark.parametrize("depth", ["", "rawpic", "rawpic/s15", "rawpic/s15/15_0101disgustingteeth"])
def test_the_root_may_be_given_at_any_depth(tmp_path: Path, casme_sq: Schema, depth: str) -> None:
    folders(tmp_path, "rawpic/s15/15_0101disgustingteeth")
    assert identities(match_layouts(casme_sq.spec, walk(tmp_path / depth))) == [("rawpic", "casme_015_0101", None)]


@pytest.mark.parametrize("above", ["CASME2_RAW_selected", "CASME2-RAW", "Cropped"])
def test_equal_paths_are_told_apart_by_the_folder_above(tmp_path: Path, casme2: Schema, above: str) -> None:
    (folder,) = match_layouts(casme2.spec, walk(folders(tmp_path, f"{above}/sub01/EP02_01f"))).folders
    assert above in folder.layout.under


def test_equal_paths_are_told_apart_by_the_frames(tmp_path: Path, casme2: Schema) -> None:
    root = folders(tmp_path, "mine/sub01/EP02_01f", frames="reg_img{}.jpg")
    (folder,) = match_layouts(casme2.spec, walk(root)).folders
    assert folder.layout.id == "cropped"


def test_the_folder_that_lies_under_the_wrong_subject(tmp_path: Path, casme_sq: Schema) -> None:
    root = folders(tmp_path, "rawpic/s19/23_0502funnyerrors")
    (folder,) = match_layouts(casme_sq.spec, walk(root)).folders
    assert folder.identity.video == "casme_023_0502"
    assert folder.relocation is not None
    assert folder.target == "rawpic/s23/23_0502funnyerrors"
    (detected,) = match_layouts(casme_sq.spec, walk(root), relocations=False).folders
    assert detected.relocation is None
    assert detected.disagreements == {"folder": ("19", "23")}
    assert detected.target == folder.target


def test_the_right_place_comes_before_the_wrong_one(tmp_path: Path, casme_sq: Schema) -> None:
    root = folders(tmp_path, "s19/23_0502funnyerrors", "s23/23_0502funnyerrors")
    (both,) = match_layouts(casme_sq.spec, walk(root)).by_key.values()
    assert [folder.path for folder in both] == ["s23/23_0502funnyerrors", "s19/23_0502funnyerrors"]


@pytest.mark.parametrize("path", ["S15/15_0101DisgustingTeeth", "s015/15_101disgustingteeth", "s15/15_0101"])
def test_case_padding_and_wording_do_not_hide_a_folder(tmp_path: Path, casme_sq: Schema, path: str) -> None:
    (folder,) = match_layouts(casme_sq.spec, walk(folders(tmp_path, path))).folders
    assert folder.identity.video == "casme_015_0101"
    assert folder.belongs == "s15/15_0101disgustingteeth" != folder.local


def test_links_are_followed_but_not_in_circles(tmp_path: Path, casme_sq: Schema) -> None:
    folders(tmp_path / "disk", "s15/15_0101disgustingteeth")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rawpic").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "s15" / "loop").symlink_to(tmp_path / "disk")
    found = identities(match_layouts(casme_sq.spec, walk(tmp_path)))
    assert found == [("rawpic", "casme_015_0101", None)] * 2  # through the link, too


def test_links_that_lead_on_to_links_are_named_and_not_followed(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"f{number}").mkdir()
        for name in "abc":
            (tmp_path / f"f{number}" / name).symlink_to(f"../f{number + 1}")
    (tmp_path / "f40").mkdir()
    (tmp_path / "f40" / "img001.jpg").touch()
    tree = walk(tmp_path)
    assert ("f0/a/b/c", "it is a link in a folder that is reached through 2 other links") in tree.unreadable
    assert {leaf.path for leaf in tree.leaves} == {
        "f40",
        *(f"f39/{name}" for name in "abc"),
        *(f"f38/{one}/{two}" for one in "abc" for two in "abc"),
    }


def test_links_out_of_the_root_are_named_and_not_followed(tmp_path: Path, casme_sq: Schema) -> None:
    folders(tmp_path / "private", "s15/15_0101disgustingteeth")
    folders(tmp_path / "data", "s15/15_0102eatingworms")
    (tmp_path / "data" / "s16").symlink_to(tmp_path / "private" / "s15")
    (tmp_path / "data" / "s15" / "up").symlink_to("../../private")
    frames = tmp_path / "data" / "s15" / "15_0102eatingworms"
    (frames / "img003.jpg").symlink_to(tmp_path / "private" / "s15" / "15_0101disgustingteeth" / "img001.jpg")
    (frames / "img004.jpg").symlink_to("img001.jpg")
    tree = walk(tmp_path / "data")
    assert tree.unreadable == (
        ("s15/15_0102eatingworms", "1 link to files outside the root, such as img003.jpg"),
        ("s15/up", "it is a link that leads out of the root"),
        ("s16", "it is a link that leads out of the root"),
    )
    (folder,) = match_layouts(casme_sq.spec, tree).folders
    assert (folder.path, folder.frames.numbers) == ("s15/15_0102eatingworms", (1, 2, 4))


def test_folders_whose_names_no_table_can_hold(tmp_path: Path) -> None:
    for name in ("evil\x1b]0;title\x07", "a\\b", "C:"):
        (tmp_path / name).mkdir()
    assert walk(tmp_path).unreadable == (
        ("C:", "its name cannot be used: it is absolute"),
        ("a\\b", "its name cannot be used: it contains a backslash"),
        ("evil\\x1b]0;title\\x07", "its name cannot be used: it contains the control character U+001B"),
    )


def test_names_that_are_no_text(tmp_path: Path, casme_sq: Schema) -> None:
    folders(tmp_path, "s15/15_0101disgustingteeth")
    Path(os.fsdecode(bytes(tmp_path / "s15" / "15_0101disgustingteeth") + b"/\xca\xfd3.jpg")).touch()
    Path(os.fsdecode(bytes(tmp_path) + b"/\xca\xfd")).mkdir()
    tree = walk(tmp_path)
    assert tree.unreadable == (("\\udcca\\udcfd", "its name cannot be used: it is not UTF-8"),)
    (folder,) = match_layouts(casme_sq.spec, tree).folders
    assert folder.frames.numbers == (1, 2)
    assert folder.frames.strays == ("\\udcca\\udcfd3.jpg (a name that is not UTF-8)",)


def test_hidden_folders_and_empty_ones(tmp_path: Path, casme_sq: Schema) -> None:
    folders(tmp_path, ".cache/s15/15_0101disgustingteeth")
    (tmp_path / "s15" / "15_0102eatingworms").mkdir(parents=True)
    (folder,) = match_layouts(casme_sq.spec, walk(tmp_path)).folders
    assert (folder.path, folder.frames.numbers) == ("s15/15_0102eatingworms", ())


def test_a_root_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="the root is not a folder"):
        walk(tmp_path / "none")
