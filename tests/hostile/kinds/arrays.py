"""Folders of features: their table, their arrays, and what their names lead to."""

from __future__ import annotations

import os
import random

import numpy as np

from tests.hostile import damage
from tests.hostile.attack import Attack, Kind, attack, verb_of
from tests.hostile.damage import Change, rewrite, set_all, set_values
from tests.hostile.verbs import one_reading
from tests.hostile.world import FRAMES, World

KIND = Kind("features")

SEGMENTS = "export segments {manifest} {features} -o {out}/segments --length 16 --context 2"
PARQUET = "export segments {manifest} {features} -o {out}/segments --format parquet"
CLIPS = "export clips {manifest} --root {frames} --features {features} -o {out}/clips --size 16 --align"
STATS = "stats {manifest} {features}"
AUWGCN = "export auwgcn {manifest} {features} -o {out}/auwgcn"
SHOW = "show {manifest} {features} casme_015_0401 -o {out}/show.png"
LEAKS = "check-split {split} {manifest} --features {features}"
CARD = "card {manifest} --features {features} -o {out}/card"

ARRAY = "features/casme_015/casme_015_0401.npy"
LANDMARKS = "landmarks/casme_015/casme_015_0401.npz"


def _case(name: str, change: Change, *lines: str) -> None:
    """Registers attacks by a change of the table, one for each verb."""
    for line in lines:

        def make(world: World, chance: random.Random, line: str = line) -> Attack:
            rewrite(world.take("features/features.parquet"), change)
            return attack(line, world)

        KIND.add(f"{name}-{verb_of(line)}", make)


_case("name-that-leads-out", set_all(name="../../../../victim/made"), SEGMENTS, PARQUET, AUWGCN)
_case("names-all-the-same", set_all(name="one", subject="one"), SEGMENTS)
_case("name-with-zeros", set_values(name="a\0b"), SEGMENTS)
_case("name-with-escapes", set_all(name="evil\x1b]0;o\x07", subject="\x1b[2J"), SEGMENTS, STATS)
_case("name-long", set_all(name="x" * 300), SEGMENTS)
_case("name-empty", set_all(name="", subject=""), SEGMENTS)
_case("subject-that-leads-out", set_all(subject="../../../victim"), SEGMENTS, AUWGCN)
_case("features-that-lead-out", set_all(features="../../victim/private.npy"), SEGMENTS, STATS, SHOW, CARD, LEAKS)
_case("landmarks-that-lead-out", set_all(landmarks="../../victim/private.npz"), SEGMENTS, CLIPS, SHOW)
_case("features-absolute", set_all(features="/etc/passwd", landmarks="/etc/passwd"), STATS)
_case("features-are-a-device", set_all(features="/dev/zero"), STATS)
_case("rate-nan", set_all(fps=damage.NAN), SEGMENTS, SHOW)
_case("rate-infinite", set_all(fps=damage.INF), SEGMENTS, CLIPS)
_case("rate-nought", set_all(fps=0.0), SEGMENTS, SHOW, CLIPS)
_case("rate-tiny", set_all(fps=1e-300), SEGMENTS)
_case("rate-huge", set_all(fps=1e300), SEGMENTS)
_case("unit-nan", set_all(unit_px=damage.NAN), SEGMENTS, STATS)
_case("unit-nought", set_all(unit_px=0.0), STATS)
_case("unit-infinite", set_all(unit_px=damage.INF), SEGMENTS)
_case("start-far-away", set_all(start=2_000_000_000), SEGMENTS, SHOW, CLIPS)
_case("start-below-nothing", set_all(start=-2_000_000_000), SEGMENTS, CLIPS)
_case("frames-by-the-billion", set_all(frames=2**31 - 1), SEGMENTS, STATS, CARD)
_case("step-nought", set_all(step=0), SEGMENTS)
_case("step-below-nothing", set_all(step=-7), SEGMENTS, SHOW)
_case("step-huge", set_all(step=2**31 - 1), SEGMENTS)
_case("box-of-one-number", set_all(box=[1]), CLIPS)
_case("box-inside-out", set_all(box=[40, 34, 4, 2]), CLIPS)
_case("box-huge", set_all(box=[-(2**31), -(2**31), 2**31 - 1, 2**31 - 1]), CLIPS)
_case("regions-unknown", set_all(regions="../x"), SEGMENTS, AUWGCN, CARD)
_case("why-with-escapes", set_all(features=None, status="failed", why="\x1b[2J"), STATS, CARD)
_case("no-rows", list.clear, SEGMENTS, STATS, CARD)
_case("every-row-twice", lambda rows: rows.extend(rows), SEGMENTS, STATS)


