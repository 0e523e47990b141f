"""Journals of moved folders, and what lies where folders are to be moved."""

from __future__ import annotations

import json
import os
import random
from typing import Any

from tests.hostile import damage
from tests.hostile.attack import Attack, Kind, attack
from tests.hostile.world import MISPLACED, VIDEOS, World

KIND = Kind("journals")

JOURNAL = ".me-datasets-relocate.jsonl"
FOUND, BELONGS = f"rawpic/s15/{MISPLACED}", f"rawpic/s16/{MISPLACED}"

UNDO, APPLY, DRY = "--undo", "--apply", ""


def _relocate(world: World, how: str) -> Attack:
    frames = world.take("frames")
    return attack(f"relocate {{manifest}} --root {{frames}} {how}", world, moves=frames if how else None)


def _written(world: World, *steps: dict[str, Any] | str) -> None:
    root = world.take("frames")
    of_root = {"root": str(root.resolve())}
    named = ({**step, **of_root} if isinstance(step, dict) else step for step in steps)
    lines = [step if isinstance(step, str) else json.dumps(step) for step in named]
    (root / JOURNAL).write_text("".join(f"{line}\n" for line in lines))


def _move(source: str, target: str, why: str = "because") -> dict[str, Any]:
    return {"step": "move", "source": source, "target": target, "why": why, "blocked": None}


def _steps(name: str, *steps: dict[str, Any] | str, hows: tuple[str, ...] = (UNDO, APPLY, DRY)) -> None:
    """Registers attacks by the steps of a journal; ``{victim}`` is somebody else's folder."""
    for how in hows:

        def make(world: World, chance: random.Random, how: str = how) -> Attack:
            victim = str(world.victim)
            _written(
                world,
                *(
                    step.replace("{victim}", victim)
                    if isinstance(step, str)
                    else json.loads(json.dumps(step).replace("{victim}", victim))
                    for step in steps
                ),
            )
            return _relocate(world, how)

        KIND.add(f"{name}-{how.strip('-') or 'dry'}", make)


_steps("moves-out-of-the-root", _move("rawpic/s15/gone", "../../victim"))
_steps("moves-into-the-root", _move("../../victim/frames", "rawpic/s15/taken"))
_steps("moves-by-detours", _move("rawpic/gone", "rawpic/../../../victim/frames"))
_steps("absolute", _move("{victim}/made", "{victim}/frames"))
_steps("absolute-into-the-root", _move("{victim}/frames", "rawpic/taken"))
_steps("removes-a-folder-elsewhere", {"step": "mkdir", "path": "../../victim/empty"})
_steps("removes-an-absolute-folder", {"step": "mkdir", "path": "{victim}/empty"}, hows=(UNDO,))
_steps("moves-the-root", _move("x", "."), hows=(UNDO, APPLY))
_steps("moves-into-itself", _move("rawpic", "rawpic/s15/x"), hows=(UNDO, APPLY))
_steps("moves-nothing", _move("", ""))
_steps("moves-with-escapes", _move("rawpic/\x1b]0;owned\x07", "rawpic/\x1b[2J", "\x1b[31m"))
_steps("moves-with-zeros", _move("a\0b", "c\0d"))
_steps("moves-the-journal", _move("x", JOURNAL), hows=(UNDO,))
_steps("not-finished", _move(FOUND, BELONGS))
_steps("not-json", "this is no step")
_steps("nested", "[" * 20_000, hows=(UNDO,))
_steps("other-types", '{"step": "move", "source": 3, "target": [], "why": null}', hows=(UNDO,))
_steps("step-unknown", '{"step": {"a": 1}, "path": "x"}', hows=(UNDO, APPLY))
_steps("five-thousand-digits", '{"step": "mkdir", "path": "x", "more": ' + "9" * 5000 + "}", hows=(UNDO,))
_steps("hundreds-of-steps", *[_move(f"rawpic/a{n}", f"rawpic/b{n}") for n in range(300)], hows=(UNDO,))


