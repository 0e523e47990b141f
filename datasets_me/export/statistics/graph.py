"""Which regions of the face move together: the co-occurrence of action units as an adjacency matrix.

The rule is that of AUW-GCN (Yin et al., ICME 2023; github.com/xjtupanda/AUW-GCN). An expression with one unit of the
table adds 1 to the diagonal entries of its regions. One with several adds, for every pair of its units and every pair
of their regions i and j, 1 to (i, j) and 1 to (j, i). Each row is then divided by its sum + 1e-6.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.artefact import write_file
from datasets_me.core.choices import Compat
from datasets_me.core.errors import plural
from datasets_me.export.statistics.region_tables import RegionTable
from datasets_me.formats.records import ActionUnit, Annotation

Reading = Iterator[tuple[Fraction, list[frozenset[int]]]]
"""Each possible reading of an expression: its probability, and the regions that each unit of the table moves."""

_EPSILON = 1e-6  # of the published rule: rows without any count stay 0


@dataclass(frozen=True)
class Graph:
    """An adjacency matrix (regions, regions) float32 whose rows sum to 1 or are 0, and what it was computed from.

    ``used`` counts expressions with a unit of the table, ``without`` those with none; ``left_out`` counts units that
    are not in the table, as numbers or, in the published reading, as texts.
    """

    matrix: NDArray[np.float32]
    used: int
    without: int
    left_out: Counter[str]


def graph(annotations: Iterable[Annotation], table: RegionTable, *, compat: Compat | None = None) -> Graph:
    """The co-occurrence of regions over all expressions.

    Without ``compat`` the units are those of the manifest, with their side or lip, whatever their intensity. Units that
    exclude each other (``14or23``) are taken to be equally likely, and each counts its share of 1.

    With ``compat="auwgcn"`` a unit is a text between plus signs that is exactly a number of the table:
    ``L12``, ``4B`` and ``14or23`` are ignored, so one unit on both sides (``L12+R12``) cannot occur.
    """
    counts = np.zeros((len(table.regions), len(table.regions)))
    used = without = 0
    left_out: Counter[str] = Counter()
    for row in annotations:
        seen = False
        for weight, units in _published(row, table) if compat else _read(row.aus, table):
            seen |= bool(units)
            _add(counts, float(weight), units)
        used += seen
        without += not seen
        left_out.update(_strange(row, table, compat))
    matrix = counts / (np.abs(counts).sum(axis=1, keepdims=True) + _EPSILON)
    return Graph(matrix.astype(np.float32), used, without, left_out)


def write(region_graph: Graph, path: Path) -> None:
    """Write the matrix as an .npy file.

    Raises:
        MeDatasetsError: the file cannot be written.
    """
    content = io.BytesIO()
    np.save(content, region_graph.matrix, allow_pickle=False)
    write_file(path, content.getvalue())


def summary(region_graph: Graph) -> str:
    """One or two sentences about what the matrix was computed from."""
    text = f"{plural(region_graph.used, 'expression')} counted, {region_graph.without:,} without a unit of the table"
    if region_graph.left_out:
        units = ", ".join(f"{unit} ({count})" for unit, count in region_graph.left_out.most_common(8))
        text += f"; units not in the table: {units}" + (", …" if len(region_graph.left_out) > 8 else "")
    return text


def _read(units: Sequence[ActionUnit], table: RegionTable) -> Reading:
    """Every choice among units that exclude each other, all equally likely."""
    groups: dict[int, set[int]] = {}
    for unit in units:
        if unit.alternative is not None:
            groups.setdefault(unit.alternative, set()).add(unit.option or 0)
    choices = list(product(*([(group, option) for option in sorted(options)] for group, options in groups.items())))
    for choice in choices:
        regions: dict[int, frozenset[int]] = {}
        for unit in units:
            if unit.alternative is None or (unit.alternative, unit.option or 0) in choice:
                moved = table.moved(unit.au, unit.side)
                if moved:
                    regions[unit.au] = regions.get(unit.au, frozenset()) | moved
        yield Fraction(1, len(choices)), list(regions.values())


def _published(row: Annotation, table: RegionTable) -> Reading:
    known = {str(unit): frozenset(regions) for unit, regions in table.units.items()}
    yield Fraction(1), [known[text] for text in published_units(row) if text in known]


def published_units(row: Annotation) -> list[str]:
    """The texts between plus signs in the cell of the action units, as the published rule takes them."""
    return row.corrected.get("aus", row.au_raw or "").split("+")


def _add(counts: NDArray[np.float64], weight: float, units: list[frozenset[int]]) -> None:
    if len(units) == 1:
        for region in units[0]:
            counts[region, region] += weight
    for first, second in combinations(units, 2):
        for i, j in product(first, second):
            counts[i, j] += weight
            counts[j, i] += weight


def _strange(row: Annotation, table: RegionTable, compat: Compat | None) -> set[str]:
    if compat:
        return {text for text in published_units(row) if text and text not in {str(unit) for unit in table.units}}
    return {str(unit.au) for unit in row.aus if unit.au not in table.units}
