"""Finding, reading and explaining the YAML files of dataset schemas."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from datasets_me.core import resources
from datasets_me.core.errors import SchemaError
from datasets_me.core.text import closest, fold
from datasets_me.schema.spec import Spec

Part = TypeVar("Part", bound=BaseModel)

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Schema:
    """A dataset's spec, and the very text it was read from (kept in every manifest)."""

    spec: Spec
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def load(name: str) -> Schema:
    """A schema by id, by alias (``CAS(ME)^2``), or by the path of a YAML file.

    Raises:
        SchemaError: nothing of that name; the nearest is suggested. Or the file is wrong.
    """
    if name.endswith((".yaml", ".yml")):
        return load_file(Path(name))
    shipped_file = resources.folder("schemas") / f"{name}.yaml"
    if shipped_file in resources.schema_files():
        return load_file(shipped_file)
    by_name = {alias: schema for schema in shipped() for alias in (schema.spec.id, *schema.spec.aliases)}
    for alias, schema in by_name.items():
        if fold(alias) == fold(name):
            return schema
    near = closest(name, by_name)
    raise SchemaError(
        f"there is no dataset '{name}'",
        fix=(f"did you mean '{by_name[near].spec.id}'? " if near else "")
        + f"Known: {', '.join(schema.spec.id for schema in shipped())}; or give the path of a schema (.yaml)",
    )


@cache
def shipped() -> tuple[Schema, ...]:
    """All schemas of the package, sorted by id."""
    return tuple(load_file(path) for path in resources.schema_files())


def load_file(path: Path) -> Schema:
    """The schema in a YAML file.

    Raises:
        SchemaError: the file cannot be read, or is wrong; every fault is named with its line and YAML path.
    """
    return parse(read_text(path), str(path))


def parse(text: str, source: str) -> Schema:
    """The schema in a YAML text; ``source`` is named in errors.

    Raises:
        SchemaError: as in :func:`load_file`.
    """
    return Schema(validated(text, source, Spec), text)


def read_text(path: Path) -> str:
    """The text of a schema file.

    Raises:
        SchemaError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise SchemaError(f"the schema cannot be read: {reason}", where=str(path)) from error


def validated(text: str, source: str, model: type[Part]) -> Part:
    """A YAML text as a model; ``source`` is named in errors.

    Raises:
        SchemaError: it is not YAML, or wrong; every fault is named with its line and YAML path.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
        raw = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}, line {mark.line + 1}" if mark else source
        raise SchemaError(f"not YAML: {getattr(error, 'problem', error)}", where=where) from error
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        # PyYAML lets these through for values such as 2001-99-99, which it takes for a date.
        raise SchemaError(f"a value in the schema cannot be read: {error}", where=source) from error
    repeated = list(_repeated_keys(root, source, set()))
    if repeated:
        raise SchemaError("the schema is not valid", details=repeated)
    if not isinstance(raw, dict):
        raise SchemaError(
            f"a schema is a mapping with keys such as {', '.join(list(model.model_fields)[:3])}", where=source
        )
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        faults = [fault for problem in error.errors() for fault in _faults(problem, root, source, model)]
        raise SchemaError("the schema is not valid", details=faults) from error


def _repeated_keys(node: yaml.Node | None, source: str, seen: set[int]) -> Iterator[str]:
    """Keys that stand twice in one mapping; YAML would silently take the last. ``seen`` nodes are aliases."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if isinstance(key.value, str) and key.value in keys:
                yield f"{source}, line {key.start_mark.line + 1}: the key '{key.value}' stands twice"
            keys.add(str(key.value))
            yield from _repeated_keys(value, source, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item, source, seen)


def _faults(problem: Any, root: yaml.Node | None, source: str, model: type[BaseModel]) -> list[str]:
    """Lines of: file, line of the YAML, YAML path, what is wrong and what is allowed."""
    if problem["type"] == "value_error" and not problem["loc"]:  # the schema as a whole names paths of its own
        pairs = [line.split(": ", 1) for line in problem["msg"].removeprefix("Value error, ").splitlines()]
        return [_at(root, source, path.split("."), fault) for path, fault in pairs]
    location = [part for part in problem["loc"] if not _is_union_branch(part)]
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden" and location:
        allowed = sorted(_model_at(location[:-1], model).model_fields)
        near = closest(str(location[-1]), allowed)
        message = "unknown key; " + (f"did you mean '{near}'? " if near else "") + f"allowed: {', '.join(allowed)}"
    elif problem["type"] == "missing":
        message = "is missing"
    elif problem.get("input") is not None and not isinstance(problem["input"], dict | list):
        message += f" (found {problem['input']!r})"
    return [_at(root, source, location, message)]


def _at(root: yaml.Node | None, source: str, location: list[Any], message: str) -> str:
    path = ".".join(map(str, location)) or "(top level)"
    return f"{source}, line {_line(root, location)}: {path}: {message}"


def _is_union_branch(part: object) -> bool:
    return isinstance(part, str) and ("[" in part or part == "constrained-str")


def _model_at(location: list[Any], model: type[BaseModel]) -> type[BaseModel]:
    """The model that stands at a place of the YAML."""
    import typing

    def models(annotation: Any) -> list[Any]:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return [annotation]
        return [model for member in typing.get_args(annotation) for model in models(member)]

    for part in location:
        if part in model.model_fields:
            model = next(iter(models(model.model_fields[part].annotation)), model)
    return model


def _line(root: yaml.Node | None, location: list[Any]) -> int:
    """The line of the deepest part of a YAML path that is there."""
    node, line = root, 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and str(part).isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
    return line
