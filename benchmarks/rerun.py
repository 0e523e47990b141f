"""What it costs to find out that everything is done: `me-datasets extract` over many videos, a second time.

    python benchmarks/rerun.py [--videos 100000] [--frames 3] [--folder FOLDER]

What a first run would leave is written by the functions that it uses, with empty arrays. It is kept in ``--folder``.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

from measure import PROGRAM, measure

from datasets_me.core.engine import Report
from datasets_me.extract import ledger, video
from datasets_me.extract.extract import extract
from datasets_me.extract.video import Job, Setting
from datasets_me.formats import manifest as manifests
from datasets_me.formats.frame_files import frame_files
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.schema import schema_files

SUBJECTS = 250


def fill(folder: Path, videos: int, frames: int) -> None:
    """Write a manifest with files for frames, and an extraction of it."""
    rows = []
    for number in range(videos):
        subject, name = f"casme_{number % SUBJECTS:03}", f"{number // SUBJECTS:05}"
        path = f"rawpic/{subject}/{name}"
        (folder / "raw" / path).mkdir(parents=True)
        for frame in range(frames):
            (folder / "raw" / path / f"img{frame + 1:03}.jpg").write_bytes(b"not read")
        rows.append(
            Video(
                dataset="casme-sq",
                subject=subject,
                video=f"{subject}_{name}",
                layout="rawpic",
                path=path,
                frames=frames,
                fps=30,
            )
        )
    manifest = Manifest(schema_files.load("casme-sq"), [], rows, [], "three-sheets")
    manifests.write(manifest, folder / "m")
    with mock.patch.object(video, "extract_one", _pretend), mock.patch.object(ledger, "write_file", _write):
        extract(manifest, folder / "raw", folder / "out", workers=0)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)  # without fsync, which would take an hour
    path.write_bytes(content)


def _pretend(setting: Setting, job: Job, report: Report) -> ledger.Done:
    """Leave what the work on a video leaves."""
    arrays = {
        "features": f"features/{job.subject}/{job.name}.npy",
        "landmarks": f"landmarks/{job.subject}/{job.name}.npz",
    }
    for path in arrays.values():
        _write(setting.out / path, b"")
    found: dict[str, Any] = {"width": 640, "height": 480, "box": [100, 100, 300, 300], "crop_source": "sample"}
    found |= {"status": "ok", "frames": 3, "good": 3, "crop_confirmed": True, "key": "0" * 64}
    row = video.row_of(setting, job).model_copy(update={**arrays, **found})
    files = frame_files(setting.manifest, job.video, setting.root)
    ledger.finish(setting.out, job.subject, video.stamp_of(setting, job, files), row, [])
    return ledger.Done(row, [])


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="The cost of a run that finds nothing to do.")
    parser.add_argument("--videos", type=int, default=100_000)
    parser.add_argument("--frames", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the extraction is kept for the next time")
    options = parser.parse_args()
    with nullcontext(options.folder) if options.folder else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not (folder / "out" / "features.parquet").is_file():
            fill(folder, options.videos, options.frames)
        print(f"{options.videos:,} videos of {options.frames} frames, all done\n")
        print("| | seconds | seconds of CPU | peak MB of one process |\n|---|---|---|---|")
        for workers in ("1", "2"):
            command = [*PROGRAM, "extract", "m", "--root", "raw", "-o", "out", "--workers", workers]
            found = measure(command, folder, runs=2)
            print(
                f"| extract --workers {workers} | {found.seconds:.1f} | {found.cpu:.1f} | {found.megabytes:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
