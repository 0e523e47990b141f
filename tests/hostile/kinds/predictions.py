"""Files of predictions: CSV, JSON, npz."""

from __future__ import annotations

import json
import os
import random
from typing import Any

import numpy as np

from tests.hostile import damage
from tests.hostile.attack import Attack, Kind, attack
from tests.hostile.world import World

KIND = Kind("predictions")

SPOTTING = "score spotting {manifest} -p {spotted.csv} -o {out}/scores"
RECOGNITION = "score recognition {manifest} -p {recognised.csv} --label class_3 -o {out}/scores"
SCORES = "score recognition {manifest} -p {model_a.npz} --label class_3 -o {out}/scores"
ENSEMBLE = "score ensemble {manifest} -p {model_a.npz} -p {model_b.npz} --label class_3 --step 0.5 -o {out}/scores"
AUDIT = "images audit {set} -p {said.json} -o {out}/audit"
AUDIT_CSV = "images audit {set} -p {said.csv} -o {out}/audit --json"

HEAD = "video,onset,offset,type\n"


def _text(name: str, line: str, file: str, text: str | bytes) -> None:
    """Registers an attack by the content of a file."""

    def make(world: World, chance: random.Random) -> Attack:
        content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        (world.inputs / file).write_bytes(content)
        return attack(line, world)

    KIND.add(name, make)


def _spotted(name: str, text: str | bytes) -> None:
    _text(f"spotted-{name}", SPOTTING, "spotted.csv", text)


_spotted("nothing", "")
_spotted("header-only", HEAD)
_spotted("nan", HEAD + "casme_015_0401,nan,nan,micro\ncasme_015_0401,inf,-inf,macro\n")
_spotted("huge", HEAD + "casme_015_0401,0,1500000000,micro\ncasme_015_0401,-99999999999999999999,1e308,macro\n")
_spotted("digits", HEAD + f"casme_015_0401,{'9' * 5000},{'9' * 5000},micro\n")
_spotted("inside-out", HEAD + "casme_015_0401,9,3,micro\n")
_spotted("escapes", HEAD + "evil\x1b]0;owned\x07,1,2,\x1b[2J\n")
_spotted("zeros", HEAD + "a\0b,1,2,micro\n")
_spotted("other-column-names", "\x1b[2J,\x07\n1,2\n")
_spotted("a-hundred-thousand-rows", HEAD + "casme_015_0401,1,9,micro\n" * 100_000)
_spotted("a-cell-of-megabytes", HEAD + "x" * 5_000_000 + ",1,2,micro\n")
_spotted("quotation-open", HEAD + '"casme_015_0401,1,2,micro\n')
_spotted("utf-16", (HEAD + "casme_015_0401,1,2,micro\n").encode("utf-16"))
_spotted("thousands-of-columns", ",".join(f"c{n}" for n in range(50_000)) + "\n")
_text("recognised-escapes", RECOGNITION, "recognised.csv", "annotation,label\n\x1b[2J,evil\x1b]0;o\x07\n")
_text(
    "recognised-scores-nan",
    RECOGNITION,
    "recognised.csv",
    "video,score_negative,score_positive\ncasme_015_0401,nan,inf\n",
)
_text(
    "recognised-digits", RECOGNITION, "recognised.csv", f"video,onset,label\ncasme_015_0401,{'9' * 5000},{'9' * 5000}\n"
)
_text("said-nested", AUDIT, "said.json", "[" * 100_000)
_text("said-nested-dicts", AUDIT, "said.json", '{"predictions":' * 5000 + "1" + "}" * 5000)
_text("said-nan", AUDIT, "said.json", '[{"image": "anger/0.png", "scores": {"anger": NaN, "sadness": Infinity}}]')
_text("said-digits", AUDIT, "said.json", '[{"image": "anger/0.png", "scores": {"anger": ' + "9" * 5000 + "}}]")
_text(
    "said-great-exponent",
    AUDIT,
    "said.json",
    '[{"image": "anger/0.png", "scores": {"anger": 1e999, "sadness": -1e999}}]',
)
_text(
    "said-escapes",
    AUDIT,
    "said.json",
    json.dumps([{"image": "anger/0.png", "label": "evil\x1b]0;o\x07"}, {"image": "\x1b[2J"}]),
)
_text(
    "said-surrogates",
    AUDIT,
    "said.json",
    '[{"image": "\\ud800", "label": "\\udfff"}, {"image": "anger/0.png", "label": "\\ud83d"}]',
)
_text("said-twice", AUDIT, "said.json", json.dumps([{"image": "anger/0.png", "label": "anger"}] * 20_000))
_text("said-paths-out", AUDIT, "said.json", json.dumps([{"image": "../../victim/private.png", "label": "anger"}]))
_text("said-types", AUDIT, "said.json", '[1, null, [], {"image": {}}, {"image": 1, "label": [], "scores": 3}]')
_text("said-null", AUDIT, "said.json", "null")
_text("said-csv-zeros", AUDIT_CSV, "said.csv", "image,label\nanger/0.png,\0\n")
_text("said-csv-dotted", AUDIT_CSV, "said.csv", "image," + ".".join(["a"] * 5000) + "\nanger/0.png,1\n")
_text("said-csv-cell-of-megabytes", AUDIT_CSV, "said.csv", "image,label\n" + "x" * 5_000_000 + ",anger\n")
_text("said-csv-digits", AUDIT_CSV, "said.csv", f"image,score_anger\nanger/0.png,{'9' * 5000}\nanger/3.png,1e999\n")


