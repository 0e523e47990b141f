"""Whether memory depends on the length of a video: `me-datasets extract` on 1,500 and on 12,000 frames of 2040 x 1088.

    python benchmarks/long_video.py

The frames are links to 24 files, played forth and back.
"""

from __future__ import annotations

import os
import tempfile
from itertools import chain, cycle, islice
from pathlib import Path

import cv2
from measure import PROGRAM, measure

from datasets_me.formats import manifest as manifests
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.schema import schema_files
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

FILES = 24
LENGTHS = (1_500, 12_000)
SIZE = (2040, 1088)


def main() -> None:
    """Print the table."""
    film = FaceVideoOptions(frames=FILES, size=SIZE, face_width=300, jpeg=None)
    print("| frames | seconds | frames/s | peak MB of one process |\n| ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        for index, frame in enumerate(FaceVideo(1, 2, film).frames()):
            cv2.imwrite(str(base / f"{index}.jpg"), frame)
        forth_and_back = list(chain(range(FILES), range(FILES - 2, 0, -1)))
        for count in LENGTHS:
            video = Video(
                dataset="casme-sq",
                subject="casme_015",
                video="casme_015_0101",
                layout="rawpic",
                path="rawpic/s15/15_0101disgustingteeth",
                frames=count,
                fps=30,
            )
            folder = base / str(count)
            frames = folder / "raw" / str(video.path)
            frames.mkdir(parents=True)
            for number, index in enumerate(islice(cycle(forth_and_back), count), start=1):
                os.link(base / f"{index}.jpg", frames / f"img{number:05}.jpg")
            made = Manifest(schema_files.load("casme-sq"), [], [video], [], "three-sheets")
            manifests.write(made, folder / "m")
            command = [*PROGRAM, "extract", "m", "--root", "raw", "-o", "out", "--workers", "1"]
            run = measure(command, folder, runs=1)
            print(f"| {count:,} | {run.seconds:.0f} | {count / run.seconds:.0f} | {run.megabytes:.0f} |", flush=True)


if __name__ == "__main__":
    main()
