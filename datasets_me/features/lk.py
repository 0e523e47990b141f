"""Optical flow by windowed least squares (Lucas & Kanade, 1981), made for motion of a tenth of a pixel.

Between two neighbouring frames a micro-expression moves the skin by about 0.09 px, so noise decides and not the
regulariser. What that asks for:

- The frame's mean brightness is divided out and a wide Gaussian subtracted, so that flicker, shading and soft
  highlights do not count. Noise of single pixels is smoothed, and the derivative is of fourth order: the error of a
  central difference is as large as the noise.
- Large motion of the head is found on small pictures and taken out by whole pixels, which blurs nothing. The second
  frame is resampled only where the face itself moves by more than a pixel, and once.
- The products of gradients are summed in a Gaussian window proportional to the face.
- The sums are averaged with those of neighbouring pairs (``temporal``), after each pair's own affine motion of the head
  has been taken out, so that a jerk of the head is not smeared over its neighbours. Where the pair itself contradicts
  its neighbours by more than noise can, as in the middle of a fast expression, it is believed (a positive-part
  James-Stein estimate).
- Where noise leaves the motion of a place open, it is drawn to that of its surroundings, the more the noisier the
  frames are: the ridge of a Gaussian prior.

``benchmarks/fidelity.py`` shows what comes of it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby, islice, repeat
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.features.coarse import CoarseFlow
from datasets_me.features.least_squares import (
    FACE_WEIGHT,
    RIDGE,
    Field,
    affine,
    blurred,
    centre_weight,
    clear_border,
    difference,
    gradients,
    grid,
    median,
    products,
    reduce,
    resampled,
    shifted,
    solve,
)

WINDOW = 0.025
"""Standard deviation of the window as a fraction of the width of the face between the ears."""

HIGH_PASS = 0.026
"""Standard deviation of the subtracted Gaussian, the same way: 3.5 px on a face of 133 px."""

SMOOTH = 0.75
"""Standard deviation in px of the Gaussian that takes noise off a frame: noise, compression, what a sensor adds to each
pixel and the aliases of a sharp picture have the size of pixels, whatever the size of the face."""

OPENED = 2.0
"""Size of what is left out around an eye that blinks, as a multiple of the eye."""

LID = 0.5
"""Motion in px, beside that of the head, from which on an eye is taken to blink: the least squares of the brow above it
would follow the lid."""

GREY = 128.0
"""Mean brightness frames are brought to, in grey values."""

AROUND = 3.0
"""Width of the surroundings that flow is drawn to where noise leaves it open, in windows."""

SPREAD = 0.00015
"""How far the motion of skin is expected to differ from that of its surroundings, as a fraction of the face's width
(standard deviation): 0.02 px on a face of 133 px. With the noise that is measured between the frames it decides how
much is left to the surroundings."""

DOUBT = 1.2
"""A pair is believed against its neighbours only as far as the contradiction exceeds what noise makes on average, by
this factor."""

NEARBY = 2.0
"""Over how many windows that contradiction is averaged (standard deviation)."""

LOUDEST = 40.0
"""What one place can add to that average, as a multiple of what noise makes of it: a lid that closes is as loud as a
hundred places, and its own motion is no reason to believe that of the brow above it."""

TOO_NOISY = 4.0
"""A pair whose noise is above that of the quietest near it by this factor is not averaged with others: its frames do
not belong together, as where one is torn or flashes, or another shot begins."""

COARSE_RIDGE = 10.0
"""The same on the small pictures, whose flow is only a start and must not wander where there is no texture."""

RESAMPLE_FROM = 1.0
"""Motion left in the face after whole-pixel alignment, in px, beyond which one linear step is not enough."""

BETTER = 0.8
"""Resampling has to bring the mean squared difference of the frames below this fraction of what a shift leaves, in all
and in each place: the flow of a lid that closes reaches over the brow, where the shift is right."""

ONE_STEP = 0.2
"""Motion in px that one linear step finds: beyond it the gradient of fine texture is off by a tenth, differently in
every part of the face. Where the head moves by more after the whole pixels, both frames are moved half of it."""

CLOSE_ENOUGH = 0.1
"""Change of the head's shift in px below which it is not improved any more; the rest is found at full
size."""

COARSE = (8, 4)
"""Reductions of the two small pictures on which large motion is found."""

LEAST_BLUR = 1.5
"""Standard deviation in px from which on a Gaussian is as good on a smaller picture."""

BESIDE = 0.12
ABOVE = 0.2
"""Room around the landmarks in which flow is computed, as a fraction of the face's width: a window of the least squares
reaches so far; brows are windows themselves."""

SLACK = 0.05
"""Further room, in which the face may move before another part of the picture is taken."""

BATCH = 16
"""Pairs whose small arrays are worked on together."""

Image = NDArray[np.uint8]
Result = TypeVar("Result")


@dataclass(frozen=True)
class _Scale:
    """The width of the face in px, and lengths that follow from it: see the constants of the same names."""

    face: float
    window: float
    high_pass: float
    spread: float

    @property
    def pixels(self) -> float:
        """How many independent pixels a window sums up."""
        return 4 * np.pi * self.window**2

    @property
    def pool(self) -> int:
        """Size of the squares of pixels whose products are summed first; the window then works on those."""
        return next((pool for pool in (8, 4, 2) if pool <= 1.25 * self.window), 1)


class _View(NamedTuple):
    """A part of the picture, in px; its edges are whole multiples of the larger reduction, or the picture's."""

    x0: int
    y0: int
    x1: int
    y1: int

    def of(self, array: NDArray[np.generic]) -> NDArray[np.generic]:
        """What an array (H, W, …) shows there."""
        return array[self.y0 : self.y1, self.x0 : self.x1]


