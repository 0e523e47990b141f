"""Checking and explaining, as a user does it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Run


def test_check_exits_with_1_where_there_are_errors(me_datasets: Run, converted: Path, synthetic: Path) -> None:
    done = me_datasets("check", converted, "--root", synthetic)
    assert done.returncode == 1
    for code in ("ME201", "ME204", "ME301", "ME303"):
        assert code in done.stdout
    fine = me_datasets("check", converted, "--root", synthetic, "--ignore", "ME204", "--severity", "warning")
    assert fine.returncode == 0
    assert "ME303" not in fine.stdout
    assert fine.stdout.splitlines()[-1] == "me-datasets explain CODE says what a finding means and what to do"


@pytest.mark.parametrize("kind", ["json", "sarif", "html", "table"])
def test_check_writes_reports(me_datasets: Run, converted: Path, synthetic: Path, tmp_path: Path, kind: str) -> None:
    done = me_datasets("check", converted, "--root", synthetic, "--format", kind, "-o", "out/report", "--select", "ME2")
    assert (done.returncode, done.stdout) == (1, "")
    text = (tmp_path / "out" / "report").read_text()
    assert "ME204" in text
    assert "ME301" not in text
    if kind in ("json", "sarif"):
        json.loads(text)


def test_explain(me_datasets: Run) -> None:
    done = me_datasets("explain", "ME203")
    for part in ("folder-unknown (warning, folders, raised by check)", "why it matters", "example", "what to do"):
        assert part in done.stdout
