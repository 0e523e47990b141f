"""Where on the face motion is read, as data: a new set of regions is a new table here, not new code.

A region is a square window around a point of the face, and the point is a weighted mean of the 68 landmarks
(iBUG order, counted from 0). Angles are in degrees in image coordinates (x right, y down), so 30-150 is
*down*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

LANDMARKS = 68

Sectors = tuple[tuple[float, float], ...]
"""Half-open ranges of angle [from, to) in degrees; ``to`` below ``from`` runs through 0."""

DIAGONAL_QUARTERS: Sectors = ((45.0, 135.0), (135.0, 225.0), (225.0, 315.0), (315.0, 45.0))
VERTICAL_WIDE: Sectors = ((30.0, 150.0), (150.0, 210.0), (210.0, 330.0), (330.0, 30.0))


@dataclass(frozen=True)
class Region:
    """One window: its name and the weights of the landmarks whose mean is its centre."""

    name: str
    weights: Mapping[int, float]


@dataclass(frozen=True)
class HeadBox:
    """The box whose main direction is taken for the motion of the head.

    It spans the landmarks ``along``, widened on all sides by ``int(margin * eye distance / 2)`` pixels, where
    the eye distance is measured in x between the inner corners ``eyes``.
    """

    along: tuple[int, ...] = (29, 30)
    eyes: tuple[int, int] = (39, 42)
    margin: float = 0.35
    sectors: Sectors = DIAGONAL_QUARTERS
    keep: float = 0.88


@dataclass(frozen=True)
class RegionSet:
    """A table of regions with the rule that turns a window of flow into one vector.

    ``radius`` is half the side of a window without its middle pixel, in px (5 gives 11 x 11), for a face of
    ``face_width`` px between the ears; ``keep`` is the fraction of strongest vectors of the fullest sector.
    """

    name: str
    regions: tuple[Region, ...]
    radius: int = 5
    face_width: float = 133.0
    sectors: Sectors = VERTICAL_WIDE
    keep: float = 0.6
    head: HeadBox = HeadBox()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the regions, in the order of the feature's second axis."""
        return tuple(region.name for region in self.regions)

    def matrix(self) -> NDArray[np.float64]:
        """The weights as an array (regions, 68): centres = matrix @ landmarks."""
        out = np.zeros((len(self.regions), LANDMARKS))
        for row, region in zip(out, self.regions, strict=True):
            for landmark, weight in region.weights.items():
                row[landmark] = weight
        return out


def at(name: str, landmark: int) -> Region:
    """A region centred on one landmark."""
    return Region(name, MappingProxyType({landmark: 1.0}))


def face_grid(rows: int, columns: int) -> RegionSet:
    """A grid over the face, between brows and jaw.

    It is bilinear between the landmarks 17 and 26 (outer brows), 5 and 11 (jaw).

    Args:
        rows: windows from top to bottom, at least 1.
        columns: windows from left to right, at least 1.

    Raises:
        ValueError: for a grid without windows.
    """
    if rows < 1 or columns < 1:
        raise ValueError(f"a face grid needs at least one row and one column, not {rows} x {columns}")
    regions = []
    for row in range(rows):
        for column in range(columns):
            y, x = (row + 0.5) / rows, (column + 0.5) / columns
            weights = {17: (1 - y) * (1 - x), 26: (1 - y) * x, 5: y * (1 - x), 11: y * x}
            regions.append(Region(f"cell_{row}_{column}", MappingProxyType(weights)))
    return RegionSet(f"grid-{rows}x{columns}", tuple(regions))


TWELVE = RegionSet(
    "twelve",
    (
        at("right_brow_outer", 18),
        at("right_brow_middle", 19),
        at("right_brow_inner", 20),
        at("left_brow_inner", 23),
        at("left_brow_middle", 24),
        at("left_brow_outer", 25),
        at("nose_bridge", 28),
        at("nose_tip", 30),
        at("mouth_right_corner", 48),
        at("mouth_top", 51),
        at("mouth_left_corner", 54),
        at("mouth_bottom", 57),
    ),
)
"""The twelve regions of AUW-GCN (Yin et al., ACM MM 2023), in the order of its nodes."""

ELEVEN = RegionSet("eleven", tuple(region for region in TWELVE.regions if region.name != "nose_tip"))
"""The twelve without the nose tip, which lies in the head box and so is near zero by construction."""

REGION_SETS: Mapping[str, RegionSet] = MappingProxyType(
    {regions.name: regions for regions in (TWELVE, ELEVEN, face_grid(4, 4))}
)
"""The sets that can be asked for by name."""
