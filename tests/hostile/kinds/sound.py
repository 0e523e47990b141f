"""Inputs without any damage: what the oracle says of them, it would say of every attack."""

from __future__ import annotations

import random
from functools import partial

from tests.hostile.attack import Attack, Kind, attack, verb_of
from tests.hostile.verbs import LINES
from tests.hostile.world import World

KIND = Kind("sound")


def _line(line: str, world: World, chance: random.Random) -> Attack:
    return attack(line, world, sound=True)


for _number, _text in enumerate(LINES):
    KIND.add(f"{verb_of(_text)}-{_number}", partial(_line, _text))
