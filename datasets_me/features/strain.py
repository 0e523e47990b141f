"""Optical strain of a flow field, in each of the definitions that published code uses.

The infinitesimal strain tensor of a displacement (u, v) has the parts e_xx = u_x, e_yy = v_y and
e_xy = e_yx = (u_y + v_x) / 2. Its magnitude, the square root of the sum of the squares of all four, is
sqrt(u_x² + v_y² + ½ (u_y + v_x)²) (Shreve, Godavarthy, Goldgof, Sarkar: Macro- and micro-expression spotting in long
videos using spatio-temporal strain, FG 2011). Published code differs from it in how derivatives are taken and in where
the ½ stands; the third channel of "u, v, strain" is sometimes no strain at all. `strain` has them all, by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.choices import StrainDefinition

Plane = NDArray[np.floating]

DEFINITIONS: tuple[StrainDefinition, ...] = get_args(StrainDefinition)


def strain(u: Plane, v: Plane, definition: StrainDefinition = "tensor") -> Plane:
    """The strain of a flow field at each pixel.

    Args:
        u: horizontal displacement (H, W) in px, to the right.
        v: vertical displacement (H, W) in px, downwards.
        definition: how it is computed.

            ``tensor``: the magnitude of the strain tensor, by central differences (one-sided at the border).

            ``half-inside``: the same, but with the ½ inside the square, ``(½ (u_y + v_x))²``, so that shear counts
            half of what it should. Several recognisers have it so.

            ``forward``: the tensor by differences to the next pixel; the last column repeats the one before it, then
            the last row the one above it. ``extraction_preprocess.py`` of genbing99/SoftNet-SpotME.

            ``backward``: the tensor by differences to the pixel before; derivatives that would reach over the border
            are 0. ``feature_extraction.py`` of genbing99/MEAN_Spot-then-recognize.

            ``sobel``: ``sqrt(a² + d² + ½ (b² + c²))`` with Sobel filters (eight times the derivative), zeros beyond the
            border, and no mixed term; rows and columns are exchanged, so that a = u_y, b = u_x, c = v_y, d = v_x.
            ``tools/extract_optical_flow.py`` of tvaranka/meb.

            ``magnitude``: ``sqrt(u² + v²)``, in px: no strain, but what ``create_norm_u_v_os_train_test`` of
            wangzhifengharrison/HTNet stores in the channel of that name.

    Returns:
        (H, W), of the type of ``u``; a ratio (px per px) except for ``magnitude``.

    Raises:
        ValueError: for an unknown definition, or fields smaller than 2 × 2 or of different shapes.
    """
    if definition not in DEFINITIONS:
        raise ValueError(f"unknown definition of strain {definition!r}; choose one of {', '.join(DEFINITIONS)}")
    if u.shape != v.shape or u.ndim != 2 or min(u.shape) < 2:
        raise ValueError(f"strain needs two fields of one shape, 2 x 2 at least, not {u.shape} and {v.shape}")
    return _COMPUTE[definition](u, v)


def _combined(u_x: Plane, u_y: Plane, v_x: Plane, v_y: Plane, shear: float = 0.5) -> Plane:
    return np.asarray(np.sqrt(u_x**2 + v_y**2 + shear * (u_y + v_x) ** 2))


def _tensor(u: Plane, v: Plane, shear: float = 0.5) -> Plane:
    u_y, u_x, v_y, v_x = (np.asarray(part) for field in (u, v) for part in np.gradient(field))
    return _combined(u_x, u_y, v_x, v_y, shear)


def _half_inside(u: Plane, v: Plane) -> Plane:
    return _tensor(u, v, 0.25)


def _forward(u: Plane, v: Plane) -> Plane:
    x, y = np.s_[:-1, :-1], np.s_[:-1, 1:]
    below = np.s_[1:, :-1]
    out = np.empty_like(u)
    out[:-1, :-1] = _combined(u[x] - u[y], u[x] - u[below], v[x] - v[y], v[x] - v[below])
    out[:-1, -1] = out[:-1, -2]
    out[-1] = out[-2]
    return out


def _backward(u: Plane, v: Plane) -> Plane:
    def to_left(field: Plane) -> Plane:
        return np.diff(field, axis=1, prepend=field[:, :1])

    def to_top(field: Plane) -> Plane:
        return np.diff(field, axis=0, prepend=field[:1])

    return _combined(to_left(u), to_top(u), to_left(v), to_top(v))


def _sobel(u: Plane, v: Plane) -> Plane:
    def along(field: Plane, x: int, y: int) -> Plane:
        depth = cv2.CV_64F if field.dtype == np.float64 else cv2.CV_32F
        return np.asarray(cv2.Sobel(np.ascontiguousarray(field), depth, x, y, ksize=3, borderType=cv2.BORDER_CONSTANT))

    u_x, u_y, v_x, v_y = along(u, 1, 0), along(u, 0, 1), along(v, 1, 0), along(v, 0, 1)
    return np.asarray(np.sqrt(u_y**2 + v_x**2 + 0.5 * (u_x**2 + v_y**2)))


def _magnitude(u: Plane, v: Plane) -> Plane:
    return np.asarray(np.hypot(u, v))


_COMPUTE: dict[StrainDefinition, Callable[[Plane, Plane], Plane]] = {
    "tensor": _tensor,
    "half-inside": _half_inside,
    "forward": _forward,
    "backward": _backward,
    "sobel": _sobel,
    "magnitude": _magnitude,
}
