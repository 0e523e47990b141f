"""``me-datasets score`` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from datasets_me.formats import manifest as manifests
from tests.conftest import Run
from tests.scores.conftest import annotation, manifest

PNG = b"\x89PNG\r\n\x1a\n"


def test_recognition_writes_a_folder(me_datasets: Run, tmp_path: Path) -> None:
    manifests.write(manifest(annotation(1, emotion="a"), annotation(2, emotion="b")), tmp_path / "m")
    (tmp_path / "p.csv").write_text("annotation,label\nv1:1,a\nv1:2,a\n")
    command = ("score", "recognition", "m", "-p", "p.csv", "-o", "out")
    first = me_datasets(*command, "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["pooled"]["confusion"] == [[1, 0], [1, 0]]
    assert (tmp_path / "out/confusion_pooled.csv").read_text() == "label,a,b\na,1,0\nb,1,0\n"
    assert (tmp_path / "out/confusion.png").read_bytes().startswith(PNG)
    again = me_datasets(*command)
    assert (again.returncode, again.stderr) == (
        2,
        "error: the folder of scores exists already\n  where: out\n  to do: add --force to replace it\n",
    )


def test_spotting_errors_give_exit_code_1(me_datasets: Run, tmp_path: Path) -> None:
    manifests.write(manifest(annotation(1)), tmp_path / "m")
    (tmp_path / "p.csv").write_text("video,onset,offset,type\nv1,10,20,micro\nv7,1,2,micro\n")
    done = me_datasets("score", "spotting", "m", "-p", "p.csv")
    assert done.returncode == 1
    assert "ME540" in done.stdout
    assert "1.0000" in done.stdout


def test_spotting_with_an_empty_fold_writes_a_folder(me_datasets: Run, tmp_path: Path) -> None:
    manifests.write(manifest(annotation(1)), tmp_path / "m")
    (tmp_path / "p.csv").write_text("video,onset,offset,type\nv1,10,20,micro\n")
    (tmp_path / "empty.csv").write_text("video,onset,offset,type\n")
    (tmp_path / "zero.csv").touch()
    done = me_datasets("score", "spotting", "m", "-p", "p.csv", "-p", "empty.csv", "-o", "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scores"][-1]["f1"] == 1.0
    assert (tmp_path / "out/spotting.png").read_bytes().startswith(PNG)
    assert (tmp_path / "out/videos.csv").read_text().splitlines()[1] == "casme2,sub01,v1,micro,1,0,0"
    refused = me_datasets("score", "spotting", "m", "-p", "p.csv", "-p", "zero.csv")
    assert (refused.returncode, refused.stderr.splitlines()[:2]) == (
        2,
        ["error: the file is empty", "  where: zero.csv"],
    )


def test_ensemble(me_datasets: Run, tmp_path: Path) -> None:
    rows = [annotation(i, emotion=label) for i, label in enumerate("abab")]
    manifests.write(manifest(*rows), tmp_path / "m")
    for name, sure in (("one", 0.9), ("two", 0.4)):
        right = np.array([sure, 1 - sure] * 2)
        np.savez(
            tmp_path / f"{name}.npz",
            annotation=np.array([row.id for row in rows]),
            scores=np.stack([right, 1 - right], axis=1),
            classes=np.array(["a", "b"]),
            part=np.array(["validation", "validation", "test", "test"]),
        )
    done = me_datasets("score", "ensemble", "m", "-p", "one.npz", "-p", "two.npz", "--step", "0.5", "-o", "out")
    assert done.returncode == 0, done.stderr
    about = json.loads((tmp_path / "out/scores.json").read_text())
    assert about["weightings"] == 3
    assert about["scores"][-2]["weights"] == {"one.npz": 0.5, "two.npz": 0.5}
    assert (about["scores"][-1]["name"], about["plateau"]) == ("middle of the plateau", 2)
    assert [entry["test"]["uf1"] for entry in about["scores"]] == [1.0, 0.0, 1.0, 1.0, 1.0]
