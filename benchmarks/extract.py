"""How long an extraction takes, side by side with decoding and with a plain script.

    python benchmarks/extract.py [--frames 480] [--videos 8] [--size 640x480] [--face 130]

First the stages on arrays, one thread, JPEG files of a synthetic video in memory. The plain script works as such
scripts do: it detects the face in every frame, runs DualTVL1 on every pair, writes the flow to two 8-bit JPEG files,
reads them back, and goes through the regions pixel by pixel. Then videos of other kinds: a face of 200 px that talks,
blinks, turns and sways, and a picture without a face. Then `me-datasets extract` as a whole process on files, with one
worker and with two, against decoding the same files; and on a few of them, to tell the work from starting up.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from measure import PROGRAM, measure
from numpy.typing import NDArray
from scenes import Scene, film

from datasets_me.core.choices import LANDMARKS_EVERY
from datasets_me.features.boxes import Box
from datasets_me.features.coarse import CoarseFlow, CoarseFlows
from datasets_me.features.crop import SAMPLE, choose_crop, cut
from datasets_me.features.faces import detector
from datasets_me.features.flow import flow_stream
from datasets_me.features.landmarks import Tracker, predict, smooth, track
from datasets_me.features.mdmo import mdmo
from datasets_me.features.regions import TWELVE, Sectors
from datasets_me.features.rigid import rigid_free
from datasets_me.features.stages import measured_width
from datasets_me.features.video import extract_video
from datasets_me.formats import manifest as manifests
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.schema import schema_files
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

Image = NDArray[np.uint8]

BASELINE_PAIRS = 3
"""The plain script is too slow for more."""

FEW = 2
"""Videos of the shorter runs: what more of them take is the work without starting up."""

REPEATS = 5

ROUNDS = 3
"""Of the whole processes: in each all are run in turn, so that a machine's slow minute slows all of them."""


