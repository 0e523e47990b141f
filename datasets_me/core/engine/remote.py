"""What a worker does that somebody else started: that of a Dask cluster, or of any executor.

Such a worker knows nothing of a run when its first items come. `work` answers "unknown" then, and is called again with
the setting of the run, which it keeps.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import socket
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from datasets_me.core.engine.outcome import Handler, outcomes_of, sendable
from datasets_me.core.errors import MeDatasetsError, WriteError
from datasets_me.core.version import __version__

MOST_DEATHS = 3
"""Workers that may die while they work on an item; a fourth does not begin with it."""

_KEPT = 4
"""Runs whose handlers a worker keeps: several people may use a cluster at once."""

_LISTED = 10_000
"""Names in a folder that are compared."""

_UNSEEN = "unseen: "

_PATIENCE = 6.0
"""Seconds for which a file may look older on another machine: network file systems ask again after some."""

_alone = threading.Lock()  # a handler is not made for several threads at once
_handlers: OrderedDict[str, Handler] = OrderedDict()


class Answer(NamedTuple):
    """What a worker says of a part: its outcomes as bytes, or why there are none.

    ``reported`` is the progress within the items, ``seconds`` how long they took.
    """

    kind: Literal["done", "unknown", "deadly", "killed", "stopped", "fatal"]
    value: Any = None
    reported: int = 0
    seconds: float = 0.0


class Setting(NamedTuple):
    """What a worker needs for a run, besides items; ``handler`` is unpacked after all else was compared."""

    version: str
    python: str
    paths: dict[str, str]
    handler: bytes


class _Stopped(BaseException):
    """Nobody waits any more for the item that is being worked on."""


def setting_of(handler: bytes, paths: Sequence[Path]) -> bytes:
    """The setting of a run, to be compared with what a worker sees."""
    return pickle.dumps(Setting(__version__, _python(), {str(path): fingerprint(path) for path in paths}, handler))


def work(run: str, part: str, items: bytes, several: bool, setting: bytes | None = None) -> Answer:
    """Work on the items of a part, one run after the other.

    Args:
        run: a name of the run.
        part: a name of the part within it.
        items: a pickled list.
        several: there is more than one item, so that one death is enough to work on them one by one.
        setting: see `setting_of`; needed where the run is not known yet.
    """
    with _alone:
        if setting is None and run not in _handlers:
            return Answer("unknown")
        task = _Task(run, part)
        if task.deaths() >= (1 if several else MOST_DEATHS):
            return Answer("deadly")
        task.begin()
        try:
            handler = _handler(run, setting or b"")
            began = time.perf_counter()
            outcomes = outcomes_of(handler, pickle.loads(items), task.report)
            seconds = time.perf_counter() - began
            task.end()
        except _Stopped:
            task.forget()
            return Answer("stopped")
        except Exception as error:
            task.forget()
            if isinstance(error, WriteError):  # the others know where they were raised
                error.details = (*error.details, f"worker: {_name_of_worker()}")
            return Answer("fatal", pickle.dumps(_as_sent(error)))
        try:
            answer = pickle.dumps(outcomes, pickle.HIGHEST_PROTOCOL)
        except Exception:  # whatever the values' own methods raise
            answer = pickle.dumps([sendable(outcome) for outcome in outcomes], pickle.HIGHEST_PROTOCOL)
        return Answer("done", answer, task.reported, seconds)


def fingerprint(path: Path) -> str:
    """What a file or folder looks like: the same on all machines that see the same one, and why where none is seen."""
    try:
        if path.is_dir():
            names = sorted(os.listdir(path))  # noqa: PTH208 - names only
            return f"names {hashlib.sha256(repr(names[:_LISTED]).encode()).hexdigest()}"
        with path.open("rb") as file:  # network file systems ask for the present state when a file is opened
            status = os.fstat(file.fileno())
        return f"file {status.st_size} {status.st_mtime_ns}"
    except OSError as error:
        return f"{_UNSEEN}{error.strerror or error}"


def _handler(run: str, packed: bytes) -> Handler:
    """The handler of a run, which is made once.

    Raises:
        MeDatasetsError: this worker runs another version, or does not see the same files.
        Exception: what the making of it raises.
    """
    if run in _handlers:
        _handlers.move_to_end(run)
        return _handlers[run]
    setting: Setting = pickle.loads(packed)
    _check(setting)
    make_handler, config = pickle.loads(setting.handler)
    _handlers[run] = make_handler(config)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)  # the workers are the parallelism
    while len(_handlers) > _KEPT:
        _handlers.popitem(last=False)
    return _handlers[run]


def _check(setting: Setting) -> None:
    here = _name_of_worker()
    for what, theirs, ours in (
        ("me-datasets", setting.version, __version__),
        ("Python", setting.python, _python()),
    ):
        if theirs != ours:
            raise MeDatasetsError(
                f"a worker runs {what} {ours}, and this process {theirs}",
                where=here,
                fix="start the workers from the same environment",
            )
    deadline = time.monotonic() + _PATIENCE
    for name, theirs in setting.paths.items():
        while (ours := fingerprint(Path(name))) != theirs:
            if time.monotonic() > deadline:
                why = ours.removeprefix(_UNSEEN)
                raise MeDatasetsError(
                    f"a worker cannot open {name}: {why}" if why != ours else f"a worker sees another {name}",
                    where=here,
                    fix="give paths on a disk that all workers share, and start the workers where it is mounted",
                )
            time.sleep(0.2)


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def _as_sent(error: Exception) -> Exception:
    try:
        return pickle.loads(pickle.dumps(error))  # type: ignore[no-any-return]
    except Exception:  # errors need not be such that they can be sent
        return RuntimeError(f"{type(error).__name__}: {error}")


def _dask_worker() -> Any:
    """The Dask worker that this is, None in any other process."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.get_worker()
    except ValueError:
        return None


