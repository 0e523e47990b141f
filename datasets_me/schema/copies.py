"""A copy of a schema to start a new one from, with a comment on each key that says what it means."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel

from datasets_me.core.artefact import may_write, write_file
from datasets_me.schema import image_schemas, schema_files, yaml_files
from datasets_me.schema.image_schemas import ImageSchema
from datasets_me.schema.schema_files import Schema, models_in

Comment = tuple[int, int, str]
"""Line and column, both 0-based, of the key that a comment is about; and the comment."""


def load_any(name: str) -> Schema | ImageSchema:
    """A schema of a dataset or of a set of images, by id, by alias, or by the path of a YAML file.

    Raises:
        SchemaError: there is no such schema, or the file is wrong.
    """
    if name.endswith((".yaml", ".yml")):
        of_images = image_schemas.is_image_schema(yaml_files.read_text(Path(name)), name)
    else:
        of_images = image_schemas.is_shipped(name)
    return image_schemas.load(name) if of_images else schema_files.load(name)


def write_copy(schema: Schema | ImageSchema, path: Path, *, force: bool = False) -> None:
    """Write a commented copy of a schema.

    Raises:
        OutputError: the file exists, and ``force`` is not given.
        WriteError: it cannot be written.
    """
    may_write(path, force)
    write_file(path, commented(schema).encode())


def commented(schema: Schema | ImageSchema) -> str:
    """The text of a schema with a comment above the first occurrence of each key, and the unused keys at the end."""
    lines = schema.text.splitlines()
    root = yaml_files.load(schema.text, schema.spec.id).root
    assert isinstance(root, yaml.MappingNode)  # or it would not be a schema
    model = type(schema.spec)
    comments = {line: (column, text) for line, column, text in _comments(root, model, set())}
    pieces = []
    for number, line in enumerate(lines):
        if number in comments:
            column, text = comments[number]
            pieces.append(f"{' ' * (column - 2 * line.lstrip().startswith('- '))}# {text}")
        pieces.append(line)
    used = {key.value for key, _ in root.value}
    unused = [f"# {name}: {_meaning(model, name)}" for name in model.model_fields if name not in used]
    return "\n".join([*pieces, *(["", "# Further keys:", *unused] if unused else [])]) + "\n"


def _comments(node: yaml.Node, annotation: Any, seen: set[tuple[type[BaseModel], str]]) -> Iterator[Comment]:
    """The comments on the keys of a block mapping and of all below it, each key once."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _comments(item, annotation, seen)
    elif isinstance(node, yaml.MappingNode):
        model = next(iter(models_in(annotation)), None)
        by_name = get_origin(annotation) is dict
        for key, value in node.value:
            field = model.model_fields.get(key.value) if model and not by_name else None
            if model and field and not node.flow_style and (model, key.value) not in seen:
                seen.add((model, key.value))
                yield key.start_mark.line, key.start_mark.column, _meaning(model, key.value)
            if by_name:
                yield from _comments(value, get_args(annotation)[1], seen)
            elif field:
                yield from _comments(value, field.annotation, seen)


def _meaning(model: type[BaseModel], name: str) -> str:
    field = model.model_fields[name]
    of_part = next((inspect.getdoc(part) for part in models_in(field.annotation)), None)
    text = field.description or (of_part or "").partition("\n")[0].rstrip(".").replace("`", "")
    need = "required" if field.is_required() else "optional"
    return f"{text} ({need})" if text else need
