"""Optical flow by windowed least squares (Lucas & Kanade, 1981), made for motion of a tenth of a pixel.

Between two neighbouring frames a micro-expression moves the skin by about 0.09 px, so noise decides and not
the regulariser. What that asks for:

- The frame's mean brightness is divided out and a wide Gaussian subtracted, so that flicker and shading do
  not count.
- Large motion of the head is found on small pictures and taken out by whole pixels, which blurs nothing. The
  second frame is resampled only where the face itself moves by more than a pixel.
- The products of gradients are summed in a Gaussian window proportional to the face.
- The sums are averaged with those of neighbouring pairs (`temporal`), after each pair's own affine motion of
  the head has been taken out, so that a jerk of the head is not smeared over its neighbours.
- Where noise leaves the motion of a place open, it is drawn to that of its surroundings, the more the noisier
  the frames are: the ridge of a Gaussian prior.

`benchmarks/fidelity.py` shows what comes of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.features.least_squares import (
    RIDGE,
    Field,
    affine,
    blurred,
    centre_weight,
    clear_border,
    difference,
    grid,
    products,
    reduce,
    resampled,
    shifted,
    solve,
)

WINDOW = 0.035
"""Standard deviation of the window as a fraction of the width of the face between the ears."""

HIGH_PASS = 0.06
"""Standard deviation of the subtracted Gaussian, the same way: 8 px on a face of 133 px."""

GREY = 128.0
"""Mean brightness frames are brought to, in grey values."""

AROUND = 3.0
"""Width of the surroundings that flow is drawn to where noise leaves it open, in windows."""

SPREAD = 0.02
"""How far the motion of skin is expected to differ from that of its surroundings, in px (standard
deviation). With the noise that is measured between the frames it decides how much is left to the
surroundings."""

COARSE_RIDGE = 10.0
"""The same on the small pictures, whose flow is only a start and must not wander where there is no
texture."""

RESAMPLE_FROM = 1.0
"""Motion left in the face after whole-pixel alignment, in px, beyond which one linear step is not enough."""

BETTER = 0.8
"""Resampling has to bring the mean squared difference of the frames below this fraction of what a shift
leaves."""

HALVE_FROM = 0.15
"""Motion of the whole head left after that, in px, beyond which both frames are moved half of it: the
gradient of fine texture is off by a tenth, differently in every part of the face."""

CLOSE_ENOUGH = 0.1
"""Change of the head's shift in px below which it is not improved any more; the rest is found at full
size."""

FACE_WEIGHT = 0.4
"""Where the weight of a picture's middle is above this, there is face: within a third of its size from the
middle."""

COARSE = (8, 4)
"""Reductions of the two small pictures on which large motion is found."""


@dataclass(frozen=True)
class _Frame:
    """A frame made ready: detail at full size, and small pictures that keep coarser structure."""

    detail: Field
    small: tuple[Field, ...]


@dataclass(frozen=True)
class _Pair:
    """Sums over windows on a coarser grid (5, h, w), and the head's motion (h, w, 2) in px.

    The right-hand sides xb, yb hold what is left after the head's motion. `noise` is the mean squared
    difference of the frames after it, in grey values squared: twice the variance of the noise of one.
    """

    sums: Field
    head: Field
    noise: float


def lk_stream(
    frames: Iterable[NDArray[np.uint8] | None], *, step: int, temporal: int, face_width: float | None
) -> Iterator[Field | None]:
    """Flow from each frame to the one `step` later, as the frames come; None where one of the two is missing.

    Args:
        frames: grey (H, W) uint8, all of one size, or None for a frame that could not be read.
        step: distance in frames of the two frames of a pair.
        temporal: odd number of neighbouring pairs averaged with triangular weights; 1 uses the pair alone.
        face_width: distance between the ears in px; two thirds of the image's width if not known.

    Yields:
        (H, W, 2) float32 in px. Each depends on at most `temporal - 1 + step + 1` frames and never on how
        the frames were cut into chunks.
    """
    half = temporal // 2
    weights = np.minimum(np.arange(1, temporal + 1), np.arange(temporal, 0, -1)).astype(np.float32)
    recent: deque[_Frame | None] = deque(maxlen=step + 1)
    pairs: deque[_Pair | None] = deque([None] * temporal, maxlen=temporal)
    shape, width = (0, 0), face_width or 0.0
    seen = 0
    for image in frames:
        if image is not None:
            shape = image.shape[0], image.shape[1]
            width = width or image.shape[1] * 2 / 3
        recent.append(None if image is None else _prepare(image, HIGH_PASS * width))
        if len(recent) <= step:
            continue
        first, second = recent[0], recent[-1]
        pairs.append(None if first is None or second is None else _pair(first, second, WINDOW * width))
        seen += 1
        if seen > half:
            yield _average(pairs, weights, shape, WINDOW * width)
    for ahead in range(half):
        pairs.append(None)
        if seen + ahead >= half:
            yield _average(pairs, weights, shape, WINDOW * width)


def _prepare(image: NDArray[np.uint8], sigma: float) -> _Frame:
    """Detail without what a Gaussian of `sigma` px keeps, and the small pictures."""
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
    return _Frame(grey - low, small)


def _pair(first: _Frame, second: _Frame, window: float) -> _Pair:
    """Window sums of one pair, after large motion has been found and taken out."""
    shift = _head_shift(first, second)
    whole = np.rint(shift).astype(np.float32)
    local = _coarse_flow(first.small[-1], second.small[-1], shift, window)
    # the background stays behind when the head moves, and is no reason to resample the face
    face = centre_weight(*local.shape[:2])[2] > FACE_WEIGHT
    if float(np.abs(local - whole)[face].max(initial=0.0)) >= RESAMPLE_FROM:
        moved = cv2.resize(local, first.detail.shape[::-1], interpolation=cv2.INTER_LINEAR)
        image, moved = resampled(second.detail, moved)
        rigid = difference(first.detail, shifted(second.detail, shift))
        if difference(first.detail, image) < BETTER * rigid:
            return _summed(first.detail, image, moved, whole, window)
    image = shifted(second.detail, whole)
    pair = _summed(first.detail, image, whole, whole, window)
    middle = pair.head[pair.head.shape[0] // 2, pair.head.shape[1] // 2] - whole
    if float(np.abs(middle).max()) < HALVE_FROM:
        return pair
    # half of what is left for either frame, so that interpolation blurs both alike
    half = middle / 2
    return _summed(shifted(first.detail, -half), shifted(image, half), whole + 2 * half, whole, window)


def _summed(first: Field, second: Field, moved: Field, base: Field, window: float) -> _Pair:
    """The sums for a second frame that was moved back by `moved`; motion is relative to `base` (2,)."""
    gradients = products(first, second, moved - base)
    clear_border(gradients, moved)
    pool = next((pool for pool in (8, 4, 2) if pool <= window), 1)
    sums = blurred([reduce(product, pool) for product in gradients], window / pool)
    head = affine(sums)
    sums[3] -= sums[0] * head[..., 0] + sums[1] * head[..., 1]
    sums[4] -= sums[1] * head[..., 0] + sums[2] * head[..., 1]
    return _Pair(sums, head + base, difference(first, second))


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
            xx, xy, yy, xb, yb = (float((product * weight).sum()) for product in products(one, moved))
            damping = 1e-3 * (xx + yy) + 1e-6
            system = np.array([[xx + damping, xy], [xy, yy + damping]])
            change = np.linalg.solve(system, [xb, yb]) * reduction
            shift += change
            if np.abs(change).max() < CLOSE_ENOUGH:
                break
    limit = min(first.detail.shape) / 4
    return np.clip(shift, -limit, limit).astype(np.float32)


def _coarse_flow(first: Field, second: Field, shift: Field, window: float) -> Field:
    """Flow (h, w, 2) in px of the full picture on the finer of the small pictures, started from the head's
    shift."""
    reduction = COARSE[-1]
    height, width = first.shape
    places = grid(height, width)
    flow = np.empty((height, width, 2), np.float32)
    flow[:] = shift
    for last in (False, True):
        moved = cv2.remap(second, places + flow / reduction, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        sigma = max(2 * window / reduction, 1.0)
        sums = blurred(products(first, moved), sigma)
        change = np.clip(solve(sums, COARSE_RIDGE), -2, 2) * np.float32(reduction)
        flow += change
        if last or np.abs(change).max() < RESAMPLE_FROM / 2:
            break
    return flow


def _average(pairs: deque[_Pair | None], weights: Field, shape: tuple[int, int], window: float) -> Field | None:
    """The middle pair's flow (H, W, 2) from the sums of all pairs around it that exist."""
    middle = pairs[len(pairs) // 2]
    if middle is None:
        return None
    shares = np.array([0.0 if pair is None else weight for weight, pair in zip(weights, pairs, strict=True)])
    shares /= shares.sum()
    sums = np.zeros_like(middle.sums)
    noise = 0.0
    for share, pair in zip(shares, pairs, strict=True):
        if pair is not None:
            sums += np.float32(share) * pair.sums
            noise += share * pair.noise
    # neighbouring pairs share a frame, which enters with opposite signs: most of the noise cancels
    noise *= float((np.diff(shares, prepend=0, append=0) ** 2).sum()) / 2
    pool = (shape[0] + -shape[0] % COARSE[0]) // sums.shape[1]
    around = solve(blurred(list(sums), AROUND * window / pool))
    ridge = RIDGE + noise / (4 * np.pi * (window * SPREAD) ** 2)
    flow = solve(sums, ridge, around) + middle.head
    large = cv2.resize(flow, None, fx=pool, fy=pool, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(large[: shape[0], : shape[1]])
