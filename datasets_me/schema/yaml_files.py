"""The one reader of YAML, which may come from a stranger: within limits, without repeated keys, faults with lines."""

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
_LONGEST = 10_000  # characters of one value; YAML reads 1:59:59… as one number in base 60

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """The value of a YAML text, and where each part of it is. ``what`` it is and ``source`` are for messages."""

    value: Any
    source: str
    what: str
    root: yaml.Node | None

    def line(self, location: list[Any]) -> int:
        """The line, from 1, of the deepest part of a YAML path that exists."""
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
        SchemaError: it is not YAML, has a key twice, or is too large or nested too deeply.
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
        # PyYAML raises these for values such as 2001-99-99, which it reads as a date.
        raise SchemaError(f"a value in the {what} cannot be read: {error}", where=source) from error
    repeated = list(_repeated_keys(root, source, set()))
    if repeated:
        raise SchemaError(f"the {what} is not valid\n" + "\n".join(repeated))
    return Document(value, source, what, root)


class _Size:
    """Counts the values of a YAML text as its parser goes through it.

    An alias counts as everything it stands for: ten lines with aliases of aliases can make millions of values.
    """

    def __init__(self) -> None:
        self._values = 0
        self._by_anchor: dict[str, int] = {}
        self._opened: list[tuple[str | None, int]] = []

    def fault(self, event: yaml.Event, what: str) -> str | None:
        """What is wrong with the text up to the next event, or None."""
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in self._opened):
                return f"the alias *{event.anchor} is used inside its own definition"
            self._values += self._by_anchor.get(event.anchor or "", 1)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self._opened.pop()
            if anchor:
                self._by_anchor[anchor] = self._values - before
        elif isinstance(event, yaml.NodeEvent):
            self._open(event)
            if len(getattr(event, "value", "")) > _LONGEST:
                return f"a value has more than {_LONGEST:,} characters"
        if self._values > _MOST_VALUES:
            return f"the {what} has more than {_MOST_VALUES:,} values"
        if len(self._opened) > _DEEPEST:
            return f"the {what} is nested more than {_DEEPEST} deep"
        return None

    def _open(self, event: yaml.NodeEvent) -> None:
        if isinstance(event, yaml.CollectionStartEvent):
            self._opened.append((event.anchor, self._values))
        elif event.anchor:
            self._by_anchor[event.anchor] = 1
        self._values += 1


def _check_size(text: str, source: str, what: str) -> None:
    """Refuse what would take too much time or memory, before anything is built from it."""
    size = _Size()
    for event in yaml.parse(text, Loader=_Loader):
        if fault := size.fault(event, what):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise SchemaError(fault, where=f"{source}, line {line}")


def _repeated_keys(node: yaml.Node | None, source: str, seen: set[int]) -> Iterator[str]:
    """Keys that occur twice in one mapping; YAML would silently take the last. ``seen`` nodes are aliases."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if isinstance(key.value, str) and key.value in keys:
                yield f"  {source}, line {key.start_mark.line + 1}: the key '{key.value}' occurs twice"
            keys.add(str(key.value))
            yield from _repeated_keys(value, source, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item, source, seen)
