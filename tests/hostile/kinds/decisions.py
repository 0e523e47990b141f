"""Folders of decisions."""

from __future__ import annotations

import json
import os
import random
from typing import Any

from tests.hostile import damage
from tests.hostile.attack import Attack, Kind, attack
from tests.hostile.verbs import reading
from tests.hostile.world import World

KIND = Kind("decisions")

LINES = reading("decisions")
TABLE = "decisions/decisions.jsonl"


def _row(**fields: object) -> dict[str, Any]:
    about = {"dataset": "casme-sq", "subject": "casme_015", "video": "casme_015_0401", "row": 1, "onset": "3"}
    return {"id": "a", "action": "exclude", **about, **fields}


def _written(name: str, *rows: dict[str, Any] | str, lines: tuple[str, ...] = tuple(LINES)) -> None:
    """Registers attacks by the lines of a table, on some verbs that read it."""
    for number, line in enumerate(lines):

        def make(world: World, chance: random.Random, line: str = line) -> Attack:
            texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
            world.take(TABLE).write_text("".join(f"{text}\n" for text in texts))
            return attack(line, world)

        KIND.add(f"{name}-{number}", make)


CONVERT, SCHEMA = LINES[:1], [line for line in LINES if "to-corrections" in line]

_written("nothing", "")
_written("nested", "[" * 20_000)
_written("five-thousand-digits", '{"row": ' + "9" * 5000 + "}")
_written("half-a-surrogate", _row(note="\ud800", video="\udfff"))
_written("with-escapes", _row(id="\x1b[2J", note="\x1b]0;owned\x07", video="\x1b[31m"), _row(id="\x9b", note="\u202e"))
_written("with-zeros", _row(video="a\0b", note="c\0d"))
_written("undoes-itself", _row(id="a", undoes="a"), {"id": "b", "action": "undo", "dataset": "casme-sq", "undoes": "b"})
_written(
    "leads-out",
    _row(action="relocate", layout="rawpic", found="../../victim/frames", belongs="s15/x"),
    _row(action="relocate", layout="rawpic", found="s15/x", belongs="/etc/passwd"),
    _row(video="../../victim"),
)
_written(
    "corrects-another-column", _row(action="correct", column="participant", old="1", new="2"), lines=tuple(CONVERT)
)
_written(
    "breaks-the-schema",
    _row(action="correct", column="type", old="micro-expression", new=": - {"),
    _row(note="*anchor\n&anchor - 'x': !!python/object"),
    lines=(*CONVERT, *SCHEMA),
)
_written("thousands", *[_row(id=str(number), row=number + 1) for number in range(5000)], lines=(*CONVERT, *SCHEMA))
_written("dataset-that-leads-out", _row(dataset="../../victim/keep.yaml"))
_written("all-videos", *[_row(id=str(n), row=None, subject=None, video=f"casme_015_040{n}") for n in range(9)])


@KIND.case
def the_table_is_a_pipe(world: World, chance: random.Random) -> Attack:
    world.take(TABLE).unlink()
    os.mkfifo(world.take(TABLE))
    return attack(LINES[0], world)


@KIND.case
def the_table_is_a_link(world: World, chance: random.Random) -> Attack:
    damage.link(world.take(TABLE), world.victim / "keep.txt")
    return attack("decide {manifest} --code ME1 --accept --apply --decisions {decisions}", world)


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """Fields with any values, or bytes of a sound table changed."""
    path = world.take(TABLE)
    if chance.random() < 0.3:
        damage.any_bytes(path, chance)
    else:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for row in rows:
            for name in chance.sample(sorted(row), chance.randrange(3)):
                row[name] = chance.choice([*damage.TEXTS, 0, -1, 1e308, None, True, [], {}])
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return attack(chance.choice(LINES), world)
