"""A vector for a face: dlib's, which is at hand, or that of a model the user has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.files import checksum
from datasets_me.features.faces import model_file
from datasets_me.images.groups.align import SIDE

Image = NDArray[np.uint8]
Vector = NDArray[np.float32]

DLIB = "dlib_face_recognition_resnet_model_v1.dat"
DLIB_SIZE = 128


@dataclass(frozen=True)
class Embedder:
    """Describes faces by vectors.

    ``describe(image, landmarks, aligned)`` takes the upright image (H, W, 3) in BGR, the 68 landmarks (68, 2) in its px
    and the aligned face (112, 112, 3) in BGR, and gives (D,) float32. ``about`` says what the vectors depend on.
    """

    describe: Callable[[Image, NDArray[np.float32], Image], Vector]
    about: Mapping[str, Any]


def dlib_embedder() -> Embedder:
    """Dlib's 128-d descriptor (King; ResNet with 29 layers, faces are of one person below a distance of 0.6).

    It aligns the face itself, by the landmarks, to 150x150 px. The model was put in the public domain by its author.

    Raises:
        DetectorError: the model file is not installed.
    """
    import dlib

    path = model_file(DLIB)
    model: Any = dlib.face_recognition_model_v1(str(path))

    def describe(image: Image, landmarks: NDArray[np.float32], aligned: Image) -> Vector:
        points = [dlib.point(round(float(x)), round(float(y))) for x, y in landmarks]
        low, high = landmarks.min(axis=0), landmarks.max(axis=0)
        box = dlib.rectangle(*(round(float(value)) for value in (*low, *high)))
        rgb = np.ascontiguousarray(image[:, :, ::-1])
        vector = model.compute_face_descriptor(rgb, dlib.full_object_detection(box, points))
        return np.asarray(vector, np.float32)

    return Embedder(describe, {"model": DLIB, "size": DLIB_SIZE, "sha256": checksum(path)})


def onnx_embedder(path: Path, *, mean: float = 127.5, std: float = 127.5, side: int = SIDE) -> Embedder:
    """A model of the user's in ONNX, run by OpenCV.

    It is given the aligned face as (1, 3, side, side) float32, RGB, (value - mean) / std; whatever it gives is
    flattened.

    Raises:
        MeDatasetsError: the file cannot be read, or the model cannot be run on that.
    """
    present(path)
    try:
        net = cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise MeDatasetsError(f"not a model that OpenCV can read: {_line(error)}", where=str(path)) from error

    def run(batch: Vector) -> Vector:
        try:
            net.setInput(batch)
            return np.asarray(net.forward(), np.float32)
        except cv2.error as error:
            raise MeDatasetsError(f"the model cannot be run: {_line(error)}", where=str(path)) from error

    return from_function(run, {"model": path.name, "sha256": checksum(path)}, mean=mean, std=std, side=side)


def from_function(
    run: Callable[[Vector], Vector],
    about: Mapping[str, Any],
    *,
    mean: float = 127.5,
    std: float = 127.5,
    side: int = SIDE,
) -> Embedder:
    """An embedder made of a function from a batch (1, 3, side, side) to a vector.

    Raises:
        MeDatasetsError: what it gives for a grey picture is no vector of finite numbers.
    """

    def vector(face: Image) -> Vector:
        scaled = (face[:, :, ::-1].astype(np.float32) - np.float32(mean)) / np.float32(std)
        return np.asarray(run(np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])), np.float32).ravel()

    tried = vector(np.full((side, side, 3), 128, np.uint8))
    if not tried.size or not np.isfinite(tried).all():
        raise MeDatasetsError(f"the model gives no vector of finite numbers: {tried[:5]}", where=str(about["model"]))
    description = {**about, "size": int(tried.size), "mean": mean, "std": std, "input": f"RGB {side}x{side}"}
    return Embedder(lambda image, landmarks, aligned: vector(aligned), description)


def present(path: Path) -> None:
    """Refuse a model that is not there.

    Raises:
        MeDatasetsError: there is no such file.
    """
    if not path.is_file():
        raise MeDatasetsError("there is no such model", where=str(path), fix="give an .onnx or a TorchScript file")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
