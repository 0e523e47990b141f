"""An extraction in shares: several runs into one folder, in turn and at the same time."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import pytest

from datasets_me.core.engine import Shard
from datasets_me.core.errors import FeaturesError
from datasets_me.extract import video
from datasets_me.extract.extract import Extraction
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.manifest import write as write_manifest
from tests.conftest import Run, start
from tests.extract.conftest import FRAMES, SIZE, extract, grey, listed, manifest_of, tree


def owed(extraction: Extraction) -> tuple[int, int, bool]:
    return extraction.owed, extraction.waiting, extraction.tables


def test_shares_of_another_number_do_nothing_twice(
    filmed: Path, dataset: Manifest, extracted: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = extract(dataset, filmed, out, shard=Shard(1, 2))
    assert [row.name for row in first.rows] == ["casme_015_0101", "casme_016_0101"]
    assert owed(first) == (2, 0, False)
    written = {path: path.stat().st_mtime_ns for path in out.rglob("*.np*")}
    assert owed(extract(dataset, filmed, out, shard=Shard(1, 3))) == (1, 0, False)
    assert owed(extract(dataset, filmed, out, shard=Shard(3, 3))) == (1, 0, False)
    last = extract(dataset, filmed, out, shard=Shard(2, 3))
    assert owed(last) == (0, 0, True)
    assert len(last.rows) == 4
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert tree(out) == tree(extracted)


def test_two_shares_at_once(filmed: Path, dataset: Manifest, extracted: Path, tmp_path: Path) -> None:
    write_manifest(dataset, tmp_path / "m")
    runs = [
        start(tmp_path, "extract", "m", "--root", filmed, "-o", "out", "--workers", 1, "--shard", f"{number}/2")
        for number in (1, 2)
    ]
    printed = [run.communicate(timeout=300) for run in runs]
    assert [(run.returncode, errors) for run, (_, errors) in zip(runs, printed, strict=True)] == [(0, "")] * 2
    assert tree(tmp_path / "out") == tree(extracted)
    ends = [text.splitlines()[-1] for text, _ in printed]
    assert "written to out" in ends
    shares = [end for end in ends if end != "written to out"]
    assert all("; when all are done, write the tables with --finish" in end for end in shares)


@pytest.fixture
def faceless(filmed: Path, tmp_path: Path) -> tuple[Path, Manifest]:
    """Three videos of a subject, in one of which there is no face."""
    root = tmp_path / "raw"
    manifest = manifest_of(listed(15, "0101"), listed(15, "0102"), listed(15, "0401"))
    for row in manifest.videos[:2]:
        shutil.copytree(filmed / row.path, root / row.path)
    bare = root / manifest.videos[2].path
    bare.mkdir()
    for number in range(1, FRAMES + 1):
        cv2.imwrite(str(bare / f"img{number:03}.jpg"), grey(*SIZE))
    return root, manifest


def test_a_video_without_a_face_waits_for_other_shares(faceless: tuple[Path, Manifest], tmp_path: Path) -> None:
    root, manifest = faceless
    whole = extract(manifest, root, tmp_path / "whole")
    out = tmp_path / "out"
    bare = extract(manifest, root, out, shard=Shard(3, 3))
    assert (bare.rows, owed(bare)) == ([], (2, 1, False))
    extract(manifest, root, out, shard=Shard(1, 3))
    last = extract(manifest, root, out, shard=Shard(2, 3))
    assert owed(last) == (0, 1, False)
    shutil.copytree(out, tmp_path / "other")
    assert owed(extract(manifest, root, tmp_path / "other", shard=Shard(3, 3))) == (0, 0, True)
    finished = extract(manifest, root, out, finish=True)
    assert finished == whole
    assert tree(out) == tree(tmp_path / "other") == tree(tmp_path / "whole")
    assert owed(extract(manifest, root, out, shard=Shard(1, 3), force=True)) == (0, 0, True)  # it waits no more
    assert tree(out) == tree(tmp_path / "whole")


def test_a_rerun_searches_no_face_again(
    faceless: tuple[Path, Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, manifest = faceless
    whole = extract(manifest, root, tmp_path / "out")
    before = tree(tmp_path / "out")
    monkeypatch.delattr(video, "FrameReader")  # nothing can be read any more
    assert extract(manifest, root, tmp_path / "out") == whole
    assert tree(tmp_path / "out") == before


def test_nothing_is_finished_before_all_shares_are(filmed: Path, dataset: Manifest, tmp_path: Path) -> None:
    extract(dataset, filmed, tmp_path / "out", shard=Shard(4, 4))
    with pytest.raises(FeaturesError) as caught:
        extract(dataset, filmed, tmp_path / "out", finish=True)
    assert str(caught.value) == (
        "3 of 4 videos are not done, such as casme_015_0101\n"
        f"  where: {tmp_path / 'out'}\n"
        "  to do: wait for shares that still run, and run those that are missing; or do these videos here, without "
        "--finish and --shard"
    )
    assert not (tmp_path / "out" / "features.parquet").exists()


def test_what_was_done_of_other_frames_is_owed(faceless: tuple[Path, Manifest], tmp_path: Path) -> None:
    root, manifest = faceless
    out = tmp_path / "out"
    extract(manifest, root, out)
    for path in root.rglob("*.jpg"):
        os.utime(path, (1, 1))
    assert owed(extract(manifest, root, out, shard=Shard(1, 3))) == (2, 0, False)
    assert owed(extract(manifest, root, out, shard=Shard(2, 3))) == (1, 0, False)
    shutil.rmtree(root / manifest.videos[2].path)  # nobody can do it again, and what was done stays
    last = extract(manifest, root, out, shard=Shard(1, 2))
    assert (owed(last), [row.status for row in last.rows]) == ((0, 0, True), ["ok", "ok", "failed"])
    assert (out / "landmarks/casme_015/casme_015_0401.npz").is_file()


def test_a_video_that_ends_its_process_after_its_frames_changed_is_owed_no_more(
    one: tuple[Path, Path, Manifest], extracted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, folder, manifest = one
    out = tmp_path / "out"
    shutil.copytree(extracted, out)
    (folder / "img001.jpg").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(video, "extract_video", lambda *_, **__: 1 / 0)
        failed = extract(manifest, root, out, shard=Shard(1, 2))
    assert failed.rows[0].why == "ZeroDivisionError: division by zero"
    assert extract(manifest, root, out, shard=Shard(2, 2)).rows == failed.rows
    assert extract(manifest, root, out).rows[0].status == "partial"  # it is tried again


def test_the_failures_of_shares_are_reported_in_the_end(
    one: tuple[Path, Path, Manifest], extracted: Path, tmp_path: Path
) -> None:
    root, out = one[0], tmp_path / "out"
    manifest = manifest_of(listed(15, "0101"), listed(15, "0102"))  # there is no folder of the second
    whole = extract(manifest, root, tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", out)
    for name in ("features.parquet", "findings.parquet"):
        (out / name).unlink()
    (out / "done/casme_015/casme_015_0102.json").unlink()
    share = extract(manifest, root, out, shard=Shard(2, 2))
    assert (len(share.rows), owed(share)) == (2, (0, 0, True))
    assert extract(manifest, root, out, finish=True) == whole
    assert [row.why for row in whole.rows] == [None, "the folder cannot be opened: No such file or directory"]
    assert tree(out) == tree(tmp_path / "whole")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--shard", "5/4"], "there is no share 5 of 4"),
        (["--shard", "1/4", "--finish"], "--shard and --finish exclude each other"),
        (["--force", "--finish"], "--force and --finish exclude each other"),
        (["--shard", "1/4", "--sheet", "s.html"], "a share of the videos has no --sheet"),
        (["--cluster", "nowhere"], "'nowhere' is no cluster"),
        (["--cluster", "nowhere.json"], "the scheduler file cannot be used: No such file or directory"),
        (["--cluster", "slurm"], "--cluster slurm needs the number of workers"),
    ],
)
def test_options_that_do_not_fit(
    options: list[str], message: str, one: tuple[Path, Path, Manifest], me_datasets: Run, tmp_path: Path
) -> None:
    write_manifest(one[2], tmp_path / "m")
    done = me_datasets("extract", "m", "--root", one[0], "-o", "out", *options)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {message}\n")
    assert not (tmp_path / "out").exists()
