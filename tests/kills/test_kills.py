"""Every verb that writes, ended before each of its changes to the file system: the old or the new, whole, no litter.

``ME_DATASETS_KILLS`` says how many trials each verb gets, or ``all``; without it, some verbs get a few, drawn by seed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.kills.verbs import VERBS, build
from tests.places import in_memory

ASKED = os.environ.get("ME_DATASETS_KILLS")
USUAL = ("convert --force", "export auwgcn-csv", "images unify --force", "images quality --force")
"""The verbs of every run of the suite: one of each way to write."""


@pytest.fixture(scope="session")
def inputs() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kills-", dir=in_memory()) as folder:
        build(Path(folder) / "inputs")
        yield Path(folder) / "inputs"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each trial is a fork")
@pytest.mark.xdist_group("kills")
def test_killed_runs_leave_the_old_or_the_new(inputs: Path) -> None:
    verbs = [verb for verb in VERBS if ASKED or verb.name in USUAL]
    trials = ASKED or "2"
    command = [sys.executable, "-m", "tests.kills.runner", str(inputs), trials, *(verb.name for verb in verbs)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["verb"] for each in said] == [verb.name for verb in verbs]
    for each in said:
        assert each["failures"] == {}, each["verb"]
        assert each["of"] > 2, f"{each['verb']}: its changes are not seen"
        assert each["exit"] in (0, 1), each["verb"]
        assert each["trials"] == (each["of"] if trials == "all" else min(each["of"], int(trials)))
