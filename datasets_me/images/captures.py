"""Whether every person of a set of captures shows every expression in every light and from every side."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from datasets_me.core.errors import ImagesError
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.image_set import ImageSet

LABEL = "label"
BY = (LABEL, "light", "view")
"""What is varied: the label, and fields of the images' names."""

_NAMED = 4  # pictures that a message names


@dataclass(frozen=True)
class Completeness:
    """How complete a set of captures is.

    Attributes:
        by: what is varied.
        wanted: every combination of the values that occur.
        counts: by subject, how many images there are of each combination.
        findings: ME746 for every subject that lacks some.
    """

    by: tuple[str, ...]
    wanted: list[tuple[str, ...]]
    counts: dict[str, Counter[tuple[str, ...]]]
    findings: list[Finding]


def completeness(images: ImageSet, by: Sequence[str] = BY) -> Completeness:
    """Which subject lacks which combination.

    Args:
        images: the set, with subjects.
        by: what is varied; a field that no image has is passed over.

    Findings: ME746 a subject lacks a combination that the values of the set allow.

    Raises:
        ImagesError: no image names its subject, or none has any of the fields.
    """
    counts: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    rows = [row for row in images.rows(pixels=False) if row.subject is not None]
    fields = tuple(name for name in by if any((row.label if name == LABEL else row.extra.get(name)) for row in rows))
    if not rows or not fields:
        what = "no image names its subject" if not rows else f"no image has {' or '.join(by)}"
        raise ImagesError(what, where=str(images.folder), fix="import with a schema whose paths have these fields")
    for row in rows:
        values = tuple((row.label if name == LABEL else row.extra.get(name)) or "" for name in fields)
        if all(values):
            counts[str(row.subject)][values] += 1
    seen: list[list[str]] = [
        sorted({values[at] for each in counts.values() for values in each}) for at in range(len(fields))
    ]
    wanted = list(product(*seen))
    findings = [
        finding(
            "ME746",
            f"{subject} lacks {_named(missing)}",
            found=str(len(wanted) - len(missing)),
            expected=str(len(wanted)),
        )
        for subject, each in sorted(counts.items())
        if (missing := [values for values in wanted if not each[values]])
    ]
    return Completeness(fields, wanted, dict(sorted(counts.items())), findings)


def _named(missing: Iterable[tuple[str, ...]]) -> str:
    texts = [first + (f" ({', '.join(rest)})" if rest else "") for first, *rest in missing]
    more = f" and {len(texts) - _NAMED:,} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more
