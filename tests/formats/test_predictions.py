"""Files of predictions: what is read, and what bad ones are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.predictions import read


def test_csv_and_npz_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("annotation,onset,score_a,score_b\nv1:1,10,0.25,0.75\nv1:2,30,1,0\n")
    np.savez(
        tmp_path / "p.npz",
        annotation=np.array(["v1:1", "v1:2"]),
        onset=np.array([10.0, 30.0]),
        scores=np.array([[0.25, 0.75], [1, 0]]),
        classes=np.array(["a", "b"]),
    )
    one, other = read(tmp_path / "p.csv"), read(tmp_path / "p.npz")
    assert one.rows == other.rows == ({"annotation": "v1:1", "onset": "10"}, {"annotation": "v1:2", "onset": "30"})
    assert one.classes == other.classes == ("a", "b")
    assert one.scores is not None
    assert other.scores is not None
    assert one.scores.tolist() == other.scores.tolist()
    assert str(one.place(1)) == "p.csv, row 3"


def test_a_header_alone_is_zero_predictions(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("video,onset,offset,score_a\n")
    np.savez(
        tmp_path / "p.npz",
        video=np.array([], str),
        onset=np.array([], int),
        offset=np.array([], int),
        scores=np.zeros((0, 1)),
        classes=np.array(["a"]),
    )
    for name in ("p.csv", "p.npz"):
        made = read(tmp_path / name)
        assert (made.rows, made.columns, made.classes) == ((), ("video", "onset", "offset"), ("a",))
        assert made.scores is not None
        assert made.scores.shape == (0, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        (" \n", "the file is empty"),
        ("video,label\nv1,a,b\n", "the row has 3 cells, the header 2"),
        ("video,video\nv1,a\n", "the column 'video' occurs twice in the header"),
        ("name,label\nv1,a\n", "no column says what the predictions are about"),
        ("video,score_fear,score_Fear\nv1,1,0\n", "the class Fear is given twice"),
    ],
)
def test_bad_csv(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "p.csv").write_text(content)
    with pytest.raises(MeDatasetsError) as caught:
        read(tmp_path / "p.csv")
    assert caught.value.what == message


def test_bad_npz(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    np.savez(path, video=np.array(["a"]), label=np.array(["x", "y"]))
    with pytest.raises(MeDatasetsError, match="the arrays differ in length: label 2, video 1"):
        read(path)
    np.savez(path, video=np.array(["a"], dtype=object))
    with pytest.raises(MeDatasetsError, match="the npz cannot be read"):
        read(path)
    np.savez(path, video=np.array(["a"]), scores=np.array([0.5]))
    with pytest.raises(MeDatasetsError, match=r"scores must be numbers of shape \(predictions, classes\)"):
        read(path)
    np.savez(path, video=np.array(["a"]), scores=np.array([[0.5, 0.2]]), classes=np.array(["fear", "fear"]))
    with pytest.raises(MeDatasetsError, match="the class fear is given twice"):
        read(path)
    np.savez(path, names=np.array(["a"]), probabilities=np.array([[0.5, 0.2]]))
    with pytest.raises(MeDatasetsError, match=r"to do: add one of .*; it has names$"):
        read(path)
    path.write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(MeDatasetsError, match="the npz cannot be read"):
        read(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MeDatasetsError, match="neither an npz nor text in UTF-8"):
        read(path)
    with pytest.raises(MeDatasetsError, match="the predictions cannot be read: No such file"):
        read(tmp_path / "none.csv")
