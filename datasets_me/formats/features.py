"""The folder that ``extract`` writes and the exports read: one array per video.

::

    extraction.json  features.parquet  findings.parquet
    features/<subject>/<name>.npy      float32 (T - step, R, 2), in units of ``unit_px``
    landmarks/<subject>/<name>.npz     landmarks (T, 68, 2) float32 in px of the raw frames; quality (T,) uint8;
                                       valid (T - step, R) bool, the motion is that of the skin; …
    done/<subject>/<name>.json         the video's row, written after its arrays
    done/notes.parquet                 what else these say of all videos, for a rerun
    done/.begun/<name>.<random>        a video that changes, or has changed since the tables were written

The two tables are written last. Before the arrays of a video change, the tables, ``notes.parquet`` and its row in
``done`` are removed and a file is put into ``done/.begun``, which stays until tables are written that know of the
change. So a table is never older than what it describes, even if a run is killed or two run at once; and a reader looks
at one folder to see it.

Any other folder of ``<subject>/<video>.npy`` is read as well; less is known about it then.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.arrays import ArrayError, load_npy, load_npz
from datasets_me.core.errors import FeaturesError, WriteError
from datasets_me.core.paths import check_table, under
from datasets_me.core.tables import open_parquet, read_parquet, write_parquet
from datasets_me.core.text import printable
from datasets_me.findings.finding import Finding
from datasets_me.formats.kinds import EXTRACTION
from datasets_me.formats.manifest import Manifest, refuse_other
from datasets_me.formats.records import VideoFeatures

TABLE, FINDINGS = "features.parquet", "findings.parquet"
FOLDER, DONE = "features", "done"

_BEGUN = f"{DONE}/.begun"
_IDENTITY = ["subject", "name", "path", "status", "key"]
_SHAPES: dict[str, tuple[int, ...]] = {"landmarks": (68, 2), "quality": ()}
"""The shape of each array of a landmarks file, for one frame."""


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
            FeaturesError: there is no array, or it has another shape or type.
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
        """What is wrong with each frame (T,), as flags of ``features.video.Quality``; None where it is not known.

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
            raise FeaturesError(f"{row.landmarks} cannot be read: {error}", where=str(path)) from error
        if array is None:  # written by an older version
            return None
        shape = self.load(row).shape[:2]
        if array.dtype != np.bool_ or array.shape != shape:
            raise FeaturesError(
                f"valid must be bool of shape {shape}, not {array.dtype} {array.shape}", where=str(path)
            )
        return np.asarray(array, np.bool_)

    def of_landmarks(self, row: VideoFeatures, name: str) -> NDArray[np.generic]:
        """An array of a video's landmarks file, which must exist.

        Raises:
            FeaturesError: the file is damaged, or the array does not hold numbers, one row per frame.
            PathError: it lies outside the folder.
        """
        return read_landmarks(self.folder, row, name)[name]


def read_landmarks(folder: Path, row: VideoFeatures, *names: str) -> dict[str, NDArray[np.generic]]:
    """Arrays of a video's landmarks file, which must exist: ``landmarks`` (T, 68, 2), ``quality`` (T,).

    Raises:
        FeaturesError: the file is damaged, or an array does not hold numbers, one row per frame.
        PathError: it lies outside the folder.
    """
    path = under(folder, row.landmarks or "")
    try:
        arrays = load_npz(path, names)
    except (ArrayError, ValueError) as error:
        raise FeaturesError(f"{row.landmarks} cannot be read: {error}", where=str(path)) from error
    for name, array in arrays.items():
        if array.dtype.kind not in "bufi" or array.shape[1:] != _SHAPES[name] or not array.ndim:
            shape = ", ".join(map(str, ("T", *_SHAPES[name])))
            raise FeaturesError(
                f"{name} must be numbers of shape ({shape}), not {array.dtype} {array.shape}", where=str(path)
            )
    return arrays


