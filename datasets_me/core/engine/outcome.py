"""What comes of one item: its result, or why there is none."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from datasets_me.core.errors import MeDatasetsError, WriteError

Report = Callable[[int], None]
"""Told of progress within an item, such as the number of frames done since the last call."""

Handler = Callable[[Any, Report], Any]
"""What is done with an item. It may be done again with an item whose process died."""


@dataclass(frozen=True)
class Failure:
    """An item that gave no result."""

    why: str


def outcomes_of(handler: Handler, items: Iterable[Any], report: Report) -> list[Any]:
    """For each item its result or a `Failure`.

    Raises:
        WriteError: a result cannot be written, so that the next would fail as well.
    """
    outcomes: list[Any] = []
    for item in items:
        try:
            outcomes.append(handler(item, report))
        except WriteError:
            raise
        except MeDatasetsError as error:
            outcomes.append(Failure(error.what))
        except MemoryError:
            outcomes.append(Failure("there was not enough memory"))
        except (Exception, SystemExit) as error:
            outcomes.append(Failure(f"{type(error).__name__}: {error}"))
    return outcomes


def sendable(outcome: Any) -> Any:
    """An outcome, or a `Failure` in place of one that cannot be sent to another process."""
    try:
        pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # whatever the value's own methods raise
        return Failure(f"its result cannot be sent to another process: {error}")
    return outcome
