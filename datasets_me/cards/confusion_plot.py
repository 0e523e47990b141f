"""A confusion matrix as a picture."""

from __future__ import annotations

import io

import numpy as np

from datasets_me.core.errors import MeDatasetsError
from datasets_me.scores.confusion import Confusion


def png(matrix: Confusion, title: str) -> bytes:
    """The matrix as PNG: counts in the cells, coloured by their share of the row. The same counts give the same bytes.

    Raises:
        MeDatasetsError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MeDatasetsError(
            "pictures need matplotlib", fix="pip install 'me-datasets[plots]', or leave --picture out"
        ) from error
    sums = np.maximum(matrix.counts.sum(axis=1, keepdims=True), 1)
    shares = matrix.counts / sums
    rows, columns = matrix.counts.shape
    figure = Figure(figsize=(2.4 + 0.75 * columns, 1.8 + 0.6 * rows), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(columns), matrix.columns, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(rows), matrix.classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("label")
    axes.set_title(title, fontsize=10)
    for i in range(rows):
        for j in range(columns):
            colour = "white" if shares[i, j] > 0.55 else "black"
            axes.text(
                j, i, f"{matrix.counts[i, j]}\n{shares[i, j]:.0%}", ha="center", va="center", color=colour, fontsize=8
            )
    made = io.BytesIO()
    figure.savefig(made, format="png", metadata={"Software": None})
    return made.getvalue()
