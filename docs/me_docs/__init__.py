"""The generated pages of the documentation, written anew by every build.

What the program knows of itself is not written down a second time: the command line comes from its Typer app, the keys
of schemas from their models, the tables on disk from their records, the finding codes from their explanations.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from me_docs import command_line, constants, findings, formats, schemas

GENERATED = ("findings", "reference/cli", "reference/schemas", "reference/formats", "reference/constants")
"""Folders in which only generated pages lie."""


def pages() -> dict[str, str]:
    """Every generated page: its path in the documentation, and its Markdown."""
    return {**findings.pages(), **command_line.pages(), **schemas.pages(), **formats.pages(), **constants.pages()}


def write(folder: Path) -> None:
    """Write the generated pages; files that are the same keep their time, so that Sphinx does not read them again."""
    wanted = pages()
    for name in GENERATED:
        for path in sorted((folder / name).rglob("*.md")):
            if path.relative_to(folder).as_posix() not in wanted:
                path.unlink()
    for name, text in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def remove(folder: Path) -> None:
    """Remove every generated page."""
    for name in GENERATED:
        shutil.rmtree(folder / name, ignore_errors=True)


def setup(app: Any) -> dict[str, bool]:
    """Sphinx's entry point: the pages are written before sources are looked for."""
    app.connect("builder-inited", lambda app: write(Path(app.srcdir)))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
