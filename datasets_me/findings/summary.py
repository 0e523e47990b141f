"""Findings counted by code, as tables on a terminal show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from datasets_me.core.errors import plural
from datasets_me.findings.codes import SEVERITIES, all_codes
from datasets_me.findings.finding import Finding


def by_code(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """One entry per code, the worst severity first: name, severity, count and the first message with its place."""
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(finding.code, []).append(finding)
    return [
        {
            "code": code,
            "name": all_codes()[code].name,
            "severity": all_codes()[code].severity,
            "count": len(same),
            "first": same[0].message,
            "where": same[0].where,
        }
        for code, same in sorted(grouped.items(), key=lambda item: _order(item[0]))
    ]


def counted(findings: Sequence[Finding]) -> str:
    """How many errors, warnings and remarks there are, in words."""
    counts = Counter(finding.severity for finding in findings)
    nouns = {"error": "error", "warning": "warning", "info": "remark"}
    return ", ".join(plural(counts[name], nouns[name]) for name in SEVERITIES if counts[name]) or "no findings"


def _order(code: str) -> tuple[int, str]:
    return SEVERITIES.index(all_codes()[code].severity), code
