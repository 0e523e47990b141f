"""Images that a model of the user's finds alike: vectors in an npz, compared by their cosine.

The npz has ``embeddings`` (N, D) and ``id`` (N,), the images' ids; where several sets are compared, ``dataset`` (N,),
too. All pairs are compared, a block of images against all others at a time: 100,000 images of 512 numbers need 200
MB, and on two cores some minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.arrays import ArrayError, load_npz
from datasets_me.core.errors import ImagesError, plural
from datasets_me.core.text import closest

Vectors = NDArray[np.float32]

BLOCK = 1024
"""Images that are compared with all others at once."""


def read(path: Path, images: Sequence[tuple[str, str]]) -> Vectors:
    """The vectors of images (N, D), of length 1; NaN for an image without one.

    Args:
        path: the npz.
        images: dataset and id of each.

    Raises:
        ImagesError: it cannot be read, its arrays do not fit together, or it names no image.
    """
    try:
        arrays = load_npz(path)
    except (ArrayError, OSError) as error:
        raise ImagesError(
            f"the embeddings cannot be read: {error}", where=str(path), fix="write plain arrays by numpy.savez"
        ) from error
    vectors, ids = arrays.get("embeddings"), arrays.get("id")
    if (
        vectors is None
        or ids is None
        or vectors.ndim != 2
        or vectors.dtype.kind != "f"
        or ids.shape != vectors.shape[:1]
    ):
        shapes = ", ".join(f"{name} {array.dtype} {array.shape}" for name, array in sorted(arrays.items()))
        raise ImagesError(
            f"the arrays are not embeddings: {shapes}",
            where=str(path),
            fix="write embeddings (N, D) of floating-point numbers, and id (N,), the images' ids",
        )
    datasets = arrays.get("dataset", np.full(len(ids), ""))
    places = {pair: at for at, pair in enumerate(images)}
    alone = len({name for name, _ in images}) == 1
    if alone:
        places = {("", name): at for at, (_, name) in enumerate(images)}
    out = np.full((len(images), vectors.shape[1]), np.nan, np.float32)
    for dataset, name, vector in zip(datasets.tolist(), ids.tolist(), vectors, strict=True):
        at = places.get(("" if alone else str(dataset), str(name)))
        if at is not None:
            out[at] = vector
    if not np.isfinite(out).all(axis=1).any():
        near = closest(str(ids[0]), [name for _, name in images[:1000]]) if len(ids) else None
        hint = f"; is '{near}' meant by '{ids[0]}'?" if near else ""
        raise ImagesError(
            f"none of {plural(len(ids), 'embedding')} is of an image of the set{hint}",
            where=str(path),
            fix="name them by the ids of the set" + ("" if alone else ", and give dataset (N,)"),
        )
    length = np.linalg.norm(out, axis=1, keepdims=True)
    return np.asarray(out / np.where(length > 0, length, np.nan), np.float32)


def near(vectors: Vectors, least: float) -> Iterator[tuple[int, int]]:
    """Pairs i < j of images whose vectors have at least this cosine."""
    known = np.flatnonzero(np.isfinite(vectors).all(axis=1))
    fine = vectors[known]
    for first in range(0, len(fine), BLOCK):
        cosines = fine[first : first + BLOCK] @ fine[first:].T
        ones, others = np.nonzero(cosines >= least)
        for i, j in zip(ones.tolist(), others.tolist(), strict=True):
            if i < j:
                yield int(known[first + i]), int(known[first + j])


def cosine(vectors: Vectors, one: int, other: int) -> float | None:
    """The cosine of two images; None where one has no vector."""
    value = float(vectors[one] @ vectors[other])
    return round(value, 4) if np.isfinite(value) else None
