"""Synthetic datasets of video files: the same frames, the same findings, and truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from datasets_me.convert.convert import convert
from datasets_me.core.errors import MeDatasetsError
from datasets_me.folders.check import check, with_folders
from datasets_me.formats.frame_files import frame_files
from datasets_me.formats.manifest import Manifest
from datasets_me.schema import schema_files
from datasets_me.schema.schema_files import Schema
from datasets_me.synthetic.film import Film
from datasets_me.synthetic.write import PLANTABLE, SyntheticDataset, make


def one_video(dataset: str) -> Schema:
    """The schema of a dataset whose synthetic sets have one video of each subject."""
    text = schema_files.load(dataset).text
    return schema_files.parse(
        text.replace("clips: [ne_01, ne_02, po_01, po_02, sur_01, sur_02]", "clips: [ne_01, ne_02]"), "one.yaml"
    )


def manifest_of(made: SyntheticDataset) -> Manifest:
    return convert(schema_files.load_file(made.schema), made.workbook).manifest()


@pytest.mark.parametrize("container", ["avi", "mp4"])
def test_video_files_are_what_the_folders_are(container: str, tmp_path: Path) -> None:
    film = Film(size=(64, 48))
    schema = one_video("smic-hs")
    made = {
        name: make(schema, tmp_path / str(name), seed=3, subjects=1, film=film, container=name)
        for name in (None, container)
    }
    sets = {name: with_folders(manifest_of(each), each.root) for name, each in made.items()}
    assert [row.id for row in sets[None].annotations] == [row.id for row in sets[container].annotations]
    files = sorted(path.suffix for path in made[container].root.rglob("*") if path.is_file())
    assert files == [f".{container}"] * made[container].frames
    assert check(manifest_of(made[container]), made[container].root, deep=True).findings == []
    video = next(each for each in sets[container].videos)
    same = next(each for each in sets[None].videos if (each.video, each.expression) == (video.video, video.expression))
    sources = [frame_files(sets[name], row, made[name].root) for name, row in ((None, same), (container, video))]
    assert list(sources[0].names) == list(sources[1].names)
    for number in list(sources[0].names)[::7]:
        folder, file = (source.read(number, colour=True)[0] for source in sources)
        if container == "avi":
            assert np.array_equal(folder, file)
        else:
            difference = folder.astype(int) - file
            assert np.abs(difference).mean() < 8
            assert abs(difference.mean()) < 3
    truths = [(each.truth.parent / "truth" / f"{video.video}.npz").read_bytes() for each in made.values()]
    assert truths[0] == truths[1]


def test_layouts_of_video_files_are_those_of_the_schema(tmp_path: Path) -> None:
    made = make(schema_files.load("casme-sq"), tmp_path / "set", subjects=1, container="avi")
    manifest = manifest_of(made)
    assert check(manifest, made.root).findings == []
    assert {video.layout for video in with_folders(manifest, made.root).videos} == {"rawvideo"}


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        made = make(one_video("smic-vis"), tmp_path / name, subjects=1, container="mp4", film=Film(size=(32, 32)))
        contents.append({path.name: path.read_bytes() for path in made.root.rglob("*.mp4")})
    assert contents[0] == contents[1] != {}


def test_a_dataset_of_video_files_has_them_without_being_asked(tmp_path: Path) -> None:
    made = make(schema_files.load("meview"), tmp_path / "set", subjects=3, defects=PLANTABLE, as_fits=True)
    assert made.frames == len(list(made.root.glob("*.avi"))) > 0
    conversion = convert(schema_files.load_file(made.schema), made.workbook)
    found = {each.code for each in (*conversion.findings, *check(conversion.manifest(), made.root).findings)}
    assert found == {each["code"] for each in json.loads(made.truth.read_text())["findings"]}
    assert {"ME201", "ME301"} <= set(made.impossible)


def test_what_cannot_be_written(tmp_path: Path) -> None:
    for dataset, options, message in (
        ("dfme", {"container": "avi"}, "the folders of dfme hold one expression each, so that it has no video files"),
        ("smic-hs", {"container": "ogg"}, "there is no container 'ogg'"),
        (
            "smic-hs",
            {"container": "mp4", "film": Film(size=(33, 32))},
            "H.264 needs an even width and height, not 33x32",
        ),
    ):
        with pytest.raises(MeDatasetsError, match=message):
            make(schema_files.load(dataset), tmp_path / "set", subjects=1, **options)
        assert not (tmp_path / "set").exists()
