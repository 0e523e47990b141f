"""What is doubtful, what is decided, and that nothing decided is ever lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets_me.core.errors import ImagesError, MeDatasetsError
from datasets_me.findings.finding import finding
from datasets_me.formats import image_tables
from datasets_me.formats.image_records import AuditRow, DuplicateRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images import decisions
from datasets_me.images.decisions import Decision
from datasets_me.images.review.doubts import doubtful
from datasets_me.images.review.session import LONGEST, Review, ReviewError
from tests.images.made import image_set


def test_doubts_come_from_every_table(images: ImageSet) -> None:
    audits = [
        AuditRow(id=row.id, dataset=row.dataset, state="disagree", predicted="fear", suggested="fear", rank=1)
        for row in images.rows()
    ]
    image_tables.write_table(
        images, "audit", AuditRow, audits, [finding("ME723", "looks like fear", path="happy/2.png")]
    )
    pairs = [
        DuplicateRow(
            id=row.id,
            dataset=row.dataset,
            cluster=7 if row.id.startswith("sad") else None,
            keeper_id=row.id,
            keeper_dataset=row.dataset,
        )
        for row in images.rows()
    ]
    image_tables.write_table(
        images, "duplicates", DuplicateRow, pairs, [finding("ME712", "3 images are near", path="sad/4.png")]
    )
    assert {item.row.id: [code for code, _ in item.doubts] for item in doubtful(images)} == {
        "happy/1.png": ["ME710"],
        "happy/2.png": ["ME723"],
        "odd/5.png": ["ME703"],
        "sad/4.png": ["ME712", "ME711"],
        "sad/6.png": ["ME712"],
        "sad/<b>3.png": ["ME712", "ME710"],
    }


def test_pages_by_finding_and_state(review: Review) -> None:
    assert [entry["code"] for entry in review.overview()["codes"]] == ["ME703", "ME710", "ME711"]
    whole = review.page(code=None, state="open", start=0, count=2)
    assert (whole["total"], len(whole["items"])) == (4, 2)
    faceless = review.page(code="ME710", state="open", start=0, count=60)["items"]
    assert [item["id"] for item in faceless] == ["happy/1.png", "sad/<b>3.png"]
    review.decide([faceless[0]["number"]], "accept")
    assert review.page(code="ME710", state="open", start=0, count=60)["total"] == 1
    assert review.page(code="ME710", state="decided", start=0, count=60)["total"] == 1
    assert review.page(code="ME710", state="all", start=0, count=60)["total"] == 2


def test_decisions_are_saved_resumed_and_taken_back(images: ImageSet, review: Review) -> None:
    before = {path: path.read_bytes() for path in images.folder.parent.rglob("*") if path.is_file()}
    by_name = {item.row.id: item.number for item in review.items}
    review.decide([by_name["happy/1.png"]], "exclude")
    said = review.decide([by_name["odd/5.png"], by_name["sad/4.png"]], "relabel", "fear")
    assert (said["decided"], said["decisions"]) == (3, {"exclude": 1, "relabel": 2})
    saved = decisions.read(images)
    assert saved["odd/5.png"].label == "fear"
    assert saved["odd/5.png"].label_was is None
    assert saved["happy/1.png"].doubts == ["ME710"]
    assert {path: path.read_bytes() for path in before} == before
    again = Review(images, images.folder.parent / "raw")
    assert again.overview()["decided"] == 3
    again.decide([by_name["happy/1.png"]], None)
    assert set(decisions.read(images)) == {"odd/5.png", "sad/4.png"}


def test_what_another_program_saved_is_kept(images: ImageSet, review: Review) -> None:
    other = Review(images, images.folder.parent / "raw")
    first, second = review.items[0].number, review.items[1].number
    review.decide([first], "accept")
    other.decide([second], "exclude")
    review.decide([first], "exclude")
    assert {row.decision for row in decisions.read(images).values()} == {"exclude"}
    assert len(decisions.read(images)) == 2


def test_a_decision_that_cannot_be_saved_is_not_taken(
    images: ImageSet, review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    review.decide([review.items[0].number], "accept")
    before = decisions.path_of(images).read_bytes()

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(MeDatasetsError, match="the file cannot be written: No space left on device"):
        review.decide([review.items[1].number], "accept")
    monkeypatch.undo()
    assert review.overview()["decided"] == 1
    assert decisions.path_of(images).read_bytes() == before
    assert list(images.folder.glob(".*")) == []


def test_what_cannot_be_decided(images: ImageSet, review: Review, tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match="'bliss' is no label of the set"):
        review.decide([0], "relabel", "bliss")
    with pytest.raises(ReviewError, match="there is no image 99"):
        review.decide([99], "accept")
    clean = image_set(tmp_path / "clean", ["happy/1.png"])
    with pytest.raises(ImagesError, match="there is nothing doubtful in the set"):
        Review(clean, tmp_path / "clean/raw")
    assert len(Review(clean, tmp_path / "clean/raw", every=True).items) == 1


def test_pictures(images: ImageSet, tmp_path: Path) -> None:
    large = np.zeros((400, 800, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "raw/happy/1.png"), large)
    review = Review(images, tmp_path / "raw")
    content, kind = review.picture(0)
    assert kind == "image/jpeg"
    assert cv2.imdecode(np.frombuffer(content, np.uint8), 1).shape == (LONGEST // 2, LONGEST, 3)
    content, kind = review.picture(2)
    assert kind == "image/png"
    with pytest.raises(ReviewError, match=r"there is no image 1$"):
        review.picture(1)  # it is not doubtful, so it is not shown
    review.items[0].row = review.items[0].row.model_copy(update={"path": "../../secret.png"})
    with pytest.raises(ReviewError, match=r"'\.\./\.\./secret\.png' is not a path under the folder: it leads upwards"):
        review.picture(0)


def test_a_decision_about_another_picture_is_shown_as_such(images: ImageSet) -> None:
    old = Decision(id="happy/1.png", dataset=images.dataset, sha256="0", decision="exclude")
    decisions.write(images, [old])
    review = Review(images, images.folder.parent / "raw")
    (item,) = review.page(code=None, state="decided", start=0, count=9)["items"]
    assert item["changed"]


def test_two_programs_at_once_lose_no_decision(images: ImageSet) -> None:
    both = [Review(images, images.folder.parent / "raw", every=True) for _ in range(2)]
    numbers = [item.number for item in both[0].items]

    def decide(position: int) -> None:
        both[position % 2].decide([numbers[position]], "accept")

    for _ in range(5):
        with ThreadPoolExecutor(len(numbers)) as pool:
            list(pool.map(decide, range(len(numbers))))
        assert len(decisions.read(images)) == len(numbers)
        both[0].decide(numbers, None)
