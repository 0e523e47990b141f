"""Facial actions as smooth pushes on the skin: a table, and the profile of an expression over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["micro", "macro", "blink"]
BLINK = 45
"""The action unit of a blink (FACS)."""


@dataclass(frozen=True)
class Push:
    """A Gaussian displacement of the skin around the mean of some landmarks.

    ``dx`` and ``dy`` are relative to the strength of the expression (x right, y down); ``sigma`` is a fraction of the
    width of the face. Sigmas are wide enough that the map stays invertible for the strengths used here.
    """

    landmarks: tuple[int, ...]
    dx: float
    dy: float
    sigma: float


@dataclass(frozen=True)
class Expression:
    """One annotated movement: 0-based frames, both ends included; ``strength`` in px at the apex."""

    onset: int
    apex: int
    offset: int
    kind: Kind
    aus: tuple[int, ...]
    strength: float

    def at(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """How far the expression has developed at some frames: 0 at onset and offset, 1 at the apex, smooth."""
        rise = np.clip((frames - self.onset) / max(self.apex - self.onset, 1), 0, 1)
        fall = np.clip((self.offset - frames) / max(self.offset - self.apex, 1), 0, 1)
        return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.minimum(rise, fall)))


ACTIONS: Mapping[int, tuple[Push, ...]] = MappingProxyType(
    {
        1: (Push((20, 21), 0.0, -1.0, 0.10), Push((22, 23), 0.0, -1.0, 0.10)),
        2: (Push((17, 18), 0.0, -1.0, 0.10), Push((25, 26), 0.0, -1.0, 0.10)),
        4: (Push((19, 20, 21), 0.4, 0.9, 0.11), Push((22, 23, 24), -0.4, 0.9, 0.11)),
        6: (Push((41, 48), 0.1, -0.8, 0.12), Push((46, 54), -0.1, -0.8, 0.12)),
        7: (Push((40, 41), 0.0, -0.5, 0.06), Push((46, 47), 0.0, -0.5, 0.06)),
        12: (Push((48,), -0.7, -0.7, 0.11), Push((54,), 0.7, -0.7, 0.11)),
        15: (Push((48,), 0.0, 0.9, 0.10), Push((54,), 0.0, 0.9, 0.10)),
        17: (Push((8, 57), 0.0, -0.9, 0.12),),
        25: (Push((57, 66), 0.0, 0.9, 0.09), Push((51, 62), 0.0, -0.4, 0.07)),
        BLINK: (Push((37, 38), 0.0, 1.0, 0.055), Push((43, 44), 0.0, 1.0, 0.055)),
    }
)
"""Action units (FACS) that can be played. Directions follow the FACS manual; sizes are invented."""

REPERTOIRE: tuple[tuple[int, ...], ...] = (
    (1,),
    (2,),
    (1, 2),
    (4,),
    (4, 7),
    (12,),
    (6, 12),
    (15,),
    (17,),
    (15, 17),
    (25,),
)
"""The combinations that expressions are drawn from."""


def schedule(
    rng: np.random.Generator,
    frames: int,
    fps: float,
    micro: int,
    macro: int,
    amplitude: float,
    macro_gain: float,
) -> tuple[Expression, ...]:
    """Expressions in random order that do not overlap; fewer than requested if the video is too short.

    Micro-expressions last 0.25-0.5 s and macro-expressions 0.6-2 s (Yan et al., 2013 put the limit at 0.5
    s). Peaks vary by +-30 % around ``amplitude`` px, ``macro_gain`` times that for macro-expressions.
    """
    kinds: list[Kind] = ["micro" if i < micro else "macro" for i in range(micro + macro)]
    rng.shuffle(kinds)
    lengths = [rng.uniform(0.25, 0.5) if kind == "micro" else rng.uniform(0.6, 2.0) for kind in kinds]
    durations = [max(3, round(length * fps)) for length in lengths]
    out = []
    start = 0
    for index, (kind, duration) in enumerate(zip(kinds, durations, strict=True)):
        spare = frames - start - sum(durations[index:])
        if spare < 1:
            continue
        onset = start + int(rng.integers(0, max(1, spare // (len(kinds) - index)) + 1))
        offset = onset + duration - 1
        apex = onset + max(1, min(duration - 2, round(duration * rng.uniform(0.35, 0.6))))
        strength = amplitude * rng.uniform(0.7, 1.3) * (macro_gain if kind == "macro" else 1.0)
        aus = REPERTOIRE[int(rng.integers(len(REPERTOIRE)))]
        out.append(Expression(onset, apex, offset, kind, aus, strength))
        start = offset + 1
    return tuple(out)


def blinks(
    rng: np.random.Generator, frames: int, fps: float, per_minute: float, strength: float
) -> tuple[Expression, ...]:
    """Blinks of 0.2-0.3 s at random times, one after the other.

    They may fall into an expression, as real ones do.
    """
    out: list[Expression] = []
    for onset in np.flatnonzero(rng.random(frames) < per_minute / (60.0 * fps)):
        # two at once would fold the skin
        if out and onset <= out[-1].offset:
            continue
        duration = max(3, round(rng.uniform(0.2, 0.3) * fps))
        apex = int(onset) + max(1, duration // 3)
        out.append(Expression(int(onset), apex, int(onset) + duration - 1, "blink", (BLINK,), strength))
    return tuple(out)
