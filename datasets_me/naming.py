"""Names as templates over the columns of a workbook, read and written with the same text.

``casme_{folder:03}_{code:04}`` makes a video's name from its values, and finds the values in a name.
``{folder:03}`` is a number filled with zeros to three digits (``{folder:0}``: no zeros), ``{clip}`` any text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from datasets_me.text import fold, plain_number, same

if TYPE_CHECKING:
    from datasets_me.spec import Names

_FIELD = re.compile(r"\{(?P<name>[a-z_]+)(?::0(?P<width>\d*))?\}")

DIGITS = r"\d+"


@dataclass(frozen=True)
class Template:
    """A text with fields in braces."""

    text: str

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields, in order, each as often as it occurs."""
        return tuple(match["name"] for match in _FIELD.finditer(self.text))

    @property
    def broken(self) -> bool:
        """Whether braces are left over that make no field."""
        return bool(re.search(r"[{}]", _FIELD.sub("", self.text)))

    def render(self, values: Mapping[str, str]) -> str:
        """The text with the fields filled in.

        Raises:
            KeyError: a field has no value.
        """

        def fill(match: re.Match[str]) -> str:
            value = values[match["name"]]
            if match["width"] is None:
                return value
            return plain_number(value).zfill(int(match["width"] or 0))

        return _FIELD.sub(fill, self.text)

    def regex(self, patterns: Mapping[str, str]) -> re.Pattern[str]:
        """A pattern for a text made by this template, in any case and with any padding.

        A field that occurs twice is matched twice: its last occurrence under its own name, the earlier
        ones as ``name__1``, ``name__2``.., so that a folder in the wrong place can be recognised.
        """
        pieces, end = [], 0
        left = {name: self.fields.count(name) for name in self.fields}
        for match in _FIELD.finditer(self.text):
            name = match["name"]
            left[name] -= 1
            group = f"{name}__{left[name]}" if left[name] else name
            default = DIGITS if match["width"] is not None else r"[^/]+?"
            pieces += [
                re.escape(self.text[end : match.start()]),
                f"(?P<{group}>{patterns.get(name, default)})",
            ]
            end = match.end()
        pieces.append(re.escape(self.text[end:]))
        return re.compile("".join(pieces), re.IGNORECASE)


@dataclass(frozen=True)
class Identity:
    """Who and what a row or a folder is about.

    ``subject`` is None where a folder's name does not tell; ``expression`` where it is a whole video.
    """

    subject: str | None
    video: str
    expression: str | None


def derive(
    names: Names,
    values: Mapping[str, str],
    lookups: Mapping[str, Mapping[str, str]] | None = None,
    *,
    canonical: bool = False,
) -> dict[str, str]:
    """All values that follow from those at hand: names taken apart, columns split, lookups done.

    ``lookups`` are tables read from a workbook, used in place of the schema's. A split or a lookup that fails adds
    nothing. Values at hand are never replaced, unless ``canonical`` asks for what the lookups know instead.
    """
    known = dict(values)
    for column, template in (("subject_name", names.subject), ("video_name", names.video)):
        if column in known:
            match = Template(template).regex(names.patterns).fullmatch(known[column])
            for name, value in match.groupdict().items() if match else ():
                known.setdefault(name, value)
    for column, pattern in names.split.items():
        match = re.fullmatch(pattern, known[column], re.IGNORECASE) if column in known else None
        for name, value in match.groupdict().items() if match else ():
            known.setdefault(name, value)
    for name, lookup in names.lookups.items():
        if lookup.by in known and (canonical or name not in known):
            table = (lookups or {}).get(name) or lookup.values
            found = {_key(key): value for key, value in table.items()}.get(_key(known[lookup.by]))
            if found is not None:
                known[name] = found
    return known


def identify(names: Names, known: Mapping[str, str]) -> Identity | None:
    """The identity that the derived values give, or None where the video cannot be named."""

    def name(template: str | None) -> str | None:
        fields = Template(template).fields if template else ()
        return Template(template).render(known) if template and all(field in known for field in fields) else None

    video = name(names.video)
    return Identity(name(names.subject), video, name(names.expression)) if video else None


def contradictions(names: Names, values: Mapping[str, str]) -> list[tuple[str, str, str, str]]:
    """Splits that say something else than a column of the row: (split column, name, its value, the column's)."""
    found = []
    for column, pattern in names.split.items():
        match = re.fullmatch(pattern, values[column], re.IGNORECASE) if column in values else None
        for name, value in match.groupdict().items() if match else ():
            if name in values and not same(values[name], value):
                found.append((column, name, value, values[name]))
    return found


def _key(text: str) -> str:
    return plain_number(fold(text))
