"""Groups of items on their way to other processes, and what is known of them when a process dies."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

from datasets_me.core.errors import MeDatasetsError


@dataclass(eq=False)
class Part:
    """Items of a group that go to a process together: all of them, or one of them after a process died with all.

    ``message`` is the items as bytes; ``deaths`` counts how often the part was lost with a process.
    """

    number: int
    first: int
    items: list[Any]
    message: bytes
    deaths: int = 0


@dataclass(eq=False)
class _Group:
    outcomes: list[Any]
    missing: int


class Parts:
    """The groups that are away, each whole or in parts, with the outcomes that have come back."""

    def __init__(self) -> None:
        self._groups: dict[int, _Group] = {}

    def whole(self, number: int, items: list[Any]) -> Part:
        """A group as one part.

        Raises:
            MeDatasetsError: an item cannot be sent.
        """
        self._groups[number] = _Group([None] * len(items), len(items))
        return _part(number, 0, items)

    def single(self, part: Part) -> list[Part]:
        """Each item of a part as a part of its own, to find out which of them ends its process."""
        return [_part(part.number, part.first + index, [item]) for index, item in enumerate(part.items)]

    def note(self, part: Part, outcomes: list[Any]) -> list[Any] | None:
        """Keep the outcomes of a part; returns those of its whole group if they are all here."""
        group = self._groups[part.number]
        group.outcomes[part.first : part.first + len(outcomes)] = outcomes
        group.missing -= len(outcomes)
        return None if group.missing else self._groups.pop(part.number).outcomes


def _part(number: int, first: int, items: list[Any]) -> Part:
    return Part(number, first, items, packed(items, "an item"))


def packed(value: Any, what: str) -> bytes:
    """A value as bytes.

    Raises:
        MeDatasetsError: it cannot be sent.
    """
    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # whatever the value's own methods raise
        raise MeDatasetsError(
            f"{what} cannot be sent to another process: {error}", fix="work in this process (workers=0)"
        ) from error
