"""Real faces for a synthetic dataset: their expressions are those of the workbook, and no others."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datasets_me.convert.action_units import read_action_units
from datasets_me.core.choices import Distractor
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.paths import safe_name
from datasets_me.synthetic.actions import ACTIONS, BLINK, REPERTOIRE, Expression
from datasets_me.synthetic.distractors import DISTRACTORS
from datasets_me.synthetic.draft import Draft, Folder, Row
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

CROP_WIDTH = 170
"""Width in px of the dataset's own cropped images."""


@dataclass(frozen=True)
class Film:
    """How a synthetic dataset is filmed.

    Attributes:
        size: width and height of a frame in px.
        fps: frames per second of blinks and of the sway of the head, whatever the rate of the annotations; None for
            30, and for that of the dataset where expressions have real lengths.
        amplitude: largest displacement of the skin at the apex of a micro-expression in px, +-30 %; three times that
            for macro-expressions.
        noise: standard deviation of the sensor's noise in grey values.
        flicker: standard deviation of the gain of a frame.
        head_motion: slow sway of the head in px.
        disturbed: what disturbs the measuring, as ``distractors.DISTRACTORS`` has it.
        people: every subject is another person, instead of one in other proportions and light.
        flow: also write the dense true flow of every video, which takes much more room than the frames.
    """

    size: tuple[int, int] = (320, 240)
    fps: float | None = None
    amplitude: float = 1.0
    noise: float = 1.0
    flicker: float = 0.0
    head_motion: float = 0.5
    disturbed: tuple[Distractor, ...] = ()
    people: bool = False
    flow: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            MeDatasetsError: one of them is out of range.
        """
        limits = {
            "fps": (1, 1000),
            "amplitude": (0, 20),
            "noise": (0, 100),
            "flicker": (0, 0.5),
            "head_motion": (0, 50),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise MeDatasetsError(f"--{name.replace('_', '-')} must be from {low:g} to {high:g}, not {value:g}")
        unknown = [name for name in self.disturbed if name not in DISTRACTORS]
        if unknown:
            raise MeDatasetsError(
                f"--with does not know '{unknown[0]}'", fix=f"choose from all, {', '.join(DISTRACTORS)}"
            )
        if not all(16 <= side <= 4096 for side in self.size):
            raise MeDatasetsError(f"--size must be from 16 to 4096 px, not {self.size[0]}x{self.size[1]}")


class Studio:
    """The videos of a draft. Calling it with a folder and the number in a file's name gives that frame."""

    def __init__(self, draft: Draft, seed: int, film: Film) -> None:
        self.draft, self.seed, self.film = draft, seed, film

    @cached_property
    def videos(self) -> dict[str, FaceVideo]:
        """The video of each name."""
        subjects = {subject: index for index, subject in enumerate(dict.fromkeys(map(_subject, self.draft.rows)))}
        rows: dict[str, list[Row]] = {}
        for row in self.draft.rows:
            if not row.lost:
                rows.setdefault(row.identity.video, []).append(row)
        return {name: self._filmed(name, subjects[_subject(group[0])], group) for name, group in rows.items()}

    def __call__(self, folder: Folder, number: int) -> Image.Image:
        """The picture of a file."""
        layout = folder.layout
        # a folder without annotations shows the first video
        video = self.videos.get(folder.video) or next(iter(self.videos.values()))
        onset = folder.rows[0].frames["onset"] if folder.rows and layout.numbers == "clip" else 0
        frame = number - layout.base + onset
        image = Image.fromarray(video.frame(int(np.clip(frame, 0, len(video) - 1)))[..., ::-1])
        if not layout.cropped:
            return image
        low, high = video.landmarks[0].min(axis=0), video.landmarks[0].max(axis=0)
        margin = 0.1 * (high - low)
        x0, y0, x1, y1 = (int(value) for value in (*(low - margin), *(high + margin)))
        part = image.crop((x0, y0, x1, y1))
        return part.resize((CROP_WIDTH, round(part.height * CROP_WIDTH / part.width)))

    def _filmed(self, name: str, subject: int, rows: list[Row]) -> FaceVideo:
        film, seed = self.film, zlib.crc32(f"{self.seed} {name}".encode())
        rng = np.random.default_rng(seed)
        options = FaceVideoOptions(
            frames=self.draft.lengths[name],
            fps=film.fps or (rows[0].fps if self.draft.real_lengths else 30.0),
            size=film.size,
            amplitude=film.amplitude,
            noise=film.noise,
            flicker=film.flicker,
            head_motion=film.head_motion,
            jpeg=None,
            colour=True,
            people=film.people,
        )
        for name in film.disturbed:
            options = replace(options, **DISTRACTORS[name])
        played = tuple(self._expression(row, rng) for row in rows)
        return FaceVideo(subject + 100 * self.seed, seed, options, played)

    def _expression(self, row: Row, rng: np.random.Generator) -> Expression:
        """The movement for a row of the workbook; with units of the repertoire where its own cannot be played."""
        units = {unit.au for unit in read_action_units(str(row.cells.get("aus") or "")).units}
        known = tuple(sorted(units & set(ACTIONS) - {BLINK})) or REPERTOIRE[int(rng.integers(len(REPERTOIRE)))]
        gain = 3.0 if row.type == "macro" else 1.0
        strength = self.film.amplitude * gain * rng.uniform(0.7, 1.3)
        return Expression(
            row.frames["onset"], row.frames["apex"], row.frames["offset"], row.type, known, float(strength)
        )


def write_truth(studio: Studio, folder: Path) -> None:
    """Write the true motion of every video to ``<video>.npz``.

    ``landmarks`` (T, 68, 2) in px; ``expressions`` and ``blinks`` (n, 4): onset, apex, offset and strength in px; with
    a hand, ``covered`` (T, 12): how much of the window of each of the twelve regions it hides, from 0 to 1; and with
    ``Film.flow``, ``flow`` (T - 1, H, W, 2) float32 in px from each frame to the next.
    """
    folder.mkdir()
    for name, video in studio.videos.items():
        arrays: dict[str, Any] = {
            "landmarks": video.landmarks,
            "expressions": _table(video.expressions),
            "blinks": _table(video.blinks),
        }
        if video.options.hand:
            arrays["covered"] = video.covered
        if studio.film.flow:
            arrays["flow"] = np.stack([video.flow(t) for t in range(len(video) - 1)])
        np.savez_compressed(folder / f"{safe_name(name)}.npz", **arrays)


def _table(expressions: tuple[Expression, ...]) -> NDArray[np.float64]:
    rows = [(item.onset, item.apex, item.offset, item.strength) for item in expressions]
    return np.array(rows, np.float64).reshape(len(rows), 4)


def _subject(row: Row) -> str:
    return row.identity.subject or ""