def _name_of_worker() -> str:
    worker = _dask_worker()
    return f"{worker.address if worker else f'process {os.getpid()}'} on {socket.gethostname()}"


class _Task:
    """The part that is being worked on.

    On a Dask cluster the scheduler remembers how often it was begun, so that the workers that died of it are counted.
    """

    def __init__(self, run: str, part: str) -> None:
        self.reported = 0
        self._keys = [run, part]
        self._worker = _dask_worker()
        self._key = self._worker.get_current_task() if self._worker else None
        self._deaths = 0

    def deaths(self) -> int:
        """How many workers began with it and did not end."""
        if self._worker:
            self._deaths = self._ask(self._worker.scheduler.get_metadata, default=0)
        return self._deaths

    def begin(self) -> None:
        """Count this worker among those that began with it."""
        if self._worker:
            self._ask(self._worker.scheduler.set_metadata, value=self._deaths + 1)

    def end(self) -> None:
        """Take this worker off that count: if it dies with the outcomes before they are fetched, others died of it."""
        if self._worker and self._wanted():
            self._ask(self._worker.scheduler.set_metadata, value=self._deaths)
        else:
            self.forget()

    def forget(self) -> None:
        """Remove what the scheduler keeps about the run, which is over, and may have removed it before this began."""
        if self._worker:
            self._keys = self._keys[:1]
            self._ask(self._worker.scheduler.set_metadata, value=None)

    def report(self, count: int) -> None:
        """Count progress, and stop where nobody waits for the part any more."""
        self.reported += count
        if self._worker and not self._wanted():
            raise _Stopped

    def _wanted(self) -> bool:
        """Whether anybody waits for it."""
        task = self._worker.state.tasks.get(self._key)
        return task is not None and task.state != "cancelled"

    def _ask(self, question: Any, **arguments: Any) -> Any:
        from distributed.utils import sync

        return sync(self._worker.loop, question, keys=self._keys, **arguments)
