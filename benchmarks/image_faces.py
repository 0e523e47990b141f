"""Faces found in pictures with one face and with none, at several sizes, and how alike the halves of bare faces are.

python benchmarks/image_faces.py [PICTURES]
"""

from __future__ import annotations

import sys
import time
from collections import Counter

import cv2
import numpy as np

from datasets_me.features.faces import detector
from datasets_me.images.geometry import mirrored_difference
from datasets_me.images.looks.faces import examine
from datasets_me.synthetic.pictures import face_picture, no_face

_SEED = 9
_TIGHT = slice(26, 104)  # px of 128: brows to chin


def main() -> None:
    """Print the tables."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    cv2.setNumThreads(1)
    dlib = detector("dlib")
    pictures = [face_picture(number, _SEED) for number in range(count)]
    empty = [no_face(number, _SEED) for number in range(count)]
    print(f"{count} pictures of each kind, one thread\n")
    print("| size | one face found | with what help | ms | found where there is none | ms |")
    print("| --- | ---: | --- | ---: | ---: | ---: |")
    for title, side, part in (("128", 128, slice(None)), ("64", 64, slice(None)), ("48", 48, slice(None)),
                              ("48, cut tightly", 48, _TIGHT), ("36", 36, slice(None))):  # fmt: skip
        cells = []
        for kind in (pictures, empty):
            images = [cv2.resize(each[part, part], (side, side), interpolation=cv2.INTER_AREA) for each in kind]
            began = time.perf_counter()
            found = [examine(image, dlib) for image in images]
            cells.append((found, 1000 * (time.perf_counter() - began) / count))
        helped = Counter(how for faces, how in cells[0][0] if faces)
        texts = ", ".join(f"{how} {number}" for how, number in helped.most_common())
        one = sum(len(faces) == 1 for faces, _ in cells[0][0])
        none = sum(bool(faces) for faces, _ in cells[1][0])
        print(f"| {title} | {one} | {texts} | {cells[0][1]:.1f} | {none} | {cells[1][1]:.1f} |")
    values = []
    for picture in pictures:
        faces, _ = examine(picture, dlib)
        if faces:
            grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
            values.append(mirrored_difference(grey, np.array(faces[0].landmarks, np.float32).reshape(-1, 2)))
    low, middle, high = np.percentile(values, [0, 50, 100])
    print(f"\nasymmetry of bare faces: {low:.2f} to {high:.2f}, median {middle:.2f}")


if __name__ == "__main__":
    main()
