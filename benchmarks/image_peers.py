"""Duplicates, quality and label errors beside imagededup, cleanvision and cleanlab, on sets with known truth.

python benchmarks/image_peers.py PYTHON [IMAGES]

PYTHON is the interpreter of an environment of its own that has the three, which are no dependencies of this program:
python -m venv peers && peers/bin/pip install imagededup cleanvision cleanlab
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from datasets_me.synthetic.pictures import face_picture, no_face

_SIDE = 96

_CHANGES = {
    "compressed": lambda image: image,
    "smaller": lambda image: cv2.resize(image, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
    "mirrored": lambda image: image[:, ::-1],
    "turned": lambda image: np.rot90(image),
    "cropped": lambda image: image[6:-6, 6:-6],
}

_OURS_DUPLICATES = """
import json, sys
from pathlib import Path
from datasets_me.images.importing import import_images
from datasets_me.images.looks.duplicates import write_duplicates
from datasets_me.schema import image_schemas
images = import_images(image_schemas.load("folder-per-class"), Path("copies"), Path("ours"), workers=1, force=True)
_, _, rows = write_duplicates([(images, Path("copies"))], workers=1, progress=lambda done, total: None, force=True)
groups = {}
for row in rows:
    if row.cluster is not None:
        groups.setdefault(row.cluster, []).append(row.id.rpartition("/")[2])
print(json.dumps(list(groups.values())))
"""
_IMAGEDEDUP = """
import json, logging
logging.disable()
from imagededup.methods import PHash
found = PHash(verbose=False).find_duplicates(image_dir="copies/happy", max_distance_threshold=4)
print(json.dumps([[name, *others] for name, others in found.items() if others]))
"""
_CLEANVISION_DUPLICATES = """
import json, contextlib, io
from cleanvision import Imagelab
with contextlib.redirect_stdout(io.StringIO()):
    lab = Imagelab(data_path="copies/happy")
    lab.find_issues({"exact_duplicates": {}, "near_duplicates": {}}, n_jobs=1)
sets = lab.info["near_duplicates"]["sets"] + lab.info["exact_duplicates"]["sets"]
print(json.dumps([[path.rpartition("/")[2] for path in each] for each in sets]))
"""
_OURS_QUALITY = """
import json
from pathlib import Path
from datasets_me.formats.image_records import QualityRow
from datasets_me.formats.image_tables import read_table
from datasets_me.images.importing import import_images
from datasets_me.images.looks.quality import write_quality
from datasets_me.schema import image_schemas
images = import_images(image_schemas.load("folder-per-class"), Path("light"), Path("ours-light"), workers=1, force=True)
write_quality(images, Path("light"), workers=1, progress=lambda done, total: None, force=True)
rows = list(read_table(images, "quality", QualityRow))
names = {kind: [row.id.rpartition("/")[2] for row in rows if kind in row.doubts] for kind in ("blurred", "dark")}
print(json.dumps(names))
"""
_CLEANVISION_QUALITY = """
import json, contextlib, io
from cleanvision import Imagelab
with contextlib.redirect_stdout(io.StringIO()):
    lab = Imagelab(data_path="light/happy")
    lab.find_issues({"blurry": {}, "dark": {}}, n_jobs=1)
found = {}
for kind, column in (("blurred", "is_blurry_issue"), ("dark", "is_dark_issue")):
    found[kind] = [path.rpartition("/")[2] for path in lab.issues.index[lab.issues[column]]]
