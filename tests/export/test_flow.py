"""Flow images: which frames, where the face, what a project reads, and a finding for each that is not there."""

from __future__ import annotations

import csv
import os
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest
import torch

from datasets_me.convert.convert import convert
from datasets_me.core.errors import FeaturesError, MeDatasetsError, StoppedError
from datasets_me.export import beside, flow, frames_on_disk
from datasets_me.export.expressions import Expressions
from datasets_me.export.face_squares import Square
from datasets_me.export.flow import write_flow
from datasets_me.export.flow_options import FlowOptions
from datasets_me.export.flow_presets import preset, presets
from datasets_me.export.flow_windows import half_mean_length
from datasets_me.extract.join import join
from datasets_me.findings.finding import finding
from datasets_me.folders.check import with_folders
from datasets_me.formats import joined
from datasets_me.formats import manifest as manifests
from datasets_me.formats.items import read_items
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.schema import schema_files
from datasets_me.synthetic.film import Film
from datasets_me.synthetic.write import make
from datasets_me.torch_data import Field, FlowDataset
from tests.conftest import Run
from tests.export.builders import annotation

CROPPED = FlowOptions(layout="cropped", flow="dis", size=32)


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Path]:
    """CASME II of two filmed people, with three expressions."""
    folder = tmp_path_factory.mktemp("filmed")
    made = make(schema_files.load("casme2"), folder / "set", subjects=2, seed=3, film=Film(size=(100, 125)))
    manifest = with_folders(convert(schema_files.load_file(made.schema), made.workbook).manifest(), made.root)
    classes = ("negative", "positive", "surprise", None)
    rows = [manifest.annotations[0], manifest.annotations[1], manifest.annotations[-2], manifest.annotations[-1]]
    rows = [row.model_copy(update={"class_3": name}) for row, name in zip(rows, classes, strict=True)]
    return replace(manifest, annotations=rows), made.root


