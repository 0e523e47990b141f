"""Finding faces: one small protocol, several detectors, none of which is ever downloaded.

``detector("dlib")`` is the default and needs nothing but the installed packages. What the models may be used
for is data too: ``LICENCES``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core.extras import install
from datasets_me.core.files import checksum
from datasets_me.features.boxes import Box, CallableDetector, Detection, DetectorError, FaceDetector, glance

Image = NDArray[np.uint8]

LICENCES: Mapping[str, str] = MappingProxyType(
    {
        "dlib": "dlib and its HOG face detector: Boost Software License 1.0.",
        "landmarks": (
            "shape_predictor_68_face_landmarks.dat: its author put it in the public domain, but trained it on"
            " iBUG 300-W, whose licence excludes commercial use: for research; ask Imperial College London"
            " before any other use."
        ),
        "haar": "OpenCV's frontal face cascade: Intel License Agreement for Open Source Computer Vision.",
        "yunet": "No weights are included: the licence is that of the file you give (OpenCV's YuNet is MIT).",
        "boxes": "No model.",
        "published-crop": "No model; the cropped images are under the dataset's own licence agreement.",
    }
)
"""What each choice may be used for, in a sentence."""


FAR = 500
"""Longer side in px of the picture that dlib's detector looks at first; it sees faces of a sixth of that."""

NAMES = ("dlib", "haar", "yunet", "boxes", "published-crop")


def detector(
    name: str = "dlib",
    *,
    weights: Path | None = None,
    box: Box | None = None,
    crops: Sequence[Image] = (),
) -> FaceDetector:
    """A detector by its name.

    Args:
        name: ``dlib`` (HOG, embedded); ``haar`` (OpenCV's cascade, embedded); ``yunet`` (YuNet or another ONNX
            model that cv2.FaceDetectorYN runs); ``boxes`` (a box given by the user, see ``read_boxes``);
            ``published-crop`` (where the dataset's own cropped images lie in its raw frames).
        weights: the ONNX file for ``yunet``; its SHA-256 is recorded.
        box: the box for ``boxes``.
        crops: one or a few published crops of the same video for ``published-crop``.

    Raises:
        DetectorError: for an unknown name or when what it needs is missing.
    """
    if name == "dlib":
        return _dlib()
    if name == "haar":
        return _haar()
    if name == "yunet":
        if weights is None:
            raise DetectorError("yunet needs the path of its ONNX weights: none are included and none are downloaded")
        return _yunet(weights)
    if name == "boxes":
        if box is None:
            raise DetectorError("boxes needs a box for this video")
        return CallableDetector("boxes", lambda image: [Detection(box, 1.0)], {"box": " ".join(map(str, box))}, True)
    if name == "published-crop":
        if not crops:
            raise DetectorError("published-crop needs at least one cropped image of this video")
        return _published(crops)
    raise DetectorError(f"unknown face detector {name!r}; choose one of {', '.join(NAMES)}")


def landmark_detector(finder: FaceDetector) -> FaceDetector:
    """What landmarks start from inside the crop: dlib, whose boxes the model was trained on.

    Where it finds no face, ``finder`` is asked, if it finds faces.
    """
    dlib = detector("dlib")
    if finder.finds_crops or finder.name == dlib.name:
        return dlib
    return CallableDetector(
        f"dlib, {finder.name}",
        lambda image: dlib.detect(image) or finder.detect(image),
        find_large=lambda image: glance(dlib, image) or glance(finder, image),
    )


def model_file(name: str) -> Path:
    """The path of a model of the package face_recognition_models.

    The package need not be importable: it asks for pkg_resources when imported.

    Raises:
        DetectorError: if the package or the file is missing.
    """
    spec = find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "models" / name
        if path.is_file():
            return path
    raise DetectorError(
        f"{name} is missing: install the package face_recognition_models ({install('face_recognition_models')})"
    )


