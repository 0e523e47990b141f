"""Splits: nothing that belongs together is torn apart, and classes keep their shares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.errors import ImagesError
from datasets_me.images.export.splits import assign, shares, units

ITEMS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.none() | st.integers(0, 8)), min_size=1, max_size=60
)


@given(ITEMS, st.integers(0, 5))
def test_units_never_straddle(items: list[tuple[str, int, int | None]], seed: int) -> None:
    keys = [[("s", subject), *([("c", cluster)] if cluster is not None else [])] for _, subject, cluster in items]
    of = units(keys)
    labels, ids = [label for label, _, _ in items], [f"{i}.png" for i in range(len(items))]
    parts = assign(labels, ids, of, (0.6, 0.2, 0.2), seed)
    assert parts == assign(labels, ids, of, (0.6, 0.2, 0.2), seed)
    for i, one in enumerate(keys):
        for j in range(i):
            if set(one) & set(keys[j]):
                assert of[i] == of[j]
                assert parts[i] == parts[j]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=150), st.integers(0, 5))
def test_single_images_are_stratified(labels: list[str], seed: int) -> None:
    ids = [str(i) for i in range(len(labels))]
    parts = assign(labels, ids, list(range(len(labels))), (0.5, 0.25, 0.25), seed)
    for name in set(labels):
        for part, share in (("train", 0.5), ("validation", 0.25), ("test", 0.25)):
            count = sum(label == name and own == part for label, own in zip(labels, parts, strict=True))
            assert abs(count - share * labels.count(name)) <= 1


def test_a_rare_class_counts_as_much_as_a_common_one() -> None:
    """Four units of (common, rare) images: even shares of the common class would put both rare images on one side."""
    units_of = [(10, 0), (3, 1), (5, 0), (11, 1)]
    labels = [name for counts in units_of for name, count in zip("ab", counts, strict=True) for _ in range(count)]
    of = [unit for unit, counts in enumerate(units_of) for _ in range(sum(counts))]
    parts = assign(labels, [f"{i:02}" for i in range(len(of))], of, shares("0.5,0.5"), 0)
    assert sorted(part for part, label in zip(parts, labels, strict=True) if label == "b") == ["test", "train"]


def test_a_part_without_a_share_stays_empty_and_order_does_not_matter() -> None:
    labels, ids = ["a", "b"] * 10, [f"{i}" for i in range(20)]
    parts = assign(labels, ids, list(range(20)), shares("0.5,0.5"), 1)
    assert set(parts) == {"train", "test"}
    turned = assign(labels[::-1], ids[::-1], list(range(20)), shares("0.5,0.5"), 1)
    assert turned[::-1] == parts


def test_chains_are_one_unit() -> None:
    assert units([["a"], ["b"], ["a", "b"], ["c"], []]) == [0, 0, 0, 3, 4]


@pytest.mark.parametrize("text", ["0.8", "0.8,0.3", "a,b", "-1,2,0", ""])
def test_what_is_no_split(text: str) -> None:
    with pytest.raises(ImagesError) as caught:
        shares(text)
    assert caught.value.what == f"'{text}' is no way to split"
