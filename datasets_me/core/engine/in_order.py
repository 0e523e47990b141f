"""The same function over many items, in order, by several processes, with few items in flight."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from datasets_me.core.errors import ImagesError
from datasets_me.core.tables import in_groups

Item = TypeVar("Item")
Result = TypeVar("Result")

GROUP = 16
"""Items that go to a process together."""

WORTH = 300
"""Items per process below which starting it takes longer than it saves."""


def processes(asked: int | None, items: int) -> int:
    """How many processes to use: as many as asked for, else one per core, but fewer for few items."""
    if asked is not None:
        return asked
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, items // WORTH))


def in_order(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """``map(function, items)``; with more than one worker, in processes that are started for it.

    Args:
        function: a function of a module, or a partial of one, so that it can be sent to a process.

    Raises:
        ImagesError: a process died.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    # spawned, not forked: threads of libraries do not survive a fork
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        flying: deque[Future[list[Result]]] = deque()
        try:
            for group in in_groups(items, GROUP):
                flying.append(pool.submit(_several, function, group))
                if len(flying) > 2 * workers:
                    yield from flying.popleft().result()
            while flying:
                yield from flying.popleft().result()
        except BrokenProcessPool as error:
            raise ImagesError(
                "a process that looked at images died, perhaps for lack of memory", fix="use fewer: --workers 1"
            ) from error
        finally:
            for future in flying:
                future.cancel()


def _several(function: Callable[[Item], Result], group: list[Item]) -> list[Result]:
    return [function(item) for item in group]
