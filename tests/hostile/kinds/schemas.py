"""Schemas of datasets, of image sets and of predictions, which may come from a stranger."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import yaml

from tests.hostile import damage
from tests.hostile.attack import Attack, Kind, attack
from tests.hostile.world import World

KIND = Kind("schemas")

SLOW = "(a|a)*(a|a)*(a+)+$"
"""A pattern that takes for ever on many a's followed by something else."""

READS = (
    "schema check {schema.yaml}",
    "convert {schema.yaml} {book.xlsx} -o {out}/manifest",
    "convert --schema {schema.yaml} {book.xlsx} --root {frames} -o {out}/manifest",
    "datasets {schema.yaml}",
    "images import {pictures} --schema {schema.yaml} -o {out}/set --workers 1",
    "images audit {set} -p {said.json} --schema {schema.yaml} -o {out}/audit",
)


def _text(name: str, text: str | bytes) -> None:
    """Registers an attack by the text of a schema, for any verb that reads one."""

    def make(world: World, chance: random.Random) -> Attack:
        content = text if isinstance(text, bytes) else text.encode()
        (world.inputs / "schema.yaml").write_bytes(content)
        return attack(chance.choice(READS), world)

    KIND.add(name, make)


_BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
_text("aliases-that-multiply", _BOMB)
_text("aliases-of-labels-that-multiply", _BOMB + "id: x\nversion: 1\ntitle: *a11\nlabels: *a11\n")
_text("an-alias-of-itself", "id: x\nlabels: &a {x: *a}\n")
_text("merged-into-itself", "a: &a\n  <<: *a\n")
_text("nested-lists", "a: " + "[" * 20_000 + "]" * 20_000)
_text("nested-lists-unclosed", "[" * 20_000)
_text("nested-mappings", "{a: " * 20_000)
_text("nested-by-indentation", "".join(f"{' ' * n}a:\n" for n in range(3000)))
_text("nested-by-dashes", "- " * 20_000)
_text("a-python-object", "!!python/object/apply:os.system ['touch made']\n")
_text("a-date-that-is-none", "id: 2001-99-99\n")
_text("a-number-of-five-thousand-digits", "id: x\nversion: " + "9" * 5000 + "\n")
_text("a-number-in-base-sixty", "id: 1" + ":59" * 3000 + "\n")
_text("not-utf-8", b"id: \xff\xfe\n")
_text("control-characters", b"id: \x1b[2J\n")
_text("escapes-in-keys", 'id: x\n"evil\\e]0;owned\\a": 1\n')
_text("escapes-in-values", 'id: "evil\\e]0;owned\\a"\ntitle: "\\e[2J"\nversion: "\\a"\n')
_text("many-documents", "---\nid: x\n" * 1000)
_text("tabs", "id:\tx\n\ta: b\n")
_text("nothing", "")
_text("a-list", "- x\n")
_text("a-hundred-thousand-keys", "".join(f"k{n}: 1\n" for n in range(30_000)))
_text("one-key-many-times", "id: x\n" * 20_000)
_text("keys-that-are-lists", "? [a, b]\n: c\n? {x: y}\n: z\n")


def _edited(name: str, change: Callable[[dict[str, Any]], Any], line: str, sheet: str = "schema.yaml") -> None:
    """Registers an attack by a change of the sound schema."""

    def make(world: World, chance: random.Random) -> Attack:
        path = world.take("schema.yaml")
        spec = yaml.safe_load(path.read_text())
        change(spec)
        path.write_text(yaml.safe_dump(spec))
        return attack(line, world)

    KIND.add(name, make)


CONVERT = "convert {schema.yaml} {book.xlsx} --root {frames} -o {out}/manifest"


def _slow_looks(spec: dict[str, Any]) -> None:
    spec["workbook"]["variants"][0]["looks"]["clip"] = SLOW


def _set(*path: Any, to: Any) -> Callable[[dict[str, Any]], Any]:
    """A change: the value at a place."""

    def change(spec: Any) -> None:
        for part in path[:-1]:
            spec = spec[part]
        spec[path[-1]] = to

    return change


def _corrected(new: str, why: str) -> Callable[[dict[str, Any]], Any]:
    """A change: the correction of an onset that is in the workbook."""
    correction = {"subject": "casme_015", "video": "casme_015_0401", "column": "onset", "old": "3"}
    return _set("corrections", to=[correction | {"new": new, "why": why}])


