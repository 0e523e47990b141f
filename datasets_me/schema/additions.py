"""A schema with further corrections, relocations and exclusions; the rest of its text, comments included, stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from datasets_me.core.errors import SchemaError
from datasets_me.core.text import same
from datasets_me.schema import schema_files, yaml_files
from datasets_me.schema.schema_files import Schema
from datasets_me.schema.spec import Correction, LeftOut, Relocation

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def with_additions(
    schema: Schema,
    corrections: Sequence[Correction] = (),
    relocations: Sequence[Relocation] = (),
    exclude: Sequence[LeftOut] = (),
) -> Schema:
    """A schema with more entries. A correction of a cell that the schema corrects already takes that one's place.

    Raises:
        SchemaError: the entries do not fit the schema, or it becomes too large.
    """
    spec = schema.spec
    kept = [old for old in spec.corrections if not any(_of_one_cell(old, new) for new in corrections)]
    lists = {
        "corrections": [*kept, *corrections] if corrections else None,
        "relocations": [*spec.relocations, *relocations] if relocations else None,
        "exclude": [*spec.exclude, *exclude] if exclude else None,
    }
    parts = {
        name: [entry.model_dump(exclude_none=True) for entry in entries]
        for name, entries in lists.items()
        if entries is not None
    }
    source = f"{spec.id} with additions"
    try:
        return schema_files.parse(_with_parts(schema.text, parts), source)
    except SchemaError:  # a part that was replaced had an anchor, or the text is no block of keys
        whole = yaml_files.load(schema.text, source).value | parts
        return schema_files.parse(_dumped(whole), source)


def _of_one_cell(first: Correction, second: Correction) -> bool:
    return (
        (first.subject, first.video, first.column) == (second.subject, second.video, second.column)
        and same(first.expression or second.expression or "", second.expression or "")
        and same(first.old, second.old)
    )


def _with_parts(text: str, parts: dict[str, Any]) -> str:
    """The text of a schema in which some keys have another value; those that it has not come at its end."""
    root = yaml_files.load(text, "").root
    assert isinstance(root, yaml.MappingNode)  # or it would not be a schema
    lines = text.splitlines()
    left = dict(parts)
    for key, value in reversed(root.value):
        if key.value in left:
            lines[key.start_mark.line : _end(value)] = _dumped({key.value: left.pop(key.value)}).splitlines()
    return "\n".join([*lines, *_dumped(left).splitlines()] if left else lines) + "\n"


def _end(node: yaml.Node) -> int:
    """The number of lines of a text up to the end of a value; a block ends where its last part does."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    mark = node.end_mark
    return mark.line + (mark.column > 0)


def _dumped(value: object) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))
