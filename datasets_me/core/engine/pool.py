"""Worker processes that may die without taking the work of others with them.

`concurrent.futures` gives up every job when one process dies, and does not say which job it was. Here a dead worker is
one job's failure, and another worker takes its place.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from datasets_me.core.errors import MeDatasetsError, WriteError

Config = TypeVar("Config")
Job = TypeVar("Job")
Result = TypeVar("Result")

Report = Callable[[int], None]
"""Called by a worker with the number of frames done since the last call."""

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Environment variables that keep numerical libraries to one thread: the processes are the parallelism."""


@dataclass(frozen=True)
class Failure:
    """A job that gave no result. ``fatal``: the next jobs would fail in the same way (the disk is full)."""

    why: str
    fatal: MeDatasetsError | None = None


@dataclass
class _Worker(Generic[Job]):
    process: BaseProcess
    pipe: Connection
    job: Job | None = None


def run_jobs(
    jobs: Iterable[Job],
    make_handler: Callable[[Config], Callable[[Job, Report], Result]],
    config: Config,
    *,
    workers: int = 1,
    report: Report | None = None,
) -> Iterator[tuple[Job, Result | Failure]]:
    """Results of jobs as they are done, in any order.

    Args:
        jobs: taken one by one, when a worker is free.
        make_handler: called once in each worker with ``config``; a function of a module, so that it can be sent there.
        workers: processes, each limited to one thread.
        report: told of frames done, by all workers together.

    Whatever ends the iteration, the workers end with it.
    """
    context = multiprocessing.get_context("spawn")
    waiting = iter(jobs)
    pool: list[_Worker[Job]] = []

    def start() -> _Worker[Job]:
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, make_handler, config, os.getpid()), daemon=True)
        with _single_threaded(), _uninterrupted():
            process.start()
        theirs.close()
        return _Worker(process, ours)

    try:
        while True:
            while len(pool) < workers or any(worker.job is None for worker in pool):
                job = next(waiting, None)
                if job is None:
                    break
                free = next((worker for worker in pool if worker.job is None), None)
                if free is None:
                    free = start()
                    pool.append(free)
                free.job = job
                with suppress(BrokenPipeError):  # it died idle; reading from it says how
                    free.pipe.send(job)
            busy = {worker.pipe: worker for worker in pool if worker.job is not None}
            if not busy:
                return
            for pipe in wait(list(busy)):
                worker = busy[pipe]  # type: ignore[index]
                job = worker.job
                assert job is not None
                try:
                    kind, value = worker.pipe.recv()
                except (EOFError, ConnectionError):
                    pool.remove(worker)
                    yield job, Failure(_how_it_died(worker.process))
                    continue
                if kind == "frames":
                    if report:
                        report(value)
                    continue
                worker.job = None
                yield job, value
    finally:
        for worker in pool:
            worker.process.terminate()
        for worker in pool:
            worker.process.join()
            worker.pipe.close()


def _work(
    pipe: Connection,
    make_handler: Callable[[Any], Callable[[Any, Report], Any]],
    config: Any,
    parent: int,
) -> None:
    """The life of a worker: jobs come and results go by the pipe until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends its workers

    def report(frames: int) -> None:
        if os.getppid() != parent:
            os._exit(1)  # nobody is waiting any more
        pipe.send(("frames", frames))

    handler: Callable[[Any, Report], Any] | None = None
    try:
        while True:
            job = pipe.recv()
            try:
                handler = handler or make_handler(config)
                result = handler(job, report)
            except WriteError as error:
                result = Failure(error.what, error)
            except MeDatasetsError as error:
                result = Failure(error.what)
            except MemoryError:
                result = Failure("there was not enough memory")
            except Exception as error:
                result = Failure(f"{type(error).__name__}: {error}")
            pipe.send(("result", result))
    except (EOFError, BrokenPipeError):
        return


def _how_it_died(process: BaseProcess) -> str:
    process.join()
    code = process.exitcode or 0
    if code < 0:
        name = signal.Signals(-code).name
        hint = ", perhaps for lack of memory" if name == "SIGKILL" else ""
        return f"the process that worked on it was ended by {name}{hint}"
    return f"the process that worked on it ended with exit code {code}"


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes started meanwhile never see Ctrl-C, not even while they import; this one sees it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes started meanwhile have one thread per numerical library; this one stays as it was."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
