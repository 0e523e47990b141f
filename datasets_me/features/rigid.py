"""The mean motion of each region without that of the head, which moves, rolls, comes nearer and turns.

A head that turns moves each part of the face differently, so that one vector, such as that of the nose, cannot be
subtracted for all. Its motion is a field with six parameters, which is fitted to the flow all over the face; an
expression or a hand in front of the face is what the fit leaves over, and has little weight in it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.features.coarse import CoarseFlows
from datasets_me.features.mdmo import RegionMotion, cut_windows, finite_points, look_up
from datasets_me.features.regions import TWELVE, RegionSet

SPACING = 0.06
"""Distance of the places where flow is looked at, as a fraction of the face's width: 8 px on a face of 133 px. Flow is
smooth over about as much, so that nearer ones would tell the same twice."""

_AXES = np.arange(-0.6, 0.61, SPACING), np.arange(-0.54, 0.79, SPACING)
_SHAPE = len(_AXES[1]), len(_AXES[0])
_GRID = np.stack(np.meshgrid(*_AXES), axis=-1).reshape(-1, 2)
"""Those places, (N, 2) in widths from the nose; of a face in a frame, those that lie on it are used."""

ROUNDS = 8

REACH = 1.4
"""Residual at which a place has a quarter of its weight, in medians of the residuals."""

LEAST_REACH = 0.01
"""The same in px at least, where the fit is nearly exact."""

DEPTH = (0.65, 0.92)
"""Half axes of the ellipsoid that stands for the face, in widths between the ears: when the head turns, a
place moves by how far forward it lies."""

EYES = (tuple(range(36, 42)), tuple(range(42, 48)))

OPENED = 1.6
"""Size of what is left out around an eye, as a multiple of the eye: lids and gaze move on their own."""

# what each parameter (shift along x and y, roll, zoom, yaw, pitch) does to 1, x, y and depth in u and in v
_U, _V = np.zeros((6, 4)), np.zeros((6, 4))
_U[[0, 2, 3, 4], [0, 2, 1, 3]] = 1, -1, 1, 1
_V[[1, 2, 3, 5], [0, 1, 2, 3]] = 1, 1, 1, 1


def rigid_free(
    flow: NDArray[np.float32] | CoarseFlows,
    landmarks: NDArray[np.generic],
    regions: RegionSet = TWELVE,
    *,
    radius: int | None = None,
) -> RegionMotion:
    """Reduce dense flow to the mean motion of each window, without the rigid motion of the head.

    Args:
        flow: (T, H, W, 2) float32, x and y, in px or any other unit, NaN where it is not known; or in its place a
            coarser one.
        landmarks: (T, 68, 2) x and y in px of the flow's grid. A frame with one that is not finite has no valid region.
        regions: the table of windows.
        radius: half the side of the windows in px; the table's own by default.

    Returns:
        As ``mdmo``; ``global_motion`` is what the fitted motion of the head is at the nose.
    """
    radius = regions.radius if radius is None else radius
    points, known = finite_points(landmarks, flow.shape, radius)
    cut = cut_windows(flow, points, regions, radius)
    mean_flow = cut.mean()
    of_u, of_v = _fit(flow, points, known)
    nose = points[:, 29:31].mean(axis=1, keepdims=True)
    at = _functions(_relative(np.concatenate([np.rint(regions.matrix() @ points), nose], axis=1), points))
    head = np.concatenate([at @ of_u[..., None], at @ of_v[..., None]], axis=2)
    valid = cut.inside.any(axis=2) & known[:, None]
    feature = np.where(valid[..., None], mean_flow - head[:, :-1], np.nan)
    spread = cut.spread(mean_flow)
    return RegionMotion(feature.astype(np.float32), head[:, -1].astype(np.float32), cut.clipped, valid, spread)


def _fit(
    flow: NDArray[np.float32] | CoarseFlows, points: NDArray[np.float64], known: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The head's motion of each frame: what its u and v, (T, 4) each, are made of, in the order of ``_functions``.

    Iteratively reweighted least squares, started from the median motion, with the weights of Geman & McClure (1987).
    """
    width, middle = _frame_of(points)
    places = np.rint(_GRID * width[:, None, None] + middle[:, None]).astype(np.int64)
    size = np.array(flow.shape[2:0:-1])
    inside = ((places >= 0) & (places < size)).all(axis=2)
    x, y = np.moveaxis(np.clip(places, 0, size - 1), -1, 0)
    east, south, seen = look_up(flow, x, y)
    on_face = inside & _on_face(points) & known[:, None] & seen
    # what is not on the face has the weight 0, and no say in the medians
    u, v = (np.where(on_face, part, 0).astype(np.float64) for part in (east, south))
    of_u, of_v = np.zeros((len(flow), 4)), np.zeros((len(flow), 4))
    of_u[:, 0], of_v[:, 0] = _median(u, on_face), _median(v, on_face)
    functions = _functions(_GRID)
    products = (functions[:, :, None] * functions[:, None, :]).reshape(-1, 16)
    for _ in range(ROUNDS):
        distance = (u - of_u @ functions.T) ** 2 + (v - of_v @ functions.T) ** 2
        reach = np.maximum(REACH**2 * _median(distance, on_face), LEAST_REACH**2)
        weight = on_face / (1 + distance / reach[:, None]) ** 2
        moments = (weight @ products).reshape(-1, 4, 4)
        right = (weight * u) @ functions @ _U.T + (weight * v) @ functions @ _V.T
        system = _U @ moments @ _U.T + _V @ moments @ _V.T
        system += np.eye(6) * (1e-6 * np.trace(system, axis1=1, axis2=2)[:, None, None] + 1e-9)
        parameters = np.linalg.solve(system, right[..., None])[..., 0]
        of_u, of_v = parameters @ _U, parameters @ _V
    return of_u, of_v


