"""The faces of an expression with their motion magnified."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from datasets_me.core.errors import MeDatasetsError
from datasets_me.export.expressions import Expression
from datasets_me.export.faces import Picture
from datasets_me.features.flow_images import Recipe, flow_fields, grey_of
from datasets_me.features.magnify import along_flow, eulerian, read_band


def since_first(pictures: Sequence[Picture], factor: float) -> list[Picture]:
    """Pictures (H, W, 3) in RGB with the motion since the first of them ``factor`` times as large, along the flow."""
    recipe = Recipe()
    greys = [grey_of(picture, recipe) for picture in pictures]
    return [
        *pictures[:1],
        *(
            along_flow(pictures[0], picture, flow_fields(greys[0], grey, recipe), factor)
            for picture, grey in zip(pictures[1:], greys[1:], strict=True)
        ),
    ]


def eulerian_of(
    expression: Expression, picture: Callable[[int], Picture | None], factor: float, band: str
) -> dict[int, Picture]:
    """The frames from onset to offset, by number, with the motion in a band of frequencies ``factor`` times as large.

    Args:
        expression: of which at least one frame can be read.
        picture: the face (H, W, 3) in a frame, None where it cannot be read; the frame before stands in its place, or
            the first that can be read.
        factor: how many times as large.
        band: see `datasets_me.features.magnify.read_band`.

    Raises:
        MeDatasetsError: the band lies above half the frame rate of the video.
    """
    files = expression.files
    numbers = range(max(expression.onset, files.start), min(expression.offset + 1, files.end))
    shown = [picture(number) for number in numbers]
    latest = next(each for each in shown if each is not None)
    filled: list[Picture] = []
    for each in shown:
        latest = latest if each is None else each
        filled.append(latest)
    try:
        moved = eulerian(np.stack(filled), factor, read_band(band), expression.fps)
    except ValueError as error:
        raise MeDatasetsError(str(error), where=expression.video.video, fix="give another --band") from error
    return dict(zip(numbers, moved, strict=True))
