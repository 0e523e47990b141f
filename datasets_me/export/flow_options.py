"""What the user may choose of flow images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import get_args

from datasets_me.core.choices import ExpressionType, FlowMethod, StrainDefinition
from datasets_me.core.errors import MeDatasetsError
from datasets_me.export.flow_presets import Preset, preset
from datasets_me.features.flow import METHODS
from datasets_me.features.magnify import check_magnification
from datasets_me.features.strain import DEFINITIONS
from datasets_me.formats.missing_offset import check_rule


@dataclass(frozen=True)
class FlowOptions:
    """How flow images are made.

    Attributes:
        preset: see ``flow_presets.yaml``.
        to: the later frame: ``apex``, ``offset``, ``middle`` of onset and offset, or a number of frames after the onset
            (for a preset of every frame: after each).
        flow: the method, in place of the preset's.
        strain: the definition of the third channel, in place of the preset's.
        size: side of the face's picture in px, in place of the preset's.
        align: move the later frame so that the face lies as in the onset's; needs landmarks of an extraction.
        magnify: the later face is moved on along its flow, so that the motion is so many times as large.
        band: the lowest and highest frequency in Hz, such as ``0.5-10``, of motion that is magnified in Eulerian form
            over all frames from onset to offset, in place of along the flow.
        type: only expressions of this type.
        layout: the folders to take frames from; None for those of the features, otherwise the schema's first layout
            with annotated folders.
        offset_missing: how an offset that was not annotated is read, see `formats.missing_offset`.
    """

    preset: str = "default"
    to: str = "apex"
    flow: FlowMethod | None = None
    strain: StrainDefinition | None = None
    size: int | None = None
    align: bool = False
    magnify: float = 1.0
    band: str | None = None
    type: ExpressionType | None = None
    layout: str | None = None
    offset_missing: str = "mirror"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            MeDatasetsError: one of them is out of range.
        """
        if self.to not in ("apex", "offset", "middle") and not (self.to.isdecimal() and 1 <= int(self.to) < 1_000_000):
            raise MeDatasetsError(
                f"'{self.to}' does not name a frame", fix="give --to apex, offset, middle, or a number of frames"
            )
        if self.size is not None and not 16 <= self.size <= 1024:
            raise MeDatasetsError(f"a face cannot be {self.size} px wide", fix="give a --size from 16 to 1024")
        check_magnification(self.magnify, self.band)
        for option, value, known in (
            ("--flow", self.flow, METHODS),
            ("--strain", self.strain, DEFINITIONS),
            ("--type", self.type, get_args(ExpressionType)),
        ):
            if value is not None and value not in known:
                raise MeDatasetsError(f"{option} cannot be '{value}'", fix=f"choose one of {', '.join(known)}")
        check_rule(self.offset_missing)
        if self.of_preset.every_frame:
            self._check_every_frame()

    @cached_property
    def of_preset(self) -> Preset:
        """The preset, with what is chosen in its place."""
        chosen = preset(self.preset)
        recipe = chosen.recipe
        if self.flow is not None and self.flow != recipe.flow:
            recipe = replace(recipe, flow=self.flow, farneback=None)
        recipe = replace(recipe, strain=self.strain or recipe.strain, face=self.size or recipe.face)
        return chosen.model_copy(update={"recipe": recipe})

    def _check_every_frame(self) -> None:
        if self.type is None:
            raise MeDatasetsError(
                f"the preset {self.preset} looks over half the mean length of one type of expression",
                fix="give --type micro or --type macro",
            )
        if self.magnify != 1:
            raise MeDatasetsError(
                f"the preset {self.preset} has the flow of every frame, which is not magnified",
                fix="leave --magnify out",
            )
