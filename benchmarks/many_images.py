"""Every verb of images on many small files, half of them faces: seconds, memory, and what a kill in the middle costs.

python benchmarks/many_images.py [IMAGES] [FOLDER]

The files are made once, in FOLDER if it is given, and left there.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from measure import PROGRAM

from datasets_me.synthetic.pictures import face_picture, no_face

_SIDE = 48
_READ = "import pathlib; print(sum(len(path.read_bytes()) for path in pathlib.Path('raw').rglob('*.png')))"
_DECODE = """
import pathlib
from datasets_me.core.pictures import decode
print(sum(decode(path.read_bytes()).image.size for path in pathlib.Path("raw").rglob("*.png")))
"""


def write(folder: Path, count: int) -> None:
    """A folder per class: pictures of 64 px, each of which is cut out in several places and mixed with noise."""
    rng = np.random.default_rng(0)
    bases = max(1, count // 20)
    for base in range(bases):
        pictures = {"happy": face_picture(base, 1, 64), "sad": no_face(base, 1, 64)}
        for label, picture in pictures.items():
            place = folder / "raw" / label
            place.mkdir(parents=True, exist_ok=True)
            for number in range(10):
                top, left = rng.integers(0, 64 - _SIDE, 2)
                part = picture[top : top + _SIDE, left : left + _SIDE].astype(np.float32)
                noise = rng.normal(0, 4, part.shape)
                image = np.clip(part * rng.uniform(0.7, 1.2) + noise, 0, 255).astype(np.uint8)
                cv2.imwrite(str(place / f"{base:05}-{number}.png"), image)


def killed(command: list[str], folder: Path, table: str, after: int) -> float:
    """Kill a run once so many images are done; seconds until then."""
    began = time.perf_counter()
    part = folder / "set" / f"{table}.parts" / f"{after // 512 * 512:06d}.parquet"
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not part.is_file() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    return time.perf_counter() - began


def orphans(folder: Path) -> int:
    """Processes that still work for a run in a folder."""
    time.sleep(3)
    found = subprocess.run(["pgrep", "-fc", f"datasets_me.*{folder}"], capture_output=True, text=True, check=False)
    return int(found.stdout.strip() or 0)


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    given = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    folder = given or Path(tempfile.mkdtemp())
    if not (folder / "raw").is_dir():
        write(folder, count)
    shutil.rmtree(folder / "set", ignore_errors=True)
    root = ["--root", str(folder / "raw")]
    print(f"{count:,} PNGs of {_SIDE}x{_SIDE} px, half of them faces; whole processes, one run each\n")
    print("| | seconds | CPU seconds of all processes | peak MB of the largest one |\n| --- | ---: | ---: | ---: |")

    def line(title: str, *command: str) -> tuple[float, float]:
        began = time.perf_counter()
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):
            sys.exit(f"{command} failed with exit code {process.returncode}")
        seconds, cpu = time.perf_counter() - began, usage.ru_utime + usage.ru_stime
        print(f"| {title} | {seconds:.0f} | {cpu:.0f} | {usage.ru_maxrss / 1024:.0f} |", flush=True)
        return seconds, cpu

    line("reading the files", sys.executable, "-c", _READ)
    line("decoding them, one process", sys.executable, "-c", _DECODE)
    line("images import", *PROGRAM, "images", "import", "raw", "--schema", "folder-per-class", "-o", "set")
    line("images quality", *PROGRAM, "images", "quality", "set", *root)
    line("images duplicates", *PROGRAM, "images", "duplicates", "set", *root)
    faces = [*PROGRAM, "images", "faces", "set", *root]
    before = killed(faces, folder, "faces", count // 2)
    kept = 512 * len(list((folder / "set" / "faces.parts").glob("*[0-9].parquet")))
    left = orphans(folder)
    after, _ = line("images faces, what was left after a kill in the middle", *faces)
    print(f"| images faces in all | {before + after:.0f} | | |")
    line(
        "images export --format csv",
        *PROGRAM,
        "images",
        "export",
        "set",
        *root,
        "-o",
        "out",
        "--format",
        "csv",
        "--force",
    )
    print(f"\nkilled after {before:.0f} s; {kept:,} images kept; processes left: {left}")
    if given is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
