"""Regular expressions of schemas, which may come from a stranger, matched within a time limit.

The module ``re`` has no such limit: ``(a|a)*b`` keeps it busy for hours with one word of forty letters.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Self

import regex

from datasets_me.core.errors import SchemaError
from datasets_me.core.text import printable

LONGEST = 1000
"""Characters of a pattern; the longest of the shipped schemas has about 60."""

_SECONDS = 2.0  # of slow matching, after which a pattern is given up; the usual match takes a few microseconds
_SLOW = 0.01  # seconds
_REMEMBERED = 4096  # texts per pattern: the names of subjects and videos repeat from row to row
_SHOWN = 60  # characters of a text in a message


class Located(str):
    """A text of a schema that knows where it stands: ``place`` is its file, line and key, or empty."""

    place: str

    def __new__(cls, text: str, place: str = "") -> Self:
        """The text, where it is known with its place."""
        located = super().__new__(cls, text)
        located.place = place
        return located


def place_of(text: str) -> str:
    """The file, line and key of a text of a schema; empty where they are not known."""
    return text.place if isinstance(text, Located) else ""


class Matcher:
    """A compiled pattern for whole texts; ``what`` it is and its ``place`` are named in errors."""

    def __init__(self, pattern: str, what: str, place: str, ignore_case: bool) -> None:
        self._regex = regex.compile(pattern, regex.IGNORECASE if ignore_case else 0)
        self._what, self._place = what, place
        self._left = _SECONDS
        self.fields = lru_cache(_REMEMBERED)(self._fields)

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of its groups."""
        return tuple(self._regex.groupindex)

    def fits(self, text: str) -> bool:
        """Whether the whole text matches.

        Raises:
            SchemaError: matching takes too long.
        """
        return self.fields(text) is not None

    def _fields(self, text: str) -> dict[str, str] | None:
        """The named groups that take part in a match of the whole text; None where it does not match.

        Raises:
            SchemaError: matching takes too long.
        """
        begin = time.perf_counter()
        try:
            match = self._regex.fullmatch(text, timeout=self._left)
        except TimeoutError as error:
            self._left = _SECONDS
            raise SchemaError(
                f"{self._what} takes too long to match '{_short(text)}'",
                where=self._place,
                fix="write the pattern so that a text matches it in one way only: 'a+' instead of '(a+)+' or 'a*a*'",
            ) from error
        seconds = time.perf_counter() - begin
        if seconds > _SLOW:  # many matches that are each just quick enough may take hours together
            self._left = max(self._left - seconds, _SLOW)
        if match is None:
            return None
        return {name: value for name, value in match.groupdict().items() if value is not None}


def matcher(pattern: str, *, ignore_case: bool = True) -> Matcher:
    """A pattern of a schema, compiled once.

    Raises:
        ValueError: it is not a regular expression, is too long, or is nested too deeply.
    """
    if len(pattern) > LONGEST:
        raise ValueError(f"the regular expression has {len(pattern):,} characters; at most {LONGEST:,} are allowed")
    return compiled(str(pattern), f"the pattern '{_short(pattern)}'", place_of(pattern), ignore_case)


@lru_cache(1024)
def compiled(pattern: str, what: str, place: str, ignore_case: bool = True) -> Matcher:
    """A pattern, compiled once; ``what`` it is and its ``place`` are named in errors.

    Raises:
        ValueError: it is not a regular expression, or is nested too deeply.
    """
    try:
        return Matcher(pattern, what, place, ignore_case)
    except regex.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    except (RecursionError, OverflowError, MemoryError) as error:
        raise ValueError("the regular expression is nested too deeply, or repeats too often") from error


def _short(text: str) -> str:
    return printable(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
