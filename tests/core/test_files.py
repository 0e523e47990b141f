"""Folders that are whole or not there, and that replace nothing of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.files import MARK, marked_folder


def make(folder: Path, text: str, made: str = "scores", *, force: bool = False) -> None:
    with marked_folder(folder, made, force=force) as new:
        (new / "inner").mkdir()
        (new / "inner/file.txt").write_text(text)


def test_made_and_replaced(tmp_path: Path) -> None:
    make(tmp_path / "deep/out", "one")
    assert sorted(path.name for path in (tmp_path / "deep/out").iterdir()) == ["inner", MARK]
    with pytest.raises(MeDatasetsError, match="the output exists already"):
        make(tmp_path / "deep/out", "two")
    make(tmp_path / "deep/out", "two", force=True)
    assert (tmp_path / "deep/out/inner/file.txt").read_text() == "two"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    make(tmp_path / "out", "one")
    assert (tmp_path / "out/inner/file.txt").read_text() == "one"


def test_nothing_of_the_users_is_replaced(tmp_path: Path) -> None:
    make(tmp_path / "out", "one")
    (tmp_path / "out/inner/notes.txt").write_text("mine")
    with pytest.raises(MeDatasetsError, match=r"other files, which would be lost: inner/notes\.txt"):
        make(tmp_path / "out", "two", force=True)
    with pytest.raises(MeDatasetsError, match="the output exists and is no folder of groups"):
        make(tmp_path / "out", "two", "groups", force=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("mine", "file"):
        with pytest.raises(MeDatasetsError, match="the output exists and is no folder of scores"):
            make(tmp_path / name, "two", force=True)
    assert (tmp_path / "out/inner/file.txt").read_text() == "one"


@pytest.mark.parametrize("mark", ["[]", "{", '{"made": "scores"}', '{"made": "scores", "files": 3}'])
def test_a_mark_that_is_not_ours(tmp_path: Path, mark: str) -> None:
    (tmp_path / MARK).write_text(mark)
    with pytest.raises(MeDatasetsError, match="the output exists and is no folder of scores"):
        make(tmp_path, "two", force=True)


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    make(tmp_path / "out", "one")
    with pytest.raises(ZeroDivisionError), marked_folder(tmp_path / "out", "scores", force=True) as new:
        (new / "half.txt").write_text("half")
        _ = 1 / 0
    full = pytest.raises(MeDatasetsError, match="the folder of scores cannot be written: No space left")
    with full, marked_folder(tmp_path / "other", "scores"):
        raise OSError(28, "No space left on device")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out/inner/file.txt").read_text() == "one"
