"""Moves: planned, journalled, undone; never over anything; a killed run is finished or undone."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from datasets_me.core.errors import RelocationError, SchemaError
from datasets_me.folders import relocate
from datasets_me.folders.layouts import match_layouts
from datasets_me.folders.relocate import JOURNAL, Move
from datasets_me.folders.walk import walk
from datasets_me.schema import schema_files
from tests.conftest import REPOSITORY

CODES = ["0101disgustingteeth", "0102eatingworms", "0401girlcrashing", "0402beatingpregnantwoman", "0502funnyerrors"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Five folders of subject 23 under s19, one of subject 16 under s15; subject 23 has no folder yet."""
    for path in [*(f"s19/23_{code}" for code in CODES), "s15/16_0401girlcrashing", "s16/16_0102eatingworms"]:
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "img001.jpg").write_text(path)
    return tmp_path


def plan(root: Path) -> list[Move]:
    return relocate.plan(match_layouts(schema_files.load("casme-sq").spec, walk(root)))


def state(root: Path) -> dict[str, str]:
    """Every file but the journal, with its content, and every folder."""
    return {
        path.relative_to(root).as_posix(): path.read_text() if path.is_file() else ""
        for path in root.rglob("*")
        if not path.name.startswith(JOURNAL)
    }


def test_the_plan_names_source_target_and_reason(root: Path) -> None:
    moves = plan(root)
    assert len(moves) == 6
    assert moves[0].source == "s15/16_0401girlcrashing"
    assert moves[0].target == "s16/16_0401girlcrashing"
    assert moves[-1].why == "the number before the underscore is the subject's, and s19 contains a 19_0502 of its own"
    assert state(root) == state(root)
    assert not (root / JOURNAL).exists()


def test_apply_then_undo_leaves_everything_as_it_was(root: Path) -> None:
    before = state(root)
    assert len(relocate.apply(root, plan(root))) == 6
    assert (root / "s23/23_0502funnyerrors/img001.jpg").read_text() == "s19/23_0502funnyerrors"
    assert plan(root) == []
    assert len(relocate.undo(root)[0]) == 6
    assert state(root) == before
    assert not (root / JOURNAL).exists()


def test_nothing_is_overwritten(root: Path) -> None:
    (root / "s16/16_0401girlcrashing").mkdir()
    (root / "s16/16_0401girlcrashing/img001.jpg").write_text("the other one")
    blocked = [move for move in plan(root) if move.blocked]
    assert [(move.source, move.blocked) for move in blocked] == [
        ("s15/16_0401girlcrashing", "something is there already")
    ]
    relocate.apply(root, plan(root))
    assert (root / "s16/16_0401girlcrashing/img001.jpg").read_text() == "the other one"
    assert (root / "s15/16_0401girlcrashing/img001.jpg").exists()


def test_a_root_that_is_too_deep_moves_nothing(root: Path) -> None:
    moves = plan(root / "s19")
    assert {move.blocked for move in moves} == {"its right place is outside the root; give a --root further up"}
    assert relocate.apply(root / "s19", moves) == []


def test_something_that_appears_after_the_plan_is_not_overwritten(root: Path) -> None:
    moves = plan(root)
    (root / moves[0].target).mkdir(parents=True)
    with pytest.raises(RelocationError, match="something is in the way; nothing was overwritten"):
        relocate.apply(root, moves)
    assert (root / moves[0].source).is_dir()


def test_undo_does_not_overwrite_either(root: Path) -> None:
    relocate.apply(root, plan(root))
    (root / "s19" / "23_0502funnyerrors").mkdir(parents=True)
    with pytest.raises(RelocationError, match="and both exist now"):
        relocate.undo(root)
    (root / "s19" / "23_0502funnyerrors").rmdir()
    relocate.undo(root)
    assert (root / "s19/23_0502funnyerrors/img001.jpg").exists()


def test_nothing_to_undo(root: Path) -> None:
    with pytest.raises(RelocationError, match="there is nothing to undo"):
        relocate.undo(root)


def test_a_damaged_journal_is_named(root: Path) -> None:
    relocate.apply(root, plan(root))
    lines = (root / JOURNAL).read_text().splitlines()
    (root / JOURNAL).write_text("\n".join([lines[0], "{broken", *lines[1:]]))
    with pytest.raises(RelocationError, match="line 2 of the journal is not readable"):
        relocate.undo(root)


