"""What a run leaves in its log."""

from __future__ import annotations

import os
import re
from pathlib import Path

from datasets_me.core.version import __version__
from tests.conftest import Run

WHEN = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}"


def test_the_log_says_what_was_done_where_and_what_failed(me_datasets: Run, converted: Path, synthetic: Path) -> None:
    before = me_datasets("check", "manifest", "--root", synthetic)
    done = me_datasets("--log", "night.log", "check", "manifest", "--root", synthetic)
    assert (done.returncode, done.stdout, done.stderr) == (1, before.stdout, "")
    refused = me_datasets("--log", "night.log", "check", "none\x1b", "--root", synthetic)
    assert refused.returncode == 2
    lines = (converted.parent / "night.log").read_text().splitlines()
    texts = [re.fullmatch(rf"{WHEN} (\w+ .*)", line)[1] for line in lines]  # type: ignore[index]
    assert texts[0] == f"INFO me-datasets --log night.log check manifest --root {synthetic}"
    assert texts[1].startswith(f"INFO version {__version__}, Python 3.")
    assert f" on {os.uname().nodename} (" in texts[1]
    assert re.match(r"INFO libraries: numpy [\d.]+, pyarrow [\d.]+", texts[2])
    assert texts[3] == "INFO check: begins"
    assert re.fullmatch(r"INFO check: done in [\d.]+ s", texts[4])
    end = next(number for number, text in enumerate(texts) if re.fullmatch(r"INFO exit code 1, \d+ findings", text))
    found = [text.split()[:2] for text in texts[5:end]]
    assert ["ERROR", "ME204"] in found
    assert {level for level, _ in found} == {"ERROR", "WARNING"}
    assert re.search(
        r"ERROR check: ended by ManifestError after [\d.]+ s: not a manifest: there is no such folder; "
        r"where: none.x1b; to do: make one with me-datasets convert$",
        texts[-1],
    )


def test_verbose_shows_it_and_otherwise_there_is_none(me_datasets: Run, tmp_path: Path) -> None:
    done = me_datasets("-v", "explain", "ME203")
    assert [line.split(" ", 1)[1] for line in done.stderr.splitlines()][-1] == "INFO exit code 0, 0 findings"
    assert me_datasets("explain", "ME203").stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_cannot_be_written_is_an_error(me_datasets: Run) -> None:
    done = me_datasets("--log", "no/such.log", "explain", "ME203")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: the log cannot be written: No such file or directory\n  where: no/such.log\n"
