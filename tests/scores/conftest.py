"""Manifests made by hand, and prediction files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datasets_me.formats.manifest import Manifest
from datasets_me.formats.predictions import Predictions, read
from datasets_me.formats.records import Annotation, Video
from datasets_me.schema import schema_files

Make = Callable[..., Manifest]


def annotation(number: int, **fields: Any) -> Annotation:
    """An annotation of subject 1's video v1 with frames 10, 15, 20, unless something else is said."""
    usual: dict[str, Any] = {
        "id": f"v1:{number}",
        "dataset": "casme2",
        "subject": "sub01",
        "video": "v1",
        "type": "micro",
        "onset": 10,
        "apex": 15,
        "offset": 20,
        "fps": 200.0,
        "source_file": "book.xlsx",
        "source_sheet": "Sheet1",
        "source_row": number + 1,
    }
    return Annotation(**{**usual, **fields})


def manifest(*rows: Annotation, dataset: str = "casme2", videos: list[Video] | None = None) -> Manifest:
    return Manifest(schema_files.load(dataset), list(rows), videos or [], [], "hand")


@pytest.fixture
def predictions(tmp_path: Path) -> Callable[..., Predictions]:
    """Reads a CSV of the given lines, written for the purpose."""

    def write(*lines: str, name: str = "fold.csv") -> Predictions:
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return read(tmp_path / name)

    return write