def items(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    return {item.annotations[0]: dict(np.load(folder / item.file)) for item in read_items(folder)}


def test_the_flow_is_from_onset_to_apex_on_the_cropped_face(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    done = write_flow(manifest, root, tmp_path / "out", replace(CROPPED, size=64))
    assert (done.images, done.annotations, done.findings) == (4, 4, [])
    for row in manifest.annotations:
        item = items(tmp_path / "out")[row.id]
        assert item["frames"].tolist() == [row.onset, row.apex]
        assert item["u"].shape == item["v"].shape == item["strain"].shape == (64, 64)
        assert item["image"].shape == item["onset_frame"].shape == (64, 64, 3)
        assert np.array_equal(item["image"], np.dstack([item["u"], item["v"], item["strain"]]))
        assert (item["apex_from"].item(), item["class_3"].item()) == ("annotated", row.class_3 or "")
        dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        grey = [cv2.cvtColor(item[name], cv2.COLOR_RGB2GRAY) for name in ("onset_frame", "to_frame")]
        assert np.allclose(dis.calc(*grey, None)[..., 0], item["u"])


@pytest.mark.parametrize(
    ("to", "wanted"),
    [("offset", lambda r: r.offset), ("middle", lambda r: (r.onset + r.offset) // 2), ("2", lambda r: r.onset + 2)],
)
def test_other_frames_than_the_apex(filmed: tuple[Manifest, Path], tmp_path: Path, to: str, wanted: object) -> None:
    manifest, root = filmed
    write_flow(manifest, root, tmp_path / "out", replace(CROPPED, to=to))
    for row in manifest.annotations:
        assert items(tmp_path / "out")[row.id]["frames"].tolist() == [row.onset, wanted(row)]


def test_a_frame_after_the_offset_is_not_taken_without_a_word(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    row = manifest.annotations[0]
    done = write_flow(replace(manifest, annotations=[row]), root, tmp_path / "out", replace(CROPPED, to="999"))
    assert [(each.code, each.message) for each in done.findings] == [
        ("ME512", f"frame {row.onset + 999} lies after the offset; frame {row.offset} was taken")
    ]
    assert items(tmp_path / "out")[row.id]["frames"].tolist() == [row.onset, row.offset]


def test_an_estimated_apex_is_taken_where_none_is_annotated(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    first, second = (row.model_copy(update={"apex": None}) for row in manifest.annotations[:2])
    third = manifest.annotations[2]
    apexes = {first.id: first.onset + 2, third.id: third.onset + 1}
    made = replace(manifest, annotations=[first, second, third])
    write_flow(made, root, tmp_path / "out", CROPPED, apexes=apexes)
    written = items(tmp_path / "out")
    assert [written[row.id]["apex_from"].item() for row in (first, second, third)] == [
        "estimated",
        "middle",
        "annotated",
    ]
    assert written[first.id]["frames"].tolist() == [first.onset, first.onset + 2]
    assert written[second.id]["frames"][1] == (second.onset + second.offset) // 2
    assert written[third.id]["frames"][1] == third.apex


def test_motion_of_a_band_is_magnified_over_the_whole_expression(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    one = replace(manifest, annotations=manifest.annotations[:1])
    motion = {}
    for name, options in {"as it is": CROPPED, "band": replace(CROPPED, magnify=4.0, band="2-50")}.items():
        write_flow(one, root, tmp_path / name, options)
        (item,) = items(tmp_path / name).values()
        motion[name] = np.hypot(item["u"], item["v"]).mean()
    assert motion["band"] > 1.5 * motion["as it is"]
    with pytest.raises(MeDatasetsError, match="the preset softnet has the flow of every frame, which is not magnified"):
        write_flow(one, root, tmp_path / "no", FlowOptions(preset="softnet", type="micro", magnify=2))


def test_without_features_the_face_is_looked_for(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    left_out = finding("ME134", "the row is left out: blurred")
    one = replace(manifest, annotations=manifest.annotations[:1], findings=[*manifest.findings, left_out])
    done = write_flow(one, root, tmp_path / "out", FlowOptions(preset="mean", layout="raw-selected"))
    assert done.findings == [left_out]
    (item,) = items(tmp_path / "out").values()
    assert item["image"].shape == (42, 42, 3)
    assert np.isfinite(item["landmarks"]).all()
    assert 128 / 100 < item["scale"].max() < 128 / 40  # a box within the frame


@pytest.mark.parametrize("options", [CROPPED, replace(CROPPED, preset="softnet", type="micro", to="3")])
def test_processes_write_the_same_files(filmed: tuple[Manifest, Path], tmp_path: Path, options: FlowOptions) -> None:
    manifest, root = filmed
    manifest = replace(manifest, annotations=manifest.annotations[:3])
    broken = manifest.annotations[1]
    copy = tmp_path / "root"
    shutil.copytree(root / "Cropped", copy / "Cropped")
    video = next(video for video in manifest.videos if video.video == broken.video and video.layout == "cropped")
    for path in (copy / video.path).iterdir():
        path.write_bytes(b"nonsense")
    written = []
    for workers in (0, 1):
        done = write_flow(manifest, copy, tmp_path / str(workers), options, workers=workers)
        assert done.images == 2
        assert [each.video for each in done.findings] == [broken.video]
        files = sorted((tmp_path / str(workers) / "flow").rglob("*.npz"))
        written.append({path.relative_to(tmp_path / str(workers)): path.read_bytes() for path in files})
    assert written[0] == written[1]


def test_a_killed_run_goes_on(filmed: tuple[Manifest, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished items are kept, those whose frames have changed are not; another run's are thrown away."""
    manifest, root = filmed
    monkeypatch.setattr(flow, "TOGETHER", 1)
    frames, parts = tmp_path / "root", tmp_path / "out.parts"
    shutil.copytree(root / "Cropped", frames / "Cropped")
    options = replace(CROPPED, preset="ststnet")

    def stop(count: int, total: int, name: str) -> None:
        if count == 3:
            raise KeyboardInterrupt

    def stopped() -> dict[str, int]:
        with pytest.raises(StoppedError, match="stopped: 3 expressions done; run the same again to go on"):
            write_flow(manifest, frames, tmp_path / "out", options, progress=stop)
        assert not (tmp_path / "out").exists()
        return {path.name: path.stat().st_mtime_ns for path in (parts / "flow").rglob("*.npz")}

    def of(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    first = stopped()
    assert len(first) == 3
    assert stopped() == first
    changed = Expressions(manifest, frames, FlowOptions(layout="cropped")).ordered()[0]
    video = next(video for video in manifest.videos if video.video == changed.video and video.layout == "cropped")
    os.utime(next((frames / video.path).iterdir()), ns=(1, 1))
    (parts / "flow" / "of nobody.npz").write_bytes(b"left by another run")
    write_flow(manifest, frames, tmp_path / "out", options)
    now = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "flow").rglob("*.npz")}
    shown = {row.name for row in read_items(tmp_path / "out") if manifest_video(manifest, row.annotations[0]) == video}
    assert len(now) == 4
    assert {name.removesuffix(".npz") for name, time in first.items() if now[name] != time} == shown
    assert not parts.exists()
    write_flow(manifest, frames, tmp_path / "whole", options)
    assert of(tmp_path / "out") == of(tmp_path / "whole")


def manifest_video(manifest: Manifest, annotation: str) -> Video:
    return frames_on_disk.folders_by_annotation(manifest, "cropped")[annotation]


def test_what_another_tool_has_found_in_both_frames(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    row = manifest.annotations[0]
    video = manifest_video(manifest, row.id)
    one = replace(manifest, annotations=[row], videos=[video])
    (tmp_path / "tables").mkdir()
    count = np.arange(video.frames, dtype=np.float32)[:, None]
    np.savez(tmp_path / "tables" / f"{row.video}.npz", au=count, au_names=np.array(["AU12"]))
    join(one, tmp_path / "tables", tmp_path / "joined")
    more = beside.read(tmp_path / "joined", ["au"], one)
    start = joined.read(tmp_path / "joined").rows[0].start
    write_flow(one, root, tmp_path / "out", CROPPED, beside=more)
    data = FlowDataset(tmp_path / "out")
    assert (data.units, data.fields["with_au"]) == ({"with_au": (12,)}, Field((2, 1), torch.float32))
    assert data[0]["with_au"][:, 0].tolist() == [row.onset - start, row.apex - start]
    every = replace(CROPPED, preset="softnet", type="micro", to="3")
    write_flow(one, root, tmp_path / "every", every, beside=more)
    with np.load(tmp_path / "every" / read_items(tmp_path / "every")[0].file) as item:
        assert item["with_au"][:, 0].tolist() == list(range(len(item["images"])))


def test_frames_that_cannot_be_read(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    rows = manifest.annotations[:2]
    videos = [next(v for v in manifest.videos if v.video == row.video and v.layout == "cropped") for row in rows]
    copy = tmp_path / "root"
    for video, row in zip(videos, rows, strict=True):
        (copy / video.path).mkdir(parents=True)
        for path in (root / video.path).iterdir():
            number = int(path.stem.removeprefix("reg_img")) - 1
            if (row is rows[0] and number != row.apex) or number == row.onset:
                (copy / video.path / path.name).write_bytes(path.read_bytes())
    done = write_flow(replace(manifest, annotations=rows), copy, tmp_path / "out", CROPPED)
    apex = rows[0].apex
    assert [(found.code, found.message) for found in done.findings] == [
        ("ME512", f"frame {apex} cannot be read; the nearest of the expression were taken"),
        ("ME516", f"no flow image: {rows[1].onset} is the only frame there is of onset and target"),
    ]
    assert done.images == 1
    assert items(tmp_path / "out")[rows[0].id]["frames"].tolist() == [rows[0].onset, apex - 1]


def test_ststnet_reads_a_fold_for_each_subject(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    done = write_flow(manifest, root, tmp_path / "out", FlowOptions(preset="ststnet", layout="cropped"))
    assert [found.code for found in done.findings] == ["ME517"]
    base = tmp_path / "out" / "norm_u_v_os"
    one, two, three, _ = (row.id.replace(":", "_") + ".png" for row in manifest.annotations)
    files = {path.relative_to(base).as_posix() for path in base.rglob("*.png")}
    assert files == {
        *(f"casme2_01/u_test/0/{one}", f"casme2_01/u_test/1/{two}", f"casme2_01/u_train/2/{three}"),
        *(f"casme2_02/u_train/0/{one}", f"casme2_02/u_train/1/{two}", f"casme2_02/u_test/2/{three}"),
    }
    assert len(list(base.glob("*/*/*"))) == 2 * 2 * 3  # a folder for each class, whether or not it has any
    picture = cv2.imread(str(base / "casme2_01" / "u_test" / "0" / one))[:, :, ::-1]
    image = items(tmp_path / "out")[manifest.annotations[0].id]["image"]
    assert image.shape == (28, 28, 3)
    assert np.array_equal(picture, np.floor(image * 255).astype(np.uint8))


def test_htnet_reads_pictures_whose_third_channel_is_the_magnitude(
    filmed: tuple[Manifest, Path], tmp_path: Path
) -> None:
    manifest, root = filmed
    write_flow(manifest, root, tmp_path / "out", FlowOptions(preset="htnet", layout="cropped"))
    with (tmp_path / "out" / "combined_3_class2_for_optical_flow.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["0", "1", "2"]
    for row in rows:
        name = f"{row['sub']}_{row['filename_o']} .png"
        flow = cv2.imread(str(tmp_path / "out" / "datasets" / "STSNet_whole_norm_u_v_os" / name))
        assert flow.shape == (28, 28, 3)
        assert cv2.imread(str(tmp_path / "out" / "datasets" / "combined_datasets_whole" / row["imagename"])) is not None
        assert list((tmp_path / "out" / "datasets" / "three_norm_u_v_os").rglob(name))
    item = items(tmp_path / "out")[manifest.annotations[0].id]
    magnitude = np.hypot(item["u"], item["v"])
    low, high = magnitude.min(), magnitude.max()
    assert np.allclose(item["image"][..., 2], (magnitude - low) / (high - low), atol=1e-6)


def test_meb_reads_one_array_and_its_rows(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    write_flow(manifest, root, tmp_path / "out", FlowOptions(preset="meb", flow="dis", layout="cropped"))
    array = np.load(tmp_path / "out" / "casme2_uv_frames.npy")
    with (tmp_path / "out" / "casme2_data_frame.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert array.shape == (4, 3, 128, 128)
    assert (array.min(), array.max()) == (0, 1)
    for row, annotated in zip(rows, manifest.annotations, strict=True):
        assert row["material"] == annotated.expression
        assert int(row["apexf"]) == annotated.apex - annotated.onset
        units = {unit.au for unit in annotated.aus}
        assert {int(name[2:]) for name in row if name[2:].isdigit() and row[name] == "1"} == units


def test_mmnet_reads_frames_and_a_workbook(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    write_flow(manifest, root, tmp_path / "out", FlowOptions(preset="mmnet", layout="cropped"))
    base = tmp_path / "out" / "datasets" / "CASME2"
    sheet = openpyxl.load_workbook(base / "CASME2-coding-20190701.xlsx").worksheets[0]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    for row, annotated in zip(rows, manifest.annotations, strict=True):
        assert (row[0], row[1]) == (str(int(annotated.subject[-2:])), annotated.expression)
        assert row[3:6] == (annotated.onset + 1, annotated.apex + 1, annotated.offset + 1)
        frames = base / "Cropped-updated" / "Cropped" / row[0] / row[1]
        assert {path.name for path in frames.iterdir()} == {f"reg_img{n}.jpg" for n in range(row[3], row[5] + 1)}


def test_an_image_for_every_frame(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    rows = manifest.annotations[:2]
    manifest = replace(manifest, annotations=rows)
    with pytest.raises(MeDatasetsError, match="looks over half the mean length of one type of expression"):
        write_flow(manifest, root, tmp_path / "out", FlowOptions(preset="softnet"))
    options = FlowOptions(preset="softnet", flow="dis", type="micro", layout="cropped")
    done = write_flow(manifest, root, tmp_path / "out", options)
    k = half_mean_length(rows, 200)
    assert done.images == 2
    for item, row in zip(read_items(tmp_path / "out"), rows, strict=True):
        content = np.load(tmp_path / "out" / item.file)
        assert (content["k"], content["start"]) == (k, row.onset)
        assert content["images"].shape == (row.length - k, 42, 42, 3)
        assert np.isfinite(content["images"]).all()
        assert content["images"][..., :2].min() >= 0  # what remains without the nose is taken as an absolute value
    with pytest.raises(MeDatasetsError, match="the preset softnet has an image for every frame of a video"):
        FlowDataset(tmp_path / "out")


def test_half_the_mean_length() -> None:
    rows = [annotation(1, 0, 5, 10), annotation(2, 0, 5, 15), annotation(3, 5, None, None)]
    assert half_mean_length(rows, 30) == int((12.5 + 1) / 2)
    assert half_mean_length(rows, 60) == int((25 + 1) / 2)
    with pytest.raises(MeDatasetsError, match="half the mean length of 0 expressions is no window"):
        half_mean_length(rows[2:], 30)


def test_a_square_and_the_points_in_it() -> None:
    frame = np.zeros((60, 80, 3), np.uint8)
    frame[30, 50] = 255
    corner = np.float32([[50, 30]])
    for square in (Square((40, 20, 60, 40), 40), Square((40, 20, 60, 50), 60), Square((40, 20, 60, 50), 60, True)):
        bright = square.picture(frame)[..., 0].astype(float)
        y, x = (np.average(indices, weights=bright) for indices in np.indices(bright.shape))
        assert square.points(corner, frame.shape)[0] == pytest.approx([x, y], abs=0.51)
    assert Square((40, 20, 60, 50), 60).scales(frame.shape) == (2, 2)
    assert Square((40, 20, 60, 50), 60, True).scales(frame.shape) == (3, 2)
    assert Square((200, 200, 300, 300), 10).scales(frame.shape) == (10 / 80, 10 / 80)


def test_a_dataset_of_pytorch(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, root = filmed
    write_flow(manifest, root, tmp_path / "out", FlowOptions(preset="ststnet", flow="dis", layout="cropped"))
    data = FlowDataset(tmp_path / "out", classes="class_3")
    assert len(data) == 3
    assert data.classes == ("negative", "positive", "surprise")
    for item in (data[index] for index in range(3)):
        assert all(field.fits(item[name]) for name, field in data.fields.items())
    stored = items(tmp_path / "out")[data[0]["annotation"]]
    assert np.array_equal(data[0]["image"].permute(1, 2, 0), stored["image"])
    assert np.array_equal(data[0]["flow"][2], stored["strain"])
    assert data.to_torch()["image"].shape == (3, 3, 28, 28)


def test_every_preset_says_where_it_is_from() -> None:
    assert list(presets()) == ["default", "ststnet", "htnet", "mean", "softnet", "meb", "mmnet"]
    assert all(entry.title and entry.source for entry in presets().values())
    with pytest.raises(MeDatasetsError) as caught:
        preset("htnett")
    assert str(caught.value).startswith("there is no preset 'htnett'\n  to do: did you mean htnet? Known: default")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "end"}, "'end' does not name a frame"),
        ({"to": "0"}, "'0' does not name a frame"),
        ({"flow": "raft"}, "--flow cannot be 'raft'"),
        ({"strain": "x"}, "--strain cannot be 'x'"),
        ({"type": "mini"}, "--type cannot be 'mini'"),
        ({"size": 8}, "a face cannot be 8 px wide"),
        ({"magnify": 0.5}, "motion cannot be magnified 0.5 times"),
        ({"magnify": 8.0, "band": "10-2"}, "'10-2' is not a band of frequencies"),
        ({"band": "1-10"}, "--band without --magnify changes nothing"),
        ({"offset_missing": "x"}, "'x' is not a rule for missing offsets"),
    ],
)
def test_options_that_mean_nothing(options: dict[str, object], message: str) -> None:
    with pytest.raises(MeDatasetsError, match=message):
        FlowOptions(**options)


def test_alignment_needs_landmarks(filmed: tuple[Manifest, Path], tmp_path: Path) -> None:
    with pytest.raises(FeaturesError, match="without features there are no landmarks to align by"):
        write_flow(*filmed, tmp_path / "out", FlowOptions(align=True))
    assert not (tmp_path / "out").exists()


def test_as_a_user_runs_it(filmed: tuple[Manifest, Path], me_datasets: Run, tmp_path: Path) -> None:
    manifest, root = filmed
    manifests.write(manifest, tmp_path / "manifest")
    run = ("export", "flow", "manifest", "--root", root, "--layout", "cropped", "--flow", "dis", "-o", "out")
    done = me_datasets(*run)
    assert (done.returncode, done.stdout) == (0, "4 flow images of 4 annotations written to out\n")
    again = me_datasets(*run)
    assert (again.returncode, again.stderr) == (
        2,
        "error: the export of flow images exists already\n  where: out\n  to do: add --force to replace it\n",
    )