_edited("pattern-of-names-slow", _set("names", "patterns", "slug", to="([a-z]+)+x"), CONVERT)
_edited("pattern-of-splits-slow", _set("names", "split", "clip", to="(?P<nickname>([a-z]+[0-9]*)+)Q"), CONVERT)
_edited("pattern-of-looks-slow", _slow_looks, CONVERT)
_edited("pattern-of-names-exponential", _set("names", "patterns", "clip", to=SLOW), CONVERT)
_edited(
    "pattern-of-splits-exponential", _set("names", "split", "clip", to="(?P<nickname>([a-z0-9_]|[a-z])*)*!"), CONVERT
)
_edited("pattern-classic", _set("workbook", "variants", 0, "looks", "clip", to="(a+)+$"), CONVERT)
_edited("template-of-many-fields", _set("layouts", 0, "folder", to="{slug}" * 40), CONVERT)
_edited("pattern-that-repeats", _set("names", "patterns", "slug", to="((a{1,1000}){1,1000}){1,1000}"), CONVERT)
_edited("pattern-of-megabytes", _set("names", "patterns", "slug", to="(a|b)" * 50_000), CONVERT)
_edited("pattern-nested", _set("names", "patterns", "slug", to="(" * 5000 + ")" * 5000), "schema check {schema.yaml}")
_edited("template-that-leads-out", _set("names", "video", to="../../victim/{clip}"), CONVERT)
_edited("template-with-code", _set("names", "video", to="{clip.__class__.__mro__}"), CONVERT)
_edited("template-wide", _set("names", "video", to="{folder:0999999999}"), CONVERT)
_edited("folder-wide", _set("layouts", 0, "folder", to="s{folder:0999999999}/{code:09}{slug}"), CONVERT)
_edited("folder-that-leads-out", _set("layouts", 0, "folder", to="../../victim/{slug}"), CONVERT)
_edited("folder-absolute", _set("layouts", 0, "folder", to="/etc/{slug}"), CONVERT)
_edited("under-that-leads-out", _set("layouts", 0, "under", to=["../../victim", "/", ".."]), CONVERT)
_edited("files-that-lead-out", _set("workbook", "files", to=["../../victim/*", "/etc/*"]), CONVERT)
_edited("rate-infinite", _set("fps", to=float("inf")), CONVERT)
_edited("rate-tiny", _set("fps", to=1e-320), CONVERT)
_edited("rate-huge", _set("fps", to=1e308), CONVERT)
_edited("base-huge", _set("layouts", 0, "base", to=10**18), CONVERT)
_edited("sheet-far-away", _set("workbook", "variants", 0, "lookups", "folder", "sheet", to=10**9), CONVERT)
_edited("id-that-leads-out", _set("id", to="../../victim"), CONVERT)
_edited("title-with-escapes", _set("title", to="\x1b]0;owned\x07"), "datasets {schema.yaml}")
_edited("corrections-with-escapes", _corrected(new="\x1b[2J", why="\x07"), CONVERT)
_edited("correction-of-five-thousand-digits", _corrected(new="9" * 5000, why="x"), CONVERT)
_edited("expected-huge", _set("expected", "annotations", to=10**400), CONVERT)
_edited("overrides-of-globs", _set("crop", "overrides", to=[{"video": "*a" * 3000, "pad": 0.1, "why": "x"}]), CONVERT)


def _images(name: str, text: str) -> None:
    """Registers an attack by the schema of an image set."""

    def make(world: World, chance: random.Random) -> Attack:
        (world.inputs / "schema.yaml").write_text(text)
        return attack("images import {pictures} --schema {schema.yaml} -o {out}/set --workers 1", world)

    KIND.add(f"images-{name}", make)


_SET = "id: mine\nversion: 1\ntitle: x\nlabels: {anger: [], happiness: [], sadness: []}\n"
_images(
    "slow-pattern",
    _SET + "files:\n  layouts:\n    - {id: a, path: '{label}/{name}', patterns: {name: '(([0-9.a-z])+)+Q'}}\n",
)
_images(
    "label-that-leads-out",
    _SET.replace("anger", "../../victim") + "files:\n  layouts:\n    - {id: a, path: '{label}/{name}'}\n",
)
_images("path-absolute", _SET + "files:\n  layouts:\n    - {id: a, path: '/etc/{name}'}\n")
_images(
    "list-that-leads-out",
    _SET
    + """files:
  layouts: [{id: a, path: "{label}/{name}"}]
  label_list: {files: [../../victim/keep.txt], line: '(?P<key>.*) (?P<label>.*)', key: '{name}'}
""",
)
_images(
    "label-files-that-lead-out",
    _SET
    + """files:
  layouts: [{id: a, path: "{label}/{name}"}]
  label_files: {path: '../../victim/{name}.txt', by: [name]}
""",
)
_images(
    "table-of-terabytes",
    _SET + "table: {files: ['*'], pixels: [p], label: [l], width: 1000000000, height: 1000000000}\n",
)
_images(
    "labels-with-escapes",
    _SET.replace("anger", '"\\e[2J"') + "files:\n  layouts:\n    - {id: a, path: '{label}/{name}'}\n",
)


@KIND.case
def a_pipe(world: World, chance: random.Random) -> Attack:
    os.mkfifo(world.inputs / "schema.yaml")
    return attack(READS[0], world)


@KIND.case
def endless_zeros(world: World, chance: random.Random) -> Attack:
    (world.inputs / "schema.yaml").symlink_to("/dev/zero")
    return attack(READS[0], world)


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """Values or bytes of a sound schema changed."""
    damage.any_yaml(world.take("schema.yaml"), chance)
    return attack(chance.choice(READS[:4]), world)
