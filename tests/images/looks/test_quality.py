"""Measures of quality, and thresholds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from datasets_me.core.errors import ImagesError
from datasets_me.core.pictures import DamageError
from datasets_me.formats.image_records import ImageRow, QualityRow
from datasets_me.images.looks.quality import judged, measure, sharpness, thresholds
from datasets_me.schema.images import Thresholds
from datasets_me.synthetic.pictures import face_picture


def pixels(image: np.ndarray) -> ImageRow:  # type: ignore[type-arg]
    height, width = image.shape
    return ImageRow(
        id="t#2", dataset="t", pixels=image.tobytes(), width=width, height=height, format="pixels", source_file="t"
    )


def test_sharpness_goes_down_with_blurring_and_not_with_size_or_light() -> None:
    grey = np.asarray(cv2.cvtColor(face_picture(1, side=128), cv2.COLOR_BGR2GRAY), np.uint8)
    values = [sharpness(np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma), np.uint8)) for sigma in (0.5, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    assert sharpness(np.repeat(np.repeat(grey, 3, axis=0), 3, axis=1)) == pytest.approx(sharpness(grey))
    assert sharpness((grey // 4 + 20).astype(np.uint8)) == pytest.approx(sharpness(grey), abs=0.05)
    assert sharpness(np.full((9, 9), 77, np.uint8)) == 0


def test_light_and_size_are_plain_numbers() -> None:
    image = np.zeros((4, 6), np.uint8)
    image[:, 3:] = 100
    made = measure((pixels(image), []), root=None)
    assert (made.brightness, made.contrast, made.side, made.asymmetry) == (50.0, 50.0, 4, None)


@pytest.mark.parametrize(
    ("field", "value", "doubt", "code", "message"),
    [
        ("sharpness", 0.23, "blurred", "ME716", "the sharpness is 0.23, the limit is 0.24"),
        ("highlights", 69.9, "dark", "ME717", "of the grey values 95 % are at most 69.9, the limit is 70"),
        ("shadows", 190.5, "bright", "ME717", "of the grey values 95 % are at least 190.5, the limit is 190"),
        ("contrast", 14.9, "flat", "ME717", "the standard deviation of the grey values is 14.9, the limit is 15"),
        ("side", 39, "small", "ME718", "the shorter side in px is 39, the limit is 40"),
        ("asymmetry", 0.66, "asymmetric", "ME719", "the asymmetry is 0.66, the limit is 0.65"),
    ],
)
def test_each_threshold(field: str, value: float, doubt: str, code: str, message: str) -> None:
    fine = QualityRow(
        id="a", dataset="d", sharpness=0.24, highlights=70, shadows=190, contrast=15, side=40, asymmetry=0.65
    )
    assert judged(fine, Thresholds()) == (fine, [])
    row, (found,) = judged(fine.model_copy(update={field: value}), Thresholds())
    assert (row.doubts, found.code, found.path, found.found) == ([doubt], code, "a", f"{value:g}")
    assert found.message == f"{doubt}: {message}"


def test_thresholds_may_be_given() -> None:
    assert thresholds(Thresholds(), {"dark": "30", "side": "9"}) == Thresholds(dark=30, side=9)
    with pytest.raises(ImagesError, match=r"^there is no threshold 'blur'"):
        thresholds(Thresholds(), {"blur": "3"})
    with pytest.raises(ImagesError, match=r"^'much' is no value of the threshold dark"):
        thresholds(Thresholds(), {"dark": "much"})


def test_an_image_that_cannot_be_decoded_has_no_quality() -> None:
    with pytest.raises(DamageError, match=r"^there are no pixels$"):
        measure((ImageRow(id="a", dataset="d", source_file="a"), []), root=None)
    row = QualityRow(id="a", dataset="d")
    assert judged(row, Thresholds()) == (row, [])
