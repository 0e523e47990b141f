"""68 landmarks per frame: subpixel, with a measure of doubt, smoothed in time; and alignment by the stable ones.

The predictor (Kazemi & Sullivan, CVPR 2014, as trained for dlib) answers in whole pixels and depends on the
box it starts from. Both are turned to use: it runs on an enlarged picture (on synthetic video 0.24 px of
jitter instead of 0.43), and answers from boxes a little off disagree on what is not a face.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.features.boxes import Box, FaceDetector, glance
from datasets_me.features.faces import model_file
from datasets_me.features.regions import LANDMARKS

Image = NDArray[np.uint8]
Points = NDArray[np.float32]

MODEL = "shape_predictor_68_face_landmarks.dat"

ENLARGED = 500
"""Side in px that the face's box is enlarged to before the predictor runs, up to four times."""

START_SHIFT = 0.03
"""Two more answers start from boxes moved by this fraction of its side, one left and up, one right and
down."""

MOVED = 0.03
"""Motion of the picture since the last prediction at which the next one is due, as a fraction of the face's side: 4 px
on a face of 130 px. Landmarks that follow such motion closer are no nearer to the true ones."""

GLANCE = 8
"""Reduction of the picture on which that motion is estimated."""

CHANGED = 0.08
"""The same motion at which the picture is another one, so that a lost face is looked for at once."""

FIRST_REST = 20
LONGEST_REST = 64
"""Frames until a face that is not found is looked for again: twice as many each time up to 64, from 1, or from 20 where
frames of the whole video were looked through before."""

CHECK_EVERY = 48
"""Frames after which the residual is measured again while the landmarks keep their shape."""

JUMP = 0.01
"""Median motion of the landmarks against each other from one prediction to the next, as a fraction of the box's side,
at which the residual is measured at once; jitter is 0.003, and a shot or a face that changes is far above."""

FAR = 0.1
"""The same for their common motion since the residual was last measured: the box from which the predictor starts stays
where it is."""

DOUBTFUL = 0.012
"""Residual above which a prediction is not believed and the face is looked for again. On synthetic video (36
videos) faces stay below 0.006, in the worst below 0.012; a box half a face off gives more than that in nine
of ten. A half covered face is *not* told from a bare one."""

SURE = 0.006
"""Residual up to which the box of the detector is taken as it is; above, others are tried."""

OTHER_STARTS = ((0.0, 0.93), (0.0, 0.87), (-0.08, 1.0))
"""Those others: moved down by a fraction of the box's side, and of so many times its size. The detector's box below a
hat or around glasses is often too low and too large, so that on synthetic videos of such a person landmarks were a
tenth of the face off, or doubted throughout. From larger or lower boxes the predictor agrees on what is no face."""

GONE = 0.016
"""Residual from which on there is no face at all: what moves there is not skin."""

SMOOTHING = 2.0
"""Standard deviation in frames of the Gaussian that landmarks are smoothed with."""

REACH = 4
"""Where that Gaussian is cut off, in standard deviations."""

AGREE = 0.05
"""Distance from the common motion up to which a stable landmark has a say in it, as a fraction of the face's width."""

SLOWNESS = 0.05
"""How much of the turn and scale of a new frame is taken over: they are averaged over about twenty frames."""

STABLE = (27, 28, 29, 30, 31, 35, 36, 39, 42, 45)
"""Landmarks that expressions hardly move: bridge and wings of the nose, corners of the eyes."""


class Prediction(NamedTuple):
    """Landmarks (68, 2) in px of the image, and the residual; NaN if it was not asked for.

    The residual is half the distance of two more answers, the median over the landmarks, as a fraction of the box's
    side.
    """

    points: Points
    residual: float


def predict(grey: Image, box: Box, *, check: bool = True) -> Prediction:
    """Landmarks of the face in ``box``.

    Args:
        grey: (H, W) uint8.
        box: a face as the dlib detector would frame it, brows to chin, in px of the image.
        check: also ask for the two more answers, each of which takes as long again.

    Raises:
        DetectorError: if the model file is not installed.
    """
    (points,) = _answers(grey, box, (0.0,))
    return Prediction(points.astype(np.float32), doubt(grey, box) if check else float("nan"))


def settled(grey: Image, box: Box) -> tuple[Box, Prediction]:
    """The box to start from, and the landmarks: that of the detector, or the least doubtful of some near it."""
    prediction = predict(grey, box)
    if prediction.residual <= SURE:
        return box, prediction
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    tried = [(box, prediction)]
    for down, size in OTHER_STARTS:
        half, middle = (size * box.width / 2, size * box.height / 2), y + down * box.height
        start = Box(x - half[0], middle - half[1], x + half[0], middle + half[1])
        tried.append((start, predict(grey, start)))
    return min(tried, key=lambda each: each[1].residual)


