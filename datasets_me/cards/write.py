"""The folder of a card: written under a temporary name, then renamed; only another card is ever replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from datasets_me.cards.card import PLOTS, Card, to_json
from datasets_me.cards.croissant import to_croissant
from datasets_me.cards.page import to_html
from datasets_me.cards.readme import to_markdown
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.files import new_folder, read_json, write_file

_MARK = "card.json"
_NAMES = {"README.md", "card.html", "croissant.json", _MARK, "plots", *(f"plots/{name}.png" for name in PLOTS)}


def files(card: Card) -> dict[str, bytes]:
    """The content of every file of a card by its path; the same card gives the same bytes."""
    made = {
        "README.md": to_markdown(card).encode(),
        "card.html": to_html(card).encode(),
        "croissant.json": f"{to_croissant(card)}\n".encode(),
        _MARK: (json.dumps(to_json(card), indent=2, ensure_ascii=False) + "\n").encode(),
    }
    return made | {f"plots/{name}.png": plot for name, plot in card.plots.items() if isinstance(plot, bytes)}


def check(folder: Path, *, force: bool) -> None:
    """Refuse a folder that exists, unless it is a card and nothing but a card, and is to be replaced.

    Raises:
        MeDatasetsError: writing there would overwrite or lose something.
    """
    if not folder.exists():
        return
    if not _is_card(folder):
        raise MeDatasetsError("the output exists and is not a card", where=str(folder), fix="choose another -o")
    if not force:
        raise MeDatasetsError("the card exists already", where=str(folder), fix="add --force to replace it")
    entries = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    foreign = sorted(name for name, path in entries.items() if name not in _NAMES or path.is_dir() != (name == "plots"))
    if foreign:
        raise MeDatasetsError(
            f"the card's folder holds other files, which would be lost: {', '.join(foreign[:5])}",
            where=str(folder),
            fix="put them elsewhere, or choose another -o",
        )


def write(card: Card, folder: Path, *, force: bool = False) -> list[str]:
    """Write a card's folder at once; returns the paths of its files in it.

    Raises:
        MeDatasetsError: as in :func:`check`, or the folder cannot be written.
    """
    check(folder, force=force)
    contents = files(card)
    with new_folder(folder, "card") as temporary:
        for name, content in contents.items():
            write_file(temporary / name, content)
    return sorted(contents)


def _is_card(folder: Path) -> bool:
    try:
        about: Any = read_json(folder / _MARK)
    except (OSError, ValueError):
        return False
    return (
        isinstance(about, dict)
        and about.get("kind") == "card"
        and isinstance(about.get("tool"), dict)
        and about["tool"].get("name") == "me-datasets"
    )
