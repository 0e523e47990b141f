"""The folder of a card."""

from __future__ import annotations

from pathlib import Path

from datasets_me.cards.card import Card, to_json
from datasets_me.cards.croissant import to_croissant
from datasets_me.cards.page import to_html
from datasets_me.cards.readme import to_markdown
from datasets_me.core import artefact
from datasets_me.formats.kinds import CARD


def files(card: Card) -> dict[str, bytes]:
    """The contents of a card's files except ``card.json``, by path; the same card gives the same bytes."""
    documents = {
        "README.md": to_markdown(card).encode(),
        "card.html": to_html(card).encode(),
        "croissant.json": f"{to_croissant(card)}\n".encode(),
    }
    return documents | {f"plots/{name}.png": plot for name, plot in card.plots.items() if isinstance(plot, bytes)}


def write(card: Card, folder: Path, *, force: bool = False) -> list[str]:
    """Write a card's folder; returns the paths of its files in it.

    Raises:
        OutputError: the folder exists and may not be replaced.
        WriteError: it cannot be written.
    """
    contents = files(card)
    with artefact.new_folder(folder, CARD, force=force) as new:
        (new.path / "plots").mkdir()
        for name, content in contents.items():
            (new.path / name).write_bytes(content)
        new.about.update(to_json(card))
    return sorted([*contents, CARD.about])
