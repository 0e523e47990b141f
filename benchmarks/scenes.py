"""Synthetic faces whose motion is known, with what disturbs it: the videos that ``fidelity.py`` judges by.

Made apart from ``datasets_me.synthetic``, so that the features are not judged by what they were developed on: three
portraits (Eileen Collins, which ships with this package, and Grace Hopper, which ships with Matplotlib, both of them
photographs of the United States government and in the public domain; and Luis Pedro Coelho, half turned away, which
ships with his mahotas under the MIT licence), another shape of the skin's motion, a head that
turns in space, noise that grows with brightness, and things in front of the face.

The truth is the motion of the skin alone, as the head shows it: what a pixel would do if only the expression went on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import MeDatasetsError
from datasets_me.features.faces import detector
from datasets_me.features.landmarks import predict
from datasets_me.features.regions import TWELVE
from datasets_me.synthetic.actions import ACTIONS, BLINK, REPERTOIRE

Field = NDArray[np.float32]
Image = NDArray[np.uint8]
Person = Literal["collins", "hopper", "coelho"]

FINE = 3
"""The portrait is kept at this multiple of the video's resolution."""

SPEECH = (25, 17, 12)
"""Action units that take turns in speech."""


@dataclass(frozen=True)
class Scene:
    """What is filmed.

    Attributes:
        person: whose portrait.
        seed: decides the shape of the face, the light, the expressions and the path of the head.
        frames, fps: the length of the video, and frames per second.
        size: width and height in px.
        width: distance between the ears in px.
        amplitude: displacement of the skin at the apex in px.
        rise: frames from onset to apex; a fifth of a second by default.
        expressions: how many.
        drift, jolt: slow motion of the head, and sudden shifts of it in every eighth frame, in px.
        roll, yaw, pitch, zoom: how far the head turns, in degrees, and grows, as a fraction, in half a period.
        blink, speech: lids that close, a mouth that talks by so many px (part of the truth), throughout.
        hand, glasses: a hand that moves in front of the chin; a frame and lenses that move with the head.
        noise: standard deviation in grey values at mid-grey; shot noise.
        pattern, highlights: noise that is the same in every frame, and light spots that stay where they are.
        jpeg: quality of the coding.
        crf: quality of an H.264 video (lower is better) in place of JPEG files; 0 for none.
        gain: brightness as a factor.
        light: how far the light of one side rises and that of the other falls, as a fraction, in a second.
    """

    person: Person = "collins"
    seed: int = 0
    frames: int = 48
    fps: float = 30.0
    size: tuple[int, int] = (230, 260)
    width: float = 133.0
    amplitude: float = 1.0
    rise: int | None = None
    expressions: int = 2
    drift: float = 1.0
    jolt: float = 0.0
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    zoom: float = 0.0
    blink: bool = False
    speech: float = 0.0
    hand: bool = False
    glasses: bool = False
    noise: float = 1.5
    pattern: float = 0.0
    highlights: float = 0.0
    jpeg: int = 95
    crf: int = 0
    gain: float = 1.0
    light: float = 0.0


@dataclass(frozen=True)
class Footage:
    """A filmed scene.

    Attributes:
        frames: (T, H, W) uint8.
        landmarks: (T, 68, 2) float32, the true ones, in px.
        truth: (T - step, 12, 2) float32, mean motion of the skin in the 11 x 11 windows without that of the head, px.
        nose: (T - step, 2) float32, the same in the box around the nose.
        active: (T - step,) bool, the pair lies in an expression.
    """

    frames: Image
    landmarks: Field
    truth: Field
    nose: Field
    active: NDArray[np.bool_]


def film(scene: Scene, step: int = 1) -> Footage:
    """Film a scene, with the truth for pairs of frames ``step`` apart."""
    studio = _Studio(scene)
    frames = np.stack(list(studio.frames()))
    if scene.crf:
        frames = _h264(frames, round(scene.fps), scene.crf)
    truth, nose = zip(*(studio.truth(t, step) for t in range(scene.frames - step)), strict=True)
    active = np.array([studio.active(t) or studio.active(t + step) for t in range(scene.frames - step)])
    landmarks = np.stack([studio.landmarks(t) for t in range(scene.frames)])
    return Footage(frames, landmarks, np.stack(truth), np.stack(nose), active)


