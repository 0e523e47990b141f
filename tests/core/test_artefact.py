"""Output folders and files: whole or not there, and never in the place of something of the user's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from datasets_me.core import artefact
from datasets_me.core.artefact import Kind
from datasets_me.core.errors import MeDatasetsError, OutputError, SplitError, WriteError
from tests.conftest import REPOSITORY

THINGS = Kind("things", "folder of things", "things.json", 3, "me-datasets make", oldest=2, error=SplitError)
OTHERS = Kind("others", "other folder", "others.json", 3, "me-datasets other")


def make(folder: Path, text: str, kind: Kind = THINGS, *, force: bool = False) -> None:
    with artefact.new_folder(folder, kind, force=force) as new:
        (new.path / "inner").mkdir()
        (new.path / "inner/file.txt").write_text(text)
        new.about["text"] = text


def text_of(folder: Path) -> str:
    return (folder / "inner/file.txt").read_text()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_made_and_replaced(tmp_path: Path) -> None:
    out = tmp_path / "deep/out"
    make(out, "one")
    assert json.loads((out / "things.json").read_text()) == {
        "kind": "things",
        "format": 3,
        "tool": {"name": "me-datasets", "version": "0.1.0"},
        "text": "one",
        "files": {"inner/file.txt": "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"},
    }
    with pytest.raises(OutputError) as refused:
        make(out, "two")
    assert str(refused.value) == (
        f"the folder of things exists already\n  where: {out}\n  to do: add --force to replace it"
    )
    assert text_of(out) == "one"
    make(out, "two", force=True)
    assert text_of(out) == "two"
    assert names(tmp_path / "deep") == ["out"]


def test_what_a_folder_is_cannot_be_overwritten(tmp_path: Path) -> None:
    with artefact.new_folder(tmp_path / "out", THINGS) as new:
        new.about.update(kind="others", format=9, tool="mine", files=[])
    assert artefact.read_about(tmp_path / "out", THINGS)["files"] == {}


def test_an_empty_folder_is_filled_and_a_link_stays(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "out").symlink_to("empty")
    make(tmp_path / "out", "one")
    make(tmp_path / "out", "two", force=True)
    assert (tmp_path / "out").is_symlink()
    assert text_of(tmp_path / "empty") == "two"
    assert names(tmp_path) == ["empty", "out"]


def test_nothing_of_the_users_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    make(out, "one")
    (out / "inner/notes.txt").write_text("mine")
    (out / "link").symlink_to(tmp_path)
    with pytest.raises(OutputError) as refused:
        make(out, "two", force=True)
    assert refused.value.what == ("the folder contains other files, which would be lost: inner/notes.txt, link")
    with pytest.raises(OutputError, match="the output exists and is not an other folder"):
        make(out, "two", OTHERS, force=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to("file/none")
    for name in ("mine", "file", "dangling"):
        with pytest.raises(OutputError, match="the output exists and is not a folder of things"):
            make(tmp_path / name, "two", force=True)
    assert text_of(out) == "one"


@pytest.mark.parametrize(
    "about", ["[]", "{", "[" * 9999, '{"kind": "things"}', '{"kind": "things", "tool": {"name": "another"}}']
)
def test_a_folder_that_only_looks_like_ours(tmp_path: Path, about: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/things.json").write_text(about)
    with pytest.raises(OutputError, match="the output exists and is not a folder of things"):
        make(tmp_path / "out", "two", force=True)


def test_the_current_folder_cannot_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError) as refused:
        make(Path(), "one")
    assert refused.value.what == "the output is the current folder, which cannot be replaced"
    assert names(tmp_path) == []


def test_a_link_to_itself_is_nothing_of_ours(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("out")
    with pytest.raises(OutputError, match="the output exists and is not a folder of things"):
        make(tmp_path / "out", "one", force=True)
    assert names(tmp_path) == ["out"]


def test_folders_made_for_what_failed_are_gone(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(ZeroDivisionError), artefact.new_file(tmp_path / "there/a/b/file"):
        _ = 1 / 0
    with pytest.raises(ZeroDivisionError), artefact.new_folder(tmp_path / "there/a/b/out", THINGS):
        (tmp_path / "there/a/mine.txt").touch()
        _ = 1 / 0
    assert names(tmp_path / "there") == ["a"]
    assert names(tmp_path / "there/a") == ["mine.txt"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    make(tmp_path / "out", "one")
    with pytest.raises(ZeroDivisionError), artefact.new_folder(tmp_path / "out", THINGS, force=True) as new:
        (new.path / "half.txt").write_text("half")
        _ = 1 / 0
    with (
        pytest.raises(WriteError) as full,
        artefact.new_folder(tmp_path / "other", THINGS) as new,
    ):
        raise OSError(28, "No space left on device", str(new.path / "x"))
    assert str(full.value) == (
        f"the folder of things cannot be written: No space left on device\n  where: {tmp_path / 'other'}"
    )
    with pytest.raises(WriteError) as inner, artefact.new_folder(tmp_path / "other", THINGS) as new:
        artefact.write_file(new.path / "x/y", b"")
        artefact.write_file(new.path / "x/y/z", b"")
    assert inner.value.where == str(tmp_path / "other")
    assert names(tmp_path) == ["out"]
    assert text_of(tmp_path / "out") == "one"


@pytest.mark.parametrize("name", ["mkdir", "touch"])
def test_stopped_as_soon_as_it_is_begun(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = getattr(Path, name)

    def stopped(path: Path, *arguments: object, **options: object) -> None:
        begin(path, *arguments, **options)
        if path.name.endswith(".unfinished"):
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, name, stopped)
    with pytest.raises(KeyboardInterrupt):
        if name == "mkdir":
            make(tmp_path / "out", "one")
        else:
            artefact.write_file(tmp_path / "out", b"one")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("about", "kinds", "said"),
    [
        (None, (THINGS,), "not a folder of things: there is no things.json in it; make one with me-datasets make"),
        ({"kind": "others"}, (THINGS,), "this is a folder of the kind 'others', not a folder of things"),
        ({"kind": "others"}, (THINGS, OTHERS), None),
        ({"format": 3}, (THINGS,), None),
        ({"format": 2}, (THINGS,), None),
        (
            {"format": 4},
            (THINGS,),
            "the folder of things has format 4, this version reads 3; install a newer me-datasets",
        ),
        ({"format": 1}, (THINGS,), "the folder of things has format 1, this version reads 2; make it again with "),
        ({"format": "3"}, (THINGS,), "the folder of things is damaged: things.json: its format is 3 of me-data"),
        (
            {"tool": {"name": "x"}},
            (THINGS,),
            "the folder of things is damaged: things.json: its format is 3 of x",
        ),
        (
            {"tool": {"name": "me-datasets"}},
            (THINGS,),
            "the folder of things is damaged: things.json: 'version' is missing",
        ),
        (
            {"tool": {"name": "me-datasets", "version": 1}},
            (THINGS,),
            "the folder of things is damaged: things.json: the version of the tool is not a text",
        ),
        ({"tool": None}, (THINGS,), "the folder of things is damaged: things.json: 'NoneType' object is not"),
    ],
)
def test_what_can_be_read(
    tmp_path: Path, about: dict[str, object] | None, kinds: tuple[Kind, ...], said: str | None
) -> None:
    if about is not None:
        written = {**artefact.header(THINGS), **about}
        (tmp_path / "things.json").write_text(json.dumps(written))
    if said is None:
        assert artefact.read_about(tmp_path, *kinds) == {**artefact.header(THINGS), **(about or {})}
        return
    with pytest.raises(SplitError) as refused:
        artefact.read_about(tmp_path, *kinds)
    assert f"{refused.value.what}; {refused.value.fix}".startswith(said)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(SplitError, match="not a folder of things: there is no such folder"):
        artefact.read_about(tmp_path / "none", THINGS)


def test_a_folder_that_is_filled_over_several_runs(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert not artefact.claim(out, THINGS)
    artefact.write_file(out / "things.json", json.dumps(artefact.header(THINGS)).encode())
    (out / "deep/.x.abcd1234.unfinished").mkdir(parents=True)
    (out / "deep/.x.abcd1234.unfinished/part").write_text("half")
    (out / ".unfinished.txt").write_text("mine")
    (out / "chapter.unfinished").write_text("mine")
    assert artefact.claim(out, THINGS)
    assert names(out) == [".unfinished.txt", "chapter.unfinished", "deep", "things.json"]
    assert names(out / "deep") == []
    with pytest.raises(OutputError, match="the output exists and is not an other folder"):
        artefact.claim(out, OTHERS)
    with pytest.raises(OutputError, match="the output exists and is not a folder of things"):
        artefact.claim(out / "things.json", THINGS)


def test_a_folder_that_is_not_ours_is_not_cleared(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in (".x.abcd1234.unfinished", "deep/.x.abcd1234.unfinished", "chapter.unfinished"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match="the output exists and is not a folder of things"):
        artefact.claim(tmp_path, THINGS)
    assert names(tmp_path) == [".x.abcd1234.unfinished", "chapter.unfinished", "deep"]
    assert names(tmp_path / "deep") == [".x.abcd1234.unfinished"]


def test_a_claim_that_was_killed_before_it_said_so(tmp_path: Path) -> None:
    run(tmp_path / "out" / "things.json", "file")
    assert len(names(tmp_path / "out")) == 1
    assert not artefact.claim(tmp_path / "out", THINGS)
    assert names(tmp_path / "out") == []


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "deep" / ("ä" * 120)
    artefact.may_write(path, False)
    artefact.may_write(None, False)
    artefact.write_file(path, b"one")
    with pytest.raises(OutputError) as refused:
        artefact.may_write(path, False)
    assert str(refused.value) == f"the file exists already\n  where: {path}\n  to do: add --force to replace it"
    artefact.may_write(path, True)
    artefact.write_file(path, b"two")
    assert path.read_bytes() == b"two"
    with pytest.raises(ZeroDivisionError), artefact.new_file(path) as new:
        new.write_bytes(b"half")
        _ = 1 / 0
    with pytest.raises(WriteError, match="the file cannot be written: Not a directory") as where:
        artefact.write_file(path / "x", b"")
    assert where.value.where == str(path / "x")
    assert names(tmp_path / "deep") == [path.name]
    assert path.read_bytes() == b"two"


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        artefact.write_file(tmp_path / "file", b"")
        make(tmp_path / "out", "one")
    finally:
        os.umask(mask)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o750


HALF = """
import os, signal, sys
from pathlib import Path
from datasets_me.core import artefact
from tests.core.test_artefact import THINGS
out, how = Path(sys.argv[1]), sys.argv[2]
if how == "file":
    with artefact.new_file(out) as new:
        new.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
