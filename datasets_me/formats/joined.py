"""The folder that ``join`` writes: what another tool has found, by the manifest's videos and frames.

::

    joined.json  videos.parquet  findings.parquet
    arrays/<subject>/<name>.npz    au (T, A) with au_units (A,), intensity, pose, gaze, confidence, landmarks
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from datasets_me.core import artefact
from datasets_me.core.arrays import ArrayError, load_npz
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.paths import check_table, under
from datasets_me.core.tables import Record, read_parquet
from datasets_me.formats.kinds import JOINED
from datasets_me.formats.records import Amount, Frame

TABLE = "videos.parquet"


class JoinedVideo(Record):
    """One video with a table: ``frames`` rows from frame ``start`` on; the table itself has ``rows`` of them.

    ``file`` has the arrays; ``tool`` wrote the table ``source``. ``au`` and ``intensity`` are the units of the arrays
    of the same name.
    """

    dataset: str
    subject: str
    video: str
    expression: str | None = None
    name: str
    file: str
    source: str
    tool: str
    start: Frame = 0
    frames: Amount
    rows: Amount
    arrays: list[str] = Field(default_factory=list)
    au: list[int] = Field(default_factory=list)
    intensity: list[int] = Field(default_factory=list)


@dataclass(frozen=True)
class JoinedFolder:
    """The tables of a dataset's videos."""

    folder: Path
    dataset: str
    rows: tuple[JoinedVideo, ...]

    def arrays(self, row: JoinedVideo) -> Mapping[str, NDArray[Any]]:
        """The arrays of a video, with a row for each frame from ``start`` on; NaN where the tool found nothing.

        Raises:
            MeDatasetsError: the file is missing or damaged.
        """
        path = under(self.folder, row.file)
        try:
            arrays = load_npz(path, row.arrays)
        except (ArrayError, ValueError) as error:
            raise MeDatasetsError(f"the arrays cannot be read: {error}", where=str(path), fix="join again") from error
        for name, array in arrays.items():
            if not array.ndim or len(array) != row.frames or array.dtype != np.float32:
                raise MeDatasetsError(f"{name} has another shape than {TABLE} says", where=str(path), fix="join again")
        return arrays


def read(folder: Path) -> JoinedFolder:
    """A folder that ``join`` wrote.

    Raises:
        MeDatasetsError: it is not one, or is damaged.
    """
    about = artefact.read_about(folder, JOINED)
    try:
        rows = read_parquet(JoinedVideo, folder / TABLE)
    except (OSError, ValueError) as error:
        raise MeDatasetsError(f"{TABLE} is damaged: {error}", where=str(folder), fix="join again") from error
    check_table(folder / TABLE, rows, paths=["file"], names=["name"])
    return JoinedFolder(folder, str(about["manifest"]["dataset"]), tuple(rows))
