"""The folder of an export: written under another name, then renamed; replaced only where it is ours and whole.

``export.json`` says what it is, how it was made, and how many files it holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from datasets_me.core import files
from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.core.files import read_json
from datasets_me.core.version import __version__

ABOUT = "export.json"
_TOOL = "me-datasets"
_FORMAT = 1

Kind = Literal["segments", "clips", "auwgcn"]
"""What an export can be of."""


class _Schema(BaseModel):
    sha256: str


class _Source(BaseModel):
    name: str
    sha256: str


class _Manifest(BaseModel):
    dataset: str
    schema_: _Schema = Field(alias="schema")
    classes: dict[str, list[str]] = Field(default_factory=dict)
    annotations_sha256: str
    sources: list[_Source]


class _Tool(BaseModel):
    name: str
    version: str


class _About(BaseModel):
    """What every ``export.json`` must say; each kind says more."""

    kind: Kind
    tool: _Tool
    options: dict[str, Any]
    manifest: _Manifest


@contextmanager
def new_folder(out: Path, *, force: bool = False) -> Iterator[Path]:
    """A temporary folder beside ``out`` that becomes it when the work is done, and is gone if it fails.

    Raises:
        MeDatasetsError: ``out`` exists and may not be replaced, or cannot be written.
    """
    if out.exists():
        _refuse_to_overwrite(out, force)
    with files.new_folder(out, "export") as temporary:
        yield temporary


def write_about(folder: Path, kind: Kind, fields: dict[str, Any]) -> None:
    """Write ``export.json`` as the last file of an export."""
    about = {
        "format": _FORMAT,
        "kind": kind,
        "tool": {"name": _TOOL, "version": __version__},
        **fields,
        "files": _count(folder) + 1,
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_about(folder: Path, kind: Kind | None = None) -> dict[str, Any]:
    """What ``export.json`` says.

    Raises:
        MeDatasetsError: there is none, it is damaged, of another kind, or of a newer version.
    """
    try:
        about = read_json(folder / ABOUT)
        tool, version, found = about["tool"]["name"], about["format"], about["kind"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MeDatasetsError(
            f"not an export: there is no {ABOUT} that can be read",
            where=str(folder),
            fix="make one with me-datasets export",
        ) from error
    if tool != _TOOL or not isinstance(version, int) or version > _FORMAT:
        raise MeDatasetsError(
            f"the export has format {version} of {tool}", where=str(folder), fix="install a newer me-datasets"
        )
    try:
        _About.model_validate(about)
    except ValidationError as error:
        first = error.errors()[0]
        entry = ".".join(str(part) for part in first["loc"])
        raise MeDatasetsError(
            f"{ABOUT} is damaged: {entry}: {first['msg'].lower()}", where=str(folder), fix="export again"
        ) from error
    if kind is not None and found != kind:
        raise MeDatasetsError(f"this is an export of {found}, not of {kind}", where=str(folder))
    return dict(about)


def _count(folder: Path) -> int:
    return sum(not path.is_dir() for path in folder.rglob("*"))


def _refuse_to_overwrite(out: Path, force: bool) -> None:
    try:
        about = read_about(out)
    except MeDatasetsError:
        raise MeDatasetsError(
            "the output exists and is not an export", where=str(out), fix="choose another -o"
        ) from None
    if not force:
        raise MeDatasetsError("the export exists already", where=str(out), fix="add --force to replace it")
    count = _count(out)
    if count != about.get("files"):
        raise MeDatasetsError(
            f"the export's folder holds {plural(count, 'file')} where {about.get('files')} were written; "
            "others would be lost",
            where=str(out),
            fix="put them elsewhere, or choose another -o",
        )
