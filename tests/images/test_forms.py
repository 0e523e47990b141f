"""Labels that are numbers, and pictures of odd shapes."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_me.images.looks.quality import sharpness
from datasets_me.schema import image_schemas


@pytest.mark.parametrize(("text", "label"), [("3", "happiness"), (" 3.0 ", "happiness"), ("-3", None), ("0.3", None)])
def test_numbers_keep_their_sign_and_point(text: str, label: str | None) -> None:
    assert image_schemas.load("fer2013").spec.label_of(text) == label


def test_words_do_not_mind_case_and_spaces() -> None:
    assert image_schemas.load("fer2013").spec.label_of(" Happy") == "happiness"


def test_the_blur_of_a_line() -> None:
    assert sharpness(np.arange(3000, dtype=np.uint8).reshape(1, 3000)) >= 0