@dataclass(frozen=True)
class _Frame:
    """A frame made ready: detail at full size, and small pictures that keep coarser structure."""

    detail: Field
    small: tuple[Field, ...]


@dataclass
class _Shot:
    """A picture, the part of it that shows the face, outlines of the eyes in px, and what was last made ready of it."""

    image: Image
    view: _View
    eyes: Sequence[NDArray[np.int32]] = ()
    ready: tuple[_View, _Frame] | None = None

    def frame(self, view: _View, high_pass: float) -> _Frame:
        """A part of the picture made ready."""
        if self.ready is None or self.ready[0] != view:
            self.ready = view, _prepare(np.asarray(view.of(self.image), np.uint8), high_pass)
        return self.ready[1]


@dataclass(frozen=True)
class _Sums:
    """Means over windows on a coarser grid (6, h, w) in a part of the picture; motion is relative to ``base`` (2,)."""

    view: _View
    sums: Field
    base: Field


@dataclass(frozen=True)
class _Pair:
    """Means over windows on a coarser grid (5, h, w), and the head's motion (2, h, w) in px, in a part of the picture.

    The right-hand sides xb, yb hold what is left after the head's motion. ``noise`` is the mean squared difference of
    two pixels that the motion does not explain, in grey values squared: twice the variance of the noise of one.
    """

    view: _View
    sums: Field
    head: Field
    noise: float


@dataclass(frozen=True)
class _Average:
    """A pair, the means (5, h, w) over it and its neighbours, and the variance that noise has in them.

    ``against`` is the same of the difference of the pair and those means; infinite where the pair has no neighbour, so
    that nothing contradicts them.
    """

    pair: _Pair
    sums: Field
    noise: float
    against: float

    @property
    def view(self) -> _View:
        """The part of the picture."""
        return self.pair.view


def lk_stream(
    frames: Iterable[Image | None],
    *,
    step: int,
    temporal: int,
    face_width: float | None,
    landmarks: Sequence[NDArray[np.float32]] | None = None,
) -> Iterator[CoarseFlow | None]:
    """Flow from each frame to the one ``step`` later, as the frames come; None where one of the two is missing.

    Args:
        frames: grey (H, W) uint8, all of one size, or None for a frame that could not be read.
        step: distance in frames of the two frames of a pair.
        temporal: odd number of neighbouring pairs averaged with triangular weights; 1 uses the pair alone.
        face_width: distance between the ears in px; two thirds of the image's width if not known.
        landmarks: a list whose last item is the landmarks (68, 2) of the frame that comes, in px. Flow is computed
            around them only; everywhere without them, or as long as they are NaN.

    Each depends on at most ``temporal - 1 + step + 1`` frames and never on how the frames were cut into chunks.
    """
    waiting = iter(frames)
    missing = 0
    for image in waiting:
        if image is not None:
            break
        missing += 1
    else:
        yield from repeat(None, max(missing - step, 0))
        return
    height, width = image.shape
    scale = _scale(face_width or width * 2 / 3)
    shots = _shots(chain(repeat(None, missing), (image,), waiting), landmarks, (height, width), scale)
    pairs = _in_batches(_all_sums(shots, step, scale), partial(_pairs, scale=scale))
    yield from _in_batches(_averages(pairs, temporal, scale), partial(_flows, scale=scale, shape=(height, width)))


