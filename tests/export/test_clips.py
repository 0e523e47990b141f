"""Clips: the right frames of every layout, cut, aligned and named."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from datasets_me.convert.convert import convert
from datasets_me.core.errors import FeaturesError, FolderError, MeDatasetsError
from datasets_me.export import beside
from datasets_me.export.clips import ClipOptions, write_clips
from datasets_me.export.faces import Face, cut_out
from datasets_me.extract.join import join
from datasets_me.findings.finding import finding
from datasets_me.folders.check import with_folders
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.items import read_items
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import VideoFeatures
from datasets_me.schema import schema_files
from datasets_me.synthetic.write import make
from datasets_me.torch_data import ClipDataset


def dataset(name: str, folder: Path) -> tuple[Manifest, Path]:
    """A synthetic dataset of two people."""
    made = make(schema_files.load(name), folder, subjects=2, seed=3)
    converted = convert(schema_files.load_file(made.schema), made.workbook).manifest()
    return with_folders(converted, made.root), made.root


@pytest.mark.parametrize("name", ["casme2", "casme3-a", "samm", "samm-lv", "dfme", "smic-hs", "casme-sq"])
def test_every_dataset_gives_a_clip_per_expression(name: str, tmp_path: Path) -> None:
    made, root = dataset(name, tmp_path / "set")
    done = write_clips(made, root, tmp_path / "out", ClipOptions(frames="key", size=24))
    assert done.clips == done.annotations == len(made.annotations)
    assert {found.code for found in done.findings} <= {"ME507"}
    by_id = {row.id: row for row in made.annotations}
    for item in read_items(tmp_path / "out"):
        row = by_id[item.annotations[0]]
        with np.load(tmp_path / "out" / item.file, allow_pickle=False) as clip:
            middle = (row.onset + row.offset) // 2 if row.apex is None else row.apex
            assert clip["numbers"].tolist() == [row.onset, middle, row.offset]
            assert clip["frames"].shape == (3, 24, 24, 3)
            assert clip["frames"].any()
            assert [clip[key].item() for key in ("subject", "video_name", "type")] == [row.subject, row.video, row.type]
            assert [clip[key].item() for key in ("emotion", "class_3", "class_5")] == [
                row.emotion or "",
                row.class_3 or "",
                row.class_5 or "",
            ]
            assert clip["aus"].tolist() == sorted({unit.au for unit in row.aus})


def test_the_frames_are_those_the_files_are_numbered_as(tmp_path: Path) -> None:
    made, root = dataset("casme2", tmp_path / "set")
    left_out = finding("ME134", "the row is left out: blurred")
    made = replace(made, findings=[*made.findings, left_out])
    row = made.annotations[0]
    video = next(v for v in made.videos if v.video == row.video and v.layout == "raw-selected")
    for number in range(video.first, video.last + 1):
        Image.new("RGB", (20, 10), (number, 0, 0)).save(root / video.path / f"img{number}.png")
        (root / video.path / f"img{number}.jpg").unlink()
    for frames, wanted in (
        ("all", list(range(row.onset, row.offset + 1))),
        ("5", np.linspace(row.onset, row.offset, 5).round().astype(int).tolist()),
    ):
        out = tmp_path / frames
        done = write_clips(made, root, out, ClipOptions(frames=frames, size=20, layout="raw-selected"))
        assert left_out in done.findings
        item = next(item for item in read_items(out) if item.annotations == [row.id])
        with np.load(out / item.file) as clip:
            assert clip["numbers"].tolist() == wanted
            # files count from 1; a frame twice as wide as high fills the width
            assert clip["frames"][:, 10, 10, 0].tolist() == [number + 1 for number in wanted]
            assert not clip["frames"][:, :5].any()


def test_frames_that_are_not_there(tmp_path: Path) -> None:
    made, root = dataset("casme2", tmp_path / "set")
    rows = made.annotations[:3]
    folders = [next(v for v in made.videos if v.video == row.video and v.layout == "raw-selected") for row in rows]
    (root / folders[0].path / f"img{rows[0].onset + 2}.jpg").unlink()
    (root / folders[0].path / f"img{rows[0].onset + 3}.jpg").write_bytes(b"nonsense")
    for path in (root / folders[1].path).iterdir():
        path.unlink()
    (root / folders[2].path).rename(root / "elsewhere")
    options = ClipOptions(size=8, layout="raw-selected")
    done = write_clips(made, root, tmp_path / "out", options)
    length = rows[0].length
    assert [(found.code, found.message) for found in done.findings] == [
        ("ME512", f"2 of {length} frames cannot be read, the first is {rows[0].onset + 1}; they are left out"),
        ("ME511", f"none of the frames {rows[1].onset} to {rows[1].offset} can be read"),
        ("ME511", "the folder cannot be opened: No such file or directory"),
    ]
    assert done.clips == len(made.annotations) - 2
    done = write_clips(made, root, tmp_path / "five", ClipOptions(frames="40", size=8, layout="raw-selected"))
    assert done.findings[0].message.endswith("the nearest were taken")
    item = next(item for item in read_items(tmp_path / "five") if item.annotations == [rows[0].id])
    with np.load(tmp_path / "five" / item.file) as clip:
        assert len(clip["numbers"]) == 40
        assert not {rows[0].onset + 1, rows[0].onset + 2} & set(clip["numbers"].tolist())


@pytest.mark.parametrize("frames", ["all", "key", "5"])
def test_an_annotation_that_reaches_beyond_its_video(frames: str, tmp_path: Path) -> None:
    made, root = dataset("casme2", tmp_path / "set")
    row = made.annotations[0]
    video = next(v for v in made.videos if v.video == row.video and v.layout == "raw-selected")
    last = video.last - 1
    far = row.model_copy(update={"offset": 1_500_000_000})
    gone = row.model_copy(update={"id": "gone", "onset": 10**9, "apex": None, "offset": 10**9 + 5})
    made = replace(made, annotations=[far, gone])
    done = write_clips(made, root, tmp_path / "out", ClipOptions(frames=frames, size=8, layout="raw-selected"))
    assert done.clips == 1
    (item,) = read_items(tmp_path / "out")
    with np.load(tmp_path / "out" / item.file) as clip:
        numbers = clip["numbers"].tolist()
        assert clip["offset"] == 1_500_000_000
    whole = 1_500_000_000 - row.onset + 1
    shown = last - row.onset + 1
    assert (
        numbers
        == {
            "all": list(range(row.onset, last + 1)),
            "key": [row.onset, row.apex, last],
            "5": [row.onset, *[last] * 4],
        }[frames]
    )
    said = {
        "all": f"{whole - shown:,} of {whole:,} frames cannot be read, the first is {last + 1}; they are left out",
        "key": "1 of 3 frames cannot be read, the first is 1500000000; the nearest were taken",
        "5": f"4 of 5 frames cannot be read, the first is {np.linspace(row.onset, 1_500_000_000, 5).round()[1]:.0f}; "
        "the nearest were taken",
    }
    assert [(found.code, found.message) for found in done.findings if found.code != "ME507"] == [
        ("ME512", said[frames]),
        ("ME511", "none of the frames 1000000000 to 1000000005 can be read"),
    ]


def features_of(folder: Path, made: Manifest, box: list[int], landmarks: bool) -> FeatureFolder:
    """An extraction of casme2's raw-selected folders: one box, and landmarks that drift by a px per frame."""
    rows = []
    base = np.random.default_rng(0).uniform(10, 30, (68, 2)).astype(np.float32)
    for video in made.videos:
        if video.layout == "raw-selected":
            path = f"landmarks/{video.video}.npz"
            (folder / "landmarks").mkdir(parents=True, exist_ok=True)
            drift = np.arange(video.frames, dtype=np.float32)[:, None, None] * np.float32([1, 0])
            np.savez(folder / path, landmarks=base + drift, quality=np.zeros(video.frames, np.uint8))
            rows.append(
                VideoFeatures(
                    **video.model_dump(include={"dataset", "video", "expression", "layout", "path", "fps"}),
                    subject=video.subject or "",
                    name=video.video,
                    status="ok",
                    landmarks=path if landmarks else None,
                    start=video.first - 1,
                    frames=video.frames,
                    box=box,
                )
            )
    return FeatureFolder(folder, tuple(rows), True)


