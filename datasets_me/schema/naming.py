"""Who and what a row or a folder is about, from the values of its columns or its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from datasets_me.core.text import fold, plain_number, same
from datasets_me.schema.spec import Names
from datasets_me.schema.template import Template


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
