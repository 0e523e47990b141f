"""What lies where the output is to be written."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.hostile.attack import Attack, Kind, attack
from tests.hostile.world import World

KIND = Kind("outputs")

WRITES = (
    "convert casme-sq {book.xlsx} -o {out}/it",
    "split {manifest} -o {out}/it",
    "export segments {manifest} {features} -o {out}/it --length 16 --context 2",
    "export clips {manifest} --root {frames} -o {out}/it --size 16",
    "export auwgcn {manifest} {features} -o {out}/it",
    "export auwgcn-csv {manifest} -o {out}/it",
    "card {manifest} -o {out}/it",
    "graph {manifest} -o {out}/it",
    "show {manifest} {features} casme_015_0401 -o {out}/it",
    "score spotting {manifest} -p {spotted.csv} -o {out}/it",
    "images import {pictures} --schema folder-per-class -o {out}/it --workers 1",
    "images unify {set} --root {pictures} -o {out}/it --workers 1",
    "images export {set} --root {pictures} -o {out}/it",
)

Put = Callable[[Path, World], object]


def _over(name: str, put: Put, *, force: bool = True, lines: tuple[str, ...] = WRITES) -> None:
    """Registers an attack for a verb of each seed with something in the place of its output."""
    _PUTS[name] = (put, force)

    def make(world: World, chance: random.Random) -> Attack:
        return _attacked(world, put, force, chance.choice(lines))

    KIND.add(name, make)


_PUTS: dict[str, tuple[Put, bool]] = {}


def _attacked(world: World, put: Put, force: bool, line: str) -> Attack:
    put(world.out / "it", world)
    made = attack(f"{line} --force" if force else line, world, replaces=True, leads=True)
    return replace(made, outputs=(*made.outputs, "nowhere")) if (world.out / "it").is_symlink() else made


def _foreign(path: Path, world: World) -> None:
    path.mkdir()
    (path / "mine.txt").write_text("mine")


def _foreign_with_a_mark(path: Path, world: World) -> None:
    """A folder of the user's that also holds files by our names."""
    _foreign(path, world)
    for name in ("manifest.json", "export.json", "me-datasets.json", "images.json", "split.json", "card.json"):
        (path / name).write_text('{"tool": {"name": "me-datasets"}, "files": [], "kind": "segments", "format": 1}')


def _unwritable(path: Path, world: World) -> None:
    world.out.chmod(0o500)


def _link_to(target: str) -> Put:
    return lambda path, world: path.symlink_to(target.replace("{victim}", str(world.victim)))


_over("a-folder-of-the-users", _foreign)
_over("a-folder-of-the-users-with-our-marks", _foreign_with_a_mark)
_over("a-file-of-the-users", lambda path, world: path.write_text("mine"), force=False)
_over("a-pipe", lambda path, world: os.mkfifo(path))
_over("a-link-to-a-folder", _link_to("{victim}/frames"))
_over("a-link-to-a-file", _link_to("{victim}/keep.txt"), force=False)
_over("a-link-to-nothing", _link_to("nowhere"), force=False)
_over("a-link-to-itself", _link_to("it"))


@KIND.case
def a_file_where_a_folder_is_needed(world: World, chance: random.Random) -> Attack:
    (world.inputs / "file").write_text("mine")
    return attack(chance.choice(WRITES).replace("{out}/it", f"{world.inputs}/file/below/it"), world)


@KIND.case
def a_name_that_is_too_long(world: World, chance: random.Random) -> Attack:
    return attack(chance.choice(WRITES).replace("{out}/it", "{out}/" + "x" * 300), world)


@KIND.case
def a_name_with_escapes(world: World, chance: random.Random) -> Attack:
    return attack(f"stats {world.inputs}/evil\x1b]0;owned\x07", world)


@KIND.case
def the_input_itself(world: World, chance: random.Random) -> Attack:
    line = chance.choice(["card {manifest} -o {manifest} --force", "split {manifest} -o {manifest} --force"])
    return attack(line, world)


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """Any of these for any verb."""
    put, force = chance.choice(list(_PUTS.values()))
    return _attacked(world, put, force, chance.choice(WRITES))
