"""What must hold after every attack, whatever the verb and the damage."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets_me.core.tables import open_parquet
from datasets_me.formats import manifest as manifests
from tests.hostile import runs
from tests.hostile.attack import Attack, Kind
from tests.hostile.watch import opened
from tests.hostile.world import World

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_WARNING = re.compile(r"^\S+\.py:\d+: \w*Warning", re.MULTILINE)
_WHERE = re.compile(r"^ +where: \S", re.MULTILINE)

Snapshot = dict[str, str]


@dataclass(frozen=True)
class Outcome:
    """An attack, how the verb ended, and what did not hold."""

    kind: str
    name: str
    code: int
    seconds: float
    megabytes: int
    faults: list[str]
    line: str
    said: str


def play(kind: Kind, name: str, place: Path, base: Path, way: runs.Way) -> Outcome:
    """One attack in a folder of its own, and the judgement."""
    world = World(place, base)
    try:
        attack = kind.make(name, world)
    except Exception as error:
        return Outcome(kind.name, name, 0, 0, 0, [f"it could not be made: {type(error).__name__}: {error}"], "", "")
    before = _snapshot(place)
    with opened(world.victim) as read:
        done = runs.run(attack.arguments, place, world.tmp, way)
    after = _snapshot(place)
    faults = [
        *_of_the_process(done, way),
        *(["a sound input is refused"] if attack.sound and done.code not in (0, 1) else []),
        *_of_what_it_said(done, attack),
        *_of_what_is_left(before, after, attack, place),
        *_of_the_outputs(world, attack, done.code, before, after),
        *([] if attack.leads else [f"read outside: {path}" for path in sorted(set(read))[:3]]),
    ]
    if attack.rows is not None and done.code in (0, 1) and not faults:
        faults += _of_the_rows(world.out / attack.outputs[0], attack.rows)
    line = " ".join(argument.replace(f"{place}/", "") for argument in attack.arguments)
    said = (done.err or done.out).decode("utf-8", "replace").replace(f"{place}/", "")
    return Outcome(kind.name, name, done.code, done.seconds, done.megabytes, faults, line, said)


def _of_the_process(done: runs.Done, way: runs.Way) -> Iterator[str]:
    if done.hung:
        yield f"a hang: {done.computed:.0f} s computed, {done.seconds:.0f} s in all"
    elif done.code not in (0, 1, 2):
        yield f"exit code {done.code}"
    if done.megabytes > way.megabytes:
        yield f"{done.megabytes} MB of memory"
    if done.left:
        yield "a process outlived the command"


def _of_what_it_said(done: runs.Done, attack: Attack) -> Iterator[str]:
    out, err = (stream.decode("utf-8", "replace") for stream in (done.out, done.err))
    if "Traceback (most recent call last)" in err:
        yield f"a traceback: {err.strip().splitlines()[-1][:200]}"
    elif warned := _WARNING.search(err):
        yield f"a warning of Python's: {err[warned.start() :].splitlines()[0][:200]}"
    for stream, text in (("stdout", out), ("stderr", err)):
        if found := _CONTROL.search(text):
            yield f"a control character on {stream}: {text[max(0, found.start() - 20) : found.end() + 10]!r}"
    if done.code == 2:
        if "rror" not in err:
            yield f"exit code 2 without an error: {err[:200]!r}"
        elif not _WHERE.search(err) and not _named(err, attack):
            yield f"an error that does not say where: {err[:200]!r}"


def _named(text: str, attack: Attack) -> bool:
    """Whether an error names an argument, whole or its last part."""
    return any(len(Path(part).name) > 2 and Path(part).name in text for part in attack.arguments)


def _of_what_is_left(before: Snapshot, after: Snapshot, attack: Attack, place: Path) -> Iterator[str]:
    moves = attack.moves.relative_to(place).as_posix() + "/" if attack.moves else None
    for name in sorted(before.keys() | after.keys()):
        if name.startswith("out/") or (moves and name.startswith(moves)):
            continue
        if before.get(name) != after.get(name):
            what = "changed" if name in before and name in after else "removed" if name in before else "left"
            yield f"{what}: {name}"
    if moves:
        files = [_files(snapshot, moves) for snapshot in (before, after)]
        for lost in (files[0] - files[1]).elements():
            yield f"lost where files are moved: {lost}"


def _files(snapshot: Snapshot, above: str) -> Counter[str]:
    """Names and contents of the files under a folder, wherever in it they lie."""
    return Counter(
        f"{Path(name).name} {what}"
        for name, what in snapshot.items()
        if name.startswith(above) and not what.startswith("folder") and not Path(name).name.startswith(".me-datasets")
    )


def _of_the_outputs(world: World, attack: Attack, code: int, before: Snapshot, after: Snapshot) -> Iterator[str]:
    old, new = ({name: entry for name, entry in each.items() if name.startswith("out/")} for each in (before, after))
    for name in sorted({path.split("/")[1] for path in new} - set(attack.outputs)):
        if f"out/{name}" not in old:
            yield f"litter beside the output: {name}"
    if code not in (0, 1) and not attack.grows:
        yield from _after_an_error(attack, old, new)
    if code == 0 and not attack.replaces:
        yield from (f"exit code 0 without its output: {n}" for n in attack.outputs if f"out/{n}" not in new)
    for name, entry in new.items():
        if old.get(name) != entry:
            yield from _of_a_new_file(world.place / name, name, entry, f"out/{name.split('/')[1]}" in old)


def _after_an_error(attack: Attack, old: Snapshot, new: Snapshot) -> Iterator[str]:
    """What must not be there after a verb that could not run."""
    if attack.replaces and old != new:
        yield "the old output is not as it was, though the verb could not run"
    for name in attack.outputs:
        if not attack.replaces and f"out/{name}" in new and f"out/{name}" not in old:
            yield f"an output, though the verb could not run: {name}"


def _of_a_new_file(path: Path, name: str, entry: str, older: bool) -> Iterator[str]:
    """What is wrong with something that was written; ``older`` says that it lies in what was there before."""
    if _CONTROL.search(name) or "\n" in name or "\\x" in ascii(name):
        yield f"a name with control characters: {name!r}"
    if entry.startswith(("link", "special")) and not older:
        yield f"not a file: {name}"
    elif entry.startswith("file") and not any(part.startswith(".") for part in name.split("/")):
        fault = _unreadable(path)
        if fault:
            yield f"half a file: {name}: {fault}"


def _unreadable(path: Path) -> str | None:
    """Why a file that was written cannot be read again."""
    readers: dict[str, Callable[[Path], object]] = {
        ".json": lambda path: json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_json),
        ".jsonl": lambda path: [json.loads(line, parse_constant=_no_json) for line in path.read_text().splitlines()],
        ".parquet": _rows_of,
        ".npy": lambda path: np.load(path, allow_pickle=False),
        ".npz": lambda path: {name: array.shape for name, array in np.load(path, allow_pickle=False).items()},
    }
    reader = readers.get(path.suffix)
    try:
        if reader:
            reader(path)
    except (OSError, ValueError, KeyError, EOFError) as error:
        return f"{type(error).__name__}: {error}"[:200]
    return None


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _rows_of(path: Path) -> int:
    with open_parquet(path) as file:
        return int(file.read(use_threads=False).num_rows)


def _of_the_rows(folder: Path, rows: int) -> Iterator[str]:
    """Every row of the table is an annotation, or a finding names it."""
    if not folder.exists():
        return  # it was told not to write
    made = manifests.read(folder)
    annotated = {row.source_row for row in made.annotations}
    named = {finding.row for finding in made.findings if finding.row is not None}
    if len(made.annotations) + len(named - annotated) < rows:
        yield (
            f"rows lost: {rows} in the table, {len(made.annotations)} annotations,"
            f" {len(named - annotated)} other rows with findings"
        )


def _snapshot(place: Path) -> Snapshot:
    """Everything in a folder: kind, size, content. Links are not followed, pipes not opened."""
    found: Snapshot = {}
    for folder, folders, files in os.walk(place, followlinks=False):
        for name in (*folders, *files):
            path = Path(folder, name)
            found[path.relative_to(place).as_posix()] = _what(path)
    return found


def _what(path: Path) -> str:
    about = path.lstat()
    if stat.S_ISLNK(about.st_mode):
        return f"link to {str(path.readlink())!r}"
    if stat.S_ISDIR(about.st_mode):
        return f"folder {stat.S_IMODE(about.st_mode):o}"
    if not stat.S_ISREG(about.st_mode):
        return "special"
    with path.open("rb") as file:
        return f"file {about.st_size} {hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