_Viewed = TypeVar("_Viewed", _Sums, _Average)


def _shots(
    frames: Iterable[Image | None],
    landmarks: Sequence[NDArray[np.float32]] | None,
    shape: tuple[int, int],
    scale: _Scale,
) -> Iterator[_Shot | None]:
    """Each picture, with the part of it that shows the face."""
    view: _View | None = None
    for image in frames:
        if image is None:
            yield None
            continue
        points = landmarks[-1] if landmarks else None
        view = _view(points, shape, view, scale)
        yield _Shot(image, view, _eyes(points))


def _all_sums(shots: Iterable[_Shot | None], step: int, scale: _Scale) -> Iterator[_Sums | None]:
    """The sums of each pair, where its first frame shows the face."""
    recent: deque[_Shot | None] = deque(maxlen=step + 1)
    for shot in shots:
        recent.append(shot)
        if len(recent) > step:
            first, second = recent[0], recent[-1]
            yield None if first is None or second is None else _sums(first, second, scale)


def _in_batches(
    items: Iterator[_Viewed | None], work: Callable[[Sequence[_Viewed]], Iterable[Result]]
) -> Iterator[Result | None]:
    """What comes of each item, sixteen at a time as far as they are of one part of the picture; of None, None.

    NumPy takes as long for a small array as for sixteen of them.
    """
    while batch := list(islice(items, BATCH)):
        there = (item for item in batch if item is not None)
        results = chain.from_iterable(work(list(alike)) for _, alike in groupby(there, lambda item: item.view))
        yield from (None if item is None else next(results) for item in batch)


def _scale(width: float) -> _Scale:
    return _Scale(width, WINDOW * width, HIGH_PASS * width, SPREAD * width)


