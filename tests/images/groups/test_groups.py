"""Group photographs made of faces that are known: all found, nothing else, and sets of vectors as they should be."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from datasets_me.core.tables import batches
from datasets_me.findings.finding import Finding
from datasets_me.images.groups.align import five_points
from datasets_me.images.groups.embed import Embedder, dlib_embedder, from_function
from datasets_me.images.groups.groups import GroupOptions, every_face, write_groups
from datasets_me.images.groups.records import FaceCoordinates, GroupRow
from datasets_me.images.importing import import_images
from datasets_me.images.looks.faces import Finder
from datasets_me.schema import image_schemas
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions
from tests.conftest import Run

pytest.importorskip("dlib", reason="dlib is not installed")

PLACES = [(30, 40, 200), (300, 30, 160), (520, 60, 120), (520, 250, 80), (330, 260, 80)]  # x, y, width


@cache
def photograph() -> tuple[np.ndarray, np.ndarray]:
    """A picture (H, W, 3) with five faces of several sizes, and their five points (5, 5, 2)."""
    canvas, points = np.full((420, 700, 3), 150, np.uint8), []
    for subject, (x, y, width) in enumerate(PLACES):
        height = width * 5 // 4
        video = FaceVideo(
            subject, options=FaceVideoOptions(frames=1, micro=0, blinks=0, size=(width, height), colour=True)
        )
        canvas[y : y + height, x : x + width] = video.frame(0)
        points.append(five_points(video.landmarks[0]) + np.array([x, y]))
    return canvas, np.stack(points)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three images: the photograph, one without a face, one that is no image."""
    folder = tmp_path_factory.mktemp("gaf") / "train"
    for label in ("Positive", "Neutral", "Negative"):
        (folder / label).mkdir(parents=True)
    cv2.imwrite(str(folder / "Positive/1.png"), photograph()[0])
    cv2.imwrite(str(folder / "Neutral/2.png"), np.full((300, 300, 3), 90, np.uint8))
    (folder / "Negative/3.jpg").write_bytes(b"\xff\xd8\xff broken")
    return folder.parent


def test_every_face_is_found_and_nothing_else() -> None:
    picture, truth = photograph()
    faces, doubtful = every_face(picture, Finder().make())
    assert doubtful == []
    assert [round(face.x1 - face.x0) for face in faces] == sorted(
        (round(face.x1 - face.x0) for face in faces), reverse=True
    )
    found = np.stack([five_points(np.array(face.landmarks, np.float32).reshape(-1, 2)) for face in faces])
    assert len(found) == len(truth)
    for points in truth:
        eyes = np.linalg.norm(points[1] - points[0])
        nearest = min(np.linalg.norm(other - points, axis=1).mean() for other in found)
        assert nearest < 0.08 * eyes


def test_the_output(root: Path, tmp_path: Path) -> None:
    images = import_images(image_schemas.load("gaf3"), root, tmp_path / "set", workers=1)
    made = write_groups(images, root, tmp_path / "out", GroupOptions(Finder(), pad=4), workers=1)
    assert (made.images, made.faces) == (3, 5)
    groups = {row.id: row for batch in batches(tmp_path / "out/groups.parquet", GroupRow) for row in batch}
    coordinates = [
        row for batch in batches(tmp_path / "out/face_coordinates.parquet", FaceCoordinates) for row in batch
    ]
    assert [(row.faces, row.used) for row in groups.values()] == [(0, 0), (0, 0), (5, 4)]
    assert groups["train/Negative/3.jpg"].file is None
    found = [row for batch in batches(tmp_path / "out/findings.parquet", Finding) for row in batch]
    assert [finding.code for finding in found] == ["ME735", "ME733", "ME734"]
    with np.load(tmp_path / "out" / str(groups["train/Positive/1.png"].file)) as file:
        assert file["features"].shape == (4, 128)
        assert file["mask"].tolist() == [True] * 4
        assert file["points"].shape == (4, 5, 2)
        assert (str(file["label"]), int(file["faces"])) == ("positive", 5)
        assert file["boxes"][0] == pytest.approx(
            [coordinates[0].x0, coordinates[0].y0, coordinates[0].x1, coordinates[0].y1]
        )
        assert (np.linalg.norm(file["features"], axis=1) > 0.5).all()
    with np.load(tmp_path / "out" / str(groups["train/Neutral/2.png"].file)) as file:
        assert not file["mask"].any()
        assert not file["features"].any()
    for row in coordinates:
        assert cv2.imread(str(tmp_path / "out" / row.aligned)).shape == (112, 112, 3)
        assert cv2.imread(str(tmp_path / "out" / row.crop)).size > 0
    assert "landmarks" in pq.read_schema(tmp_path / "out/face_coordinates.parquet").names
    assert {(row.split, row.label) for row in coordinates} == {("train", "positive")}
    write_groups(images, root, tmp_path / "again", GroupOptions(Finder(), pad=4), workers=2)
    for path in (tmp_path / "out").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(tmp_path / "out")).read_bytes()


def middle_column(folder: Path) -> Embedder:
    """Describes a picture by the grey values of its middle column; anything fits."""
    return from_function(lambda batch: batch[0, :, :, batch.shape[3] // 2].ravel(), {"model": folder.name}, side=32)


def test_the_whole_photograph_is_described_too(tmp_path: Path) -> None:
    root = tmp_path / "raw"
    (root / "train/Neutral").mkdir(parents=True)
    cv2.imwrite(str(root / "train/Neutral/2.png"), np.full((100, 100, 3), 90, np.uint8))
    images = import_images(image_schemas.load("gaf3"), root, tmp_path / "set", workers=1)
    options = GroupOptions(Finder(), whole=partial(middle_column, tmp_path), side=32)
    write_groups(images, root, tmp_path / "out", options, workers=1)
    (neutral,) = [row for rows in batches(tmp_path / "out/groups.parquet", GroupRow) for row in rows]
    with np.load(tmp_path / "out" / str(neutral.file)) as file:
        assert file["features"].shape == (0, 128)
        assert file["whole"] == pytest.approx((90 - 127.5) / 127.5)
        assert file["whole"].shape == (96,)


def test_the_same_face_is_nearer_than_another(root: Path) -> None:
    picture, _ = photograph()
    embedder, detector = dlib_embedder(), Finder().make()

    def vectors(image: np.ndarray) -> np.ndarray:
        faces, _ = every_face(image, detector)
        marks = [np.array(face.landmarks, np.float32).reshape(-1, 2) for face in faces]
        return np.stack([embedder.describe(image, each, image[:112, :112]) for each in marks])

    one, other = vectors(picture), vectors(np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.7)))
    distances = np.linalg.norm(one[:, None] - other[None], axis=2)
    assert (distances.argmin(axis=1)[:3] == np.arange(3)).all()


def test_the_command(me_datasets: Run, root: Path, tmp_path: Path) -> None:
    (root / "train/Positive/1.png").rename(tmp_path / "1.png")
    try:
        import_images(image_schemas.load("gaf3"), root, tmp_path / "set", workers=1)
        done = me_datasets("images", "groups", "set", "--root", root, "-o", "out")
    finally:
        (tmp_path / "1.png").rename(root / "train/Positive/1.png")
    assert done.returncode == 1  # an image is damaged
    assert "0 faces of 2 images written to out" in done.stdout