def read(folder: str | Path, manifest: Manifest) -> FeatureFolder:
    """The arrays under a folder: an extraction, or any ``<subject>/<video>.npy``.

    Arrays from elsewhere are taken to have the manifest's frame rate, to begin with the first frame, and to be in px.

    Raises:
        FeaturesError: there is no such folder, it is empty, its table is damaged, or an extraction into it is not
            finished.
        PathError: a name or path of the table leads out of the folder, or a link does.
    """
    refuse_other(manifest)
    folder = Path(folder)
    if not folder.is_dir():
        raise FeaturesError("there is no such folder of features", where=str(folder))
    if (folder / TABLE).is_file():
        return FeatureFolder(folder, _read_table(folder), True)
    if (folder / EXTRACTION.about).is_file():
        raise _unfinished(folder, f"there is no {TABLE}")
    return FeatureFolder(folder, _rows_of_arrays(folder, manifest), False)


def _read_table(folder: Path) -> tuple[VideoFeatures, ...]:
    try:
        rows = read_parquet(VideoFeatures, folder / TABLE)
        changes = begun(folder)
    except (OSError, ValueError) as error:
        raise FeaturesError(f"{TABLE} is damaged: {error}", where=str(folder)) from error
    check_table(folder / TABLE, rows, paths=["features", "landmarks", "path"], names=["name"])
    arrays = [row.features for row in rows if row.features is not None]
    if repeated := next((path for path, count in Counter(arrays).items() if count > 1), None):
        raise FeaturesError(
            f"{arrays.count(repeated)} rows name the array {printable(repeated)}, which is of one video",
            where=str(folder / TABLE),
            fix="make the features again with me-datasets extract",
        )
    if changes:
        raise _unfinished(folder, f"{printable(changes[0].stem)} has changed since {TABLE} was written")
    return tuple(rows)


def _rows_of_arrays(folder: Path, manifest: Manifest) -> tuple[VideoFeatures, ...]:
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
    return tuple(rows)


def begin(folder: Path, name: str) -> None:
    """Note that a video changes, once its row in ``done`` is removed and before its arrays are.

    Raises:
        OSError: the note cannot be written.
        PathError: a link leads out of the folder.
    """
    place = under(folder, _BEGUN)
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.{secrets.token_hex(8)}").touch(exist_ok=False)


def begun(folder: Path) -> list[Path]:
    """The notes of changes that no table knows about yet.

    Raises:
        OSError: they cannot be listed.
        PathError: a link leads out of the folder.
    """
    place = under(folder, _BEGUN)
    return sorted(place.iterdir()) if place.is_dir() else []


def write_tables(
    folder: Path, rows: Sequence[VideoFeatures], findings: Sequence[Finding], changes: Sequence[Path]
) -> None:
    """Write the tables of an extraction.

    Args:
        folder: of the extraction.
        rows: one per finished video.
        findings: of all videos.
        changes: what `begun` returned before the rows were collected. Notes that came later stay, and whoever made
            them writes the tables again.

    Raises:
        WriteError: they cannot be written.
    """
    write_parquet(Finding, findings, folder / FINDINGS)
    write_parquet(VideoFeatures, rows, folder / TABLE)
    try:
        for path in changes:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"the file cannot be removed: {error.strerror or error}", where=str(path)) from error


def current(folder: Path, rows: Sequence[VideoFeatures], findings: Sequence[Finding]) -> bool:
    """Whether the tables are there and say what `write_tables` would write, as far as the identity of rows tells.

    To be asked where no change was `begun`: then arrays of the same key are the same.
    """
    try:
        with open_parquet(folder / TABLE) as file:
            table = file.read(_IDENTITY, use_threads=False)
        if table.num_rows != len(rows) or read_parquet(Finding, folder / FINDINGS) != list(findings):
            return False
        return all(table[name].to_pylist() == [getattr(row, name) for row in rows] for name in _IDENTITY)
    except (OSError, ValueError, KeyError):
        return False


def _unfinished(folder: Path, why: str) -> FeaturesError:
    return FeaturesError(
        f"an extraction into this folder is not finished: {why}",
        where=str(folder),
        fix="run the same me-datasets extract again; finished videos are kept",
    )


def _mapped(path: Path) -> NDArray[np.float32]:
    try:
        return load_npy(path)
    except ArrayError as error:
        raise FeaturesError(f"the array cannot be read: {error}", where=str(path)) from error