class _Studio:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.units: dict[int, Field] = {}
        rng = np.random.default_rng([scene.seed, 11])
        self.picture, self.rest = _subject(scene.person, scene.seed, scene.size, scene.width)
        self.middle = self.rest.mean(axis=0)
        width, height = scene.size
        self.grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
        rise = scene.rise or max(2, round(scene.fps / 5))
        spare = scene.frames // max(scene.expressions, 1)
        self.plan = []
        for index in range(scene.expressions):
            onset = index * spare + int(rng.integers(1, max(2, spare - 2 * rise)))
            units = REPERTOIRE[int(rng.integers(len(REPERTOIRE)))]
            self.plan.append((onset, rise, units, scene.amplitude * rng.uniform(0.8, 1.2)))
        time = np.arange(scene.frames) / scene.fps
        hertz, phase = rng.uniform(0.2, 0.9, 2), rng.uniform(0, 2 * np.pi, 2)
        self.shift = scene.drift * np.sin(2 * np.pi * hertz * time[:, None] + phase)
        if scene.jolt:
            angle = rng.uniform(0, 2 * np.pi, scene.frames)
            away = (rng.random(scene.frames) < 1 / 8)[:, None]
            self.shift += scene.jolt * away * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        # turns are slow: half a period in the 1.6 s that 48 frames last at 30 a second
        turn = np.sin(np.pi * time / 1.6 * rng.uniform(0.8, 1.2) + rng.uniform(-0.5, 0.5)) * rng.choice([-1, 1])
        self.turn = np.stack([turn * value for value in (scene.roll, scene.yaw, scene.pitch)]) * np.pi / 180
        self.scale = 1 + scene.zoom * turn
        self.lids = (np.floor(time * 2.5) % 2 == 1) * np.clip(np.sin(np.pi * ((time * 2.5) % 1)), 0, 1)
        self.talk = 0.5 - 0.5 * np.cos(2 * np.pi * 3.1 * time[:, None] + rng.uniform(0, 2 * np.pi, len(SPEECH)))

    def active(self, t: int) -> bool:
        return any(onset < t < onset + 2 * rise for onset, rise, _, _ in self.plan)

    def skin(self, t: int) -> Field:
        """Displacement of the skin on the resting face, (H, W, 2)."""
        out = np.zeros_like(self.grid)
        for onset, rise, units, strength in self.plan:
            part = 0.5 - 0.5 * np.cos(np.pi * np.clip((t - onset) / rise, 0, 2))
            for unit in units:
                out += self._unit(unit) * np.float32(part * strength)
        if self.scene.blink:
            out += self._unit(BLINK) * np.float32(self.lids[t] * 0.045 * self.scene.width)
        if self.scene.speech:
            for unit, part in zip(SPEECH, self.talk[t], strict=True):
                out += self._unit(unit) * np.float32(part * self.scene.speech / 2)
        return out

    def _unit(self, unit: int) -> Field:
        if unit in self.units:
            return self.units[unit]
        out = np.zeros_like(self.grid)
        for push in ACTIONS[unit]:
            centre = self.rest[list(push.landmarks)].mean(axis=0)
            distance = ((self.grid - centre) ** 2).sum(axis=-1, keepdims=True) / (push.sigma * self.scene.width) ** 2
            out += np.array([push.dx, push.dy], np.float32) * (1 + distance / 3) ** -3
        self.units[unit] = out.astype(np.float32)
        return self.units[unit]

    def head(self, points: NDArray[np.floating], t: int) -> Field:
        """Where the head takes points (..., 2) of the resting face; the background stays."""
        roll, yaw, pitch = self.turn[:, t]
        x, y = np.moveaxis((points - self.middle) / self.scene.width, -1, 0)
        radius = np.hypot(x / 0.85, y / 1.05)
        mask = 0.5 + 0.5 * np.cos(np.pi * np.clip((radius - 0.85) / 0.5, 0, 1))
        depth = 0.55 * np.exp(-(x**2 / 0.62**2 + y**2 / 0.8**2)) + 0.1 * np.exp(-(x**2 + (y - 0.05) ** 2) / 0.09**2)
        depth = depth - 0.4
        across = x * np.cos(yaw) + depth * np.sin(yaw)
        deep = depth * np.cos(yaw) - x * np.sin(yaw)
        down = y * np.cos(pitch) + deep * np.sin(pitch)
        turned = np.stack(
            [np.cos(roll) * across - np.sin(roll) * down, np.sin(roll) * across + np.cos(roll) * down], axis=-1
        )
        moved = turned * self.scale[t] * self.scene.width + self.middle + self.shift[t]
        return np.asarray(points + mask[..., None] * (moved - points), np.float32)

    def source(self, t: int) -> tuple[Field, Field]:
        """Where on the skin at rest each pixel of a frame is, and that place with the expression of the frame."""
        moved = self.grid.copy()
        for _ in range(40):
            before, moved = moved, moved + self.grid - self.head(moved, t)
            if np.abs(moved - before).max() < 1e-3:
                break
        skin, rest = self.skin(t), moved.copy()
        for _ in range(40):
            before, rest = rest, moved - _sample(skin, rest)
            if np.abs(rest - before).max() < 1e-3:
                break
        return rest, moved

    def landmarks(self, t: int) -> Field:
        return self.head(self.rest + _sample(self.skin(t), self.rest[None])[0], t)

    def truth(self, t: int, step: int) -> tuple[Field, Field]:
        """Motion of the skin from a frame on, as the head of that frame shows it, in the windows and at the nose."""
        rest, moved = self.sources[t]
        flow = self.head(moved + _sample(self.skin(t + step) - self.skin(t), rest), t) - self.head(moved, t)
        points = self.landmarks(t)
        means = []
        for x, y in np.rint(TWELVE.matrix() @ points.astype(np.float64)).astype(int):
            means.append(flow[max(0, y - 5) : y + 6, max(0, x - 5) : x + 6].mean(axis=(0, 1)))
        x, y = np.rint(points[29:31].mean(axis=0)).astype(int)
        return np.array(means, np.float32), flow[y - 8 : y + 9, x - 5 : x + 6].mean(axis=(0, 1))

    @cached_property
    def sources(self) -> list[tuple[Field, Field]]:
        return [self.source(t) for t in range(self.scene.frames)]

    def frames(self) -> Iterator[Image]:
        scene, (width, height) = self.scene, self.scene.size
        fixed = np.random.default_rng([scene.seed, 12]).normal(0, 1, (height, width))
        for t, (rest, moved) in enumerate(self.sources):
            rng = np.random.default_rng([scene.seed, 13, t])
            place = rest * FINE + (FINE - 1) / 2
            picture = cv2.remap(self.picture, place, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
            if scene.glasses:
                picture = self._glasses(picture, moved)
            if scene.highlights:
                picture = picture + scene.highlights * self._spots
            if scene.hand:
                picture = self._hand(picture, t)
            if scene.light:
                across = 2 * self.grid[..., 0] / width - 1
                picture = picture * (1 + np.float32(scene.light * np.sin(2 * np.pi * t / scene.fps)) * across)
            picture = np.clip(picture * scene.gain, 0, None)
            picture = picture + scene.noise * np.sqrt((picture + 8) / 136) * rng.normal(0, 1, picture.shape)
            picture = picture + scene.pattern * fixed
            image = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
            if scene.crf:
                yield image
                continue
            code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, scene.jpeg])[1]
            yield cv2.imdecode(code, cv2.IMREAD_GRAYSCALE)

    def _glasses(self, picture: Field, moved: Field) -> Field:
        for eye in (slice(36, 42), slice(42, 48)):
            x, y = np.moveaxis((moved - self.rest[eye].mean(axis=0)) / self.scene.width, -1, 0)
            ring = np.exp(-(((np.hypot(x / 0.2, y / 0.15) - 1) / 0.12) ** 2))
            picture = picture * (1 - 0.8 * ring)
        return picture

    @cached_property
    def _spots(self) -> Field:
        """Light spots on forehead, nose and cheeks: (H, W), at most 1."""
        out = np.zeros(self.grid.shape[:2])
        for place, size in ((self.rest[27] - (0, 0.2 * self.scene.width), 0.07), (self.rest[30], 0.03)):
            out += np.exp(-0.5 * ((self.grid - place) ** 2).sum(axis=-1) / (size * self.scene.width) ** 2)
        for a, b in ((1, 31), (15, 35), (19, 37), (24, 44)):
            place = self.rest[[a, b]].mean(axis=0)
            out += np.exp(-0.5 * ((self.grid - place) ** 2).sum(axis=-1) / (0.035 * self.scene.width) ** 2)
        return np.asarray(out, np.float32)

    def _hand(self, picture: Field, t: int) -> Field:
        """A palm and two fingers that come and go at the chin, with the texture of skin."""
        time = t / self.scene.fps
        width = self.scene.width
        move = np.array([0.13 * np.sin(2 * np.pi * 0.8 * time), 0.1 * np.cos(2 * np.pi * 0.6 * time)]) * width
        place = self.rest[8] + move
        x, y = np.moveaxis((self.grid - place) / width, -1, 0)
        shape = np.hypot(x / 0.42, y / 0.24)
        for across in (-0.12, 0.1):
            shape = np.minimum(shape, np.hypot((x - across) / 0.06, (y + 0.16) / 0.2))
        cover = np.clip((1.05 - shape) / 0.1, 0, 1)
        grain = cv2.GaussianBlur(np.random.default_rng(5).normal(0, 1, (400, 400)).astype(np.float32), (0, 0), 2.5)
        texture = cv2.remap(grain / grain.std(), (self.grid - move).astype(np.float32) + 60, None, cv2.INTER_CUBIC)
        return np.asarray(picture * (1 - cover) + cover * (150 + 14 * texture - 30 * shape.clip(0, 1)), np.float32)


