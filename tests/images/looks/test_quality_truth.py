"""The thresholds of quality on pictures that were blurred, darkened and brightened by known amounts.

A picture counts as blurred from a standard deviation of 2 % of its side on (1 px at 48), as dark at a
quarter of its light, as bright where little of it is below 200.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.formats.image_records import ImageRow
from datasets_me.images.looks.quality import judged, measure
from datasets_me.schema.images import Thresholds
from datasets_me.synthetic.pictures import face_picture, no_face

Image = NDArray[np.uint8]


def doubts(picture: Image) -> set[str]:
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    height, width = grey.shape
    row = ImageRow(
        id="t", dataset="t", pixels=grey.tobytes(), width=width, height=height, format="pixels", source_file="t"
    )
    return set(judged(measure((row, []), root=None), Thresholds())[0].doubts)


def noisy(picture: NDArray[np.floating]) -> Image:
    rng = np.random.default_rng(0)
    return np.clip(picture + rng.normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8)


def figures(truth: list[bool], found: list[bool]) -> tuple[float, float]:
    """Recall and precision."""
    both = sum(a and b for a, b in zip(truth, found, strict=True))
    return both / sum(truth), both / max(1, sum(found))


def test_blur_dark_and_bright_are_told_from_the_rest() -> None:
    truth: dict[str, list[bool]] = {"blurred": [], "dark": [], "bright": []}
    found: dict[str, list[bool]] = {"blurred": [], "dark": [], "bright": []}
    for side in (48, 100, 224):
        for number in range(14):
            picture = (face_picture if number % 7 else no_face)(number, 6, side).astype(np.float32)
            cases = {
                "": [picture, picture * 0.6, picture * 1.2, cv2.GaussianBlur(picture, (0, 0), 0.003 * side)],
                "blurred": [cv2.GaussianBlur(picture, (0, 0), share * side) for share in (0.02, 0.03, 0.05)],
                "dark": [picture * 0.12, picture * 0.22],
                "bright": [picture * 3.5 + 130, picture * 0.2 + 205],
            }
            for name, images in cases.items():
                for image in images:
                    said = doubts(noisy(image))
                    for kind, planted in truth.items():
                        planted.append(name == kind)
                        found[kind].append(kind in said)
    measured = {kind: figures(truth[kind], found[kind]) for kind in truth}
    for recall, precision in measured.values():
        assert recall >= 0.9 and precision >= 0.95, measured
