"""Finding codes: complete, stable in form, and each raised by something."""

from __future__ import annotations

import re

import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.findings import codes
from tests.conftest import REPOSITORY


def test_codes_are_in_order_and_say_everything() -> None:
    known = codes.all_codes()
    assert list(known) == sorted(known)
    for code, entry in known.items():
        assert re.fullmatch(r"ME[1-7]\d\d", code)
        assert code[2] in codes.GROUPS
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", entry.name)
        assert all(len(text) > 10 for text in (entry.what, entry.why, entry.example, entry.fix))
    assert len({entry.name for entry in known.values()}) == len(known)


def test_every_code_is_raised_somewhere_and_no_other() -> None:
    sources = [p.read_text() for p in (REPOSITORY / "datasets_me").rglob("*.py") if "synthetic" not in p.parts]
    raised = set(re.findall(r'"(ME\d{3})"', "\n".join(sources)))
    assert raised == set(codes.all_codes())


def test_explain_by_code_and_name() -> None:
    assert codes.explain("me203") == codes.explain("folder-unknown") == codes.all_codes()["ME203"]


def test_explain_suggests() -> None:
    with pytest.raises(MeDatasetsError) as caught:
        codes.explain("folder-unkown")
    assert str(caught.value) == "there is no finding code 'folder-unkown'\n  to do: did you mean folder-unknown?"


@pytest.mark.parametrize(
    ("selectors", "code", "chosen"),
    [(["ME2"], "ME203", True), (["ME3", "ME203"], "ME203", True), (["all"], "ME101", True), (["ME1"], "ME203", False)],
)
def test_selectors(selectors: list[str], code: str, chosen: bool) -> None:
    assert codes.matches(code, selectors) is chosen


def test_a_selector_that_selects_nothing() -> None:
    with pytest.raises(MeDatasetsError, match="'ME9' selects no finding code"):
        codes.check_selectors(["ME2", "ME9"])
