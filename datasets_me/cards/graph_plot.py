"""The graph of regions as a heat map."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.cards.plot_style import own_style
from datasets_me.core.artefact import write_file

_INCHES_PER_REGION, _INCHES_OF_NAMES = 0.5, 2.4
_DARK = 0.6  # of the largest value; above it, numbers are white


def draw(matrix: NDArray[np.float32], names: Sequence[str], title: str, path: Path) -> None:
    """Write a PNG of an adjacency matrix (regions, regions) with its values.

    Raises:
        MeDatasetsError: matplotlib is not installed, or the file cannot be written.
    """
    with own_style():
        content = _png(matrix, names, title)
    write_file(path, content)


def _png(matrix: NDArray[np.float32], names: Sequence[str], title: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    side = _INCHES_PER_REGION * len(names) + _INCHES_OF_NAMES
    figure = Figure(figsize=(side + 0.8, side), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(matrix, cmap="Blues", vmin=0)
    labels = [f"{name.replace('_', ' ')}  {number}" for number, name in enumerate(names)]
    axes.set_xticks(range(len(names)), labels, rotation=45, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), labels)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    greatest = float(matrix.max())
    for (row, column), value in np.ndenumerate(matrix):
        if value > 0:
            colour = "white" if value > _DARK * greatest else "black"
            axes.text(column, row, f"{value:.2f}".lstrip("0"), ha="center", va="center", color=colour, fontsize=8)
    figure.colorbar(image, ax=axes, shrink=0.8, label="part of the row")
    axes.set_xlabel(title, labelpad=10)
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()