def doubt(grey: Image, box: Box) -> float:
    """The residual of ``predict`` alone."""
    side = max(box.width, box.height, 1.0)
    one, other = _answers(grey, box, (START_SHIFT * side, -START_SHIFT * side))
    # the median: single landmarks, such as the corners of the mouth, have two places to choose from
    return float(np.median(np.linalg.norm(one - other, axis=1))) / 2 / side


def _answers(grey: Image, box: Box, shifts: Sequence[float]) -> list[NDArray[np.float64]]:
    """The predictor's landmarks (68, 2) when it starts from the box moved by so many px, along both axes."""
    import dlib

    side = max(box.width, box.height, 1.0)
    factor = int(np.clip(round(ENLARGED / side), 1, 4))
    # the predictor looks at pixels in and around the box only
    room = Box(box.x0 - side / 4, box.y0 - side / 4, box.x1 + side / 4, box.y1 + side / 4)
    x, y = (
        round(float(np.clip(value, 0, size - 1)))
        for value, size in ((room.x0, grey.shape[1]), (room.y0, grey.shape[0]))
    )
    part = grey[y : max(y + 1, round(room.y1)), x : max(x + 1, round(room.x1))]
    size = (part.shape[1] * factor, part.shape[0] * factor)
    large = np.ascontiguousarray(part if factor == 1 else cv2.resize(part, size, interpolation=cv2.INTER_LINEAR))
    answers = []
    for shift in shifts:
        x0, y0, x1, y1 = (
            round((value + shift - origin) * factor) for value, origin in zip(box, (x, y, x, y), strict=True)
        )
        shape = _predictor()(large, dlib.rectangle(x0, y0, x1 - 1, y1 - 1))
        whole = np.array([(point.x, point.y) for point in shape.parts()], np.float64)
        # a pixel's middle is at +0.5 in both pictures
        answers.append((whole + 0.5) / factor - 0.5 + (x, y))
    return answers


@cache
def _predictor() -> Any:
    import dlib

    return dlib.shape_predictor(str(model_file(MODEL)))


class Tracked(NamedTuple):
    """A frame's landmarks before smoothing: None where there are none to believe.

    The residual is the latest that was measured; NaN if the frame is missing, infinite if no face is known.
    """

    points: Points | None
    residual: float


@dataclass(frozen=True)
class Tracker:
    """How the landmarks of a video are found.

    Attributes:
        detector: what finds the face, and finds it again.
        face: where it is, in px; looked for in the first frames if not known.
        every: frames from one prediction to the next at most.
        rest: frames until a face that is not found at first is looked for again.
    """

    detector: FaceDetector
    face: Box | None = None
    every: int = 1
    rest: int = 1


def track(frames: Iterable[Image | None], tracker: Tracker) -> Iterator[Tracked]:
    """Landmarks of each frame of a video whose camera holds still.

    The predictor starts from the same box in every frame, so that the detector's jitter is not inherited. The residual
    is measured now and then, and where the landmarks jump. Where it is too large, the face is looked for again, and its
    new box is kept from then on; where it is not found, that is done ever more seldom, until the picture changes.

    Between predictions landmarks are interpolated, up to ``tracker.every`` frames late.

    Args:
        frames: grey (H, W) uint8; None for a missing one.
        tracker: how.
    """
    state = _State(tracker)
    waiting: list[bool] = []  # of the frames since the last prediction, whether they are there
    before = Tracked(None, float("inf"))
    for frame in frames:
        if frame is None:
            waiting.append(False)
            if before.points is None or len(waiting) >= tracker.every:
                yield from _between(waiting, before, before)
                waiting = []
        elif len(waiting) + 1 < tracker.every and not state.due(frame):
            waiting.append(True)
        else:
            now = state.look(frame)
            yield from _between(waiting, before, now)
            yield now
            waiting, before = [], now
    yield from _between(waiting, before, before)


def _between(waiting: Sequence[bool], before: Tracked, after: Tracked) -> Iterator[Tracked]:
    """The frames between two predictions: interpolated if both are believed, else like the one that is."""
    one, other = (before.points if before.points is not None else after.points), after.points
    other = one if other is None else other
    for index, there in enumerate(waiting, start=1):
        if not there:
            yield Tracked(None, float("nan"))
        elif one is None or other is None:
            yield Tracked(None, before.residual)
        else:
            share = np.float32(index / (len(waiting) + 1))
            yield Tracked(one + share * (other - one), min(before.residual, after.residual))


