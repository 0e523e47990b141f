"""Least squares on the gradients of two pictures: the pieces that ``lk`` is put together from.

Pictures are (H, W) float32; ``sums`` are means of products in windows, (6, h, w): of the gradients xx, xy, yy, of the
gradients and the change xb, yb, and of the change bb. The motion solves [[xx, xy], [xy, yy]] u = [xb, yb]. Motion is
two planes (2, h, w), along x and along y. Several pairs (T) of one size lie before the last two axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

RIDGE = 0.1
"""Added to the diagonal of the mean squared gradients, in (grey values / px)^2: flow fades out where nothing is seen.
"""

ROUNDS = 3
"""Of reweighting in ``affine``."""

REACH = 1.5
"""Difference from the common motion at which a place has a quarter of its weight, in medians of the differences."""

LEAST_REACH = 0.05
"""The same in px at least: below it differences are noise."""

FACE_WEIGHT = 0.4
"""Where ``centre_weight`` is above this, there is face: within a third of the picture's size from its middle."""

_HALF_DERIVATIVE = np.array([1, -8, 0, 8, -1], np.float32) / 24  # of fourth order
_ONE = np.ones(1, np.float32)


def gradients(first: Field, second: Field) -> tuple[Field, Field]:
    """The gradients along x and y of the mean of both pictures, which makes the linear step exact to second order."""
    both = first + second
    return (
        cv2.sepFilter2D(both, -1, _HALF_DERIVATIVE, _ONE),
        cv2.sepFilter2D(both, -1, _ONE, _HALF_DERIVATIVE),
    )


def products(first: Field, second: Field, known: Field | Sequence[float] = (0.0, 0.0)) -> tuple[Field, ...]:
    """Products of the gradients with each other and with the change: xx, xy, yy, xb, yb, bb of every pixel.

    ``known`` is motion along x and y, of each pixel (H, W) or of all, that is already taken out of the second picture;
    it is put back into the change.
    """
    x, y = gradients(first, second)
    change = first - second
    for gradient, motion in zip((x, y), known, strict=True):
        if np.any(motion):
            change += gradient * motion
    return x * x, x * y, y * y, x * change, y * change, change * change


def blurred(planes: Sequence[Field], sigma: float) -> Field:
    """Several pictures of one size (h, w), blurred in one go: (n, h, w)."""
    together = cv2.GaussianBlur(cv2.merge(planes), (0, 0), max(sigma, 0.3))
    return np.stack(cv2.split(together))


def solve(sums: Field, ridge: float | Field = RIDGE, toward: Field | None = None) -> Field:
    """The motion (2, T, h, w) that explains the sums best, drawn by ``ridge`` to the motion ``toward``, or to none."""
    xx, xy, yy, xb, yb = sums[:5]
    xx, yy = xx + np.float32(ridge), yy + np.float32(ridge)
    if toward is not None:
        xb, yb = xb + np.float32(ridge) * toward[0], yb + np.float32(ridge) * toward[1]
    scale = 1 / (xx * yy - xy * xy)
    return np.stack([(yy * xb - xy * yb) * scale, (xx * yb - xy * xb) * scale])


@cache
def centre_weight(height: int, width: int) -> tuple[Field, Field, Field]:
    """Coordinates from -0.5 to 0.5 and a weight that fades out before the border, where the background is."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = (x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5
    return x, y, np.exp(-8 * (x * x + y * y))


def affine(sums: Field, every: int = 1) -> Field:
    """The affine motion of the head, which what moves on its own does not pull: (2, T, h, w) of T pairs.

    Iteratively reweighted least squares with the weights of Geman & McClure (1987), 1 / (1 + (d / s)²)², where d is how
    far the motion of a place is from the common one: a hand at the chin or a talking mouth has little weight.

    Args:
        sums: (5 or more, T, h, w).
        every: only every so many rows and columns are used; windows overlap.
    """
    count, height, width = sums.shape[1:]
    basis, moments, face = _affine_basis(height, width, every)
    sampled = sums[:5, :, every // 2 :: every, every // 2 :: every].reshape(5, count, -1)
    local = solve(sampled).astype(np.float64)
    part = sampled.astype(np.float64)
    motion = median(local[..., face])[..., None]
    coefficients = np.zeros((2, 3, count, 1))
    system = np.empty((count, 6, 6))
    for _ in range(ROUNDS):
        distance = ((local - motion) ** 2).sum(axis=0)
        reach = np.maximum(LEAST_REACH**2, REACH**2 * median(distance[:, face]))
        weighted = part / (1 + distance / reach[:, None]) ** 2
        # one row at a time: the numbers of a pair must not depend on how many there are
        xx, xy, yy, xb, yb = (weighted[..., None, :] @ moments)[..., 0, :].reshape(5, count, 3, 3)
        system[:, :3, :3], system[:, :3, 3:], system[:, 3:, :3], system[:, 3:, 3:] = xx, xy, xy, yy
        system[:, range(6), range(6)] += 1e-6 * system.trace(axis1=1, axis2=2)[:, None] + 1e-9
        right = np.concatenate([xb[:, 0], yb[:, 0]], axis=1)
        coefficients = np.linalg.solve(system, right[..., None])[..., 0].T.reshape(2, 3, count, 1)
        motion = coefficients[:, 0] + coefficients[:, 1] * basis[1] + coefficients[:, 2] * basis[2]
    x, y, _ = centre_weight(height, width)
    a, b, c = np.moveaxis(coefficients.astype(np.float32)[..., None], 1, 0)
    return np.asarray(a + b * x + c * y)


def median(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """The upper median of each row; np.median takes ten times as long on a few hundred values."""
    middle = values.shape[-1] // 2
    return np.asarray(np.partition(values, middle, axis=-1)[..., middle])


@cache
def _affine_basis(
    height: int, width: int, every: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """The functions 1, x, y at every so many places (3, n), their weighted products, and which places are face (n,).

    Of the products of each with each (n, 9), the first three are the weighted functions themselves.
    """
    x, y, weight = (
        plane[every // 2 :: every, every // 2 :: every].astype(np.float64).ravel()
        for plane in centre_weight(height, width)
    )
    basis = np.stack([np.ones_like(x), x, y])
    products = (weight * basis[:, None] * basis).reshape(9, -1).T.copy()
    return basis, products, weight > min(FACE_WEIGHT, float(weight.max()) / 2)


def reduce(image: Field, factor: int) -> Field:
    """The picture at a fraction of its size, each pixel the mean of those it stands for."""
    while factor > 2 and factor % 2 == 0 and not (image.shape[0] % 2 or image.shape[1] % 2):
        image, factor = reduce(image, 2), factor // 2  # OpenCV halves four times as fast as it reduces otherwise
    size = (image.shape[1] // factor, image.shape[0] // factor)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


@lru_cache(maxsize=4)
def grid(height: int, width: int) -> tuple[Field, Field]:
    """The coordinates x and y of every pixel, (h, w) each."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return x, y


