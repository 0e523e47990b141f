"""The form of a file of third-party predictions: the model of ``schemas/predictions/<id>.yaml``."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from datasets_me.core import resources
from datasets_me.core.errors import SchemaError
from datasets_me.core.text import closest, fold
from datasets_me.schema.images import form
from datasets_me.schema.schema_files import validated
from datasets_me.schema.spec import Model, not_valid
from datasets_me.schema.yaml_files import read_text


class PredictionSpec(Model):
    """Where a CSV or JSON file has the image, its faces and their scores.

    Places are dotted paths (``faceAttributes.emotion``), tried in order; ``""`` is the entry itself. Columns of a CSV
    are paths, too, since some tools flatten JSON into columns.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9\-]*$")
    version: int = Field(ge=1)
    title: str
    aliases: list[str] = Field(default_factory=list)
    image: list[str] = Field(min_length=1, description="names the image; a JSON object may have it as key instead")
    items: list[str] = Field(default_factory=list, description="the list of entries, where it is not the whole file")
    faces: list[str] = Field(default_factory=list, description="the list of faces of an entry; empty: not recognised")
    scores: list[str] = Field(default_factory=list, description="of a face: classes with numbers")
    label: list[str] = Field(default_factory=list, description="of a face: the class")
    unrecognised: list[str] = Field(default_factory=list, description="labels that mean that nothing was recognised")
    labels: dict[str, list[str]] = Field(
        default_factory=dict, description="the predicted classes with their other spellings"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.scores and not self.label:
            raise not_valid([("scores", "give places of scores, of a label, or of both")])
        for label, spellings in self.labels.items():
            for text in (label, *spellings):
                if self.says_nothing(text):
                    raise not_valid([(f"labels.{label}", f"'{text}' is also among the words for unrecognised")])
                if (first := self._label_of[form(text)]) != label:
                    raise not_valid([(f"labels.{label}", f"'{text}' also stands for {first}")])
        return self

    @cached_property
    def _label_of(self) -> dict[str, str]:
        labels: dict[str, str] = {}
        for label, spellings in self.labels.items():
            for text in (label, *spellings):
                labels.setdefault(form(text), label)
        return labels

    @cached_property
    def _nothing(self) -> frozenset[str]:
        return frozenset(map(form, self.unrecognised))

    def label_of(self, text: str) -> str | None:
        """The predicted class that a text stands for, None for an unknown one."""
        return self._label_of.get(form(text))

    def says_nothing(self, text: str) -> bool:
        """Whether a text means that nothing was recognised."""
        return form(text) in self._nothing


def shipped() -> list[PredictionSpec]:
    """The forms that come with the package, sorted by id."""
    return [_read(path) for path in sorted((resources.folder("schemas") / "predictions").glob("*.yaml"))]


def load(name: str) -> PredictionSpec:
    """A form by id, alias, or the path of a YAML file.

    Raises:
        SchemaError: there is none, or it is wrong.
    """
    if name.endswith((".yaml", ".yml")):
        return _read(Path(name))
    known = {alias: spec for spec in shipped() for alias in (spec.id, *spec.aliases)}
    for alias, spec in known.items():
        if fold(alias) == fold(name):
            return spec
    near = closest(name, known)
    ids = ", ".join(sorted({spec.id for spec in known.values()}))
    raise SchemaError(
        f"there is no form of predictions '{name}'",
        fix=(f"did you mean '{known[near].id}'? " if near else "") + f"Known: {ids}; or give a file (.yaml)",
    )


def _read(path: Path) -> PredictionSpec:
    return validated(read_text(path), str(path), PredictionSpec)
