"""Options and output that ``check`` and ``check-split`` share: findings chosen, printed, written."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.cli import show
from datasets_me.core.text import printable

if TYPE_CHECKING:
    from datasets_me.findings.finding import Finding


class Format(StrEnum):
    """How findings are printed."""

    table = "table"
    json = "json"
    sarif = "sarif"
    html = "html"


class Severity(StrEnum):
    """The lowest severity that is reported."""

    error = "error"
    warning = "warning"
    info = "info"


SELECT = typer.Option([], "--select", help="Only these codes, or beginnings of codes: ME2,ME301.")
IGNORE = typer.Option([], "--ignore", help="Not these codes, or beginnings of codes.")
SEVERITY = typer.Option(Severity.info, "--severity", help="The lowest severity to report.")
FORMAT = typer.Option(Format.table, "--format", help="How to print the findings.")
OUT = typer.Option(None, "-o", "--out", help="Write to this file instead of standard output.")


def of_severity(found: Sequence[Finding], severity: Severity) -> list[Finding]:
    """The findings of this severity or a higher one."""
    from datasets_me.findings.codes import SEVERITIES

    reported = SEVERITIES[: SEVERITIES.index(severity.value) + 1]
    return [finding for finding in found if finding.severity in reported]


def report(
    found: Sequence[Finding],
    output: Format,
    out: Path | None,
    *,
    about: dict[str, Any],
    title: str,
    looked_at: str,
) -> typer.Exit:
    """Print findings or write them to a file; ``looked_at`` begins the last line of a table.

    Returns the exit to raise: 1 if there are errors, else 0.
    """
    from datasets_me.core.artefact import write_file
    from datasets_me.findings import report as reports

    failed = typer.Exit(1 if any(finding.severity == "error" for finding in found) else 0)
    if output is Format.table and out is None:
        _print_table(found, looked_at)
        return failed
    if output is Format.json:
        text = reports.to_json(found, about)
    elif output is Format.sarif:
        text = reports.to_sarif(found)
    elif output is Format.html:
        text = reports.to_html(found, title, about)
    else:
        text = "\n".join(printable(f"{f.code} {f.severity} {f.where}: {f.message}") for f in found)
    if out is None:
        show.echo_document(text, is_json=output in (Format.json, Format.sarif))
    else:
        write_file(out, f"{text}\n".encode())
        show.echo(f"{len(found)} findings written to {out}", err=True)
    return failed


def _print_table(found: Sequence[Finding], looked_at: str) -> None:
    from collections import Counter

    from datasets_me.core.errors import plural
    from datasets_me.findings.codes import SEVERITIES

    out = show.console()
    if found:
        out.print(show.findings_table(found))
        out.print()
    counts = Counter(finding.severity for finding in found)
    said = ", ".join(plural(counts[name], name if name != "info" else "remark") for name in SEVERITIES if counts[name])
    out.print(f"{looked_at}: {said or 'no findings'}")
    if found:
        out.print("me-datasets explain CODE says what a finding means and what to do")