def _frame_of(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The width of the face between the ears (T,), and the middle of the nose (T, 2), in px."""
    return np.maximum(np.linalg.norm(points[:, 16] - points[:, 0], axis=1), 1.0), points[:, 27:36].mean(axis=1)


def _relative(places: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places (T, N, 2) in px as widths of the face from the nose."""
    width, middle = _frame_of(points)
    return (places - middle[:, None]) / width[:, None, None]


def _functions(relative: NDArray[np.float64]) -> NDArray[np.float64]:
    """The functions 1, x, y and depth (..., 4) at places (..., 2) in widths of the face from the nose."""
    depth = np.sqrt(np.maximum(1 - ((relative / DEPTH) ** 2).sum(axis=-1), 0.0))
    return np.concatenate([np.ones_like(depth)[..., None], relative, depth[..., None]], axis=-1)


def _on_face(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which places of the grid lie inside the outline of the landmarks and not in an eye: (T, N)."""
    face = np.zeros((len(points), *_SHAPE), np.uint8)
    for mask, there in zip(face, (_relative(points, points) - _GRID[0]) / SPACING, strict=True):
        _fill(mask, there, 1)
        for eye in EYES:
            middle = there[list(eye)].mean(axis=0)
            _fill(mask, middle + OPENED * (there[list(eye)] - middle), 0)
    return face.reshape(len(points), len(_GRID)) > 0


def _fill(mask: NDArray[np.uint8], points: NDArray[np.float64], value: int) -> None:
    hull = cv2.convexHull(np.clip(points, -1000, 1000).astype(np.float32))
    cv2.fillConvexPoly(mask, np.rint(hull).astype(np.int32), value)


def _median(values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The upper median of the chosen values of each row (T, N); 0 where none is chosen."""
    ordered = np.sort(np.where(chosen, values, np.inf), axis=1)
    middle = ordered[np.arange(len(values)), np.minimum(chosen.sum(axis=1) // 2, values.shape[1] - 1)]
    return np.where(np.isfinite(middle), middle, 0.0)
