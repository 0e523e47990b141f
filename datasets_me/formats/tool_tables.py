"""What other tools have found in each frame of a video: landmarks, action units, gaze, head pose.

A CSV has a row for each frame, with the columns of one of ``schemas/tools/*.yaml``. An npz has arrays with a row for
each frame, counted from 0: ``landmarks`` (T, 68, 2) in px, or (T, 468 or 478, 2 or 3) of MediaPipe's face mesh; ``au``
(T, A) with ``au_names`` (A,) such as ``AU12``; ``pose`` (T, 3), ``gaze`` (T, 2), ``confidence`` (T,).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.arrays import ArrayError, load_npz
from datasets_me.core.errors import MeDatasetsError, Place, plural
from datasets_me.formats import predictions
from datasets_me.schema import tools
from datasets_me.schema.patterns import matcher
from datasets_me.schema.tools import POINTS, Axis, ToolSpec, Turn

Floats = NDArray[np.float32]

SUFFIXES = (".csv", ".npz")
_LONGEST = 10_000_000  # frames, so that a wrong number does not fill the memory
_MESH = (468, 478)


@dataclass(frozen=True)
class ToolTable:
    """What a tool has found in the frames 0 to T - 1 of a video; NaN where it has found nothing.

    Attributes:
        tool: the id of the tool.
        frames: T, one more than the last frame that the table has.
        arrays: ``landmarks`` (T, 68, 2), in px or, if ``scaled``, as fractions of the picture; ``au`` and ``intensity``
            (T, A) of the units in ``units``; ``pose`` (T, 3) pitch, yaw and roll, and ``gaze`` (T, 2), in degrees;
            ``confidence`` (T,). Those that the table has, float32.
        units: the action units of ``au`` and of ``intensity``.
        scaled: whether landmarks are fractions of the picture.
        others: further rows of the same frame, of other faces mostly, which are left out.
        unread: cells with a text that is no finite number, which are NaN; each as the frame, column and text.
    """

    tool: str
    frames: int
    arrays: Mapping[str, Floats]
    units: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    scaled: bool = False
    others: int = 0
    unread: tuple[str, ...] = ()

    @property
    def left_out(self) -> str:
        """The message about ``others`` (ME607)."""
        return f"{plural(self.others, 'further row')} of the same frames in the table of {self.tool} left out"

    def of_another_length(self, frames: int) -> str:
        """The message about a table of a video that has so many frames, and not ``frames`` of the table (ME619)."""
        return f"the table of {self.tool} has {plural(self.frames, 'frame')}, the video {frames:,}"

    def landmarks(self, count: int, width: int, height: int) -> Floats | None:
        """Landmarks (count, 68, 2) in px of frames of that size, NaN where there are none; None if it has none."""
        points = self.arrays.get("landmarks")
        if points is None:
            return None
        out = fitted(points, count)
        return out * np.array([width, height], np.float32) if self.scaled else out


def fitted(array: Floats, count: int) -> Floats:
    """The first rows of an array, with rows of NaN where it is too short."""
    out = np.full((count, *array.shape[1:]), np.nan, np.float32)
    out[: min(count, len(array))] = array[:count]
    return out


def read(path: Path) -> ToolTable:
    """The table in a CSV or npz.

    Raises:
        MeDatasetsError: it cannot be read, or no tool that is known writes it.
    """
    content = predictions.content_of(path)
    if predictions.is_npz(content):
        return _of_arrays(path, content)
    header, rows, numbers = predictions.read_rows(path, predictions.text_of(path, content))
    spec = tools.of_columns(set(header))
    if spec is None or spec.frame not in header:
        known = ", ".join(tool.id for tool in tools.shipped())
        raise MeDatasetsError(
            "no tool that is known writes such columns",
            details=[f"it has: {predictions.named(header)}"],
            where=str(path),
            fix=f"known are {known}; or give a column 'frame', counted from 0, and x_0, y_0 to x_67, y_67",
        )
    return _of_rows(path, spec, header, rows, numbers)


def _of_rows(
    path: Path, spec: ToolSpec, header: Sequence[str], rows: Sequence[Mapping[str, str]], numbers: Sequence[int]
) -> ToolTable:
    frames = [_frame(path, spec, row, number) for row, number in zip(rows, numbers, strict=True)]
    chosen: dict[int, Mapping[str, str]] = {}
    for frame, row in sorted(zip(frames, rows, strict=True), key=lambda pair: _face(spec, pair[1])):
        chosen.setdefault(frame, row)
    found = {frame: row for frame, row in chosen.items() if not spec.tracked or _number(row.get(spec.tracked, "")) != 0}
    columns = _Columns(tuple(header), found, max(frames, default=-1) + 1)
    arrays = columns.landmarks(spec) | columns.angles(spec)
    units: dict[str, tuple[int, ...]] = {}
    for name, pattern in (("au", spec.aus), ("intensity", spec.intensities)):
        by_unit = _units(pattern, header)
        if by_unit:
            units[name], arrays[name] = tuple(by_unit), columns.stack(list(by_unit.values()))
    if not arrays:
        raise MeDatasetsError(
            "it has no landmarks, action units, head pose or gaze",
            details=[f"it has: {predictions.named(header)}"],
            where=str(path),
            fix="give all of x_0, y_0 to x_67, y_67; or AU1, AU2, …; or pitch, yaw, roll; or gaze_x, gaze_y",
        )
    if spec.confidence in header:
        arrays["confidence"] = columns.stack([str(spec.confidence)])[:, 0]
    scaled = spec.landmarks is not None and spec.landmarks.scaled
    return ToolTable(
        spec.id, columns.count, arrays, units, scaled, len(rows) - len(chosen), tuple(dict.fromkeys(columns.unread))
    )


@dataclass(frozen=True)
class _Columns:
    """The columns of a table, as arrays with a row for each frame."""

    header: tuple[str, ...]
    rows: Mapping[int, Mapping[str, str]]
    count: int
    unread: list[str] = field(default_factory=list)

    def stack(self, titles: Sequence[str]) -> Floats:
        """Columns side by side, (T, n); NaN in frames without a row."""
        values = np.full((self.count, len(titles)), np.nan, np.float32)
        for frame, row in self.rows.items():
            values[frame] = [_number(row[title]) for title in titles]
            bad = (title for title, value in zip(titles, values[frame], strict=True) if not np.isfinite(value))
            texts = {title: row[title].strip() for title in bad}
            self.unread.extend(
                f"frame {frame}, {title} '{text}'"
                for title, text in texts.items()
                if text.casefold() not in ("", "nan")
            )
        values[~np.isfinite(values)] = np.nan
        return values

    def landmarks(self, spec: ToolSpec) -> dict[str, Floats]:
        """The 68 landmarks, if all are there."""
        marks = spec.landmarks
        if marks is None:
            return {}
        titles = [text.format(n=point) for point in marks.points for text in (marks.x, marks.y)]
        if not set(titles) <= set(self.header):
            return {}
        return {"landmarks": self.stack(titles).reshape(self.count, POINTS, 2)}

    def angles(self, spec: ToolSpec) -> dict[str, Floats]:
        """Pose and gaze in degrees, where all angles are there."""
        factor = np.float32(180 / math.pi if spec.angles == "radians" else 1)
        wanted = {
            "pose": [spec.pose.get(key) for key in get_args(Turn)],
            "gaze": [spec.gaze.get(key) for key in get_args(Axis)],
        }
        titles = {name: [title for title in each if title in self.header] for name, each in wanted.items()}
        return {name: self.stack(each) * factor for name, each in titles.items() if len(each) == len(wanted[name])}


def _units(pattern: str | None, header: Sequence[str]) -> dict[int, str]:
    """The columns of action units, by unit."""
    if pattern is None:
        return {}
    fields = {title: matcher(pattern, ignore_case=False).fields(title) for title in header}
    return dict(sorted((int(found["au"]), title) for title, found in fields.items() if found))


def _frame(path: Path, spec: ToolSpec, row: Mapping[str, str], line: int) -> int:
    number = _number(row[spec.frame])
    if not number.is_integer() or not spec.first <= number < _LONGEST:
        raise MeDatasetsError(
            f"'{row[spec.frame]}' is not the number of a frame; {spec.title} counts from {spec.first}",
            where=str(Place(str(path), None, line)),
        )
    return int(number) - spec.first


def _face(spec: ToolSpec, row: Mapping[str, str]) -> float:
    """What the row of a second face comes after: its number, otherwise how unsure the tool is."""
    if spec.face in row:
        return _number(row[str(spec.face)])
    return -_number(row[str(spec.confidence)]) if spec.confidence in row else 0.0


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _of_arrays(path: Path, content: bytes) -> ToolTable:
    try:
        stored = load_npz(content)
    except ArrayError as error:
        raise MeDatasetsError(f"the npz cannot be read: {error}", where=str(path)) from error
    names = [str(name) for name in stored.pop("au_names", np.array([], str)).ravel().tolist()]
    arrays = {name: np.asarray(stored[name], np.float32) for name in _SHAPES if name in stored}
    scaled = False
    points = arrays.get("landmarks")
    if points is not None and points.ndim == 3 and points.shape[1] in _MESH and points.shape[2] in (2, 3):
        mesh = next(tool for tool in tools.shipped() if tool.id == "mediapipe").landmarks
        arrays["landmarks"], scaled = points[:, mesh.points if mesh else [], :2], True
    units = _numbers_of(path, names)
    wrong = next((name for name, array in arrays.items() if not _fits(array, _SHAPES[name], len(units))), None)
    if wrong is not None or not arrays or len({len(array) for array in arrays.values()}) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in sorted(arrays.items())) or "none of them"
        raise MeDatasetsError(
            f"the arrays do not fit together: {shapes}",
            where=str(path),
            fix="give landmarks (T, 68, 2), au (T, A) with au_names (A,), pose (T, 3), gaze (T, 2), confidence (T,)",
        )
    count = len(next(iter(arrays.values())))
    return ToolTable("npz", count, arrays, {"au": units} if "au" in arrays else {}, scaled)


_SHAPES: dict[str, tuple[int | None, ...]] = {
    "landmarks": (POINTS, 2),
    "au": (None,),
    "pose": (3,),
    "gaze": (2,),
    "confidence": (),
}


def _fits(array: NDArray[Any], shape: tuple[int | None, ...], units: int) -> bool:
    return array.ndim == len(shape) + 1 and array.shape[1:] == tuple(units if n is None else n for n in shape)


def _numbers_of(path: Path, names: Sequence[str]) -> tuple[int, ...]:
    try:
        return tuple(int(name.upper().removeprefix("AU").split("_")[0]) for name in names)
    except ValueError as error:
        raise MeDatasetsError(f"au_names are not action units: {error}", where=str(path), fix="write AU12") from error


def find(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """The tables of videos in a folder, by name: ``<name>.csv`` or ``.npz``, at any depth.

    Raises:
        MeDatasetsError: there is no such folder, or a video has two tables.
    """
    if not folder.is_dir():
        raise MeDatasetsError("there is no such folder of tables", where=str(folder))
    wanted, found = set(names), dict[str, Path]()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.stem in wanted and path.is_file():
            if path.stem in found:
                raise MeDatasetsError(
                    f"{path.stem} has two tables", details=[str(found[path.stem]), str(path)], fix="remove one of them"
                )
            found[path.stem] = path
    return found
