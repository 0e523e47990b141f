"""How far estimated apexes are from the true ones, on synthetic faces at 200 frames a second.

::

    python benchmarks/apex.py [VIDEOS]

Beside ours, from the features of an extraction: the frame that differs most from the onset in its grey values, and the
frame whose flow image has the largest sum, as in MEAN's script (TV-L1, brows and mouth, each channel 0–1).
"""

from __future__ import annotations

import sys

import cv2
import numpy as np

from datasets_me.features.apex import estimate_apex
from datasets_me.features.flow_images import Recipe, flow_fields, flow_image
from datasets_me.features.video import extract_video
from datasets_me.synthetic.actions import ACTIONS, Expression
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

UNITS = (1, 2, 4, 6, 9, 12, 14, 15, 17, 23)
MEAN = Recipe(flow="tvl1", strain="backward", scale="first", parts="brows-mouth")


def errors(seed: int) -> dict[str, int]:
    """The error in frames of each way, for one expression of one face."""
    rng = np.random.default_rng(seed)
    onset, rise, fall = 10, int(rng.integers(20, 50)), int(rng.integers(20, 60))
    known = [unit for unit in UNITS if unit in ACTIONS]
    played = Expression(onset, onset + rise, onset + rise + fall, "micro", (int(rng.choice(known)),), 1.5)
    frames = onset + rise + fall + 10
    options = FaceVideoOptions(frames=frames, fps=200, size=(128, 160), blinks=0, head_motion=0.3)
    video = FaceVideo(seed, seed, options, (played,))
    pictures = list(video.frames())
    first, last = played.onset, played.offset
    motion = extract_video(pictures).feature[first:last]
    ours = estimate_apex(motion)
    start = pictures[first].astype(np.int16)
    difference = [np.abs(pictures[n] - start).sum() for n in range(first, last + 1)]
    landmarks = video.landmarks[first] * np.float32([1, 128 / 160])
    small = [cv2.resize(pictures[n], (128, 128)) for n in range(first, last)]
    sums = [flow_image(*flow_fields(small[0], other, MEAN), MEAN, landmarks).sum() for other in small]
    return {
        "motion since the onset (ours)": abs(first + (ours.frame if ours else 0) - played.apex),
        "largest difference of grey values": abs(first + int(np.argmax(difference)) - played.apex),
        "largest sum of MEAN's flow image": abs(first + int(np.argmax(sums)) - played.apex),
    }


def main() -> None:
    """Print median and 90 % quantile of the errors."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    differences = [errors(seed) for seed in range(100, 100 + count)]
    print(f"{count} expressions at 200 frames a second; error in frames   median   90 %")
    for name in differences[0]:
        values = [entry[name] for entry in differences]
        print(f"{name:52} {np.median(values):8.1f} {np.quantile(values, 0.9):6.1f}")


if __name__ == "__main__":
    main()
