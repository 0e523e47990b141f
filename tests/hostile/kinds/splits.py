"""Splits: their table and split.json."""

from __future__ import annotations

import random

from tests.hostile import damage
from tests.hostile.attack import Attack, Kind, attack, verb_of
from tests.hostile.damage import Change, rewrite, set_all, set_values
from tests.hostile.verbs import one_reading
from tests.hostile.world import World

KIND = Kind("splits")

CHECK = "check-split {split} {manifest}"
STATS = "stats {manifest} {features} --split {split}"
SCORE = "score spotting {manifest} -p {spotted.csv} --split {split}"


def _case(name: str, change: Change, *lines: str) -> None:
    for line in lines:

        def make(world: World, chance: random.Random, line: str = line) -> Attack:
            rewrite(world.take("split/splits.parquet"), change)
            return attack(line, world)

        KIND.add(f"{name}-{verb_of(line)}", make)


_case("folds-with-escapes", set_all(fold="evil\x1b]0;owned\x07"), CHECK, STATS, SCORE)
_case("folds-that-lead-out", set_all(fold="../../victim"), STATS)
_case("parts-unknown", set_values(part="../x"), CHECK)
_case("videos-unknown", set_all(video="\x1b[2J", subject="../.."), CHECK, STATS, SCORE)
_case("no-rows", list.clear, CHECK, STATS, SCORE)
_case("every-row-a-thousand-times", lambda rows: rows.extend(rows * 1000), CHECK)
_case("a-fold-each", lambda rows: rows.extend({**rows[0], "fold": f"f{n}"} for n in range(5000)), CHECK)


@KIND.case
def folds_differ_between_the_files(world: World, chance: random.Random) -> Attack:
    path = world.take("split/split.json")
    path.write_text(path.read_text().replace("casme_015", "../../victim"))
    return attack(CHECK, world)


@KIND.case
def nested_json(world: World, chance: random.Random) -> Attack:
    world.take("split/split.json").write_text('{"folds": ' * 20_000)
    return attack(CHECK, world)


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """The table or split.json damaged, and any verb that reads a split."""
    if chance.random() < 0.6:
        damage.any_table(world.take("split/splits.parquet"), chance)
    else:
        damage.any_json(world.take("split/split.json"), chance)
    return attack(one_reading("split", chance), world)
