"""Sets of images: their tables, images.json, decisions, and the tables beside them."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

from datasets_me.core.tables import write_parquet
from datasets_me.formats.image_records import Face, FaceRow
from datasets_me.images.decisions import Decision
from tests.hostile import damage
from tests.hostile.attack import Attack, Kind, attack, verb_of
from tests.hostile.damage import Change, rewrite, set_all, set_values
from tests.hostile.verbs import one_reading
from tests.hostile.world import World

KIND = Kind("image-sets")

UNIFY = "images unify {set} --root {pictures} -o {out}/unified --workers 1"
QUALITY = "images quality {set} --root {pictures} -o {out}/quality --workers 1"
EXPORT = "images export {set} --root {pictures} -o {out}/images"
CSV = "images export {set} --root {pictures} -o {out}/images --format csv"
TAR = "images export {set} --root {pictures} -o {out}/images --format webdataset"
DUPLICATES = "images duplicates {set} --root {pictures} -o {out}/duplicates --workers 1"
AUDIT = "images audit {set} -p {said.json} -o {out}/audit"
CROP = "images crop {set} --root {pictures} -o {out}/cropped --region face --workers 1"
INSIDE = "images unify {set} -o {out}/unified --workers 1"


def _case(name: str, change: Change, *lines: str) -> None:
    for line in lines:

        def make(world: World, chance: random.Random, line: str = line) -> Attack:
            rewrite(world.take("set/images.parquet"), change)
            return attack(line, world)

        KIND.add(f"{name}-{verb_of(line)}", make)


_case("paths-that-lead-out", set_all(path="../../victim/private.png"), UNIFY, QUALITY, EXPORT)
_case("paths-by-detours", set_all(path="anger/../../../victim/private.png"), DUPLICATES)
_case("paths-with-zeros", set_all(path="a\0b"), UNIFY)
_case("paths-of-another-system", set_all(path="..\\..\\victim\\private.png"), EXPORT)
_case("labels-that-lead-out", set_all(label="../../../victim", label_raw="../x"), UNIFY, EXPORT, CSV, TAR)
_case("labels-with-escapes", set_all(label="evil\x1b]0;o\x07"), UNIFY, EXPORT, QUALITY, AUDIT)
_case("labels-of-formulas", set_all(label="=cmd|' /C calc'!A0"), CSV)
_case("ids-that-lead-out", set_all(id="../../victim/made"), EXPORT, UNIFY)
_case("ids-with-escapes", set_values(id="\x1b[2J", path="\x1b[2J"), QUALITY, EXPORT)
_case("subjects-that-lead-out", set_all(subject="../../victim", sequence="../x", frame=2**31 - 1), EXPORT)
_case(
    "pixels-that-are-too-few",
    set_all(path=None, pixels=b"x", format="pixels", width=2**31 - 1, height=2**31 - 1),
    QUALITY,
)
_case("no-images", list.clear, UNIFY, EXPORT, QUALITY)
_case("five-thousand-images", lambda rows: rows.extend({**rows[0], "id": f"i{n}"} for n in range(3000)), QUALITY)


@KIND.case
def root_that_leads_out(world: World, chance: random.Random) -> Attack:
    path = world.take("set/images.json")
    path.write_text(path.read_text().replace('"root": "pictures"', '"root": "../../victim"'))
    return attack(INSIDE, world)


@KIND.case
def files_inside_that_lead_out(world: World, chance: random.Random) -> Attack:
    path = world.take("set/images.json")
    path.write_text(path.read_text().replace('"root": "pictures"', '"root": "."'))
    rewrite(world.take("set/images.parquet"), set_all(path="../../victim/private.png"))
    return attack(INSIDE, world)


@KIND.case
def an_image_is_a_link_out(world: World, chance: random.Random) -> Attack:
    damage.link(world.take("pictures/anger/0.png"), world.victim / "private.png")
    return attack(EXPORT, world, leads=True)


@KIND.case
def an_image_is_a_pipe(world: World, chance: random.Random) -> Attack:
    path = world.take("pictures/anger/0.png")
    path.unlink()
    os.mkfifo(path)
    return attack(chance.choice([UNIFY, QUALITY, EXPORT]), world)


@KIND.case
def namings_that_lead_out(world: World, chance: random.Random) -> Attack:
    return attack(f"{UNIFY} --naming ../../victim/{{number}}", world)


@KIND.case
def namings_that_are_absolute(world: World, chance: random.Random) -> Attack:
    return attack(f"{UNIFY} --naming {world.victim}/{{number}}", world)


@KIND.case
def namings_with_code(world: World, chance: random.Random) -> Attack:
    return attack(f"{UNIFY} --naming {{number.__class__}}{{label:0999999999}}", world)


def _decided(name: str, **fields: Any) -> None:
    def make(world: World, chance: random.Random) -> Attack:
        folder = world.take("set")
        values = {"id": "anger/0.png", "dataset": "folder-per-class", "decision": "relabel", "label": "anger"}
        write_parquet(Decision, [Decision.model_validate(values | fields)], folder / "decisions.parquet")
        return attack(chance.choice([EXPORT, CSV]), world)

    KIND.add(f"decision-{name}", make)


_decided("of-a-label-that-leads-out", label="../../victim")
_decided("of-a-label-with-escapes", label="evil\x1b]0;o\x07")
_decided("about-nobody", id="../../victim/private.png")
_decided("without-a-label", label=None)
_decided("with-escapes", id="\x1b[2J", doubts=["\x1b[2J"], label_was="\x07")


def _faces(name: str, **fields: Any) -> None:
    def make(world: World, chance: random.Random) -> Attack:
        from datasets_me.formats import image_set, image_tables

        images = image_set.read(world.take("set"))
        values = {"x0": 2.0, "y0": 2.0, "x1": 30.0, "y1": 30.0, "score": 1.0, "residual": 0.0, "landmarks": [5.0] * 136}
        face = Face.model_construct(**(values | fields))
        row = {"count": 1, "helped": "nothing", "faces": [face]}
        rows = [FaceRow.model_construct(id=each.id, dataset=each.dataset, **row) for each in images.rows()]
        image_tables.write_table(images, "faces", FaceRow, rows, [])
        return attack(chance.choice([CROP, f"{CROP} --align", QUALITY]), world)

    KIND.add(f"faces-{name}", make)


_faces("nan", x0=damage.NAN, landmarks=[damage.NAN] * 136)
_faces("infinite", x0=-damage.INF, x1=damage.INF, landmarks=[damage.INF] * 136)
_faces("huge", x0=-1e9, y0=-1e9, x1=1e9, y1=1e9, landmarks=[1e9, -1e9] * 68)
_faces("inside-out", x0=30.0, x1=2.0)
_faces("without-landmarks", landmarks=[])
_faces("with-too-many-landmarks", landmarks=[1.0] * 100_000)


DAMAGE = {
    "images.parquet": damage.any_table,
    "findings.parquet": damage.any_table,
    "quality.parquet": damage.any_table,
    "duplicates.parquet": damage.any_table,
    "images.json": damage.any_json,
    "schema.yaml": damage.any_yaml,
}


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """Values, types, columns, rows or bytes of a file of the set, and any verb that reads one."""
    path: Path = world.take(f"set/{chance.choices(list(DAMAGE), [6, 1, 2, 2, 2, 2])[0]}")
    DAMAGE[path.name](path, chance)
    return attack(one_reading("set", chance), world)
