"""Clusters, keepers and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.errors import ImagesError
from datasets_me.findings.finding import Finding
from datasets_me.formats.image_records import DuplicateRow
from datasets_me.formats.image_tables import read_table
from datasets_me.images.looks.duplicates import Known, clusters, duplicate_rows, write_duplicates
from tests.images.conftest import Looked, Write, quiet, row
from tests.images.made import write_pictures


def known(name: str, phash: int | None, **fields: object) -> Known:
    values = {
        "dataset": "a", "split": None, "label": None, "sequence": None, "sha256": f"of {name}", "pixels": 100, "size": 9
    }  # fmt: skip
    return Known(id=name, phash=phash, **{**values, **fields})  # type: ignore[arg-type]


def said(images: list[Known], most: int = 4) -> tuple[list[DuplicateRow], list[Finding]]:
    findings: list[Finding] = []
    return list(duplicate_rows(images, most, findings)), findings


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 5)), max_size=12), st.integers(0, 4))
def test_clusters_are_those_of_a_search_over_all_pairs(images: list[tuple[int, int]], most: int) -> None:
    found = clusters(
        [known(str(at), (1 << bits) - 1 << 9 * high, sha256=None) for at, (bits, high) in enumerate(images)], most
    )
    hashes = [(1 << bits) - 1 << 9 * high for bits, high in images]
    wanted = list(range(len(images)))
    for _ in images:  # a step along every chain
        for i, first in enumerate(hashes):
            for j, second in enumerate(hashes):
                if (first ^ second).bit_count() <= most:
                    wanted[j] = min(wanted[i], wanted[j])
    assert found.tolist() == wanted


def test_the_keeper_is_the_largest() -> None:
    rows, findings = said(
        [
            known("small", 0b1, pixels=50, size=99),
            known("large", 0b0, pixels=200, size=5),
            known("equal", 0b11, pixels=200, size=6),
            known("alone", 1 << 40 | 0b1111111),
        ]
    )
    assert [(each.id, each.cluster, each.keeper, each.keeper_id, each.distance) for each in rows] == [
        ("small", 0, False, "equal", 1),
        ("large", 0, False, "equal", 2),
        ("equal", 0, True, "equal", 0),
        ("alone", None, True, "alone", 0),
    ]
    assert [(each.code, each.fix) for each in findings] == [("ME712", "keep equal")]
    assert findings[0].message == "3 images are near (hashes up to 2 bits apart): small, large, equal"


def test_exact_copies_across_splits_with_other_labels() -> None:
    rows, findings = said(
        [
            known("a", 5, sha256="x", split="train", label="fear"),
            known("b", 5, sha256="x", split="test", label="surprise"),
        ]
    )
    assert all(each.exact and each.across_splits and each.labels_differ and not each.across_datasets for each in rows)
    assert [each.message for each in findings] == [
        "2 images of test and train are equal byte for byte: a, b",
        "2 images are equal byte for byte, but have different labels: a fear, b surprise",
    ]


def test_two_sets_with_splits_of_their_own() -> None:
    rows, findings = said([known("a", 5, split="train"), known("a", 5, split="test", dataset="b", sha256="y")])
    assert [(each.across_splits, each.across_datasets) for each in rows] == [(False, True)] * 2
    assert [each.code for each in findings] == ["ME714"]
    assert findings[0].message == "2 images are near (hashes equal): a: a, b: a"


def test_neighbouring_frames_are_no_duplicates() -> None:
    film = [known(f"f{at}", at % 2, sequence="s1") for at in range(4)]
    assert said(film)[1] == []
    rows, findings = said([*film, known("copy", 0), known("other", 1, sequence="s2")])
    assert [each.code for each in findings] == ["ME712"]
    assert {each.id for each in rows if each.cluster == 0} >= {"copy", "other", "f0"}


def test_images_that_cannot_be_decoded_are_compared_by_their_bytes() -> None:
    rows, _ = said([known("a", None, sha256="x"), known("b", None, sha256="x"), known("c", None, sha256=None)])
    assert [(each.cluster, each.phash, each.distance) for each in rows] == [
        (0, None, None),
        (0, None, None),
        (None,) * 3,
    ]


def test_the_table_has_a_row_per_image(looked: Looked) -> None:
    rows = list(read_table(looked.images, "duplicates", DuplicateRow))
    assert [each.id for each in rows] == [each.id for each in looked.images.rows()]
    apart = {each.id for each in rows if each.cluster is not None}
    assert apart == {name for each in looked.made.planted if each.code in ("ME712", "ME713") for name in each.about}
    for each in rows:
        assert each.cluster_size == max(
            1, sum(other.cluster == each.cluster for other in rows if each.cluster is not None)
        )


def test_sets_of_one_name_or_without_a_place(write_set: Write, tmp_path: Path) -> None:
    one = write_set(row("a.jpg"))
    with pytest.raises(ImagesError, match="two sets are called mine"):
        write_duplicates([(one, tmp_path), (one, tmp_path)], out=tmp_path / "d", progress=quiet)
    two = write_set(row("a.jpg", dataset="two"), name="two")
    write_pictures(tmp_path, ["a.jpg"])
    with pytest.raises(ImagesError, match="no one is the place for the table"):
        write_duplicates([(one, tmp_path), (two, tmp_path)], progress=quiet)
    path, _, rows = write_duplicates([(one, tmp_path), (two, tmp_path)], out=tmp_path / "d", workers=1, progress=quiet)
    assert path == tmp_path / "d" / "duplicates.parquet"
    assert [(each.dataset, each.id) for each in rows] == [("mine", "a.jpg"), ("two", "a.jpg")]


def test_the_hash_survives_resizing(looked: Looked) -> None:
    rows = {each.id: each for each in read_table(looked.images, "duplicates", DuplicateRow)}
    smaller, whole = next(each.about for each in looked.made.planted if each.code == "ME713")
    assert not rows[smaller].keeper and rows[whole].keeper
    first, second = (int(rows[name].phash or "", 16) for name in (smaller, whole))
    assert rows[smaller].distance == (first ^ second).bit_count() <= 4
