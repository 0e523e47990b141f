"""Images that a model of the user's finds alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets_me.core.errors import ImagesError
from datasets_me.images.looks import embeddings
from datasets_me.images.looks.clusters import Alike, HashRow
from datasets_me.images.looks.duplicates import duplicate_rows, write_duplicates
from tests.images.conftest import Looked, quiet

IMAGES = [("a", name) for name in ("one", "two", "three", "four")]


def save(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


def test_near_ones_are_those_of_a_search_over_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[7] = np.nan
    monkeypatch.setattr(embeddings, "BLOCK", 16)
    wanted = {(i, j) for i in range(60) for j in range(i + 1, 60) if vectors[i] @ vectors[j] >= 0.9}
    assert len(wanted) > 20
    assert set(embeddings.near(vectors, 0.9)) == wanted


def test_vectors_are_those_of_the_named_images(tmp_path: Path) -> None:
    path = save(
        tmp_path / "e.npz", embeddings=np.array([[0.0, 2], [3, 4], [1, 1]]), id=np.array(["three", "one", "other"])
    )
    found = embeddings.read(path, IMAGES)
    assert found[0].tolist() == pytest.approx([0.6, 0.8])
    assert found[2].tolist() == [0, 1]
    assert np.isnan(found[[1, 3]]).all()
    two = [("a", "one"), ("b", "one")]
    with pytest.raises(ImagesError, match="none of 3 embeddings is of an image of the set"):
        embeddings.read(path, two)
    path = save(tmp_path / "e.npz", embeddings=np.eye(2), id=np.array(["one", "one"]), dataset=np.array(["b", "a"]))
    assert embeddings.read(path, two).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    "arrays",
    [{"embeddings": np.eye(2)}, {"embeddings": np.eye(2), "id": np.array(["a"])}, {"id": np.array(["a"])}],
)
def test_arrays_that_are_no_embeddings(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises(ImagesError, match="the arrays are not embeddings"):
        embeddings.read(save(tmp_path / "e.npz", **arrays), IMAGES)


def test_near_embeddings_join_images_whose_hashes_are_far() -> None:
    rows = [
        HashRow(
            id=name,
            dataset="a",
            sha256=name,
            pixels=9 - at,
            phash=(0b1111111 << 9 * at).to_bytes(8, "big"),
            frequencies=b"\x01" * 64 * 6,
        )
        for at, (_, name) in enumerate(IMAGES)
    ]
    rows[3] = rows[3].model_copy(update={"sequence": "film"})
    rows[1] = rows[1].model_copy(update={"sequence": "film"})
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]], np.float32)
    findings: list = []
    found = list(duplicate_rows(rows, 4, findings, transformed=False, alike=Alike(vectors, 0.79)))
    # one and two are near, three and four, too; two and four would be, but are frames of one film
    assert [(row.cluster, row.keeper_id, row.cosine) for row in found] == [
        (0, "one", 1.0),
        (0, "one", 0.8),
        (1, "three", 1.0),
        (1, "three", 0.8),
    ]
    assert [finding.message for finding in findings] == [
        "2 images have near embeddings (cosine 0.800): one, two",
        "2 images have near embeddings (cosine 0.800): three, four",
    ]


def test_the_table_says_the_cosine(looked: Looked, tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match="the embeddings cannot be read"):
        write_duplicates(
            [(looked.images, looked.root)], near=(tmp_path / "none.npz", 0.9), out=tmp_path, progress=quiet
        )
