"""Tables from action units to regions of the face: ``action_unit_regions.yaml``, or a file of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from datasets_me.core import resources
from datasets_me.core.errors import MeDatasetsError
from datasets_me.schema.schema_files import validated
from datasets_me.schema.yaml_files import load as load_yaml
from datasets_me.schema.yaml_files import read_text

TABLES = "export/statistics/action_unit_regions.yaml"

_HALVES: dict[str, tuple[str, str]] = {
    "left": ("left", "right"),
    "right": ("right", "left"),
    "top": ("top", "bottom"),
    "bottom": ("bottom", "top"),
}


class RegionTable(BaseModel):
    """Names of regions, and the regions that each action unit moves.

    ``sides`` lists the regions on each side of the face and on each lip; the others lie on both.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    regions: list[str] = Field(min_length=1)
    sides: dict[Literal["left", "right", "top", "bottom"], list[int]] = Field(default_factory=dict)
    units: dict[int, list[int]] = Field(min_length=1)

    @model_validator(mode="after")
    def _regions_exist(self) -> Self:
        for name, numbers in [*self.units.items(), *self.sides.items()]:
            wrong = [number for number in numbers if not 0 <= number < len(self.regions)]
            if wrong:
                raise ValueError(f"{name}: there is no region {wrong[0]}; they count from 0 to {len(self.regions) - 1}")
        return self

    def moved(self, unit: int, side: str) -> frozenset[int]:
        """The regions that a unit moves; of a unit on one side or one lip, without those on the other.

        ``bilateral`` and ``asymmetric`` move both sides. A unit that is not in the table moves nothing.
        """
        regions = frozenset(self.units.get(unit, ()))
        if side not in _HALVES:
            return regions
        return regions - frozenset(self.sides.get(_HALVES[side][1], ()))  # type: ignore[call-overload]


def load(name: str) -> RegionTable:
    """A table by its name, or from a YAML file of the same form as one entry of the shipped ones.

    Raises:
        MeDatasetsError: there is no such table or file, or it is not valid.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        return validated(read_text(path, "table of regions"), str(path), RegionTable, "table of regions")
    shipped = load_yaml(resources.package_file(TABLES).read_text(encoding="utf-8"), TABLES).value
    if name not in shipped:
        raise MeDatasetsError(
            f"there is no table of regions '{name}'",
            fix=f"give one of {', '.join(shipped)}, or the path of a YAML file",
        )
    return RegionTable.model_validate(shipped[name])