@cache
def sha256(path: Path) -> str:
    """The checksum of a file, read once per process."""
    return checksum(path)


def _shrunk(image: Image, longest: int) -> tuple[Image, float]:
    """The image with its longer side at most ``longest`` px, and the factor back to its own pixels."""
    factor = max(image.shape[:2]) / longest
    if factor <= 1:
        return image, 1.0
    size = (max(1, round(image.shape[1] / factor)), max(1, round(image.shape[0] / factor)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), factor


def _grey(image: Image) -> Image:
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


@cache
def _dlib() -> CallableDetector:
    import dlib

    hog = cache(dlib.get_frontal_face_detector)  # a fifth of a second, which not every run needs

    def at(image: Image, longest: int, upsample: int) -> list[Detection]:
        small, factor = _shrunk(_grey(image), longest)
        boxes, scores, _ = hog().run(np.ascontiguousarray(small), upsample, 0.0)
        return [
            Detection(
                Box(box.left() * factor, box.top() * factor, (box.right() + 1) * factor, (box.bottom() + 1) * factor),
                float(score),
            )
            for box, score in zip(boxes, scores, strict=True)
        ]

    def find(image: Image) -> list[Detection]:
        # the detector sees faces of 80 px and more, and costs by area: first from far, then closer
        closer = [(1000, 0)] if max(image.shape[:2]) > FAR else []
        return next((faces for size in ((FAR, 0), *closer, (1000, 1)) if (faces := at(image, *size))), [])

    def find_large(image: Image) -> list[Detection]:
        return at(image, FAR, 0)

    return CallableDetector("dlib", find, {"dlib": str(dlib.__version__)}, find_large=find_large)


@cache
def _haar() -> CallableDetector:
    file = Path(cv2.data.haarcascades) / "haarcascade_frontalface_alt2.xml"
    cascade = cv2.CascadeClassifier(str(file))

    def find(image: Image) -> list[Detection]:
        small, factor = _shrunk(_grey(image), 640)
        boxes, _, weights = cascade.detectMultiScale3(small, 1.1, 4, minSize=(40, 40), outputRejectLevels=True)
        return [
            Detection(Box(x * factor, y * factor, (x + w) * factor, (y + h) * factor), float(score))
            for (x, y, w, h), score in zip(boxes, weights, strict=True)
        ]

    return CallableDetector("haar", find, {"opencv": cv2.__version__, "sha256": sha256(file)})


def _yunet(weights: Path) -> CallableDetector:
    if not weights.is_file():
        raise DetectorError(f"no ONNX weights at {weights}; none are downloaded")
    try:
        network = cv2.FaceDetectorYN.create(str(weights), "", (320, 320), 0.6)
    except cv2.error as error:
        raise DetectorError(f"OpenCV cannot run {weights} as a face detector: {str(error).strip()}") from error

    def find(image: Image) -> list[Detection]:
        small, factor = _shrunk(image, 640)
        if small.ndim == 2:
            small = np.asarray(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR))
        network.setInputSize(small.shape[1::-1])
        rows = network.detect(small)[1]
        return [
            Detection(Box(*(float(value) * factor for value in (x, y, x + w, y + h))), float(row[-1]))
            for row in (() if rows is None else rows)
            for x, y, w, h in [row[:4]]
        ]

    return CallableDetector(
        "yunet",
        find,
        {"opencv": cv2.__version__, "weights": weights.name, "sha256": sha256(weights.resolve())},
    )


def _published(crops: Sequence[Image]) -> CallableDetector:
    from datasets_me.features.published import locate

    def find(image: Image) -> list[Detection]:
        faces = [face for face in (locate(image, crop) for crop in crops) if face is not None]
        return [max(faces, key=lambda face: face.score)] if faces else []

    digest = hashlib.sha256(b"".join(np.ascontiguousarray(crop).tobytes() for crop in crops)).hexdigest()
    return CallableDetector("published-crop", find, {"crops": str(len(crops)), "sha256": digest}, True)
