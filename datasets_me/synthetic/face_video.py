"""Video of a real face moved by known amounts.

The portrait is the astronaut Eileen Collins, from the NASA Great Images database: "no known copyright
restrictions, released into the public domain" (scikit-image's ``data.astronaut``, from which the crop in
``portrait.png`` was taken). Where subjects are several people, half of them come from a portrait of Luis Pedro Coelho,
half turned away, which his package mahotas ships under the MIT licence (``luispedro.jpg``, from which
``portrait_coelho.png`` was taken). Their 68 landmarks were found once on enlarged pictures, averaged over 49 starting
boxes.

Every frame is one resampling of the same picture, so the motion between any two frames is known at every
pixel, to about 0.003 px (0.05 px beside a closing lid). Unlike in a camera's video, skin only slides
and never folds, lids are dragged over the eye instead of closing, light changes by one factor for the whole frame,
and each frame is coded as JPEG by itself. What disturbs the measuring, such as a hand or a head that turns, can be
added; the truth remains the motion of the skin, also where something covers it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.features.regions import TWELVE
from datasets_me.synthetic.actions import ACTIONS, Expression, Push, blinks, schedule
from datasets_me.synthetic.distractors import (
    CHIN,
    NOSE,
    SPEECH,
    SYLLABLES,
    TURNS,
    darkened,
    depth,
    hand,
    sampled,
    spots,
)
from datasets_me.synthetic.looks import RIM, look_of, mirrored, paint, rims

Image = NDArray[np.uint8]
Field = NDArray[np.float32]

OVERSAMPLING = 4
"""The picture is kept at this multiple of the video's resolution: cv2.remap rounds positions to 1/32 of a
pixel of the picture, which at this size is under 0.003 px (rms) of the video."""

INVERSION_STEPS = 30
"""Fixed-point steps at most from a map to its inverse; each shrinks the error by the map's gradient, which is
about 0.05 for an expression and 0.6 beside a closing lid."""

INVERTED = 1e-3
"""Change of a step in px at which the inverse is good enough."""


@dataclass(frozen=True)
class FaceVideoOptions:
    """What to film.

    Attributes:
        frames: number of frames.
        fps: frames per second; decides how many frames an expression lasts.
        size: width and height in px.
        face_width: distance between the ears (landmarks 0 and 16) in px; two thirds of the smaller side by
            default.
        micro, macro: how many expressions of each kind.
        amplitude: largest displacement of the skin at the apex of a micro-expression in px, +-30 %.
        macro_gain: how much larger macro-expressions are.
        blinks: blinks per minute; never part of ``expressions``.
        head_motion: slow sway of the head in px (with a little rotation).
        jolt: sudden shift of the head by this many px in about one frame of five, back in the next.
        roll, yaw: how far the head turns to either side in the picture plane and out of it, slowly, in degrees.
        zoom: how much the face grows and shrinks, slowly, as a fraction of its size.
        speech: motion of a mouth that talks all the time, in px; never part of ``expressions``.
        hand: a hand fidgets at the chin. See ``FaceVideo.covered``.
        glasses: rims that move with the head, and not with the skin.
        highlights: light spots that stay where they are, in grey values.
        brightness: of the picture before noise, as a factor.
        pattern: standard deviation of noise that is the same in every frame, in grey values.
        noise: standard deviation of the sensor's noise in grey values.
        flicker: standard deviation of the gain of a frame (0.005 is half a percent).
        jpeg: quality of the coding, or None for none.
        colour: BGR frames instead of grey ones.
        people: every subject is another person (``synthetic.looks``), not the same one in slightly other proportions
            and light.
        pores: fine grain on the skin, without which an enlarged portrait is smoother than a camera's picture; it also
            makes optical flow easier than on smooth skin.
    """

    frames: int = 60
    fps: float = 30.0
    size: tuple[int, int] = (200, 250)
    face_width: float | None = None
    micro: int = 1
    macro: int = 0
    amplitude: float = 1.0
    macro_gain: float = 3.0
    blinks: float = 12.0
    head_motion: float = 0.5
    jolt: float = 0.0
    roll: float = 0.0
    yaw: float = 0.0
    zoom: float = 0.0
    speech: float = 0.0
    hand: bool = False
    glasses: bool = False
    highlights: float = 0.0
    brightness: float = 1.0
    pattern: float = 0.0
    noise: float = 1.0
    flicker: float = 0.0
    jpeg: int | None = 95
    colour: bool = False
    people: bool = False
    pores: bool = True

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: there are no frames, no pixels or no frame rate.
        """
        if self.frames < 1 or min(self.size) < 1 or self.fps <= 0:
            raise ValueError(f"a video needs frames, a size and a rate, not {self.frames}, {self.size}, {self.fps}")


