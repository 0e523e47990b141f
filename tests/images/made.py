"""Small sets of images, made for a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from datasets_me.formats.image_set import ImageSet
from datasets_me.images.importing import import_images
from datasets_me.schema import image_schemas


def picture(seed: int, size: tuple[int, int] = (24, 24)) -> np.ndarray:
    """A picture (H, W, 3) of soft blotches; another seed, another picture."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return np.asarray(cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def write_pictures(root: Path, names: Mapping[str, int] | list[str]) -> Path:
    """Writes PNGs under a folder; names with the same number show the same."""
    numbered = names if isinstance(names, Mapping) else {name: number for number, name in enumerate(names)}
    for name, seed in numbered.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), picture(seed))
    return root


def image_set(folder: Path, names: Mapping[str, int] | list[str], schema: str = "folder-per-class") -> ImageSet:
    """Pictures under ``folder/raw``, imported into ``folder/set``."""
    root = write_pictures(folder / "raw", names)
    return import_images(image_schemas.load(schema), root, folder / "set", workers=0)
