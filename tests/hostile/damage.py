"""Damage of any kind of file: bytes, values of JSON and YAML, tables, arrays."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

NAN, INF = float("nan"), float("inf")

NUMBERS: list[Any] = [NAN, INF, -INF, 0, -0.0, -1, 0.5, 1e-320, 1e308, -1e308, 2**31 - 1, 2**31, -(2**31), 2**63]
NUMBERS += [1_500_000_000, 99_999_999, 10**30]

TEXTS = [
    "",
    " ",
    ".",
    "..",
    "../../victim",
    "../../victim/frames",
    "../../victim/private.npy",
    "../../victim/private.npz",
    "../victim/keep.txt",
    "a/../../../victim/frames",
    "/etc/passwd",
    "/",
    "~/x",
    "C:\\Windows\\x",
    "\\\\host\\share",
    "a\0b",
    "evil\x1b]0;owned\x07",
    "\x1b[2J\x1b[31mred",
    "\u202eexe.gpj",
    "\x9b31m",
    "two\nlines",
    "cr\rlf",
    "tab\there",
    "=1+1",
    "=cmd|' /C calc'!A0",
    "@SUM(A1)",
    "-rf",
    "--help",
    "{subject}",
    "{0.__class__}",
    "%s%n",
    "[bold]x[/bold]",
    "[/]",
    "<script>alert(1)</script>",
    "名前",
    "é" * 300,
    "x" * 40_000,
    "9" * 5000,
    "(" * 20_000,
    "NaN",
    "None",
    "1e999",
    "²",
    "４６",
    "CON",
    "\ufeff",
    "\u200b",
]

VALUES: list[Any] = [None, True, [], {}, [[]], {"x": None}, *NUMBERS, *TEXTS]


def any_bytes(path: Path, chance: random.Random) -> None:
    """Damage the bytes of a file, or put something else in its place."""
    content = bytearray(path.read_bytes())
    way = chance.randrange(8)
    if way < 3:
        content = content[: chance.randrange(len(content) + 1)]
    elif way < 6:
        for _ in range(chance.choice([1, 3, 20, 200])):
            if content:
                content[chance.randrange(len(content))] = chance.randrange(256)
    elif way == 6 and content:
        start = chance.randrange(len(content))
        content[start : start + chance.randrange(200)] = chance.randbytes(chance.randrange(200))
    else:
        no_file(path, chance)
        return
    path.write_bytes(content)


def no_file(path: Path, chance: random.Random) -> None:
    """Something in the place of a file that is none that can be read."""
    path.unlink()
    way = chance.choice(["missing", "empty", "folder", "pipe", "loop", "device", "text", "zeros"])
    if way == "empty":
        path.touch()
    elif way == "folder":
        path.mkdir()
    elif way == "pipe":
        os.mkfifo(path)
    elif way == "loop":
        path.symlink_to(path.name)
    elif way == "device":
        path.symlink_to("/dev/zero")
    elif way == "text":
        path.write_text("this is no such file\n")
    elif way == "zeros":
        path.write_bytes(bytes(5000))


def nested(thing: Any, chance: random.Random) -> Any:
    """JSON or YAML with one or some of its values replaced, removed, or put elsewhere."""
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        places = list(_places(thing))
        if not places:
            return chance.choice(VALUES)
        holder, key = chance.choice(places)
        way = chance.randrange(10)
        if way == 0:
            del holder[key]
        elif way == 1 and isinstance(holder, dict):
            holder[chance.choice(TEXTS)] = holder.pop(key)
        elif way == 2:
            holder[key] = [holder[key]]
        elif way == 3 and isinstance(holder, list):
            holder.append(holder[key])
        else:
            holder[key] = chance.choice(VALUES)
    return thing


def _places(thing: Any) -> list[tuple[Any, Any]]:
    """Every value of something nested, as its holder and its key there."""
    found: list[tuple[Any, Any]] = []
    waiting = [thing]
    while waiting:
        holder = waiting.pop()
        pairs = list(holder.items() if isinstance(holder, dict) else enumerate(holder))
        found += [(holder, key) for key, _ in pairs]
        waiting += [value for _, value in pairs if isinstance(value, dict | list)]
    return found


def any_json(path: Path, chance: random.Random) -> None:
    """Damage a JSON file: its values, or its bytes."""
    way = chance.randrange(12)
    if way == 0:
        path.write_text("[" * 20_000 + "]" * 20_000)
    elif way == 1:
        path.write_text(chance.choice(["", "null", "3", '"x"', "[]", "{}", "{", "\ufeff{}", "NaN", "9" * 5000]))
    elif way == 2:
        any_bytes(path, chance)
    else:
        content = nested(json.loads(path.read_text()), chance)
        path.write_text(json.dumps(content))


def any_yaml(path: Path, chance: random.Random) -> None:
    """Damage a YAML file: its values, or its bytes."""
    if chance.random() < 0.15:
        any_bytes(path, chance)
        return
    content = nested(yaml.safe_load(path.read_text()), chance)
    path.write_text(yaml.safe_dump(content, allow_unicode=True))


Change = Callable[[list[dict[str, Any]]], Any]


def rewrite(path: Path, change: Change) -> None:
    """Write a Parquet table again with its rows changed in place, of the same types; maps are lists of pairs."""
    table = pq.read_table(path, use_threads=False)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def set_values(**values: Any) -> Change:
    """A change: these columns of the first row."""
    return lambda rows: rows[0].update(values)


def set_all(**values: Any) -> Change:
    """A change: these columns of every row."""
    return lambda rows: [row.update(values) for row in rows]


def any_table(path: Path, chance: random.Random) -> None:
    """Damage a Parquet table: values, types, columns, rows or bytes."""
    way = chance.randrange(12)
    if way < 2:
        any_bytes(path, chance)
        return
    content = io.BytesIO()
    try:
        pq.write_table(_other_table(pq.read_table(path, use_threads=False), way, chance), content)
    except pa.ArrowException:  # such as a null where none may be
        any_bytes(path, chance)
    else:
        path.write_bytes(content.getvalue())


def _other_table(table: pa.Table, way: int, chance: random.Random) -> pa.Table:
    if way == 2:
        return table.slice(0, 0)
    if way == 3:
        return pa.concat_tables([table] * chance.choice([2, 3, 500]))
    if way == 4:
        return table.drop_columns(chance.choice(table.column_names))
    if way == 5:
        return table.append_column(chance.choice(TEXTS), pa.array([1] * len(table)))
    if way == 6:
        return _retyped(table, chance)
    for _ in range(chance.choice([1, 1, 2, 4]) if len(table) else 0):
        table = _with_value(table, chance)
    return table


def _retyped(table: pa.Table, chance: random.Random) -> pa.Table:
    """One column with values of another type."""
    index = chance.randrange(table.num_columns)
    values = chance.choice(
        [
            pa.nulls(len(table)),
            pa.array(["x"] * len(table)),
            pa.array([1.5] * len(table)),
            pa.array([b"\xff\xfe"] * len(table)),
            pa.array([[1]] * len(table)),
            pa.array([{"a": 1}] * len(table)),
            pa.array([2**62] * len(table), pa.int64()),
            pa.array([True] * len(table)),
            pa.array([["a"] * 50_000] * len(table)),
        ]
    )
    return table.set_column(index, table.column_names[index], values)


def _with_value(table: pa.Table, chance: random.Random) -> pa.Table:
    """One value, or a whole column of it, replaced by one of its own type."""
    index = chance.randrange(table.num_columns)
    name, kind = table.column_names[index], table.schema.field(index).type
    values = table.column(index).to_pylist()
    for _ in range(20):
        new = chance.choice(_of_type(kind))
        changed = [new] * len(values) if chance.random() < 0.3 else list(values)
        changed[chance.randrange(len(values))] = new
        try:
            return table.set_column(index, pa.field(name, kind), pa.array(changed, kind))
        except (pa.ArrowException, OverflowError, ValueError, TypeError):
            continue  # not every value fits
    return table


def _of_type(kind: pa.DataType) -> list[Any]:
    if pa.types.is_string(kind):
        return [None, *TEXTS]
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return [None, *NUMBERS]
    if pa.types.is_map(kind):
        return [None, [], [("onset", text) for text in TEXTS[:20]], [("x" * 40_000, "")]]
    if pa.types.is_list(kind):
        return [None, [], *([value] for value in VALUES), *([value] * 3 for value in _of_type(kind.value_type)[:20])]
    return [None, True, False, {}]


def npy(header: str, body: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """The bytes of an .npy with a header of one's own."""
    text = header.encode()
    length = len(text).to_bytes(2 if version[0] == 1 else 4, "little")
    return b"\x93NUMPY" + version + length + text + body


