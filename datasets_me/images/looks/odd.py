"""What is odd about an image among the others of its set, and about the set as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import sqrt

import numpy as np

from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.image_records import QualityRow

ASPECT = 2.0
"""Times that an aspect differs from the median of the set before it is odd."""

SIZE = 5.0
"""Times that a size (the root of the area) differs from the median of the set before it is odd."""

COLOURED = 0.8
"""Share of coloured images from which on a grey one is odd."""

EXPLAINED = 0.06
"""Share of the brightness's variance that the label explains (epsilon squared, which chance leaves at 0) from which on
labels and light go together: a medium effect (Cohen 1988, Statistical Power Analysis for the Behavioral Sciences)."""

_FEWEST = 50  # images without which nothing is said of a set


class Odd:
    """Gathers what is known of every image, and says at the end what is odd."""

    def __init__(self) -> None:
        self._images: list[tuple[str, float, float, bool]] = []  # id, aspect, size, colour
        self._brightness: dict[str, list[float]] = defaultdict(list)

    def add(self, quality: QualityRow, label: str | None) -> None:
        """Take note of an image; one that cannot be decoded is passed over."""
        if quality.aspect is None or quality.side is None or quality.brightness is None:
            return
        size = quality.side * sqrt(max(quality.aspect, 1 / quality.aspect))
        self._images.append((quality.id, quality.aspect, size, bool(quality.colour)))
        if label is not None:
            self._brightness[label].append(quality.brightness)

    def findings(self) -> Iterator[Finding]:
        """ME742 odd aspect, ME743 odd size, ME744 grey among coloured, ME745 brightness goes with the label."""
        if len(self._images) >= _FEWEST:
            yield from self._odd_images()
            yield from self._light_and_label()

    def _odd_images(self) -> Iterator[Finding]:
        aspect = float(np.median([each[1] for each in self._images]))
        size = float(np.median([each[2] for each in self._images]))
        coloured = float(np.mean([each[3] for each in self._images])) >= COLOURED
        for name, own_aspect, own_size, colour in self._images:
            if not 1 / ASPECT < own_aspect / aspect < ASPECT:
                message = f"the width is {own_aspect:.2f} times the height; {aspect:.2f} is the median of the set"
                yield finding("ME742", message, path=name, found=f"{own_aspect:.2f}", expected=f"{aspect:.2f}")
            if not 1 / SIZE < own_size / size < SIZE:
                message = f"the root of the area is {own_size:.0f} px; {size:.0f} is the median of the set"
                yield finding("ME743", message, path=name, found=f"{own_size:.0f}", expected=f"{size:.0f}")
            if coloured and not colour:
                yield finding("ME744", "the image is grey, and most of the set are coloured", path=name)

    def _light_and_label(self) -> Iterator[Finding]:
        groups = {label: np.array(values) for label, values in self._brightness.items()}
        values = np.concatenate([*groups.values(), np.empty(0)])
        total = float(((values - values.mean()) ** 2).sum()) if len(values) else 0.0
        if len(groups) < 2 or len(values) < _FEWEST or not total:
            return
        within = sum(float(((each - each.mean()) ** 2).sum()) for each in groups.values())
        explained = (total - within - (len(groups) - 1) * within / (len(values) - len(groups))) / total
        if explained >= EXPLAINED:
            means = {label: float(each.mean()) for label, each in groups.items()}
            dark, bright = min(means, key=lambda label: means[label]), max(means, key=lambda label: means[label])
            message = (
                f"the label explains {explained:.0%} of the variance of brightness: {dark} has a mean of"
                f" {means[dark]:.0f}, {bright} of {means[bright]:.0f}"
            )
            yield finding("ME745", message, found=f"{explained:.2f}", expected=f"below {EXPLAINED:g}")
