"""Which findings are reported, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from datasets_me.core.choices import Severity
from datasets_me.findings.codes import SEVERITIES, check_selectors, matches
from datasets_me.findings.finding import Finding


def read_codes(texts: Iterable[str]) -> list[str]:
    """Codes, or beginnings of codes, separated by commas or given several times.

    Raises:
        MeDatasetsError: one selects nothing.
    """
    codes = [code.strip().upper() for text in texts for code in text.split(",") if code.strip()]
    check_selectors(codes)
    return codes


def without_findings(codes: Sequence[str], findings: Sequence[Finding]) -> list[str]:
    """Those of some codes, or beginnings of codes, that no finding has."""
    return [code for code in codes if not any(matches(finding.code, [code]) for finding in findings)]


def chosen(
    findings: Iterable[Finding],
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    severity: Severity = "info",
) -> list[Finding]:
    """The findings of the selected codes (of all, if none is named) that are not ignored, and at least so severe."""
    reported = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return [
        finding
        for finding in findings
        if finding.severity in reported
        and (not select or matches(finding.code, list(select)))
        and not matches(finding.code, list(ignore))
    ]


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The findings by severity, the worst first, then by code; those of one code keep their order."""
    return sorted(findings, key=lambda finding: (SEVERITIES.index(finding.severity), finding.code))
