"""What lies on disk: every kind of folder, its files, the columns of its tables and the arrays of its npz.

Kinds and their versions come from the registry, columns and types from the records. A column's meaning is what its
record's docstring says of it, or what the Croissant description of the manifest says.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from datasets_me.core import resources
from datasets_me.core.artefact import Kind
from datasets_me.core.tables import Record, arrow_schema
from datasets_me.formats.kinds import KINDS
from me_docs.markdown import code, page, paragraphs, table, text, toctree

FOLDER = "reference/formats"
HERE = Path(__file__).parent

_CROISSANT = {"Annotation": "annotations", "Video": "videos", "Finding": "findings"}
"""The records whose columns the Croissant description explains."""


def described() -> dict[str, Any]:
    """What is known of the files of each kind, by the kind's name."""
    return dict(yaml.safe_load((HERE / "kinds.yaml").read_text(encoding="utf-8")))


def pages() -> dict[str, str]:
    """A page per kind of folder, a page per record, and the page that lists them."""
    kinds = described()
    made = {f"{FOLDER}/{kind.name}.md": page(_kind_page(kind, kinds[kind.name])) for kind in KINDS}
    made |= {f"{FOLDER}/records/{name}.md": page(_record_page(record)) for name, record in records().items()}
    made[f"{FOLDER}/index.md"] = page(
        [
            "# Formats on disk",
            "",
            "Every folder is written under a temporary name and renamed when it is whole. A JSON file in it says what "
            "it is, by which format and version of the program, from what, with which options, and lists its files "
            "with their SHA-256. A folder of an older or newer format is read or refused by name, never misread.",
            "",
            *table(
                ["folder", "described by", "format", "written by"],
                [
                    [f"[{kind.noun}]({kind.name}.md)", code(kind.about), str(kind.format), code(kind.make)]
                    for kind in KINDS
                ],
            ),
            *toctree([*(kind.name for kind in KINDS), *(f"records/{name}" for name in records())]),
        ]
    )
    return made


def records() -> dict[str, type[Record]]:
    """The records of all tables, by name.

    Raises:
        LookupError: ``kinds.yaml`` names one that is not there.
    """
    made = {}
    for place in sorted({e["record"] for kind in described().values() for e in kind["files"] if "record" in e}):
        module, _, name = place.rpartition(".")
        try:
            made[name] = getattr(importlib.import_module(f"datasets_me.{module}"), name)
        except (ImportError, AttributeError):
            raise LookupError(f"there is no record {place}; docs/me_docs/kinds.yaml names it") from None
    return made


def columns(record: type[Record]) -> Iterator[tuple[str, str, str]]:
    """The columns of a table: name, type, and meaning; the fields of structs by their path.

    An empty meaning is one that nobody wrote down.
    """
    notes: dict[str, str] = {}
    if record.__name__ in _CROISSANT:
        croissant = yaml.safe_load(resources.package_file("cards/columns.yaml").read_text(encoding="utf-8"))
        notes = croissant[_CROISSANT[record.__name__]]["columns"]
    shared = yaml.safe_load((HERE / "columns.yaml").read_text(encoding="utf-8"))
    said = _said(record)
    for field in arrow_schema(record):
        nullable = " or null" if field.nullable else ""
        meaning = notes.get(field.name) or said.get(field.name) or shared.get(field.name, "")
        yield field.name, f"{_type(field.type)}{nullable}", meaning
        yield from ((name, "", note) for name, note in notes.items() if name.startswith(f"{field.name}."))


def _said(record: type[Record]) -> dict[str, str]:
    """What a record's docstring says of each column: the parts of sentences that name it."""
    words = " ".join(inspect.cleandoc(record.__doc__ or "").split())
    parts = [part.strip() for part in re.split(r"(?<=[.;:])\s+(?=[A-Z`])", words)]
    named: dict[str, list[str]] = {}
    for part in parts[1:] if len(parts) > 1 else parts:
        for name in re.findall(r"``(\w+)``", part):
            named.setdefault(name, []).append(part[:1].upper() + part[1:].rstrip(";:"))
    return {name: " ".join(dict.fromkeys(several)) for name, several in named.items()}