if how == "between":  # a system that cannot swap two names in one step
    artefact._exchange = lambda first, second: False
    rename = Path.rename
    def once(self, target):
        rename(self, target)
        os.kill(os.getpid(), signal.SIGKILL)
    Path.rename = once
with artefact.new_folder(out, THINGS, force=True) as new:
    (new.path / "half.txt").write_text("half")
    if how == "folder":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "wait":
        print("ready", flush=True)
        sys.stdin.readline()
"""


def run(out: Path, how: str) -> None:
    done = subprocess.run([sys.executable, "-c", HALF, str(out), how], cwd=REPOSITORY, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL


def test_the_next_run_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    for name in ("out", "x" * 255):
        run(tmp_path / name, "folder")
        run(tmp_path / f"{name[:250]}.csv", "file")
    (tmp_path / ".out.mine.unfinished").write_text("mine")
    assert len(names(tmp_path)) == 5
    artefact.write_file(tmp_path / "out.csv", b"")
    artefact.write_file(tmp_path / f"{'x' * 250}.csv", b"")
    assert len(names(tmp_path)) == 5
    make(tmp_path / "out", "one")
    make(tmp_path / ("x" * 255), "one")
    left = {".out.mine.unfinished", "out", "out.csv", "x" * 255, f"{'x' * 250}.csv"}
    assert set(names(tmp_path)) == left


def test_a_run_that_still_writes_is_left_alone(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", HALF, str(tmp_path / "out"), "wait"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"ready\n"
    make(tmp_path / "out", "one")
    assert len(names(tmp_path)) == 2
    writer.communicate(b"\n", timeout=60)
    assert writer.returncode == 0
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out/half.txt").read_text() == "half"


def test_a_system_that_cannot_swap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "out", "one")
    run(tmp_path / "out", "between")
    assert not (tmp_path / "out").exists()
    with pytest.raises(OutputError, match="exists already"):
        make(tmp_path / "out", "two")  # put back first
    assert text_of(tmp_path / "out") == "one"
    assert names(tmp_path) == ["out"]

    monkeypatch.setattr(artefact, "_exchange", lambda first, second: False)
    make(tmp_path / "out", "two", force=True)
    assert text_of(tmp_path / "out") == "two"
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if self.name.endswith(".unfinished"):
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "out", "three", force=True)
    assert text_of(tmp_path / "out") == "two"
    assert names(tmp_path) == ["out"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems may not be able to")
def test_the_place_is_never_empty(tmp_path: Path) -> None:
    make(tmp_path / "out", "one")
    make(tmp_path / "new", "two")
    assert artefact._exchange(tmp_path / "new", tmp_path / "out")
    assert (text_of(tmp_path / "out"), text_of(tmp_path / "new")) == ("two", "one")
    with pytest.raises(OSError, match="No such file"):
        artefact._exchange(tmp_path / "none", tmp_path / "out")


def test_many_files_are_flushed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefact, "_EACH", 3)
    with artefact.new_folder(tmp_path / "out", THINGS) as new:
        for number in range(9):
            (new.path / f"{number}.txt").write_text(str(number))
    assert len(artefact.read_about(tmp_path / "out", THINGS)["files"]) == 9


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with pytest.raises(MeDatasetsError, match="the file cannot be written: "), artefact.new_file(tmp_path / "x") as new:
        new.unlink()
        new.symlink_to("/dev/full")
        new.write_bytes(b"x")
    assert names(tmp_path) == []