def _view(points: NDArray[np.float32] | None, shape: tuple[int, int], before: _View | None, scale: _Scale) -> _View:
    """The part of a picture of this shape around landmarks (68, 2): that of the frame before where they lie in it."""
    height, width = shape
    if points is None or not np.isfinite(points).all():
        return before or _View(0, 0, width, height)
    low, high = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    beside, above = BESIDE * scale.face, ABOVE * scale.face
    x0, y0, x1, y1 = (
        min(max(place, 0.0), size)
        for place, size in (
            (low[0] - beside, width),
            (low[1] - above, height),
            (high[0] + beside, width),
            (high[1] + beside, height),
        )
    )
    if before is not None and before.x0 <= x0 and before.y0 <= y0 and x1 <= before.x1 and y1 <= before.y1:
        return before
    slack, unit = SLACK * scale.face, COARSE[0]
    left, top = (int(max(place - slack, 0) // unit * unit) for place in (x0, y0))
    right, bottom = (int(-(-(place + slack) // unit) * unit) for place in (x1, y1))
    view = _View(left, top, min(right, width), min(bottom, height))
    # where most of the face lies outside the picture there is nothing to choose
    return view if min(view.x1 - left, view.y1 - top) > scale.face / 2 else _View(0, 0, width, height)


def _eyes(points: NDArray[np.float32] | None) -> list[NDArray[np.int32]]:
    """Outlines (n, 2) in px around both eyes of landmarks (68, 2)."""
    if points is None or not np.isfinite(points).all():
        return []
    eyes = []
    for eye in (points[36:42], points[42:48]):
        middle = eye.mean(axis=0)
        eyes.append(cv2.convexHull(np.rint(middle + OPENED * (eye - middle)).astype(np.int32))[:, 0])
    return eyes


def _leave_out_blinks(planes: Sequence[Field], eyes: Sequence[NDArray[np.int32]], shift: Field) -> None:
    """Nothing is known where an eye changes by more than the head's shift and motion of ``LID`` px explain."""
    right, down = shift.tolist()
    for eye in eyes:
        x, y = (
            slice(max(low, 0), max(high + 1, 0)) for low, high in zip(eye.min(axis=0), eye.max(axis=0), strict=True)
        )
        parts = [plane[y, x] for plane in planes]
        if not parts[0].size:
            continue
        mask = cv2.fillConvexPoly(np.zeros(parts[0].shape, np.uint8), eye - (x.start, y.start), 1)
        xx, xy, yy, xb, yb, bb = (float(cv2.mean(part, mask)[0]) for part in parts)
        left = bb - 2 * (right * xb + down * yb) + right**2 * xx + 2 * right * down * xy + down**2 * yy
        if left > LID**2 * (xx + yy) / 2:
            for plane in planes:
                cv2.fillConvexPoly(plane, eye, 0.0)


def _prepare(image: Image, sigma: float) -> _Frame:
    """Detail without what a Gaussian of ``sigma`` px keeps, and the small pictures."""
    height, width = image.shape
    # sizes that all reductions divide: their means are then exact, and three times faster
    border = (0, -height % COARSE[0], 0, -width % COARSE[0])
    grey = cv2.copyMakeBorder(image, *border, cv2.BORDER_REPLICATE).astype(np.float32)
    grey *= GREY / max(float(cv2.mean(image)[0]), 1.0)
    half = reduce(grey, 2)
    quarter = reduce(half, 2)
    # band-pass, as wide in px of the small picture as lets it follow motion of two of them
    small = tuple(
        cv2.GaussianBlur(one, (0, 0), 1.0) - cv2.GaussianBlur(one, (0, 0), 6.0) for one in (reduce(quarter, 2), quarter)
    )
    # the same Gaussian on a smaller picture costs a fraction
    scale, reduced = next(((by, one) for by, one in ((4, quarter), (2, half)) if sigma >= LEAST_BLUR * by), (1, grey))
    low = cv2.GaussianBlur(reduced, (0, 0), sigma / scale)
    low = cv2.resize(low, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return _Frame(cv2.sepFilter2D(grey, -1, _SMOOTHING, _SMOOTHING) - low, small)


_SMOOTHING = np.asarray(cv2.getGaussianKernel(5, SMOOTH), np.float32)
_NOISE_KEPT = float((_SMOOTHING**2).sum()) ** 2
"""The part of the variance of independent noise that smoothing leaves in a pixel."""


def _sums(one: _Shot, two: _Shot, scale: _Scale) -> _Sums:
    """Window sums of one pair, where the first shows the face, after large motion has been found and taken out."""
    first, second = (shot.frame(one.view, scale.high_pass) for shot in (one, two))
    shift = _head_shift(first, second)
    whole = np.rint(shift)
    local = _coarse_flow(first.small[-1], second.small[-1], shift, scale.window)
    if local is not None:
        # a part of what one step finds is left to it: pixels that are not moved by fractions keep their contrast
        beyond = local - whole[:, None, None]
        beyond -= np.clip(beyond, -ONE_STEP / 2, ONE_STEP / 2)
        local = whole[:, None, None] + beyond
        image, moved = resampled(second.detail, _enlarged(local, first.detail.shape[::-1]))
        planes = products(first.detail, image, moved - whole[:, None, None])
        clear_border(planes, local)
    else:
        image, part = shifted(second.detail, whole), shift - whole
        detail = first.detail
        if float(np.abs(part).max()) < ONE_STEP:
            part = np.zeros_like(part)
        else:
            # half of what is left for either frame, so that interpolation blurs both alike
            half = part * np.float32(0.5)
            detail, image = shifted(detail, -half), shifted(image, half)
        planes = products(detail, image, part.tolist())
        clear_border(planes, whole + part)
    _leave_out_blinks(planes, [eye - one.view[:2] for eye in one.eyes], shift - whole)
    pool = scale.pool
    # the squares are windows too, of the variance (pool² - 1) / 12 in each direction
    sigma = np.sqrt(max(scale.window**2 - (pool**2 - 1) / 12, 0.0)) / pool
    return _Sums(one.view, blurred([reduce(plane, pool) for plane in planes], sigma), whole)


def _enlarged(flow: Field, size: tuple[int, int]) -> Field:
    """Both planes of flow (2, h, w) at another width and height."""
    out = np.empty((2, size[1], size[0]), np.float32)
    for plane, large in zip(flow, out, strict=True):
        cv2.resize(plane, size, large, interpolation=cv2.INTER_LINEAR)
    return out


def _pairs(batch: Sequence[_Sums], scale: _Scale) -> Iterator[_Pair]:
    """The head's motion in each pair, and its noise."""
    sums = np.stack([each.sums for each in batch], axis=1)
    local = solve(sums)
    unexplained = sums[5] - local[0] * sums[3] - local[1] * sums[4]
    face = centre_weight(*unexplained.shape[1:])[2] > FACE_WEIGHT
    noise = np.maximum(median(unexplained[:, face]), 0) if face.any() else np.zeros(len(batch))
    head = affine(sums, max(1, round(4 * scale.window / scale.pool)))
    sums[3] -= sums[0] * head[0] + sums[1] * head[1]
    sums[4] -= sums[1] * head[0] + sums[2] * head[1]
    for index, each in enumerate(batch):
        whole_head = head[:, index] + each.base[:, None, None]
        yield _Pair(each.view, sums[:5, index], whole_head, float(noise[index]) / _NOISE_KEPT)


def _head_shift(first: _Frame, second: _Frame) -> Field:
    """The translation of the face in px, coarse to fine; good to about 0.2 px for shifts up to 20 px."""
    right, down = 0.0, 0.0
    for reduction, one, two in zip(COARSE, first.small, second.small, strict=True):
        weight = centre_weight(*one.shape)[2]
        for _ in range(3):
            place = np.array([[1, 0, right / reduction], [0, 1, down / reduction]], np.float32)
            moved = cv2.warpAffine(
                two,
                place,
                one.shape[::-1],
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            x, y = gradients(one, moved)
            of_x, of_y, change = x * weight, y * weight, one - moved
            xx, xy, yy = float(np.vdot(of_x, x)), float(np.vdot(of_x, y)), float(np.vdot(of_y, y))
            xb, yb = float(np.vdot(of_x, change)), float(np.vdot(of_y, change))
            damping = 1e-3 * (xx + yy) + 1e-6
            xx, yy = xx + damping, yy + damping
            scale = reduction / (xx * yy - xy * xy)
            by_x, by_y = (yy * xb - xy * yb) * scale, (xx * yb - xy * xb) * scale
            right, down = right + by_x, down + by_y
            if max(abs(by_x), abs(by_y)) < CLOSE_ENOUGH:
                break
    limit = min(first.detail.shape) / 4
    return np.clip(np.array([right, down], np.float32), -limit, limit)


def _coarse_flow(first: Field, second: Field, shift: Field, window: float) -> Field | None:
    """Flow (2, h, w) in px of the full picture on the finer of the small pictures, started from the head's shift.

    It is that shift where the flow explains the second picture no better; None where that is so all over the face, and
    where the face moves as one.
    """
    reduction = COARSE[-1]
    x, y = grid(*first.shape)
    flow = np.empty((2, *first.shape), np.float32)
    flow[:] = shift[:, None, None]

    def moved_back() -> Field:
        right, down = flow * np.float32(1 / reduction)
        places = x + right, y + down
        return np.asarray(cv2.remap(second, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)

    rigid = moved = moved_back()
    sigma = max(2 * window / reduction, 1.0)
    for last in (False, True):
        sums = blurred(products(first, moved)[:5], sigma)
        change = np.clip(solve(sums, COARSE_RIDGE), -2, 2) * np.float32(reduction)
        flow += change
        if last or np.abs(change).max() < RESAMPLE_FROM / 2:
            break
        moved = moved_back()
    # the background stays behind when the head moves, and is no reason to resample the face
    face = centre_weight(*first.shape)[2] > FACE_WEIGHT
    beyond = np.abs(flow - np.rint(shift)[:, None, None]) * face
    if float(beyond.max()) < RESAMPLE_FROM:
        return None
    moved = moved_back()
    if difference(first, moved) >= BETTER * difference(first, rigid):
        return None
    by_flow, by_shift = (cv2.GaussianBlur((first - one) ** 2, (0, 0), sigma / 2) for one in (moved, rigid))
    better = cv2.GaussianBlur((by_flow < BETTER * by_shift).astype(np.float32), (0, 0), sigma / 2)
    return np.asarray(shift[:, None, None] + better * (flow - shift[:, None, None]))


def _averages(pairs: Iterable[_Pair | None], temporal: int, scale: _Scale) -> Iterator[_Average | None]:
    """Each pair averaged with as many neighbours, weighted by how near they are, as far as they exist."""
    half = temporal // 2
    weights = np.minimum(np.arange(1.0, temporal + 1), np.arange(temporal, 0.0, -1))
    near: deque[_Pair | None] = deque([None] * temporal, maxlen=temporal)
    for index, pair in enumerate(chain(pairs, repeat(None, half))):
        near.append(pair)
        if index >= half:
            yield _average(near, weights, scale)


def _average(pairs: Sequence[_Pair | None], weights: NDArray[np.float64], scale: _Scale) -> _Average | None:
    """The middle pair averaged with all around it that exist."""
    middle = pairs[len(pairs) // 2]
    if middle is None:
        return None
    quietest = max(min(pair.noise for pair in pairs if pair is not None), RIDGE)
    usable = [pair is middle or (pair is not None and pair.noise <= TOO_NOISY * quietest) for pair in pairs]
    shares = weights * usable
    shares /= shares.sum()
    sums = np.zeros_like(middle.sums)
    noise = 0.0
    for share, pair in zip(shares, pairs, strict=True):
        if pair is not None and share > 0:
            _add(sums, np.float32(share), pair, middle.view, scale.pool)
            noise += share * pair.noise
    against = -shares
    against[len(pairs) // 2] += 1
    noise /= scale.pixels
    return _Average(
        middle,
        sums,
        noise * _summed_noise(shares),
        noise * _summed_noise(against) if against.any() else math.inf,
    )


def _add(total: Field, share: np.float32, pair: _Pair, view: _View, pool: int) -> None:
    """Add a share of the sums of a pair to those (5, h, w) of a part of the picture, as far as the pair covers it."""
    if pair.view == view:
        total += share * pair.sums
        return
    right, down = ((there - here) // pool for there, here in zip(pair.view[:2], view[:2], strict=True))
    height, width = (
        (min(place + there, here), max(place, 0))
        for place, there, here in zip((down, right), pair.sums.shape[1:], total.shape[1:], strict=True)
    )
    rows, columns = slice(height[1], height[0]), slice(width[1], width[0])
    if rows.start < rows.stop and columns.start < columns.stop:
        part = pair.sums[:, rows.start - down : rows.stop - down, columns.start - right : columns.stop - right]
        total[:, rows, columns] += share * part


def _summed_noise(shares: NDArray[np.float64]) -> float:
    """The noise in a sum of pairs with these shares, as a multiple of that of one.

    Neighbouring pairs share a frame, which enters with opposite signs: most of the noise cancels.
    """
    return float(shares @ shares - shares[1:] @ shares[:-1])


def _flows(batch: Sequence[_Average], scale: _Scale, shape: tuple[int, int]) -> Iterator[CoarseFlow]:
    """The flow of each pair from its average with its neighbours, and from its own sums where they contradict it."""
    sums = np.stack([each.sums for each in batch], axis=1)
    own = np.stack([each.pair.sums for each in batch], axis=1)
    sigma = AROUND * scale.window / scale.pool
    around = solve(np.stack([blurred(list(each.sums), sigma) for each in batch], axis=1))
    noise, against = (
        np.array(values, np.float32)[:, None, None]
        for values in ([each.noise for each in batch], [each.against for each in batch])
    )
    flow = solve(sums, RIDGE + noise / np.float32(scale.spread**2), around)
    change = solve(own, RIDGE, flow) - flow
    change *= _trust(own, change, against, NEARBY * scale.window / scale.pool)
    flow += change
    for index, each in enumerate(batch):
        yield CoarseFlow(flow[:, index] + each.pair.head, scale.pool, each.view, shape)


def _trust(sums: Field, change: Field, noise: Field, sigma: float) -> Field:
    """The part of a change of motion (2, T, h, w) that noise of this variance (T, 1, 1) does not explain: (T, h, w).

    How much the change explains of the sums is chi squared with two degrees of freedom where it is noise.
    """
    x, y = change
    explained = sums[0] * x * x + 2 * sums[1] * x * y + sums[2] * y * y
    excess = np.minimum(explained / (2 * noise + np.float32(1e-12)), np.float32(LOUDEST))
    excess = np.stack([cv2.GaussianBlur(plane, (0, 0), sigma) for plane in excess])
    return np.asarray(np.maximum(1 - np.float32(DOUBT) / np.maximum(excess, np.float32(1e-6)), 0))
