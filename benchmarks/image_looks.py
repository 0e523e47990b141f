"""What quality and duplicates take for an image, beside reading and decoding it: CPU time in one process.

The least of several runs over the same files, once the system keeps them in memory: small PNGs, as of FER2013, and
JPEGs of 224 px.

python benchmarks/image_looks.py [IMAGES]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from datasets_me.core.pictures import decode, look
from datasets_me.formats.image_records import ImageRow
from datasets_me.images.importing import import_images
from datasets_me.images.looks import duplicates, quality
from datasets_me.schema import image_schemas
from datasets_me.synthetic.pictures import face_picture

_TIMES = 7


def write(root: Path, count: int, side: int, suffix: str) -> list[ImageRow]:
    """Noisy faces in a folder of one class, and their rows."""
    rng = np.random.default_rng(0)
    (root / "raw/happy").mkdir(parents=True)
    for number in range(count):
        picture = cv2.resize(face_picture(number % 50, 1, 128), (side, side), interpolation=cv2.INTER_AREA)
        noisy = np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
        cv2.imwrite(str(root / f"raw/happy/{number}{suffix}"), noisy)
    return list(import_images(image_schemas.load("folder-per-class"), root / "raw", root / "set").rows())


def main() -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    print("| images | step | CPU µs an image | times decoding |\n| --- | --- | ---: | ---: |")
    for side, suffix in ((48, ".png"), (224, ".jpg")):
        with tempfile.TemporaryDirectory() as name:
            rows = write(Path(name), count, side, suffix)
            root = Path(name) / "raw"
            steps: dict[str, Callable[[ImageRow], Any]] = {
                "reading and decoding": lambda row, root=root: decode((root / row.path).read_bytes()),
                "import: reading, looking for damage": lambda row, root=root: look((root / row.path).read_bytes()),
                "quality": lambda row, root=root: quality.measure((row, []), root=root),
                "duplicates": partial(duplicates.hash_row, root=root),
            }
            least = dict.fromkeys(steps, float("inf"))
            for _ in range(_TIMES):
                for step, do in steps.items():
                    began = time.process_time()
                    for row in rows:
                        do(row)
                    least[step] = min(least[step], time.process_time() - began)
            for step, seconds in least.items():
                ratio = seconds / least["reading and decoding"]
                print(f"| {side} px, {suffix[1:]} | {step} | {1e6 * seconds / count:.0f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
