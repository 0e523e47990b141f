"""The share of the items that one job of an array takes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapreplace
from typing import TypeVar

from datasets_me.core.errors import MeDatasetsError

Item = TypeVar("Item")

_SYNTAX = "give it as 3/16, the third of 16, or as auto in a job of an array"


@dataclass(frozen=True)
class Shard:
    """One of ``count`` shares, the ``number``-th, counted from 1."""

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise MeDatasetsError(f"there is no share {self.number} of {self.count}", fix=_SYNTAX)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, items: Sequence[Item], size: Callable[[Item], float]) -> list[Item]:
        """The items that belong to it: the largest come first, and each goes to the share with the least until then.

        All shares have about as much to do, and each of them finds the same division.
        """
        loads = [(0.0, number) for number in range(1, self.count + 1)]
        numbers = [0] * len(items)
        for index in sorted(range(len(items)), key=lambda index: -size(items[index])):
            load, numbers[index] = loads[0]
            heapreplace(loads, (load + max(size(items[index]), 1), numbers[index]))
        return [item for item, number in zip(items, numbers, strict=True) if number == self.number]


def read_shard(text: str, environment: Mapping[str, str] = os.environ) -> Shard:
    """The share ``3/16``, or for ``auto`` that of the job of an array in which this process runs.

    Slurm and LSF tell a job the numbers of the first and the last of its array, PBS does not.

    Raises:
        MeDatasetsError: it is neither, or this is no such job.
    """
    if text == "auto":
        return _of_job(environment)
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if match is None:
        raise MeDatasetsError(f"'{text}' is no share", fix=_SYNTAX)
    return Shard(int(match[1]), int(match[2]))


def _of_job(environment: Mapping[str, str]) -> Shard:
    def number(name: str, default: int | None = None) -> int:
        text = environment.get(name, "")
        if not text.isdecimal() and default is None:
            fault = f"'{text}', not a number" if text else "not set"
            raise MeDatasetsError(f"the variable {name} is {fault}", fix=_SYNTAX)
        return int(text) if text.isdecimal() else default or 0

    if "SLURM_ARRAY_TASK_ID" in environment:
        job, first = number("SLURM_ARRAY_TASK_ID"), number("SLURM_ARRAY_TASK_MIN", 0)
        step, count = max(number("SLURM_ARRAY_TASK_STEP", 1), 1), number("SLURM_ARRAY_TASK_COUNT")
        if (number("SLURM_ARRAY_TASK_MAX", first + step * (count - 1)) - first) // step + 1 != count:
            raise MeDatasetsError(
                "this array is a list of single jobs, which does not say how many shares there are",
                fix="give their number, such as --shard $SLURM_ARRAY_TASK_ID/16; or send off a range of jobs",
            )
    elif environment.get("LSB_JOBINDEX", "0") != "0":
        job, first = number("LSB_JOBINDEX"), 1
        step = number("LSB_JOBINDEX_STEP", 1)
        count = (number("LSB_JOBINDEX_END") - first) // max(step, 1) + 1
    elif variable := next((name for name in ("PBS_ARRAY_INDEX", "PBS_ARRAYID") if name in environment), None):
        raise MeDatasetsError(
            "PBS does not tell a job how many its array has",
            fix=f"count the jobs from 1, and give --shard ${variable}/16 with their number in place of 16",
        )
    else:
        raise MeDatasetsError(
            "--shard auto is for a job of an array, and no variable of Slurm, LSF or PBS says that this is one",
            fix="give the share, such as --shard 3/16",
        )
    place, rest = divmod(job - first, max(step, 1))
    if rest or not 0 <= place < count:
        raise MeDatasetsError(
            f"job {job} of an array of {count} from {first} is none of its shares", fix="give the share as 3/16"
        )
    return Shard(place + 1, count)
