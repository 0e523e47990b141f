"""What other tools write for each frame of a video: the model of ``schemas/tools/<id>.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from datasets_me.core import resources
from datasets_me.schema.patterns import matcher
from datasets_me.schema.schema_files import validated
from datasets_me.schema.spec import Model, Pattern, not_valid
from datasets_me.schema.yaml_files import read_text

POINTS = 68
Turn = Literal["pitch", "yaw", "roll"]
Axis = Literal["x", "y"]


class LandmarkColumns(Model):
    """Where the landmarks are: ``{n}`` is the number of a point."""

    x: str = Field(description="columns of x, such as x_{n}")
    y: str = Field(description="columns of y, such as y_{n}")
    scaled: bool = Field(False, description="fractions of the width and height of the picture, instead of px")
    points: list[int] = Field(
        default=list(range(POINTS)), description="the tool's numbers of the 68 points of the iBUG scheme, in its order"
    )

    @model_validator(mode="after")
    def _all_points(self) -> Self:
        if len(self.points) != POINTS:
            raise not_valid([("landmarks.points", f"{len(self.points)} points, {POINTS} are needed")])
        return self


class ToolSpec(Model):
    """The columns of a tool's table, by their titles."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9\-]*$")
    version: int = Field(ge=1)
    title: str
    marks: list[str] = Field(min_length=1, description="columns by which the table is known; the most of them decide")
    frame: str = Field(description="the number of the frame")
    first: Literal[0, 1] = Field(description="the number of the first frame")
    face: str | None = Field(None, description="the number of the face; only the lowest is read")
    confidence: str | None = Field(None, description="how sure the tool is, 0 to 1")
    tracked: str | None = Field(None, description="0 where the face was not found")
    landmarks: LandmarkColumns | None = None
    aus: Pattern | None = Field(None, description="columns of action units, 0 to 1; the group au is the unit")
    intensities: Pattern | None = Field(None, description="columns of intensities, 0 to 5")
    pose: dict[Turn, str] = Field(default_factory=dict, description="columns of angles")
    gaze: dict[Axis, str] = Field(default_factory=dict, description="columns of angles")
    angles: Literal["radians", "degrees"] = Field("degrees", description="the unit of pose and gaze")

    @model_validator(mode="after")
    def _units_are_named(self) -> Self:
        for name in ("aus", "intensities"):
            pattern = getattr(self, name)
            if pattern is not None and "au" not in matcher(pattern).groups:
                raise not_valid([(name, "the pattern has no group 'au'")])
        return self


@cache
def shipped() -> tuple[ToolSpec, ...]:
    """The tools that are known, sorted by id."""
    paths = sorted((resources.folder("schemas") / "tools").glob("*.yaml"))
    return tuple(_read(path) for path in paths)


def of_columns(columns: set[str]) -> ToolSpec | None:
    """The tool that writes a table with such columns: the one of whose marks the most are there; None if none is."""
    best = max(shipped(), key=lambda spec: (len(columns & set(spec.marks)), spec.id != "plain"))
    return best if columns & set(best.marks) else None


def _read(path: Path) -> ToolSpec:
    return validated(read_text(path), str(path), ToolSpec, "tool")