def test_boxes_and_landmarks_of_an_extraction(tmp_path: Path) -> None:
    made, root = dataset("casme2", tmp_path / "set")
    row = made.annotations[0]
    video = next(v for v in made.videos if v.video == row.video and v.layout == "raw-selected")
    for number in range(video.first, video.last + 1):
        picture = np.zeros((36, 48, 3), np.uint8)
        drift = number - video.first
        cv2.circle(picture, (20 + drift, 18), 4, (255, 255, 255), -1)
        Image.fromarray(picture).save(root / video.path / f"img{number}.jpg", quality=95)
    found = features_of(tmp_path / "f", made, [10, 8, 30, 28], landmarks=True)
    centres = {}
    for align in (False, True):
        out = tmp_path / str(align)
        options = ClipOptions(size=20, layout="raw-selected", align=align)
        done = write_clips(made, root, out, options, features=found)
        assert done.findings == []
        item = next(item for item in read_items(out) if item.annotations == [row.id])
        with np.load(out / item.file) as clip:
            grey = clip["frames"][..., 0].astype(float)
        centres[align] = (grey * np.arange(20)).sum(axis=(1, 2)) / grey.sum(axis=(1, 2))
    assert abs(centres[True] - 10).max() < 0.5
    assert centres[False][4] - centres[False][0] > 3
    path = tmp_path / "f" / next(known.landmarks for known in found.rows if known.video == row.video)
    landmarks = np.load(path)["landmarks"]
    np.savez(path, landmarks=landmarks[: row.apex - row.onset + 1])
    options = ClipOptions(frames="key", size=20, layout="raw-selected", align=True)
    done = write_clips(made, root, tmp_path / "short", options, features=found)
    assert [finding.message for finding in done.findings] == ["1 of 3 frames have no landmarks to align by"]
    bare = features_of(tmp_path / "g", made, [10, 8, 30, 28], landmarks=False)
    done = write_clips(
        made, root, tmp_path / "bare", ClipOptions(size=8, layout="raw-selected", align=True), features=bare
    )
    assert Counter(finding.code for finding in done.findings) == {"ME513": len(made.annotations)}
    done = write_clips(made, root, tmp_path / "other", ClipOptions(size=8, layout="cropped"), features=found)
    assert done.findings[0].message == (
        f"the features have no box for {row.video} in the layout 'cropped'; whole frames were taken"
    )


