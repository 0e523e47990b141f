"""The description of an exported dataset, in ``export.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from datasets_me.core import artefact
from datasets_me.core.artefact import Kind
from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.kinds import AUWGCN, CLIPS, FLOW, SEGMENTS

ABOUT = "export.json"

EXPORTS = (SEGMENTS, CLIPS, FLOW, AUWGCN)
"""The kinds of exports of a dataset."""


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


class _About(BaseModel):
    """What every ``export.json`` must contain; each kind adds more."""

    options: dict[str, Any]
    manifest: _Manifest


def read_about(folder: Path, *kinds: Kind) -> dict[str, Any]:
    """The content of ``export.json``, of any export of a dataset where no kind is named.

    Raises:
        MeDatasetsError: there is none, it is damaged, of another kind, or of a version that cannot be read.
    """
    about = artefact.read_about(folder, *(kinds or EXPORTS))
    try:
        _About.model_validate(about)
    except ValidationError as error:
        first = error.errors()[0]
        entry = ".".join(str(part) for part in first["loc"])
        raise MeDatasetsError(
            f"{ABOUT} is damaged: {entry}: {first['msg'].lower()}", where=str(folder), fix="export again"
        ) from error
    return about
