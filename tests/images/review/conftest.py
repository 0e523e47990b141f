"""A set with doubts."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.findings.finding import finding
from datasets_me.formats import image_tables
from datasets_me.formats.image_records import FaceRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images.review.session import Review
from tests.images.made import image_set

NAMES = ["happy/1.png", "happy/2.png", "sad/<b>3.png", "sad/4.png", "odd/5.png", "sad/6.png"]


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    """Six images: 1 and <b>3 without a face, 4 with two, 5 without a known label, 2 and 6 without doubts."""
    return found_in(image_set(tmp_path, NAMES))


def found_in(made: ImageSet) -> ImageSet:
    """The set with the findings of a look for faces."""
    rows = [FaceRow(id=row.id, dataset=row.dataset, count=1) for row in made.rows()]
    found = [
        finding("ME710", "no face was found", path="happy/1.png"),
        finding("ME710", "no face was found", path="sad/<b>3.png"),
        finding("ME711", "2 faces were found", path="sad/4.png"),
    ]
    image_tables.write_table(made, "faces", FaceRow, rows, found)
    return made


@pytest.fixture
def review(images: ImageSet) -> Review:
    return Review(images, images.folder.parent / "raw")
