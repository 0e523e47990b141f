"""Tables of other tools: OpenFace, py-feat, MediaPipe, npz."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.tool_tables import find, fitted, read
from datasets_me.schema import tools

POINTS = np.arange(136, dtype=np.float32).reshape(68, 2)


def table(path: Path, columns: dict[str, list[object]], points: int = 68) -> Path:
    """A CSV in which point n lies at (2 n, 2 n + 1) in every frame."""
    count = len(next(iter(columns.values())))
    columns = {
        **columns,
        **{f"x_{n}": [2 * n] * count for n in range(points)},
        **{f"y_{n}": [2 * n + 1] * count for n in range(points)},
    }
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join(", ".join(map(str, row)) for row in (columns, *rows)) + "\n")
    return path


def test_openface_counts_from_one_in_radians(tmp_path: Path) -> None:
    path = table(
        tmp_path / "v.csv",
        {
            "frame": [1, 2, 2, 4],
            "face_id": [0, 1, 0, 0],
            "confidence": [0.98, 0.5, 0.9, 0.02],
            "success": [1, 1, 1, 0],
            "gaze_0_x": [0, 0, 0, 0],
            "gaze_angle_x": [0.1, 0, 0.2, 0],
            "gaze_angle_y": [0, 0, 0, 0],
            "pose_Tx": [1, 1, 1, 1],
            "pose_Rx": [np.pi / 2, 0, 0, 0],
            "pose_Ry": [0, 0, 0, 0],
            "pose_Rz": [0, 0, 0, 0],
            "AU01_r": [2.5, 0, 1, 0],
            "AU12_r": [0, 0, 0, 0],
            "AU01_c": [1, 0, 0, 0],
        },
    )
    found = read(path)
    assert (found.tool, found.frames, found.others) == ("openface", 4, 1)
    assert found.units == {"au": (1,), "intensity": (1, 12)}
    assert found.arrays["intensity"][:2, 0].tolist() == [2.5, 1]
    assert found.arrays["pose"][0].tolist() == pytest.approx([90, 0, 0])
    assert found.arrays["gaze"][1].tolist() == pytest.approx([np.degrees(0.2), 0])
    points = found.landmarks(4, 640, 480)
    assert points is not None
    assert np.array_equal(points[0], POINTS)
    assert np.isnan(points[2:]).all()  # no row, and a face that was not tracked


def test_py_feat_counts_from_zero_and_the_surest_face_counts(tmp_path: Path) -> None:
    columns = {"frame": [0, 0, 1], "FaceScore": [0.7, 0.9, 0.8], "FaceRectX": [1, 2, 3], "AU01": [0.1, 0.6, 0.2]}
    angles = {"Pitch": [1, 2, 3], "Roll": [4, 5, 6], "Yaw": [7, 8, 9]}
    found = read(table(tmp_path / "v.csv", {**columns, **angles}))
    assert (found.tool, found.frames, found.others, found.units) == ("py-feat", 2, 1, {"au": (1,)})
    assert found.arrays["au"][:, 0].tolist() == pytest.approx([0.6, 0.2])
    assert found.arrays["pose"].tolist() == [[2, 8, 5], [3, 9, 6]]


def test_the_index_that_pandas_writes_is_no_mark_of_the_first_frame(tmp_path: Path) -> None:
    path = table(tmp_path / "v.csv", {"": [0, 1], "FaceScore": [0.9, 0.9], "AU12": [0.5, 0.5], "frame": [0, 1]})
    found = read(path)
    assert (found.tool, found.frames) == ("py-feat", 2)
    assert np.array_equal(found.arrays["landmarks"], np.stack([POINTS, POINTS]))
    assert found.arrays["au"].tolist() == [[0.5], [0.5]]


def test_the_mesh_of_mediapipe_is_mapped_and_scaled(tmp_path: Path) -> None:
    path = table(tmp_path / "v.csv", {"frame": [0, 1]}, points=478)
    mesh = np.stack([np.arange(478) * 2, np.arange(478) * 2 + 1], axis=1)[None].repeat(2, 0).astype(np.float32)
    np.savez(tmp_path / "w.npz", landmarks=np.concatenate([mesh, mesh[..., :1]], axis=2))
    one, other = read(path), read(tmp_path / "w.npz")
    points = one.landmarks(3, 10, 100)
    assert points is not None
    assert np.array_equal(points[:2], other.landmarks(2, 10, 100))  # type: ignore[arg-type]
    assert points[0, 36].tolist() == [33 * 2 * 10, (33 * 2 + 1) * 100]  # the outer corner of the right eye
    assert np.isnan(points[2]).all()
    mapping = next(tool for tool in tools.shipped() if tool.id == "mediapipe").landmarks
    assert mapping is not None
    assert len(set(mapping.points)) == 68


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "no tool that is known writes such columns"),
        ("frame,success,x_0\n0,1,3\n", "'0' is not the number of a frame; OpenFace 2, FeatureExtraction counts from 1"),
        ("frame,landmark_0_x\n0,3\n", "it has no landmarks, action units, head pose or gaze"),
        ("frame,x_0\n1.5,3\n", "'1.5' is not the number of a frame; A table with a row for each frame"),
    ],
)
def test_bad_tables(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "v.csv").write_text(content)
    with pytest.raises(MeDatasetsError) as caught:
        read(tmp_path / "v.csv")
    assert caught.value.what.startswith(message)


def test_bad_arrays(tmp_path: Path) -> None:
    for arrays in (
        {"landmarks": np.zeros((3, 5, 2))},
        {"au": np.zeros((3, 2)), "au_names": np.array(["AU1"])},
        {"pose": np.zeros((3, 3)), "gaze": np.zeros((2, 2))},
        {"other": np.zeros(3)},
    ):
        np.savez(tmp_path / "v.npz", **arrays)
        with pytest.raises(MeDatasetsError, match="the arrays do not fit together"):
            read(tmp_path / "v.npz")


def test_tables_of_videos_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("v1.csv", "deep/v2.npz", "v3.txt", "v4.csv"):
        (tmp_path / name).touch()
    assert find(tmp_path, ["v1", "v2", "v3"]) == {"v1": tmp_path / "v1.csv", "v2": tmp_path / "deep" / "v2.npz"}
    (tmp_path / "deep" / "v1.csv").touch()
    with pytest.raises(MeDatasetsError, match="v1 has two tables"):
        find(tmp_path, ["v1"])


def test_rows_are_cut_or_filled() -> None:
    array = np.ones((2, 3), np.float32)
    assert fitted(array, 1).shape == (1, 3)
    assert np.isnan(fitted(array, 3)).any(axis=1).tolist() == [False, False, True]