def milliseconds(call: Callable[[], object], frames: int, repeats: int = REPEATS) -> float:
    """The time of the processor that the fastest of some runs takes, per frame."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1000 * min(times) / frames


def main_direction(vectors: list[NDArray[np.float32]], sectors: Sectors, keep: float) -> NDArray[np.float32]:
    """The published rule, one vector after the other."""
    groups: list[list[NDArray[np.float32]]] = [[] for _ in sectors]
    for vector in vectors:
        angle = np.degrees(np.arctan2(vector[1], vector[0])) % 360
        for group, (low, high) in zip(groups, sectors, strict=True):
            if low <= angle < high or (low > high and (angle >= low or angle < high)):
                group.append(vector)
                break
    fullest = max(groups, key=len)
    lengths = [np.linalg.norm(vector) for vector in fullest]
    strongest = np.argsort(lengths)[::-1][: int(len(fullest) * keep)]
    total = sum((fullest[index] for index in strongest), np.zeros(2, np.float32))
    mean = sum(lengths[index] for index in strongest) / max(len(strongest), 1)
    return np.asarray(total / (np.linalg.norm(total) + 1e-6) * mean)


def looped_regions(flow: NDArray[np.float32], points: NDArray[np.int64]) -> list[NDArray[np.float32]]:
    """The twelve regions of one frame, pixel by pixel: flow (H, W, 2), landmarks (68, 2)."""
    margin = int(0.35 * (points[42][0] - points[39][0]) / 2)
    (x0, y0), (x1, y1) = points[29:31].min(axis=0) - margin, points[29:31].max(axis=0) + margin
    box = [flow[y, x] for y in range(y0, y1 + 1) for x in range(x0, x1 + 1)]
    head = main_direction(box, TWELVE.head.sectors, TWELVE.head.keep)
    features = []
    for region in TWELVE.regions:
        x, y = points[next(iter(region.weights))]
        window = [flow[r, c] - head for r in range(y - 5, y + 6) for c in range(x - 5, x + 6)]
        features.append(main_direction(window, TWELVE.sectors, TWELVE.keep))
    return features


def plain_script(files: list[NDArray[np.uint8]], box: Box, folder: Path) -> None:
    """What a published preprocessing script does, on a few pairs of frames."""
    tvl1 = cv2.optflow.DualTVL1OpticalFlow_create()
    previous: Image | None = None
    for index, file in enumerate(files):
        grey = np.ascontiguousarray(cut(cv2.cvtColor(cv2.imdecode(file, 1), cv2.COLOR_BGR2GRAY), box))
        points = np.rint(predict(grey, detector("dlib").detect(grey)[0].box).points).astype(np.int64)
        if previous is not None:
            field = tvl1.calc(previous, grey, None)
            codes = np.round((np.clip(field, -10, 10) + 10) / 20 * 255).astype(np.uint8)
            names = [str(folder / f"flow_{axis}_{index:05d}.jpg") for axis in "xy"]
            for axis, name in enumerate(names):
                cv2.imwrite(name, codes[..., axis])
            back = [cv2.imread(name, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255 - 0.5 for name in names]
            looped_regions(np.stack(back, axis=-1), points)
        previous = grey


class Files(Sequence[Image]):
    """JPEG files in memory, decoded in grey when they are asked for."""

    def __init__(self, files: Sequence[NDArray[np.uint8]]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int | slice) -> Image | list[Image]:  # type: ignore[override]
        if isinstance(index, slice):
            return [cv2.imdecode(file, cv2.IMREAD_GRAYSCALE) for file in self.files[index]]
        return cv2.imdecode(self.files[index], cv2.IMREAD_GRAYSCALE)


def kinds(still: Sequence[NDArray[np.uint8]]) -> None:
    """Print how long videos of other kinds take, in time of the processor."""
    talking = Scene(
        seed=601,
        frames=len(still),
        size=(640, 360),
        width=200,
        speech=3,
        blink=True,
        roll=4,
        yaw=6,
        pitch=3,
        zoom=0.03,
        drift=8,
    )
    moving = (cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR) for frame in film(talking).frames)
    rng = np.random.default_rng(0)
    wall = cv2.GaussianBlur(rng.integers(0, 255, (540, 960, 3)).astype(np.uint8), (0, 0), 5)
    wall = cv2.normalize(wall, None, 0, 255, cv2.NORM_MINMAX).astype(np.float32)
    empty = (
        np.clip(np.roll(wall, t, 1) + rng.normal(0, 2, wall.shape), 0, 255).astype(np.uint8) for t in range(len(still))
    )
    videos = {"a still face": still}
    for name, frames in (("a moving face, 200 px in 640 x 360", moving), ("no face, 960 x 540", empty)):
        videos[name] = [cv2.imencode(".jpg", frame)[1] for frame in frames]
    print("\n| video | decoding in colour, ms of CPU | all of it, ms of CPU | times decoding |\n|---|---|---|---|")
    for name, files in videos.items():
        times: list[list[float]] = [[], []]
        for _ in range(ROUNDS):
            for spent, call in zip(times, (lambda: show(files), lambda: extract_video(Files(files))), strict=True):  # noqa: B023 - called at once
                start = time.process_time()
                call()
                spent.append(1000 * (time.process_time() - start) / len(files))
        decoding, whole = map(min, times)
        print(f"| {name} | {decoding:.2f} | {whole:.2f} | {whole / decoding:.1f} |", flush=True)


def flow_around(pictures: Sequence[Image], points: NDArray[np.float32], face_width: float | None) -> list[CoarseFlow]:
    """The flow of each pair of pictures around landmarks (T, 68, 2)."""
    seen = [points[0]]

    def shown() -> Iterator[Image]:
        for picture, landmarks in zip(pictures, points, strict=True):
            seen[0] = landmarks
            yield picture

    fields = flow_stream(shown(), face_width=face_width, landmarks=seen)
    return [field for field in fields if isinstance(field, CoarseFlow)]


def show(files: Sequence[NDArray[np.uint8]]) -> None:
    """Decode JPEG files in colour, and keep nothing: memory for all pictures takes longer than some of them."""
    for file in files:
        cv2.imdecode(file, cv2.IMREAD_COLOR)


def decode(files: Sequence[NDArray[np.uint8]]) -> list[Image]:
    """The pictures of JPEG files, in colour."""
    return [cv2.imdecode(file, cv2.IMREAD_COLOR) for file in files]


def whole_runs(film: FaceVideoOptions, videos: int, plain: float) -> None:
    """Print frames/s of `me-datasets extract` on files, starting up included, and of decoding the same files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = []
        for number in range(videos):
            rows.append(_video(f"{15 + number}", film.frames))
            frames = folder / "raw" / str(rows[-1].path)
            frames.mkdir(parents=True)
            for index, frame in enumerate(FaceVideo(number, 300, film).frames(), start=1):
                cv2.imwrite(str(frames / f"img{index:03}.jpg"), frame)
        manifests.write(Manifest(schema_files.load("casme-sq"), [], rows, [], "three-sheets"), folder / "m")
        files = sorted(folder.glob("raw/**/*.jpg"))

        def decode_all() -> None:
            for file in files:
                cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR)

        count = len(files)
        again = [*PROGRAM, "extract", "m", "--root", "raw", "-o", "out", "--workers", "1"]
        few = [option for row in rows[:FEW] for option in ("--videos", row.video)]
        one, two = [*again, "--force"], [*again[:-1], "2", "--force"]
        commands = [one, two, [*one, *few], [*two, *few], again]
        decoded, spent, rounds = [], [], []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            spent.append(milliseconds(decode_all, count, 1))
            decoded.append(1000 * (time.perf_counter() - began) / count)
            rounds.append([measure(command, folder, runs=1) for command in commands])
        decoding, cpu = min(decoded), min(spent)
        *found, few_by_one, few_by_two, idle = (
            min(runs, key=lambda run: run.seconds) for runs in zip(*rounds, strict=True)
        )
    print(f"\nwhole processes, {videos} videos, {count} frames on disk, the fastest of {ROUNDS} rounds\n")
    print("| | frames/s | times decoding | CPU, times decoding | peak MB of one process |\n|---|---|---|---|---|")
    print(f"| decoding only, one thread | {1000 / decoding:.0f} | 1.00 | 1.00 | |")
    for workers, run in enumerate(found, start=1):
        ratio, share = 1000 * run.seconds / count / decoding, 1000 * run.cpu / count / cpu
        print(
            f"| extract --workers {workers} | {count / run.seconds:.0f} | {ratio:.2f} | {share:.2f} "
            f"| {run.megabytes:.0f} |"
        )
    print(f"| extract again, nothing to do | {count / idle.seconds:.0f} | | | {idle.megabytes:.0f} |")
    further = [(many.seconds - few.seconds) for many, few in zip(found, (few_by_one, few_by_two), strict=True)]
    print(f"\n- two workers over one: {found[0].seconds / found[1].seconds:.2f} x")
    print(f"- the same for each further video, starting up left out: {further[0] / further[1]:.2f} x")
    each = 1000 * further[0] / (count * (videos - FEW) / videos)
    print(f"- one worker, each further video: {each / decoding:.2f} x decoding")
    print(f"- plain script over extract, one worker: {plain / (1000 * found[0].cpu / count):.0f} x, by CPU")


