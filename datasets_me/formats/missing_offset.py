"""How an offset that was not annotated is read: one rule for exports and scores.

===========  =====================================================================
``mirror``   2 · apex − onset: as far after the apex as the onset lies before it
``apex``     the apex itself
``fixed:N``  N frames of the annotation after the apex
``drop``     not at all
===========  =====================================================================
"""

from __future__ import annotations

import re
from typing import Literal

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.records import Annotation

OffsetFrom = Literal["annotated", "mirror", "apex", "fixed"]
"""Where an offset comes from."""

# Nine digits: added to any frame number that a workbook may hold, the sum still fits 32 bits.
_RULE = re.compile(r"mirror|apex|drop|fixed:(\d{1,9})")


def check_rule(rule: str) -> None:
    """Refuse a text that is none of the rules.

    Raises:
        MeDatasetsError: it is not.
    """
    if not _RULE.fullmatch(rule):
        raise MeDatasetsError(
            f"'{rule}' is not a rule for missing offsets", fix="give mirror, apex, drop, or fixed:N (such as fixed:20)"
        )


def read_offset(row: Annotation, rule: str) -> tuple[int, OffsetFrom] | None:
    """The offset of an annotation, 0-based at its own rate, and where it comes from; None where there is none.

    Raises:
        MeDatasetsError: ``rule`` is none of the rules.
    """
    check_rule(rule)
    if row.offset is not None:
        return row.offset, "annotated"
    if rule == "drop" or row.apex is None:
        return None
    if rule == "apex":
        return row.apex, "apex"
    if rule == "mirror":
        return None if row.onset is None else (2 * row.apex - row.onset, "mirror")
    return row.apex + int(rule.partition(":")[2]), "fixed"
