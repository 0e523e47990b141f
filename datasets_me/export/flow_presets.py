"""The presets of flow images: how published projects make them, as data in ``flow_presets.yaml``."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

from datasets_me.core import resources
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.text import closest
from datasets_me.features.flow_images import Recipe
from datasets_me.schema import yaml_files


class Preset(BaseModel):
    """One way of making flow images.

    ``layout`` is the form in which a project reads them, see `datasets_me.export.flow_layouts`; ``channels`` the order
    of u, v and strain in a picture's red, green and blue. With ``every_frame`` there is one image for each frame of a
    video, over half the mean length of an expression, and not one for each expression.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    source: str
    recipe: Recipe
    layout: Literal["ststnet", "htnet", "meb", "mmnet"] | None = None
    channels: Literal["rgb", "bgr"] = "rgb"
    every_frame: bool = False


@cache
def presets() -> dict[str, Preset]:
    """All presets by name."""
    path = resources.package_file("export/flow_presets.yaml")
    document = yaml_files.load(path.read_text(encoding="utf-8"), path.name, "list of presets")
    return {name: Preset.model_validate(fields) for name, fields in document.value.items()}


def preset(name: str) -> Preset:
    """The preset of a name.

    Raises:
        MeDatasetsError: there is none; the nearest is suggested.
    """
    known = presets()
    if name not in known:
        near = closest(name, known)
        hint = f"did you mean {near}? " if near else ""
        raise MeDatasetsError(f"there is no preset '{name}'", fix=f"{hint}Known: {', '.join(known)}")
    return known[name]
