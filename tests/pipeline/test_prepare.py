"""The whole way as one command."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets_me import schema_files
from datasets_me.synthetic.film import Film
from datasets_me.synthetic.write import make
from tests.conftest import Run


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
    other = me_datasets(*command, "--compat", "auwgcn", "--seed", "1")
    assert [line.split()[1] for line in other.stdout.splitlines()[3:9]] == [
        *("done", "failed", "kept", "kept", "kept", "kept")
    ]
    assert other.returncode == 2
