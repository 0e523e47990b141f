"""A real Dask cluster, and other executors: the same outcomes as processes give, whatever dies meanwhile."""

from __future__ import annotations

import os
import pickle
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from datasets_me.core.engine import Failure, in_order, run
from datasets_me.core.engine.cluster import Cluster, connect
from datasets_me.core.engine.remote import MOST_DEATHS, setting_of, work
from datasets_me.core.errors import FeaturesError, MeDatasetsError, WriteError
from tests.conftest import REPOSITORY, heed_interrupts
from tests.core.engine import handlers
from tests.core.engine.dask_cluster import DaskCluster, kill
from tests.core.engine.test_engine import FAILURES

pytestmark = [
    pytest.mark.xdist_group("cluster"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # Dask closes sockets late
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler with two workers."""
    with DaskCluster(tmp_path_factory.mktemp("dask")) as cluster:
        for _ in range(2):
            cluster.worker()
        yield cluster


@pytest.fixture(scope="module")
def executor(dask: DaskCluster) -> Iterator[Cluster]:
    printed: list[str] = []
    with connect(str(dask.file), say=printed.append) as cluster:
        yield cluster
    assert [line.startswith("cluster tcp://") and ", dashboard http://" in line for line in printed] == [True]


def test_a_failure_is_that_of_one_item(executor: Cluster) -> None:
    items = [1, *FAILURES, "lock", "large", 2]
    reported: list[int] = []
    got = dict(run(handlers.make, items, "done", executor=executor, report=reported.append))
    lock = got.pop("lock")
    assert lock == Failure("its result cannot be sent to another process: cannot pickle '_thread.lock' object")
    assert got.pop("large") == bytes(3_000_000)
    assert got == {1: "done 1", 2: "done 2", **{item: Failure(why) for item, why in FAILURES.items()}}
    assert sum(reported) == 2 * len(items)


def test_what_ends_the_run_says_why(executor: Cluster, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"No space left on device\n  worker: tcp://\S+ on "):
        list(run(handlers.make, [1, "full", 2], "done", executor=executor))
    with pytest.raises(FeaturesError) as caught:
        list(run(handlers.make_none, range(5), "table", executor=executor))
    assert (caught.value.what, caught.value.fix) == ("there is no table", "make one")


def test_short_items_go_together_in_order(executor: Cluster) -> None:
    assert list(in_order(abs, range(0, -5_000, -1), executor=executor)) == [(-n, n) for n in range(5_000)]


def test_workers_that_see_another_file(executor: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "same").write_text("the same")
    (tmp_path / "changing").write_text("before")
    shared = [tmp_path / "same", tmp_path / "changing", tmp_path]
    assert list(run(handlers.make, [1], "done", executor=executor, shared=shared)) == [(1, "done 1")]

    def items() -> Iterator[int]:
        (tmp_path / "changing").write_text("after")  # what this process saw is known already
        yield 1

    with pytest.raises(MeDatasetsError) as caught:
        list(run(handlers.make, items(), "done", executor=executor, shared=shared))
    assert caught.value.what == f"a worker sees another {tmp_path / 'changing'}"
    assert caught.value.where is not None and caught.value.where.startswith("tcp://")
    assert caught.value.fix == (
        "give paths on a disk that all workers share, and start the workers where it is mounted"
    )


def test_workers_of_another_version(executor: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets_me.core.engine.remote.__version__", "99.0")
    with pytest.raises(MeDatasetsError, match=r"^a worker runs me-datasets [0-9.]+, and this process 99\.0\n"):
        list(run(handlers.make, [1], "done", executor=executor))


def test_workers_that_die_and_others_that_join(dask: DaskCluster, executor: Cluster, tmp_path: Path) -> None:
    """Three workers die of one item; the others of its group, and those that waited, are done."""
    dask.connected(2)
    joining = threading.Timer(0.5, lambda: [dask.worker() for _ in range(3)])
    joining.start()
    got = dict(run(handlers.make, [1, 2, "kill", 3, 4], "done", executor=executor))
    joining.join()
    assert got == {
        **{item: f"done {item}" for item in (1, 2, 3, 4)},
        "kill": Failure("3 workers died while they worked on it"),
    }


def test_outcomes_that_are_lost_with_their_worker_count_for_no_death(executor: Cluster) -> None:
    """Dask has an item done again whose outcome was still with a worker that died of another."""
    setting = setting_of(pickle.dumps((handlers.make, "done")), [])
    for _ in range(MOST_DEATHS + 1):
        answer = executor.submit(work, "run", "part", pickle.dumps([1]), False, setting).result()
        assert answer.kind == "done"


def test_an_executor_of_the_user(executor: Cluster) -> None:
    expected = [(n, f"done {n}") for n in range(20)]
    with ProcessPoolExecutor(2) as processes, ThreadPoolExecutor(2) as threads:
        for each in (processes, threads, executor._client.get_executor()):
            got = run(handlers.make, range(20), "done", executor=each, in_order=True)
            assert list(got) == expected
        with pytest.raises(MeDatasetsError) as caught:
            list(run(handlers.make, [1, "exit", 2], "done", executor=processes))
    assert caught.value.what.startswith("the workers cannot go on: BrokenProcessPool: ")
    assert caught.value.fix == "run the same again; what is done is kept"


PROGRAM = """
import sys
from pathlib import Path
from datasets_me.core.engine import run
from datasets_me.core.engine.cluster import connect
from tests.core.engine import handlers

with connect(sys.argv[1]) as executor:
    for item, outcome in run(handlers.make_reporting, range(100), Path(sys.argv[2]), executor=executor):
        print(item, outcome)
"""


def _kept(dask_scheduler: Any) -> list[str]:
    """The tasks that a scheduler has, and the runs that it remembers something of."""
    return [*dask_scheduler.tasks, *(name for name, value in dask_scheduler.task_metadata.items() if value)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_client_that_ends_leaves_the_workers_free(
    number: signal.Signals, dask: DaskCluster, executor: Cluster, tmp_path: Path
) -> None:
    before = set(executor._client.run_on_scheduler(_kept))  # other executors forget nothing
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(dask.file), str(tmp_path)],
        cwd=REPOSITORY,
        stderr=subprocess.DEVNULL,
        preexec_fn=heed_interrupts,
    )
    while not list(tmp_path.glob("begun-*")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    process.wait(100)
    deadline = time.monotonic() + 100
    # what waits at the scheduler is not among what workers process; nor does it keep who began with what
    while set(executor._client.run_on_scheduler(_kept)) - before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    begun = len(list(tmp_path.glob("begun-*")))
    assert list(run(handlers.make, [1], "done", executor=executor)) == [(1, "done 1")]  # a free worker takes it
    assert len(list(tmp_path.glob("begun-*"))) == begun


@pytest.mark.slow
def test_a_scheduler_that_goes_away(tmp_path: Path) -> None:
    with DaskCluster(tmp_path) as dask:
        dask.worker()
        with connect(str(dask.file)) as executor:
            running = run(handlers.make_slow, range(1_000), 0.01, executor=executor)
            next(running)
            kill(dask.scheduler)
            with pytest.raises(MeDatasetsError) as caught:
                list(running)
    assert caught.value.what == "the connection to the Dask scheduler was lost"
    assert caught.value.fix == "start it again and run the same command; what is done is kept"


def test_no_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets_me.core.engine.cluster._ANSWERS", 0.5)
    with pytest.raises(MeDatasetsError) as caught, connect("tcp://127.0.0.1:1"):
        pass
    assert str(caught.value) == (
        "no Dask scheduler answers\n  where: tcp://127.0.0.1:1\n"
        "  to do: start one with dask scheduler, and workers with dask worker ADDRESS --nthreads 1"
    )
    damaged = tmp_path / "scheduler.json"
    damaged.write_text('{"address": "tcp://127.0.0.1:1"}')
    with pytest.raises(MeDatasetsError) as caught, connect(str(damaged)):
        pass
    assert caught.value.where == f"tcp://127.0.0.1:1, as {damaged} says"
    for content in ("[]", '{"address": null}', '{"address": "5"}', '{"address": ""}'):
        damaged.write_text(content)
        with (
            pytest.raises(MeDatasetsError, match="the scheduler file cannot be used: it holds no address"),
            connect(str(damaged)),
        ):
            pass
    with pytest.raises(MeDatasetsError, match="Dask has no certificates"), connect("tls://127.0.0.1:8786"):
        pass
    with pytest.raises(MeDatasetsError, match="'' is no cluster"), connect(""):
        pass


SBATCH = """#!/bin/sh
job=$(mktemp ./job.XXXXXX)
cp "$1" "$job"
bash "$job" > "$job.out" 2>&1 < /dev/null &
echo "Submitted batch job $!"
"""
"""Like Slurm's, it keeps a copy of the script, which dask-jobqueue removes as soon as it is submitted."""


def _tools(folder: Path, **scripts: str) -> None:
    folder.mkdir()
    for name, text in scripts.items():
        (folder / name).write_text(text)
        (folder / name).chmod((folder / name).stat().st_mode | stat.S_IXUSR)


def test_slurm_that_is_not_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MeDatasetsError, match="there is no sbatch on this machine"), connect("slurm", workers=2):
        pass
    _tools(tmp_path / "bin", sbatch=SBATCH, scancel="#!/bin/sh\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with pytest.raises(MeDatasetsError) as caught, connect("slurm", workers=2):
        pass
    assert caught.value.what == "dask-jobqueue does not know the cores and the memory of a job"
    assert "jobqueue.yaml" in (caught.value.fix or "")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Port")  # of the dashboard, which another one has
def test_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The jobs that dask-jobqueue writes, run by a stand-in for Slurm."""
    import dask

    _tools(tmp_path / "bin", sbatch=SBATCH, scancel='#!/bin/sh\nkill "$@"\n')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.chdir(tmp_path)
    job = {"cores": 2, "memory": "1GB", "walltime": "00:10:00", "python": sys.executable}
    configuration = dask.config.set({f"jobqueue.slurm.{key}": value for key, value in job.items()})
    with configuration, connect("slurm", workers=2) as executor:
        got = list(run(handlers.make, range(10), "done", executor=executor, in_order=True))
        workers = executor._client.scheduler_info(n_workers=-1)["workers"].values()
        assert {worker["nthreads"] for worker in workers} == {1}
    assert got == [(n, f"done {n}") for n in range(10)]
