"""Findings acted on: images left out, and which of several copies stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.findings.finding import finding
from datasets_me.formats import image_tables
from datasets_me.formats.image_records import AuditRow, DuplicateRow, FaceRow, QualityRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images.export.copies import KeepOne
from datasets_me.images.export.plan import plan
from tests.images.made import image_set

NAMES = ["train/happy/1.png", "train/happy/2.png", "train/sad/3.png", "test/happy/4.png", "train/sad/5.png"]
SHARP = {"1": 0.3, "2": 0.5, "3": 0.4, "4": 0.2, "5": 0.1}


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    """1, 2 and 3 are near each other, 5 and 4 are; 2 has no face; an audit agrees with 3 alone."""
    made = image_set(tmp_path, NAMES)
    cluster = {"1": 0, "2": 0, "3": 0, "4": 1, "5": 1}
    rows = list(made.rows(pixels=False))
    duplicates = [
        DuplicateRow(
            id=row.id, dataset=row.dataset, cluster=cluster[row.id[-5]], keeper_id=row.id, keeper_dataset=row.dataset
        )
        for row in rows
    ]
    found = [
        finding("ME712", "3 images are near", path="train/happy/1.png"),
        finding("ME713", "2 images of test and train are near", path="test/happy/4.png"),
        finding("ME715", "2 images are near, but have different labels", path="train/sad/5.png"),
    ]
    image_tables.write_table(made, "duplicates", DuplicateRow, duplicates, found)
    faces = [FaceRow(id=row.id, dataset=row.dataset, count=1) for row in rows]
    image_tables.write_table(made, "faces", FaceRow, faces, [finding("ME710", "no face", path="train/happy/2.png")])
    quality = [QualityRow(id=row.id, dataset=row.dataset, sharpness=SHARP[row.id[-5]]) for row in rows]
    image_tables.write_table(made, "quality", QualityRow, quality, [])
    audits = [
        AuditRow(id=row.id, dataset=row.dataset, state="agree" if row.id.endswith("3.png") else "disagree")
        for row in rows
    ]
    image_tables.write_table(made, "audit", AuditRow, audits, [])
    return made


def kept(images: ImageSet, **options: object) -> str:
    made = plan(images, **options)  # type: ignore[arg-type]
    assert len(made.rows) + len(made.removed) == len(NAMES)
    return "".join(sorted(row.id[-5] for row in made.rows))


@pytest.mark.parametrize(
    ("codes", "numbers"),
    [
        (["ME710"], "134"),  # 5 has a copy in test
        (["ME712"], "14"),
        (["ME713"], "1234"),
        (["ME715"], "123"),
        (["ME710", "ME712"], "14"),
        (["me71"], "1"),
    ],
)
def test_images_with_a_finding_are_left_out_and_one_of_copies_stays(
    images: ImageSet, codes: list[str], numbers: str
) -> None:
    assert kept(images, exclude=codes) == numbers


@pytest.mark.parametrize(("keep_one", "numbers"), [("largest", "14"), ("sharpest", "24"), ("agrees", "34")])
def test_one_of_each_cluster_stays(images: ImageSet, keep_one: KeepOne, numbers: str) -> None:
    assert kept(images, keep_one=keep_one) == numbers


def test_the_reasons_are_counted(images: ImageSet) -> None:
    made = plan(images, exclude=["ME710"], keep_one="sharpest")
    assert made.left_out == {"a copy is kept (sharpest)": 2, "finding ME710": 1}
    assert [found.message for found in made.findings if found.code == "ME727"] == [
        "left out: finding ME710",
        "left out: its copy train/sad/3.png is kept",
        "left out: its copy test/happy/4.png is kept",
    ]


def test_what_is_missing_is_named(images: ImageSet) -> None:
    with pytest.raises(MeDatasetsError, match=r"^'ME999' selects no finding code"):
        plan(images, exclude=["ME999"])
    (images.folder / "audit.parquet").unlink()
    (images.folder / "audit-findings.parquet").unlink()
    with pytest.raises(MeDatasetsError, match=r"^there is no audit\.parquet"):
        plan(images, keep_one="agrees")