@dataclass(frozen=True)
class FaceVideo:
    """A video of one subject, made frame by frame on demand; the same arguments always give the same frames.

    ``subject`` decides what the face looks like, ``seed`` what happens in the video; ``planned`` are the expressions,
    where they are not drawn at random.
    """

    subject: int = 0
    seed: int = 0
    options: FaceVideoOptions = field(default_factory=FaceVideoOptions)
    planned: tuple[Expression, ...] | None = None

    def __len__(self) -> int:
        return self.options.frames

    @cached_property
    def width(self) -> float:
        """Distance between the ears in px before the subject's own proportions."""
        return self.options.face_width or min(self.options.size) * 2 / 3

    @cached_property
    def _plan(self) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
        options, rng = self.options, np.random.default_rng([self.seed, self.subject, 1])
        expressions = self.planned
        if expressions is None:
            expressions = schedule(
                rng,
                options.frames,
                options.fps,
                options.micro,
                options.macro,
                options.amplitude,
                options.macro_gain,
            )
        # most of the opening of an eye, which is about 7 % of the face's width
        return expressions, blinks(rng, options.frames, options.fps, options.blinks, 0.05 * self.width)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The annotated movements, in order of time."""
        return self._plan[0]

    @property
    def blinks(self) -> tuple[Expression, ...]:
        """The movements that are not annotated."""
        return self._plan[1]

    @cached_property
    def landmarks(self) -> NDArray[np.float32]:
        """True landmarks of every frame, (T, 68, 2) in px; they ride on the skin."""
        rest = self._subject[1]
        out = np.empty((len(self), 68, 2), np.float32)
        for t in range(len(self)):
            out[t] = rest + _sample(self._displacement(t), rest[None])[0]
        return out

    @cached_property
    def covered(self) -> NDArray[np.float32]:
        """How much of each 11 x 11 window of the twelve regions the hand covers, from 0 to 1: (T, 12)."""
        radius = TWELVE.radius
        out = np.zeros((len(self), len(TWELVE.regions)), np.float32)
        if not self.options.hand:
            return out
        for t, points in enumerate(self.landmarks):
            cover = cv2.copyMakeBorder(self._hand(t)[0], *[radius] * 4, cv2.BORDER_REPLICATE)
            share = cv2.blur(cover, (2 * radius + 1, 2 * radius + 1))[radius:-radius, radius:-radius]
            centres = np.rint(TWELVE.matrix() @ points).astype(int)
            x, y = np.clip(centres, 0, np.array(self.options.size) - 1).T
            out[t] = share[y, x]
        return out

    def frames(self) -> Iterator[Image]:
        """All frames in order, one at a time."""
        return (self.frame(t) for t in range(len(self)))

    def frame(self, t: int) -> Image:
        """Frame ``t``: (H, W) uint8, or (H, W, 3) in BGR with ``colour``."""
        options, rng = self.options, np.random.default_rng([self.seed, self.subject, 2, t])
        source = self._source(t) * OVERSAMPLING + (OVERSAMPLING - 1) / 2
        picture = cv2.remap(self._subject[0], source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        picture = self._in_front(picture, t)
        picture = picture * options.brightness * (1.0 + options.flicker * rng.standard_normal())
        picture += options.noise * rng.standard_normal(picture.shape)
        if options.pattern:
            picture += options.pattern * self._pattern
        image: Image = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
        if options.jpeg is None:
            return image
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, options.jpeg])[1]
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED), np.uint8)

    def flow(self, t: int, step: int = 1) -> Field:
        """True motion from frame ``t`` to ``t + step``, on the grid of frame ``t``: (H, W, 2) float32 in px."""
        change = self._displacement(t + step) - self._displacement(t)
        return _sample(change, self._source(t))

    def _in_front(self, picture: Field, t: int) -> Field:
        """A picture of the face with what is between it and the camera."""
        options = self.options
        if options.glasses:
            places = self._inverse(self._head(t)) * OVERSAMPLING + (OVERSAMPLING - 1) / 2
            picture = darkened(picture, sampled(self._rims, places), RIM)
        if options.highlights:
            light = options.highlights * self._spots
            picture = picture + (light if picture.ndim == 2 else light[..., None])
        if options.hand:
            cover, shade = self._hand(t)
            texture, points = self._subject
            x, y = (int(value * OVERSAMPLING) for value in points[NOSE])
            tone = texture[y : y + OVERSAMPLING, x : x + OVERSAMPLING].mean(axis=(0, 1))
            if picture.ndim == 3:
                cover, shade = cover[..., None], shade[..., None]
            picture = picture * (1 - cover) + cover * shade * tone
        return picture

    def _hand(self, t: int) -> tuple[Field, Field]:
        """How much of each pixel the hand covers, and how bright it is there: twice (H, W)."""
        phase = np.random.default_rng([self.seed, self.subject, 6]).uniform(0, 2 * np.pi, 2)
        return hand(self._grid, self._subject[1][CHIN], self.width, t / self.options.fps, phase)

    @cached_property
    def _pattern(self) -> NDArray[np.float64]:
        """Noise that is the same in every frame, of standard deviation 1, of the shape of a frame."""
        shape = (*self._grid.shape[:2], 3) if self.options.colour else self._grid.shape[:2]
        return np.random.default_rng([self.seed, self.subject, 5]).standard_normal(shape)

    @cached_property
    def _spots(self) -> Field:
        """Highlights that stay where they are: (H, W), from 0 to 1."""
        return spots(self._grid, self._subject[1], self.width)

    @cached_property
    def _rims(self) -> Field:
        """The rims of the glasses on the resting face, at OVERSAMPLING times the size: (H, W), from 0 to 1."""
        texture, points = self._subject
        at = (points.astype(np.float64) + 0.5) * OVERSAMPLING - 0.5
        return rims(texture.shape[:2], at, self.width * OVERSAMPLING)[..., 0]

    def _source(self, t: int) -> Field:
        """Where on the resting face each pixel of frame ``t`` comes from: (H, W, 2)."""
        return self._inverse(self._displacement(t))

    def _inverse(self, displacement: Field) -> Field:
        """Where what a displacement (H, W, 2) has brought to each pixel was before: (H, W, 2)."""
        grid = self._grid
        source = grid - displacement
        for _ in range(INVERSION_STEPS):
            before, source = source, grid - _sample(displacement, source)
            if np.abs(source - before).max() < INVERTED:
                break
        return source

    @cached_property
    def _grid(self) -> Field:
        width, height = self.options.size
        return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)

    def _displacement(self, t: int) -> Field:
        """How far each point of the resting face has moved in frame ``t``: (H, W, 2)."""
        if not 0 <= t < len(self):
            raise IndexError(f"frame {t} of a video with {len(self)} frames")
        out = self._head(t)
        for expression in (*self.expressions, *self.blinks):
            strength = float(expression.at(np.array([t]))[0]) * expression.strength
            if strength > 0:
                for au in expression.aus:
                    for push in ACTIONS[au]:
                        out += self._bump(push) * strength
        if self.options.speech:
            phases = np.random.default_rng([self.seed, self.subject, 7]).uniform(0, 2 * np.pi, len(SPEECH))
            opened = 0.5 - 0.5 * np.cos(2 * np.pi * SYLLABLES * t / self.options.fps + phases)
            for au, share in zip(SPEECH, opened, strict=True):
                for push in ACTIONS[au]:
                    out += self._bump(push) * np.float32(share * self.options.speech / 2)
        return np.asarray(out, np.float32)

    def _head(self, t: int) -> Field:
        """How far the head takes each point of the resting face in frame ``t``: (H, W, 2)."""
        x, y, angle = self._pose[t]
        roll, yaw, zoom = self._turn[t]
        cos, sin = (1 + zoom) * np.cos(angle + roll), (1 + zoom) * np.sin(angle + roll)
        turn = np.array([[cos, sin], [-sin, cos]], np.float32)
        relative = self._grid - self._subject[1].mean(axis=0)
        moved = relative @ np.array([[cos - 1, sin], [-sin, cos - 1]], np.float32) + np.array([x, y], np.float32)
        if yaw:
            forward = depth(relative / np.float32(self.width)) * np.float32(self.width)
            across = forward * np.sin(yaw) + relative[..., :1] * (np.cos(yaw) - 1)
            moved = moved + np.concatenate([across, np.zeros_like(across)], axis=-1).astype(np.float32) @ turn
        return np.asarray(moved * self._head_mask, np.float32)

    def _bump(self, push: Push) -> Field:
        """The displacement by a push of 1 px: (H, W, 2)."""
        if push not in self._bumps:
            centre = self._subject[1][list(push.landmarks)].mean(axis=0)
            distance = (self._grid - centre) / np.float32(push.sigma * self.width)
            bump = np.asarray(np.exp(-0.5 * (distance**2).sum(axis=-1, keepdims=True)), np.float32)
            self._bumps[push] = bump * np.array([push.dx, push.dy], np.float32)
        return self._bumps[push]

    @cached_property
    def _bumps(self) -> dict[Push, Field]:
        return {}

    @cached_property
    def _head_mask(self) -> Field:
        """1 on the head, falling to 0 on the background, which stays where it is: (H, W, 1)."""
        distance = (self._grid - self._subject[1].mean(axis=0)) / np.float32(self.width)
        radius = np.hypot(distance[..., 0], distance[..., 1])[..., None]
        fall = np.clip((radius - 0.9) / 0.6, 0, 1)
        return np.asarray(0.5 + 0.5 * np.cos(np.pi * fall), np.float32)

    @cached_property
    def _pose(self) -> NDArray[np.float64]:
        """Shift in px and rotation in rad of every frame: (T, 3)."""
        options, rng = self.options, np.random.default_rng([self.seed, self.subject, 3])
        time = np.arange(options.frames)[:, None, None] / options.fps
        hertz, phase = rng.uniform(0.1, 1.0, (3, 4)), rng.uniform(0, 2 * np.pi, (3, 4))
        sway = np.sin(2 * np.pi * hertz * time + phase).mean(axis=2) * options.head_motion
        # a turn that moves the rim of the face about a third as far as the shift does
        sway[:, 2] *= 0.6 / self.width
        if options.jolt:
            direction = rng.uniform(0, 2 * np.pi, options.frames)
            away = (rng.random(options.frames) < 0.2)[:, None]
            sway[:, :2] += options.jolt * away * np.stack([np.cos(direction), np.sin(direction)], axis=1)
        return np.asarray(sway)

    @cached_property
    def _turn(self) -> NDArray[np.float64]:
        """Roll and yaw in rad, and growth as a fraction, of every frame: (T, 3)."""
        options, rng = self.options, np.random.default_rng([self.seed, self.subject, 8])
        time = np.arange(options.frames)[:, None] / options.fps
        hertz, phase = rng.uniform(*TURNS, 3), rng.uniform(0, 2 * np.pi, 3)
        furthest = np.array([np.radians(options.roll), np.radians(options.yaw), options.zoom])
        return np.asarray(furthest * np.sin(2 * np.pi * hertz * time + phase))

    @cached_property
    def _subject(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The resting face: picture at OVERSAMPLING times the size, and landmarks (68, 2) in px of the video."""
        rng = np.random.default_rng([self.subject, 4])
        look = look_of(self.subject) if self.options.people else None
        picture, points = _portrait(look.portrait if look else "portrait", self.options.colour)
        if look is not None and look.mirrored:
            picture, points = mirrored(picture, points)
        span = float(np.linalg.norm(points[16] - points[0]))
        proportions = rng.uniform(0.93, 1.07, 2) if look is None else np.array(look.stretch)
        scale = self.width / span * proportions
        width, height = self.options.size
        # the face's middle a little above the frame's, as a tripod is set up
        centre = np.array([width / 2, height * 0.52])
        middle = points.mean(axis=0)
        shape = look.shape if look else 0.028
        bumps = [
            (rng.uniform(-0.6, 0.6, 2), rng.normal(0, shape, 2), rng.uniform(0.25, 0.4)) for _ in range(8)
        ]  # smooth changes of proportion, in widths of the face

        def to_portrait(place: NDArray[np.float64]) -> NDArray[np.float64]:
            relative = (place - centre) / self.width
            moved = relative.copy()
            for where, push, sigma in bumps:
                weight = np.exp(-0.5 * ((relative - where) ** 2).sum(axis=-1, keepdims=True) / sigma**2)
                moved += push * weight
            return np.asarray(moved * self.width / scale + middle)

        axes = np.arange(width * OVERSAMPLING), np.arange(height * OVERSAMPLING)
        fine = (np.stack(np.meshgrid(*axes), axis=-1) + 0.5) / OVERSAMPLING - 0.5
        where = to_portrait(fine).astype(np.float32)
        texture = cv2.remap(picture, where, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        placed = (points - middle) * scale + centre
        for _ in range(20):
            placed = placed - (to_portrait(placed) - points) * scale
        if look is not None:
            texture = paint(texture, (placed + 0.5) * OVERSAMPLING - 0.5, look, rng)
        return _relight(texture, rng, pores=self.options.pores), placed.astype(np.float32)


def _portrait(name: str, colour: bool) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    folder = files("datasets_me.synthetic")
    data = np.frombuffer((folder / f"{name}.png").read_bytes(), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
    lines = (folder / f"{name}_landmarks.csv").read_text("utf-8").splitlines()[1:]
    points = np.array([[float(value) for value in line.split(",")] for line in lines])
    return np.asarray(picture, np.float32), points


def _relight(texture: NDArray[np.float32], rng: np.random.Generator, *, pores: bool) -> NDArray[np.float32]:
    """Another skin tone, light from another side, and pores."""
    height, width = texture.shape[:2]
    grains = np.zeros((height, width), np.float32)
    for sigma, strength in ((0.8, rng.uniform(1.0, 2.5)), (2.0, rng.uniform(0.5, 2.0))):
        grain = rng.standard_normal((height, width), np.float32)
        grain = cv2.GaussianBlur(grain, (0, 0), sigma * OVERSAMPLING)
        grains += np.float32(pores) * grain * np.float32(strength / grain.std())
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    slope = rng.uniform(-0.15, 0.15, 2).astype(np.float32)
    light = 1 + slope[0] * x + slope[1] * y
    gamma, gain = rng.uniform(0.85, 1.25), rng.uniform(0.85, 1.05)
    shade = (light, grains) if texture.ndim == 2 else (light[..., None], grains[..., None])
    toned = 255 * (np.clip(texture, 0, 255) / 255) ** gamma * gain
    return np.asarray(np.clip(toned * shade[0] + shade[1], 0, 255), np.float32)


def _sample(values: Field, places: Field) -> Field:
    """Bilinear values (H, W, 2) at places (h, w, 2) in px, the border's own beyond it."""
    return np.asarray(
        cv2.remap(values, places.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )
