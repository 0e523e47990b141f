"""Manifests of rows made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, SplitRow
from datasets_me.formats.split import Split
from datasets_me.schema import schema_files

Made = Callable[..., Manifest]


def row(subject: str, video: str, number: int = 1, dataset: str = "casme2", **fields: Any) -> Annotation:
    """An expression of 10 frames, ten of which lie between it and the next of its video."""
    first = 20 * number
    values = {
        "onset": first,
        "apex": first + 3,
        "offset": first + 9,
        "type": "micro",
        "fps": 200.0,
        "source_row": number,
    }
    return Annotation(
        **{**values, **fields}, id=f"{video}:{number}", dataset=dataset, subject=subject, video=video, source_file="f"
    )


def manifest_of(*rows: Annotation, dataset: str = "casme2") -> Manifest:
    return Manifest(schema_files.load(dataset), list(rows), [], [], "sheet1")


def people(count: int, each: int = 2, dataset: str = "casme2", **fields: Any) -> Manifest:
    """Subjects ``<dataset>_01`` and so on, each with videos of one expression."""
    rows = [
        row(f"{dataset}_{n:02}", f"{dataset}_{n:02}_v{v}", dataset=dataset, **fields)
        for n in range(1, count + 1)
        for v in range(each)
    ]
    return manifest_of(*rows, dataset=dataset)


def split_of(*rows: tuple[str, str, Annotation], unit: str = "expression") -> Split:
    """``(fold, part, annotation)``; with ``unit="video"`` the annotation's whole video."""
    made = [
        SplitRow(
            fold=fold,
            part=part,
            dataset=a.dataset,
            subject=a.subject,
            video=a.video,
            annotation=a.id if unit == "expression" else None,
        )
        for fold, part, a in rows
    ]
    return Split("holdout", unit, tuple(made))


@pytest.fixture
def five() -> Manifest:
    return people(5)