def header(shape: object, descr: str = "<f4", fortran: bool = False) -> str:
    """The header of an .npy."""
    return f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"


class Mine:
    """An object whose unpickling shows: it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def pickled(path: Path, made: Path) -> None:
    """An .npy whose one object would make a file when it is unpickled."""
    path.write_bytes(npy(header("(1,)", "|O"), pickle.dumps(np.array([Mine(made)], object))))


HEADERS = {
    "claims-terabytes": header("(200000000000, 12, 2)"),
    "claims-more-than-a-number-holds": header("(99999999999999999999, 12, 2)"),
    "negative-shape": header("(-1, 12, 2)"),
    "shape-of-floats": header("(1.5, 2)"),
    "shape-of-text": header("'x'"),
    "no-header": "",
    "nested-header": "(" * 20_000,
    "object": header("(1,)", "|O"),
    "no-type": header("(1,)", "zz"),
    "structured": header("(1,)", "[('a', '<f4'), ('b', '<f4')]").replace('"', ""),
    "text-of-a-gigabyte": header("(1,)", "<U268435456"),
    "no-numbers": header("()"),
}


def any_array(path: Path, chance: random.Random) -> None:
    """Damage an .npy: its header, type, shape, values or bytes."""
    way = chance.randrange(6)
    if way == 0:
        any_bytes(path, chance)
    elif way == 1:
        path.write_bytes(npy(chance.choice(list(HEADERS.values())), bytes(64)))
    else:
        np.save(path, _other_array(np.load(path), chance), allow_pickle=False)


def _other_array(array: Any, chance: random.Random) -> Any:
    way = chance.randrange(8)
    if way < 3:
        array = array.astype(np.float64) if chance.random() < 0.5 else array.copy()
        value = chance.choice([NAN, INF, -INF, 1e30, 3e38, -1e30])
        array.flat[: chance.choice([1, len(array), array.size])] = value
        return array
    if way < 5:
        kinds = ["<i4", "u1", "<f2", "<f8", ">f4", "<c8", "?", "<U3", "S2", "<M8[D]", "<m8[s]"]
        return np.zeros(array.shape, chance.choice(kinds))
    shapes: list[tuple[int, ...]] = [(), (0,), (0, 12, 2), (1, 12, 2), (22, 11, 2), (23, 12), (23, 24), (23, 12, 2, 1)]
    shapes += [(1_000_000, 1, 2), (5, 0, 2), (22, 12, 3)]
    return np.zeros(chance.choice(shapes), np.float32)


def any_npz(path: Path, chance: random.Random) -> None:
    """Damage an npz: one of its arrays, their names, or its bytes."""
    if chance.random() < 0.25:
        any_bytes(path, chance)
        return
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    members = {name: _saved(array) for name, array in arrays.items()}
    name = chance.choice(list(members))
    way = chance.randrange(6)
    if way == 0:
        del members[name]
    elif way == 1:
        members[name] = npy(chance.choice(list(HEADERS.values())), bytes(64))
    elif way == 2:
        members[chance.choice(TEXTS).replace("\0", "") or "x"] = members.pop(name)
    elif way == 3:
        members[name] = _saved(np.array([b"\xff", b"x"]))
    else:
        members[name] = _saved(_other_array(arrays[name], chance)) if arrays[name].dtype.kind == "f" else b""
    zipped(path, members)


def _saved(array: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    return content.getvalue()


def zipped(path: Path, members: dict[str, bytes]) -> None:
    """Write an npz of these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def link(path: Path, target: Path | str) -> None:
    """Put a link in the place of a file or folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)
