"""What it costs to find out that an extraction is done: `me-datasets extract` over many videos, a second time.

    python benchmarks/rerun.py [--videos 100000] [--frames 3]

The first run is not made: what it would leave is written by the functions that it uses, with empty arrays.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from pathlib import Path
from unittest import mock

from measure import PROGRAM, measure

from datasets_me.extract import ledger
from datasets_me.extract.extract import extract
from datasets_me.extract.options import ExtractOptions
from datasets_me.extract.video import Job, Setting, row_of
from datasets_me.findings.finding import Finding
from datasets_me.formats import manifest as manifests
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video, VideoFeatures
from datasets_me.schema import schema_files

SUBJECTS = 250
PICTURE = b"not looked into"


def fill(folder: Path, videos: int, frames: int) -> Manifest:
    """Write a manifest."""
    rows = []
    for number in range(videos):
        subject, video = number % SUBJECTS, number // SUBJECTS
        path = f"rawpic/s{subject}/{subject}_{video:05}"
        (folder / "raw" / path).mkdir(parents=True)
        for frame in range(frames):
            (folder / "raw" / path / f"img{frame + 1:03}.jpg").write_bytes(PICTURE)
        rows.append(
            Video(
                dataset="casme-sq",
                subject=f"casme_{subject:03}",
                video=f"casme_{subject:03}_{video:05}",
                layout="rawpic",
                path=path,
                frames=frames,
                fps=30,
            )
        )
    manifest = Manifest(schema_files.load("casme-sq"), [], rows, [], "three-sheets")
    manifests.write(manifest, folder / "m")
    return manifest


def finished(setting: Setting, job: Job) -> tuple[VideoFeatures, list[Finding]]:
    """What stands for the work on a video: small files, and a row."""
    names = {kind: f"{kind}/{job.subject}/{job.name}.{suffix}" for kind, suffix in (("features", "npy"), ("landmarks", "npz"))}
    for name in names.values():
        (setting.out / name).parent.mkdir(parents=True, exist_ok=True)
        (setting.out / name).write_bytes(b"")
    update = {**names, "status": "ok", "frames": 3, "good": 3, "width": 640, "height": 480, "box": [100, 100, 300, 300]}
    return row_of(setting, job).model_copy(update=update | {"crop_source": "sample", "crop_confirmed": True, "key": "0" * 64}), []


def main() -> None:
    parser = argparse.ArgumentParser(description="The cost of a run that finds nothing to do.")
    parser.add_argument("--videos", type=int, default=100_000)
    parser.add_argument("--frames", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = fill(folder, options.videos, options.frames)
        command = [*PROGRAM, "extract", "m", "--root", "raw", "-o", "out", "--workers"]


if __name__ == "__main__":
    main()