def _packed(name: str, text: str) -> None:
    def make(world: World, chance: random.Random) -> Attack:
        damage.zipped(
            world.inputs / "model_a.npz", dict.fromkeys(("annotation", "scores"), damage.npy(text, bytes(64)))
        )
        return attack(chance.choice([SCORES, ENSEMBLE]), world)

    KIND.add(f"npz-{name}", make)


for _name, _header in damage.HEADERS.items():
    _packed(_name, _header)


@KIND.case
def objects_that_act_when_read(world: World, chance: random.Random) -> Attack:
    path = world.inputs / "model.npy"
    damage.pickled(path, world.victim / "made")
    damage.zipped(world.inputs / "model_a.npz", {"annotation": path.read_bytes()})
    return attack(SCORES, world)


def _scores(name: str, value: Any) -> None:
    def make(world: World, chance: random.Random) -> Attack:
        path = world.take("model_a.npz")
        with np.load(path) as file:
            arrays = dict(file)
        arrays["scores"] = np.full_like(arrays["scores"], value)
        np.savez(path, **arrays)
        return attack(chance.choice([SCORES, ENSEMBLE]), world)

    KIND.add(f"scores-{name}", make)


_scores("nan", np.nan)
_scores("infinite", np.inf)
_scores("great", 1e308)


@KIND.case
def classes_by_the_thousand(world: World, chance: random.Random) -> Attack:
    path = world.take("model_a.npz")
    with np.load(path) as file:
        arrays = dict(file)
    arrays["scores"] = np.zeros((len(arrays["scores"]), 50_000))
    arrays["classes"] = np.array([f"c{number}" for number in range(50_000)])
    np.savez_compressed(path, **arrays)
    return attack(SCORES, world)


@KIND.case
def a_pipe(world: World, chance: random.Random) -> Attack:
    os.mkfifo(world.inputs / "spotted.csv")
    return attack(SPOTTING, world)


@KIND.case
def a_pipe_of_what_was_said(world: World, chance: random.Random) -> Attack:
    os.mkfifo(world.inputs / "said.json")
    return attack(AUDIT, world)


@KIND.case
def endless_zeros(world: World, chance: random.Random) -> Attack:
    (world.inputs / "recognised.csv").symlink_to("/dev/zero")
    return attack(RECOGNITION, world)


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """Cells, values, arrays or bytes of sound predictions changed."""
    name = chance.choice(["spotted.csv", "recognised.csv", "said.csv", "said.json", "model_a.npz"])
    path = world.take(name)
    if name.endswith(".npz"):
        damage.any_npz(path, chance)
        return attack(chance.choice([SCORES, ENSEMBLE]), world)
    if chance.random() < 0.2:
        damage.any_bytes(path, chance)
    elif name.endswith(".json"):
        damage.any_json(path, chance)
    else:
        _any_csv(path, chance)
    line = {"spotted.csv": SPOTTING, "recognised.csv": RECOGNITION, "said.csv": AUDIT_CSV, "said.json": AUDIT}[name]
    return attack(line, world)


def _any_csv(path: Any, chance: random.Random) -> None:
    rows = [line.split(",") for line in path.read_text().splitlines()]
    for _ in range(chance.choice([1, 3, 20])):
        row = chance.choice(rows)
        row[chance.randrange(len(row))] = str(chance.choice([*damage.TEXTS, *damage.NUMBERS]))
    path.write_text("\n".join(",".join(row) for row in rows) + "\n")