class _State:
    """Where the face was last, and what the picture was like then."""

    def __init__(self, tracker: Tracker) -> None:
        self.detector, self.face, self.rest = tracker.detector, tracker.face, tracker.rest
        self.believed: Points | None = None
        self.checked: Points | None = None
        self.residual = float("inf")
        self.picture: NDArray[np.float32] | None = None
        self.glanced: tuple[Image, NDArray[np.float32]] | None = None
        self.unchecked = self.resting = 0

    def due(self, frame: Image) -> bool:
        """Whether landmarks must be predicted: there are none to go on with, or the picture has moved."""
        self.unchecked += 1
        if self.believed is None or self.face is None:
            return True
        return self._motion(frame) > MOVED * max(self.face.width, self.face.height)

    def look(self, frame: Image) -> Tracked:
        """The landmarks of a frame that the predictor is asked about."""
        points: Points | None = None
        changed = self._motion(frame) > CHANGED * (max(frame.shape) if self.face is None else self.face.width)
        self.picture = self._glanced(frame)
        if self.face is not None and self.checked is None:
            self.face, (points, self.residual) = settled(frame, self.face)
            self.unchecked, self.checked = 0, points
        elif self.face is not None:
            points = predict(frame, self.face, check=False).points
            self.unchecked += 1
            if self.believed is None or self.unchecked >= CHECK_EVERY or self._jumped(points, self.believed):
                self.residual = doubt(frame, self.face)
                self.unchecked, self.checked = 0, points
        if (points is None or self.residual > DOUBTFUL) and self._search(changed):
            faces = self.detector.detect(frame) if changed or self.rest <= 2 else glance(self.detector, frame)
            if faces:
                self.face, (points, self.residual) = settled(frame, faces[0].box)
                self.unchecked, self.checked = 0, points
        self.believed = points if self.residual <= DOUBTFUL else None
        if self.believed is not None:
            self.rest, self.resting = 1, 0
        return Tracked(self.believed, self.residual)

    def _jumped(self, points: Points, before: Points) -> bool:
        """Whether landmarks have another shape than before, or are far from where they were last checked."""
        assert self.face is not None
        side = max(self.face.width, 1.0)
        motion = points - before
        shape = np.linalg.norm(motion - np.median(motion, axis=0), axis=1)
        since = np.zeros(2) if self.checked is None else np.median(points - self.checked, axis=0)
        return bool(np.median(shape) > JUMP * side or np.linalg.norm(since) > FAR * side)

    def _search(self, changed: bool) -> bool:
        """Whether the face is to be looked for in this frame."""
        self.resting += 1
        if not changed and self.resting < self.rest:
            return False
        self.rest, self.resting = min(2 * self.rest, LONGEST_REST), 0
        return True

    def _motion(self, frame: Image) -> float:
        """How far the picture has moved since it was last looked at, in px, by its change over its gradients."""
        if self.picture is None:
            return 0.0
        now = self._glanced(frame)
        if now.shape != self.picture.shape:
            return float("inf")
        slope = float(np.abs(np.diff(now, axis=0)).mean() + np.abs(np.diff(now, axis=1)).mean()) / 2
        return GLANCE * float(np.abs(now - self.picture).mean()) / max(slope, 0.5)

    def _glanced(self, frame: Image) -> NDArray[np.float32]:
        """The frame on a fraction of its size, made once for each."""
        if self.glanced is None or self.glanced[0] is not frame:
            height, width = (max(2, side // GLANCE) for side in frame.shape)
            small = frame[: height * GLANCE, : width * GLANCE]
            for by in (4, 2, 1):  # halving whole multiples takes a tenth of the time
                small = cv2.resize(small, (by * width, by * height), interpolation=cv2.INTER_AREA)
            self.glanced = frame, small.astype(np.float32)
        return self.glanced[1]


class Smoothed(NamedTuple):
    """A frame's landmarks (68, 2) after smoothing, NaN before the first believed ones.

    ``own``: the frame had landmarks itself. ``near``: the frame or one within reach of the Gaussian had.
    """

    points: Points
    own: bool
    near: bool


def smooth_stream(tracked: Iterable[Points | None], sigma: float = SMOOTHING) -> Iterator[Smoothed]:
    """Landmarks smoothed over time as they come, ``4 sigma`` frames late.

    Each frame's landmarks are the Gaussian-weighted mean of the believed ones around it, so a gap of a few
    frames is bridged. A longer gap has the last smoothed landmarks before it, until the next believed ones
    come in reach.
    """
    reach = max(0, int(np.ceil(REACH * sigma)))
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / max(sigma, 1e-9)) ** 2).astype(np.float32)
    window: deque[Points | None] = deque([None] * (2 * reach + 1), maxlen=2 * reach + 1)
    last = np.full((LANDMARKS, 2), np.nan, np.float32)
    count = 0

    def middle() -> Smoothed:
        nonlocal last
        total, weight = np.zeros((LANDMARKS, 2), np.float32), np.float32(0)
        for share, points in zip(weights, window, strict=True):
            if points is not None:
                total += share * points
                weight += share
        if weight > 0:
            last = total / weight
        return Smoothed(last, window[reach] is not None, bool(weight > 0))

    for points in tracked:
        window.append(points)
        count += 1
        if count > reach:
            yield middle()
    for ahead in range(reach):
        window.append(None)
        if count + ahead >= reach:
            yield middle()


