"""A page per finding code, and the page that lists them, from the explanations."""

from __future__ import annotations

from datasets_me.findings.codes import GROUPS, Code, all_codes
from me_docs.markdown import block, code, page, table, text, toctree

FOLDER = "findings"


def pages() -> dict[str, str]:
    """Every code's page, a page per group, and the index."""
    known = list(all_codes().values())
    groups = {number: [entry for entry in known if entry.code[2] == number] for number in GROUPS}
    made = {f"{FOLDER}/{entry.code}.md": page(_code_page(entry)) for entry in known}
    made |= {f"{FOLDER}/group-{number}xx.md": page(_group_page(number, entries)) for number, entries in groups.items()}
    made[f"{FOLDER}/index.md"] = page(
        [
            "# Finding codes",
            "",
            f"A finding is one doubt about the data, with its place. Each of the {len(known)} codes keeps its meaning "
            "once it is released. `me-datasets explain CODE` prints what stands on its page.",
            "",
            *(line for number, entries in groups.items() for line in _group_list(number, entries)),
            *toctree(f"group-{number}xx" for number in groups),
        ]
    )
    return made


def _group_list(number: str, entries: list[Code]) -> list[str]:
    return [
        f"## {number}xx: {GROUPS[number]}",
        "",
        *table(
            ["code", "name", "severity", "what"],
            [[f"[{entry.code}]({entry.code}.md)", entry.name, entry.severity, text(entry.what)] for entry in entries],
        ),
    ]


def _group_page(number: str, entries: list[Code]) -> list[str]:
    return [
        f"# ME{number}xx: {GROUPS[number]}",
        "",
        *table(
            ["code", "name", "severity"],
            [[f"[{entry.code}]({entry.code}.md)", entry.name, entry.severity] for entry in entries],
        ),
        *toctree(entry.code for entry in entries),
    ]


def _code_page(entry: Code) -> list[str]:
    return [
        f"# {entry.code} {entry.name}",
        "",
        f"**Severity:** {entry.severity} · **group:** {GROUPS[entry.code[2]]} · **raised by:** "
        f"{', '.join(code(verb.strip()) for verb in entry.stage.split(','))}",
        "",
        "## What",
        "",
        text(entry.what),
        "",
        "## Why it matters",
        "",
        text(entry.why),
        "",
        "## Example",
        "",
        *block("text", entry.example),
        "## What to do",
        "",
        text(entry.fix),
        "",
    ]
