"""A missing offset: each rule, and what is refused."""

from __future__ import annotations

import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.missing_offset import check_rule, read_offset
from tests.scores.conftest import annotation


@pytest.mark.parametrize(
    ("rule", "reading"),
    [
        ("mirror", (20, "mirror")),
        ("apex", (15, "apex")),
        ("fixed:20", (35, "fixed")),
        ("fixed:999999999", (1_000_000_014, "fixed")),
        ("drop", None),
    ],
)
def test_each_rule(rule: str, reading: tuple[int, str] | None) -> None:
    assert read_offset(annotation(1, offset=None), rule) == reading
    assert read_offset(annotation(1, offset=18), rule) == (18, "annotated")
    assert read_offset(annotation(1, offset=None, apex=None), rule) is None


def test_a_mirror_needs_an_onset() -> None:
    assert read_offset(annotation(1, onset=None, offset=None), "mirror") is None
    assert read_offset(annotation(1, onset=None, offset=None), "apex") == (15, "apex")


@pytest.mark.parametrize("rule", ["", "fixed", "fixed:", "fixed:-1", "fixed:1000000000", "mirror ", "Mirror"])
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(MeDatasetsError, match=f"'{rule}' is not a rule for missing offsets") as raised:
        check_rule(rule)
    with pytest.raises(MeDatasetsError, match="is not a rule for missing offsets"):
        read_offset(annotation(1), rule)
    assert raised.value.fix == "give mirror, apex, drop, or fixed:N (such as fixed:20)"
