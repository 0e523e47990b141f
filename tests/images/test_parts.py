"""A run that is killed goes on where it was, and gives the same table."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from datasets_me.formats import image_set
from datasets_me.formats.image_records import DuplicateRow, QualityRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images import parts
from datasets_me.images.looks import quality
from datasets_me.images.looks.duplicates import write_duplicates
from datasets_me.images.looks.quality import write_quality
from datasets_me.images.parts import Parts
from tests.conftest import start
from tests.images.conftest import quiet
from tests.images.made import image_set as make_set


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageSet:
    """Ten images, of which the third cannot be read; parts of three."""
    monkeypatch.setattr(parts, "SIZE", 3)
    made = make_set(tmp_path, [f"happy/{number}.png" for number in range(10)])
    (tmp_path / "raw/happy/2.png").unlink()
    return made


def stopped_after(count: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make the measuring of quality fail for good after so many images; the ids of those that were measured."""
    seen: list[str] = []
    before = quality.measure

    def measure(task: object, **options: object) -> QualityRow:
        if len(seen) == count:
            raise KeyboardInterrupt
        seen.append(task[0].id)  # type: ignore[index]
        return before(task, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(quality, "measure", measure)
    return seen


def test_a_stopped_run_goes_on(images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = tmp_path / "raw"
    whole, found, counts = write_quality(images, raw, out=tmp_path / "whole", progress=quiet)
    with monkeypatch.context() as patch:
        stopped_after(8, patch)
        with pytest.raises(KeyboardInterrupt):
            write_quality(images, raw, progress=quiet)
    assert sorted(path.name for path in (images.folder / "quality.parts").glob("0*[0-9].parquet")) == [
        "000000.parquet",
        "000003.parquet",
    ]
    seen = stopped_after(99, monkeypatch)
    path, again, more = write_quality(images, raw, progress=quiet)
    assert seen == [f"happy/{number}.png" for number in (2, *range(6, 10))]  # the third may be there again
    assert path.read_bytes() == whole.read_bytes()
    assert (again, more) == (found, counts)
    assert [each.path for each in again if each.code == "ME702"] == ["happy/2.png"]
    assert not (images.folder / "quality.parts").exists()


def test_parts_of_another_run_are_thrown_away(images: ImageSet, tmp_path: Path) -> None:
    row = QualityRow(id="x", dataset="d")
    table = images.folder / "quality.parquet"
    for key, kept in (({"a": 1}, 4), ({"a": 2}, 0)):
        first: Parts[QualityRow] = Parts(table, QualityRow, {"a": 1})
        assert first.kept() == ([], [])
        assert len(list(first.keep([row] * 4, []))) == 4
        assert len(Parts(table, QualityRow, key).kept()[0]) == kept
        with Parts(table, QualityRow, key).held():
            pass
    damaged: Parts[QualityRow] = Parts(table, QualityRow, {})
    list(damaged.keep([row] * 4, []))
    (images.folder / "quality.parts/000003.parquet").write_bytes(b"PAR1")
    assert Parts(table, QualityRow, {}).kept() == ([], [])
    assert not (images.folder / "quality.parts").exists()


def test_parts_of_several_sets_follow_each_other(images: ImageSet, tmp_path: Path) -> None:
    other = make_set(tmp_path / "two", ["happy/0.png", "sad/1.png"])
    other = image_set.ImageSet(other.folder, other.schema, {**other.about, "dataset": "two"})
    places = [(images, tmp_path / "raw"), (other, tmp_path / "two/raw")]
    _, _, rows = write_duplicates(places, out=tmp_path / "both", progress=quiet)
    assert [(row.id, row.cluster) for row in rows if row.cluster is not None] == [
        ("happy/0.png", 0),
        ("happy/1.png", 1),
        ("happy/0.png", 0),
        ("sad/1.png", 1),
    ]
    assert all(isinstance(row, DuplicateRow) for row in rows)


def test_killed_in_the_middle_it_keeps_its_work_and_leaves_no_process(tmp_path: Path) -> None:
    rows = "".join(f"3,{' '.join([str(number % 251)] * 2304)},Training\n" for number in range(1600))
    (tmp_path / "t.csv").write_text(f"emotion,pixels,Usage\n{rows}")
    with start(tmp_path, "images", "import", "t.csv", "--schema", "fer2013", "-o", "i") as process:
        assert process.wait(timeout=60) == 1 or process.returncode == 0
    folder = tmp_path / "i/duplicates.parts"
    with start(tmp_path, "images", "duplicates", "i", "--workers", "2") as process:
        while not (folder / "000512.parquet").is_file():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
    kept = sorted(path.name for path in folder.glob("0*[0-9].parquet"))
    with start(tmp_path, "images", "duplicates", "i", "--workers", "2") as process:
        process.communicate(timeout=120)
    assert len(kept) >= 2 and process.returncode in (0, 1)
    assert not folder.exists() and (tmp_path / "i/duplicates.parquet").is_file()
