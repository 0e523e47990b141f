"""Extraction over a manifest: what is written, what is done again, what is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from datasets_me.cards.contact_sheet import check_sheet, write_sheet
from datasets_me.core.errors import FeaturesError, MeDatasetsError
from datasets_me.extract import extract as extract_module
from datasets_me.extract.extract import Extraction
from datasets_me.extract.options import ExtractOptions, automatic_step, environment, taken, usual_step
from datasets_me.extract.video import Job, Setting, extract_one
from datasets_me.features.mdmo import mdmo
from datasets_me.features.video import Quality
from datasets_me.formats import features as feature_files
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.manifest import write as write_manifest
from datasets_me.schema import schema_files
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions
from tests.conftest import REPOSITORY, Run, start
from tests.extract.conftest import FRAMES, SIZE, extract, film, grey, listed, manifest_of, tree

DEFAULT = ExtractOptions()

LEFTOVER = """
import os, sys
from pathlib import Path
from datasets_me.core import artefact
os.fsync = lambda _: os._exit(9)
artefact.write_file(Path(sys.argv[1]), b"half")
"""
"""A program that ends in the middle of writing a file."""


class Killed(BaseException):
    """Ends the work as a kill does: nothing in the program heeds it."""


def found(extraction: Extraction) -> dict[str, str]:
    """Messages by code, for a run with one finding per code at most."""
    by_code = {finding.code: finding.message for finding in extraction.findings}
    assert len(by_code) == len(extraction.findings)
    return by_code


def test_what_is_written(extracted: Path, dataset: Manifest) -> None:
    folder = feature_files.read(extracted, dataset)
    assert [row.name for row in folder.rows] == [f"casme_{s:03}_{c}" for s in (15, 16) for c in ("0101", "0102")]
    for row in folder.rows:
        feature = folder.load(row)
        assert feature.shape == (FRAMES - 1, 12, 2)
        assert feature.dtype == np.float32
        assert np.isfinite(feature).all()
        assert (row.frames, row.good, row.start, row.fps, row.unit_px) == (FRAMES, FRAMES, 0, 30, 1)
        assert folder.quality(row).tolist() == [0] * FRAMES
        with np.load(extracted / row.landmarks, allow_pickle=False) as file:
            assert file["landmarks"].shape == (FRAMES, 68, 2)
            assert file["box"].tolist() == row.box
    about = json.loads((extracted / "extraction.json").read_text())
    assert about["options"]["preset"] == "default"
    assert len(about["environment"]["shape_predictor_68_face_landmarks.dat"]) == 64


def test_features_are_near_the_truth(extracted: Path, dataset: Manifest) -> None:
    row = feature_files.read(extracted, dataset).rows[0]
    feature = feature_files.read(extracted, dataset).load(row)
    video = FaceVideo(15, 0, FaceVideoOptions(frames=FRAMES, size=SIZE, colour=True))
    flow = np.stack([video.flow(t) for t in range(FRAMES - 1)])
    truth = mdmo(flow, video.landmarks[:-1]).feature
    error = np.sqrt(((feature - truth) ** 2).mean()) / np.sqrt((truth**2).mean())
    assert error < 0.7
    with np.load(extracted / row.landmarks, allow_pickle=False) as file:
        assert np.abs(file["landmarks"] - video.landmarks).mean() < 2.5


def test_one_worker_gives_the_same_bytes(extracted: Path, filmed: Path, dataset: Manifest, tmp_path: Path) -> None:
    extract(dataset, filmed, tmp_path / "out", DEFAULT, workers=1)
    assert tree(tmp_path / "out") == tree(extracted)


def test_workers_that_were_started_in_another_folder(
    extracted: Path, filmed: Path, dataset: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("raw").symlink_to(filmed)
    with ProcessPoolExecutor(1, initializer=os.chdir, initargs=("/",)) as elsewhere:
        done = extract(dataset, Path("raw"), Path("out"), executor=elsewhere, videos=["casme_015_0101"])
    assert [row.status for row in done.rows] == ["ok"]
    array = done.rows[0].features or ""
    assert (tmp_path / "out" / array).read_bytes() == (extracted / array).read_bytes()


def test_a_rerun_does_only_what_changed(extracted: Path, filmed: Path, dataset: Manifest, tmp_path: Path) -> None:
    root, out = tmp_path / "raw", tmp_path / "out"
    shutil.copytree(filmed, root, copy_function=shutil.copy2)
    shutil.copytree(extracted, out, copy_function=shutil.copy2)
    before = tree(out)
    done: dict[str, int] = {path.as_posix(): path.stat().st_mtime_ns for path in out.rglob("*.np*")}
    frame = root / dataset.videos[3].path / "img007.jpg"
    shutil.copy(frame.with_name("img006.jpg"), frame)
    result = extract(dataset, root, out, DEFAULT)
    changed = {name for name, content in tree(out).items() if before[name] != content}
    name = "casme_016/casme_016_0102"
    written = {f"features/{name}.npy", f"landmarks/{name}.npz", f"done/{name}.json"}
    assert changed == {*written, "features.parquet", "findings.parquet", "done/notes.parquet"}
    assert found(result) == {"ME621": "1 frame is the same picture as the frame before, counted from 0: 6"}
    again = {path.as_posix(): path.stat().st_mtime_ns for path in out.rglob("*.np*")}
    assert {path for path in done if done[path] != again[path]} == {
        f"{out.as_posix()}/features/{name}.npy",
        f"{out.as_posix()}/landmarks/{name}.npz",
    }


def test_a_rerun_knows_other_rates_and_places(extracted: Path, filmed: Path, dataset: Manifest, tmp_path: Path) -> None:
    root, out = tmp_path / "raw", tmp_path / "out"
    shutil.copytree(filmed, root, copy_function=shutil.copy2)
    shutil.copytree(extracted, out, copy_function=shutil.copy2)
    feature = out / "features/casme_015/casme_015_0101.npy"
    written = feature.stat().st_mtime_ns
    first, second, *rest = dataset.videos
    (root / first.path).rename(root / "rawpic/s15/moved")
    moved = first.model_copy(update={"path": "rawpic/s15/moved"})
    faster = second.model_copy(update={"fps": 60.0})
    result = extract(replace(dataset, videos=[moved, faster, *rest]), root, out, DEFAULT)
    assert [(row.path, row.fps) for row in result.rows[:2]] == [(moved.path, 30), (second.path, 60)]
    assert feature.stat().st_mtime_ns == written
    assert feature_files.read(out, dataset).rows == tuple(result.rows)


def test_only_what_a_killed_run_left_is_removed(
    extracted: Path, filmed: Path, dataset: Manifest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(extracted, out)
    killed = subprocess.run(
        [sys.executable, "-c", LEFTOVER, str(out / "features.parquet")], cwd=REPOSITORY, timeout=60, check=False
    )
    assert killed.returncode == 9
    assert len(list(out.glob(".features.parquet.*"))) == 1
    (out / ".features.parquet.bak").write_text("mine")
    extract(dataset, filmed, out, DEFAULT)
    assert [path.name for path in out.glob(".*")] == [".features.parquet.bak"]


def test_a_damaged_record_is_made_anew_by_force(
    extracted: Path, filmed: Path, dataset: Manifest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(extracted, out)
    (tmp_path / "precious.txt").write_text("mine")
    (out / "extraction.json").write_text("{")
    (out / "done/casme_015/casme_015_0101.json").write_text('{"files": {"../precious.txt": 4}}')
    (out / "done/casme_015/casme_015_0102.json").write_text('{"stamp": "", "files": [[1]]}')
    with pytest.raises(MeDatasetsError, match=r"extraction\.json is damaged") as said:
        extract(dataset, filmed, out, DEFAULT)
    assert said.value.fix == "choose another -o, or add --force, without --videos and --shard, to do all anew"
    extract(dataset, filmed, out, DEFAULT, force=True)
    assert tree(out) == tree(extracted)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_damaged_output_is_made_again(extracted: Path, filmed: Path, dataset: Manifest, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(extracted, out)
    (out / "features/casme_015/casme_015_0101.npy").write_bytes(b"half")
    (out / "landmarks/casme_015/casme_015_0102.npz").unlink()
    (out / "done/casme_016/casme_016_0101.json").write_text("{")
    extract(dataset, filmed, out, DEFAULT)
    assert tree(out) == tree(extracted)


def test_other_options_need_another_folder(extracted: Path, filmed: Path, dataset: Manifest, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(extracted, out)
    with pytest.raises(MeDatasetsError, match="other options: step 1, now 3"):
        extract(dataset, filmed, out, ExtractOptions(step=3))
    assert tree(out) == tree(extracted)
    with pytest.raises(MeDatasetsError, match="other options: step 1, now 3"):
        extract(dataset, filmed, out, ExtractOptions(step=3), videos=["*_0101"], force=True)
    result = extract(dataset, filmed, out, ExtractOptions(step=3), force=True)
    assert {row.step for row in result.rows} == {3}
    assert {np.load(path).shape for path in out.rglob("*.npy")} == {(FRAMES - 3, 12, 2)}


def test_some_videos_first(filmed: Path, dataset: Manifest, extracted: Path, tmp_path: Path) -> None:
    first = extract(dataset, str(filmed), str(tmp_path / "out"), DEFAULT, videos=["*_0101"])
    assert [row.name for row in first.rows] == ["casme_015_0101", "casme_016_0101"]
    assert first.remaining == 2
    extract(dataset, filmed, tmp_path / "out", DEFAULT)
    assert tree(tmp_path / "out") == tree(extracted)


def test_the_longest_videos_first(dataset: Manifest, tmp_path: Path) -> None:
    names = []
    videos = [
        video.model_copy(update={"frames": count})
        for video, count in zip(dataset.videos, (20, 900, None, 30), strict=True)
    ]
    for video in videos:
        folder = tmp_path / "raw" / str(video.path)
        folder.mkdir(parents=True)
        (folder / "img001.jpg").touch()
    extract(replace(dataset, videos=videos), tmp_path / "raw", tmp_path / "out", video_done=names.append)
    assert names == ["casme_015_0102", "casme_016_0102", "casme_015_0101", "casme_016_0101"]


def test_two_folders_of_one_video(filmed: Path, dataset: Manifest, extracted: Path, tmp_path: Path) -> None:
    copy = dataset.videos[0].model_copy(update={"path": dataset.videos[1].path, "annotations": 0})
    both = replace(dataset, videos=[copy, *dataset.videos])
    result = extract(both, filmed, tmp_path / "out", DEFAULT)
    assert [(f.code, f.path) for f in result.findings] == [("ME615", dataset.videos[1].path)]
    assert len(result.rows) == 4
    name = "features/casme_015/casme_015_0101.npy"
    assert (tmp_path / "out" / name).read_bytes() == (extracted / name).read_bytes()


def test_frames_lost_since_the_manifest_was_made(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, folder, manifest = one
    known = manifest.videos[0].model_copy(update={"first": 1, "last": FRAMES})
    for name in ("img001.jpg", f"img{FRAMES:03}.jpg"):
        (folder / name).unlink()
    result = extract(replace(manifest, videos=[known]), root, tmp_path / "out", DEFAULT)
    assert (result.rows[0].frames, result.rows[0].missing) == (FRAMES, 2)
    assert found(result) == {"ME602": f"2 frames without a file, counted from 0: 0, {FRAMES - 1}"}


def test_a_root_without_any_of_the_folders(dataset: Manifest, tmp_path: Path) -> None:
    with pytest.raises(MeDatasetsError, match="none of the manifest's folders is under the root"):
        extract(dataset, tmp_path, tmp_path / "out", DEFAULT)


def test_a_sheet_replaces_nothing_of_the_users(
    filmed: Path, dataset: Manifest, extracted: Path, tmp_path: Path
) -> None:
    page = tmp_path / "sheet.html"
    write_sheet(dataset, filmed, extracted, Extraction([], [], 0), page)
    check_sheet(page)
    page.write_text("mine")
    with pytest.raises(MeDatasetsError, match="the file exists and is not a contact sheet"):
        check_sheet(page)
    with pytest.raises(MeDatasetsError, match="a contact sheet is an HTML page"):
        check_sheet(tmp_path / "out" / "extraction.json")
    with pytest.raises(MeDatasetsError, match="the page cannot be written under"):
        check_sheet(page / "sheet.html")


def test_a_foreign_folder_is_left_alone(filmed: Path, dataset: Manifest, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(MeDatasetsError, match="the output exists and is not an extraction"):
        extract(dataset, filmed, tmp_path, DEFAULT)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"faces": "yunet"}, "yunet needs the path of its ONNX weights"),
        ({"faces": "boxes"}, "--faces boxes and --boxes FILE belong together"),
        ({"layout": "cooked"}, "there is no layout 'cooked'"),
        ({"layout": "cropped"}, "the manifest has no folders of frames of the layout 'cropped'"),
        ({"regions": "seven"}, "unknown set of regions 'seven'"),
        ({"temporal": 4}, "it is an odd number of pairs, for the preset default"),
        ({"temporal": 3, "preset": "tvl1"}, "it is an odd number of pairs, for the preset default"),
        ({"fps": 60}, "--fps 60 is above the 30 frames a second of the videos"),
    ],
)
def test_options_that_cannot_be_met(
    options: dict[str, str], message: str, filmed: Path, dataset: Manifest, tmp_path: Path
) -> None:
    with pytest.raises(MeDatasetsError) as caught:
        extract(dataset, filmed, tmp_path / "out", ExtractOptions(**options))
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_run_killed_after_an_array_changed_leaves_no_table_of_the_old(
    one: tuple[Path, Path, Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, folder, manifest = one
    out = tmp_path / "out"
    extract(manifest, root, out, DEFAULT)
    (before,) = feature_files.read(out, manifest).rows
    tables = {name: (out / name).read_bytes() for name in ("features.parquet", "findings.parquet")}
    extract(manifest, root, out, DEFAULT)  # nothing is to be done, and nothing is taken back
    assert {name: (out / name).read_bytes() for name in tables} == tables
    (folder / "img003.jpg").write_bytes((folder / "img002.jpg").read_bytes())
    setting = Setting(manifest, root, out, DEFAULT, environment(DEFAULT))
    replace_file = Path.replace
    for place in ("landmarks", "features", "done"):  # killed when a file is about to be put there

        def stopped(path: Path, target: Path, place: str = place) -> Path:
            if place in Path(target).parts:
                raise Killed
            return replace_file(path, target)

        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(Path, "replace", stopped)
            extract_one(setting, Job(manifest.videos[0]), lambda count: None)
        assert not [name for name in tables if (out / name).exists()]
        with pytest.raises(FeaturesError) as caught:
            feature_files.read(out, manifest)
        assert str(caught.value) == (
            "an extraction into this folder is not finished: there is no features.parquet\n"
            f"  where: {out}\n  to do: run the same me-datasets extract again; finished videos are kept"
        )
    extract(manifest, root, out, DEFAULT)
    (after,) = feature_files.read(out, manifest).rows
    assert after.key == json.loads((out / "done/casme_015/casme_015_0101.json").read_text())["row"]["key"] != before.key


def test_a_table_that_is_older_than_an_array_is_refused(
    one: tuple[Path, Path, Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs at once: while one writes its tables, another changes a video, and is killed before it writes any."""
    root, folder, manifest = one
    out = tmp_path / "out"
    extract(manifest, root, out, DEFAULT)
    setting = Setting(manifest, root, out, DEFAULT, environment(DEFAULT))
    collect = extract_module._Run._all_done

    def interrupted(*arguments: Any) -> Any:
        collected = collect(*arguments)
        (folder / "img003.jpg").write_bytes((folder / "img002.jpg").read_bytes())
        extract_one(setting, Job(manifest.videos[0]), lambda count: None)
        return collected

    with monkeypatch.context() as patch:
        patch.setattr(extract_module._Run, "_all_done", interrupted)
        extract(manifest, root, out, DEFAULT)
    with pytest.raises(FeaturesError, match=r"casme_015_0101 has changed since features\.parquet was written"):
        feature_files.read(out, manifest)
    shutil.copytree(out, tmp_path / "copy", ignore=shutil.ignore_patterns("done"))
    assert feature_files.read(tmp_path / "copy", manifest).extracted  # without "done" the table is believed
    extract(manifest, root, out, DEFAULT)
    (row,) = feature_files.read(out, manifest).rows
    assert row.key == json.loads((out / "done/casme_015/casme_015_0101.json").read_text())["row"]["key"]


