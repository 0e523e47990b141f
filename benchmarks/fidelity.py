"""How well each preset measures known motion of the skin, with what disturbs it: Markdown tables.

    python benchmarks/fidelity.py [--presets default,dis,tvl1] [--cases base,hand] [--seeds 3] [--tuning]

The videos are those of ``scenes.py``: faces, motion, noise and truth are not those of ``datasets_me.synthetic``.
Parameters were chosen on the portrait ``collins`` with the seeds 1 to 3 and on ``hopper`` with 1 and 2 (``--tuning``
shows those), and ``lk.SMOOTH`` and ``lk.HIGH_PASS`` on sharper pictures of others, too. What is reported are
``hopper`` and ``collins`` with seeds from 501 on, and in a table of its own the portrait ``coelho``, and scenes of
which no parameter was chosen. Landmarks are the true ones, except in the preset ``found``. The truth is the mean
motion of the skin in the 11 x 11 windows, without the head's.

- frel: rms error of the feature over the rms of the true one. Above 1, zeros would have been better.
- gain: how much of the true motion is measured.
- SNR: largest motion in an expression over the 95th percentile of the frames without one, each of the region that
  moves most.
- AUC: how well that motion tells frames with more than 0.03 px from frames without an expression.
- still: rms error in the six windows of the brows, in px; where only a hand or a mouth moves, what it lends them.
- doubted: of the regions and frames that are wrong by more than 0.3 px, how many ``valid`` marks, and of the others;
  those without a feature count for neither.

The rims of the glasses lie on the windows of the brows and hide the skin: what is measured there is mostly the rim,
which moves with the head (gain 0.3). The mouth's windows are as good as without. A smoother flow looks better in that
row, since it carries motion of the forehead into the rim.

H.264 at common qualities leaves out most of what moves by a tenth of a pixel from one frame to the next, and brings it
later in jumps. Over more frames it is there, as the last table shows: use a larger ``step`` for such videos. Its rows
differ by up to 0.1 from run to run, because the coder's output does.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scenes import Footage, Person, Scene, film

from datasets_me.features.flow_images import Recipe, flow_fields
from datasets_me.features.magnify import along_flow, eulerian
from datasets_me.features.video import VideoOptions, extract_video

Field = NDArray[np.float32]

TUNING: Sequence[tuple[Person, int]] = (("collins", 1), ("collins", 2), ("collins", 3), ("hopper", 1), ("hopper", 2))
REPORTED: Sequence[tuple[Person, int]] = tuple(
    (person, 501 + seed) for seed in range(20) for person in ("hopper", "collins")
)

CASES: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "base: 1 px, noise 1.5, drift 1 px": {},
        "half a pixel": {"amplitude": 0.5},
        "apex after 3 frames": {"rise": 3, "expressions": 3},
        "noise 3": {"noise": 3.0},
        "JPEG 75": {"jpeg": 75},
        "dark (a third)": {"gain": 0.3},
        "face of 80 px": {"width": 80.0, "size": (140, 160)},
        "drift 3 px": {"drift": 3.0},
        "jolts of 3 px": {"jolt": 3.0},
        "roll 0.5°": {"roll": 0.5},
        "roll 3°": {"roll": 3.0},
        "zoom 1 %": {"zoom": 0.01},
        "yaw 2°": {"yaw": 2.0},
        "roll, yaw, pitch 1°, zoom 1 %": {"roll": 1.0, "yaw": 1.0, "pitch": 1.0, "zoom": 0.01},
        "blinks": {"blink": True},
        "glasses": {"glasses": True},
        "fixed pattern 3": {"pattern": 3.0},
        "highlights that stay": {"highlights": 80.0},
        "speech 3 px alone": {"speech": 3.0, "expressions": 0},
        "hand at the chin alone": {"hand": True, "expressions": 0, "drift": 1.5},
    }
)

PRESETS: Mapping[str, VideoOptions] = MappingProxyType(
    {
        "default": VideoOptions(),
        "found": VideoOptions(),
        "temporal-1": VideoOptions(temporal=1),
        "translation": VideoOptions(head="translation"),
        "dis": VideoOptions(preset="dis"),
        "farneback": VideoOptions(preset="farneback"),
        "tvl1": VideoOptions(preset="tvl1"),
        "tvl1-rigid": VideoOptions(preset="tvl1", head="rigid"),
        "auwgcn": VideoOptions(preset="auwgcn"),
    }
)

HELD_OUT: Mapping[str, tuple[Sequence[tuple[Person, int]], dict[str, Any]]] = MappingProxyType(
    {
        "coelho": ([("coelho", 801 + seed) for seed in range(4)], {}),
        "coelho, JPEG 75": ([("coelho", 801 + seed) for seed in range(4)], {"jpeg": 75}),
        "coelho, roll, yaw, pitch 1°, zoom 1 %": (
            [("coelho", 801 + seed) for seed in range(4)],
            {"roll": 1.0, "yaw": 1.0, "pitch": 1.0, "zoom": 0.01},
        ),
        "coelho, hand at the chin alone": (
            [("coelho", 801 + seed) for seed in range(4)],
            {"hand": True, "expressions": 0, "drift": 1.5},
        ),
        "H.264, crf 23": (REPORTED[:4], {"crf": 23}),
        "light of one side by 20 %": (REPORTED[:4], {"light": 0.2}),
        "pitch 4°": (REPORTED[:4], {"pitch": 4.0}),
    }
)
"""A face and scenes that no parameter was chosen on."""

RATES = ((30.0, 1), (30.0, 3), (100.0, 1), (100.0, 10), (200.0, 1), (200.0, 20))
"""Frames a second, and the step: 1, and half of an expression of 0.2 s."""


COMPRESSED = ((23, 1), (23, 3), (23, 6), (18, 1), (18, 3), (18, 6))
"""Quality of H.264 (CRF), and the step."""

WRONG = 0.3
"""Error in px from which on a feature is wrong."""

FEW = 50
"""Wrong features of which no share is given."""

MAGNIFIED_STEP = 6
"""Frames between which motion is magnified: from rest to the apex."""

BAND = (0.5, 10.0)
"""Hz; of motion that is magnified in Eulerian form."""

COLUMNS = "frel | gain | SNR | AUC | still, px | doubted"


def measured(footage: Footage, preset: str, step: int) -> tuple[Field, NDArray[np.bool_]]:
    """The features (T - step, 12, 2) of a preset in px, NaN where unknown, and which (T - step, 12) are valid."""
    landmarks = None if preset == "found" else footage.landmarks
    height, width = footage.frames.shape[1:]
    box = None if preset == "found" else (0, 0, width, height)
    result = extract_video(list(footage.frames), landmarks, replace(PRESETS[preset], step=step), box=box)
    return result.feature * np.float32(result.unit_px), result.valid


def row(films: Sequence[Footage], preset: str, step: int = 1) -> str:
    """The figures of one preset over all videos of a case."""
    measurements, valid = zip(*(measured(footage, preset, step) for footage in films), strict=True)
    features = [np.nan_to_num(feature) for feature in measurements]
    results = list(zip(features, films, strict=True))
    estimate = np.concatenate([feature.ravel() for feature, _ in results]).astype(np.float64)
    truth = np.concatenate([footage.truth.ravel() for _, footage in results]).astype(np.float64)
    brows = np.concatenate([(feature - footage.truth)[:, :6].ravel() for feature, footage in results])
    relative = gain = ratio = area = "–"
    if (truth**2).sum() > 1e-6:
        relative = f"{np.sqrt(((estimate - truth) ** 2).sum() / (truth**2).sum()):.2f}"
        gain = f"{(estimate * truth).sum() / (truth**2).sum():.2f}"
    detected = [figures for figures in (_detection(*result) for result in results) if figures is not None]
    if detected:
        ratio, area = f"{np.median([snr for snr, _ in detected]):.1f}", f"{np.mean([auc for _, auc in detected]):.2f}"
    wrong = np.concatenate(
        [np.linalg.norm(feature - footage.truth, axis=2) > WRONG for feature, footage in results]
    ).ravel()
    known = np.isfinite(np.concatenate(measurements)).all(axis=2).ravel()
    doubted, wrong = ~np.concatenate(valid).ravel()[known], wrong[known]
    of_wrong = f"{100 * doubted[wrong].mean():.0f} %" if wrong.sum() >= FEW else "–"
    still = np.sqrt((brows**2).mean())
    return f"{relative} | {gain} | {ratio} | {area} | {still:.3f} | {of_wrong}, {100 * doubted[~wrong].mean():.1f} %"


def magnified(footage: Footage, factor: float, band: tuple[float, float] | None, fps: float) -> tuple[Field, Field]:
    """Features between frames ``MAGNIFIED_STEP`` apart, of motion that was magnified, over the factor; and the truth.

    Both are (pairs, 12, 2). The later frame is magnified along the flow, or the whole video in a band of frequencies.
    """
    frames = footage.frames if band is None else eulerian(footage.frames, factor, band, fps)
    features, places = [], range(0, len(frames) - MAGNIFIED_STEP, 3)
    for place in places:
        first, second = frames[place], frames[place + MAGNIFIED_STEP]
        if band is None and factor > 1:
            second = along_flow(first, second, flow_fields(first, second, Recipe()), factor)
        landmarks = np.repeat(footage.landmarks[place : place + 1], 2, axis=0)
        height, width = first.shape
        result = extract_video([first, second], landmarks, VideoOptions(temporal=1), box=(0, 0, width, height))
        features.append(np.nan_to_num(result.feature[0] * np.float32(result.unit_px / factor)))
    return np.stack(features), footage.truth[places]


def magnification() -> None:
    """Print the effect of magnification on features."""
    scene = Scene(amplitude=0.5, rise=MAGNIFIED_STEP)
    films = [film(replace(scene, person=person, seed=seed), MAGNIFIED_STEP) for person, seed in REPORTED[:2]]
    print(
        f"\nMagnified motion: half a pixel, frames {MAGNIFIED_STEP} apart, features over the factor:\n\n"
        "| magnified | factor | frel | gain |\n|---|---|---|---|"
    )
    for band, factor in [(None, 1.0), *((band, factor) for band in (None, BAND) for factor in (2.0, 4.0, 8.0))]:
        pairs = [magnified(footage, factor, band, scene.fps) for footage in films]
        estimate, truth = (np.concatenate(parts).astype(np.float64) for parts in zip(*pairs, strict=True))
        power = (truth**2).sum()
        how = "not" if factor == 1 else "along the flow" if band is None else f"{band[0]:g}-{band[1]:g} Hz"
        relative, gain = np.sqrt(((estimate - truth) ** 2).sum() / power), (estimate * truth).sum() / power
        print(f"| {how} | {factor:g} | {relative:.2f} | {gain:.2f} |", flush=True)


def steps(kind: str, settings: Sequence[tuple[float, int]], people: Sequence[tuple[Person, int]]) -> None:
    """Print how well the default does over more frames, at several rates or qualities of the video."""
    title = {"rate": ("at several rates", "frames a second"), "compressed": ("on H.264", "CRF")}[kind]
    print(f"\nThe default {title[0]}:\n\n| {title[1]} | step | {COLUMNS} |\n|---|---|---|---|---|---|---|---|")
    for value, step in settings:
        scene = Scene(fps=value, frames=round(1.6 * value) + step) if kind == "rate" else Scene(crf=round(value))
        footage = [film(replace(scene, person=person, seed=seed), step) for person, seed in people]
        print(f"| {value:g} | {step} | {row(footage, 'default', step)} |", flush=True)


def _detection(feature: Field, footage: Footage) -> tuple[float, float] | None:
    """SNR and AUC of one video; None where nothing is expressed."""
    if not footage.active.any():
        return None
    speed, true_speed = (np.linalg.norm(field, axis=2).max(axis=1) for field in (feature, footage.truth))
    neutral, moving = speed[~footage.active], speed[footage.active & (true_speed > 0.03)]
    above = (moving[:, None] > neutral).mean() + (moving[:, None] == neutral).mean() / 2
    return float(speed[footage.active].max() / max(np.percentile(neutral, 95), 1e-6)), float(above)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Fidelity of the presets on synthetic faces.")
    parser.add_argument(
        "--presets", default="default,found,temporal-1,translation,dis,farneback", help=", ".join(PRESETS)
    )
    parser.add_argument("--cases", default="", help="only cases that begin with one of these")
    parser.add_argument("--seeds", type=int, default=2, help="videos of each face")
    parser.add_argument("--tuning", action="store_true", help="the videos that parameters were chosen on")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    people = TUNING if options.tuning else REPORTED[: 2 * options.seeds]
    presets, wanted = options.presets.split(","), tuple(options.cases.split(","))
    chosen = {name: (people, case) for name, case in CASES.items() if name.startswith(wanted)}
    held_out = {name: each for name, each in HELD_OUT.items() if "held out".startswith(wanted)}
    for title, cases in (("", chosen), ("A face and scenes that no parameter was chosen on:\n\n", held_out)):
        if cases:
            print(f"\n{title}| video | preset | {COLUMNS} |\n|---|---|---|---|---|---|---|---|")
        for name, (faces, case) in cases.items():
            footage = [film(Scene(person, seed, **case)) for person, seed in faces]
            for preset in presets:
                print(f"| {name} | {preset} | {row(footage, preset)} |", flush=True)
    if "magnified".startswith(wanted):
        magnification()
    for kind, settings in (("rate", RATES), ("compressed", COMPRESSED)):
        if kind.startswith(wanted):
            steps(kind, settings, people[:2])


if __name__ == "__main__":
    main()
