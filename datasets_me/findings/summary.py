"""Findings counted by code, as tables on a terminal show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasets_me.core.errors import plural
from datasets_me.findings.codes import SEVERITIES, all_codes
from datasets_me.findings.finding import Finding

MOST_ALIKE = 20
"""Remarks of one code that are listed one by one."""


def by_code(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """One entry per code, the worst severity first: name, severity, count and the first message with its place.

    Findings that were accepted have an entry of their own, because they are no more than information.
    """
    grouped: dict[tuple[int, str], list[Finding]] = {}
    for finding in findings:
        grouped.setdefault((SEVERITIES.index(finding.severity), finding.code), []).append(finding)
    return [
        {
            "code": code,
            "name": all_codes()[code].name,
            "severity": same[0].severity,
            "count": len(same),
            "first": same[0].message,
            "where": same[0].where,
        }
        for (_, code), same in sorted(grouped.items(), key=lambda item: item[0])
    ]


def counted(findings: Sequence[Finding]) -> str:
    """How many errors, warnings and remarks there are, in words."""
    counts = Counter(finding.severity for finding in findings)
    nouns = {"error": "error", "warning": "warning", "info": "remark"}
    return ", ".join(plural(counts[name], nouns[name]) for name in SEVERITIES if counts[name]) or "no findings"


@dataclass(frozen=True)
class Line:
    """A finding that is listed, and how many others of its code it stands for."""

    finding: Finding
    more: int = 0

    @property
    def message(self) -> str:
        """The finding's message, with the number of the others."""
        return self.finding.message + (f" (and {self.more:,} more of this code; JSON has all)" if self.more else "")


def folded(findings: Sequence[Finding]) -> list[Line]:
    """The findings for people: of a remark that was made many times only the first, with the number of the others."""
    counts = Counter(finding.code for finding in findings if finding.severity == "info")
    many = {code: count - 1 for code, count in counts.items() if count > MOST_ALIKE}
    lines = [Line(finding) for finding in findings if finding.code not in many]
    first = {finding.code: finding for finding in reversed(findings) if finding.code in many}
    return [*lines, *(Line(first[code], many[code]) for code in sorted(first))]
