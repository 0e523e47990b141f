"""The confusion matrix as a picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image as Pillow

from datasets_me.scores.confusion import confusion

pytest.importorskip("matplotlib", reason="matplotlib is not installed")


def test_a_picture_that_is_always_the_same() -> None:
    from datasets_me.cards.confusion_plot import png

    made = confusion(["a", "a", "b"], ["a", "b", None])
    first = png(made, "title")
    assert png(made, "title") == first
    with Pillow.open(io.BytesIO(first)) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 200
        assert len(picture.convert("RGB").getcolors(100_000)) > 10