def test_pictures_keep_their_proportions() -> None:
    picture = np.full((10, 20, 3), 200, np.uint8)
    out = cut_out(picture, (), 8)
    assert out[2:6].min() == 200
    assert not out[:2].any()
    assert not out[6:].any()
    assert cut_out(picture, (0, 0, 10, 10), 8).min() == 200
    assert cut_out(picture, (-5, -5, 10, 30), 8).any()


def test_landmarks_between_frames() -> None:
    landmarks = np.arange(3, dtype=np.float32)[:, None, None] * np.ones((3, 68, 2), np.float32)
    face = Face((), landmarks, start=10, fps=25.0)
    assert face.points(84, 200.0)[0].tolist() == [0.5, 0.5]
    assert face.points(96, 200.0)[0].tolist() == [2, 2]
    assert face.points(79, 200.0) is None
    assert face.points(104, 200.0) is None


def test_what_cannot_be_done(tmp_path: Path) -> None:
    made, root = dataset("casme2", tmp_path / "set")
    with pytest.raises(MeDatasetsError, match="there is no layout 'nowhere'"):
        write_clips(made, root, tmp_path / "out", ClipOptions(layout="nowhere"))
    with pytest.raises(FeaturesError, match="without features there are no landmarks to align by"):
        write_clips(made, root, tmp_path / "out", ClipOptions(align=True))
    with pytest.raises(FolderError, match="the root is not a folder"):
        write_clips(made, tmp_path / "nothing", tmp_path / "out")
    with pytest.raises(MeDatasetsError, match="the manifest has no annotated folders of frames"):
        write_clips(Manifest(made.schema, made.annotations, [], [], made.variant), root, tmp_path / "out")
    for options, message in (
        ({"frames": "0"}, "'0' is not a choice of frames"),
        ({"size": 0}, "a picture cannot be 0 px wide"),
        ({"offset_missing": "x"}, "'x' is not a rule for missing offsets"),
        ({"format": "csv"}, "there is no format 'csv'"),
    ):
        with pytest.raises(MeDatasetsError, match=message):
            ClipOptions(**options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("method", ["tim", "linear"])
def test_clips_interpolated_to_one_length(method: str, tmp_path: Path) -> None:
    made, root = dataset("casme2", tmp_path / "set")
    made = replace(made, annotations=made.annotations[:2])
    write_clips(made, root, tmp_path / "all", ClipOptions(size=8, layout="raw-selected"))
    write_clips(made, root, tmp_path / "ten", ClipOptions(frames=f"{method}:10", size=8, layout="raw-selected"))
    for whole, ten in zip(read_items(tmp_path / "all"), read_items(tmp_path / "ten"), strict=True):
        with np.load(tmp_path / "all" / whole.file) as every, np.load(tmp_path / "ten" / ten.file) as clip:
            assert clip["frames"].shape == (10, 8, 8, 3)
            assert np.array_equal(clip["frames"][[0, -1]], every["frames"][[0, -1]])
            numbers = every["numbers"]
            assert clip["numbers"].tolist() == np.linspace(numbers[0], numbers[-1], 10).round().tolist()


@pytest.fixture
def moving(tmp_path: Path) -> tuple[Manifest, Path]:
    """A row of CASME II in whose frames waves of 16 px move to the right by 0.1 px each, in a picture of 32 px."""
    made, root = dataset("casme2", tmp_path / "set")
    row = made.annotations[0]
    video = next(v for v in made.videos if v.video == row.video and v.layout == "raw-selected")
    y, x = np.mgrid[:32, :32].astype(np.float64)
    for number in range(video.first, video.last + 1):
        waves = np.sin(np.pi / 8 * (x - 0.1 * (number - video.first))) + np.sin(np.pi / 8 * y)
        picture = np.repeat((128 + 50 * waves)[..., None], 3, axis=2).round().astype(np.uint8)
        Image.fromarray(picture).save(root / video.path / f"img{number}.png")
        (root / video.path / f"img{number}.jpg").unlink()
    return replace(made, annotations=[row]), root


def test_motion_is_magnified(moving: tuple[Manifest, Path], tmp_path: Path) -> None:
    made, root = moving
    places = {}
    for name, more in {"as it is": {}, "flow": {"magnify": 4.0}, "band": {"magnify": 4.0, "band": "1-90"}}.items():
        options = ClipOptions(frames="key", size=32, layout="raw-selected", **more)
        assert write_clips(made, root, tmp_path / name, options).findings == []
        (item,) = read_items(tmp_path / name)
        with np.load(tmp_path / name / item.file) as clip:
            phase = np.angle(clip["frames"][..., 0].mean(axis=1) @ np.exp(-1j * np.pi / 8 * np.arange(32)))
        places[name] = -8 / np.pi * np.unwrap(phase)
    moved = {name: place[-1] - place[0] for name, place in places.items()}
    assert places["flow"][0] == places["as it is"][0]
    assert moved["flow"] == pytest.approx(4 * moved["as it is"], rel=0.25)
    assert 1.5 < moved["band"] / moved["as it is"] < 4.5
    options = ClipOptions(frames="key", size=32, layout="raw-selected", magnify=4, band="120-150")
    none = write_clips(made, root, tmp_path / "none", options)
    (finding,) = none.findings
    assert (none.clips, finding.code) == (0, "ME511")
    assert finding.message == "no clip: a band from 120 Hz needs more than 240 frames a second, not 200"


@pytest.mark.parametrize("file_format", ["npz", "webdataset"])
def test_several_processes_write_the_same_files(file_format: str, tmp_path: Path) -> None:
    made, root = dataset("casme2", tmp_path / "set")
    made.annotations[5] = made.annotations[5].model_copy(update={"onset": None})
    options = ClipOptions(size=8, layout="raw-selected", format=file_format)
    one, two = (write_clips(made, root, tmp_path / str(n), options, workers=n) for n in (0, 2))
    assert one == two
    assert one.clips == len(made.annotations) - 1 >= 15
    assert len(one.findings) == 1
    files = [path.relative_to(tmp_path / "0") for path in (tmp_path / "0").rglob("*") if path.is_file()]
    assert len(files) >= 5
    for file in files:
        assert (tmp_path / "0" / file).read_bytes() == (tmp_path / "2" / file).read_bytes()


def test_arrays_of_another_tool_have_a_row_for_each_frame(moving: tuple[Manifest, Path], tmp_path: Path) -> None:
    made, root = moving
    (row,) = made.annotations
    count = np.arange(row.onset, row.offset, dtype=np.float32)[:, None]  # a frame short
    (tmp_path / "tables").mkdir()
    np.savez(tmp_path / "tables" / f"{row.video}.npz", au=count, au_names=np.array(["AU4"]))
    join(made, tmp_path / "tables", tmp_path / "joined")
    more = beside.read(tmp_path / "joined", ["au"], made)
    options = ClipOptions(frames="key", size=8, layout="raw-selected")
    write_clips(made, root, tmp_path / "out", options, beside=more)
    data = ClipDataset(tmp_path / "out")
    assert (data.units, data.fields["with_au"].shape) == ({"with_au": (4,)}, (3, 1))
    assert data[0]["with_au"][:, 0].tolist() == pytest.approx([row.onset, row.apex, np.nan], nan_ok=True)
