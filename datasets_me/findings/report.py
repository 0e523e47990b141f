"""Findings for people and for machines: JSON, SARIF, and one self-contained HTML page.

SARIF is the Static Analysis Results Interchange Format 2.1.0 (OASIS, 2020), which code hosts and editors show.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from datasets_me.core import resources
from datasets_me.core.version import __version__
from datasets_me.findings.codes import GROUPS, SEVERITIES, all_codes
from datasets_me.findings.finding import Finding

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def to_json(findings: Sequence[Finding], about: dict[str, Any]) -> str:
    """An object with what was checked, counts by severity and code, and the findings without empty fields."""
    return json.dumps(
        {
            **about,
            "counts": {
                "by_severity": {name: sum(f.severity == name for f in findings) for name in SEVERITIES},
                "by_code": dict(sorted(Counter(f.code for f in findings).items())),
            },
            "findings": [f.model_dump(exclude_none=True) for f in findings],
        },
        indent=2,
        ensure_ascii=False,
    )


def to_sarif(findings: Sequence[Finding]) -> str:
    """A SARIF 2.1.0 log with one run; the rules are the codes that occur."""
    codes = sorted({finding.code for finding in findings})
    known = all_codes()
    rules = [
        {
            "id": code,
            "name": known[code].name,
            "shortDescription": {"text": known[code].what},
            "fullDescription": {"text": known[code].why},
            "help": {"text": known[code].fix},
            "defaultConfiguration": {"level": _LEVELS[known[code].severity]},
        }
        for code in codes
    ]
    driver = {"name": "me-datasets", "version": __version__, "rules": rules}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": [_sarif_result(f, codes) for f in findings]}],
    }
    return json.dumps(log, indent=2, ensure_ascii=False)


def _sarif_result(finding: Finding, codes: list[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
    }
    uri = finding.path or finding.file
    if uri:
        physical: dict[str, Any] = {"artifactLocation": {"uri": quote(uri)}}
        if finding.row and not finding.path:
            physical["region"] = {"startLine": finding.row}
        result["locations"] = [{"physicalLocation": physical}]
    if finding.video:
        logical = [{"fullyQualifiedName": finding.video, "kind": "video"}]
        result.setdefault("locations", [{}])[0]["logicalLocations"] = logical
    return result


def to_html(findings: Sequence[Finding], title: str, about: dict[str, Any]) -> str:
    """One self-contained page: counts, filters by severity, code and text, and every finding."""
    import jinja2

    template = resources.package_file("findings/report.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    known = all_codes()
    codes = Counter(finding.code for finding in findings)
    return environment.from_string(template).render(
        title=title,
        about=about,
        version=__version__,
        findings=findings,
        severities=[(name, sum(f.severity == name for f in findings)) for name in SEVERITIES],
        codes=[(known[code], count) for code, count in sorted(codes.items())],
        groups=GROUPS,
    )
