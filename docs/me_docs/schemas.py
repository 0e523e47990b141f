"""The reference of the YAML files, from their Pydantic models; examples are taken from the files that are shipped."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from datasets_me.core import resources
from datasets_me.schema.images import ImageSpec
from datasets_me.schema.predictions import PredictionSpec
from datasets_me.schema.spec import Spec
from datasets_me.schema.tools import ToolSpec
from me_docs.markdown import code, page, paragraphs, table, text, toctree

FOLDER = "reference/schemas"
NOTES = Path(__file__).with_name("keys.yaml")

_LONGEST = 90  # characters of an example in a table
_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


@dataclass(frozen=True)
class Kind:
    """A kind of YAML file: the name of its page, its title, its model, and the folder of those that are shipped."""

    name: str
    title: str
    model: type[BaseModel]
    shipped: str


KINDS = (
    Kind("datasets", "Datasets: schemas/*.yaml", Spec, "schemas"),
    Kind("images", "Sets of images: schemas/images/*.yaml", ImageSpec, "schemas/images"),
    Kind("tools", "Tables of other tools: schemas/tools/*.yaml", ToolSpec, "schemas/tools"),
    Kind("predictions", "Forms of predictions: schemas/predictions/*.yaml", PredictionSpec, "schemas/predictions"),
)


def pages() -> dict[str, str]:
    """A page per kind of YAML file, and the page that lists them."""
    notes = yaml.safe_load(NOTES.read_text(encoding="utf-8"))
    made = {f"{FOLDER}/{kind.name}.md": page(_kind_page(kind, notes[kind.name])) for kind in KINDS}
    made[f"{FOLDER}/index.md"] = page(
        [
            "# Schema keys",
            "",
            "What a dataset, a set of images or a file of predictions is stands in a YAML file. Unknown keys are "
            "errors, and every error names its line and its path in the file. `me-datasets schema check FILE` tries a "
            "file, `me-datasets schema json` prints the JSON Schema for editors.",
            "",
            *(f"- [{kind.title}]({kind.name}.md)" for kind in KINDS),
            "",
            *toctree(kind.name for kind in KINDS),
        ]
    )
    return made


def keys(kind: Kind) -> Iterator[tuple[str, FieldInfo]]:
    """Every key of a kind with its path: ``workbook.variants[].columns``."""
    for path, model in _parts(kind.model):
        for name, field in model.model_fields.items():
            yield f"{path}{name}", field


def meaning(path: str, field: FieldInfo, notes: dict[str, dict[str, Any]]) -> str:
    """What a key means: a note, else what its model says of it, else what its own model says; "" if none does."""
    if "what" in notes.get(path, {}):
        return str(notes[path]["what"])
    docstrings = (inspect.cleandoc(model.__doc__ or "").partition("\n\n")[0] for model in models(field.annotation))
    words = field.description or next(docstrings, "")
    return words[:1].upper() + words[1:]


def example(kind: Kind, path: str, field: FieldInfo, notes: dict[str, dict[str, Any]]) -> Any:
    """A value of a key: of a note, of the first shipped file that has one, or the default; None if there is none."""
    if "example" in notes.get(path, {}):
        return notes[path]["example"]
    files = (resources.folder("schemas").parent / kind.shipped).glob("*.yaml")
    for file in sorted(files, key=lambda file: (file.name[0].isdigit(), file.name)):  # CAS(ME)² has the most to show
        for value in _values(yaml.safe_load(file.read_text(encoding="utf-8")), path.split(".")):
            if value not in (None, [], {}, ""):
                return value
    return None if field.is_required() else field.default


def _parts(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """A model and the models of its keys, each with the beginning of its keys' paths."""
    yield path, model
    for name, field in model.model_fields.items():
        several = typing.get_origin(_bare(field.annotation)) is list
        for below in models(field.annotation):
            yield from _parts(below, f"{path}{name}{'[]' if several else ''}{_by_name(field.annotation)}.")


def _by_name(annotation: Any) -> str:
    return ".*" if typing.get_origin(_bare(annotation)) is dict else ""


def _bare(annotation: Any) -> Any:
    """A type without notes and without None."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _bare(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        members = [one for one in typing.get_args(annotation) if one is not type(None)]
        if len(members) == 1:
            return _bare(members[0])
    return annotation


def models(annotation: Any) -> list[type[BaseModel]]:
    """The models in a type, in order."""
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return [bare]
    return [model for member in typing.get_args(bare) for model in models(member)]


def _type(annotation: Any) -> str:
    """A type in words."""
    bare = _bare(annotation)
    origin, members = typing.get_origin(bare), typing.get_args(bare)
    if origin is typing.Literal:
        return " or ".join(code(member) for member in members)
    if origin is list:
        return f"list of {_type(members[0])}"
    if origin is dict:
        return f"{_type(members[1])}, by {'name' if _bare(members[0]) is str else _type(members[0])}"
    if origin is tuple:
        return f"{len(members)} of {_type(members[0])}"
    if origin in (types.UnionType, typing.Union):
        return " or ".join(dict.fromkeys(_type(member) for member in members))
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return "keys below"
    return _WORDS.get(bare, "text")


def _values(content: Any, path: list[str]) -> Iterator[Any]:
    """The values at a path of a YAML file: ``[]`` stands for each entry of a list, ``*`` for each of a mapping."""
    if not path:
        yield content
        return
    name, rest = path[0], path[1:]
    if name == "*":
        for value in content.values() if isinstance(content, dict) else ():
            yield from _values(value, rest)
        return
    key = name.removesuffix("[]")
    if not isinstance(content, dict) or key not in content:
        return
    value = content[key]
    for each in value if name.endswith("[]") and isinstance(value, list) else [value]:
        yield from _values(each, rest)


def _kind_page(kind: Kind, notes: dict[str, dict[str, Any]]) -> list[str]:
    lines = [f"# {kind.title}", ""]
    for path, model in _parts(kind.model):
        if path:
            lines += [f"## `{path.removesuffix('.')}`", ""]
        lines += paragraphs(inspect.cleandoc(model.__doc__ or ""))
        rows = []
        for name, field in model.model_fields.items():
            full = f"{path}{name}"
            value = None if models(field.annotation) else example(kind, full, field, notes)
            rows.append(
                [
                    code(name),
                    _type(field.annotation),
                    _default(field),
                    text(meaning(full, field, notes)),
                    "" if value is None else _short(value),
                ]
            )
        lines += table(["key", "value", "default", "meaning", "example"], rows)
    return lines


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.default
    if default is PydanticUndefined or default in (None, [], {}, "") or isinstance(default, BaseModel):
        return ""
    return code(_flow(default))


def _short(value: Any) -> str:
    """A value in one line of YAML; of long lists and mappings the beginning."""
    while len(_flow(value)) > _LONGEST and isinstance(value, list | dict) and len(value) > 1:
        value = value[:-1] if isinstance(value, list) else dict(list(value.items())[:-1])
    flow = _flow(value)
    return code(flow if len(flow) <= _LONGEST else f"{flow[: _LONGEST - 1]}…")


def _flow(value: Any) -> str:
    if isinstance(value, tuple):
        value = list(value)
    shown = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False)
    return str(shown).removesuffix("...\n").strip()
