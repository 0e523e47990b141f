"""What is written down as done, when it is believed, and what of it in a folder that a stranger may have prepared."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from datasets_me.core.errors import PathError, WriteError
from datasets_me.extract import ledger
from datasets_me.extract.options import ExtractOptions
from datasets_me.findings.finding import finding
from datasets_me.formats import features as feature_files
from datasets_me.formats.frame_files import FrameFiles, stat_of
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import VideoFeatures
from tests.extract.conftest import extract

ROW = VideoFeatures(
    dataset="casme-sq",
    subject="casme_015",
    video="casme_015_0101",
    name="casme_015_0101",
    status="ok",
    features="features/v.npy",
    landmarks="landmarks/v.npz",
    fps=30.0,
    key="k" * 8,
)
FOUND = [finding("ME605", "no face in 3 frames", video=ROW.video)]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An output in which one video is done."""
    for path, content in ((ROW.features, b"feature"), (ROW.landmarks, b"landmarks")):
        assert path
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_bytes(content)
    ledger.finish(tmp_path, "casme_015", "stamp", ROW, FOUND)
    return tmp_path


def done(out: Path, stamp: str | None = None) -> ledger.Done | None:
    return ledger.done(out, "casme_015", ROW.name, stamp)


def test_what_is_done_comes_back_whole(out: Path) -> None:
    assert done(out) == done(out, "stamp") == ledger.Done(ROW, FOUND)
    assert ledger.done(out, "casme_016", ROW.name) is None
    assert ledger.done(out, "casme_015", "other") is None


def test_it_counts_only_for_the_same_stamp_and_whole_arrays(out: Path) -> None:
    assert done(out, "another") is None
    array = out / "landmarks" / "v.npz"
    array.write_bytes(b"landmark")
    assert done(out) is None
    array.write_bytes(b"landmarks")
    assert done(out) is not None
    array.unlink()
    assert done(out) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"stamp": "stamp"}', '{"stamp": "stamp", "files": [1], "row": {}}'])
def test_a_damaged_record_is_no_record(out: Path, text: str) -> None:
    ledger.note(out, "casme_015", ROW.name).write_text(text)
    assert done(out, "stamp") is None


def test_a_video_that_waits_and_one_that_failed_are_not_finished(out: Path) -> None:
    ledger.wait(out, "casme_015", "b", "stamp b")
    assert ledger.waits(out, "casme_015", "b", "stamp b")
    assert not ledger.waits(out, "casme_015", "b", "another")
    assert ledger.done(out, "casme_015", "b") is None
    row = ROW.model_copy(update={"name": "c", "status": "failed", "features": None, "landmarks": None, "key": None})
    failure = ledger.Done(row, [finding("ME610", "it is gone", video="c")])
    ledger.fail(out, "casme_015", failure)
    assert ledger.failed(out, "casme_015", "c") == failure
    assert ledger.done(out, "casme_015", "c", "stamp") is None
    assert ledger.failed(out, "casme_015", ROW.name) is None
    assert ledger.noted(out, "casme_015") == {ROW.name, "b", "c"}
    ledger.finish(out, "casme_015", "final", ROW, FOUND, waited="stamp")
    assert ledger.waits(out, "casme_015", ROW.name, "stamp")
    assert done(out, "final") == ledger.Done(ROW, FOUND)


@pytest.mark.parametrize("event", ["waits", "fails"])
def test_tables_go_before_a_video_changes(out: Path, event: str) -> None:
    tables = [out / name for name in (feature_files.TABLE, feature_files.FINDINGS)]
    for table in tables:
        table.touch()
    if event == "waits":
        ledger.wait(out, "casme_015", "b", "stamp")
    else:
        ledger.fail(out, "casme_015", ledger.Done(ROW.model_copy(update={"name": "b", "status": "failed"}), []))
    assert not any(table.exists() for table in tables)


