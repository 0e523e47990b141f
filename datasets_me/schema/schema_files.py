"""Finding, reading and explaining the YAML files of dataset schemas."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from datasets_me.core import resources
from datasets_me.core.errors import SchemaError
from datasets_me.core.text import closest, fold, misspelt
from datasets_me.schema.patterns import Located
from datasets_me.schema.spec import NOT_VALID, Spec
from datasets_me.schema.yaml_files import Document, read_text
from datasets_me.schema.yaml_files import load as load_yaml

ModelT = TypeVar("ModelT", bound=BaseModel)

_MOST_FAULTS = 20  # in one message


@dataclass(frozen=True)
class Schema:
    """A dataset's spec, and the exact text it was read from, which every manifest keeps."""

    spec: Spec
    text: str

    @property
    def sha256(self) -> str:
        """The hash of the text, in hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def load(name: str | Path) -> Schema:
    """A schema by id, by alias (``CAS(ME)^2``), or by the path of a YAML file.

    Raises:
        SchemaError: there is no such schema, and the nearest is suggested; or the file is wrong.
    """
    name = str(name)
    if name.endswith((".yaml", ".yml")):
        return load_file(Path(name))
    shipped_file = resources.folder("schemas") / f"{name}.yaml"
    if shipped_file in resources.schema_files():
        return load_file(shipped_file)
    by_name = {alias: schema for schema in shipped() for alias in (schema.spec.id, *schema.spec.aliases)}
    for alias, schema in by_name.items():
        if fold(alias) == fold(name):
            return schema
    near = misspelt(name, by_name)
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


@lru_cache(maxsize=64)
def parse(text: str, source: str) -> Schema:
    """The schema in a YAML text; ``source`` is named in errors. The same text gives the same object again.

    Raises:
        SchemaError: as in :func:`load_file`.
    """
    return Schema(validated(text, source, Spec), text)


def validated(text: str, source: str, model: type[ModelT], what: str = "schema") -> ModelT:
    """A YAML text as a model; ``source`` and ``what`` it is are named in errors.

    Raises:
        SchemaError: it is not YAML, or wrong; every fault is named with its line and YAML path.
    """
    document = load_yaml(text, source, what)
    if not isinstance(document.value, dict):
        keys = ", ".join(list(model.model_fields)[:3])
        raise SchemaError(f"a {what} must be a mapping with keys such as {keys}", where=source)
    try:
        instance = model.model_validate(document.value)
        _locate(instance, document, [])
        return instance
    except ValidationError as error:
        problems = error.errors()
        faults = [fault for problem in problems[:_MOST_FAULTS] for fault in _faults(problem, document, model)]
        if len(problems) > _MOST_FAULTS:
            faults.append(f"and {len(problems) - _MOST_FAULTS:,} more")
        raise SchemaError(f"the {what} is not valid", details=faults) from error
    except ValueError as error:  # such as a number that is too long for a text
        raise SchemaError(f"a value in the {what} cannot be read: {error}", where=source) from error


def _locate(value: object, document: Document, path: list[str]) -> None:
    """Tell the patterns and templates of a schema where they stand."""
    if isinstance(value, Located):
        value.place = f"{document.source}, line {document.line(path)}: {'.'.join(path)}"
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            _locate(getattr(value, name), document, [*path, name])
    elif isinstance(value, dict):
        for key, item in value.items():
            _locate(item, document, [*path, str(key)])
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _locate(item, document, [*path, str(index)])


def _faults(problem: Any, document: Document, model: type[BaseModel]) -> list[str]:
    """One line per fault: file, line, YAML path, what is wrong and what is allowed."""
    if problem["type"] == NOT_VALID:
        return [_at(document, path.split("."), fault) for path, fault in problem["ctx"]["faults"]]
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
    return [_at(document, location, message)]


def _at(document: Document, location: list[Any], message: str) -> str:
    path = ".".join(map(str, location)) or "(top level)"
    return f"{document.source}, line {document.line(location)}: {path}: {message}"


def _is_union_branch(part: object) -> bool:
    return isinstance(part, str) and ("[" in part or part == "constrained-str")


def _model_at(location: list[Any], model: type[BaseModel]) -> type[BaseModel]:
    """The model at a place of the YAML."""
    for part in location:
        if part in model.model_fields:
            model = next(iter(models_in(model.model_fields[part].annotation)), model)
    return model


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation names, such as ``Layout`` in ``list[Layout]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for member in get_args(annotation) for model in models_in(member)]
