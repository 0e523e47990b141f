"""Items go to a place where they are run, few at a time, and their outcomes come back.

A place is here, in this process, or a set of processes of this machine. Another one, such as a cluster, is a class with
the methods of `Place`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import count, islice, takewhile
from typing import Any, Protocol, TypeVar

from datasets_me.core.engine.here import Here
from datasets_me.core.engine.outcome import Failure, Report
from datasets_me.core.engine.processes import Processes

Config = TypeVar("Config")
Item = TypeVar("Item")
Result = TypeVar("Result")

GROUP = 16
"""Items that go to a process together, where each takes milliseconds."""

WORTH = 300
"""Such items per process below which starting it takes longer than it saves."""

AHEAD = 8
"""Groups for each worker that may be done before one that started earlier, where results come in order."""


class Place(Protocol):
    """Where groups of items are run."""

    workers: int
    """How many at once."""

    def start(self, number: int, items: list[Any]) -> None:
        """Take a group; never more than two for each worker are there at once."""

    def wait(self) -> tuple[int, list[Any]]:
        """The number of a group that is done, and what `outcomes_of` its items."""

    def close(self) -> None:
        """End all that is running, at once."""


def run(
    make_handler: Callable[[Config], Callable[[Item, Report], Result]],
    items: Iterable[Item],
    config: Config,
    *,
    workers: int = 1,
    in_order: bool = False,
    group: int = 1,
    report: Report | None = None,
) -> Iterator[tuple[Item, Result | Failure]]:
    """Each item with its result, or with why there is none, as they are done::

        for video, outcome in run(make_handler, videos, setting, workers=workers_for(None)):
            if isinstance(outcome, Failure):
                print(video, outcome.why)

    Args:
        make_handler: called once in each worker with ``config``; a function of a module, so that it can be sent there.
            What it returns is called with an item and with `report`.
        items: taken one by one, when a worker is free; there may be millions.
        workers: processes, each limited to one thread; with 1 all is done in this process. A process that dies costs
            the item it was at.
        in_order: give the outcomes in the order of the items.
        group: items that go to a process together. If it dies, they are done again one by one, to find which it was.
        report: told of progress within items, by all workers together.

    Whatever ends the iteration, the workers end with it; and so they do when this process is killed.

    Raises:
        ValueError: there are no workers.
        WriteError: an item's result cannot be written, so that the next would fail as well.
        MeDatasetsError: ``config`` or an item cannot be sent to another process.
        Exception: what ``make_handler`` raises.
    """
    if workers < 1:
        raise ValueError(f"at least one worker is needed, not {workers}")
    if workers == 1:
        place: Place = Here(make_handler, config, report)
        group = 1
    else:
        place = Processes(make_handler, config, workers, report)
    waiting, numbers = iter(items), count()
    started: dict[int, list[Item]] = {}  # whose outcomes are not given yet, the oldest first
    done: dict[int, list[Any]] = {}
    most = place.workers * (1 if group == 1 else 2)  # the next short one is there when one is done
    ahead = place.workers * AHEAD if in_order else most
    with closing(place):
        while True:
            while len(started) - len(done) < most and len(started) < ahead:
                taken = list(islice(waiting, group))
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


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int = 1
) -> Iterator[tuple[Item, Result | Failure]]:
    """Each item with ``function(item)``, or with why there is none, in order; for items that take milliseconds.

    Args:
        function: a function of a module, or a partial of one, so that it can be sent to a process.

    Raises:
        WriteError, MeDatasetsError: as `run`.
    """
    return run(_alone, items, function, workers=workers, in_order=True, group=GROUP)


def _alone(function: Callable[[Item], Result]) -> Callable[[Item, Report], Result]:
    return lambda item, report: function(item)


def workers_for(asked: int | None, items: int | None = None) -> int:
    """How many processes to use: as many as asked for, else (None, 0) one per core, but fewer for few small items."""
    if asked:
        return asked
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if items is None else max(1, min(cores, items // WORTH))
