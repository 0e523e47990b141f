"""Who and what a row or a folder is about, from the values of its columns or its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from datasets_me.core.text import fold, plain_number, same
from datasets_me.schema.patterns import matcher
from datasets_me.schema.spec import NameRules
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
    names: NameRules,
    values: Mapping[str, str],
    lookups: Mapping[str, Mapping[str, str]] | None = None,
    *,
    canonical: bool = False,
) -> dict[str, str]:
    """All values that follow from those at hand: names taken apart, columns split, lookups done.

    A split or a lookup that fails adds nothing. Values at hand are never replaced, unless ``canonical`` asks for what
    the lookups know instead.

    Args:
        names: of the schema.
        values: by column or field.
        lookups: tables read from a workbook, used in place of the schema's.
        canonical: prefer the lookups to the values at hand.

    Raises:
        SchemaError: a pattern of the schema takes too long to match.
    """
    known = dict(values)
    for column, template in (("subject_name", names.subject), ("video_name", names.video)):
        if column in known:
            known = (Template(template).matcher(names.patterns).fields(known[column]) or {}) | known
    for column, pattern in names.split.items():
        if column in known:
            known = (matcher(pattern).fields(known[column]) or {}) | known
    for name, lookup in names.lookups.items():
        if lookup.by in known and (canonical or name not in known):
            table = (lookups or {}).get(name) or lookup.values
            value = {_key(key): value for key, value in table.items()}.get(_key(known[lookup.by]))
            if value is not None:
                known[name] = value
    return known


def identify(names: NameRules, known: Mapping[str, str]) -> Identity | None:
    """The identity that the derived values give, or None where the video cannot be named."""

    def name(template: str | None) -> str | None:
        fields = Template(template).fields if template else ()
        return Template(template).render(known) if template and all(field in known for field in fields) else None

    video = name(names.video)
    return Identity(name(names.subject), video, name(names.expression)) if video else None


def contradictions(names: NameRules, values: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """Where a split disagrees with a column of the row: the split's column, the name, its value, the column's value."""
    for column, pattern in names.split.items():
        fields = matcher(pattern).fields(values[column]) if column in values else None
        for name, value in (fields or {}).items():
            if name in values and not same(values[name], value):
                yield column, name, value, values[name]


@lru_cache(4096)
def _key(text: str) -> str:
    return plain_number(fold(text))