@pytest.mark.parametrize("line", ["{broken", "[]", '{"step":"move"}', '{"step":"burn"}', "\xff"])
def test_lines_that_are_no_steps_are_named(root: Path, line: str) -> None:
    (root / JOURNAL).write_bytes(line.encode("latin-1") + b"\n")
    for attempt in (lambda: relocate.undo(root), lambda: relocate.apply(root, plan(root))):
        with pytest.raises(RelocationError, match="line 1 of the journal is not readable"):
            attempt()


def test_a_line_that_was_cut_off_does_not_spoil_the_next(root: Path) -> None:
    before = state(root)
    (root / JOURNAL).write_text('{"step": "mo')
    relocate.apply(root, plan(root))
    relocate.undo(root)
    assert state(root) == before


def test_a_folder_that_vanished_does_not_keep_the_others(root: Path) -> None:
    moves = relocate.apply(root, plan(root))
    shutil.rmtree(root / moves[-1].target)
    undone, gone = relocate.undo(root)
    assert (len(undone), [move.source for move in gone]) == (5, [moves[-1].source])


@pytest.mark.parametrize("cut", range(1, 8))
@pytest.mark.parametrize("then", ["finish", "undo"])
def test_a_run_that_stopped_before_any_step(root: Path, cut: int, then: str) -> None:
    """The journal says one step more than was done: the moment between writing it down and doing it."""
    before = state(root)
    moves = plan(root)
    relocate.apply(root, moves)
    after = state(root)
    relocate.undo(root)
    steps = _journal_of(root, moves)[:cut]
    for step in steps[:-1]:
        _do(root, step)
    (root / JOURNAL).write_text("".join(json.dumps(step) + "\n" for step in steps))
    if then == "finish":
        relocate.apply(root, plan(root))
        assert state(root) == after
        relocate.undo(root)
    else:
        relocate.undo(root)
    assert state(root) == before


def _journal_of(root: Path, moves: list[Move]) -> list[dict[str, str]]:
    relocate.apply(root, moves)
    steps = [json.loads(line) for line in (root / JOURNAL).read_text().splitlines()]
    relocate.undo(root)
    return steps


def written(root: Path, *steps: dict[str, str]) -> None:
    """A journal of this root, with these steps."""
    (root / JOURNAL).write_text("".join(json.dumps({**step, "root": str(root.resolve())}) + "\n" for step in steps))


@pytest.mark.parametrize("identity", [{}, {"root": "/data/CASME_sq", "inode": 7}])
def test_a_strangers_journal_moves_nothing_within_the_root_either(root: Path, identity: dict[str, object]) -> None:
    step = {"step": "move", "source": "s19/renamed", "target": "s16/16_0102eatingworms", "why": "", **identity}
    (root / JOURNAL).write_text(json.dumps(step) + "\n")
    before = state(root)
    for attempt in (
        lambda: relocate.undo(root),
        lambda: relocate.apply(root, plan(root)),
        lambda: relocate.unfinished(root),
    ):
        with pytest.raises(RelocationError) as caught:
            attempt()
        other = identity.get("root", "an unknown one")
        assert caught.value.what == f"line 1 of the journal is not about this folder, but about {other}"
    assert state(root) == before


def test_a_root_that_was_renamed_or_mounted_anew_can_be_put_back(root: Path) -> None:
    before = state(root)
    relocate.apply(root, plan(root))
    renamed = root.rename(root.with_name("renamed"))
    relocate.undo(renamed)
    assert state(renamed) == before
    relocate.apply(renamed, plan(renamed))
    lines = map(json.loads, (renamed / JOURNAL).read_text().splitlines())
    (renamed / JOURNAL).write_text("".join(json.dumps({**line, "inode": 0}) + "\n" for line in lines))
    relocate.undo(renamed)
    assert state(renamed) == before


def _do(root: Path, step: dict[str, str]) -> None:
    if step["step"] == "mkdir":
        (root / step["path"]).mkdir()
    else:
        (root / step["source"]).rename(root / step["target"])


HOSTILE = {
    "../victim": "it leads upwards",
    "/tmp/victim": "it is absolute",
    "s15/../../victim": "it leads upwards",
    ".": "it is not in its shortest form",
    "out/victim": "'out' goes through a link that leads out of the folder",
    JOURNAL: "that is itself",
}


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("key", ["source", "target", "mkdir"])
def test_a_strangers_journal_moves_nothing_outside(root: Path, path: str, key: str) -> None:
    (root.parent / "victim").mkdir(exist_ok=True)
    (root / "out").symlink_to(root.parent)
    step = {"step": "move", "source": "s1/a", "target": "s15/16_0401girlcrashing", "why": "", key: path}
    if key == "mkdir":
        step = {"step": "mkdir", "path": path}
    (root / JOURNAL).write_text(json.dumps(step) + "\n")
    before = state(root)
    for attempt in (
        lambda: relocate.undo(root),
        lambda: relocate.apply(root, plan(root)),
        lambda: relocate.unfinished(root),
    ):
        with pytest.raises(RelocationError) as caught:
            attempt()
        assert caught.value.what == (
            f"line 1 of the journal names '{path}', which cannot be one of its steps: {HOSTILE[path]}"
        )
        assert caught.value.where == str(root / JOURNAL)
    assert state(root) == before
    assert (root.parent / "victim").is_dir()


