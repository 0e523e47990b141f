"""What features are worth to a published spotter: F1 of AUW-GCN on long synthetic videos, one subject left out in turn.

    python benchmarks/spotting.py CHECKOUT [--people 4] [--frames 600] [--features default] [--seeds 3] [--epochs 100]

CHECKOUT is a checkout of github.com/xjtupanda/AUW-GCN, which is run as it is: its training, its proposals, its choice
of the best epoch and its rule of what counts as found. It needs pandas below 3. Only what it writes for TensorBoard
goes nowhere. Videos have few expressions, with blinks in between and a head that sways and turns all the time (roll 2°,
yaw 4°); the faces are those of ``datasets_me.synthetic``. A step of training takes ``--batch`` segments, since so few
people have hardly as many as the 128 of the project's own steps. One set of four people takes ten minutes on a core.

``default``, ``dis`` and so on are presets; ``auwgcn`` is the published feature in its units of 20 px, and ``auwgcn-px``
the same in px. Both need DualTVL1, which takes half a second for a pair of frames.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from datasets_me.export import auwgcn
from datasets_me.features.video import VideoOptions, extract_video
from datasets_me.formats import features as feature_files
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import ActionUnit, Annotation
from datasets_me.schema import schema_files
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

PROJECT = "cas(me)^2"

WITHOUT_TENSORBOARD = """
import runpy, sys, types
class SummaryWriter:
    def __init__(self, *_): pass
    def add_scalar(self, *_): pass
    def close(self): pass
module = types.ModuleType("torch.utils.tensorboard")
module.SummaryWriter = SummaryWriter
sys.modules[module.__name__] = module
script = sys.argv.pop(1)
sys.path.insert(0, script.rpartition("/")[0])
runpy.run_path(script, run_name="__main__")
"""


def people(count: int, frames: int, seed: int) -> dict[str, FaceVideo]:
    """A long video of each of some people, by the name of the subject."""
    film = FaceVideoOptions(
        frames=frames,
        size=(220, 240),
        micro=max(1, frames // 200),
        macro=max(1, frames // 300),
        blinks=20,
        head_motion=3.0,
        roll=2.0,
        yaw=4.0,
        noise=1.5,
        people=True,
        pores=False,
    )
    return {f"casme_{15 + number:03}": FaceVideo(number, 1000 * seed, film) for number in range(count)}


def manifest_of(videos: dict[str, FaceVideo]) -> Manifest:
    """The expressions of all videos, as if they had been read from a workbook."""
    rows = [
        Annotation(
            id=f"{subject}_0101:{number}",
            dataset="casme-sq",
            subject=subject,
            video=f"{subject}_0101",
            type=each.kind,
            onset=each.onset,
            apex=each.apex,
            offset=each.offset,
            fps=video.options.fps,
            aus=[ActionUnit(au=unit) for unit in each.aus],
            source_file="synthetic",
            source_row=number,
        )
        for subject, video in videos.items()
        for number, each in enumerate(video.expressions, start=1)
    ]
    return Manifest(schema_files.load("casme-sq"), rows, [], [], "three-sheets")


def features_of(video: FaceVideo, name: str) -> NDArray[np.float32]:
    """The features (T - 1, 12, 2) of a video; unknown ones are 0."""
    result = _extracted(video, name.removesuffix("-px"))
    unit = result[1] if name.endswith("-px") else 1.0
    return np.asarray(np.nan_to_num(result[0] * np.float32(unit)), np.float32)


@cache
def _extracted(video: FaceVideo, preset: str) -> tuple[NDArray[np.float32], float]:
    result = extract_video(list(video.frames()), options=VideoOptions(preset=preset))
    return result.feature, result.unit_px


def trained(checkout: Path, folder: Path, subject: str, epochs: int, batch: int) -> list[float]:
    """Train on all but a subject: true positives, proposals and expressions of it, each of micro, macro and all."""
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    config[PROJECT] |= {"epochs": epochs, "epoch_begin": min(15, epochs - 1), "num_workers": 0, "batch_size": batch}
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    for script in ("train.py", "eval.py"):
        arguments = [str(checkout / script), "--dataset", PROJECT, "--output", "output", "--subject", subject]
        command = [sys.executable, "-c", WITHOUT_TENSORBOARD, *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{script} failed: {done.stderr.strip()[-1000:]}")
    table = pd.read_csv(folder / "output" / subject / "best_res.csv")
    return [float(value) for value in table.sum(axis=0)]


def scores(counts: list[float]) -> Iterator[float]:
    """F1 of micro, macro and all expressions."""
    for found, proposed, there in zip(counts[::3], counts[1::3], counts[2::3], strict=True):
        yield 2 * found / (proposed + there) if proposed + there else 0.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="F1 of a published spotter on features of long synthetic videos.")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--features", default="default,auwgcn,auwgcn-px", help="presets, or auwgcn-px")
    parser.add_argument("--seeds", type=int, default=3, help="sets of videos")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch", type=int, default=4, help="segments of a step of training")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    checkout = options.checkout.resolve()
    print("| features | seed | F1 micro | F1 macro | F1 all |\n|---|---|---|---|---|")
    for seed in range(options.seeds):
        videos = people(options.people, options.frames, seed)
        manifest = manifest_of(videos)
        for name in options.features.split(","):
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place)
                for subject, video in videos.items():
                    path = folder / "features" / subject / f"{subject}_0101.npy"
                    path.parent.mkdir(parents=True)
                    np.save(path, features_of(video, name))
                auwgcn.write(manifest, feature_files.read(folder / "features", manifest), folder / "project")
                parts = [
                    trained(checkout, folder / "project", subject, options.epochs, options.batch) for subject in videos
                ]
            total = [sum(column) for column in zip(*parts, strict=True)]
            print(f"| {name} | {seed} | {' | '.join(f'{value:.2f}' for value in scores(total))} |", flush=True)


if __name__ == "__main__":
    main()
