"""A killed extraction goes on to the same bytes."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from datasets_me.formats.manifest import Manifest
from datasets_me.formats.manifest import write as write_manifest
from tests.conftest import start
from tests.extract.conftest import tree

KILLS = int(os.environ.get("ME_DATASETS_KILLS", "2"))
"""How often the run is killed, in turn with its workers and without; 25 times take a minute."""


@pytest.mark.slow
def test_killed_at_random_moments(filmed: Path, dataset: Manifest, extracted: Path, tmp_path: Path) -> None:
    write_manifest(dataset, tmp_path / "m")
    whole = tree(extracted)
    chance = random.Random(5)
    killed = 0
    for attempt in range(KILLS):
        process = start(tmp_path, "extract", "m", "--root", filmed, "-o", "out", "--workers", 2)
        time.sleep(chance.uniform(0.5, 2.0))
        if attempt % 2:
            os.killpg(process.pid, signal.SIGKILL)  # the workers, too, in the middle of a write
        else:
            process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        for name, content in tree(tmp_path / "out").items():
            if not Path(name).name.startswith(".") and name in whole and name.endswith((".npy", ".npz", ".json")):
                assert content == whole[name], f"{name} is half a file"
    assert killed
    process = start(tmp_path, "extract", "m", "--root", filmed, "-o", "out", "--workers", 2)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert tree(tmp_path / "out") == whole


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_hand(number: signal.Signals, filmed: Path, dataset: Manifest, tmp_path: Path) -> None:
    write_manifest(dataset, tmp_path / "m")
    process = start(tmp_path, "extract", "m", "--root", filmed, "-o", "out", "--workers", 2)
    while not (tmp_path / "out" / "extraction.json").is_file():
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().endswith("of 4 videos done; run the same again to go on")
    assert "Traceback" not in errors