def shifted(image: Field, by: Field) -> Field:
    """The image as seen from a head that moved by so many px (2,), its border repeated.

    Fractions are interpolated by a six-point Lagrange polynomial. cv2's cubic kernel (a = -0.75) does not
    keep a straight slope straight and is off by up to 0.047 px; Lanczos by up to 0.015 px.
    """
    if not by.any():
        return image
    whole = np.rint(by).astype(int)
    height, width = image.shape
    if whole.any():
        x, y = (int(np.clip(part, 1 - size, size - 1)) for part, size in zip(whole, (width, height), strict=True))
        kept = image[max(y, 0) : height + min(y, 0), max(x, 0) : width + min(x, 0)]
        around = max(-y, 0), max(y, 0), max(-x, 0), max(x, 0)
        image = np.asarray(cv2.copyMakeBorder(kept, *around, cv2.BORDER_REPLICATE))
    if not (by - whole).any():
        return image
    along_x, along_y = (_lagrange(float(part)) for part in by - whole)
    return np.asarray(cv2.sepFilter2D(image, -1, along_x, along_y, borderType=cv2.BORDER_REPLICATE))


def _lagrange(place: float) -> Field:
    """The weights (7,) of the pixels -3 to 3 for the value at a place between -0.5 and 0.5.

    The outermost on the far side is not used.
    """
    nodes = np.arange(-2, 4) if place >= 0 else np.arange(-3, 3)
    # each node's product over the others, whose own factor is left at 1
    own = np.eye(len(nodes), dtype=bool)
    weights = np.zeros(7, np.float32)
    weights[nodes + 3] = np.where(own, 1, (place - nodes) / np.where(own, 1, nodes[:, None] - nodes)).prod(axis=1)
    return weights


def resampled(image: Field, moved: Field) -> tuple[Field, Field]:
    """The image moved back by a field (2, H, W), and the field as it was applied: on a grid of 1/64 px.

    The values between those of the image doubled are interpolated linearly: that is as good as Lanczos on the image
    itself, and takes a fifth of the time.
    """
    twice = np.rint(moved * 64)
    twice *= np.float32(1 / 32)
    x, y = grid(*image.shape)
    places = 2 * x + twice[0], 2 * y + twice[1]
    twice *= np.float32(0.5)
    return cv2.remap(doubled(image), *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), twice


def doubled(image: Field) -> Field:
    """The image (H, W) and between its pixels the values half a pixel on, as ``shifted`` interpolates: (2 H, 2 W)."""
    half = _lagrange(0.5)
    rows = [image, cv2.sepFilter2D(image, -1, _ONE, half, borderType=cv2.BORDER_REPLICATE)]
    out = np.empty((image.shape[0], 2, 2 * image.shape[1]), np.float32)
    for index, row in enumerate(rows):
        between = cv2.sepFilter2D(row, -1, half, _ONE, borderType=cv2.BORDER_REPLICATE)
        out[:, index] = cv2.merge([row, between]).reshape(len(image), -1)
    return out.reshape(-1, 2 * image.shape[1])


def difference(first: Field, second: Field) -> float:
    """Mean squared difference in the middle of two pictures."""
    weight = centre_weight(*first.shape)[2]
    return float((weight * (first - second) ** 2).sum() / weight.sum())


def clear_border(planes: Sequence[Field], moved: Field) -> None:
    """Nothing is known where the second frame, moved back along x and y, had no pixels.

    Left in, its repeated border would pass for a stretch of the face.
    """
    rows = moved.reshape(2, -1)
    low, high = np.floor(rows.min(axis=1)).tolist(), np.ceil(rows.max(axis=1)).tolist()
    # two more on each side for the derivative
    left, top = (int(2 - value) if value < 0 else 0 for value in low)
    right, bottom = (int(value + 2) if value > 0 else 0 for value in high)
    for plane in planes:
        if left:
            plane[:, :left] = 0
        if right:
            plane[:, -right:] = 0
        if top:
            plane[:top] = 0
        if bottom:
            plane[-bottom:] = 0