def smooth(landmarks: Points, sigma: float = SMOOTHING) -> tuple[Points, NDArray[np.bool_]]:
    """``smooth_stream`` on a whole array, with what is missing interpolated.

    Args:
        landmarks: (T, 68, 2) in px; a frame with a NaN counts as missing.

    Returns:
        (T, 68, 2) float32, where gaps longer than the Gaussian reaches are bridged linearly and both ends
        held, and (T,) bool: landmarks that are not the frame's own. All NaN if no frame has landmarks.
    """
    known = finite(landmarks)
    rows = [row if fine else None for row, fine in zip(landmarks.astype(np.float32), known, strict=True)]
    out = np.full(landmarks.shape, np.nan, np.float32)
    near = np.zeros(len(landmarks), bool)
    for index, smoothed in enumerate(smooth_stream(rows, sigma)):
        out[index], near[index] = smoothed.points, smoothed.near
    return bridged(out, near), ~known


def finite(landmarks: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which frames (T,) of landmarks (T, 68, 2) have all of them."""
    return np.asarray(np.isfinite(np.asarray(landmarks, np.float64)).all(axis=(1, 2)), bool)


def bridged(landmarks: Points, known: NDArray[np.bool_]) -> Points:
    """Landmarks (T, 68, 2) with the frames that are not ``known`` (T,) interpolated linearly, the ends held."""
    if known.all() or not known.any():
        return landmarks
    here = np.flatnonzero(known)
    flat = landmarks.reshape(len(landmarks), -1)
    out = flat.copy()
    gaps = np.flatnonzero(~known)
    for column in range(flat.shape[1]):
        out[gaps, column] = np.interp(gaps, here, flat[here, column])
    return out.reshape(landmarks.shape)


def stable_motion(points: Points, reference: Points) -> NDArray[np.float64]:
    """The similarity (2, 3) that takes the stable landmarks of a frame onto those of the reference.

    cv2.estimateAffinePartial2D: least squares over those that agree within ``AGREE``, since ten landmarks are too few
    for the least median, which leaves half of them out. The identity where there is none (landmarks that are not
    finite, or fallen into one point).
    """
    stable = list(STABLE)
    motion = None
    if np.isfinite(points).all() and np.isfinite(reference).all():
        reach = AGREE * max(float(np.linalg.norm(reference[16] - reference[0])), 1.0)
        motion, _ = cv2.estimateAffinePartial2D(
            points[stable], reference[stable], method=cv2.RANSAC, ransacReprojThreshold=reach
        )
    return np.eye(2, 3) if motion is None else np.asarray(motion, np.float64)


def steadied(motion: NDArray[np.float64], before: NDArray[np.float64] | None, points: Points) -> NDArray[np.float64]:
    """A similarity (2, 3) whose turn and scale follow ``motion`` slowly, from that of the frame before.

    Jitter of the landmarks by a tenth of a pixel is a change of scale by a thousandth, which at the edge of the face
    is as large as the motion of a micro-expression; the shift, which the head's motion takes out again, is followed at
    once: the middle of the stable landmarks goes where ``motion`` takes it.
    """
    linear = motion[:, :2] if before is None else before[:, :2] + SLOWNESS * (motion[:, :2] - before[:, :2])
    middle = points[list(STABLE)].mean(axis=0)
    target = motion[:, :2] @ middle + motion[:, 2]
    return np.column_stack([linear, target - linear @ middle])


def align(
    frame: Image, points: Points, reference: Points, motion: NDArray[np.float64] | None = None
) -> tuple[Image, Points]:
    """A frame and its landmarks moved so that the stable landmarks lie on those of the reference.

    Args:
        frame: (H, W) or (H, W, 3) uint8.
        points: (68, 2), the frame's.
        reference: (68, 2), usually the first frame's.
        motion: (2, 3), in place of ``stable_motion``.

    Returns:
        The warped frame (Lanczos, border repeated) and the moved landmarks.
    """
    motion = stable_motion(points, reference) if motion is None else motion
    warped = cv2.warpAffine(
        frame, motion, frame.shape[1::-1], flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE
    )
    return warped, (points @ motion[:, :2].T + motion[:, 2]).astype(np.float32)
