"""What all plots share: colours, labels that can always be drawn, headings, PNG bytes."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.extras import install

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 120
COLOURS = {"micro": "#D55E00", "macro": "#0072B2"}
"""Vermilion and blue, which people with any colour vision tell apart (Okabe, Ito: Color Universal Design, 2008)."""
INK, SOFT, FAINT, BAND, TRACK = "#1d2433", "#667085", "#e3e7ee", "#f1f3f7", "#b8c0cc"
_LONGEST_LABEL = 28
_HEADING, _LEGEND = 30, 28  # px
_STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": FAINT,
}


@contextmanager
def own_style() -> Iterator[None]:
    """The style of the plots, independent of the user's settings of matplotlib.

    Raises:
        MeDatasetsError: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib import style
    except ImportError as error:
        raise MeDatasetsError(
            f"plots need matplotlib, which cannot be loaded: {error}",
            fix=install("matplotlib"),
        ) from error
    with style.context("default"), matplotlib.rc_context(_STYLE):
        yield


def drawable(text: str, longest: int = _LONGEST_LABEL) -> str:
    """A label in one line, cut where it is too long.

    A box stands for each character that the font lacks, or that only controls others, such as the direction of the
    text. Only the font that comes with matplotlib is used; with fonts of the machine, the bytes would differ elsewhere.
    """
    known = _characters()
    line = "".join(char if ord(char) in known else "□" for char in " ".join(text.split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"


@cache
def _characters() -> frozenset[int]:
    from matplotlib import font_manager, ft2font

    path = font_manager.findfont("DejaVu Sans", fallback_to_default=False)
    return frozenset(code for code in ft2font.FT2Font(path).get_charmap() if unicodedata.category(chr(code)) != "Cf")


def new_figure(width: float, height: float, title: str, legend: Sequence[Any] = ()) -> Figure:
    """A figure without a window: width × height inches of plots below a heading and its legend."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    above = _HEADING + (_LEGEND if legend else 0)
    total = height * DPI + above
    figure = Figure(figsize=(width, total / DPI), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    layout: Any = figure.get_layout_engine()
    layout.set(rect=(0, 0, 1, 1 - above / total))
    figure.text(8 / (width * DPI), 1 - 8 / total, title, ha="left", va="top", fontsize=13, fontweight="bold")
    if legend:
        drawn = figure.legend(
            handles=list(legend),
            loc="upper left",
            bbox_to_anchor=(0, 1 - _HEADING / total),
            ncols=len(legend),
            frameon=False,
            fontsize=9,
            borderaxespad=0.2,
        )
        drawn.set_in_layout(False)
    return figure


def swatches(types: Sequence[str]) -> list[Any]:
    """The legend's entries for the types."""
    from matplotlib.patches import Patch

    return [Patch(color=COLOURS[kind], label=kind) for kind in types]


def whole_numbers(axis: Any) -> None:
    """Ticks at round counts."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=8, integer=True, steps=[1, 2, 5, 10]))


def png(figure: Figure) -> bytes:
    """The figure as PNG, without the version of matplotlib, so that equal pictures are equal bytes."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI, metadata={"Software": None})
    return content.getvalue()
