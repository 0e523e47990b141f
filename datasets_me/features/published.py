"""Recovering a dataset's own crop: where, and at which size, a cropped image lies in its raw frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.features.boxes import Box, Detection

Image = NDArray[np.uint8]

LEAST_SCORE = 0.6
"""Normalised correlation below which a match is none; true matches of another frame of the same video reach
0.9."""

SMALLEST = 0.15
"""The smallest crop looked for, as a fraction of the frame that it would have to fill to be as large as
possible."""

STAGES = ((160, 28, 1.0), (400, 9, 0.10), (1200, 7, 0.02))
"""Longer side of the frame in px, number of sizes tried, and how far they spread around the last stage's
best (as a logarithm; 1.0 stands for the whole range)."""


def locate(frame: Image, crop: Image) -> Detection | None:
    """Find a cropped (and possibly rescaled) image in a raw frame of the same video.

    Args:
        frame: (H, W) or (H, W, 3) in BGR.
        crop: the same, of any size; its sides' ratio is taken to be kept.

    Returns:
        The box in px of the frame with the normalised correlation, or None below 0.6. Accurate to about 1 %
        of the box if the crop was only cut and scaled, less if it was also turned or warped.
    """
    grey, pattern = _grey(frame), _grey(crop)
    if min(*grey.shape, *pattern.shape) < 8:
        return None
    # the factor at which the crop would just fill the frame
    fill = min(grey.shape[0] / pattern.shape[0], grey.shape[1] / pattern.shape[1])
    best: tuple[float, float, float, float] | None = None
    for longest, count, spread in STAGES:
        reduction = min(1.0, longest / max(grey.shape))
        small = _resized(grey, reduction, reduction)
        if best is None:
            scales = np.geomspace(SMALLEST, 1.0, count) * fill
        else:
            scales = np.minimum(best[1] * np.exp(np.linspace(-spread, spread, count)), fill)
        tried = [match for match in (_match(small, pattern, scale, reduction) for scale in scales) if match]
        if not tried:
            return None
        best = max(tried)
    score, scale, x, y = best if best is not None else (0.0, 0.0, 0.0, 0.0)
    if score < LEAST_SCORE:
        return None
    return Detection(Box(x, y, x + pattern.shape[1] * scale, y + pattern.shape[0] * scale), score)


def _match(small: Image, pattern: Image, scale: float, reduction: float) -> tuple[float, float, float, float] | None:
    """Score, scale and place (in px of the frame) of the best match at one size."""
    factor = scale * reduction
    template = _resized(pattern, factor, factor)
    height, width = (min(a, b) for a, b in zip(template.shape, small.shape, strict=True))
    template = template[:height, :width]
    if min(height, width) < 6 or float(template.std()) < 1.0:
        return None  # nothing to recognise
    scores = cv2.matchTemplate(small, template, cv2.TM_CCOEFF_NORMED)
    _, score, _, (x, y) = cv2.minMaxLoc(scores)
    if not np.isfinite(score):
        return None
    return float(score), float(scale), x / reduction, y / reduction


def _resized(image: Image, fx: float, fy: float) -> Image:
    size = (max(1, round(image.shape[1] * fx)), max(1, round(image.shape[0] * fy)))
    mode = cv2.INTER_AREA if fx < 1 else cv2.INTER_LINEAR
    return image if size == image.shape[1::-1] else np.asarray(cv2.resize(image, size, interpolation=mode))


def _grey(image: Image) -> Image:
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
