"""The one reader of YAML, whoever wrote it: within limits, without repeated keys, every fault with its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from datasets_me.core.errors import SchemaError
from datasets_me.core.files import read_regular

# The largest shipped schema has 9,000 bytes, 1,500 values (keys among them), and is nested six deep.
_MOST_BYTES, _MOST_VALUES, _DEEPEST = 1_000_000, 100_000, 32
_LONGEST = 10_000  # characters of one value; YAML reads 1:59:59… as one number to the base of 60

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """What a YAML text says, and where each part of it stands. ``what`` it is, and ``source``, are for messages."""

    value: Any
    source: str
    what: str
    root: yaml.Node | None

    def line(self, location: list[Any]) -> int:
        """The line of the deepest part of a YAML path that is there, from 1."""
        node, line = self.root, 1
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


def read_text(path: Path, what: str = "schema") -> str:
    """The text of a YAML file.

    Raises:
        SchemaError: it cannot be read.
    """
    try:
        return read_regular(path, _MOST_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else getattr(error, "strerror", None) or error
        raise SchemaError(f"the {what} cannot be read: {reason}", where=str(path)) from error


def load(text: str, source: str, what: str = "schema") -> Document:
    """A YAML text; ``source`` and ``what`` it is are named in errors.

    Raises:
        SchemaError: it is not YAML, has a key twice, or is larger or deeper than anybody writes.
    """
    if len(text) > _MOST_BYTES:
        raise SchemaError(f"the {what} has {len(text):,} characters; at most {_MOST_BYTES:,} are read", where=source)
    try:
        _check_size(text, source, what)
        loader = _Loader(text)
        root = loader.get_single_node()
        value = None if root is None else loader.construct_document(root)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}, line {mark.line + 1}" if mark else source
        raise SchemaError(f"not YAML: {getattr(error, 'problem', error)}", where=where) from error
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        # PyYAML lets these through for values such as 2001-99-99, which it takes for a date.
        raise SchemaError(f"a value in the {what} cannot be read: {error}", where=source) from error
    repeated = list(_repeated_keys(root, source, set()))
    if repeated:
        raise SchemaError(f"the {what} is not valid\n" + "\n".join(repeated))
    return Document(value, source, what, root)


def _check_size(text: str, source: str, what: str) -> None:
    """Refuse what would take too much time or memory, before anything is made of it.

    An alias counts as all that it stands for: aliases of aliases of aliases make millions of values of ten lines.
    """
    values = 0
    known: dict[str, int] = {}
    opened: list[tuple[str | None, int]] = []
    for event in yaml.parse(text, Loader=_Loader):
        fault = None
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in opened):
                fault = f"*{event.anchor} stands in what it stands for"
            values += known.get(event.anchor or "", 1)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            if anchor:
                known[anchor] = values - before
        elif isinstance(event, yaml.NodeEvent):
            if isinstance(event, yaml.CollectionStartEvent):
                opened.append((event.anchor, values))
            elif event.anchor:
                known[event.anchor] = 1
            if len(getattr(event, "value", "")) > _LONGEST:
                fault = f"a value has more than {_LONGEST:,} characters"
            values += 1
        if values > _MOST_VALUES:
            fault = f"the {what} has more than {_MOST_VALUES:,} values"
        elif len(opened) > _DEEPEST:
            fault = f"the {what} is nested more than {_DEEPEST} deep"
        if fault:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise SchemaError(fault, where=f"{source}, line {line}")


def _repeated_keys(node: yaml.Node | None, source: str, seen: set[int]) -> Iterator[str]:
    """Keys that stand twice in one mapping; YAML would silently take the last. ``seen`` nodes are aliases."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if isinstance(key.value, str) and key.value in keys:
                yield f"  {source}, line {key.start_mark.line + 1}: the key '{key.value}' stands twice"
            keys.add(str(key.value))
            yield from _repeated_keys(value, source, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item, source, seen)
