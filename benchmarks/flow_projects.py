"""Flow images against the code of the projects that they are made for: the largest difference, on the same pictures.

::

    python benchmarks/flow_projects.py CHECKOUTS

CHECKOUTS is a folder with clones of the projects, by the names of their repositories: ``HTNet``,
``MEAN_Spot-then-recognize``, ``SoftNet-SpotME``, ``meb``. Of their scripts only the functions that make flow images are
run, each as it stands, on faces of synthetic videos; MTCNN and dlib, which would find faces and landmarks there, are
given those that ours has. pandas dropped the positional argument of ``ffill`` that SOFTNet uses, so it is named.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pandas as pd
from PIL import Image
from scipy import ndimage

from datasets_me.export.face_squares import Square
from datasets_me.export.flow_maker import landmarks_within
from datasets_me.export.flow_presets import preset
from datasets_me.features.flow_images import flow_fields, flow_image, grey_of
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

Face = np.ndarray


def functions(path: Path, **names: Any) -> SimpleNamespace:
    """The functions of a script, without running the rest of it; ``names`` stand in for its imports."""
    text = path.read_text().replace(".ffill(1).ffill(0)", ".ffill(axis=1).ffill(axis=0)")
    tree = ast.parse(text)
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    space = {"np": np, "pd": pd, "cv2": cv2, "cv": cv2, "ndimage": ndimage, "Image": Image, **names}
    exec(compile(tree, str(path), "exec"), space)
    return SimpleNamespace(**space)


class FaceOnly:
    """In the place of OpenCV: reads a face that is given to it by name, and is OpenCV otherwise."""

    def __init__(self, faces: dict[str, Face]) -> None:
        self.faces = faces

    def imread(self, path: str) -> Face:
        """The face of that name, in BGR."""
        return np.ascontiguousarray(self.faces[path.rpartition("/")[2]][:, :, ::-1])

    def __getattr__(self, name: str) -> Any:
        return getattr(cv2, name)


def htnet(checkouts: Path, first: Face, second: Face) -> Face:
    """HTNet's image (28, 28, 3) of two faces in RGB, 0 to 1."""
    import torch

    def mtcnn(**_: Any) -> Any:
        return lambda picture: torch.from_numpy(np.array(picture)).permute(2, 0, 1)

    path = checkouts / "HTNet" / "HTNet_for_three_datasets_confusion_matrix.py"
    script = functions(path, MTCNN=mtcnn, cv2=FaceOnly({"a": first, "b": second}))
    return script.get_single_u_v_os("a", "b") / 255


def points_of(landmarks: np.ndarray) -> SimpleNamespace:
    """Landmarks as dlib would return them."""
    return SimpleNamespace(
        part=lambda n: SimpleNamespace(x=round(float(landmarks[n, 0])), y=round(float(landmarks[n, 1])))
    )


def mean(checkouts: Path, first: Face, second: Face, landmarks: np.ndarray) -> Face:
    """MEAN's image (42, 42, 3) of two grey faces."""
    script = functions(checkouts / "MEAN_Spot-then-recognize" / "feature_extraction.py")
    return script.preProcess(first, second, points_of(landmarks))


def softnet(checkouts: Path, first: Face, second: Face, landmarks: np.ndarray) -> Face:
    """SOFTNet's image (42, 42, 3) of two grey faces."""
    dlib = SimpleNamespace(
        get_frontal_face_detector=lambda: lambda image, upsample: [None],
        shape_predictor=lambda path: lambda image, box: points_of(landmarks),
    )
    script = functions(checkouts / "SoftNet-SpotME" / "extraction_preprocess.py", dlib=dlib, print=lambda *_: None)
    return script.extract_preprocess([np.stack([first, second])], 1)[0][0]


def meb(checkouts: Path, u: Face, v: Face) -> Face:
    """MEB's strain and scaling of a flow field: (H, W, 3)."""
    script = functions(checkouts / "meb" / "tools" / "extract_optical_flow.py")
    return script.normalize_img(np.dstack([u, v, script.optical_strain(u, v)]))


def main() -> None:
    """Print the largest difference for each project."""
    checkouts = Path(sys.argv[1])
    worst: dict[str, float] = {}

    def compare(name: str, theirs: Face, ours: Face) -> None:
        worst[name] = max(worst.get(name, 0.0), float(np.abs(theirs - ours).max()))

    for subject in range(4):
        video = FaceVideo(subject, subject, FaceVideoOptions(frames=30, size=(160, 200), amplitude=2.0, colour=True))
        onset, apex = video.expressions[0].onset, video.expressions[0].apex
        frames = [np.ascontiguousarray(video.frame(n)[:, :, ::-1]) for n in (onset, apex)]
        low, high = video.landmarks[0].min(axis=0), video.landmarks[0].max(axis=0)
        box = tuple(int(value) for value in (*(low - 8), *(high + 8)))
        for name in ("htnet", "mean", "softnet", "meb"):
            recipe = preset(name).recipe
            faces = [Square(box, recipe.face, recipe.stretch).picture(frame) for frame in frames]
            first, second = (grey_of(face, recipe) for face in faces)
            u, v = flow_fields(first, second, recipe)
            landmarks = landmarks_within(first)
            image = flow_image(u, v, recipe, landmarks)
            if name == "htnet":
                compare(name, htnet(checkouts, *faces), np.floor(image * 255) / 255)
            elif name == "meb":
                compare(name, meb(checkouts, u, v), image)
            else:
                theirs = {"mean": mean, "softnet": softnet}[name]
                compare(name, theirs(checkouts, first, second, landmarks), image)
    for name, difference in worst.items():
        print(f"{name:8} largest difference {difference:.2e} ({difference * 255:.4f} grey levels)")


if __name__ == "__main__":
    main()
