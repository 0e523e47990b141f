"""Exports for training, and tracing them, as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from datasets_me.convert.convert import convert
from datasets_me.folders.check import with_folders
from datasets_me.formats import manifest as manifests
from datasets_me.schema import schema_files
from datasets_me.synthetic.write import make
from tests.conftest import Run
from tests.export.builders import noise


def test_segments_clips_and_trace(me_datasets: Run, tmp_path: Path) -> None:
    made = make(schema_files.load("casme-sq"), tmp_path / "raw", subjects=2, defects=("ME103",))
    converted = with_folders(convert(schema_files.load_file(made.schema), made.workbook).manifest(), made.root)
    manifests.write(converted, tmp_path / "manifest")
    for video in {row.video: row for row in converted.annotations}:
        place = tmp_path / "features" / video.rpartition("_")[0] / f"{video}.npy"
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(place, noise(40))

    done = me_datasets("export", "segments", "manifest", "features", "-o", "segments", "--length", "32")
    assert done.returncode == 0, done.stderr
    assert "ME506  info" in done.stdout
    assert done.stdout.endswith(
        "32 segments of 16 videos written to segments, for training and for testing; 32 of 32 annotations labelled\n"
    )
    again = me_datasets("export", "segments", "manifest", "features", "-o", "segments")
    assert again.returncode == 2
    assert again.stderr == (
        "error: the export of segments exists already\n  where: segments\n  to do: add --force to replace it\n"
    )
    path = tmp_path / "segments" / "segments" / "test" / "casme_015" / f"{converted.annotations[0].video}_0000.npz"
    traced = me_datasets("trace", path)
    assert traced.returncode == 0
    assert "sheet 'CASFEcode_final', row 1" in traced.stdout
    rows = json.loads(me_datasets("trace", path, "--json").stdout)["rows"]
    assert rows[0]["cells"][0]["cell"] == "C1"
    path.write_bytes(path.read_bytes() + b"x")
    changed = me_datasets("trace", path)
    assert (changed.returncode, "CHANGED since it was written" in changed.stdout) == (1, True)

    clips = me_datasets("export", "clips", "manifest", "--root", "raw/frames", "-o", "clips", "--frames", "key")
    assert clips.returncode == 0, clips.stderr
    assert "32 clips of 32 annotations written to clips\n" in clips.stdout


def test_the_auwgcn_csv_goes_round(me_datasets: Run, reference: Path, tmp_path: Path) -> None:
    published = reference / "samm_new_25.csv"
    assert me_datasets("convert", "auwgcn-csv", published, "-o", "m").returncode == 0
    done = me_datasets("export", "auwgcn-csv", "m", "-o", "again.csv")
    assert done.stdout == "502 rows written to again.csv\n"
    assert (tmp_path / "again.csv").read_bytes() == published.read_bytes()
    assert me_datasets("export", "auwgcn-csv", "m", "-o", "again.csv").returncode == 2
    assert me_datasets("diff", "m", published).returncode == 0
