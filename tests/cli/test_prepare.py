"""The whole way as one command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets_me.cli.pipeline import Options, prepare
from datasets_me.core.artefact import header
from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.kinds import PREPARED
from datasets_me.schema import schema_files
from datasets_me.splits.make import SplitOptions
from datasets_me.synthetic.film import Film
from datasets_me.synthetic.write import make
from tests.conftest import Run


@pytest.mark.slow
def test_everything_as_one_command_that_can_be_run_again(tmp_path: Path, me_datasets: Run) -> None:
    film = Film(size=(200, 180))
    make(schema_files.load("casme2"), tmp_path / "raw", seed=2, subjects=2, defects=["ME306"], film=film)
    command = ["prepare", "raw/schema.yaml", "raw", "--root", "raw/frames", "-o", "out", "--workers", "2"]
    done = me_datasets(*command)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    lines = [line.split()[:2] for line in done.stdout.splitlines()[:9]]
    names = ["convert", "check", "extract", "split", "segments", "clips", "stats", "graph", "card"]
    assert lines == [[name, "done"] for name in names]
    out = tmp_path / "out"
    for name in ("report.html", "sheet.html", "stats.json", "card/README.md", "card/croissant.json", "graph.png"):
        assert (out / name).stat().st_size > 500, name
    with np.load(next(out.glob("segments/segments/train/*/*.npz")), allow_pickle=False) as segment:
        assert segment["feature"].shape == (270, 12, 2)
        assert segment["label"].shape == (270, 8)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    again = me_datasets(*command)
    assert again.returncode == done.returncode
    assert [line.split()[:2] for line in again.stdout.splitlines()[3:9]] == [[name, "kept"] for name in names[3:]]
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert "everything is in out" in again.stdout
    shutil.rmtree(next(out.glob("segments/segments/train/*")))
    shutil.rmtree(out / "clips")
    (out / "graph.png").unlink()
    other = me_datasets(*command, "--compat", "auwgcn", "--seed", "1")
    assert [line.split()[1] for line in other.stdout.splitlines()[3:9]] == [
        *("done", "failed", "done", "kept", "done", "kept")
    ]
    assert other.returncode == 2
    assert "not everything could be done: segments failed" in other.stdout
    assert "of an earlier run, not of this one: segments" in other.stdout
    assert "everything is in" not in other.stdout
    assert {path for path in out.rglob("*") if path.is_file()} >= {
        path for path in before if "segments" not in path.parts
    }


def test_what_cannot_be_done_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    schema = schema_files.load("casme2")
    make(schema, tmp_path / "raw", seed=2, subjects=2, film=Film(size=(64, 58)))
    frames, out = tmp_path / "raw" / "frames", tmp_path / "out"

    def asked(root: Path = frames, **options: Any) -> None:
        split = SplitOptions(**{"protocol": "loso", **options})
        silent = {"progress": nothing, "begins": lambda name: None, "ends": lambda result: None}
        prepare(schema_files.load(str(tmp_path / "raw" / "schema.yaml")), str(tmp_path / "raw"), root, out,
                Options(split), **silent)  # fmt: skip

    with pytest.raises(MeDatasetsError, match="the root is not a folder"):
        asked(tmp_path / "nope")
    with pytest.raises(MeDatasetsError, match="cross-dataset needs two datasets") as crossed:
        asked(protocol="cross-dataset")
    assert "me-datasets split --protocol cross-dataset" in (crossed.value.fix or "")
    with pytest.raises(MeDatasetsError, match="not enough subjects to make 5 folds") as few:
        asked(protocol="kfold")
    assert few.value.fix == "give --folds 2 or fewer"
    assert not out.exists()
    out.mkdir()
    about = {**header(PREPARED), "steps": {}, "of": {"dataset": "samm"}}
    (out / "prepare.json").write_text(json.dumps(about))
    with pytest.raises(MeDatasetsError, match="the output is of something else: dataset samm, not casme2"):
        asked()
    assert [path.name for path in out.iterdir()] == ["prepare.json"]


@contextmanager
def nothing(what: str, speed: str | None) -> Iterator[Callable[..., None]]:
    yield lambda *args, **kwargs: None
