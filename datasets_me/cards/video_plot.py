"""A plot of one video: the motion of its regions, the annotated expressions, and doubtful frames."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets_me.cards.plot_style import COLOURS, own_style
from datasets_me.core.artefact import may_write, write_file
from datasets_me.core.errors import FeaturesError
from datasets_me.core.paths import safe_name
from datasets_me.core.text import closest
from datasets_me.features.regions import REGION_SETS
from datasets_me.features.video import Quality
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, VideoFeatures

_X, _Y = "#444444", "#009E73"
_DOUBT = "#D55E00"
_FAINT = 0.3
"""How opaque the curve of doubted motion is."""


def find_row(folder: FeatureFolder, name: str) -> VideoFeatures:
    """The row of a video, by its name, its file's name or its file's path.

    Raises:
        FeaturesError: there is none, or several; the error suggests the nearest name.
    """
    stem = name if not name.endswith(".npy") else Path(name).stem
    rows = [row for row in folder.rows if {stem, safe_name(stem)} & {row.name, row.video}]
    rows = [row for row in rows if Path(name).parent.name == row.subject] or rows
    if not rows:
        near = closest(stem, [row.name for row in folder.rows])
        names = ", ".join(row.name for row in folder.rows[:5])
        fix = f"did you mean {near}?" if near else f"give one of {names}{', …' if len(folder.rows) > 5 else ''}"
        raise FeaturesError(f"there is no video '{name}' among the features", where=str(folder.folder), fix=fix)
    if len(rows) > 1:
        names = ", ".join(f"{row.subject}/{row.name}.npy" for row in rows[:4])
        raise FeaturesError(f"'{name}' has several arrays: {names}", fix="give one of these")
    return rows[0]


def plot_video(manifest: Manifest, folder: FeatureFolder, row: VideoFeatures, path: Path) -> None:
    """Write a PNG with one lane per region: its motion in x and y.

    Annotated expressions are shaded, their apexes are lines. Where motion is not believed to be that of the skin, its
    curve is faint, cut where it leaves the lane, and has a bar at the foot; axes follow the motion that is believed.
    Below all are the frames that are missing, without a face or cut.

    Raises:
        MeDatasetsError: matplotlib is not installed, or the features cannot be read.
        WriteError: the picture cannot be written.
    """
    with own_style():
        content = _png(manifest, folder, row)
    write_file(path, content)


def _png(manifest: Manifest, folder: FeatureFolder, row: VideoFeatures) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    feature = np.asarray(folder.load(row), np.float32) * row.unit_px
    quality, valid = folder.quality(row), folder.valid(row)
    doubt = np.zeros(feature.shape[:2], bool) if valid is None else np.isfinite(feature).all(axis=2) & ~valid
    regions = REGION_SETS.get(row.regions)
    known = regions is not None and len(regions.names) == feature.shape[1]
    names = regions.names if regions is not None and known else [str(i) for i in range(feature.shape[1])]
    frames = row.start + np.arange(len(feature))
    expressions = shown_annotations(manifest, row)
    count = feature.shape[1]
    figure = Figure(figsize=(13, 2.0 + 0.55 * count), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(count + 1, 1, sharex=True, squeeze=False, height_ratios=[1.0] * count + [1.2])[:, 0]
    believed = np.where(doubt[..., None], np.nan, feature)
    limit = _limit(believed) or _limit(feature) or 1.0
    for lane, (axis, name) in enumerate(zip(axes, names, strict=False)):
        for expression, onset, apex, offset in expressions:
            axis.axvspan(onset, offset, color=COLOURS[expression.type], alpha=0.16, linewidth=0)
            if apex is not None:
                axis.axvline(apex, color=COLOURS[expression.type], linewidth=0.9, linestyle=":")
        axis.axhline(0, color="#bbbbbb", linewidth=0.5)
        for part, colour in enumerate((_X, _Y)):
            axis.plot(frames, feature[:, lane, part], color=colour, linewidth=0.9, alpha=_FAINT)
            axis.plot(frames, believed[:, lane, part], color=colour, linewidth=0.9)
        _mark_doubt(axis, row.start, doubt[:, lane])
        axis.set_ylim(-limit, limit)
        axis.set_ylabel(name.replace("_", " "), rotation=0, ha="right", va="center", fontsize=9)
        axis.tick_params(labelsize=8)
        axis.set_yticks([-limit / 2, 0, limit / 2], [f"{-limit / 2:.2g}", "0", f"{limit / 2:.2g}"])
        axis.spines[["top", "right"]].set_visible(False)
    _mark_quality(axes[-1], row, quality)
    axes[-1].set_xlabel(f"frame (0-based, {row.fps:g} a second)")
    axes[-1].set_xlim(row.start - 0.5, row.start + max(row.frames, 1) - 0.5)
    figure.suptitle(
        f"{row.name}: px from frame to frame + {row.step}, axes to ±{limit:.2g} px, y is down",
        fontsize=12,
        x=0.01,
        ha="left",
    )
    _legend(figure, expressions, doubted=bool(doubt.any()))
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in letters that the font lacks shows boxes
        figure.savefig(content, dpi=110, metadata={"Software": None})
    return content.getvalue()


def _limit(feature: NDArray[np.float32]) -> float | None:
    """Where the axes of lanes end; None where nothing is known."""
    finite = np.abs(feature[np.isfinite(feature)])
    return float(np.quantile(finite, 0.999)) * 1.1 + 1e-6 if finite.size else None


def shown_annotations(manifest: Manifest, row: VideoFeatures) -> list[tuple[Annotation, float, float | None, float]]:
    """The annotations of a video with onset, apex and offset at the rate of its arrays.

    One without an offset ends with its apex, one without an onset begins there.
    """
    shown = []
    for annotation in manifest.annotations:
        if annotation.video != row.video or row.expression not in (None, annotation.expression):
            continue
        ends = [value for value in (annotation.onset, annotation.apex, annotation.offset) if value is not None]
        ratio = row.fps / annotation.fps
        onset = annotation.onset if annotation.onset is not None else ends[0]
        offset = annotation.offset if annotation.offset is not None else ends[-1]
        apex = None if annotation.apex is None else annotation.apex * ratio
        shown.append((annotation, onset * ratio, apex, offset * ratio))
    return shown


def _mark_doubt(axis: Any, start: int, doubt: NDArray[np.bool_]) -> None:
    """A bar under the frames (T,), counted from ``start``, in which the motion of a region is doubted."""
    edges = start + np.arange(len(doubt) + 1) - 0.5
    axis.stairs(0.09 * doubt, edges, transform=axis.get_xaxis_transform(), color=_DOUBT, fill=True)


def _mark_quality(axis: Any, row: VideoFeatures, quality: NDArray[np.uint8] | None) -> None:
    """A strip with one line for each kind of doubt."""
    kinds = (
        ("missing", Quality.MISSING, "#000000"),
        ("no face", Quality.NO_FACE, "#CC79A7"),
        ("cut", Quality.CLIPPED, "#E69F00"),
    )
    for height, (_, flag, colour) in enumerate(kinds):
        marked = np.flatnonzero(quality & flag) if quality is not None else np.zeros(0, int)
        axis.scatter(row.start + marked, np.full(len(marked), height), marker="|", s=40, color=colour)
    axis.set_ylim(-0.7, len(kinds) - 0.3)
    axis.set_yticks(range(len(kinds)), [name for name, _, _ in kinds], fontsize=8)
    axis.spines[["top", "right"]].set_visible(False)


def _legend(
    figure: Any, expressions: Sequence[tuple[Annotation, float, float | None, float]], *, doubted: bool
) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[object] = [Line2D([], [], color=_X, label="x"), Line2D([], [], color=_Y, label="y")]
    for kind in ("micro", "macro"):
        count = sum(annotation.type == kind for annotation, *_ in expressions)
        if count:
            handles.append(Patch(color=COLOURS[kind], alpha=0.3, label=f"{kind}-expression ({count})"))
    if doubted:
        handles.append(Patch(color=_DOUBT, label="not believed to be motion of the skin"))
    figure.legend(handles=handles, loc="outside lower right", ncols=len(handles), fontsize=9, frameon=False)


def draw_video(manifest: Manifest, folder: FeatureFolder, name: str, out: Path | None, *, force: bool = False) -> Path:
    """Draw the video of a name to ``out``, or to a PNG of its name in the current folder; returns the path.

    Raises:
        MeDatasetsError: there is no such video, or it cannot be drawn.
        OutputError: the file exists and may not be replaced.
        WriteError: the picture cannot be written.
    """
    row = find_row(folder, name)
    path = out or Path(f"{safe_name(row.name)}.png")
    may_write(path, force)
    plot_video(manifest, folder, row, path)
    return path
