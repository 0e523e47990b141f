"""Findings counted by code, as tables on a terminal show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datasets_me.findings.codes import all_codes
from datasets_me.findings.finding import Finding


def by_code(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """One entry per code that occurs: name, severity, count and the first message with its place."""
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
        for code, same in sorted(grouped.items())
    ]
