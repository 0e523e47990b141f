"""A run that is killed goes on where it was, and gives the same table."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from datasets_me.core.errors import ImagesError, OutputError, StoppedError
from datasets_me.core.pictures import look
from datasets_me.formats import image_set, parts
from datasets_me.formats.image_records import DuplicateRow, Face, FaceRow, QualityRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.formats.image_tables import write_table
from datasets_me.formats.parts import Parts
from datasets_me.images import from_files
from datasets_me.images.crop import Cut, crop
from datasets_me.images.groups.embed import Embedder, from_function
from datasets_me.images.groups.groups import GroupOptions, write_groups
from datasets_me.images.importing import import_images
from datasets_me.images.looks import quality
from datasets_me.images.looks.duplicates import write_duplicates
from datasets_me.images.looks.faces import Finder
from datasets_me.images.looks.quality import write_quality
from datasets_me.images.unify import Form, unify
from datasets_me.schema import image_schemas
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
        with pytest.raises(StoppedError, match=r"^stopped: 6 images done; run the same again to go on$"):
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


def no_vector(batch: np.ndarray) -> np.ndarray:
    return batch.ravel()[:3]


def same_vectors() -> Embedder:
    return from_function(no_vector, {"model": "none"})


def faces_of(images: ImageSet) -> None:
    """A table of faces in which every image has one, of which only the landmarks matter."""
    landmarks = [float(value) for number in range(68) for value in (4 + number % 9, 4 + number // 9)]
    face = Face(x0=0, y0=0, x1=20, y1=20, score=1, residual=0, landmarks=landmarks)
    rows = [FaceRow(id=row.id, dataset=row.dataset, count=1, faces=[face]) for row in images.rows()]
    write_table(images, "faces", FaceRow, rows, [])


Verb = Callable[[ImageSet, Path, Path, Callable[[int, int], None]], object]
VERBS: dict[str, Verb] = {
    "import": lambda images, raw, out, progress: import_images(
        image_schemas.load("folder-per-class"), raw, out, workers=0, progress=progress
    ),
    "unify": lambda images, raw, out, progress: unify(images, raw, out, Form("jpg", 16), progress=progress),
    "crop": lambda images, raw, out, progress: crop(images, raw, out, Cut("mouth", size=8), progress=progress),
    "groups": lambda images, raw, out, progress: write_groups(
        images, raw, out, GroupOptions(Finder("haar"), same_vectors, pad=1), workers=1, progress=progress
    ),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_folder_that_was_stopped_goes_on(
    verb: str, images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six of ten images are kept, but for the third, which could not be read and is there again."""
    faces_of(images)
    raw, out, place = tmp_path / "raw", tmp_path / "out", tmp_path / "out.parts"
    looks: list[int] = []
    monkeypatch.setattr(from_files, "look", lambda *task: looks.append(1) or look(*task))

    def stop(done: int, total: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(StoppedError, match=r"^stopped: 6 images done; run the same again to go on$"):
        VERBS[verb](images, raw, out, stop)
    assert not out.exists() and len(list(place.glob("0*[0-9].parquet"))) == 2
    before = {path.relative_to(place): path.stat().st_ino for path in place.rglob("*.*") if path.parent != place}
    shutil.copy(raw / "happy/3.png", raw / "happy/2.png")
    looks.clear()
    VERBS[verb](images, raw, out, quiet)
    after = {path.relative_to(out): path.stat().st_ino for path in out.rglob("*.*")}
    if verb == "import":
        assert len(looks) == 4  # the third, which was not there before, and three more
    else:
        kept = [path for path, number in before.items() if after[path] == number]
        assert len(kept) == 5 and len(after) > 10
    assert not place.exists()
    VERBS[verb](images, raw, tmp_path / "whole", quiet)
    assert contents(out) == contents(tmp_path / "whole")


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_wrong_root_leaves_nothing_that_a_rerun_would_believe(images: ImageSet, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for write in (
        lambda root: len(write_quality(images, root, progress=quiet)[1]),
        lambda root: len(unify(images, root, tmp_path / "out", Form(), progress=quiet)),
    ):
        with pytest.raises(ImagesError, match=r"^no image of the set can be read"):
            write(tmp_path / "empty")
        assert not list(tmp_path.rglob("*.parts"))
        assert write(tmp_path / "raw") in (19, 9)


def test_a_folder_of_the_user_s_is_not_taken_for_parts(images: ImageSet, tmp_path: Path) -> None:
    (tmp_path / "out.parts").mkdir()
    (tmp_path / "out.parts/about.json").write_text('{"kind": "parts"}')
    with pytest.raises(OutputError) as caught:
        unify(images, tmp_path / "raw", tmp_path / "out", Form(), progress=quiet)
    assert str(caught.value) == (
        "what an interrupted run would leave goes here, and something else is in the place\n"
        f"  where: {tmp_path / 'out.parts'}\n  to do: choose another -o, or move it elsewhere"
    )
    assert contents(tmp_path / "out.parts") == {Path("about.json"): b'{"kind": "parts"}'}


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
