"""What the user may choose of flow images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast, get_args

from datasets_me.core.errors import MeDatasetsError
from datasets_me.export.flow_presets import Preset, preset
from datasets_me.export.options import OFFSETS
from datasets_me.features.flow import METHODS, Method
from datasets_me.features.strain import DEFINITIONS, Definition
from datasets_me.schema.spec import ExpressionType

MOST_MAGNIFIED = 100.0


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
        type: only expressions of this type.
        layout: the folders to take frames from; None for those of the features, or else the schema's first that has
            annotated ones.
        offset_missing: how an offset that was not annotated is read, as in an export of segments.
    """

    preset: str = "default"
    to: str = "apex"
    flow: str | None = None
    strain: str | None = None
    size: int | None = None
    align: bool = False
    magnify: float = 1.0
    type: str | None = None
    layout: str | None = None
    offset_missing: str = "mirror"

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            MeDatasetsError: one of them does.
        """
        if self.to not in ("apex", "offset", "middle") and not (self.to.isdecimal() and 1 <= int(self.to) < 1_000_000):
            raise MeDatasetsError(
                f"'{self.to}' does not name a frame", fix="give --to apex, offset, middle, or a number of frames"
            )
        if self.size is not None and not 16 <= self.size <= 1024:
            raise MeDatasetsError(f"a face cannot be {self.size} px wide", fix="give a --size from 16 to 1024")
        if not 1 <= self.magnify <= MOST_MAGNIFIED:
            raise MeDatasetsError(f"motion cannot be magnified {self.magnify:g} times", fix="give 1 to 100")
        for option, value, known in (
            ("--flow", self.flow, METHODS),
            ("--strain", self.strain, DEFINITIONS),
            ("--type", self.type, get_args(ExpressionType)),
        ):
            if value is not None and value not in known:
                raise MeDatasetsError(f"{option} cannot be '{value}'", fix=f"choose one of {', '.join(known)}")
        if not OFFSETS.fullmatch(self.offset_missing):
            raise MeDatasetsError(
                f"a missing offset cannot be read as '{self.offset_missing}'",
                fix="give mirror, apex, drop, or fixed:N with a number of frames",
            )

    @cached_property
    def of_preset(self) -> Preset:
        """The preset, with what is chosen in its place."""
        chosen = preset(self.preset)
        recipe = chosen.recipe
        if self.flow is not None and self.flow != recipe.flow:
            recipe = replace(recipe, flow=cast(Method, self.flow), farneback=None)
        definition = cast(Definition, self.strain or recipe.strain)
        recipe = replace(recipe, strain=definition, face=self.size or recipe.face)
        return chosen.model_copy(update={"recipe": recipe})
