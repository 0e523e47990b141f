"""Exports that are traced back or written anew."""

from __future__ import annotations

import random
from pathlib import Path

from tests.hostile import damage
from tests.hostile.attack import Attack, Kind, attack
from tests.hostile.damage import Change, rewrite, set_all
from tests.hostile.world import World

KIND = Kind("exports")


def _an_item(world: World, export: str) -> str:
    """One of the files of an export, relative to the inputs."""
    folder = world.take(export)
    names = sorted(path.relative_to(world.inputs).as_posix() for path in folder.rglob("*.npz"))
    return f"{world.inputs}/{names[0]}"


def _case(name: str, table: str, change: Change) -> None:
    def make(world: World, chance: random.Random) -> Attack:
        item = _an_item(world, "segments")
        rewrite(world.take(f"segments/{table}.parquet"), change)
        return attack(f"trace {item}", world)

    KIND.add(name, make)


@KIND.case
def as_it_is(world: World, chance: random.Random) -> Attack:
    return attack(f"trace {_an_item(world, 'segments')}", world)


@KIND.case
def a_clip_as_it_is(world: World, chance: random.Random) -> Attack:
    return attack(f"trace {_an_item(world, 'clips')} --json", world)


_case("files-that-lead-out", "items", set_all(file="../../victim/private.npz"))
_case("everything-with-escapes", "items", set_all(video="\x1b[2J", subject="\x07", name="\x9b", key="evil\x1b]0;o\x07"))
_case("features-that-lead-out", "items", set_all(features="../../../victim/private.npy"))
_case("rates-nan", "items", set_all(fps=damage.NAN))
_case("rates-nought", "items", set_all(fps=0.0))
_case("lengths-huge", "items", set_all(start=2**31 - 1, length=2**31 - 1))
_case("annotations-unknown", "items", set_all(annotations=["\x1b[2J"]))
_case(
    "sources-with-escapes",
    "annotations",
    set_all(source_file="\x1b]0;o\x07", source_sheet="\x1b[2J", emotion_raw="\x07"),
)
_case("no-items", "items", list.clear)


@KIND.case
def an_item_that_is_a_pickle(world: World, chance: random.Random) -> Attack:
    item = _an_item(world, "segments")
    damage.pickled(Path(item), world.victim / "made")
    return attack(f"trace {item}", world)


@KIND.case
def an_item_that_claims_terabytes(world: World, chance: random.Random) -> Attack:
    item = _an_item(world, "segments")
    damage.zipped(Path(item), {"feature": damage.npy(damage.HEADERS["claims-terabytes"], bytes(64))})
    return attack(f"trace {item}", world)


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """A file of the export damaged, and an item traced."""
    export = chance.choice(["segments", "clips"])
    item = _an_item(world, export)
    files = sorted(path for path in world.take(export).rglob("*") if path.is_file())
    path = chance.choice(files)
    makers = {".parquet": damage.any_table, ".json": damage.any_json, ".npz": damage.any_bytes}
    makers.get(path.suffix, damage.any_bytes)(path, chance)
    how = chance.choice(["", " --json", " --item x", f" --item {Path(item).stem}"])
    return attack(f"trace {item}{how}", world)
