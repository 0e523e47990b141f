"""Flow images as a PyTorch dataset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from datasets_me.core.artefact import Kind
from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.kinds import FLOW
from datasets_me.torch_data.clips import ClipDataset
from datasets_me.torch_data.fields import Field

PARTS_SIDE = 42
"""Side in px of an image of brows and mouth."""


class FlowDataset(ClipDataset):
    """The flow images of one part, read when they are asked for.

    An item has ``image`` (3, h, w) float32, the channels as the preset of the export has them, and ``flow`` (3, S, S)
    float32: u, v and strain as they are, u and v in px of the face's picture. Labels, classes, splits and folds are
    those of `ClipDataset`. Arrays of another tool have a row for each of the two frames: ``with_au`` (2, A) and others.
    """

    kind: ClassVar[Kind] = FLOW

    @staticmethod
    def _arrays(about: Mapping[str, Any]) -> tuple[dict[str, Field], int | None]:
        if about["preset"]["every_frame"]:
            raise MeDatasetsError(
                f"the preset {about['options']['preset']} has an image for every frame of a video, and no labels",
                fix="read 'images' of the npz files, or export with another --preset",
            )
        recipe = about["preset"]["recipe"]
        side = PARTS_SIDE if recipe["parts"] == "brows-mouth" else recipe["size"] or recipe["face"]
        fields = {
            "image": Field((3, side, side), torch.float32),
            "flow": Field((3, recipe["face"], recipe["face"]), torch.float32),
        }
        return fields, 2

    def _read(self, path: Path) -> dict[str, torch.Tensor]:
        arrays = self._members.read(path, ("image", "u", "v", "strain", *self._joined.names))
        return {
            **{name: torch.from_numpy(arrays[name]) for name in self._joined.names},
            "image": torch.from_numpy(np.ascontiguousarray(arrays["image"].transpose(2, 0, 1))),
            "flow": torch.from_numpy(np.stack([arrays["u"], arrays["v"], arrays["strain"]])),
        }
