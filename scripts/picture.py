"""Draw the picture of the README from a synthetic video: ``docs/pictures/motion.png``.

On the left a frame with its 68 landmarks and twelve regions; on the right their motion, with the annotated expressions
shaded. Everything comes from the program's own output.

    python scripts/picture.py
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

import datasets_me as me
from datasets_me.core.engine import workers_for
from datasets_me.features.regions import TWELVE
from datasets_me.synthetic.film import Film

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "motion.png"
COLOURS = {"micro": "#D55E00", "macro": "#0072B2"}
X, Y = "#444444", "#009E73"
SHOWN = ("right_brow_inner", "left_brow_inner", "nose_tip", "mouth_right_corner", "mouth_left_corner", "mouth_bottom")
LONGER = 60
SHORTEST = 6  # px; shorter arrows hide the regions


def complete(manifest: me.Manifest, video: str) -> list[me.Annotation]:
    """The annotations of a video whose onset, apex and offset are known."""
    rows = [row for row in manifest.annotations if row.video == video]
    return [row for row in rows if None not in (row.onset, row.apex, row.offset)]


def main() -> None:
    """Draw the picture."""
    with tempfile.TemporaryDirectory() as name:
        draw(Path(name))


def draw(folder: Path) -> None:
    """Make a synthetic video, extract it, and draw it."""
    made = me.make_synthetic(me.load_schema("casme-sq"), folder / "set", subjects=1, seed=7, film=Film())
    manifest = me.with_folders(
        me.convert(me.load_schema(str(folder / "set" / "schema.yaml")), made.workbook).manifest(),
        folder / "set" / "frames",
    )
    root = folder / "set" / "frames"
    me.extract(manifest, root, folder / "features", me.ExtractOptions(), workers=workers_for(0))
    features = me.read_features(folder / "features", manifest)
    row = next(row for row in features.rows if {one.type for one in complete(manifest, row.video)} == set(COLOURS))
    motion = np.asarray(features.load(row))
    landmarks = np.asarray(features.of_landmarks(row, "landmarks"), np.float64)
    expressions = complete(manifest, row.video)
    peak = int(np.nanargmax(np.abs(motion).sum(axis=(1, 2))))
    frames = sorted((root / str(row.path)).glob("*.jpg"))
    image = cv2.cvtColor(cv2.imread(str(frames[peak])), cv2.COLOR_BGR2RGB)

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subfigures(1, 2, width_ratios=[1, 2.1])
    face = left.subplots()
    x0, y0, x1, y1 = row.box
    face.imshow(image[y0:y1, x0:x1], extent=(x0, x1, y1, y0))
    face.plot(*landmarks[peak].T, ".", markersize=3, color="white", alpha=0.8)
    centres = TWELVE.matrix() @ landmarks[peak]
    face.plot(*centres.T, "s", markersize=13, markerfacecolor="none", markeredgecolor="#F0E442")
    for (x, y), (u, v) in zip(centres, motion[peak] * LONGER, strict=True):
        if np.hypot(u, v) > SHORTEST:
            face.annotate("", (x + u, y + v), (x, y), arrowprops={"arrowstyle": "->", "color": "#D55E00", "lw": 1.6})
    face.set_title(f"landmarks, regions, motion ({LONGER} ×)", fontsize=10, loc="left")
    face.axis("off")

    lanes = right.subplots(len(SHOWN), 1, sharex=True, sharey=True)
    for lane, region in zip(lanes, SHOWN, strict=True):
        for one in expressions:
            lane.axvspan(one.onset, one.offset, color=COLOURS[one.type], alpha=0.18, linewidth=0)
            lane.axvline(one.apex, color=COLOURS[one.type], linewidth=0.9, linestyle=":")
        index = TWELVE.names.index(region)
        lane.plot(motion[:, index, 0], color=X, linewidth=1)
        lane.plot(motion[:, index, 1], color=Y, linewidth=1)
        lane.set_ylabel(region.replace("_", " "), rotation=0, ha="right", va="center", fontsize=9)
        lane.spines[["top", "right"]].set_visible(False)
        lane.tick_params(labelsize=8)
    lanes[0].set_title(
        "px a frame: x grey, y green; annotated: micro orange, macro blue, apex dotted", fontsize=10, loc="left"
    )
    lanes[-1].set_xlabel("frame", fontsize=9)
    content = io.BytesIO()
    figure.savefig(content, dpi=100)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    Image.open(content).convert("RGB").quantize(256).save(PICTURE, optimize=True)
    print(f"{PICTURE.name}: {PICTURE.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
