"""A small filmed dataset: three subjects in the layout of CAS(ME)²'s long videos, made once per run."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets_me.extract import extract as extraction
from datasets_me.extract.options import ExtractOptions
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, Video
from datasets_me.schema import schema_files
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

SLUGS = {"0101": "disgustingteeth", "0102": "eatingworms", "0401": "girlcrashing"}
SIZE = (240, 220)
FRAMES = 20

extract = partial(extraction.extract, workers=0)
"""Without a process of its own, so that the models are loaded once for all tests."""


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def film(folder: Path, subject: int, seed: int, count: int = FRAMES, **options: object) -> FaceVideo:
    """Write a video of a face as img001.jpg and so on."""
    video = FaceVideo(subject, seed, FaceVideoOptions(**{"frames": count, "size": SIZE, "colour": True, **options}))
    folder.mkdir(parents=True)
    for number, frame in enumerate(video.frames(), start=1):
        cv2.imwrite(str(folder / f"img{number:03}.jpg"), frame, [cv2.IMWRITE_JPEG_QUALITY, 95])
    return video


def listed(subject: int, code: str) -> Video:
    """The manifest's row of a long video."""
    return Video(
        dataset="casme-sq",
        subject=f"casme_{subject:03}",
        video=f"casme_{subject:03}_{code}",
        layout="rawpic",
        path=f"rawpic/s{subject}/{subject}_{code}{SLUGS[code]}",
        annotations=1,
        frames=FRAMES,
        fps=30,
    )


def annotated(subject: int, code: str) -> Annotation:
    """An expression of a long video."""
    return Annotation(
        id=f"casme_{subject:03}_{code}:1",
        dataset="casme-sq",
        subject=f"casme_{subject:03}",
        video=f"casme_{subject:03}_{code}",
        expression="disgust1_1",
        type="micro",
        onset=4,
        apex=8,
        offset=13,
        fps=30,
        source_file="book.xlsx",
        source_row=1,
    )


def manifest_of(*videos: Video) -> Manifest:
    """A manifest of these videos."""
    rows = [annotated(int(video.video.split("_")[1]), video.video.split("_")[2]) for video in videos]
    return Manifest(schema_files.load("casme-sq"), rows, list(videos), [], "three-sheets")


@pytest.fixture(scope="session")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of four videos of two subjects; not to be changed."""
    root = tmp_path_factory.mktemp("filmed")
    for subject in (15, 16):
        for seed, code in enumerate(("0101", "0102")):
            film(root / listed(subject, code).path, subject, seed)
    return root


@pytest.fixture(scope="session")
def dataset() -> Manifest:
    """Its manifest."""
    return manifest_of(*(listed(subject, code) for subject in (15, 16) for code in ("0101", "0102")))


@pytest.fixture
def one(filmed: Path, tmp_path: Path) -> tuple[Path, Path, Manifest]:
    """A copy of one video that a test may spoil: root, its folder, and a manifest of it."""
    video = listed(15, "0101")
    root = tmp_path / "raw"
    shutil.copytree(filmed / video.path, root / video.path)
    return root, root / video.path, manifest_of(video)


def grey(width: int, height: int) -> np.ndarray:
    """A picture without a face."""
    return np.full((height, width, 3), 128, np.uint8)


@pytest.fixture(scope="session")
def extracted(filmed: Path, dataset: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The features of the filmed dataset, by two workers."""
    out = tmp_path_factory.mktemp("features") / "out"
    result = extract(dataset, filmed, out, ExtractOptions(), workers=2)
    assert [row.status for row in result.rows] == ["ok"] * 4
    assert result.findings == []
    return out
