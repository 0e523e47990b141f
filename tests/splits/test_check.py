"""Leaks: each kind is found where it is, and a split of ours has none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets_me.core import resources
from datasets_me.core.errors import FolderError
from datasets_me.findings.finding import Finding
from datasets_me.formats import features as feature_files
from datasets_me.formats import manifest
from datasets_me.formats import split as split_files
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, Video
from datasets_me.formats.split import Split
from datasets_me.splits.check import SplitContext, check
from datasets_me.splits.make import COMPOSITE, SplitOptions, make
from datasets_me.splits.near_features import check_features, fingerprint
from datasets_me.splits.near_images import check_images
from tests.conftest import Run
from tests.splits.conftest import manifest_of, people, row, split_of

ONE, TWO = row("casme2_01", "casme2_01_v0", emotion="disgust"), row("casme2_02", "casme2_02_v0", emotion="disgust")


def found(split: Split, *manifests: Manifest) -> list[tuple[str, str]]:
    return [(f.code, f.message) for f in check(SplitContext(split, manifests))]


def errors(split: Split, *manifests: Manifest) -> list[tuple[str, str]]:
    return [(f.code, f.message) for f in check(SplitContext(split, manifests)) if f.severity == "error"]


@pytest.mark.parametrize("protocol", ["loso", "kfold", "holdout"])
@pytest.mark.parametrize("unit", ["expression", "video"])
def test_splits_of_ours_do_not_leak(five: Manifest, protocol: str, unit: str) -> None:
    assert found(make([five], SplitOptions(protocol, unit, validation=0.3)), five) == []  # type: ignore[arg-type]


def test_the_composite_does_not_leak() -> None:
    emotions = {"smic-hs": "negative"}
    manifests = [people(2, dataset=name, emotion=emotions.get(name, "disgust")) for name in COMPOSITE]
    assert found(make(manifests, SplitOptions("megc2019")), *manifests) == []


def test_a_subject_on_both_sides() -> None:
    other = row("casme2_01", "casme2_01_v1")
    split = split_of(("a", "train", ONE), ("a", "train", TWO), ("a", "test", other), ("b", "train", TWO))
    assert errors(split, manifest_of(ONE, TWO, other)) == [
        ("ME523", "casme2_01 is in train and test of fold a"),
        ("ME530", "fold b has no test part"),
    ]


def test_frames_on_both_sides() -> None:
    first = row("s", "v", 1, onset=100, apex=110, offset=120)
    second = row("s", "v", 2, onset=120, apex=None, offset=140)
    third = row("s", "v", 3, onset=141, apex=None, offset=150)
    split = split_of(("a", "train", first), ("a", "test", second), ("a", "test", third))
    assert errors(split, manifest_of(first, second, third))[1:] == [
        ("ME524", "v:1 (100 to 120) and v:2 (120 to 140) share frames, in train and test of fold a")
    ]


def test_a_video_on_both_sides() -> None:
    rows = [("a", "train", ONE), ("a", "test", ONE), ("b", "train", ONE), ("b", "test", ONE)]
    assert errors(split_of(*rows, unit="video"), manifest_of(ONE)) == [
        ("ME523", "casme2_01 is in train and test of fold a (and of 1 more fold)"),
        ("ME524", "casme2_01_v0 is in train and test of fold a (and of 1 more fold)"),
    ]


def test_people_of_two_datasets() -> None:
    one = row("samm_006", "samm_006_1", dataset="samm")
    other = row("samm_006", "samm_006_1", dataset="samm-lv")
    split = split_of(("a", "train", one), ("a", "test", other))
    assert errors(split, manifest_of(one, dataset="samm"), manifest_of(other, dataset="samm-lv")) == [
        ("ME532", "samm_006 is a subject of samm and of samm-lv, in different parts of fold a")
    ]


def test_rows_that_name_nothing() -> None:
    gone = row("casme2_01", "casme2_01_v0", 9)
    lost = row("s", "v", dataset="dfme")
    split = split_of(("a", "train", ONE), ("a", "train", gone), ("a", "test", TWO), ("a", "test", lost))
    assert errors(split, manifest_of(ONE, TWO)) == [
        ("ME522", "1 item of dfme, whose manifest is not given"),
        ("ME522", "casme2_01_v0:9 of casme2_01 is not in the manifest of casme2"),
    ]


def test_classes_that_a_part_lacks() -> None:
    rare = row("casme2_03", "casme2_03_v0", emotion="fear")
    split = split_of(("a", "train", ONE), ("a", "test", TWO), ("a", "test", rare))
    assert found(split, manifest_of(ONE, TWO, rare)) == [("ME528", "fold a tests 'fear', but does not train on it")]
    split = split_of(("a", "train", ONE), ("a", "train", rare), ("a", "test", TWO))
    assert found(split, manifest_of(ONE, TWO, rare)) == [
        ("ME529", "'fear' is not tested in 1 fold of 1: a"),
    ]


def test_parts_that_are_empty_and_what_is_in_no_fold(five: Manifest) -> None:
    assert found(Split("loso", "video", ()), five)[0] == ("ME530", "the split has no folds")
    split = split_of(("a", "test", ONE), ("b", "train", ONE), ("b", "validation", TWO))
    assert found(split, five) == [
        ("ME530", "fold a has no train part"),
        ("ME530", "fold a has no validation part"),
        ("ME530", "fold b has no test part"),
        ("ME531", "1 of 2 expressions of casme2_01 are in no fold"),
        ("ME531", "1 of 2 expressions of casme2_02 are in no fold"),
        *[("ME531", f"2 of 2 expressions of casme2_0{n} are in no fold") for n in (3, 4, 5)],
    ]


def motion(seed: int, length: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(length, 12, 2)).astype(np.float32).cumsum(axis=0)


def save(folder: Path, **videos: np.ndarray) -> Path:
    for video, array in videos.items():
        path = folder / video[:9] / f"{video}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, array)
    return folder


def near(folder: Path, split: Split, made: Manifest) -> tuple[list[Finding], int]:
    return check_features(SplitContext(split, [made]), [("casme2", feature_files.read(folder, made))])


@pytest.mark.parametrize("unit", ["expression", "video"])
def test_copies_by_features(tmp_path: Path, unit: str) -> None:
    three = row("casme2_03", "casme2_03_v0")
    made = manifest_of(ONE, TWO, three)
    split = split_of(("a", "train", ONE), ("a", "train", three), ("a", "test", TWO), unit=unit)
    noise = np.random.default_rng(9).normal(scale=0.01, size=(60, 12, 2)).astype(np.float32)
    save(tmp_path, casme2_01_v0=motion(1), casme2_02_v0=3 * motion(1) + 7 + noise, casme2_03_v0=motion(2))
    (leak,), compared = near(tmp_path, split, made)
    assert compared == (3 if unit == "expression" else 6)
    name = ("casme2_01_v0:1", "casme2_02_v0:1") if unit == "expression" else ("casme2_01_v0", "casme2_02_v0")
    assert leak.code == "ME525"
    assert leak.message.startswith(f"{name[0]} and {name[1]} are in train and test of fold a: their features correlate")


def test_one_expression_copied_into_another_video(tmp_path: Path) -> None:
    # Videos of different lengths; of TWO only the expression, frames 20 to 29, is that of ONE.
    array = motion(5, 80)
    array[20:29] = motion(1)[20:29]
    save(tmp_path, casme2_01_v0=motion(1), casme2_02_v0=array)
    (leak,), _ = near(tmp_path, split_of(("a", "train", ONE), ("a", "test", TWO), unit="video"), manifest_of(ONE, TWO))
    assert leak.message.startswith("casme2_01_v0:1 and casme2_02_v0:1 are in train and test")


@pytest.mark.parametrize("cut", [slice(1, None), slice(None, -2), slice(3, None)])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_copies_that_were_trimmed_or_have_noise(tmp_path: Path, cut: slice, noise: float) -> None:
    added = np.random.default_rng(9).normal(scale=noise, size=(60, 12, 2)).astype(np.float32)
    save(tmp_path, casme2_01_v0=motion(1), casme2_02_v0=(motion(1) + added)[cut], casme2_03_v0=motion(2))
    three = row("casme2_03", "casme2_03_v0")
    split = split_of(("a", "train", ONE), ("a", "train", three), ("a", "test", TWO), unit="video")
    (leak,), _ = near(tmp_path, split, manifest_of(ONE, TWO, three))
    assert (leak.code, leak.video, leak.found) == ("ME525", "casme2_01_v0", "casme2_02_v0")


def test_copies_on_one_side_and_still_faces_are_no_leak(tmp_path: Path) -> None:
    three = row("casme2_03", "casme2_03_v0")
    split = split_of(("a", "train", ONE), ("a", "train", TWO), ("a", "test", three))
    still = np.zeros((60, 12, 2), np.float32)
    save(tmp_path, casme2_01_v0=motion(1), casme2_02_v0=motion(1), casme2_03_v0=still)
    assert near(tmp_path, split, manifest_of(ONE, TWO, three)) == ([], 2)


def test_fingerprints() -> None:
    array = motion(3, 100)
    made = fingerprint(array)
    assert made is not None and made.shape == (32 * 24,)
    assert float(made @ made) == pytest.approx(1, abs=1e-5)
    slower = fingerprint(np.repeat(array, 2, axis=0))
    assert slower is not None and float(made @ slower) > 0.9999
    other = fingerprint(motion(4, 100))
    assert other is not None and float(made @ other) < 0.9
    assert fingerprint(array[:1]) is None
    assert fingerprint(np.full((50, 12, 2), np.nan, np.float32)) is None


def filmed(*rows: Annotation) -> Manifest:
    videos = [
        Video(dataset="casme2", subject=a.subject, video=a.video, layout="cropped", path=a.video, fps=200) for a in rows
    ]
    made = manifest_of(*rows)
    layout = made.spec.layouts[0].id
    return Manifest(
        made.schema, made.annotations, [v.model_copy(update={"layout": layout}) for v in videos], [], "sheet1"
    )


def film(root: Path, name: str, image: Image.Image, **options: int) -> None:
    (root / name).mkdir()
    for number in range(20, 32):
        image.save(root / name / f"img{number}.jpg", **options)


def test_copies_by_images(tmp_path: Path) -> None:
    portrait = Image.open(resources.package_file("synthetic/portrait.png")).convert("L")
    rows = [row(f"casme2_0{n}", f"v{n}") for n in range(1, 6)]
    film(tmp_path, "v1", portrait, quality=90)
    film(tmp_path, "v2", portrait, quality=90)
    film(tmp_path, "v3", portrait.resize((150, 145)), quality=40)
    film(tmp_path, "v4", portrait.transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=90)
    film(tmp_path, "v5", Image.new("L", (64, 64), 80), quality=90)
    made = filmed(*rows)
    split = split_of(("a", "train", rows[0]), *(("a", "test", each) for each in rows[1:]))
    said, compared = check_images(SplitContext(split, [made]), [(made, tmp_path)])
    assert compared == {made.videos[0].layout: 4 * 6}
    assert [(f.code, f.message) for f in said] == [
        (
            "ME526",
            "v1:1 and v2:1 are in train and test of fold a: v1/img24.jpg and v2/img24.jpg are the same file",
        ),
        (
            "ME527",
            "v1:1 and v3:1 are in train and test of fold a: "
            "their images differ in 2 and 2 of 256 bits of the perceptual hash",
        ),
    ]


@pytest.mark.parametrize("shared", [24, 25])
def test_expressions_that_share_only_one_of_their_two_images_are_no_copies(tmp_path: Path, shared: int) -> None:
    """Of each expression the apex (img24) and the middle (img25) are compared, and both have to be alike."""
    portrait = Image.open(resources.package_file("synthetic/portrait.png")).convert("L")
    rows = [row("casme2_01", "v1"), row("casme2_02", "v2")]
    film(tmp_path, "v1", portrait, quality=90)
    film(tmp_path, "v2", portrait.transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=90)
    portrait.save(tmp_path / "v2" / f"img{shared}.jpg", quality=40)
    made = filmed(*rows)
    split = split_of(("a", "train", rows[0]), ("a", "test", rows[1]))
    assert check_images(SplitContext(split, [made]), [(made, tmp_path)])[0] == []


def test_copies_in_any_layout_whatever_is_annotated(tmp_path: Path) -> None:
    # Only the frames that no annotation points at are copies, and only in the last layout of the dataset.
    portrait = Image.open(resources.package_file("synthetic/portrait.png")).convert("L")
    rows = [row("casme2_01", "v1", 1), row("casme2_02", "v2", 2)]
    one = filmed(*rows)
    layouts = [one.spec.layouts[0].id, one.spec.layouts[-1].id]
    videos = [
        video.model_copy(update={"layout": layout, "path": f"{layout}/{video.video}"})
        for video in one.videos
        for layout in layouts
    ]
    made = Manifest(one.schema, one.annotations, videos, [], "sheet1")
    for number, video in enumerate(videos):
        folder = tmp_path / str(video.path)
        folder.mkdir(parents=True)
        for frame in range(100, 112):
            turn = 40 * number if video.layout == layouts[0] else frame % 7
            portrait.rotate(turn).save(folder / f"img{frame}.png")
    split = split_of(("a", "train", rows[0]), ("a", "test", rows[1]))
    (leak,), compared = check_images(SplitContext(split, [made]), [(made, tmp_path)])
    assert leak.code == "ME526"
    assert f"{layouts[1]}/v1/img100.png and {layouts[1]}/v2/img100.png are the same file" in leak.message
    assert compared == dict.fromkeys(sorted(layouts), 10)


def test_no_images_at_all(tmp_path: Path) -> None:
    made = manifest_of(ONE, TWO)
    context = SplitContext(split_of(("a", "train", ONE), ("a", "test", TWO)), [made])
    with pytest.raises(FolderError, match="the root is not a folder"):
        check_images(context, [(made, tmp_path / "nowhere")])
    with pytest.raises(FolderError, match="no item of the split has a folder of frames in the manifest"):
        check_images(context, [(made, tmp_path)])


def test_the_commands(me_datasets: Run, tmp_path: Path, five: Manifest) -> None:
    manifest.write(five, tmp_path / "manifest")
    done = me_datasets("split", "manifest", "-o", "split", "--protocol", "kfold", "--folds", "2", "--unit", "video")
    assert done.returncode == 0, done.stderr
    assert "2 folds of videos, protocol kfold, seed 0" in done.stdout
    clean = me_datasets("check-split", "split", "manifest")
    assert (clean.returncode, clean.stdout) == (0, "2 folds of 10 videos: no findings\n")
    leaking = split_files.read(tmp_path / "split")
    moved = leaking.rows[-1].model_copy(update={"part": "train"})
    split_files.write(Split("kfold", "video", (*leaking.rows[:-1], moved)), tmp_path / "split", force=True)
    found = me_datasets("check-split", "split", "manifest", "--format", "json", "--select", "ME523")
    assert found.returncode == 1
    said = json.loads(found.stdout)
    assert (said["protocol"], said["counts"]["by_code"]) == ("kfold", {"ME523": 1})
    assert said["findings"][0]["message"] == f"{moved.subject} is in train and test of fold 2"
    assert me_datasets("check-split", "split", "manifest", "--ignore", "ME5").returncode == 0
    wrong = me_datasets("check-split", "split", "manifest", "--root", "a", "--root", "b")
    assert (wrong.returncode, wrong.stderr.splitlines()[0]) == (2, "error: 2 folders of --root for 1 manifest")


def test_an_item_that_stands_twice_in_a_part() -> None:
    made = manifest_of(ONE, TWO)
    once = split_of(("a", "train", ONE), ("a", "test", TWO), ("b", "train", TWO), ("b", "test", ONE))
    twice = split_of(
        *(("a", "train", ONE), ("a", "test", TWO), ("a", "train", ONE)),
        *(("b", "train", TWO), ("b", "test", ONE)),
    )
    assert found(once, made) == []
    assert found(twice, made) == [("ME534", f"{ONE.id} occurs more than once in train of fold a")]