def _subject(person: Person, seed: int, size: tuple[int, int], width: float) -> tuple[Field, Field]:
    """A portrait of other proportions and light: the picture at FINE times the size, and its landmarks at rest."""
    rng = np.random.default_rng([seed, 10])
    picture, points = _portrait(person)
    span = float(np.linalg.norm(points[16] - points[0]))
    stretch = width / span * rng.uniform(0.94, 1.06, 2)
    centre, middle = np.array([size[0] / 2, size[1] * 0.53]), points.mean(axis=0)
    waves = [(rng.normal(0, 0.012, 2), rng.uniform(2, 5, 2), rng.uniform(0, 2 * np.pi)) for _ in range(4)]

    def to_portrait(places: NDArray[np.floating]) -> NDArray[np.float64]:
        relative = (places - centre) / width
        bent = relative + sum(push * np.sin(relative @ wave + phase)[..., None] for push, wave, phase in waves)
        return np.asarray(bent * width / stretch + middle)

    axes = np.meshgrid(np.arange(size[0] * FINE), np.arange(size[1] * FINE))
    fine = (np.stack(axes, axis=-1) + 0.5) / FINE - 0.5
    texture = cv2.remap(picture, to_portrait(fine).astype(np.float32), None, cv2.INTER_CUBIC, None, cv2.BORDER_REFLECT)
    rest = (points - middle) * stretch + centre
    for _ in range(30):
        rest = rest - (to_portrait(rest) - points) * stretch
    slope, shape = rng.uniform(-0.25, 0.25, 2), texture.shape
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    toned = 255 * (np.clip(texture, 0, 255) / 255) ** rng.uniform(0.8, 1.3) * rng.uniform(0.75, 1.0)
    return np.asarray(toned * (1 + slope[0] * x + slope[1] * y), np.float32), rest.astype(np.float32)


