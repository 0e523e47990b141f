"""Names as templates: one text both writes and reads them.

``casme_{folder:03}_{code:04}`` makes a video's name from its values, and reads the values from a name.
``{folder:03}`` is a number filled with zeros to three digits (``{folder:0}``: no zeros), ``{clip}`` any text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from datasets_me.core.text import plain_number
from datasets_me.schema.patterns import Matcher, compiled, place_of

_FIELD = re.compile(r"\{(?P<name>[a-z_]+)(?::0(?P<width>\d{0,2}))?\}")

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
        """Whether there are braces that do not belong to a field."""
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

    def matcher(self, patterns: Mapping[str, str], prefix: str = "") -> Matcher:
        """A pattern for a text made by this template, in any case and with any padding.

        A field that occurs twice is matched twice: its last occurrence under its own name, the earlier
        ones as ``name__1``, ``name__2``.., so that a folder in the wrong place can be recognised.

        Args:
            patterns: the regular expressions of fields; others are numbers, where they have a width, or any text.
            prefix: a regular expression for the text before.
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
        places = [place_of(self.text), *(place_of(patterns[name]) for name in left if name in patterns)]
        where = "; ".join(filter(None, places))
        return compiled(prefix + "".join(pieces), f"the template '{self.text}'", where)
