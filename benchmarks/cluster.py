"""How well a Dask cluster is used: a real scheduler and workers, as processes of this machine.

    python benchmarks/cluster.py [--seconds 0.5] [--items 40] [--trivial 1000000] [--frames 480]

First items that sleep, on 1 to 8 workers: as many would be decoded at once where there are as many cores. Efficiency is
the time that the sleeping takes on so many workers over the time until all outcomes are here. Then an extraction on two
workers against `--workers 2`, and items that do nothing: seconds, and peak memory of this process.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import cv2
from distributed import Client

from datasets_me.core.engine import in_order, run
from datasets_me.core.engine.cluster import Cluster, connect
from datasets_me.core.engine.loop import without_report
from datasets_me.extract.extract import extract
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.schema import schema_files
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

WORKERS = (1, 2, 4, 8)
ROUNDS = 3


def sleep(cluster: Cluster, items: int, seconds: float) -> None:
    """Run items that take as long as a video, and no core."""
    for _ in run(without_report, [seconds] * items, time.sleep, executor=cluster):
        pass


@contextmanager
def dask(workers: int) -> Iterator[Cluster]:
    """A scheduler and workers of one thread."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "scheduler.json")
        options = ["--scheduler-file", file, "--no-dashboard"]
        commands = [["dask_scheduler", "--port", "0", *options]]
        commands += [["dask_worker", "--nthreads", "1", "--no-nanny", *options]] * workers
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{command[0]}", *command[1:]],
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for command in commands
        ]
        try:
            while not Path(file).is_file():
                time.sleep(0.05)
            with Client(scheduler_file=file, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=120)
            with connect(file) as cluster:
                sleep(cluster, 4 * workers, 0.05)  # all have imported what they need
                yield cluster
        finally:
            for process in processes:
                process.kill()
            for process in processes:
                process.wait()


def seconds_of(call: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def efficiency(items: int, seconds: float) -> None:
    """Print the table of sleeping items."""
    print(f"items that sleep {seconds} s, {items} for each worker\n")
    print("| workers | seconds | efficiency |\n|---|---|---|")
    for workers in WORKERS:
        with dask(workers) as cluster:
            took = seconds_of(partial(sleep, cluster, items * workers, seconds))
        print(f"| {workers} | {took:.2f} | {items * seconds / took:.1%} |", flush=True)


def trivial(items: int) -> None:
    """Print what a great many items cost that do nothing."""
    with dask(2) as cluster:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        took = seconds_of(lambda: sum(1 for _ in in_order(abs, range(items), executor=cluster)))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{items:,} trivial items: {took:.1f} s, peak memory of the client {peak:.0f} MB ({before:.0f} before)")


def extraction(frames: int) -> None:
    """Print how long an extraction takes on two workers of a cluster, and by two processes."""
    with tempfile.TemporaryDirectory() as name, dask(2) as cluster:
        folder = Path(name)
        manifest = _film(folder, 8, frames)

        def extracted(**options: Any) -> float:
            shutil.rmtree(folder / "out", ignore_errors=True)
            return seconds_of(lambda: extract(manifest, folder / "raw", folder / "out", **options))

        extracted(executor=cluster)  # all have loaded the models
        rounds = [(extracted(executor=cluster), extracted(workers=2)) for _ in range(ROUNDS)]
    by_cluster, by_processes = (min(times) for times in zip(*rounds, strict=True))
    print(f"\n8 videos of {frames} frames, 640 x 480, the fastest of {ROUNDS} rounds\n")
    print(f"- two workers of a cluster: {by_cluster:.2f} s")
    print(f"- --workers 2: {by_processes:.2f} s, start of the processes included")
    print(f"- speed of the cluster: {by_processes / by_cluster:.2f} x")


def _film(folder: Path, videos: int, frames: int) -> Manifest:
    rows = []
    for number in range(videos):
        path = f"rawpic/s{15 + number}/{15 + number}_0101disgustingteeth"
        (folder / "raw" / path).mkdir(parents=True)
        film = FaceVideo(number, 300, FaceVideoOptions(frames=frames, size=(640, 480), face_width=180, colour=True))
        for index, frame in enumerate(film.frames(), start=1):
            cv2.imwrite(str(folder / "raw" / path / f"img{index:03}.jpg"), frame)
        subject = f"casme_{15 + number:03}"
        rows.append(
            Video(
                dataset="casme-sq",
                subject=subject,
                video=f"{subject}_0101",
                layout="rawpic",
                path=path,
                frames=frames,
                fps=30,
            )
        )
    return Manifest(schema_files.load("casme-sq"), [], rows, [], "three-sheets")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="How well a Dask cluster is used.")
    parser.add_argument("--seconds", type=float, default=0.5, help="that an item sleeps")
    parser.add_argument("--items", type=int, default=40, help="that sleep, for each worker")
    parser.add_argument("--trivial", type=int, default=1_000_000, help="items that do nothing")
    parser.add_argument(
        "--frames", type=int, default=480, help="of each of the 8 videos that are extracted; 0 for none"
    )
    options = parser.parse_args()
    efficiency(options.items, options.seconds)
    trivial(options.trivial)
    if options.frames:
        extraction(options.frames)


if __name__ == "__main__":
    main()
