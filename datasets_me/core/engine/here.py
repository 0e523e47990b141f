"""Items run in this process, one after the other."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from typing import Any

from datasets_me.core.engine.outcome import Handler, Report, outcomes_of


class Here:
    """This process as a place; OpenCV, if it is loaded, is limited to one thread meanwhile."""

    room = 1
    pace = None

    def __init__(self, make_handler: Callable[[Any], Handler], config: Any, report: Report | None) -> None:
        self._make_handler, self._config = make_handler, config
        self._report = report or _nobody
        self._handler: Handler | None = None
        self._groups: deque[tuple[int, list[Any]]] = deque()
        self._threads: int | None = None

    def start(self, number: int, items: list[Any]) -> None:
        """Take a group."""
        self._groups.append((number, items))

    def wait(self) -> tuple[int, list[Any]]:
        """Work on the oldest group; returns its number and its outcomes."""
        if self._handler is None:
            self._handler = self._make_handler(self._config)
            if "cv2" in sys.modules:
                self._threads = sys.modules["cv2"].getNumThreads()
                sys.modules["cv2"].setNumThreads(1)
        number, items = self._groups.popleft()
        return number, outcomes_of(self._handler, items, self._report)

    def close(self) -> None:
        """Give OpenCV its threads back."""
        if self._threads is not None:
            sys.modules["cv2"].setNumThreads(self._threads)


def _nobody(_: int) -> None:
    """Where no progress is asked for."""
