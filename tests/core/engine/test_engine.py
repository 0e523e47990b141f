"""Items that fail, kill their process, or come without end; in this process and in others."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import pytest

from datasets_me.core.engine import Failure, in_order, run, workers_for
from datasets_me.core.engine.loop import AHEAD, GROUP
from datasets_me.core.engine.processes import THREADS
from datasets_me.core.errors import FeaturesError, MeDatasetsError, WriteError
from tests.core.engine import handlers

linux = pytest.mark.skipif(sys.platform != "linux", reason="children are counted under /proc")

FAILURES = {
    "raise": "ZeroDivisionError: by zero",
    "quit": "SystemExit: 4",
    "memory": "there was not enough memory",
    "known": "it is broken",
}

DEATHS = {
    "kill": "the process that worked on it was ended by SIGKILL, perhaps for lack of memory",
    "exit": "the process that worked on it ended with exit code 3",
    "segfault": "the process that worked on it was ended by SIGSEGV",
    "orphan": "the process that worked on it was ended by SIGKILL, perhaps for lack of memory",
}


def children() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_failure_is_that_of_one_item(workers: int) -> None:
    items = [1, *FAILURES, 2]
    got = dict(run(handlers.make, items, "done", workers=workers))
    assert {item: got[item].why for item in FAILURES} == FAILURES  # type: ignore[union-attr]
    assert [got[1], got[2]] == ["done 1", "done 2"]
    assert set(got) == set(items)


@pytest.mark.parametrize(("workers", "group"), [(1, 1), (2, 5)])
def test_a_process_that_dies_costs_one_item(workers: int, group: int) -> None:
    items = [1, "kill", 2, "exit", 3, 4, 5, "segfault", 6, 7, "orphan", 8]
    got = list(run(handlers.make, items, "done", workers=workers, group=group, in_order=True))
    assert got == [(item, Failure(DEATHS[item]) if item in DEATHS else f"done {item}") for item in items]
    assert multiprocessing.active_children() == []


def test_what_cannot_come_back() -> None:
    got = dict(run(handlers.make, ["lock", "large"], "done", workers=1, group=2))
    assert got["lock"] == Failure("its result cannot be sent to another process: cannot pickle '_thread.lock' object")
    assert got["large"] == bytes(3_000_000)


def test_large_items_and_results_do_not_wait_for_each_other() -> None:
    items = [bytes([number]) * 1_000_000 for number in range(12)]
    assert [item for item, _ in in_order(bytes.lower, items, 2)] == items


@pytest.mark.parametrize("workers", [0, 2])
def test_a_full_disk_ends_everything(workers: int) -> None:
    with pytest.raises(WriteError) as caught:
        list(run(handlers.make, [1, "full", 2], "done", workers=workers))
    assert str(caught.value) == "the file cannot be written: No space left on device\n  where: /out"


@pytest.mark.parametrize("workers", [0, 2])
def test_what_cannot_begin_says_why(workers: int) -> None:
    with pytest.raises(FeaturesError) as caught:
        list(run(handlers.make_none, range(5), "table", workers=workers))
    assert (caught.value.what, caught.value.fix) == ("there is no table", "make one")


def test_what_cannot_be_sent() -> None:
    with pytest.raises(MeDatasetsError) as caught:
        next(run(handlers._raise, [1], threading.Lock(), workers=2))
    assert caught.value.what == (
        "what every item needs cannot be sent to another process: cannot pickle '_thread.lock' object"
    )
    assert caught.value.fix == "work in this process (workers=0)"
    with pytest.raises(MeDatasetsError, match=r"^an item cannot be sent to another process: "):
        list(run(handlers.make, [1, lambda: 2], "done", workers=2))
    assert next(run(lambda lock: lambda item, report: lock, [1], 5, workers=0))[1] == 5  # nothing needs to be sent here


def test_each_process_begins_once(tmp_path: Path) -> None:
    assert len(list(run(handlers.make_counted, range(50), tmp_path, workers=2))) == 50
    assert 1 <= len({path.name.split("-")[1] for path in tmp_path.iterdir()}) == len(list(tmp_path.iterdir())) <= 2


def test_one_thread_each() -> None:
    (_, got), *_ = run(handlers.make, ["threads"], "done", workers=2)
    assert got == (["1"] * len(THREADS), 1)
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    try:
        assert [cv2.getNumThreads() for _ in run(handlers.make, [1, 2], "done", workers=0)] == [1, 1]
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize("workers", [0, 2])
def test_progress_is_told_from_within_items(workers: int) -> None:
    told: list[int] = []
    for _ in run(handlers.make, range(5), "done", workers=workers, report=told.append):
        pass
    assert told == [2] * 5


@pytest.mark.parametrize(("workers", "group", "ordered"), [(0, 4, True), (2, 1, False), (2, 4, True)])
def test_items_without_end_are_taken_when_they_are_needed(workers: int, group: int, ordered: bool) -> None:
    taken = itertools.count()
    running = run(handlers.make, taken, "done", workers=workers, group=group, in_order=ordered)
    got = [item for item, _ in itertools.islice(running, 30)]
    running.close()
    assert set(got) == set(range(30)) if workers == 0 else len(set(got)) == 30
    assert next(taken) - 30 <= (0 if workers == 0 else group * workers * (AHEAD if ordered else 3))


def test_order_is_kept_and_an_item_that_takes_long_holds_only_some_back() -> None:
    taken = itertools.count()
    running = in_order(handlers.slow_first, taken, 2)
    assert next(running) == (0, 0)
    assert next(taken) <= GROUP * 2 * AHEAD + 1
    assert [item for item, _ in itertools.islice(running, 100)] == list(range(1, 101))
    running.close()  # type: ignore[attr-defined]


def test_a_map_names_the_one_of_a_group_that_killed_its_process() -> None:
    got = list(in_order(handlers.double, range(60), 2))
    expected: list[tuple[int, Any]] = [(item, 2 * item) for item in range(60)]
    expected[7] = 7, Failure(DEATHS["kill"])
    expected[40] = 40, Failure("ValueError: forty")
    assert got == expected


def test_a_process_that_is_killed_while_it_has_nothing_to_do_costs_nothing() -> None:
    got: list[tuple[Any, Any]] = []

    def items() -> Iterator[Any]:
        yield from ("process", "process")
        os.kill(got[0][1], signal.SIGKILL)  # its result is here, and it waits for a third item
        time.sleep(0.1)
        yield from (3, 4)

    for pair in run(handlers.make, items(), "done", workers=2):
        got.append(pair)
    assert [item for item, outcome in got if isinstance(outcome, Failure)] == []
    assert len(got) == 4


@linux
@pytest.mark.parametrize("how", ["close", "raise", "end"])
def test_processes_end_with_the_iteration(how: str) -> None:
    before = set(children())
    running = run(handlers.make, itertools.count() if how != "end" else range(4), "done", workers=2)
    next(running)
    assert set(children()) - before
    if how == "close":
        running.close()  # type: ignore[attr-defined]
    elif how == "raise":
        with pytest.raises(RuntimeError):
            running.throw(RuntimeError)  # type: ignore[attr-defined]
    else:
        assert len(list(running)) == 3
    assert set(children()) == before  # a tracker of resources would be one more


def test_memory_comes_in_large_pages_unless_the_user_tunes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    assert [got for _, got in run(handlers.make, ["tunables"], "done")] == ["glibc.malloc.hugetlb=1"]
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=0")
    assert [got for _, got in run(handlers.make, ["tunables"], "done")] == ["glibc.malloc.check=0"]


def test_started_in_a_thread_that_ends_they_go_on() -> None:
    running = run(handlers.make, range(6), "done", workers=2)
    got: list[Any] = []
    starting = threading.Thread(target=lambda: got.append(next(running)))
    starting.start()
    starting.join()
    got += running
    assert sorted(got) == [(item, f"done {item}") for item in range(6)]


def test_what_is_printed_stays_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    list(in_order(partial(print, "seen"), range(3), 2))
    assert capfd.readouterr() == ("seen 0\nseen 1\nseen 2\n", "")


def test_how_many_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    assert [workers_for(None), workers_for(0), workers_for(3), workers_for(3, 10)] == [8, 8, 3, 3]
    with pytest.raises(ValueError, match="the number of workers cannot be -1"):
        next(run(handlers.make, [1], "done", workers=-1))
    assert [workers_for(None, items) for items in (0, 599, 1_000, 1_000_000)] == [0, 0, 3, 8]