def _linked(name: str, target: str) -> None:
    """Registers attacks in which the journal, or what is written before it, is a link."""
    for how in (UNDO, APPLY):
        for file in (JOURNAL, f"{JOURNAL}.new"):

            def make(world: World, chance: random.Random, how: str = how, file: str = file) -> Attack:
                root = world.take("frames")
                if file != JOURNAL:
                    _written(world, {"step": "mkdir", "path": "rawpic/nothing"}, _move("rawpic/x", "rawpic/y"))
                (root / file).symlink_to(target.replace("{victim}", str(world.victim)))
                return _relocate(world, how)

            KIND.add(f"{'new' if file != JOURNAL else 'journal'}-{name}-{how.strip('-')}", make)


_linked("links-to-a-file", "{victim}/keep.txt")
_linked("links-to-nothing", "{victim}/made.txt")
_linked("links-to-itself", JOURNAL)


@KIND.case
def journal_is_a_pipe(world: World, chance: random.Random) -> Attack:
    os.mkfifo(world.take("frames") / JOURNAL)
    return _relocate(world, UNDO)


@KIND.case
def journal_is_a_folder(world: World, chance: random.Random) -> Attack:
    (world.take("frames") / JOURNAL).mkdir()
    return _relocate(world, APPLY)


@KIND.case
def journal_is_a_device(world: World, chance: random.Random) -> Attack:
    (world.take("frames") / JOURNAL).symlink_to("/dev/zero")
    return _relocate(world, UNDO)


@KIND.case
def the_target_is_behind_a_link(world: World, chance: random.Random) -> Attack:
    root = world.take("frames")
    (root / "rawpic/s16").rename(root / "rawpic/other")
    (root / "rawpic/s16").symlink_to(world.victim)
    made = _relocate(world, APPLY)
    return Attack(made.arguments, moves=root, leads=True)


@KIND.case
def the_folder_to_move_is_a_link(world: World, chance: random.Random) -> Attack:
    damage.link(world.take(f"frames/{FOUND}"), world.victim / "frames")
    made = _relocate(world, APPLY)
    return Attack(made.arguments, moves=world.take("frames"), leads=True)


def _belongs(name: str, found: str, belongs: str) -> None:
    """Registers attacks by a relocation of the manifest's own schema."""
    for how in (APPLY, DRY):

        def make(world: World, chance: random.Random, how: str = how) -> Attack:
            path = world.take("manifest/schema.yaml")
            text = path.read_text().replace("s19/23_0502funnyerrors", found).replace("s23/23_0502funnyerrors", belongs)
            path.write_text(text.replace("{victim}", str(world.victim)))
            return _relocate(world, how)

        KIND.add(f"schema-{name}-{how.strip('-') or 'dry'}", make)


_belongs("moves-out", f"s15/{VIDEOS[0]}", "../../victim/taken")
_belongs("moves-absolutely", f"s15/{VIDEOS[0]}", "{victim}/taken")
_belongs("takes-from-elsewhere", "../../../victim/frames", "s15/taken")


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """Steps with any names, or bytes of a sound journal changed."""
    names = [*damage.TEXTS, FOUND, BELONGS, "rawpic", "rawpic/s16", str(world.victim / "frames"), "../../victim/frames"]
    steps: list[Any] = []
    for _ in range(chance.choice([1, 2, 5, 20])):
        step = _move(chance.choice(names), chance.choice(names), chance.choice(damage.TEXTS))
        if chance.random() < 0.3:
            step = {"step": "mkdir", "path": chance.choice(names)}
        steps.append(damage.nested(step, chance) if chance.random() < 0.3 else step)
    _written(world, *steps)
    if chance.random() < 0.3:
        path = world.take("frames") / JOURNAL
        content = path.read_bytes()
        path.write_bytes(content[: chance.randrange(len(content))])
    return _relocate(world, chance.choice([UNDO, APPLY, DRY]))
