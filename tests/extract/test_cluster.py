"""An extraction on a real Dask cluster gives the bytes of one on this machine, whoever dies meanwhile."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from datasets_me.core.engine.cluster import connect
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.manifest import write as write_manifest
from tests.conftest import start
from tests.core.engine.dask_cluster import DaskCluster, kill
from tests.extract.conftest import extract, tree

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("cluster"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # Dask closes sockets late
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

KILLS = int(os.environ.get("ME_DATASETS_KILLS", "1"))
"""How often the client, a worker or the scheduler is killed at a random moment; 200 times take half an hour."""


def test_a_worker_is_killed_and_another_joins(filmed: Path, dataset: Manifest, extracted: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with DaskCluster(tmp_path) as dask:
        workers = [dask.worker() for _ in range(2)]
        with connect(str(dask.file)) as executor:

            def killed_in_the_middle(count: int) -> None:
                if workers[0].poll() is None:  # a video is done, and both are at the next ones
                    dask.worker()
                    kill(workers[0])

            result = extract(dataset, filmed, out, executor=executor, frames_done=killed_in_the_middle)
    assert [row.status for row in result.rows] == ["ok"] * 4
    assert workers[0].returncode == -signal.SIGKILL
    assert tree(out) == tree(extracted)


def test_killed_at_random_moments(filmed: Path, dataset: Manifest, extracted: Path, tmp_path: Path) -> None:
    """The client, a worker or the scheduler; in the end, another run completes it, and nothing else is left."""
    write_manifest(dataset, tmp_path / "m")
    chance = random.Random(1)  # the first is the client; the other tests kill a worker and the scheduler
    whole = tree(extracted)
    dask = None
    try:
        for attempt in range(KILLS):
            if dask is None:
                folder = tmp_path / f"dask{attempt}"
                folder.mkdir()
                dask = DaskCluster(folder)
                workers = [dask.worker() for _ in range(2)]
                dask.connected(2)
            client = start(tmp_path, "extract", "m", "--root", filmed, "-o", "out", "--cluster", dask.file)
            time.sleep(chance.uniform(0.5, 5.0))
            victim = chance.choice(["client", "worker", "scheduler"])
            if victim == "client":
                client.kill()
            else:
                kill(chance.choice(workers) if victim == "worker" else dask.scheduler)
                workers = [worker for worker in workers if worker.poll() is None] + [dask.worker()]
            _, errors = client.communicate(timeout=120)
            assert "Traceback" not in errors
            if victim == "scheduler":
                dask.__exit__()
                dask = None
            for name, content in tree(tmp_path / "out").items():
                if name in whole and name.endswith((".npy", ".npz", ".json")):
                    assert content == whole[name], f"{name} is half a file"
    finally:
        if dask is not None:
            dask.__exit__()
    extract(dataset, filmed, tmp_path / "out")
    assert tree(tmp_path / "out") == whole


def test_a_scheduler_that_goes_away(filmed: Path, dataset: Manifest, extracted: Path, tmp_path: Path) -> None:
    write_manifest(dataset, tmp_path / "m")
    with DaskCluster(tmp_path) as dask:
        dask.worker()
        client = start(tmp_path, "extract", "m", "--root", filmed, "-o", "out", "--cluster", dask.file)
        while not list(tmp_path.glob("out/done/*/*.json")):
            assert client.poll() is None
            time.sleep(0.02)
        kill(dask.scheduler)
        _, errors = client.communicate(timeout=120)
    assert client.returncode == 2
    lines = errors.splitlines()
    assert lines[0].startswith("cluster tcp://")
    assert lines[1] == "error: the connection to the Dask scheduler was lost"
    assert lines[3] == "  to do: start it again and run the same command; what is done is kept"
    extract(dataset, filmed, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(extracted)
