"""``me-datasets check``: folders against annotations."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datasets_me.commands import arguments

if TYPE_CHECKING:
    from datasets_me.inventory.layouts import Inventory
    from datasets_me.records import Finding
    from datasets_me.validate.check import Checked


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


def check(
    manifest: Path = arguments.MANIFEST,
    root: Path = arguments.ROOT,
    deep: bool = typer.Option(False, "--deep", help="Decode every image, instead of the first of every folder."),
    select: list[str] = typer.Option([], "--select", help="Only these codes, or beginnings of codes: ME2,ME301."),
    ignore: list[str] = typer.Option([], "--ignore", help="Not these codes, or beginnings of codes."),
    severity: Severity = typer.Option(Severity.info, "--severity", help="The lowest severity to report."),
    output: Format = typer.Option(Format.table, "--format", help="How to print the findings."),
    out: Path = typer.Option(None, "-o", "--out", help="Write to this file instead of standard output."),
) -> None:
    """Compare the folders of frames with a manifest.

    Exit code 0: no errors among the findings reported. 1: there are errors. 2: could not run.
    """
    from datasets_me import manifest as manifests
    from datasets_me.codes import SEVERITIES
    from datasets_me.validate.check import check as run

    selected, ignored = arguments.codes(select), arguments.codes(ignore)
    made = manifests.read(manifest)
    with _progress() as (walking, looking):
        checked = run(made, root, deep=deep, select=selected, ignore=ignored, walking=walking, looking=looking)
    reported = SEVERITIES[: SEVERITIES.index(severity.value) + 1]
    findings = [finding for finding in checked.findings if finding.severity in reported]
    about = {
        "dataset": made.spec.id,
        "root": str(root),
        "folders": len(checked.inventory.folders),
        "files": checked.inventory.tree.files,
    }
    _print(findings, checked, output, out, about)
    raise typer.Exit(1 if any(finding.severity == "error" for finding in findings) else 0)


def _progress() -> Any:
    from contextlib import contextmanager

    from datasets_me.commands import show

    @contextmanager
    def both() -> Any:
        with show.progress("folders") as update:

            def looking(inventory: Inventory) -> Callable[[int], None]:
                done, total = 0, sum(len(folder.frames.names) for folder in inventory.folders)

                def looked(count: int) -> None:
                    nonlocal done
                    done += count
                    update(done, total, "images")

                return looked

            yield lambda folders, files: update(folders, note=f"{files:,} files"), looking

    return both()


def _print(findings: list[Finding], checked: Checked, output: Format, out: Path | None, about: dict[str, Any]) -> None:
    from datasets_me.files import write_file
    from datasets_me.validate import report

    if output is Format.table and out is None:
        _print_table(findings, checked, about)
        return
    if output is Format.json:
        text = report.to_json(findings, about)
    elif output is Format.sarif:
        text = report.to_sarif(findings)
    elif output is Format.html:
        text = report.to_html(findings, f"{about['dataset']}: folders against annotations", about)
    else:
        text = "\n".join(f"{f.code} {f.severity} {f.where}: {f.message}" for f in findings)
    if out is None:
        typer.echo(text)
    else:
        write_file(out, f"{text}\n".encode())
        typer.echo(f"{len(findings)} findings written to {out}", err=True)


def _print_table(findings: list[Finding], checked: Checked, about: dict[str, Any]) -> None:
    from collections import Counter

    from datasets_me.codes import SEVERITIES
    from datasets_me.commands import show
    from datasets_me.errors import plural

    out = show.console()
    if findings:
        out.print(show.findings_table(findings))
        out.print()
    layouts = Counter(folder.layout.id for folder in checked.inventory.folders)
    found = ", ".join(f"{name} {count}" for name, count in sorted(layouts.items()))
    counts = Counter(finding.severity for finding in findings)
    said = ", ".join(plural(counts[name], name if name != "info" else "remark") for name in SEVERITIES if counts[name])
    out.print(
        f"{plural(about['files'], 'file')} in {plural(about['folders'], 'folder')} ({found}): {said or 'no findings'}"
    )
    if findings:
        out.print("me-datasets explain CODE says what a finding means and what to do")
