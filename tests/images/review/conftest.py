"""A set with doubts, and a server that runs while a test does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from datasets_me.findings.finding import finding
from datasets_me.formats import image_tables
from datasets_me.formats.image_records import FaceRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images.review.server import ReviewServer
from datasets_me.images.review.session import Review
from tests.images.made import image_set

NAMES = ["happy/1.png", "happy/2.png", "sad/<b>3.png", "sad/4.png", "odd/5.png", "sad/6.png"]


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    """Six images: 1 and <b>3 without a face, 4 with two, 5 without a known label, 2 and 6 without doubts."""
    made = image_set(tmp_path, NAMES)
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


@pytest.fixture
def server(review: Review) -> Iterator[ReviewServer]:
    with ReviewServer(review) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()
