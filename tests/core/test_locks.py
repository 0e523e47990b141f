"""Locks beside what they guard: one at a time, through no link, and none left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from datasets_me.core.errors import WriteError
from datasets_me.core.locks import is_lock, locked, remove_left
from tests.conftest import REPOSITORY

COUNT = """
import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])
from datasets_me.core.locks import locked
file = Path(sys.argv[1])
for _ in range(40):
    with locked(file):
        file.write_text(str(int(file.read_text()) + 1))
"""


def test_processes_wait_for_each_other_and_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "count").write_text("0")
    command = [sys.executable, "-c", COUNT, str(tmp_path / "count"), str(REPOSITORY)]
    children = [subprocess.Popen(command) for _ in range(3)]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    assert (tmp_path / "count").read_text() == "120"
    assert [path.name for path in tmp_path.iterdir()] == ["count"]


def test_the_lock_lies_beside_the_file_and_goes_even_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "done" / "one.json"):
        assert [path.name for path in (tmp_path / "done").iterdir()] == [".one.json.lock"]
        assert is_lock(".one.json.lock") and not is_lock("one.json")
        _ = 1 / 0
    assert list((tmp_path / "done").iterdir()) == []


def test_a_lock_that_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / ".one.json.lock").touch()
    with locked(tmp_path / "one.json"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_locks_that_were_left_are_removed_and_held_ones_stay(tmp_path: Path) -> None:
    (tmp_path / "done" / "s15").mkdir(parents=True)
    for name in (".left.json.lock", "left.json", ".left.json"):
        (tmp_path / "done" / "s15" / name).touch()
    with locked(tmp_path / "done" / "held.json"):
        remove_left(tmp_path)
        there = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
        assert there == [".held.json.lock", ".left.json", "left.json"]


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / ".one.json.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(WriteError, match="the lock cannot be taken: ") as caught, locked(tmp_path / "one.json"):
        pass
    assert caught.value.where == str(tmp_path / ".one.json.lock")
    assert caught.value.fix == "remove it if nothing else writes there, or choose another place"
    assert (tmp_path / "victim").read_text() == "mine"
    with pytest.raises(WriteError) as caught, locked(tmp_path / "victim" / "one.json"):
        pass
    assert caught.value.fix == "see that you may write there, or choose another place"


def test_a_file_of_that_name_keeps_its_content(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    os.link(tmp_path / "victim", tmp_path / ".one.json.lock")
    with locked(tmp_path / "one.json"):
        pass
    assert (tmp_path / "victim").read_text() == (tmp_path / ".one.json.lock").read_text() == "mine"


def test_a_place_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "done").write_text("mine")
    with pytest.raises(WriteError, match="the lock cannot be taken: "), locked(tmp_path / "done" / "one.json"):
        pass
