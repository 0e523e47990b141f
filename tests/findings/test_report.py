"""Findings as JSON, SARIF and a page."""

from __future__ import annotations

import json
from html.parser import HTMLParser

from datasets_me.core.errors import Place
from datasets_me.findings.finding import finding
from datasets_me.findings.report import to_html, to_json, to_sarif
from datasets_me.findings.summary import folded

FINDINGS = [
    finding("ME203", "the folder <b>fits</b> no layout", path="rawpic/s15/x & y"),
    finding("ME402", "offset is late", place=Place("book.xlsx", "Sheet1", 7, "F"), video="casme2_01_EP02_01f"),
    finding("ME205", "no annotation", video="casme_015_0508", path="rawpic/s15/15_0508funnydunkey"),
]


def test_json() -> None:
    report = json.loads(to_json(FINDINGS, {"dataset": "casme2"}))
    assert report["dataset"] == "casme2"
    assert report["counts"]["by_severity"] == {"error": 1, "warning": 1, "info": 1}
    assert report["counts"]["by_code"] == {"ME203": 1, "ME205": 1, "ME402": 1}
    assert report["findings"][1]["column"] == "F"
    assert "column" not in report["findings"][0]


def test_sarif() -> None:
    log = json.loads(to_sarif(FINDINGS))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["ME203", "ME205", "ME402"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
    unknown = run["results"][0]["locations"][0]["physicalLocation"]
    assert unknown["artifactLocation"]["uri"] == "rawpic/s15/x%20%26%20y"
    late = run["results"][1]["locations"][0]
    assert late["physicalLocation"]["artifactLocation"]["uri"] == "book.xlsx"
    assert late["physicalLocation"]["region"] == {"startLine": 7}


class Parts(HTMLParser):
    """Counts what stands in a page, and what it would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = 0
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.rows += tag == "tr" and ("data-code", "ME203") in attrs
        self.outside += [value or "" for name, value in attrs if name in ("src", "href")]


def test_html_is_one_page_that_escapes_what_it_shows() -> None:
    page = to_html(FINDINGS, "casme2", {"root": "/data/<x>"})
    parts = Parts()
    parts.feed(page)
    assert (parts.rows, parts.outside) == (1, [])
    assert "&lt;b&gt;fits&lt;/b&gt;" in page
    assert "x &amp; y" in page
    assert "/data/&lt;x&gt;" in page


def test_html_without_findings() -> None:
    assert "Nothing was found." in to_html([], "casme2", {})


def test_many_remarks_of_one_code_are_one_line_for_people() -> None:
    remarks = [finding("ME303", f"remark {number}", video="v") for number in range(21)]
    warning = finding("ME103", "a warning")
    few, many = folded([warning, *remarks[:20]]), folded([*remarks, warning])
    assert [line.message for line in few] == ["a warning", *(f"remark {number}" for number in range(20))]
    assert [line.message for line in many] == ["a warning", "remark 0 (and 20 more of this code; JSON has all)"]
    assert [line.more for line in folded([warning] * 30)] == [0] * 30
    page = to_html([*remarks, warning], "title", {})
    assert page.count("<tr data-severity") == 2
    assert "remark 0 (and 20 more" in page
    assert len(json.loads(to_json(remarks, {}))["findings"]) == 21
