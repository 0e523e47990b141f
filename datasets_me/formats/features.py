"""The folder that ``extract`` writes and the exports read: one array per video.

::

    extraction.json  features.parquet  findings.parquet
    features/<subject>/<name>.npy      float32 (T - step, R, 2), in units of ``unit_px``
    landmarks/<subject>/<name>.npz     landmarks (T, 68, 2) float32 in px of the raw frames; quality (T,) uint8; …

Any other folder of ``<subject>/<video>.npy`` is read as well; less is known of it then.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.arrays import ArrayError, load_npy, load_npz
from datasets_me.core.errors import FeaturesError
from datasets_me.core.tables import read_parquet
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import VideoFeatures

TABLE = "features.parquet"
FOLDER = "features"


@dataclass(frozen=True)
class FeatureFolder:
    """The arrays of a dataset's videos.

    ``rows`` has one entry per video, in order of subject and name; ``extracted`` says whether ``extract`` wrote the
    folder, so that rates, units and failures are known, or whether it holds arrays from elsewhere.
    """

    folder: Path
    rows: tuple[VideoFeatures, ...]
    extracted: bool

    def load(self, row: VideoFeatures) -> NDArray[np.float32]:
        """The features (T - step, R, 2) of a video, memory-mapped.

        Raises:
            FeaturesError: there is no array, or it has another shape or kind of numbers.
        """
        if row.features is None:
            raise FeaturesError(f"there are no features of {row.name}: {row.why or row.status}", where=str(self.folder))
        path = self.folder / row.features
        array = _mapped(path)
        if array.ndim != 3 or array.shape[2] != 2 or array.dtype.kind != "f":
            raise FeaturesError(
                f"features must be floating-point numbers of shape (T, regions, 2), not {array.dtype} {array.shape}",
                where=str(path),
            )
        return array

    def quality(self, row: VideoFeatures) -> NDArray[np.uint8] | None:
        """What is wrong with each frame (T,), as flags of ``features.video.Quality``; None where nobody knows.

        Raises:
            FeaturesError: the file is damaged.
        """
        if row.landmarks is None:
            return None
        path = self.folder / row.landmarks
        try:
            return np.asarray(load_npz(path, ["quality"])["quality"], np.uint8)
        except (ArrayError, ValueError) as error:
            raise FeaturesError(f"the landmarks cannot be read: {error}", where=str(path)) from error


def read(folder: Path, manifest: Manifest) -> FeatureFolder:
    """The arrays under a folder: an extraction, or any ``<subject>/<video>.npy``.

    Arrays from elsewhere are taken to have the manifest's frame rate, to begin with the first frame, and to be in px.

    Raises:
        FeaturesError: there is no such folder, nothing in it, or its table is damaged.
    """
    if not folder.is_dir():
        raise FeaturesError("there is no such folder of features", where=str(folder))
    if (folder / TABLE).is_file():
        try:
            rows = read_parquet(VideoFeatures, folder / TABLE)
        except (OSError, ValueError) as error:
            raise FeaturesError(f"{TABLE} is damaged: {error}", where=str(folder)) from error
        return FeatureFolder(folder, tuple(rows), True)
    rates = {row.video: row.fps for row in manifest.annotations}
    rows = []
    for path in sorted(folder.glob("*/*.npy")):
        array = _mapped(path)
        rows.append(
            VideoFeatures(
                dataset=manifest.spec.id,
                subject=path.parent.name,
                video=path.stem,
                name=path.stem,
                status="ok",
                features=path.relative_to(folder).as_posix(),
                frames=len(array) + 1 if array.ndim else 0,
                fps=rates.get(path.stem, manifest.spec.fps),
            )
        )
    if not rows:
        raise FeaturesError(
            f"there is neither {TABLE} nor any <subject>/<video>.npy",
            where=str(folder),
            fix="make features with me-datasets extract",
        )
    return FeatureFolder(folder, tuple(rows), False)


def _mapped(path: Path) -> NDArray[np.float32]:
    try:
        return load_npy(path)
    except ArrayError as error:
        raise FeaturesError(f"the array cannot be read: {error}", where=str(path)) from error