def _video(subject: str, frames: int) -> Video:
    return Video(
        dataset="casme-sq",
        subject=f"casme_{subject:0>3}",
        video=f"casme_{subject:0>3}_0101",
        layout="rawpic",
        path=f"rawpic/s{subject}/{subject}_0101disgustingteeth",
        frames=frames,
        fps=30,
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Speed of the array part of an extraction.")
    parser.add_argument("--frames", type=int, default=480, help="of each video")
    parser.add_argument("--videos", type=int, default=8, help="for the whole processes")
    parser.add_argument("--size", default="640x480", help="width x height of the raw frames")
    parser.add_argument("--face", type=float, default=130, help="width of the face in px")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    width, height = (int(value) for value in options.size.split("x"))
    count = options.frames
    options_of_film = FaceVideoOptions(
        frames=count, size=(width, height), face_width=options.face, micro=1, macro=1, colour=True, jpeg=None
    )
    files = [cv2.imencode(".jpg", frame)[1] for frame in FaceVideo(0, 200, options_of_film).frames()]

    frames = decode(files)
    finder = detector("dlib")
    crop = choose_crop(frames, finder)
    grey = [np.ascontiguousarray(cut(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), crop.box)) for frame in frames]
    face = finder.detect(grey[0])[0].box
    tracker = Tracker(finder, face, LANDMARKS_EVERY)
    points = np.stack([tracked.points for tracked in track(grey, tracker) if tracked.points is not None])
    if len(points) < count:
        raise SystemExit(f"landmarks in {len(points)} of {count} frames only")
    face_width = measured_width(points)
    coarse = flow_around(grey, points, face_width)
    fields = np.stack([field.everywhere() for field in coarse[:100]])

    def find_landmarks() -> None:
        smooth(np.stack([points for points, _ in track(grey, tracker) if points is not None]))

    def loop_regions() -> None:
        for field, places in zip(fields[:20], np.rint(points[:20]).astype(np.int64), strict=True):
            looped_regions(field, places)

    decoding = milliseconds(lambda: show(files), count)
    rows = [
        ("decoding the JPEG files (BGR)", decoding),
        (
            f"choosing the box ({SAMPLE} frames a video)",
            milliseconds(lambda: choose_crop(frames, finder), count),
        ),
        ("landmarks", milliseconds(find_landmarks, count)),
        ("flow, lk", milliseconds(lambda: flow_around(grey, points, face_width), count)),
        ("features, default", milliseconds(lambda: rigid_free(CoarseFlows(coarse), points[:-1]), count - 1)),
        ("features, main direction", milliseconds(lambda: mdmo(fields, points[: len(fields)]), len(fields))),
        ("features, exact", milliseconds(lambda: mdmo(fields, points[: len(fields)], exact=True), len(fields))),
    ]
    whole = milliseconds(lambda: extract_video(cv2.imdecode(file, cv2.IMREAD_COLOR) for file in files), count, 3)
    rows.append(("all of it, decoding included", whole))
    loops = milliseconds(loop_regions, 20)
    rows.append(("plain script: regions only", loops))
    with tempfile.TemporaryDirectory() as folder:
        plain = milliseconds(
            lambda: plain_script(files[: BASELINE_PAIRS + 1], crop.box, Path(folder)), BASELINE_PAIRS, 1
        )
    rows.append(("plain script: all of it", plain))
    shape = grey[0].shape
    print(f"frames {width} x {height}, crop {shape[1]} x {shape[0]}, {count} frames, one thread\n")
    print("| stage | ms of CPU a frame | times decoding |\n|---|---|---|")
    for name, value in rows:
        print(f"| {name} | {value:.2f} | {value / decoding:.2f} |")
    timing = dict(rows)
    print(f"\n- end to end over decoding: {whole / decoding:.2f} x")
    print(f"- plain script over end to end: {plain / whole:.0f} x")
    print(f"- regions, loops over default: {loops / timing['features, default']:.0f} x")
    print(f"- regions, loops over exact: {loops / timing['features, exact']:.0f} x")
    kinds(files)
    whole_runs(options_of_film, options.videos, plain)


if __name__ == "__main__":
    main()
