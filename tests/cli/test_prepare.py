"""The whole way as one command."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from torch.utils.data import DataLoader

from datasets_me.cli.pipeline import Options, prepare
from datasets_me.core.artefact import header
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.tables import read_parquet
from datasets_me.findings.finding import Finding
from datasets_me.formats.kinds import PREPARED
from datasets_me.schema import schema_files, yaml_files
from datasets_me.schema.schema_files import Schema
from datasets_me.splits.make import SplitOptions
from datasets_me.synthetic.film import Film
from datasets_me.synthetic.write import make
from datasets_me.torch_data.clips import ClipDataset
from tests.conftest import Run

STEPS = ["convert", "check", "extract", "split", "segments", "clips", "stats", "graph", "report", "card"]


def of_few_clips() -> Schema:
    """CASME II with three videos of each synthetic subject."""
    spec = yaml_files.load(schema_files.load("casme2").text, "casme2").value
    spec["synthetic"]["clips"] = spec["synthetic"]["clips"][:4]  # the last is for folders without annotation
    return schema_files.parse(yaml.safe_dump(spec, allow_unicode=True), "few-clips.yaml")


@pytest.mark.slow
def test_everything_as_one_command_that_can_be_run_again(tmp_path: Path, me_datasets: Run) -> None:
    film = Film(size=(160, 144))
    make(of_few_clips(), tmp_path / "raw", seed=2, subjects=2, defects=["ME306"], film=film)
    command = ["prepare", "raw/schema.yaml", "raw", "--root", "raw/frames", "-o", "out", "--workers", "1"]
    done = me_datasets(*command, "--size", "32")
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert statuses(done.stdout) == dict.fromkeys(STEPS, "done")
    out = tmp_path / "out"
    for name in ("report.html", "sheet.html", "stats.json", "card/README.md", "card/croissant.json", "graph.png"):
        assert (out / name).stat().st_size > 500, name
    with np.load(next(out.glob("segments/segments/train/*/*.npz")), allow_pickle=False) as segment:
        assert segment["feature"].shape == (270, 12, 2)
        assert segment["label"].shape == (270, 8)
    batch = next(iter(DataLoader(ClipDataset(out / "clips"), batch_size=4)))
    assert batch["frames"].shape == (4, 16, 3, 32, 32)
    findings = read_parquet(Finding, out / "findings.parquet")
    counted = json.loads((out / "card" / "card.json").read_text())["facts"]["found"]
    assert {entry["code"]: entry["count"] for entry in counted} == Counter(finding.code for finding in findings)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    again = me_datasets(*command, "--size", "32")
    assert again.returncode == done.returncode
    kept = ["split", "segments", "clips", "stats", "graph", "card"]
    assert statuses(again.stdout) == {name: "kept" if name in kept else "done" for name in STEPS}
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert "everything is in out" in again.stdout
    shutil.rmtree(next(out.glob("segments/segments/train/*")))
    shutil.rmtree(out / "clips")
    (out / "graph.png").unlink()
    other = me_datasets(*command, "--compat", "auwgcn", "--seed", "1", "--size", "32")
    changed = {"segments": "failed", **dict.fromkeys(["split", "clips", "graph"], "done"), "stats": "kept"}
    assert {name: status for name, status in statuses(other.stdout).items() if name in changed} == changed
    assert other.returncode == 2
    assert "not everything could be done: segments failed" in other.stdout
    assert "of an earlier run, not of this one: segments" in other.stdout
    assert "everything is in" not in other.stdout
    assert {path for path in out.rglob("*") if path.is_file()} >= {
        path for path in before if "segments" not in path.parts
    }


def statuses(output: str) -> dict[str, str]:
    """Step -> how it ended."""
    words = (line.split() for line in output.splitlines())
    return {line[0]: line[1] for line in words if len(line) > 2 and line[0] in STEPS}


def test_a_workbook_alone_gives_what_needs_no_frames(tmp_path: Path, me_datasets: Run) -> None:
    make(schema_files.load("casme2"), tmp_path / "raw", seed=2, subjects=2, defects=["ME103"])
    done = me_datasets("prepare", "raw/schema.yaml", "raw", "-o", "out", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    names = ["convert", "split", "stats", "graph", "report", "card"]
    assert [(step["step"], step["status"]) for step in answer["steps"]] == [(name, "done") for name in names]
    assert [finding["code"] for finding in answer["findings"]] == ["ME103"]
    assert statuses(done.stderr) == dict.fromkeys(names, "done")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("card", "findings.parquet", "graph.npy", "graph.png", "manifest", "prepare.json"),
        *("report.html", "split", "stats.json"),
    ]


def test_frames_that_are_not_there_stop_only_what_needs_them(tmp_path: Path, me_datasets: Run) -> None:
    make(schema_files.load("casme2"), tmp_path / "raw", seed=2, subjects=2)
    (tmp_path / "empty").mkdir()
    done = me_datasets("prepare", "raw/schema.yaml", "raw", "--root", "empty", "-o", "out")
    assert done.returncode == 2
    failing = {"check": "failed", "extract": "failed", "segments": "skipped", "clips": "skipped"}
    assert statuses(done.stdout) == {name: failing.get(name, "done") for name in STEPS}


def test_what_cannot_be_done_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    make(of_few_clips(), tmp_path / "raw", seed=2, subjects=2, film=Film(size=(64, 58)))
    frames, out = tmp_path / "raw" / "frames", tmp_path / "out"

    def asked(root: Path = frames, **options: Any) -> None:
        split = SplitOptions(**{"protocol": "loso", **options})
        silent = {"progress": nothing, "ends": lambda result: None}
        schema = schema_files.load_file(tmp_path / "raw" / "schema.yaml")
        prepare(schema, str(tmp_path / "raw"), root, out, Options(split), **silent)

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
def nothing(what: str, speed: str | None = None) -> Iterator[Callable[..., None]]:
    yield lambda *args, **kwargs: None
