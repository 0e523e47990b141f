"""Manifests: their tables, manifest.json, and the schema in them."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hostile import damage
from tests.hostile.attack import Attack, Kind, attack, verb_of
from tests.hostile.damage import Change, rewrite, set_all, set_values
from tests.hostile.verbs import one_reading
from tests.hostile.world import World

KIND = Kind("manifests")

CHECK = "check {manifest} --root {frames}"
CLIPS = "export clips {manifest} --root {frames} -o {out}/clips --size 16"
SEGMENTS = "export segments {manifest} {features} -o {out}/segments --length 16 --context 2"
CARD = "card {manifest} -o {out}/card"
STATS = "stats {manifest}"
EXTRACT = "extract {manifest} --root {frames} -o {out}/features --workers 1 --preset dis --videos *0401"


def _case(name: str, table: str, change: Change, *lines: str) -> None:
    """Registers attacks by a change of a table, one for each verb."""
    for line in lines:

        def make(world: World, chance: random.Random, line: str = line) -> Attack:
            rewrite(world.take(f"manifest/{table}.parquet"), change)
            return attack(line, world, grows=line is EXTRACT)

        KIND.add(f"{name}-{verb_of(line)}" if len(lines) > 1 else name, make)


VIDEOS, ROWS = "videos", "annotations"

_case("path-out-of-the-root", VIDEOS, set_all(path="../../victim/frames"), CHECK, CLIPS, EXTRACT)
_case("path-out-by-detours", VIDEOS, set_all(path="rawpic/../../../victim/frames"), CLIPS)
_case("path-empty", VIDEOS, set_all(path=""), CLIPS)
_case("path-with-escapes", VIDEOS, set_all(path="evil\x1b]0;owned\x07"), CHECK, CLIPS)
_case("frames-by-the-billion", VIDEOS, set_all(frames=2**31 - 1, last=2**31 - 1), CHECK, CLIPS, CARD, STATS)
_case("frames-below-nothing", VIDEOS, set_all(frames=-1, first=-5, last=-9), CHECK, CLIPS)
_case("videos-all-of-one-name", VIDEOS, set_all(video="casme_015_0401", subject="casme_015"), CHECK, CLIPS)
_case("no-videos", VIDEOS, list.clear, CHECK, CLIPS, SEGMENTS)
_case("layout-unknown", VIDEOS, set_all(layout="../x"), CLIPS)
_case("rate-nan", ROWS, set_all(fps=damage.NAN), STATS, SEGMENTS, CARD)
_case("rate-infinite", ROWS, set_all(fps=damage.INF), STATS, SEGMENTS)
_case("rate-nought", ROWS, set_all(fps=0.0), STATS, SEGMENTS, CLIPS)
_case("rate-below-nought", ROWS, set_all(fps=-30.0), STATS)
_case("rate-almost-nought", ROWS, set_all(fps=1e-320), SEGMENTS)
_case("rate-of-videos-nan", VIDEOS, set_all(fps=damage.NAN), CLIPS, EXTRACT)
_case("rate-of-videos-nought", VIDEOS, set_all(fps=0.0), CLIPS)
_case("offset-of-a-year", ROWS, set_values(offset=1_500_000_000), CLIPS, SEGMENTS, STATS, CARD)
_case("onset-of-a-year", ROWS, set_values(onset=1_500_000_000, apex=None, offset=1_500_000_001), CLIPS, SEGMENTS)
_case("onset-below-nothing", ROWS, set_values(onset=-(2**31), offset=2**31 - 1), CLIPS, SEGMENTS, STATS)
_case("names-that-lead-out", ROWS, set_all(video="../../victim/x", subject="../..", expression="../x"), CLIPS, CARD)
_case("names-with-zeros", ROWS, set_all(video="a\0b", subject="a\0b"), CLIPS)
_case("names-with-escapes", ROWS, set_all(video="evil\x1b]0;o\x07", emotion="\x1b[2J", subject="\x9b"), STATS, CARD)
_case("names-long", ROWS, set_all(video="x" * 40_000, subject="y" * 40_000), CLIPS, CARD)
_case("names-empty", ROWS, set_all(video="", subject=""), CLIPS, CARD)
_case("ids-all-the-same", ROWS, set_all(id="one"), CLIPS, SEGMENTS)
_case("no-annotations", ROWS, list.clear, STATS, CARD, CLIPS, SEGMENTS)
_case(
    "units-beyond-all",
    ROWS,
    set_all(aus=[{"au": 2**31 - 1, "side": "left", "uncertain": False, "reflex": False}]),
    CARD,
)
_case("sheet-with-escapes", ROWS, set_all(source_file="\x1b[2J", source_sheet="\x07"), SEGMENTS)


def _types_that_are_wrong(name: str, value: Any) -> None:
    def make(world: World, chance: random.Random) -> Attack:
        path = world.take("manifest/manifest.json")
        path.write_text(value)
        return attack(STATS, world)

    KIND.add(f"json-{name}", make)


for _name, _value in {
    "a-list": "[]",
    "null": "null",
    "nested": "[" * 100_000,
    "format-a-text": '{"format": "x"}',
    "format-null": '{"format": null, "variant": "x"}',
    "format-nan": '{"format": NaN}',
    "format-of-five-thousand-digits": '{"format": ' + "9" * 5000 + "}",
    "format-true": '{"format": true, "variant": [], "sources": 3, "options": "x"}',
    "sources-a-text": '{"format": 1, "variant": "x", "sources": "abc", "options": []}',
}.items():
    _types_that_are_wrong(_name, _value)


@KIND.case
def a_newer_format(world: World, chance: random.Random) -> Attack:
    path = world.take("manifest/manifest.json")
    path.write_text(path.read_text().replace('"format": 1', '"format": 99'))
    return attack(STATS, world)


@KIND.case
def tables_are_pipes(world: World, chance: random.Random) -> Attack:
    damage.no_file(world.take("manifest/videos.parquet"), _Only("pipe"))
    return attack(STATS, world)


@KIND.case
def json_is_a_pipe(world: World, chance: random.Random) -> Attack:
    damage.no_file(world.take("manifest/manifest.json"), _Only("pipe"))
    return attack(STATS, world)


@KIND.case
def schema_is_a_link_to_zeros(world: World, chance: random.Random) -> Attack:
    damage.link(world.take("manifest/schema.yaml"), "/dev/zero")
    return attack(STATS, world)


@KIND.case
def schema_of_ten_thousand_levels(world: World, chance: random.Random) -> Attack:
    world.take("manifest/schema.yaml").write_text("a: " + "[" * 20_000 + "]" * 20_000)
    return attack(STATS, world)


@KIND.case
def frames_lie_behind_a_link(world: World, chance: random.Random) -> Attack:
    damage.link(world.take("frames/rawpic/s15/15_0401girlcrashing"), world.victim / "frames")
    return attack(CLIPS, world, leads=True)


@KIND.case
def thousands_of_equal_rows(world: World, chance: random.Random) -> Attack:
    rewrite(world.take("manifest/annotations.parquet"), lambda rows: rows.extend(rows * 500))
    return attack(STATS, world)


class _Only(random.Random):
    """A chance that always falls on one of the choices."""

    def __new__(cls, choice: str) -> _Only:
        return super().__new__(cls)

    def __init__(self, choice: str) -> None:
        super().__init__(0)
        self._choice = choice

    def choice(self, seq: Any) -> Any:
        return self._choice


DAMAGE: dict[str, Callable[[Path, random.Random], None]] = {
    "annotations.parquet": damage.any_table,
    "videos.parquet": damage.any_table,
    "findings.parquet": damage.any_table,
    "manifest.json": damage.any_json,
    "schema.yaml": damage.any_yaml,
}


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """Values, types, columns, rows or bytes of a file of the manifest, and any verb that reads one."""
    for name in dict.fromkeys(chance.choices(list(DAMAGE), [6, 5, 1, 1, 2], k=chance.choice([1, 1, 2]))):
        DAMAGE[name](world.take(f"manifest/{name}"), chance)
    return attack(one_reading("manifest", chance), world)
