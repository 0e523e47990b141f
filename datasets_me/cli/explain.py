"""``me-datasets explain``: what a finding code means."""

from __future__ import annotations

import typer

from datasets_me.cli import show


def explain(code: str = typer.Argument(help="A code (ME203) or its name (folder-unknown).")) -> None:
    """Say what a finding means, why it matters, and what to do about it."""
    from datasets_me.findings import codes, documentation

    entry = codes.explain(code)
    show.lines(
        show.console(),
        (entry.code, f"{entry.name} ({entry.severity}, {codes.GROUPS[entry.code[2]]}, raised by {entry.stage})"),
        ("what", entry.what),
        ("why it matters", entry.why),
        ("example", entry.example),
        ("what to do", entry.fix),
        ("page", documentation.address(entry.code) or documentation.page(entry.code)),
    )
