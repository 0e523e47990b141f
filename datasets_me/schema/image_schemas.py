"""Finding and reading the YAML files of schemas of image sets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from datasets_me.core import resources
from datasets_me.core.errors import SchemaError
from datasets_me.core.text import closest, fold
from datasets_me.schema.images import ImageSpec
from datasets_me.schema.schema_files import validated
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
    known = {alias: schema for schema in shipped() for alias in (schema.spec.id, *schema.spec.aliases)}
    for alias, schema in known.items():
        if fold(alias) == fold(name):
            return schema
    near = closest(name, known)
    ids = ", ".join(sorted({schema.spec.id for schema in known.values()}))
    raise SchemaError(
        f"there is no schema of images '{name}'",
        fix=(f"did you mean '{known[near].spec.id}'? " if near else "") + f"Known: {ids}; or give a file (.yaml)",
    )
