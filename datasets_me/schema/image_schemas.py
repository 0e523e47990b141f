"""Finding and reading the YAML files of schemas of image sets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from datasets_me.core import resources
from datasets_me.core.errors import SchemaError
from datasets_me.core.text import closest, fold
from datasets_me.schema.images import ImageSpec, form
from datasets_me.schema.schema_files import validated
from datasets_me.schema.yaml_files import load as load_yaml
from datasets_me.schema.yaml_files import read_text


@dataclass(frozen=True)
class ImageSchema:
    """A set's spec, and the very text it was read from (kept beside every import)."""

    spec: ImageSpec
    text: str

    @property
    def sha256(self) -> str:
        """The hash of the text, in hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def of_subset(self, name: str | None) -> ImageSchema:
        """The same with the spec of one of its subsets; the schema itself for None.

        Raises:
            KeyError: there is no such subset.
        """
        return self if name is None else ImageSchema(self.spec.of_subset(name), self.text)


def parse(text: str, source: str) -> ImageSchema:
    """The schema in a YAML text; ``source`` is named in errors.

    Raises:
        SchemaError: it is wrong; every fault is named with its line and YAML path.
    """
    return ImageSchema(validated(text, source, ImageSpec), text)


def load_file(path: Path) -> ImageSchema:
    """The schema in a YAML file.

    Raises:
        SchemaError: the file cannot be read, or is wrong.
    """
    return parse(read_text(path), str(path))


def shipped() -> list[ImageSchema]:
    """All schemas of image sets that come with the package, sorted by id."""
    return [load_file(path) for path in resources.image_schema_files()]


def load(name: str) -> ImageSchema:
    """A schema by id, by alias (``FER-2013``), or by the path of a YAML file.

    Raises:
        SchemaError: nothing of that name; the nearest is suggested. Or the file is wrong.
    """
    if name.endswith((".yaml", ".yml")):
        return load_file(Path(name))
    known = _by_name()
    for alias, schema in known.items():
        if fold(alias) == fold(name):
            return schema
    near = closest(name, known)
    ids = ", ".join(sorted({schema.spec.id for schema in known.values()}))
    raise SchemaError(
        f"there is no schema of images '{name}'",
        fix=(f"did you mean '{known[near].spec.id}'? " if near else "") + f"Known: {ids}; or give a file (.yaml)",
    )


def is_shipped(name: str) -> bool:
    """Whether a schema of image sets that comes with the package has this id or alias."""
    return fold(name) in {fold(alias) for alias in _by_name()}


def _by_name() -> dict[str, ImageSchema]:
    return {alias: schema for schema in shipped() for alias in (schema.spec.id, *schema.spec.aliases)}


def of_folders(names: Iterable[str]) -> ImageSchema:
    """The schema of a folder per class whose labels are the names of the folders.

    Of names that differ in case or marks alone, the first one is the label and the others are its spellings.
    """
    labels: dict[str, list[str]] = {}
    label_of: dict[str, str] = {}
    for name in sorted(set(names)):
        label = label_of.setdefault(form(name), name)
        labels.setdefault(label, []).extend([] if label == name else [name])
    content = {
        **load("folder-per-class").spec.model_dump(mode="json", exclude_defaults=True),
        "id": "folders",
        "title": "A folder per class, with the folders' names as labels",
        "aliases": [],
        "labels": labels,
    }
    return parse(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "the folders' names")


def is_image_schema(text: str, source: str) -> bool:
    """Whether a YAML text describes a set of images, and not a dataset of videos.

    Raises:
        SchemaError: it is not YAML.
    """
    content = load_yaml(text, source).value
    return isinstance(content, dict) and bool({"files", "table"} & content.keys()) and "workbook" not in content
