"""Workers that fail, die, or are not needed any more."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable

from datasets_me.core.engine.pool import THREADS, Failure, Report, run_jobs
from datasets_me.core.errors import MeDatasetsError, WriteError


def handler(config: int) -> Callable[[str, Report], object]:
    def handle(job: str, report: Report) -> object:
        report(config)
        match job:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(3)
            case "raise":
                raise ZeroDivisionError("by nought")
            case "memory":
                raise MemoryError
            case "full":
                raise WriteError("the file cannot be written: No space left on device")
            case "known":
                raise MeDatasetsError("it is broken", fix="mend it")
            case "threads":
                return [os.environ[name] for name in THREADS]
        return f"{job} done"

    return handle


def results(jobs: list[str], workers: int = 2) -> dict[str, object]:
    return dict(run_jobs(jobs, handler, 7, workers=workers))


def test_failures_are_those_of_one_job() -> None:
    jobs = ["a", "die", "b", "exit", "c", "raise", "memory", "known", "d", "threads"]
    expected = {
        "die": "the process that worked on it was ended by SIGKILL, perhaps for lack of memory",
        "exit": "the process that worked on it ended with exit code 3",
        "raise": "ZeroDivisionError: by nought",
        "memory": "there was not enough memory",
        "known": "it is broken",
    }
    got = results(jobs)
    assert {job: got[job].why for job in expected} == expected  # type: ignore[attr-defined]
    assert {job: got[job] for job in "abcd"} == {job: f"{job} done" for job in "abcd"}
    assert got["threads"] == ["1"] * len(THREADS)
    assert set(got) == set(jobs)


def test_a_full_disk_is_everybodys() -> None:
    failure = results(["full"], workers=1)["full"]
    assert isinstance(failure, Failure)
    assert isinstance(failure.fatal, WriteError)


def test_progress_is_told_and_workers_end_with_the_iteration() -> None:
    told: list[int] = []
    running = run_jobs(["a", "b", "c"], handler, 7, workers=1, report=told.append)
    next(running)
    running.close()
    assert told == [7]
    assert multiprocessing.active_children() == []
