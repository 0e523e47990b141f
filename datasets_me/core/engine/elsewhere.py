"""Items run by an executor: the workers of a Dask cluster, or of whatever gives a ``concurrent.futures.Executor``."""

from __future__ import annotations

import pickle
import queue
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor
from contextlib import suppress
from pathlib import Path
from typing import Any

from datasets_me.core.engine.outcome import Failure, Handler, Report
from datasets_me.core.engine.parts import Part, Parts, packed
from datasets_me.core.engine.remote import MOST_DEATHS, Answer, setting_of, work
from datasets_me.core.errors import MeDatasetsError

ROOM = 64
"""Groups that are with an executor at once, if it does not say how many workers it has."""

_DEADLY = f"{MOST_DEATHS} workers died while they worked on it"
_ASKED = 1.0  # seconds between looks at whether the executor is still there


class Elsewhere:
    """The workers of an executor, as a place.

    An executor may have two methods of `datasets_me.core.engine.cluster.Cluster`: ``room``, how many groups to have
    with it at once, and ``check``, which raises an error if it is gone.
    """

    def __init__(
        self,
        make_handler: Callable[[Any], Handler],
        config: Any,
        executor: Executor,
        report: Report | None,
        shared: Sequence[Path],
    ) -> None:
        self._executor, self._report = executor, report
        self._call = executor.submit
        self._setting = setting_of(packed((make_handler, config), "what every item needs"), shared)
        self._run = f"me-datasets-{uuid.uuid4().hex}"
        self._parts = Parts()
        self._away: dict[Any, Part] = {}
        self._back: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.pace: float | None = None
        """Seconds that the latest item took on average."""

    @property
    def room(self) -> int:
        """Groups to have with the executor at once."""
        return self._executor.room() if hasattr(self._executor, "room") else ROOM

    def start(self, number: int, items: list[Any]) -> None:
        """Submit a group."""
        self._submit(self._parts.whole(number, items))

    def wait(self) -> tuple[int, list[Any]]:
        """The number of a group that is done, and its outcomes."""
        while True:
            try:
                future = self._back.get(timeout=_ASKED)
            except queue.Empty:
                self._check()
                continue
            part = self._away.pop(future)
            outcomes = self._outcomes(part, self._answer(future))
            group = None if outcomes is None else self._parts.note(part, outcomes)
            if group is not None:
                return part.number, group

    def close(self) -> None:
        """Cancel what is under way; a worker of Dask stops when its item next reports progress."""
        for future in self._away:
            with suppress(Exception):  # the executor may be gone
                future.cancel()
        self._away.clear()
        if hasattr(self._executor, "forget"):
            self._executor.forget(self._run)

    def _submit(self, part: Part, setting: bytes | None = None) -> None:
        several = len(part.items) > 1
        try:
            future = self._call(
                work, self._run, f"{part.number}.{part.first}.{several:d}", part.message, several, setting
            )
        except Exception as error:  # a pool that is broken or shut down
            raise self._gone(error) from error
        self._away[future] = part
        future.add_done_callback(self._back.put)

    def _answer(self, future: Any) -> Answer:
        try:
            answer: Answer = future.result()
        except CancelledError as error:
            raise self._gone(error) from error
        except Exception as error:
            if type(error).__name__ == "KilledWorker":  # Dask's; perhaps it only waited where others died
                return Answer("killed")
            raise self._gone(error) from error
        return answer

    def _outcomes(self, part: Part, answer: Answer) -> list[Any] | None:
        """What came of a part, None where it is on its way again.

        Raises:
            Exception: what ends the run.
        """
        if answer.kind == "done":
            outcomes: list[Any] = pickle.loads(answer.value)
            self.pace = answer.seconds / len(outcomes)
            if self._report and answer.reported:
                self._report(answer.reported)
            return outcomes
        if answer.kind == "fatal":
            raise pickle.loads(answer.value)
        if answer.kind in ("deadly", "killed") and len(part.items) > 1:
            for single in self._parts.single(part):
                self._submit(single)
            return None
        part.deaths += answer.kind == "killed"
        if answer.kind == "deadly" or part.deaths > MOST_DEATHS:
            return [Failure(_DEADLY)]
        self._submit(part, self._setting)
        return None

    def _check(self, error: BaseException | None = None) -> None:
        if hasattr(self._executor, "check"):
            self._executor.check(error)

    def _gone(self, error: BaseException) -> MeDatasetsError:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        self._check(cause)
        text = f"{type(cause).__name__}: {cause}".strip(": ")
        fix = "run the same again; what is done is kept"
        if isinstance(cause, ImportError | AttributeError):
            fix = "start the workers from an environment with the same me-datasets"
        return MeDatasetsError(f"the workers cannot go on: {text}", fix=fix)