def test_no_video_fits(filmed: Path, dataset: Manifest, tmp_path: Path) -> None:
    with pytest.raises(MeDatasetsError, match="no video fits casme_99"):
        extract(dataset, filmed, tmp_path / "out", DEFAULT, videos=["casme_99*"])


def test_bad_frames_are_marked_and_the_rest_kept(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, folder, manifest = one
    whole = (folder / "img004.jpg").read_bytes()
    (folder / "img004.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "img009.jpg").unlink()
    cv2.imwrite(str(folder / "img012.jpg"), cv2.resize(cv2.imread(str(folder / "img012.jpg")), (100, 90)))
    picture = cv2.imread(str(folder / "img015.jpg"))
    (folder / "img015.jpg").write_bytes(cv2.imencode(".png", picture)[1].tobytes())  # a PNG named jpg is a frame
    (folder / "img0.jpg").write_bytes(whole)
    (folder / "img0016.jpg").write_bytes(whole)
    result = extract(manifest, root, tmp_path / "out", DEFAULT)
    (row,) = result.rows
    assert (row.status, row.why, row.frames, row.missing) == ("partial", "3 frames missing", FRAMES, 3)
    messages = found(result)
    assert messages.pop("ME601").startswith("1 frame cannot be read, counted from 0: 3: ")
    assert messages == {
        "ME602": "1 frame without a file, counted from 0: 8",
        "ME603": "1 frame of another size: 11",
        "ME614": "2 files left out: img0.jpg, img016.jpg",
    }
    folder_out = feature_files.read(tmp_path / "out", manifest)
    quality = folder_out.quality(row)
    assert np.flatnonzero(quality & Quality.MISSING).tolist() == [3, 8, 11]
    empty = np.isnan(folder_out.load(row)).all(axis=(1, 2))
    assert np.flatnonzero(empty).tolist() == [2, 3, 7, 8, 10, 11]


def only(folder: Path, *names: str) -> None:
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink()


def tiny(folder: Path) -> None:
    only(folder, "img001.jpg", "img002.jpg")
    for path in folder.iterdir():
        cv2.imwrite(str(path), grey(1, 1))


def faceless(folder: Path) -> None:
    for path in folder.iterdir():
        cv2.imwrite(str(path), grey(*SIZE))


@pytest.mark.parametrize(
    ("spoil", "code", "why"),
    [
        (lambda folder: only(folder), "ME610", "there are no frames"),
        (
            lambda folder: only(folder, "img001.jpg"),
            "ME611",
            "1 frame is too few for a step of 1",
        ),
        (lambda folder: [path.write_bytes(b"") for path in folder.iterdir()], "ME610", "no frame of it can be read"),
        (tiny, "ME610", "no face is found in it"),
        (faceless, "ME604", "no face is found in it"),
    ],
    ids=["empty", "one frame", "empty files", "1x1", "no face"],
)
def test_a_video_that_fails(
    one: tuple[Path, Path, Manifest], tmp_path: Path, spoil: object, code: str, why: str
) -> None:
    root, folder, manifest = one
    spoil(folder)
    result = extract(manifest, root, tmp_path / "out", DEFAULT)
    assert [(row.status, row.why, row.features) for row in result.rows] == [("failed", why, None)]
    assert code in {finding.code for finding in result.findings}
    assert list((tmp_path / "out").glob("features/**/*.npy")) == []


def test_a_folder_that_is_gone(filmed: Path, one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, _, _ = one
    result = extract(manifest_of(listed(15, "0101"), listed(15, "0102")), root, tmp_path / "out", DEFAULT)
    assert [row.status for row in result.rows] == ["ok", "failed"]
    assert found(result) == {"ME610": "the folder cannot be opened: No such file or directory"}


def test_links_that_lead_nowhere_are_bad_frames(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, folder, manifest = one
    (folder / "img005.jpg").unlink()
    (folder / "img005.jpg").symlink_to("nowhere.jpg")
    (folder / "img006.jpg").unlink()
    (folder / "img006.jpg").symlink_to("img006.jpg")
    result = extract(manifest, root, tmp_path / "out", DEFAULT)
    assert (result.rows[0].status, result.rows[0].missing) == ("partial", 2)
    assert [finding.message for finding in result.findings] == [
        "1 frame cannot be read, counted from 0: 4: No such file or directory",
        "1 frame cannot be read, counted from 0: 5: Too many levels of symbolic links",
    ]


def test_the_boxes_of_the_subjects_other_videos(filmed: Path, tmp_path: Path) -> None:
    root = tmp_path / "raw"
    manifest = manifest_of(listed(15, "0101"), listed(15, "0102"), listed(15, "0401"), listed(16, "0101"))
    for video in manifest.videos[:2]:
        shutil.copytree(filmed / video.path, root / video.path)
    bare = root / manifest.videos[2].path
    bare.mkdir()
    somebody_else = root / manifest.videos[3].path
    somebody_else.mkdir(parents=True)
    for number in range(1, FRAMES + 1):
        cv2.imwrite(str(bare / f"img{number:03}.jpg"), grey(*SIZE))
        elsewhere = cv2.imread(str(filmed / manifest.videos[3].path / f"img{number:03}.jpg"))
        cv2.imwrite(str(somebody_else / f"img{number:03}.jpg"), np.roll(elsewhere, (20, 20), axis=(0, 1)))
    result = extract(manifest, root, tmp_path / "out", DEFAULT)
    first, second, third, other = result.rows
    assert other.crop_source == "sample"
    assert third.crop_source == "subject"
    expected = np.mean([first.box, second.box], axis=0)
    assert np.abs(np.array(third.box) - expected).max() <= 1
    assert {finding.code for finding in result.findings if finding.video == third.video} == {
        *("ME605", "ME608", "ME610", "ME621")
    }
    before = tree(tmp_path / "out")
    extract(manifest, root, tmp_path / "out", DEFAULT)
    assert tree(tmp_path / "out") == before


def test_two_faces_and_one_at_the_border(tmp_path: Path) -> None:
    root, video = tmp_path / "raw", listed(15, "0101")
    film(tmp_path / "a", 15, 0, 6, size=(240, 220))
    film(tmp_path / "b", 3, 1, 6, size=(200, 180))
    folder = root / video.path
    folder.mkdir(parents=True)
    for path in sorted((tmp_path / "a").iterdir()):
        canvas = grey(560, 260)
        canvas[20:240, :190] = cv2.imread(str(path))[:, 30:220]
        canvas[40:220, 330:530] = cv2.imread(str(tmp_path / "b" / path.name))
        cv2.imwrite(str(folder / path.name), canvas)
    result = extract(manifest_of(video), root, tmp_path / "out", DEFAULT)
    (row,) = result.rows
    assert row.box[0] == 0
    assert row.box[2] < 330  # the larger face's, not the other's
    assert found(result)["ME607"].endswith("detections in 6 frames left out")


def test_boxes_of_the_user(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, _, manifest = one
    table = tmp_path / "boxes.csv"
    table.write_text("video,x0,y0,x1,y1\ncasme_015_0101,10,5,230,215\n")
    result = extract(manifest, root, tmp_path / "out", ExtractOptions(faces="boxes", boxes=table))
    assert (result.rows[0].box, result.rows[0].crop_source) == ([10, 5, 230, 215], "given")
    lacks = ("there is no box for it in boxes.csv", "its box in boxes.csv lies outside its frames")
    for number, line in enumerate(("somebody,10,5,230,215", "casme_015_0101,500,500,600,600")):
        table.write_text(f"video,x0,y0,x1,y1\n{line}\n")
        options = ExtractOptions(faces="boxes", boxes=table)
        result = extract(manifest, root, tmp_path / f"other{number}", options)
        assert result.rows[0].crop_source == "sample"
        said = found(result)
        instead = "and there is none for another video of its subject; taken instead: the face that dlib finds"
        assert said.pop("ME613") == f"{lacks[number]}, {instead}"
        nobody = "there is a box for 'somebody', which is not a video of the manifest"
        assert said == ({} if number else {"ME616": nobody})


def test_where_nothing_looked_for_a_face_nothing_says_so(filmed: Path, tmp_path: Path) -> None:
    table = tmp_path / "boxes.csv"
    table.write_text("video,x0,y0,x1,y1\ncasme_015_0101,10,5,230,215\n")
    videos = [listed(15, "0101"), listed(15, "0102")]
    options = ExtractOptions(faces="boxes", boxes=table)
    result = extract(manifest_of(*videos), filmed, tmp_path / "out", options)
    assert [(row.box, row.crop_source) for row in result.rows] == [
        ([10, 5, 230, 215], "given"),
        ([10, 5, 230, 215], "subject"),
    ]
    assert found(result) == {
        "ME613": "there is no box for it in boxes.csv; taken instead: the mean box of 1 other video of its subject"
    }


def test_where_neither_box_nor_face_is_found(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, folder, manifest = one
    faceless(folder)
    result = extract(manifest, root, tmp_path / "out", ExtractOptions(faces="published-crop"))
    said = found(result)
    assert said["ME613"] == (
        "there is no published crop of it, and there is none for another video of its subject; taken instead: "
        "the whole frame, as dlib finds no face"
    )
    assert said["ME604"].startswith("no face was found (sample: no face in 7 frames;")


def test_room_around_the_face_of_a_video(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, _, manifest = one
    text = manifest.schema.text.replace("casme_021_*", "casme_015_0101")
    sides = "{left: 9px, top: edge, right: -15px, bottom: 0.3}"
    boxes = []
    for number, pad in enumerate(("0", sides)):
        schema = schema_files.parse(text.replace("pad: {top: edge},", f"pad: {pad},"), "my.yaml")
        (row,) = extract(replace(manifest, schema=schema), root, tmp_path / str(number), DEFAULT).rows
        boxes.append(row.box)
        assert (row.status, row.crop_source) == ("ok", "sample")
        assert row.crop_pad == ("0.0", "left 9px, top edge, right -15px, bottom 0.3")[number]
    (tight, own) = boxes
    assert own == [tight[0] - 9, 0, tight[2] - 15, min(SIZE[1], tight[3] + round(0.3 * (tight[2] - tight[0])))]


def test_a_file_numbered_by_its_date_is_no_frame(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, folder, manifest = one
    shutil.copy(folder / "img001.jpg", folder / "img20140508.jpg")
    # a manifest that was made when such a file was taken for a frame
    video = manifest.videos[0].model_copy(update={"first": 1, "last": 20_140_508, "frames": FRAMES + 1})
    result = extract(replace(manifest, videos=[video]), root, tmp_path / "out", DEFAULT)
    assert [(row.status, row.frames) for row in result.rows] == [("ok", FRAMES)]
    assert found(result) == {
        "ME312": "1 file left out, too far from img001.jpg to img020.jpg to be frames: img20140508.jpg"
    }


def test_a_whole_video_with_numbers_of_its_own(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, folder, manifest = one
    for path in sorted(folder.iterdir()):
        path.rename(folder / f"img2014{path.name[3:]}")
    for path in sorted(folder.iterdir()):
        path.rename(folder / f"img20{path.name[3:]}")
    (row,) = extract(manifest, root, tmp_path / "out", DEFAULT).rows
    assert (row.status, row.start, row.frames) == ("ok", 202_014_000, FRAMES)


def test_the_published_crop(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, folder, manifest = one
    cropped = manifest.videos[0].model_copy(
        update={"layout": "cropped", "path": "cropped/15/disgust1_1", "expression": "disgust1_1"}
    )
    (root / cropped.path).mkdir(parents=True)
    for number in range(5, 12):
        part = cv2.imread(str(folder / f"img{number:03}.jpg"))[30:200, 50:190]
        cv2.imwrite(str(root / cropped.path / f"img{number}.jpg"), cv2.resize(part, (168, 204)))
    both = replace(manifest, videos=[*manifest.videos, cropped])
    result = extract(both, root, tmp_path / "out", ExtractOptions(faces="published-crop"))
    (row,) = result.rows
    assert np.abs(np.array(row.box) - [50, 30, 190, 200]).max() <= 3
    assert result.findings == [] or {finding.code for finding in result.findings} <= {"ME606", "ME609"}
    # other crops make other features, and where they are gone, the face is looked for
    for number in range(5, 12):
        part = cv2.imread(str(folder / f"img{number:03}.jpg"))[20:200, 40:190]
        cv2.imwrite(str(root / cropped.path / f"img{number}.jpg"), part)
    (row,) = extract(both, root, tmp_path / "out", ExtractOptions(faces="published-crop")).rows
    assert np.abs(np.array(row.box) - [40, 20, 190, 200]).max() <= 3
    shutil.rmtree(root / "cropped")
    result = extract(both, root, tmp_path / "out", ExtractOptions(faces="published-crop"))
    assert (result.rows[0].status, result.rows[0].crop_source) == ("ok", "sample")
    assert "ME613" in {finding.code for finding in result.findings}


def test_a_video_without_a_published_crop_takes_that_of_the_subjects_other(filmed: Path, tmp_path: Path) -> None:
    root = tmp_path / "raw"
    first, second = listed(15, "0101"), listed(15, "0102")
    cropped = first.model_copy(
        update={"layout": "cropped", "path": "cropped/15/disgust1_1", "expression": "disgust1_1"}
    )
    for video in (first, second):
        shutil.copytree(filmed / video.path, root / video.path)
    (root / cropped.path).mkdir(parents=True)
    part = cv2.imread(str(root / first.path / "img005.jpg"))[30:200, 50:190]
    cv2.imwrite(str(root / cropped.path / "img5.jpg"), part)
    manifest = replace(manifest_of(first, second), videos=[first, second, cropped])
    result = extract(manifest, root, tmp_path / "out", ExtractOptions(faces="published-crop"))
    assert [row.crop_source for row in result.rows] == ["sample", "subject"]
    assert result.rows[0].box == result.rows[1].box
    said = {finding.code: finding.message for finding in result.findings if finding.video == second.video}
    assert said.pop("ME613") == (
        "there is no published crop of it; taken instead: the mean box of 1 other video of its subject"
    )
    assert set(said) <= {"ME609"}


def test_frames_at_another_rate(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, _, manifest = one
    result = extract(manifest, root, tmp_path / "out", ExtractOptions(fps=10))
    assert (result.rows[0].frames, result.rows[0].fps) == (7, 10)
    assert taken(0, 100, 200, 25) == (0, list(range(0, 100, 8)))
    assert taken(9, 30, 200, 25) == (2, [16, 24])
    assert taken(3, 6, 30, None) == (3, [3, 4, 5])
    assert taken(0, 7, 30, 20) == (0, [0, 1, 3, 4, 6])


def test_a_step_below_the_noise_is_named(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    """Where the camera is fast: the workers know the length of the expressions."""
    root, _, manifest = one
    fast = replace(manifest, videos=[video.model_copy(update={"fps": 3000}) for video in manifest.videos])
    codes = [found.code for found in extract(fast, root, tmp_path / "out", DEFAULT).findings]
    assert "ME618" in codes
    assert "ME618" not in [found.code for found in extract(manifest, root, tmp_path / "usual", DEFAULT).findings]


def test_the_automatic_step(dataset: Manifest) -> None:
    assert automatic_step(dataset, None) == 5
    assert automatic_step(dataset, 6) == 1
    assert automatic_step(dataset, 300) == 5
    assert automatic_step(dataset, 21) == 3
    with pytest.raises(MeDatasetsError, match="no annotation has one"):
        automatic_step(replace(dataset, annotations=[]), None)
    fast = [dataset.videos[0].model_copy(update={"fps": 120}), *dataset.videos[1:]]
    with pytest.raises(MeDatasetsError) as caught:
        automatic_step(replace(dataset, videos=fast), 60)
    assert str(caught.value) == (
        "--step auto needs frames of one rate, and these are taken at 30, 60 a second\n"
        "  to do: take all frames at one rate, with --fps 30, or give --step as a number"
    )
    assert automatic_step(replace(dataset, videos=fast), 30) == 5


@pytest.mark.parametrize(
    ("rates", "fps", "step"),
    [((30, 30), None, 1), ((50, 200), None, 1), ((200, 200), None, 8), ((500, 200), None, 8), ((200, 200), 100, 4)],
)
def test_the_usual_step_is_that_of_25_frames_a_second(
    dataset: Manifest, rates: tuple[float, float], fps: float | None, step: int
) -> None:
    fast = [video.model_copy(update={"fps": rates[index % 2]}) for index, video in enumerate(dataset.videos)]
    assert usual_step(replace(dataset, videos=fast), fps) == step


def test_the_presets_of_the_command_line(one: tuple[Path, Path, Manifest], me_datasets: Run, tmp_path: Path) -> None:
    root, folder, manifest = one
    only(folder, *(f"img{number:03}.jpg" for number in range(1, 5)))
    write_manifest(manifest, tmp_path / "m")
    done = me_datasets("extract", "m", "--root", root, "-o", "out", "--preset", "auwgcn", "--sheet", "sheet.html")
    assert done.returncode == 0, done.stderr
    assert "1 video (1 ok), 4 frames" in done.stdout
    row = feature_files.read(tmp_path / "out", manifest).rows[0]
    assert row.unit_px == 20
    page = (tmp_path / "sheet.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 1
    assert "casme_015_0101" in page
    assert done.stdout.endswith("written to out\ncontact sheet sheet.html\n")
    done = me_datasets("show", "m", "out", "casme_015_0101", "-o", "p.png")
    assert done.returncode == 0, done.stderr
    assert cv2.imread(str(tmp_path / "p.png")).shape[1] > 1000
    done = me_datasets("show", "m", "out", "casme_015_0102", "-o", "q.png")
    assert done.returncode == 2
    assert "did you mean casme_015_0101?" in done.stderr
    landmarks = tmp_path / "out" / row.landmarks
    content = bytearray(landmarks.read_bytes())
    place = content.index(b"quality.npy") + 40
    content[place : place + 20] = bytes(20)
    landmarks.write_bytes(content)
    done = me_datasets("show", "m", "out", "casme_015_0101", "-o", "q.png")
    assert done.returncode == 2
    assert done.stderr.startswith("error: landmarks/casme_015/casme_015_0101.npz cannot be read: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--step", "many"], "--step must be a whole number from 1 to 1,000,000, or auto, not 'many'"),
        (["--device", "cuda"], "the flow of --preset default is computed on the CPU only"),
        (["--fps", "0"], "--fps must be above 0, not 0"),
        (["--faces", "yunet", "--weights", "no.onnx"], "no ONNX weights at no.onnx; none are downloaded"),
    ],
)
def test_bad_arguments(
    arguments: list[str], message: str, dataset: Manifest, filmed: Path, me_datasets: Run, tmp_path: Path
) -> None:
    write_manifest(dataset, tmp_path / "m")
    done = me_datasets("extract", "m", "--root", filmed, "-o", "out", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_odd_names_and_a_closed_terminal(one: tuple[Path, Path, Manifest], tmp_path: Path) -> None:
    root, folder, manifest = one
    only(folder, *(f"img{number:03}.jpg" for number in range(1, 9)))
    write_manifest(manifest, tmp_path / "m")
    with start(tmp_path, "extract", "m", "--root", root, "-o", "a[/b]", "--workers", 1) as process:
        said, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    assert said.endswith("written to a[/b]\n")
    command = f"{sys.executable} -m datasets_me datasets >&- 2>&-"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    assert subprocess.run(command, shell=True, cwd=tmp_path, env=environment, timeout=60).returncode == 0


def test_findings_give_exit_code_1(one: tuple[Path, Path, Manifest], me_datasets: Run, tmp_path: Path) -> None:
    root, folder, manifest = one
    faceless(folder)
    write_manifest(manifest, tmp_path / "m")
    done = me_datasets("extract", "m", "--root", root, "-o", "out", "--workers", "1")
    assert done.returncode == 1
    assert "ME604" in done.stdout
    assert "1 video (1 failed)" in done.stdout


def test_a_file_size_limit_stands_for_a_full_disk(filmed: Path, dataset: Manifest, tmp_path: Path) -> None:
    import subprocess
    import sys

    write_manifest(dataset, tmp_path / "m")
    program = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        f"sys.argv = ['me-datasets', 'extract', 'm', '--root', {str(filmed)!r}, '-o', 'out', '--workers', '2']\n"
        "from datasets_me.cli import main\n"
        "if __name__ == '__main__':\n"
        "    main()\n"
    )
    (tmp_path / "program.py").write_text(program)
    # what measures coverage could not write either
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    environment = {**kept, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=120
    )
    assert done.returncode == 2
    assert "the file cannot be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    left = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.parent.name != ".begun"]
    left = [path for path in left if path.suffix != ".lock"]  # of a worker that was ended; the next run removes it
    assert [path.name for path in left] == ["extraction.json"]
