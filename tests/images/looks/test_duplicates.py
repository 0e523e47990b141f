"""Clusters, keepers and what is said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from datasets_me.core.errors import ImagesError
from datasets_me.findings.finding import Finding
from datasets_me.formats.image_records import DuplicateRow
from datasets_me.formats.image_tables import read_table
from datasets_me.images.looks.clusters import HashRow, clusters
from datasets_me.images.looks.duplicates import duplicate_rows, hash_row, write_duplicates
from datasets_me.images.looks.hashes import TURNS, WAYS, hashes
from datasets_me.synthetic.pictures import face_picture, jpeg
from tests.images.conftest import Looked, Write, quiet, row
from tests.images.made import write_pictures


def known(name: str, phash: int | None, **fields: object) -> HashRow:
    content = b"" if phash is None else phash.to_bytes(8, "big")
    values = {"id": name, "dataset": "a", "sha256": f"of {name}", "pixels": 100, "size": 9, "phash": content}
    values |= {"frequencies": b"\x01" * 64 * 6} if content else {}
    return HashRow.model_validate({**values, **fields})


def said(images: list[HashRow], most: int = 4) -> tuple[list[DuplicateRow], list[Finding]]:
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


def test_empty_files_are_no_copies_and_damaged_ones_may_be(write_set: Write, tmp_path: Path) -> None:
    for name, content in {"1.jpg": b"", "2.jpg": b"", "3.jpg": b"cut", "4.jpg": b"cut"}.items():
        (tmp_path / name).write_bytes(content)
    write_pictures(tmp_path, ["5.jpg"])
    images = write_set(*(row(f"{n}.jpg", sha256="ab"[n > 2], size=3 * (n > 2)) for n in range(1, 5)), row("5.jpg"))
    _, _, rows = write_duplicates([(images, tmp_path)], workers=0, progress=quiet)
    assert [(each.cluster, each.exact) for each in rows] == [(None, False)] * 2 + [(0, True)] * 2 + [(None, False)]


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
    with pytest.raises(ImagesError, match="the table of several sets belongs to none of them"):
        write_duplicates([(one, tmp_path), (two, tmp_path)], progress=quiet)
    path, _, rows = write_duplicates([(one, tmp_path), (two, tmp_path)], out=tmp_path / "d", workers=0, progress=quiet)
    assert path == tmp_path / "d" / "duplicates.parquet"
    assert [(each.dataset, each.id) for each in rows] == [("mine", "a.jpg"), ("two", "a.jpg")]


def test_the_hash_survives_resizing(looked: Looked) -> None:
    rows = {each.id: each for each in read_table(looked.images, "duplicates", DuplicateRow)}
    smaller, whole = next(each.about for each in looked.made.planted if each.code == "ME713")
    assert not rows[smaller].keeper and rows[whole].keeper
    first, second = (int(rows[name].phash or "", 16) for name in (smaller, whole))
    assert rows[smaller].distance == (first ^ second).bit_count() <= 4


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 3), st.integers(0, 2)), max_size=9))
@example([(1, 0, 0, 0), (3, 1, 1, 0), (3, 1, 0, 0)])  # two of one hash, of which only the second has a near variant
def test_transformed_copies_are_those_of_a_search_over_all_pairs(images: list[tuple[int, int, int, int]]) -> None:
    def value(bits: int, high: int) -> int:
        return (1 << bits) - 1 << 9 * high

    plain = [value(bits, high) for bits, high, _, _ in images]
    variants = [value(bits, 3 + high) if bits else value(0, high) for _, _, bits, high in images]
    rows = [
        known(
            str(at),
            one,
            sha256=None,
            variants=b"".join(each.to_bytes(8, "big") for each in (*[one] * TURNS, two, value(high, 2))),
        )
        for at, (one, two, (_, high, _, _)) in enumerate(zip(plain, variants, images, strict=True))
    ]
    wanted = list(range(len(images)))
    for _ in images:
        for i, first in enumerate(rows):
            others = [int.from_bytes(first.variants[at : at + 8], "big") for at in (8 * TURNS, 8 * TURNS + 8)]
            for j in range(len(rows)):
                near = (plain[i] ^ plain[j]).bit_count() <= 3
                if i != j and (near or any((other ^ plain[j]).bit_count() <= 3 for other in others)):
                    low = min(wanted[i], wanted[j])
                    wanted = [low if each in (wanted[i], wanted[j]) else each for each in wanted]
    assert clusters(rows, 3).tolist() == wanted


def test_copies_that_were_mirrored_turned_or_cropped_are_found_and_others_are_not(tmp_path: Path) -> None:
    """Planted among 60 other faces: recall of mirrored and turned ones 1, of all .8 and more; no false one."""
    pictures = [face_picture(number, 4, 96) for number in range(60)]
    noisy = np.random.default_rng(0)

    def saved(name: str, image: np.ndarray) -> None:  # type: ignore[type-arg]
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(jpeg(np.ascontiguousarray(image), 85))

    for number, picture in enumerate(pictures):
        saved(f"a/{number}.jpg", picture)
    made = {
        "mirrored": lambda image: image[:, ::-1],
        "upside": lambda image: image[::-1],
        "quarter": lambda image: np.rot90(image),
        "half": lambda image: image[::-1, ::-1],
        "cropped": lambda image: image[6:-6, 6:-6],
        "off": lambda image: image[: int(88 + noisy.integers(0, 4)), : int(88 + noisy.integers(0, 4))],
    }
    for name, change in made.items():
        for number in range(0, 60, 6):
            saved(f"b/{name}{number}.jpg", change(pictures[number]))
    rows = []
    for path in sorted(tmp_path.rglob("*.jpg")):
        name = path.relative_to(tmp_path).as_posix()
        rows.append(hash_row(row(name, sha256=name), root=tmp_path))
    by_id = {each.id: at for at, each in enumerate(rows)}
    root = clusters(rows)
    found = {
        name: sum(root[by_id[f"a/{n}.jpg"]] == root[by_id[f"b/{name}{n}.jpg"]] for n in range(0, 60, 6))
        for name in made
    }
    assert {name: found[name] for name in ("mirrored", "upside", "quarter", "half")} == dict.fromkeys(
        ("mirrored", "upside", "quarter", "half"), 10
    )
    assert sum(found.values()) >= 46
    truth = {each.id: each.id.split("/")[1].rstrip(".jpg").lstrip("abcdefghijklmnopqrstuvwxyz") for each in rows}
    for first in range(len(rows)):
        for second in np.flatnonzero(root == root[first]).tolist():
            assert truth[rows[first].id] == truth[rows[second].id]
    listed = list(duplicate_rows(rows, 4, []))
    ways = {each.transformed for each in listed if each.id.startswith("b/mirrored") or each.id.startswith("b/half")}
    assert ways <= {"mirrored", "turned by 180 degrees"} and ways
    assert (clusters(rows, transformed=False) == root).mean() < 0.9


def test_near_hashes_of_unlike_pictures_are_no_copies() -> None:
    """Their frequencies decide; where more bits may differ, they may be less alike."""

    def wave(angle: float) -> bytes:
        values = np.zeros((6, 64))
        values[:, 1:3] = np.cos(angle), np.sin(angle)
        return np.rint(127 * values).astype(np.int8).tobytes()

    pair = [known("a", 0, frequencies=wave(0)), known("b", 0, frequencies=wave(0.28))]  # cosine 0.961
    assert clusters(pair, 4).tolist() == [0, 1]
    assert clusters(pair, 6).tolist() == [0, 0]
    pair[1] = known("b", 0, frequencies=wave(0.2))  # 0.980
    assert clusters(pair, 4).tolist() == [0, 0]


def test_pictures_of_one_colour_are_alike_if_as_bright_and_like_no_other(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = {
        "grey.png": np.full((40, 40), 128, np.uint8),
        "large.png": np.full((160, 50), 131, np.uint8),
        "light.png": np.full((60, 50), 160, np.uint8),
        "white.png": np.full((60, 50), 255, np.uint8),
        "black.png": np.zeros((48, 48), np.uint8),
        "dark.png": np.full((300, 500), 3, np.uint8),
        **{f"noise{at}.png": rng.integers(126, 130, (40, 40)).astype(np.uint8) for at in range(6)},
    }
    for name, picture in pictures.items():
        Image.fromarray(picture).save(tmp_path / name)
    root = clusters([hash_row(row(name, sha256=name), root=tmp_path) for name in pictures])
    assert root.tolist() == [0, 0, 2, 3, 4, 4, *range(6, 12)]


def test_the_hash_is_that_of_imagehash() -> None:
    import imagehash

    for number, side in enumerate((48, 100, 128, 200)):
        picture = Image.fromarray(face_picture(number, side=side)[: side - number * 20, :, ::-1])
        kept = hashes(np.asarray(picture.convert("L")))
        assert kept.phash.hex() == str(imagehash.phash(picture))
        width, height = picture.size
        margins = (width * 0.05, height * 0.05, width * 0.95, height * 0.95)
        wanted = {
            "mirrored": picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
            "upside down": picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
            "turned by 180 degrees": picture.transpose(Image.Transpose.ROTATE_180),
            "turned by 90 degrees": picture.transpose(Image.Transpose.ROTATE_270),
            "mirrored and turned": picture.transpose(Image.Transpose.TRANSPOSE),
            "turned and mirrored": picture.transpose(Image.Transpose.TRANSVERSE),
            "cropped to 90%": picture.resize((32, 32), Image.Resampling.LANCZOS, margins),
        }
        for way, changed in wanted.items():
            at = 8 * WAYS.index(way)
            apart = int.from_bytes(kept.variants[at : at + 8], "big") ^ int(str(imagehash.phash(changed)), 16)
            assert apart.bit_count() <= 2, way
