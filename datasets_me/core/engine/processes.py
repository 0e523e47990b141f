"""Items run by processes of this machine, which may die without taking the work of others with them.

``concurrent.futures`` and ``multiprocessing`` are not used: the one gives up all work when a process dies, and the
processes of both go on when the process that started them is killed, as does the tracker of resources beside them.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any

from datasets_me.core.engine.outcome import Failure, Handler, Report
from datasets_me.core.engine.parts import Part, Parts, packed

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)
"""Environment variables that keep numerical libraries to one thread: the processes are the parallelism."""

LARGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Has glibc ask Linux for large pages, unless the user tunes it. The model of the landmarks is 65 MB of numbers read
here and there: landmarks then take two thirds of the time, and all features of a moving face nine tenths."""

CHECKED = 1.0
"""Seconds after which processes are asked whether they live, in case their end of the pipe is held by another one."""

_BOOT = """\
import sys
sys.path[:] = sys.argv[4:]
from datasets_me.core.engine.worker import main
main(*map(int, sys.argv[1:4]))
"""


@dataclass(eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    pipe: Connection
    parts: deque[Part] = field(default_factory=deque)
    listens: bool = False


class Processes:
    """Processes of one thread each, started when they are needed, as a place.

    Raises:
        MeDatasetsError: ``config`` cannot be sent to a process.
    """

    pace = None

    def __init__(
        self, make_handler: Callable[[Any], Handler], config: Any, workers: int, report: Report | None
    ) -> None:
        self.room = workers
        self._report = report
        self._setting = packed((make_handler, config), "what every item needs")
        self._pool: list[_Worker] = []
        self._waiting: deque[Part] = deque()
        self._parts = Parts()
        self._speaking: deque[_Worker] = deque()

    def start(self, number: int, items: list[Any]) -> None:
        """Take a group; it is sent when a process is free."""
        self._waiting.append(self._parts.whole(number, items))

    def wait(self) -> tuple[int, list[Any]]:
        """The number of a group that is done, and its outcomes."""
        while True:
            self._give_out()
            ended = self._listen()
            if ended is not None:
                return ended

    def close(self) -> None:
        """Kill the processes, whatever they are doing."""
        for worker in self._pool:
            worker.process.kill()
        for worker in self._pool:
            worker.process.wait()
            worker.pipe.close()
        self._pool.clear()

    def _give_out(self) -> None:
        """Send what waits to processes with the least to do, to each one part ahead of the one it is at."""
        for idle in [each for each in self._pool if not each.parts and each.process.poll() is not None]:
            self._bury(idle)  # it was killed while it had nothing to do
        while self._waiting:
            worker = min(self._pool, key=lambda each: len(each.parts), default=None)
            if (worker is None or worker.parts) and len(self._pool) < self.room:
                worker = self._start_worker()
            if worker is None or len(worker.parts) > 1:
                return
            worker.parts.append(self._waiting.popleft())
            if worker.listens:
                _send(worker, worker.parts[-1].message)

    def _listen(self) -> tuple[int, list[Any]] | None:
        """Take one message of a process, or its end; returns the group that is done by it, if any."""
        if not self._speaking:
            by_pipe = {worker.pipe: worker for worker in self._pool}
            self._speaking.extend(by_pipe[pipe] for pipe in wait(list(by_pipe), CHECKED))  # type: ignore[index]
        if not self._speaking:
            dead = next((worker for worker in self._pool if worker.process.poll() is not None), None)
            return self._bury(dead) if dead else None
        worker = self._speaking.popleft()
        if worker not in self._pool:
            return None
        try:
            message = worker.pipe.recv_bytes()
        except (EOFError, OSError):
            return self._bury(worker)
        kind, value = pickle.loads(message)
        if kind == "done":
            return self._note(worker.parts.popleft(), value)
        if kind == "fatal":
            raise value
        if kind == "report" and self._report:
            self._report(value)
        if kind == "started":
            worker.listens = True
            for message in (self._setting, *(part.message for part in worker.parts)):
                _send(worker, message)
        return None

    def _note(self, part: Part, outcomes: list[Any]) -> tuple[int, list[Any]] | None:
        group = self._parts.note(part, outcomes)
        return None if group is None else (part.number, group)

    def _bury(self, worker: _Worker) -> tuple[int, list[Any]] | None:
        """Take a dead process out. The item it was at is a failure; several are done again one by one."""
        self._pool.remove(worker)
        worker.pipe.close()
        cause = _cause_of_death(worker.process)
        if not worker.parts:
            return None
        part, *later = worker.parts
        single = self._parts.single(part) if len(part.items) > 1 else []
        self._waiting.extendleft(reversed([*single, *later]))
        return None if single else self._note(part, [Failure(cause)])

    def _start_worker(self) -> _Worker:
        ours, theirs = Pipe()
        # the system ends processes with the thread that started them, which may end before this process does
        follows = threading.current_thread() is threading.main_thread()
        paths = [str(path) or str(Path.cwd()) for path in sys.path]
        numbers = [str(number) for number in (theirs.fileno(), os.getpid(), int(follows))]
        with theirs, _uninterrupted():
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, *numbers, *paths],
                stdin=subprocess.DEVNULL,
                env={**LARGE_PAGES, **os.environ, **dict.fromkeys(THREADS, "1")},
                **_inheriting(theirs),
            )
            worker = _Worker(process, ours)
            self._pool.append(worker)
        return worker


def _send(worker: _Worker, message: bytes) -> None:
    with suppress(OSError):  # it is dead; reading from it says how it died
        worker.pipe.send_bytes(message)


def _inheriting(pipe: Connection) -> dict[str, Any]:
    """The arguments by which a new process gets its end of a pipe, and nothing else that is open here."""
    if sys.platform == "win32":
        os.set_handle_inheritable(pipe.fileno(), True)
        return {"close_fds": False}
    return {"pass_fds": (pipe.fileno(),)}


def _cause_of_death(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(CHECKED)
    except subprocess.TimeoutExpired:  # it closed the pipe and went on
        process.kill()
        code = process.wait()
    if code >= 0:
        return f"the process that worked on it ended with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    hint = ", perhaps for lack of memory" if name == "SIGKILL" else ""
    return f"the process that worked on it was ended by {name}{hint}"


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes started meanwhile do not see Ctrl-C before they are ready to; this one sees it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
