"""Pieces of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SIGNS = re.compile(r"([\\*_<>\[\]{}$|#])")


def text(content: str) -> str:
    """Text of a docstring or a help as Markdown: its signs are escaped, code in backticks stays code."""
    content = " ".join(content.split())
    parts = re.split(r"(``.+?``|`.+?`)", content)
    return "".join(code(part.strip("`")) if part.startswith("`") else _SIGNS.sub(r"\\\1", part) for part in parts)


def code(content: object) -> str:
    """A piece of code in a line or in the cell of a table."""
    content = str(content).replace("|", "\\|")
    fence = "``" if "`" in content else "`"
    return f"{fence}{content}{fence}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table whose cells are Markdown already, and a blank line after it."""
    lines = [header, ["---"] * len(header), *rows]
    return [*(f"| {' | '.join(cells)} |" for cells in lines), ""]


def block(language: str, content: str) -> list[str]:
    """A block of code, and a blank line after it."""
    return [f"```{language}", *content.rstrip("\n").splitlines(), "```", ""]


def paragraphs(docstring: str) -> list[str]:
    """A docstring as paragraphs, each followed by a blank line; an indented block after ``::`` stays as it is."""
    lines: list[str] = []
    for part in re.split(r"\n\s*\n", docstring.strip()):
        if part.strip() == "::":
            continue
        if part.startswith("    "):
            lines += block("text", "\n".join(line.removeprefix("    ") for line in part.splitlines()))
        else:
            lines += [text(part), ""]
    return lines


def page(lines: Iterable[str]) -> str:
    """Lines as the content of a file, without blank lines at its end."""
    return "\n".join(lines).rstrip() + "\n"


def toctree(names: Iterable[str], *, hidden: bool = True) -> list[str]:
    """A table of contents of other pages."""
    return ["```{toctree}", *([":hidden:"] if hidden else []), ":maxdepth: 1", "", *names, "```", ""]