@KIND.case
def names_that_are_absolute(world: World, chance: random.Random) -> Attack:
    made = str(world.victim / "made")
    rewrite(world.take("features/features.parquet"), set_all(name=made, subject=made))
    return attack(chance.choice([SEGMENTS, AUWGCN]), world)


def _header(name: str, text: str) -> None:
    """Registers attacks by the header of an array, alone and in an npz."""

    def alone(world: World, chance: random.Random) -> Attack:
        world.take(f"features/{ARRAY}").write_bytes(damage.npy(text, bytes(64)))
        return attack(chance.choice([SEGMENTS, STATS, SHOW, LEAKS]), world)

    def packed(world: World, chance: random.Random) -> Attack:
        content = damage.npy(text, bytes(64))
        damage.zipped(world.take(f"features/{LANDMARKS}"), {"quality": content, "landmarks": content})
        return attack(chance.choice([SEGMENTS, CLIPS]), world)

    KIND.add(f"array-{name}", alone)
    KIND.add(f"npz-{name}", packed)


for _name, _text in damage.HEADERS.items():
    _header(_name, _text)


@KIND.case
def objects_that_act_when_read(world: World, chance: random.Random) -> Attack:
    damage.pickled(world.take(f"features/{ARRAY}"), world.victim / "made")
    return attack(STATS, world)


@KIND.case
def npz_that_inflates(world: World, chance: random.Random) -> Attack:
    content = damage.npy(damage.header("(2000000000,)", "|u1"), bytes(2_000_000_000 // 8))
    damage.zipped(world.take(f"features/{LANDMARKS}"), {"quality": content, "landmarks": content})
    return attack(SEGMENTS, world)


@KIND.case
def numbers_that_are_none(world: World, chance: random.Random) -> Attack:
    np.save(world.take(f"features/{ARRAY}"), np.full((FRAMES - 1, 12, 2), np.nan, np.float32))
    return attack(STATS, world)


@KIND.case
def numbers_without_end(world: World, chance: random.Random) -> Attack:
    np.save(world.take(f"features/{ARRAY}"), np.full((FRAMES - 1, 12, 2), np.inf, np.float32))
    return attack(CARD, world)


@KIND.case
def great_numbers(world: World, chance: random.Random) -> Attack:
    np.save(world.take(f"features/{ARRAY}"), np.full((FRAMES - 1, 12, 2), 3e38, np.float32))
    return attack(SHOW, world)


@KIND.case
def an_array_is_a_link_out(world: World, chance: random.Random) -> Attack:
    damage.link(world.take(f"features/{ARRAY}"), world.victim / "private.npy")
    return attack(SEGMENTS, world)


@KIND.case
def a_folder_of_arrays_is_a_link_out(world: World, chance: random.Random) -> Attack:
    folder = world.take("features/features/casme_015")
    damage.link(folder, world.victim)
    rewrite(world.take("features/features.parquet"), set_values(features="features/casme_015/private.npy"))
    return attack(SEGMENTS, world)


@KIND.case
def an_array_is_a_pipe(world: World, chance: random.Random) -> Attack:
    path = world.take(f"features/{ARRAY}")
    path.unlink()
    os.mkfifo(path)
    return attack(STATS, world)


@KIND.case
def arrays_from_elsewhere_with_hostile_names(world: World, chance: random.Random) -> Attack:
    folder = world.inputs / "features"
    for name in ("evil\x1b[2J", "two\nlines", "-rf", "é" * 100, "casme_015_0401"):
        place = folder / "casme_015" / f"{name}.npy"
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(place, np.zeros((FRAMES - 1, 12, 2), np.float32))
    (folder / "casme_015" / b"\xff\xfe.npy".decode("utf-8", "surrogateescape")).write_bytes(b"")
    return attack(chance.choice([SEGMENTS, STATS]), world)


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """The table, an array or an npz damaged, and any verb that reads features."""
    way = chance.randrange(4)
    if way < 2:
        damage.any_table(world.take("features/features.parquet"), chance)
    elif way == 2:
        damage.any_array(world.take(f"features/{ARRAY}"), chance)
    else:
        damage.any_npz(world.take(f"features/{LANDMARKS}"), chance)
    return attack(one_reading("features", chance), world)
