"""Every verb of images on many small files, half of them faces: seconds, memory, and what a kill in the middle costs.

python benchmarks/many_images.py [IMAGES] [IMAGES_FOR_FACES] [FOLDER]

Looking for faces takes by far the longest, so it may be given fewer images. The files are made once, in FOLDER if it is
given, and left there.
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

from datasets_me.formats.parts import SIZE
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
            place = folder / label
            place.mkdir(parents=True, exist_ok=True)
            for number in range(10):
                top, left = rng.integers(0, 64 - _SIDE, 2)
                part = picture[top : top + _SIDE, left : left + _SIDE].astype(np.float32)
                noise = rng.normal(0, 4, part.shape)
                image = np.clip(part * rng.uniform(0.7, 1.2) + noise, 0, 255).astype(np.uint8)
                cv2.imwrite(str(place / f"{base:05}-{number}.png"), image)


def killed(command: list[str], folder: Path, parts: Path, after: int) -> float:
    """Kill a run once so many images are done; seconds until then."""
    began = time.perf_counter()
    part = parts / f"{after // SIZE * SIZE:06d}.parquet"
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


def measured(folder: Path, command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds of all processes, and MB of the largest one at its peak."""
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        sys.exit(f"{command} failed with exit code {process.returncode}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def row(folder: Path, count: int, title: str, command: list[str], parts: str | None = None) -> None:
    """One line of the table; with the folder of its parts, the run is killed in the middle and started again."""
    before, kept = 0.0, ""
    if parts is not None:
        before = killed(command, folder, folder / parts, count // 2)
        kept = f"{SIZE * len(list((folder / parts).glob('[0-9]*[0-9].parquet'))):,}"
        if left := orphans(folder):
            kept += f", {left} processes left"
    seconds, cpu, peak = measured(folder, command)
    print(
        f"| {title} | {count:,} | {before + seconds:.0f} | {seconds:.0f} | {cpu:.0f} | {peak:.0f} | {kept} |",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    few = min(count, int(sys.argv[2])) if len(sys.argv) > 2 else count
    given = Path(sys.argv[3]).resolve() if len(sys.argv) > 3 else None
    folder = given or Path(tempfile.mkdtemp())
    for name, number in (("raw", count), ("few", few)):
        if not (folder / name).is_dir():
            write(folder / name, number)
    for path in folder.iterdir():
        if path.name not in ("raw", "few"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    print(f"PNGs of {_SIDE}x{_SIDE} px, half of them faces; whole processes, one run each\n")
    print("| | images | seconds in all | after the kill | CPU seconds after it | peak MB | images kept |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    row(folder, count, "reading the files", [sys.executable, "-c", _READ])
    row(folder, count, "decoding them, one process", [sys.executable, "-c", _DECODE])

    def verb(name: str, *rest: str) -> list[str]:
        return [*PROGRAM, "images", name, *rest]

    raw, smaller = ("--root", str(folder / "raw")), ("--root", str(folder / "few"))
    of_class = ("--schema", "folder-per-class")
    row(folder, count, "import", verb("import", str(folder / "raw"), *of_class, "-o", "set"), "set.parts")
    row(folder, count, "quality", verb("quality", "set", *raw), "set/quality.parts")
    row(folder, count, "duplicates", verb("duplicates", "set", *raw), "set/duplicates.parts")
    row(folder, count, "unify --size 64", verb("unify", "set", *raw, "-o", "big", "--size", "64"), "big.parts")
    row(folder, count, "export --format csv", verb("export", "set", *raw, "-o", "out", "--format", "csv"))
    row(folder, few, "import", verb("import", str(folder / "few"), *of_class, "-o", "part"))
    row(folder, few, "faces", verb("faces", "part", *smaller), "part/faces.parts")
    cut = verb("crop", "part", *smaller, "-o", "mouths", "--region", "mouth", "--size", "32")
    row(folder, few, "crop --region mouth", cut, "mouths.parts")
    if given is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
