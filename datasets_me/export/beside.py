"""What another tool has found, as further arrays of segments and clips: action units, head pose, gaze."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core import rates
from datasets_me.core.errors import MeDatasetsError
from datasets_me.export.labels import Span
from datasets_me.export.videos import Source
from datasets_me.formats import joined
from datasets_me.formats.joined import JoinedFolder, JoinedVideo
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video

NAMES = ("au", "intensity", "pose", "gaze", "confidence")
_WIDTHS = {"pose": 3, "gaze": 2, "confidence": 1}
"""Columns of the arrays that are not of action units."""


def width(name: str, units: Sequence[int]) -> int:
    """The columns of an array: one for each action unit where it is of some."""
    return _WIDTHS[name] if name in _WIDTHS else len(units)


@dataclass(frozen=True)
class Beside:
    """The arrays ``names`` of a joined folder; ``units`` are the action units of ``au`` and of ``intensity``."""

    folder: JoinedFolder
    names: tuple[str, ...]
    units: dict[str, list[int]]

    def arrays(self, source: Source, span: Span, fps: float) -> dict[str, NDArray[np.float32]]:
        """The arrays of a video, one row for each feature: of its first frame; NaN where nothing is known.

        Args:
            source: the video.
            span: its features.
            fps: the rate of the frames that the tool has seen.
        """
        row = next((row for row in self.folder.rows if row.name == source.row.name), None)
        step = rates.ratio(fps, span.fps)
        return self._rows(row, [rates.shown(span.start + i, step) for i in range(span.count)])

    def of_frames(self, video: Video, numbers: Sequence[int]) -> dict[str, NDArray[np.float32]]:
        """The arrays of some frames, ``with_au`` and so on, one row for each of them; NaN where nothing is known.

        Args:
            video: the folder of frames.
            numbers: the frames, 0-based in the video, at the rate of its files.
        """
        tables = {row.expression: row for row in self.folder.rows if row.video == video.video}
        row = tables.get(video.expression) or tables.get(None)
        return {f"with_{name}": array for name, array in self._rows(row, numbers).items()}

    def about(self) -> dict[str, list[int]]:
        """What an export says of itself: the arrays, and the action units of their columns."""
        return {name: self.units.get(name, []) for name in self.names}

    def _rows(self, row: JoinedVideo | None, numbers: Sequence[int]) -> dict[str, NDArray[np.float32]]:
        """The rows of some frames; NaN where there is none."""
        stored = {} if row is None else self.folder.arrays(row)
        places = np.array(numbers, np.int64) - (0 if row is None else row.start)
        known = (places >= 0) & (places < (0 if row is None else row.frames))
        out = {}
        for name in self.names:
            out[name] = np.full((len(places), width(name, self.units.get(name, ()))), np.nan, np.float32)
            if name in stored:
                out[name][known] = stored[name].reshape(len(stored[name]), -1)[places[known]]
        return out


def read(folder: Path, names: Sequence[str], manifest: Manifest) -> Beside:
    """The arrays that are wanted, of a folder that ``join`` wrote.

    Raises:
        MeDatasetsError: there is no such array, the folder is of another dataset, or its videos differ in their units.
    """
    source = joined.read(folder)
    if source.dataset != manifest.spec.id:
        raise MeDatasetsError(
            f"the tables are of {source.dataset}, the manifest of {manifest.spec.id}",
            where=str(folder),
            fix="join them with this manifest",
        )
    known = [name for name in NAMES if any(name in row.arrays for row in source.rows)]
    wrong = [name for name in names if name not in known]
    if wrong or not names:
        raise MeDatasetsError(
            f"the tables have no {wrong[0]}" if wrong else "--with names no array",
            where=str(folder),
            fix=f"give some of {', '.join(known)}" if known else "join tables with such columns",
        )
    units = {name: _units(folder, name, source.rows) for name in names if name in ("au", "intensity")}
    return Beside(source, tuple(names), units)


def _units(folder: Path, name: str, rows: Sequence[JoinedVideo]) -> list[int]:
    """The action units that the arrays of all videos are of."""
    sets = {tuple(getattr(row, name)): row.name for row in rows if name in row.arrays}
    if len(sets) > 1:
        (first, one), (second, other) = list(sets.items())[:2]
        raise MeDatasetsError(
            f"{one} has {len(first)} units of {name}, {other} other {len(second)}",
            where=str(folder),
            fix="join tables of one tool and version",
        )
    return list(next(iter(sets)))
