"""Where the documentation of a code is looked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets_me.findings import documentation, report
from datasets_me.findings.finding import finding

ODD = finding("ME203", "the folder fits no layout")


@pytest.mark.parametrize("base", ["https://docs.example/me", "https://docs.example/me/"])
def test_reports_link_to_the_pages_where_an_address_is_known(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(documentation.ADDRESS, base)
    page = "https://docs.example/me/findings/ME203.html"
    assert documentation.address("ME203") == page
    (rule,) = json.loads(report.to_sarif([ODD]))["runs"][0]["tool"]["driver"]["rules"]
    assert rule["helpUri"] == page
    assert f'href="{page}">ME203</a>' in report.to_html([ODD], "t", {})


def test_a_folder_becomes_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(documentation.ADDRESS, str(tmp_path / "my docs"))
    assert documentation.address("ME203") == f"{tmp_path.as_uri()}/my%20docs/findings/ME203.html"


def test_without_an_address_nothing_is_linked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(documentation.ADDRESS, raising=False)
    assert documentation.address("ME203") is None
    assert "helpUri" not in report.to_sarif([ODD])
    assert "ME203.html" not in report.to_html([ODD], "t", {})