def test_all_that_is_done_is_removed_and_nothing_outside(out: Path) -> None:
    outside = out.parent / f"{out.name}-mine.txt"
    outside.write_text("mine")
    ledger.finish(out, "casme_016", "stamp", ROW.model_copy(update={"name": "b"}), [])
    marker = ledger.note(out, "casme_015", ROW.name)
    about = json.loads(marker.read_text())
    marker.write_text(json.dumps({**about, "files": {**about["files"], f"../{outside.name}": 4}}))
    ledger.note(out, "casme_016", "damaged").write_text("{")
    ledger.remove_all(out)
    assert [path.name for path in out.rglob("*") if path.is_file()] == []
    assert outside.read_text() == "mine"


def test_what_the_tables_say_holds_until_anything_changes(out: Path) -> None:
    failure = ledger.Done(ROW.model_copy(update={"name": "b", "status": "failed", "features": None, "key": None}), [])
    third = ledger.Done(ROW.model_copy(update={"name": "c", "features": None, "landmarks": None}), [*FOUND, *FOUND])
    ledger.fail(out, "casme_015", failure)
    ledger.finish(out, "casme_015", "final", third.row, third.findings, waited="first")
    videos = [ledger.Done(ROW, FOUND), failure, third]

    def write(listed: list[ledger.Done]) -> None:
        changes = feature_files.begun(out)
        ledger.write_notes(out, videos)
        findings = [finding for video in listed for finding in video.findings]
        feature_files.write_tables(out, [video.row for video in listed], findings, changes)

    write(videos)
    noted = ledger.read_notes(out)
    assert [each.done for each in noted.values()] == videos
    # the arrays of this row are not where the program writes them, so that their sizes are not known
    assert [(each.stamp, each.waited, each.sizes[1]) for each in noted.values()] == [
        ("stamp", None, None),
        (None, None, None),
        ("final", "first", None),
    ]
    ledger.begin(out, "casme_015", "c")
    assert not (out / ledger.NOTES).exists()
    write(videos)
    assert ledger.read_notes(out)
    write(videos[:2])  # tables of another run
    assert ledger.read_notes(out) == {}
    write(videos)
    feature_files.begin(out, "c")
    assert ledger.read_notes(out) == {}


def test_a_video_is_known_by_the_sizes_of_its_arrays(
    one: tuple[Path, Path, Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, _, manifest = one
    out = tmp_path / "out"
    first = extract(manifest, root, out, ExtractOptions())
    sizes = [(out / path).stat().st_size for path in ledger.arrays_of("casme_015", "casme_015_0101")]
    assert ledger.sizes(out, "casme_015", "casme_015_0101")[1:] == tuple(sizes)
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "done", lambda *_: pytest.fail("a note is read"))
        assert extract(manifest, root, out, ExtractOptions()) == first
    array = out / "features" / "casme_015" / "casme_015_0101.npy"
    content = array.read_bytes()
    array.write_bytes(content[:-1])
    assert extract(manifest, root, out, ExtractOptions()) == first
    assert array.read_bytes() == content
    (out / "done" / "casme_015" / "casme_015_0101.json").unlink()
    assert ledger.sizes(out, "casme_015", "casme_015_0101") == (None, *sizes)
    assert extract(manifest, root, out, ExtractOptions()) == first


def test_the_hash_of_facts_knows_values_not_their_order() -> None:
    facts = {"a": 1, "b": [1.5, None]}
    assert ledger.digest(facts) == ledger.digest({"b": [1.5, None], "a": 1})
    assert ledger.digest(facts) != ledger.digest({"a": 1, "b": [1.5, 0]})
    assert ledger.digest({"path": Path("x")}) == ledger.digest({"path": "x"})


def test_files_are_known_by_number_name_size_and_time(tmp_path: Path) -> None:
    """A frame replaced by another of the same size is another frame: its time of change says so."""
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"1234")
        os.utime(tmp_path / name, ns=(5, 1_000_000_000))

    def now(**names: str) -> str:
        listed = {int(key[1:]): name for key, name in names.items()}
        return stat_of(FrameFiles(tmp_path, listed, 0, len(listed)))

    files = {"n0": "a.jpg", "n1": "b.jpg"}
    first = now(**files)
    assert now(**files) == first
    assert now(n0="a.jpg", n2="b.jpg") != first
    assert now(n0="b.jpg", n1="a.jpg") != first
    os.utime(tmp_path / "b.jpg", ns=(5, 1_000_000_001))
    later = now(**files)
    assert later != first
    (tmp_path / "b.jpg").write_bytes(b"12345")
    os.utime(tmp_path / "b.jpg", ns=(5, 1_000_000_001))
    larger = now(**files)
    (tmp_path / "b.jpg").unlink()
    assert len({first, later, larger, now(**files)}) == 4