def _type(kind: Any) -> str:
    """An Arrow type in words."""
    written = str(kind)
    if written.startswith("list"):
        return f"list of {_type(kind.value_type)}"
    if written.startswith("struct"):
        return "struct"
    if written.startswith("map"):
        return "map of text to text"
    return {"string": "text", "double": "float64"}.get(written, written)


def _kind_page(kind: Kind, notes: dict[str, Any]) -> list[str]:
    lines = [
        f"# {kind.noun[:1].upper()}{kind.noun[1:]}",
        "",
        f"Kind `{kind.name}`, format {kind.format}, described by `{kind.about}`, written by `{kind.make}`.",
        "",
        text(notes["what"]),
        "",
        "## Files",
        "",
        *table(
            ["file", "what"],
            [
                [code(kind.about), "What it is, what wrote it, from what and how; the hash of every file."],
                *([code(entry["path"]), _what(entry)] for entry in notes["files"]),
            ],
        ),
    ]
    for entry in notes["files"]:
        if "arrays" in entry:
            lines += [f"## `{entry['path']}`", "", text(entry["what"]), ""]
            rows = [
                [code(name) if name else "the array", code(shape), dtype, text(meaning)]
                for name, (shape, dtype, meaning) in entry["arrays"].items()
            ]
            lines += table(["array", "shape", "numbers", "what"], rows)
    return lines


def _what(entry: dict[str, Any]) -> str:
    """What a file is, with a link to the record of its rows."""
    if "record" not in entry:
        return text(entry["what"])
    name = entry["record"].rpartition(".")[2]
    return f"{text(entry['what'])} Rows: [{name}](records/{name}.md)"


def _record_page(record: type[Record]) -> list[str]:
    return [
        f"# {record.__name__}",
        "",
        *paragraphs(inspect.cleandoc(record.__doc__ or "")),
        *table(
            ["column", "type", "meaning"],
            [[code(name), kind, text(meaning)] for name, kind, meaning in columns(record)],
        ),
    ]


def undescribed(root: Path) -> list[str]:
    """The files in folders of ours under a root that their kind's page does not describe."""
    known = {kind.name: kind for kind in KINDS}
    notes = described()
    found = []
    for path in sorted(root.rglob("*.json")):
        about = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        kind = known.get(about.get("kind", "")) if isinstance(about, dict) else None
        if kind is None or kind.about != path.name:
            continue
        patterns = [kind.about, *(entry["path"] for entry in notes[kind.name]["files"])]
        found += [
            f"{name} in the {kind.noun} {path.parent.relative_to(root)}"
            for name in _arrays(path.parent, notes[kind.name])
        ]
        for file in sorted(each for each in path.parent.rglob("*") if each.is_file()):
            name = file.relative_to(path.parent).as_posix()
            if not any(_fits(name, pattern) for pattern in patterns) and not file.name.startswith("."):
                found.append(f"{name} in the {kind.noun} {path.parent.relative_to(root)}")
    return found


def _arrays(folder: Path, notes: dict[str, Any]) -> Iterator[str]:
    """The arrays of npz files that nobody described; one file of each kind is looked into."""
    for entry in notes["files"]:
        file = next(folder.glob(entry["path"]), None) if entry["path"].endswith(".npz") else None
        if file is not None:
            with np.load(file) as arrays:
                yield from (f"{entry['path']}: {name}" for name in arrays.files if name not in entry["arrays"])


def _fits(name: str, pattern: str) -> bool:
    """Whether a path fits a pattern of the same depth, or lies under a folder that ends in a slash."""
    if pattern.endswith("/"):
        return name.startswith(pattern)
    return name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)
