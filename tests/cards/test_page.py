"""The page: one file, every expression in it, no text that becomes code."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from datasets_me.cards import card as cards
from datasets_me.cards.page import describe, number, to_html
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import ActionUnit
from tests.cards.conftest import HOSTILE


class Parts(HTMLParser):
    """What stands in a page: tags, what they would load, the text of titles within the timeline."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.outside: list[str] = []
        self.marks: list[str] = []
        self.text = ""
        self._in_mark = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.outside += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action", "data")]
        if tag == "rect" and "mark" in (dict(attrs).get("class") or "").split():
            self._in_mark = True
        elif tag == "title" and self._in_mark:
            self.marks.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "rect":
            self._in_mark = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_mark and self.marks:
            self.marks[-1] += data


def page(card: cards.Card) -> Parts:
    return Parts(to_html(card))


def test_every_expression_is_on_the_page(made: Any, two_types: Manifest) -> None:
    parts = page(made["two_types"].card)
    assert sorted(parts.marks) == sorted(describe(row) for row in two_types.annotations)
    assert parts.outside == ["http://casme.psych.ac.cn/casme/e3"]
    assert parts.tags.count("script") == 1
    assert "@import" not in parts.text and "url(" not in parts.text


def test_what_is_said_of_an_expression(two_types: Manifest) -> None:
    assert describe(two_types.annotations[3]).splitlines() == [
        "casme_019_0401 anger1_1: macro-expression of casme_019",
        "onset 90 (workbook: 91)",
        "apex 98 (workbook: 99)",
        "offset not annotated (workbook: 0)",
        "emotion not known: surprised?",
        "action units 12 (workbook: 12)",
        "book.csv, sheet 'book', row 4, frames in C4 D4 E4",
    ]
    units = [ActionUnit(au=12, side="left", intensity="B", uncertain=True), ActionUnit(au=7, reflex=True)]
    row = two_types.annotations[0].model_copy(update={"aus": units, "corrected": {"apex": "9"}})
    said = describe(row).splitlines()
    assert "apex 7 (workbook: 8, corrected to 9)" in said
    assert "15 frames, 0.5 s at 30 frames a second" in said
    assert "action units L12B? reflex(7) (workbook: 4)" in said


def test_hostile_text_stays_text(made: Any) -> None:
    parts, harmless = page(made["hostile"].card), page(made["two_types"].card)
    assert parts.tags.count("script") == harmless.tags.count("script") == 1
    assert set(parts.tags) <= {*harmless.tags, "br"}
    assert parts.outside == []
    for name in HOSTILE:
        assert name in parts.text
    assert len(parts.marks) == len(HOSTILE)


def test_no_rows(made: Any) -> None:
    parts = page(made["empty"].card)
    assert parts.marks == []
    assert "No plot of timeline: the manifest has no videos." in parts.text
    assert "Nothing was found." in parts.text


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (1234, "1,234"), (0.46666, "0.4667"), (40.1054, "40.11"), (1234.56, "1,234.6")]
)
def test_numbers(value: float | None, shown: str) -> None:
    assert number(value) == shown