print(json.dumps(found))
"""
_OURS_LABELS = """
import json, numpy
from datasets_me.images.looks.confident import confident
file = numpy.load("labels.npz")
print(json.dumps(numpy.flatnonzero(confident(file["scores"], file["labels"]).likely).tolist()))
"""
_VERSIONS = """
import json
from importlib.metadata import version
print(json.dumps(", ".join(f"{name} {version(name)}" for name in ("imagededup", "cleanvision", "cleanlab"))))
"""
_CLEANLAB = """
import json, numpy
from cleanlab.filter import find_label_issues
file = numpy.load("labels.npz")
print(json.dumps(numpy.flatnonzero(find_label_issues(file["labels"], file["scores"])).tolist()))
"""


def run(python: str, script: str, folder: Path) -> tuple[Any, str]:
    """What a script prints, as JSON; and wall seconds, CPU seconds and peak MB of its process."""
    began = time.perf_counter()
    with (folder / "out.json").open("wb") as out, (folder / "err.txt").open("wb") as err:
        process = subprocess.Popen([python, "-c", script], cwd=folder, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        return None, (folder / "err.txt").read_text().strip().splitlines()[-1][:90]
    cells = (time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
    return json.loads((folder / "out.json").read_text().strip().splitlines()[-1]), " | ".join(f"{x:.1f}" for x in cells)


def figures(found: set[Any], truth: set[Any]) -> str:
    """Recall and precision."""
    both = len(found & truth)
    return f"{both / len(truth):.3f} | {both / len(found) if found else float('nan'):.3f}"


def pairs(groups: list[list[str]]) -> set[tuple[str, str]]:
    """All pairs within groups, each once."""
    return {(min(a, b), max(a, b)) for group in groups for a, b in combinations(sorted(set(group)), 2)}


def write_copies(folder: Path, count: int) -> dict[str, set[tuple[str, str]]]:
    """Faces, and of each fourth one a copy; the pairs by what was done."""
    place = folder / "copies" / "happy"
    place.mkdir(parents=True)
    truth: dict[str, set[tuple[str, str]]] = {name: set() for name in _CHANGES}
    for number in range(count):
        picture = face_picture(number, 5, _SIDE)
        cv2.imwrite(str(place / f"{number:05}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
        if number % 4 == 0:
            name = list(_CHANGES)[number // 4 % len(_CHANGES)]
            copy = np.ascontiguousarray(_CHANGES[name](picture))
            cv2.imwrite(str(place / f"{number:05}-{name}.jpg"), copy, [cv2.IMWRITE_JPEG_QUALITY, 80])
            truth[name].add((f"{number:05}-{name}.jpg", f"{number:05}.jpg"))
    return truth


def write_light(folder: Path, count: int) -> dict[str, set[str]]:
    """Faces and scenery, a tenth blurred by 2 to 5 % of the side, a tenth with a quarter of the light or less."""
    place = folder / "light" / "happy"
    place.mkdir(parents=True)
    truth: dict[str, set[str]] = {"blurred": set(), "dark": set()}
    rng = np.random.default_rng(1)
    for number in range(count):
        side = (48, 96, 224)[number % 3]
        picture = (face_picture if number % 5 else no_face)(number, 6, side).astype(np.float32)
        if number % 10 == 3:
            picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.02, 0.05) * side)
            truth["blurred"].add(f"{number:05}.png")
        if number % 10 == 7:
            picture = picture * rng.uniform(0.12, 0.25)
            truth["dark"].add(f"{number:05}.png")
        noisy = np.clip(picture + rng.normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8)
        cv2.imwrite(str(place / f"{number:05}.png"), noisy)
    return truth


def write_labels(folder: Path, count: int) -> set[int]:
    """Scores of a recogniser that is right nine times of ten, and labels of which a tenth are wrong."""
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 7, count)
    guess = np.where(rng.random(count) < 0.9, truth, rng.integers(0, 7, count))
    logits = rng.normal(0, 1, (count, 7))
    logits[np.arange(count), guess] += 4 * rng.uniform(0.3, 1, count)
    logits[np.arange(count), truth] += 1
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wrong = rng.random(count) < 0.1
    labels = np.where(wrong, (truth + rng.integers(1, 7, count)) % 7, truth)
    np.savez(folder / "labels.npz", scores=scores, labels=labels)
    return set(np.flatnonzero(wrong).tolist())


def rows(python: str, folder: Path, count: int) -> Iterator[str]:
    """The lines of the table."""
    copies = write_copies(folder, count)
    everything = set().union(*copies.values())
    scripts = {"me-datasets": (sys.executable, _OURS_DUPLICATES), "imagededup PHash": (python, _IMAGEDEDUP)}
    for name, (interpreter, script) in {**scripts, "cleanvision": (python, _CLEANVISION_DUPLICATES)}.items():
        groups, cost = run(interpreter, script, folder)
        if groups is None:
            yield f"| copies | {name} | {cost} |"
            continue
        found = pairs(groups)
        yield f"| copies | {name} | {figures(found, everything)} | {cost} |"
        shares = (f"{kind} {len(found & each) / len(each):.2f}" for kind, each in copies.items())
        yield f"| | recall by kind: {', '.join(shares)} | | | | | |"
    light = write_light(folder, count)
    for name, interpreter, script in (
        ("me-datasets", sys.executable, _OURS_QUALITY),
        ("cleanvision", python, _CLEANVISION_QUALITY),
    ):
        by_kind, cost = run(interpreter, script, folder)
        for kind, truth in light.items():
            yield f"| {kind} | {name} | {figures(set(by_kind[kind]), truth) if by_kind else ''} | {cost} |"
    wrong = write_labels(folder, 10 * count)
    for name, interpreter, script in (("me-datasets", sys.executable, _OURS_LABELS), ("cleanlab", python, _CLEANLAB)):
        likely, cost = run(interpreter, script, folder)
        yield f"| labels | {name} | {figures(set(likely), wrong) if likely else ''} | {cost} |"


def main() -> None:
    """Print the table."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
    with tempfile.TemporaryDirectory() as name:
        versions, _ = run(sys.argv[1], _VERSIONS, Path(name))
        print(
            f"{count:,} pictures of each kind, {10 * count:,} labels; one process each, imports included; {versions}\n"
        )
        print("| | | recall | precision | seconds | CPU seconds | peak MB |")
        print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
        for line in rows(sys.argv[1], Path(name), count):
            print(line, flush=True)


if __name__ == "__main__":
    main()
