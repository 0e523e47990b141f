"""Five points of a face, and the face put where recognisers expect it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.images.geometry import eyes

Image = NDArray[np.uint8]

SIDE = 112

REFERENCE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
)
"""Where the five points lie in px of a 112x112 picture: the template that ArcFace and its relatives were trained with
(Deng, Guo, Xue, Zafeiriou: ArcFace, CVPR 2019; the numbers are those of its published alignment)."""

NOSE, LEFT_MOUTH, RIGHT_MOUTH = 30, 48, 54


def five_points(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Middles of the eyes, tip of the nose, corners of the mouth (5, 2), from 68 landmarks (68, 2).

    The middle of an eye is the mean of its six landmarks, which is where the pupil of an open eye that looks ahead is;
    the others are single landmarks of the 68: 30, 48 and 54.
    """
    left, right = eyes(landmarks)
    return np.stack([left, right, *landmarks[[NOSE, LEFT_MOUTH, RIGHT_MOUTH]].astype(np.float64)])


def similarity(points: NDArray[np.float64], reference: NDArray[np.float64] = REFERENCE) -> NDArray[np.float64]:
    """The rotation, scale and shift (2, 3) that take points (n, 2) nearest to the reference, by least squares.

    Umeyama (1991), Least-squares estimation of transformation parameters between two point patterns, IEEE TPAMI 13(4):
    with both sets about their means and covariance U D V' (determinant signs in S), R = U S V', scale = tr(D S) /
    variance of the points. Never a reflection.

    Raises:
        ValueError: the points fall into one.
    """
    mean, goal = points.mean(axis=0), reference.mean(axis=0)
    source, target = points - mean, reference - goal
    variance = float((source**2).sum() / len(points))
    if not variance > 1e-12:
        raise ValueError("the points fall into one")
    u, d, v = np.linalg.svd(target.T @ source / len(points))
    signs = np.array([1.0, 1.0 if np.linalg.det(u) * np.linalg.det(v) > 0 else -1.0])
    turn = (u * signs) @ v * float((d * signs).sum() / variance)
    return np.concatenate([turn, (goal - turn @ mean)[:, None]], axis=1)


def aligned(image: Image, points: NDArray[np.float64]) -> Image:
    """The face (112, 112, 3) with its five points (5, 2) as near to the reference as a similarity brings them.

    It is black where the image has nothing. Large faces are shrunk by steps first, so that nothing aliases.
    """
    move = similarity(points)
    scale = float(np.hypot(move[0, 0], move[1, 0]))
    while scale < 0.5 and min(image.shape[:2]) > 2:
        height, width = image.shape[:2]
        image = np.asarray(cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
        # a pixel's middle is at +0.5 in both pictures
        ratio = np.array([width / (width // 2), height / (height // 2)])
        points = (points + 0.5) / ratio - 0.5
        move = similarity(points)
        scale = float(np.hypot(move[0, 0], move[1, 0]))
    return np.asarray(cv2.warpAffine(image, move, (SIDE, SIDE), flags=cv2.INTER_LINEAR), np.uint8)
