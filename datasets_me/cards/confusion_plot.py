"""A confusion matrix as a picture."""

from __future__ import annotations

import numpy as np

from datasets_me.cards import plot_style
from datasets_me.cards.plot_style import drawable, new_figure
from datasets_me.scores.confusion import Confusion


def png(matrix: Confusion, title: str) -> bytes:
    """The matrix as PNG: counts in the cells, coloured by their share of the row. The same counts give the same bytes.

    Raises:
        MeDatasetsError: matplotlib is not installed.
    """
    sums = np.maximum(matrix.counts.sum(axis=1, keepdims=True), 1)
    shares = matrix.counts / sums
    rows, columns = matrix.counts.shape
    with plot_style.own_style():
        width = 2.4 + 0.75 * columns
        figure = new_figure(width, 1.5 + 0.6 * rows, drawable(title, round(10 * width)))
        axes = figure.add_subplot()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        names = [drawable(name) for name in matrix.columns]
        axes.set_xticks(range(columns), names, rotation=35, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(rows), [drawable(name) for name in matrix.classes])
        axes.set_xlabel("predicted")
        axes.set_ylabel("label")
        for i in range(rows):
            for j in range(columns):
                colour = "white" if shares[i, j] > 0.55 else "black"
                text = f"{matrix.counts[i, j]}\n{shares[i, j]:.0%}"
                axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=8)
        return plot_style.png(figure)
