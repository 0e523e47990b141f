"""Items go to a place where they are run, few at a time, and their outcomes come back.

A place is this process, a set of processes of this machine, or an executor such as a Dask cluster. Another one is a
class with the methods of `Place`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from itertools import count, islice, takewhile
from pathlib import Path
from typing import Any, Protocol, TypeVar

from datasets_me.core.engine.elsewhere import Elsewhere
from datasets_me.core.engine.here import Here
from datasets_me.core.engine.outcome import Failure, Report
from datasets_me.core.engine.processes import Processes

Config = TypeVar("Config")
Item = TypeVar("Item")
Result = TypeVar("Result")

GROUP = 16
"""Items that go to a process together, where each takes milliseconds."""

MOST = 4096
"""Items that go to an executor together at most, where each takes next to nothing."""

LASTS = 0.5
"""Seconds that items sent to an executor together should take: sending them takes milliseconds."""

WORTH = 300
"""Such items per process below which starting it takes longer than it saves."""

AHEAD = 8
"""Groups for each worker that may be done before one that started earlier, where results come in order."""


class Place(Protocol):
    """Where groups of items are run."""

    @property
    def room(self) -> int:
        """Groups that it takes at once, so that no worker has to wait; twice as many where groups are short."""

    @property
    def pace(self) -> float | None:
        """Seconds that an item takes, where groups are to be made as long as is good for the place."""

    def start(self, number: int, items: list[Any]) -> None:
        """Take a group."""

    def wait(self) -> tuple[int, list[Any]]:
        """The number of a group that is done, and what `outcomes_of` its items."""

    def close(self) -> None:
        """End all that is running, at once."""


def run(  # noqa: PLR0913 - each keyword stands for itself
    make_handler: Callable[[Config], Callable[[Item, Report], Result]],
    items: Iterable[Item],
    config: Config,
    *,
    workers: int = 1,
    executor: Executor | None = None,
    in_order: bool = False,
    group: int = 1,
    report: Report | None = None,
    shared: Sequence[Path] = (),
) -> Generator[tuple[Item, Result | Failure]]:
    """Give each item with its result, or with why there is none, as they are done.

    ::

        for video, outcome in run(make_handler, videos, setting, workers=workers_for(None)):
            if isinstance(outcome, Failure):
                print(video, outcome.why)

    Args:
        make_handler: called once in each worker with ``config``; a function of a module, so that it can be sent there.
            What it returns is called with an item and with a function that takes the progress made within it.
        config: what every item needs.
        items: taken one by one, when a worker is free; there may be millions.
        workers: processes, each limited to one thread. A process that dies costs the item it was working on. With 0 all
            is done in this process, which dies with an item that crashes.
        executor: runs the items in place of these processes: that of `cluster.connect`, or any other. Each of its
            processes works on one item at a time.
        in_order: give the outcomes in the order of the items.
        group: items that go to a process together. If it dies, they are done again one by one, to find which it was.
        report: told of progress within items, by all workers together.
        shared: files and folders that every worker of an executor must see as this process does.

    The processes end with the iteration, whatever ends it, and when this process is killed.

    Raises:
        ValueError: the number of workers is negative.
        WriteError: an item's result cannot be written, so that the next would fail as well.
        MeDatasetsError: ``config`` or an item cannot be sent to another process, a worker of an executor is of another
            version or sees other files, or the executor is gone.
        Exception: what ``make_handler`` raises.
    """
    place = _place(make_handler, config, workers, executor, report, shared)
    if isinstance(place, Here):
        group = 1
    waiting, numbers = iter(items), count()
    started: dict[int, list[Item]] = {}  # whose outcomes are not given yet, the oldest first
    done: dict[int, list[Any]] = {}
    with closing(place):
        while True:
            most = place.room * (1 if group == 1 else 2)  # the next short one is there when one is done
            ahead = place.room * AHEAD if in_order else most
            while len(started) - len(done) < most and len(started) < ahead:
                taken = list(islice(waiting, _size(group, place.pace)))
                if not taken:
                    break
                number = next(numbers)
                started[number] = taken
                place.start(number, taken)
            if not started:
                return
            number, done[number] = place.wait()
            for ready in list(takewhile(done.__contains__, started)) if in_order else [number]:
                yield from zip(started.pop(ready), done.pop(ready), strict=True)


def _place(
    make_handler: Callable[[Any], Any],
    config: Any,
    workers: int,
    executor: Executor | None,
    report: Report | None,
    shared: Sequence[Path],
) -> Place:
    if executor is not None:
        return Elsewhere(make_handler, config, executor, report, shared)
    if workers < 0:
        raise ValueError(f"the number of workers cannot be {workers}")
    return Processes(make_handler, config, workers, report) if workers else Here(make_handler, config, report)


def _size(group: int, pace: float | None) -> int:
    """How many items go together: one by one if that was asked for, else as many as a good while takes."""
    if group == 1 or pace is None:
        return group
    return max(1, min(MOST, int(LASTS / max(pace, 1e-9))))


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int = 0, executor: Executor | None = None
) -> Generator[tuple[Item, Result | Failure]]:
    """Each item with ``function(item)``, or with why there is none, in order; for items that take milliseconds.

    Args:
        function: a function of a module, or a partial of one, so that it can be sent to a process.
        items: as for `run`.
        workers: as for `run`.
        executor: as for `run`.

    Raises:
        WriteError, MeDatasetsError: as `run`.
    """
    return run(without_report, items, function, workers=workers, executor=executor, in_order=True, group=GROUP)


def without_report(function: Callable[[Item], Result]) -> Callable[[Item, Report], Result]:
    """The handler of a function that tells nothing of its progress."""
    return lambda item, report: function(item)


def workers_for(wanted: int | None, items: int | None = None) -> int:
    """How many processes to use: as many as wanted, else (None, 0) one per core.

    Args:
        wanted: by the user.
        items: how many there are, if each takes milliseconds; for few of them no process is started (0).
    """
    if wanted:
        return wanted
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if items is None:
        return cores
    worth = min(cores, items // WORTH)
    return worth if worth > 1 else 0
