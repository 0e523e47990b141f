"""How well each preset measures known motion: a Markdown table.

    python benchmarks/fidelity.py [--pairs 9] [--subjects 4]

Videos have subjects and seeds from 300 on; parameters were chosen on those below 20. All presets are judged
on the same pairs of frames, spread over each video (DualTVL1 is too slow for all of them), at the true
landmarks, so that only the flow and the rule of the regions count. The last row of each case finds face and
landmarks by itself.

- px: mean end-point error of the flow in the twelve windows, in px.
- frel: rms error of the feature over the rms of the true one. Above 1, zeros would have been better.
- corr: correlation with the true feature.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.features.flow import Method, flow_stream, quantise_8bit
from datasets_me.features.mdmo import mdmo
from datasets_me.features.regions import TWELVE
from datasets_me.features.stages import PUBLISHED_JPEG, measured_width
from datasets_me.features.video import extract_video
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

Field = NDArray[np.float32]

FRAMES = 48
FIRST_SEED = 300

BASE = FaceVideoOptions(frames=FRAMES, micro=1, macro=1, amplitude=1.0, noise=1.5, head_motion=1.0)
CASES: dict[str, dict[str, Any]] = {
    "base: 1 px, noise 1.5, head 1 px": {},
    "amplitude 0.5 px": {"amplitude": 0.5},
    "amplitude 2 px": {"amplitude": 2.0},
    "noise 0.5": {"noise": 0.5},
    "noise 3": {"noise": 3.0},
    "flicker 0.5 %": {"flicker": 0.005},
    "head sways 4 px": {"head_motion": 4.0},
    "head jumps 3 px": {"jolt": 3.0},
}


@dataclass(frozen=True)
class Result:
    """One preset on one video: features (pairs, 12, 2) in px, end-point error in px (None if not measured),
    ms per pair."""

    feature: Field
    truth: Field
    end_point: float | None
    milliseconds: float


def row(results: list[Result]) -> str:
    """The figures of one preset over all videos of a case."""
    estimate = np.concatenate([result.feature.ravel() for result in results])
    truth = np.concatenate([result.truth.ravel() for result in results])
    relative = np.sqrt(((estimate - truth) ** 2).mean() / (truth**2).mean())
    correlation = np.corrcoef(estimate, truth)[0, 1]
    errors = [result.end_point for result in results if result.end_point is not None]
    end_point = f"{np.mean(errors):.3f}" if errors else "–"
    spent = np.mean([result.milliseconds for result in results])
    return f"{end_point} | {relative:.2f} | {correlation:.2f} | {spent:.1f}"


def end_point_error(flow: Field, truth: Field, landmarks: Field) -> float:
    """Mean length of the error in the 11 x 11 windows of the twelve regions, px; flow (T, H, W, 2)."""
    error = np.linalg.norm(flow - truth, axis=3)
    centres = np.rint(TWELVE.matrix() @ landmarks.astype(np.float64)).astype(int)
    windows = [
        image[
            max(0, y - TWELVE.radius) : y + TWELVE.radius + 1,
            max(0, x - TWELVE.radius) : x + TWELVE.radius + 1,
        ]
        for image, points in zip(error, centres, strict=True)
        for x, y in points
    ]
    return float(np.mean([window.mean() for window in windows]))


def judge(seed: int, case: dict[str, Any], wanted: int) -> Iterator[tuple[str, Result]]:
    """All presets on one video."""
    video = FaceVideo(seed, seed, replace(BASE, **case))
    frames = list(video.frames())
    pairs = np.unique(np.linspace(0, FRAMES - 2, wanted).astype(int))
    flow = np.stack([video.flow(t) for t in pairs])
    landmarks, later = video.landmarks[pairs], video.landmarks[pairs + 1]
    truth = mdmo(flow, landmarks).feature
    width = measured_width(video.landmarks)

    def result(found: Field, feature: Field, spent: float) -> Result:
        return Result(feature, truth, end_point_error(found, flow, landmarks), spent)

    for name, temporal in (("default", 5), ("default, temporal 1", 1)):
        fields, spent = timed(flow_stream(frames, "lk", temporal=temporal, face_width=width))
        found = np.stack([fields[t] for t in pairs])
        yield name, result(found, mdmo(found, landmarks).feature, spent)
    methods: tuple[Method, ...] = ("dis", "farneback", "tvl1")
    for method in methods:
        rounds = [timed(flow_stream(frames[t : t + 2], method, face_width=width)) for t in pairs]
        found = np.stack([fields[0] for fields, _ in rounds])
        spent = float(np.mean([each for _, each in rounds]))
        yield method, result(found, mdmo(found, landmarks).feature, spent)
    # the published form shares its flow with tvl1, which came last
    stored = np.stack([quantise_8bit(field, PUBLISHED_JPEG) for field in found])
    yield "auwgcn", result(20 * stored, 20 * mdmo(stored, later, exact=True).feature, spent)
    start = time.perf_counter()
    feature = extract_video(frames).feature[pairs]
    spent = 1000 * (time.perf_counter() - start) / len(frames)
    yield "default, landmarks found", Result(feature, truth, None, spent)


def timed(fields: Iterable[Field | None]) -> tuple[list[Field], float]:
    """The fields, and the milliseconds that each took."""
    start = time.perf_counter()
    out = [field for field in fields if field is not None]
    return out, 1000 * (time.perf_counter() - start) / len(out)


def main() -> None:
    parser = argparse.ArgumentParser(description="Fidelity of the flow presets on synthetic video.")
    parser.add_argument("--pairs", type=int, default=9, help="pairs of frames per video")
    parser.add_argument("--subjects", type=int, default=4, help="videos per case")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print("| video | preset | px | frel | corr | ms/pair |\n|---|---|---|---|---|---|")
    for name, case in CASES.items():
        results: dict[str, list[Result]] = {}
        for seed in range(FIRST_SEED, FIRST_SEED + options.subjects):
            for preset, result in judge(seed, case, options.pairs):
                results.setdefault(preset, []).append(result)
        for preset, each in results.items():
            print(f"| {name} | {preset} | {row(each)} |", flush=True)


if __name__ == "__main__":
    main()
