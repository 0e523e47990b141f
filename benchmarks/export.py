"""``export segments`` against bare ``np.savez`` of the same arrays, and how fast a DataLoader reads them.

python benchmarks/export.py [VIDEOS]
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from measure import PROGRAM, measure

from datasets_me.export.options import SegmentOptions
from datasets_me.export.segments import write_segments
from datasets_me.formats import features as feature_files
from datasets_me.formats import manifest as manifests
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema import schema_files

RUNS = 5
FRAMES = 2800  # a video of CAS(ME)²; the dataset has 98
LENGTHS = {"micro": 12, "macro": 40}


def dataset(folder: Path, videos: int) -> Manifest:
    """Features of some videos of 22 people, with four annotations each, as CAS(ME)² has."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(videos):
        subject = f"casme_{15 + number % 22:03}"
        video = f"{subject}_{number:04}"
        place = folder / subject / f"{video}.npy"
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(place, random.normal(size=(FRAMES - 1, 12, 2)).astype(np.float32))
        for index in range(4):
            kind = "micro" if index % 4 == 0 else "macro"
            onset = 100 + index * 600
            rows.append(
                Annotation(
                    id=f"{video}:{index + 1}",
                    dataset="casme-sq",
                    subject=subject,
                    video=video,
                    type=kind,
                    onset=onset,
                    apex=onset + LENGTHS[kind] // 2,
                    offset=onset + LENGTHS[kind],
                    fps=30.0,
                    source_file="book.xlsx",
                    source_row=len(rows) + 1,
                )
            )
    return Manifest(schema_files.load("casme-sq"), rows, [], [], "three-sheets")


def arrays_of(folder: Path) -> list[tuple[Path, dict[str, np.ndarray]]]:
    """What every file of an export holds, in memory."""
    held = []
    for path in sorted(folder.rglob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            held.append((path.relative_to(folder), dict(file)))
    return held


def bare(files: list[tuple[Path, dict[str, np.ndarray]]], wholes: list[Path], out: Path) -> None:
    """The same arrays under the same names, and nothing else done."""
    for path, arrays in files:
        place = out / path
        place.parent.mkdir(parents=True, exist_ok=True)
        np.savez(place, **arrays)
    for number, path in enumerate(wholes):
        np.save(out / f"{number}.npy", np.load(path))


def seconds(action: Callable[[Path], object], folder: Path) -> float:
    """How long an action takes that writes into a folder, which is then removed."""
    began = time.perf_counter()
    action(folder)
    took = time.perf_counter() - began
    shutil.rmtree(folder)
    return took


def peak(folder: Path, videos: int) -> float:
    """Peak memory in MB of the whole command."""
    manifest = dataset(folder / "features", videos)
    manifests.write(manifest, folder / "manifest")
    export = [*PROGRAM, "export", "segments", "manifest", "features", "-o", "out", "--force"]
    return measure(export, folder, runs=1).megabytes


def loading(out: Path, workers: int) -> float:
    """Samples a second of a second pass over the training part, in batches of 32."""
    from torch.utils.data import DataLoader

    from datasets_me.torch_data import SegmentDataset

    data = SegmentDataset(out)
    loader = DataLoader(data, batch_size=32, num_workers=workers, persistent_workers=workers > 0)
    rates = []
    for _ in range(RUNS):
        began = time.perf_counter()
        count = sum(len(batch["feature"]) for batch in loader)
        rates.append(count / (time.perf_counter() - began))
    return statistics.median(rates[1:])


def main() -> None:
    """Print the table."""
    videos = int(sys.argv[1]) if len(sys.argv) > 1 else 98
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = dataset(folder / "features", videos)
        features = feature_files.read(folder / "features", manifest)
        exported = write_segments(manifest, features, folder / "out", SegmentOptions())
        files = arrays_of(folder / "out" / "segments")
        wholes = sorted((folder / "features").glob("*/*.npy"))
        ours, theirs = [], []
        for _ in range(RUNS):  # in turn, so that both see the same machine
            theirs.append(seconds(lambda out: bare(files, wholes, out), folder / "bare"))
            ours.append(seconds(lambda out: write_segments(manifest, features, out), folder / "ours"))
        rates = [len(files) / statistics.median(times) for times in (ours, theirs)]
        print(f"{videos} videos of {FRAMES:,} frames, {exported.segments:,} segments in each of two parts\n")
        print("| | |\n| --- | ---: |")
        print(f"| `np.savez` of the same arrays, already in memory | {rates[1]:,.0f} segments/s |")
        print(f"| `export segments` | {rates[0]:,.0f} segments/s |")
        print(f"| ratio | {rates[0] / rates[1]:.2f} |")
        for count in (videos, max(1, videos // 4)):
            print(f"| peak memory of the command, {count} videos | {peak(folder / str(count), count):.0f} MB |")
        for workers in (0, 2):
            print(f"| DataLoader, {workers} workers | {loading(folder / 'out', workers):,.0f} samples/s |")


if __name__ == "__main__":
    main()