@cache
def _portrait(person: Person) -> tuple[Field, NDArray[np.float64]]:
    """A grey portrait and its 68 landmarks."""
    if person == "collins":
        folder = files("datasets_me.synthetic")
        data = np.frombuffer((folder / "portrait.png").read_bytes(), np.uint8)
        lines = (folder / "portrait_landmarks.csv").read_text("utf-8").splitlines()[1:]
        points = np.array([[float(value) for value in line.split(",")] for line in lines])
        return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).astype(np.float32), points
    from matplotlib import get_data_path

    path = Path(get_data_path()) / "sample_data" / "grace_hopper.jpg"
    if person == "coelho":
        found = find_spec("mahotas")
        if found is None or found.origin is None:
            raise MeDatasetsError("a portrait is missing", fix="pip install mahotas")
        path = Path(found.origin).parent / "demos" / "data" / "luispedro.jpg"
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    box = detector("dlib").detect(image)[0].box
    return image.astype(np.float32), predict(image, box, check=False).points.astype(np.float64)


def _h264(frames: Image, rate: int, crf: int) -> Image:
    """Frames (T, H, W) as they come back from a video file; height and width are even."""
    import av

    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": str(crf)})
        stream.height, stream.width = frames.shape[1:]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="gray")))
        container.mux(stream.encode())
    file.seek(0)
    with av.open(file) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])


def _sample(values: Field, places: NDArray[np.floating]) -> Field:
    """Bilinear values at places (h, w, 2) in px."""
    return np.asarray(
        cv2.remap(values, places.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )
