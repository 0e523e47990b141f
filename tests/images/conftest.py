"""Generated sets, made once per run; and a set written from rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import pytest

from datasets_me.findings.finding import Finding
from datasets_me.formats import image_set
from datasets_me.formats.image_records import ImageRow
from datasets_me.formats.image_set import Description, ImageSet
from datasets_me.images.importing import import_images
from datasets_me.images.looks.duplicates import write_duplicates
from datasets_me.images.looks.faces import Finder, write_faces
from datasets_me.schema import image_schemas
from datasets_me.synthetic.image_sets import SyntheticImageSet, make

cv2.setNumThreads(1)


def quiet(done: int, total: int) -> None:
    """No progress."""


@dataclass(frozen=True)
class Looked:
    """A generated set with defects, imported and looked at."""

    made: SyntheticImageSet
    images: ImageSet
    findings: list[Finding]
    faces: dict[str, dict[str, int]]

    @property
    def root(self) -> Path:
        return self.made.source


@pytest.fixture(scope="session")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Looked:
    """A folder per class with every defect, its faces and its duplicates."""
    place = tmp_path_factory.mktemp("looked")
    made = make("folder-per-class", place / "raw", images=35, seed=3, defects=True)
    images = import_images(image_schemas.load_file(made.schema), made.source, place / "images", workers=0)
    _, faces, counts = write_faces(images, made.source, Finder(), workers=0, progress=quiet)
    _, alike, _ = write_duplicates([(images, made.source)], workers=0, progress=quiet)
    return Looked(made, images, [*images.findings(), *faces, *alike], counts)


Write = Callable[..., ImageSet]


@pytest.fixture
def write_set(tmp_path: Path) -> Write:
    """Writes rows as a set of images called ``name``."""

    def write(*rows: ImageRow, name: str = "mine", root: str | None = "raw") -> ImageSet:
        return image_set.write(
            tmp_path / name,
            image_schemas.load("folder-per-class"),
            rows,
            [],
            Description(name, root, {"name": "raw", "files": []}),
        )

    return write


def row(name: str, **fields: object) -> ImageRow:
    """A row of a file that need not be there."""
    values = {"id": name, "dataset": "mine", "path": name, "source_file": name, **fields}
    return ImageRow.model_validate(values)
