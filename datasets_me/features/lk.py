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

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.features.least_squares import (
    FACE_WEIGHT,
    RIDGE,
    Field,
    affine,
    blurred,
    centre_weight,
    clear_border,
    difference,
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

HIGH_PASS = 0.03
"""Standard deviation of the subtracted Gaussian, the same way: 4 px on a face of 133 px."""

SMOOTH = 0.6
"""Standard deviation in px of the Gaussian that takes noise off a frame: noise and compression have the size of pixels,
whatever the size of the face."""

GREY = 128.0
"""Mean brightness frames are brought to, in grey values."""

AROUND = 3.0
"""Width of the surroundings that flow is drawn to where noise leaves it open, in windows."""

SPREAD = 0.00015
"""How far the motion of skin is expected to differ from that of its surroundings, as a fraction of the face's width
(standard deviation): 0.02 px on a face of 133 px. With the noise that is measured between the frames it decides how
much is left to the surroundings."""

DOUBT = 1.5
"""A pair is believed against its neighbours only as far as the contradiction exceeds what noise makes on average, by
this factor."""

NEARBY = 2.0
"""Over how many windows that contradiction is averaged (standard deviation)."""

COARSE_RIDGE = 10.0
"""The same on the small pictures, whose flow is only a start and must not wander where there is no texture."""

RESAMPLE_FROM = 1.0
"""Motion left in the face after whole-pixel alignment, in px, beyond which one linear step is not enough."""

BETTER = 0.8
"""Resampling has to bring the mean squared difference of the frames below this fraction of what a shift
leaves."""

HALVE_FROM = 0.2
"""Motion of the whole head left after that, in px, beyond which both frames are moved half of it: the
gradient of fine texture is off by a tenth, differently in every part of the face."""

CLOSE_ENOUGH = 0.1
"""Change of the head's shift in px below which it is not improved any more; the rest is found at full
size."""

COARSE = (8, 4)
"""Reductions of the two small pictures on which large motion is found."""

BESIDE = 0.12
ABOVE = 0.2
"""Room around the landmarks in which flow is computed, as a fraction of the face's width: a window of the least squares
reaches so far; brows are windows themselves."""

SLACK = 0.05
"""Further room, in which the face may move before another part of the picture is taken."""


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
    """A picture, the part of it that shows the face, and what was last made ready of it."""

    image: NDArray[np.uint8]
    view: _View
    ready: tuple[_View, _Frame] | None = None

    def frame(self, view: _View, high_pass: float) -> _Frame:
        """A part of the picture made ready."""
        if self.ready is None or self.ready[0] != view:
            self.ready = view, _prepare(np.asarray(view.of(self.image), np.uint8), high_pass)
        return self.ready[1]


@dataclass(frozen=True)
class _Pair:
    """Sums over windows on a coarser grid (5, h, w), and the head's motion (h, w, 2) in px, in a part of the picture.

    The right-hand sides xb, yb hold what is left after the head's motion. ``noise`` is the mean squared difference of
    two pixels that the motion does not explain, in grey values squared: twice the variance of the noise of one.
    """

    view: _View
    sums: Field
    head: Field
    noise: float


def lk_stream(
    frames: Iterable[NDArray[np.uint8] | None],
    *,
    step: int,
    temporal: int,
    face_width: float | None,
    landmarks: Sequence[NDArray[np.float32]] | None = None,
) -> Iterator[Field | None]:
    """Flow from each frame to the one ``step`` later, as the frames come; None where one of the two is missing.

    Args:
        frames: grey (H, W) uint8, all of one size, or None for a frame that could not be read.
        step: distance in frames of the two frames of a pair.
        temporal: odd number of neighbouring pairs averaged with triangular weights; 1 uses the pair alone.
        face_width: distance between the ears in px; two thirds of the image's width if not known.
        landmarks: a list whose last item is the landmarks (68, 2) of the frame that comes, in px. Flow is computed
            around them only, and is NaN elsewhere; everywhere without them, or as long as they are NaN.

    Yields:
        (H, W, 2) float32 in px. Each depends on at most ``temporal - 1 + step + 1`` frames and never on how the frames
        were cut into chunks.
    """
    half = temporal // 2
    weights = np.minimum(np.arange(1, temporal + 1), np.arange(temporal, 0, -1)).astype(np.float32)
    recent: deque[_Shot | None] = deque(maxlen=step + 1)
    pairs: deque[_Pair | None] = deque([None] * temporal, maxlen=temporal)
    shape, scale = (0, 0), _scale(face_width or 1.0)
    view: _View | None = None
    seen = 0
    for image in frames:
        if image is not None and shape == (0, 0):
            shape = image.shape[0], image.shape[1]
            scale = _scale(face_width or shape[1] * 2 / 3)
        if image is not None:
            view = _view(landmarks[-1] if landmarks else None, shape, view, scale)
        recent.append(None if image is None or view is None else _Shot(image, view))
        if len(recent) <= step:
            continue
        first, second = recent[0], recent[-1]
        pairs.append(None if first is None or second is None else _pair(first, second, scale))
        seen += 1
        if seen > half:
            yield _average(pairs, weights, shape, scale)
    for ahead in range(half):
        pairs.append(None)
        if seen + ahead >= half:
            yield _average(pairs, weights, shape, scale)


def _scale(width: float) -> _Scale:
    return _Scale(width, WINDOW * width, HIGH_PASS * width, SPREAD * width)


def _view(points: NDArray[np.float32] | None, shape: tuple[int, int], before: _View | None, scale: _Scale) -> _View:
    """The part of a picture of this shape around landmarks (68, 2): that of the frame before where they lie in it."""
    height, width = shape
    if points is None or not np.isfinite(points).all():
        return before or _View(0, 0, width, height)
    sides = np.array([BESIDE, ABOVE, BESIDE, BESIDE]) * scale.face
    around = np.concatenate([points.min(axis=0), points.max(axis=0)]) + sides * (-1, -1, 1, 1)
    inside = np.clip(around, 0, (width, height, width, height))
    if before is not None and (inside[:2] >= before[:2]).all() and (inside[2:] <= before[2:]).all():
        return before
    slack = SLACK * scale.face
    unit = COARSE[0]
    x0, y0 = (int(max(value - slack, 0) // unit * unit) for value in inside[:2])
    x1, y1 = (int(-(-(value + slack) // unit) * unit) for value in inside[2:])
    view = _View(x0, y0, min(x1, width), min(y1, height))
    # where most of the face lies outside the picture there is nothing to choose
    return view if min(view.x1 - x0, view.y1 - y0) > scale.face / 2 else _View(0, 0, width, height)


def _prepare(image: NDArray[np.uint8], sigma: float) -> _Frame:
    """Detail without what a Gaussian of ``sigma`` px keeps, and the small pictures."""
    height, width = image.shape
    # sizes that all reductions divide: their means are then exact, and three times faster
    border = (0, -height % COARSE[0], 0, -width % COARSE[0])
    grey = cv2.copyMakeBorder(image, *border, cv2.BORDER_REPLICATE).astype(np.float32)
    grey *= GREY / max(float(cv2.mean(image)[0]), 1.0)
    reduced = [reduce(grey, reduction) for reduction in COARSE]
    # band-pass, as wide in px of the small picture as lets it follow motion of two of them
    small = tuple(cv2.GaussianBlur(one, (0, 0), 1.0) - cv2.GaussianBlur(one, (0, 0), 6.0) for one in reduced)
    # the same Gaussian on a smaller picture costs a fraction
    scale = next((scale for scale in (4, 2) if sigma >= 2 * scale), 1)
    low = cv2.GaussianBlur(reduce(grey, scale), (0, 0), sigma / scale)
    low = cv2.resize(low, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return _Frame(cv2.sepFilter2D(grey, -1, _SMOOTHING, _SMOOTHING) - low, small)


_SMOOTHING = np.asarray(cv2.getGaussianKernel(5, SMOOTH), np.float32)
_NOISE_KEPT = float((_SMOOTHING**2).sum()) ** 2
"""The part of the variance of independent noise that smoothing leaves in a pixel."""


def _pair(one: _Shot, two: _Shot, scale: _Scale) -> _Pair:
    """Window sums of one pair, where the first shows the face, after large motion has been found and taken out."""
    first, second = (shot.frame(one.view, scale.high_pass) for shot in (one, two))
    return _Pair(one.view, *_sums(first, second, scale))


def _sums(first: _Frame, second: _Frame, scale: _Scale) -> tuple[Field, Field, float]:
    """The sums, the head's motion and the noise of a pair."""
    shift = _head_shift(first, second)
    whole = np.rint(shift).astype(np.float32)
    local = _coarse_flow(first.small[-1], second.small[-1], shift, scale.window)
    if local is not None:
        moved = cv2.resize(local, first.detail.shape[::-1], interpolation=cv2.INTER_LINEAR)
        image, moved = resampled(second.detail, moved)
        return _summed(first.detail, image, moved, whole, scale)
    image, part = shifted(second.detail, whole), np.asarray(shift - whole, np.float32)
    if float(np.abs(part).max()) < HALVE_FROM:
        return _summed(first.detail, image, whole, whole, scale)
    # half of what is left for either frame, so that interpolation blurs both alike
    half = part * np.float32(0.5)
    return _summed(shifted(first.detail, -half), shifted(image, half), whole + part, whole, scale)


def _summed(first: Field, second: Field, moved: Field, base: Field, scale: _Scale) -> tuple[Field, Field, float]:
    """The sums for a second frame that was moved back by ``moved``; motion is relative to ``base`` (2,)."""
    planes = products(first, second, moved - base)
    clear_border(planes, moved)
    pool = scale.pool
    # the squares are windows too, of the variance (pool² - 1) / 12 in each direction
    sigma = np.sqrt(max(scale.window**2 - (pool**2 - 1) / 12, 0.0)) / pool
    sums = blurred([reduce(plane, pool) for plane in planes], sigma)
    local = solve(sums)
    unexplained = sums[5] - local[..., 0] * sums[3] - local[..., 1] * sums[4]
    face = centre_weight(*unexplained.shape)[2] > FACE_WEIGHT
    noise = max(median(unexplained[face]), 0.0) / _NOISE_KEPT if face.any() else 0.0
    head = affine(sums, max(1, round(4 * scale.window / pool)))
    sums[3] -= sums[0] * head[..., 0] + sums[1] * head[..., 1]
    sums[4] -= sums[1] * head[..., 0] + sums[2] * head[..., 1]
    return sums[:5], head + base, noise


def _head_shift(first: _Frame, second: _Frame) -> Field:
    """The translation of the face in px, coarse to fine; good to about 0.2 px for shifts up to 20 px."""
    shift = np.zeros(2)
    for reduction, one, two in zip(COARSE, first.small, second.small, strict=True):
        weight = centre_weight(*one.shape)[2]
        for _ in range(3):
            place = np.array([[1, 0, shift[0] / reduction], [0, 1, shift[1] / reduction]], np.float32)
            moved = cv2.warpAffine(
                two,
                place,
                one.shape[::-1],
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            xx, xy, yy, xb, yb = (float((product * weight).sum()) for product in products(one, moved)[:5])
            damping = 1e-3 * (xx + yy) + 1e-6
            system = np.array([[xx + damping, xy], [xy, yy + damping]])
            change = np.linalg.solve(system, [xb, yb]) * reduction
            shift += change
            if np.abs(change).max() < CLOSE_ENOUGH:
                break
    limit = min(first.detail.shape) / 4
    return np.clip(shift, -limit, limit).astype(np.float32)


def _coarse_flow(first: Field, second: Field, shift: Field, window: float) -> Field | None:
    """Flow (h, w, 2) in px of the full picture on the finer of the small pictures, started from the head's shift.

    None where the face moves as one, and where the flow explains the second picture no better than the shift does.
    """
    reduction = COARSE[-1]
    height, width = first.shape
    places = grid(height, width)
    flow = np.empty((height, width, 2), np.float32)
    flow[:] = shift
    # the background stays behind when the head moves, and is no reason to resample the face
    face = centre_weight(height, width)[2] > FACE_WEIGHT
    rigid = 0.0
    for last in (False, True):
        moved = cv2.remap(second, places + flow / reduction, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        rigid = rigid or difference(first, moved)
        sigma = max(2 * window / reduction, 1.0)
        sums = blurred(products(first, moved)[:5], sigma)
        change = np.clip(solve(sums, COARSE_RIDGE), -2, 2) * np.float32(reduction)
        flow += change
        if last or np.abs(change).max() < RESAMPLE_FROM / 2:
            break
    if float(np.abs(flow - np.rint(shift))[face].max(initial=0.0)) < RESAMPLE_FROM:
        return None
    moved = cv2.remap(second, places + flow / reduction, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return flow if difference(first, moved) < BETTER * rigid else None


def _average(pairs: deque[_Pair | None], weights: Field, shape: tuple[int, int], scale: _Scale) -> Field | None:
    """The middle pair's flow (H, W, 2) from the sums of all pairs around it that exist."""
    middle = pairs[len(pairs) // 2]
    if middle is None:
        return None
    shares = np.array([0.0 if pair is None else weight for weight, pair in zip(weights, pairs, strict=True)])
    shares /= shares.sum()
    pool = scale.pool
    sums = np.zeros_like(middle.sums)
    noise = 0.0
    for share, pair in zip(shares, pairs, strict=True):
        if pair is not None:
            _add(sums, np.float32(share), pair, middle.view, pool)
            noise += share * pair.noise
    around = solve(blurred(list(sums), AROUND * scale.window / pool))
    ridge = RIDGE + noise * _summed_noise(shares) / (scale.pixels * scale.spread**2)
    flow = solve(sums, ridge, around)
    alone = -shares
    alone[len(pairs) // 2] += 1
    if alone.any():
        change = solve(middle.sums, RIDGE, flow) - flow
        flow += _trust(middle.sums, change, noise * _summed_noise(alone) / scale.pixels, NEARBY * scale.window / pool)
    flow += middle.head
    large = cv2.resize(flow, None, fx=pool, fy=pool, interpolation=cv2.INTER_LINEAR)
    x0, y0, x1, y1 = middle.view
    if (y1 - y0, x1 - x0) == shape:
        return np.ascontiguousarray(large[: shape[0], : shape[1]])
    everywhere = np.full((*shape, 2), np.nan, np.float32)
    everywhere[y0:y1, x0:x1] = large[: y1 - y0, : x1 - x0]
    return everywhere


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


def _trust(sums: Field, change: Field, noise: float, sigma: float) -> Field:
    """The part of a change of motion (h, w, 2) that noise of this variance does not explain: (h, w, 2).

    How much the change explains of the sums is chi squared with two degrees of freedom where it is noise.
    """
    x, y = change[..., 0], change[..., 1]
    explained = sums[0] * x * x + 2 * sums[1] * x * y + sums[2] * y * y
    excess = cv2.GaussianBlur(explained, (0, 0), sigma) / np.float32(2 * noise + 1e-12)
    trusted = np.maximum(1 - np.float32(DOUBT) / np.maximum(excess, np.float32(1e-6)), 0)
    return np.asarray(change * trusted[..., None])
