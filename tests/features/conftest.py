"""Shared videos, made once per run."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def video() -> FaceVideo:
    """A head-and-shoulders video with one micro- and one macro-expression; the face is 130 px wide."""
    options = FaceVideoOptions(frames=40, size=(300, 280), face_width=130, micro=1, macro=1, noise=1.0)
    return FaceVideo(subject=3, seed=11, options=options)


@pytest.fixture(scope="session")
def frames(video: FaceVideo) -> list[NDArray[np.uint8]]:
    """Its frames in grey."""
    return list(video.frames())
