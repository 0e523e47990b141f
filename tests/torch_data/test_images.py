"""Images for torch: shapes, classes, parts, workers."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets_me.core.errors import ImagesError
from datasets_me.images import decisions
from datasets_me.images.decisions import Decision
from tests.images.made import image_set

torch = pytest.importorskip("torch", reason="torch is not installed")

NAMES = ["train/happy/1.png", "train/happy/2.png", "train/sad/3.png", "test/happy/4.png", "test/sad/5.png"]


def test_items(tmp_path: Path) -> None:
    from datasets_me.torch_data.images import ImageDataset

    images = image_set(tmp_path, NAMES)
    made = ImageDataset(tmp_path / "set", tmp_path / "raw", part="train")
    assert made.classes == ("happiness", "sadness")
    assert made.ids == NAMES[:3]
    assert made.targets == [0, 0, 1]
    picture, number = made[2]
    original = cv2.imread(str(tmp_path / "raw" / NAMES[2]))[:, :, ::-1].transpose(2, 0, 1)
    assert number == 1
    assert picture.dtype == torch.uint8
    assert np.array_equal(picture.numpy(), original)
    decisions.write(
        images,
        [
            Decision(id=row.id, dataset=row.dataset, sha256=row.sha256, decision="exclude")
            for row in images.rows()
            if row.id == NAMES[0]
        ],
    )
    decided = ImageDataset(tmp_path / "set", tmp_path / "raw", transform=lambda image: image.float().mean())
    assert len(decided) == 4
    assert decided[0][0].ndim == 0
    with pytest.raises(ImagesError, match="no image is in validation"):
        ImageDataset(tmp_path / "set", tmp_path / "raw", part="validation")


def test_batches_by_workers(tmp_path: Path) -> None:
    from torch.utils.data import DataLoader

    from datasets_me.torch_data.images import ImageDataset

    image_set(tmp_path, NAMES)
    made = ImageDataset(tmp_path / "set", tmp_path / "raw", split="0.6,0.4")
    batches = list(DataLoader(made, batch_size=5, num_workers=1, multiprocessing_context="fork"))
    assert batches[0][0].shape == (5, 3, 24, 24)
    assert sorted(batches[0][1].tolist()) == [0, 0, 0, 1, 1]
