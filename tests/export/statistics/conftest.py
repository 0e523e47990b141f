"""Rows made by hand, and folders of features."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema.schema_files import Schema

Rows = Callable[..., Manifest]


def expression(subject: str, video: str, onset: Any, apex: Any, offset: Any, **fields: Any) -> Annotation:
    """One annotation; ``id`` is made of the video and the onset."""
    row = {"type": "micro", "fps": 30, "dataset": "casme-sq", "source_file": "f", "source_row": 1} | fields
    return Annotation(
        **{"id": f"{video}:{onset}", **row}, subject=subject, video=video, onset=onset, apex=apex, offset=offset
    )


@pytest.fixture
def manifest_of(casme_sq: Schema) -> Rows:
    return lambda *rows: Manifest(casme_sq, list(rows), [], [], "three-sheets")


def save_features(folder: Path, **videos: np.ndarray) -> Path:
    """Writes ``<subject>/<video>.npy``; the subject is the video's name up to its last underscore."""
    for video, array in videos.items():
        path = folder / video.rpartition("_")[0] / f"{video}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, array)
    return folder
