"""Flow images to look at: both faces, the motion between them along x and y, and its strain."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets_me.cards.plot_style import drawable, new_figure, own_style, png
from datasets_me.core.arrays import load_npz
from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.core.paths import under
from datasets_me.formats.items import ItemRow, read_items

MOST = 8
"""Expressions on one picture."""

_SIDE = 1.35  # inches
_CHANNELS = (("u", "u, to the right", "RdBu_r"), ("v", "v, downwards", "RdBu_r"), ("strain", "strain", "magma"))


def draw(export: Path) -> tuple[bytes, int]:
    """A PNG of expressions of an export of flow images, a row for each, and how many they are.

    Where there are more than `MOST`, they are taken evenly from the whole export. Each channel of an expression has
    its own range of colours, which stands above it: px for u and v, px per px for the strain.

    Raises:
        MeDatasetsError: matplotlib is not installed, or the export has no image of one expression.
    """
    rows = [row for row in read_items(export) if row.annotations]
    if not rows:
        raise MeDatasetsError("there is no flow image of an expression to draw", where=str(export))
    chosen = [rows[at] for at in np.unique(np.linspace(0, len(rows) - 1, min(MOST, len(rows))).round().astype(int))]
    with own_style():
        title = f"{len(chosen)} of {plural(len(rows), 'flow image')}"
        figure = new_figure(_SIDE * 6.4, _SIDE * len(chosen) * 1.18, title)
        grid = figure.subplots(len(chosen), 5, squeeze=False)
        for axes, row in zip(grid, chosen, strict=True):
            _draw_row(axes, export, row)
        return png(figure), len(chosen)


def _draw_row(axes: np.ndarray, export: Path, row: ItemRow) -> None:
    item = load_npz(under(export, row.file), ("u", "v", "strain", "onset_frame", "to_frame", "frames", "emotion"))
    for place, name, frame in zip(axes, ("onset_frame", "to_frame"), item["frames"].tolist(), strict=False):
        place.imshow(item[name])
        place.set_title(f"frame {frame}", fontsize=8)
    for place, (name, title, colours) in zip(axes[2:], _CHANNELS, strict=True):
        most = float(np.abs(item[name]).max()) or 1.0
        place.imshow(item[name], cmap=colours, vmin=0 if name == "strain" else -most, vmax=most)
        place.set_title(f"{title}: {'' if name == 'strain' else '±'}{most:.2g}", fontsize=8)
    for place in axes:
        place.set_xticks([])
        place.set_yticks([])
    emotion = str(item["emotion"]) or "no emotion"
    axes[0].set_ylabel(f"{drawable(row.video)}\n{drawable(emotion)}", fontsize=8)