@pytest.mark.parametrize("link", [os.symlink, os.link])
@pytest.mark.parametrize("name", [JOURNAL, f"{JOURNAL}.new"])
def test_a_journal_that_is_a_link_is_not_written_through(root: Path, link: Callable[..., None], name: str) -> None:
    victim = root / "victim.txt"
    victim.write_text('{"step": "mkdir", "path": "s99"}\n')
    link(victim, root / name)
    (root / "s99").mkdir()
    if name == JOURNAL:
        for attempt in (lambda: relocate.apply(root, plan(root)), lambda: relocate.undo(root)):
            with pytest.raises(RelocationError, match="the journal cannot be read: it is a link"):
                attempt()
        assert len(plan(root)) == 6
    else:
        relocate.apply(root, plan(root))
        relocate.undo(root)
    assert victim.read_text() == '{"step": "mkdir", "path": "s99"}\n'
    assert (root / "s99").is_dir()


def test_an_unfinished_move_is_shown_and_done_only_if_it_is_planned(root: Path) -> None:
    (root / "s19/24_mine").mkdir()
    first = plan(root)[0]
    steps = [{"step": "move", "source": "s19/24_mine", "target": "s15/24_mine", "why": "a stranger wants it"}]
    written(root, *steps)
    assert relocate.unfinished(root) == Move("s19/24_mine", "s15/24_mine", "a stranger wants it")
    relocate.apply(root, [first])
    assert (root / "s19/24_mine").is_dir() and (root / first.target).is_dir()
    assert relocate.unfinished(root) is None
    relocate.undo(root)
    assert (root / "s19/24_mine").is_dir() and (root / first.source).is_dir()


def test_a_move_that_was_written_down_before_a_kill_is_not_written_down_twice(root: Path) -> None:
    moves = plan(root)
    relocate.apply(root, moves)
    whole = (root / JOURNAL).read_bytes()
    relocate.undo(root)
    (root / JOURNAL).write_bytes(whole.splitlines(keepends=True)[0])
    relocate.apply(root, moves)
    assert (root / JOURNAL).read_bytes() == whole


def test_a_schema_moves_nothing_above_the_root(root: Path) -> None:
    text = schema_files.load("casme-sq").text
    belongs = text.replace("belongs: s23/23_0502funnyerrors", "belongs: ../../x")
    with pytest.raises(SchemaError, match=r"own\.yaml, line \d+: relocations\.0\.belongs: .*it leads upwards"):
        schema_files.parse(belongs, "own.yaml")
    looked_up = text.replace('"0502": funnyerrors', '"0502": "/../../../x"').replace("'[a-z]*'", "'.*'")
    moves = relocate.plan(match_layouts(schema_files.parse(looked_up, "own.yaml").spec, walk(root), relocations=False))
    blocked = {move.target: move.blocked for move in moves if ".." in move.target}
    assert blocked == {"s23/23_0502/../../../x": "a folder cannot be moved there: it leads upwards"}
    relocate.apply(root, moves)
    assert (root / "s19/23_0502funnyerrors").is_dir()


def test_killed_at_random_moments(root: Path) -> None:
    """SIGKILL in the middle of applying, many times, then undo: everything is where it was."""
    before = state(root)
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2]);"
        "from datasets_me.schema import schema_files; from datasets_me.folders.layouts import match_layouts;"
        "from datasets_me.folders.walk import walk; from datasets_me.folders import relocate;"
        "root = Path(sys.argv[1]); spec = schema_files.load('casme-sq').spec; print('ready', flush=True);"
        "relocate.apply(root, relocate.plan(match_layouts(spec, walk(root))))"
    )
    chance = random.Random(0)
    for _ in range(12):
        child = subprocess.Popen([sys.executable, "-c", program, str(root), str(REPOSITORY)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.random() * 0.004)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        if chance.random() < 0.4 and (root / JOURNAL).exists() and "\n" in (root / JOURNAL).read_text():
            relocate.undo(root)
            assert state(root) == before
    relocate.apply(root, plan(root))
    assert plan(root) == []
    relocate.undo(root)
    assert state(root) == before
