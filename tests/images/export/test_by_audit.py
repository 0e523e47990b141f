"""A set sorted by what an audit says: every image once, the originals untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.core.errors import ImagesError
from datasets_me.formats import image_tables
from datasets_me.formats.image_records import AuditRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images.export.by_audit import sort_by_audit
from tests.images.made import image_set

STATES = {
    "happy/1.png": ("agree", "happiness"),
    "happy/2.png": ("disagree", "sadness"),
    "happy/3.png": ("unsubmitted", None),
    "odd/4.png": ("disagree", "../x"),
    "sad/5.png": ("unrecognised", None),
}


def audited(folder: Path) -> ImageSet:
    images = image_set(folder, list(STATES))
    rows = [
        AuditRow(id=row.id, dataset=row.dataset, label=row.label, state=STATES[row.id][0], predicted=STATES[row.id][1])
        for row in images.rows()
    ]
    image_tables.write_table(images, "audit", AuditRow, rows, [])
    return images


@pytest.mark.parametrize("link", [False, True])
def test_every_image_goes_to_one_folder(tmp_path: Path, link: bool) -> None:
    images = audited(tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "raw").rglob("*.png")}
    counts, findings = sort_by_audit(images, tmp_path / "out", root=tmp_path / "raw", link=link)
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png")}
    assert {name for name in names if not name.startswith("disagree/(no label)")} == {
        "agree/happiness/000000_1.png",
        "disagree/happiness-sadness/000001_2.png",
        "unsubmitted/happiness/000002_3.png",
        "unrecognised/sadness/000004_5.png",
    }
    assert len(names) == 5 and sum(each.total() for each in counts.values()) == 5
    assert counts["disagree"] == {"happiness": 1, "(no label)": 1}
    assert findings == []
    assert {path: path.read_bytes() for path in before} == before
    assert (tmp_path / "out/agree/happiness/000000_1.png").is_symlink() is link
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "raw", "set"]


def test_what_is_gone_is_a_finding_and_an_audit_is_needed(tmp_path: Path) -> None:
    images = audited(tmp_path)
    (tmp_path / "raw/happy/1.png").unlink()
    counts, findings = sort_by_audit(images, tmp_path / "out", root=tmp_path / "raw")
    assert ("agree" in counts, [(found.code, found.path) for found in findings]) == (False, [("ME740", "happy/1.png")])
    with pytest.raises(ImagesError, match=r"^there is no audit\.parquet"):
        sort_by_audit(image_set(tmp_path / "two", list(STATES)), tmp_path / "o", root=tmp_path / "two/raw")
