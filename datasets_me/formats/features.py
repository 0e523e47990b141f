"""The folder that ``extract`` writes and the exports read: one array per video.

::

    extraction.json  features.parquet  findings.parquet
    features/<subject>/<name>.npy      float32 (T - step, R, 2), in units of ``unit_px``
    landmarks/<subject>/<name>.npz     landmarks (T, 68, 2) float32 in px of the raw frames; quality (T,) uint8;
                                       valid (T - step, R) bool, the motion is that of the skin; …
    done/<subject>/<name>.json         the video's row, written after its arrays

The two tables are written last. Before anything of a video changes, they and what says that it is done are removed; so
no table is ever older than what it describes, whenever a run is killed.

Any other folder of ``<subject>/<video>.npy`` is read as well; less is known of it then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.arrays import ArrayError, load_npy, load_npz
from datasets_me.core.errors import FeaturesError
from datasets_me.core.files import read_json
from datasets_me.core.paths import check_table, under
from datasets_me.core.tables import read_parquet
from datasets_me.formats.kinds import EXTRACTION
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import VideoFeatures

TABLE, FINDINGS = "features.parquet", "findings.parquet"
FOLDER, DONE = "features", "done"

_OF_LANDMARKS: dict[str, tuple[int, ...]] = {"landmarks": (68, 2), "quality": ()}
"""What a frame has of each array beside the features."""


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
            PathError: it lies outside the folder.
        """
        if row.features is None:
            raise FeaturesError(f"there are no features of {row.name}: {row.why or row.status}", where=str(self.folder))
        path = under(self.folder, row.features)
        array = _mapped(path)
        if array.ndim != 3 or array.shape[2] != 2 or not array.shape[1] or array.dtype.kind != "f":
            raise FeaturesError(
                f"features must be floating-point numbers of shape (T, regions, 2), not {array.dtype} {array.shape}",
                where=str(path),
            )
        return array

    def quality(self, row: VideoFeatures) -> NDArray[np.uint8] | None:
        """What is wrong with each frame (T,), as flags of ``features.video.Quality``; None where nobody knows.

        Raises:
            FeaturesError: the file is damaged.
            PathError: it lies outside the folder.
        """
        return None if row.landmarks is None else np.asarray(self.of_landmarks(row, "quality"), np.uint8)

    def valid(self, row: VideoFeatures) -> NDArray[np.bool_] | None:
        """Which of a video's features (T - step, R) are believed to be motion of the skin; None where nobody knows.

        Raises:
            FeaturesError: the file is damaged, or has another shape than the features.
            PathError: it lies outside the folder.
        """
        if row.landmarks is None or row.features is None:
            return None
        path = under(self.folder, row.landmarks)
        try:
            array = load_npz(path).get("valid")
        except (ArrayError, ValueError) as error:
            raise FeaturesError(f"the landmarks cannot be read: {error}", where=str(path)) from error
        if array is None:  # written by an older version
            return None
        shape = self.load(row).shape[:2]
        if array.dtype != np.bool_ or array.shape != shape:
            raise FeaturesError(
                f"valid must be bool of shape {shape}, not {array.dtype} {array.shape}", where=str(path)
            )
        return np.asarray(array, np.bool_)

    def of_landmarks(self, row: VideoFeatures, name: str) -> NDArray[np.generic]:
        """An array of the file of a video's landmarks, which there has to be.

        Raises:
            FeaturesError: the file is damaged, or the array is not one of numbers, a row per frame.
            PathError: it lies outside the folder.
        """
        path = under(self.folder, row.landmarks or "")
        try:
            array = np.asarray(load_npz(path, [name])[name])
        except (ArrayError, ValueError) as error:
            raise FeaturesError(f"the landmarks cannot be read: {error}", where=str(path)) from error
        each = _OF_LANDMARKS[name]
        if array.dtype.kind not in "bufi" or array.shape[1:] != each or not array.ndim:
            shape = ", ".join(map(str, ("T", *each)))
            raise FeaturesError(
                f"{name} must be numbers of shape ({shape}), not {array.dtype} {array.shape}", where=str(path)
            )
        return array


def read(folder: Path, manifest: Manifest) -> FeatureFolder:
    """The arrays under a folder: an extraction, or any ``<subject>/<video>.npy``.

    Arrays from elsewhere are taken to have the manifest's frame rate, to begin with the first frame, and to be in px.

    Raises:
        FeaturesError: there is no such folder, nothing in it, its table is damaged, or an extraction into it has not
            ended.
        PathError: a name or path of the table leads out of the folder, or a link does.
    """
    if not folder.is_dir():
        raise FeaturesError("there is no such folder of features", where=str(folder))
    if (folder / TABLE).is_file():
        try:
            rows = read_parquet(VideoFeatures, folder / TABLE)
        except (OSError, ValueError) as error:
            raise FeaturesError(f"{TABLE} is damaged: {error}", where=str(folder)) from error
        check_table(folder / TABLE, rows, paths=["features", "landmarks", "path"], names=["name"])
        changed = next(_changed(folder, rows), None)
        if changed is not None:
            raise _unfinished(folder, f"{changed.name} has changed since {TABLE} was written")
        return FeatureFolder(folder, tuple(rows), True)
    if (folder / EXTRACTION.about).is_file():
        raise _unfinished(folder, f"there is no {TABLE}")
    rates = {row.video: row.fps for row in manifest.annotations}
    rows = []
    for path in sorted(folder.glob("*/*.npy")):
        place = path.relative_to(folder).as_posix()
        array = _mapped(under(folder, place))
        rows.append(
            VideoFeatures(
                dataset=manifest.spec.id,
                subject=path.parent.name,
                video=path.stem,
                name=path.stem,
                status="ok",
                features=place,
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


def _changed(folder: Path, rows: Sequence[VideoFeatures]) -> Iterator[VideoFeatures]:
    """The rows that are not what was written down when their arrays were; nothing is known where no such notes are."""
    for row in rows if (folder / DONE).is_dir() else ():
        path = row.features or row.landmarks
        if path is None:
            continue
        try:
            noted = read_json(folder / DONE / Path(path).parent.name / f"{row.name}.json")
            if VideoFeatures.model_validate(noted["row"]) == row:
                continue
        except (OSError, ValueError, KeyError, TypeError):
            pass
        yield row


def _unfinished(folder: Path, why: str) -> FeaturesError:
    return FeaturesError(
        f"an extraction into this folder has not ended: {why}",
        where=str(folder),
        fix="run the same me-datasets extract again; what is done is not done again",
    )


def _mapped(path: Path) -> NDArray[np.float32]:
    try:
        return load_npy(path)
    except ArrayError as error:
        raise FeaturesError(f"the array cannot be read: {error}", where=str(path)) from error