STRANGE = VideoFeatures(dataset="d", subject="s", video="v", name="v", status="ok", features="features/s/v.npy", fps=30)


def write(out: Path, files: dict[str, int], row: VideoFeatures = STRANGE) -> Path:
    path = out / "done" / "s" / "v.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"stamp": "x", "files": files, "row": row.model_dump(), "findings": []}))
    return path


@pytest.mark.parametrize("path", ["../private.npy", "features/../../private.npy", "features/out/private.npy"])
def test_nothing_outside_is_believed_or_removed(tmp_path: Path, path: str) -> None:
    out, private = tmp_path / "out", tmp_path / "private.npy"
    private.write_text("mine")
    (out / "features" / "s").mkdir(parents=True)
    (out / "features" / "out").symlink_to(tmp_path)
    (out / "features" / "s" / "v.npy").write_text("array")
    (out / "mine.txt").write_text("mine")
    write(out, {"features/s/v.npy": 5})
    assert ledger.done(out, "s", "v") == ledger.Done(STRANGE, [])
    write(out, {"features/s/v.npy": 5}, STRANGE.model_copy(update={"features": path}))
    assert ledger.done(out, "s", "v") is None or path.startswith("features/out")
    marker = write(out, {path: 4, "mine.txt": 4, "features/s/v.npy": 5})
    assert ledger.done(out, "s", "v") is None
    ledger.remove_all(out)
    assert private.read_text() == (out / "mine.txt").read_text() == "mine"
    assert not marker.exists() and not (out / "features" / "s" / "v.npy").exists()


def test_nothing_behind_a_link_is_removed(tmp_path: Path) -> None:
    write(tmp_path / "private", {})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "done").symlink_to(tmp_path / "private" / "done")
    with pytest.raises(PathError, match="goes through a link that leads out of the folder"):
        ledger.remove_all(tmp_path / "out")
    assert (tmp_path / "private" / "done" / "s" / "v.json").is_file()


@pytest.mark.parametrize("name", ["done", "features", "landmarks"])
def test_an_output_that_leads_elsewhere_is_refused(one: tuple[Path, Path, Manifest], tmp_path: Path, name: str) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to(tmp_path / "private")
    with pytest.raises(PathError, match=f"'{name}' goes through a link that leads out of the folder"):
        extract(one[2], one[0], tmp_path / "out", ExtractOptions())
    assert list((tmp_path / "private").iterdir()) == []


def test_a_lock_that_cannot_be_had_ends_the_run_with_an_error(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, _, manifest = one
    first = extract(manifest, root, tmp_path / "out", ExtractOptions())
    assert first.rows[0].status == "ok"
    assert [path.name for path in (tmp_path / "out" / "done" / "casme_015").iterdir()] == ["casme_015_0101.json"]
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "out" / "done" / "casme_015" / ".casme_015_0101.json.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(WriteError, match="the lock cannot be taken: "):
        extract(manifest, root, tmp_path / "out", ExtractOptions(), force=True)
    assert (tmp_path / "victim").read_text() == "mine"
