"""Agreement of two people: Cohen's kappa by hand, and texts that mean the same."""

from __future__ import annotations

import pytest

from datasets_me.formats.decisions import Decision
from datasets_me.schema.schema_files import Schema
from datasets_me.scores.agreement import agreement, kappa


def row(number: int, **cells: str) -> Decision:
    return Decision(action="accept", dataset="casme-sq", subject="s", video="v", onset="1", row=number, cells=cells)


def test_kappa_by_hand() -> None:
    # Agreed by both on 35 of 50; by chance (25 * 30 + 25 * 20) / 50² = 0.5: (0.7 - 0.5) / (1 - 0.5).
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([("yes", "yes")] * 3) is None
    assert kappa([]) is None


def test_texts_that_mean_the_same(casme_sq: Schema) -> None:
    anna = [row(1, offset="0", emotion="Positive"), row(2, offset="20", emotion="negative")]
    ben = [row(1, offset="131", emotion="positive"), row(2, offset="18.5", emotion="negative")]
    compared = agreement(anna, ben, {"casme-sq": casme_sq.spec})
    (offset,) = compared.frames
    assert (offset.rows, offset.equal, offset.one_only, offset.mean, offset.absolute) == (1, 0, 1, -1.5, 1.5)
    assert [(label.column, label.equal, label.kappa) for label in compared.labels] == [
        ("verdict", 2, None),
        ("emotion", 2, 1.0),
    ]
    assert [(each.column, each.a, each.b) for each in compared.differing] == [
        ("offset", "", "131"),
        ("offset", "20", "18.5"),
    ]


def test_a_later_decision_counts(casme_sq: Schema) -> None:
    first = row(1, offset="20")
    undone = Decision(action="undo", dataset="casme-sq", undoes=first.id)
    compared = agreement([first], [first, undone], {"casme-sq": casme_sq.spec})
    assert (compared.both, compared.only_a, compared.only_b) == (0, 1, 0)
