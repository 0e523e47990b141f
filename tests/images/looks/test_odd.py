"""What is odd about an image among the others, and about the set."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_me.findings.finding import Finding
from datasets_me.formats.image_records import QualityRow
from datasets_me.images.looks.odd import Odd


def found(*changes: tuple[int, dict[str, object]], count: int = 80, dark: float = 0.0) -> list[Finding]:
    """The findings about a set of 100x100 px in colour, some of whose images differ; fear is darker by ``dark``."""
    rng = np.random.default_rng(0)
    odd = Odd()
    for number in range(count):
        label = "fear" if number % 2 else "happiness"
        brightness = 120 + rng.normal(0, 20) - dark * (number % 2)
        values = {"side": 100, "aspect": 1.0, "colour": True, "brightness": brightness, **dict(changes).get(number, {})}
        odd.add(QualityRow(id=f"{number}.png", dataset="mine", **values), label)
    return list(odd.findings())


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"aspect": 1.9}, []),
        ({"aspect": 2.1}, ["ME742"]),
        ({"aspect": 0.45}, ["ME742"]),
        ({"side": 21}, []),
        ({"side": 19}, ["ME743"]),
        ({"side": 510}, ["ME743"]),
        ({"colour": False}, ["ME744"]),
        ({"aspect": None}, []),
    ],
)
def test_one_image_among_the_others(change: dict[str, object], codes: list[str]) -> None:
    assert [(each.code, each.path) for each in found((7, change))] == [(code, "7.png") for code in codes]


def test_grey_images_are_not_odd_in_a_mixed_set() -> None:
    assert found(*((number, {"colour": False}) for number in range(0, 80, 4))) == []


def test_the_label_that_goes_with_the_light() -> None:
    assert found(dark=4) == []
    (said,) = found(dark=40)
    assert (said.code, said.severity) == ("ME745", "warning")
    assert said.message.startswith("the label explains 4") or said.message.startswith("the label explains 5")
    assert said.message.endswith("of 120") or "fear has a mean of 8" in said.message


def test_nothing_is_said_of_few_images() -> None:
    assert found((7, {"aspect": 9.0}), count=30) == []
