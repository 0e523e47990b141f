"""The life of a process that works on items for the one that started it."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from contextlib import suppress
from multiprocessing import connection
from queue import SimpleQueue
from threading import Thread
from typing import Any

from datasets_me.core.engine.outcome import outcomes_of, sendable

_DEATH_OF_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def main(handle: int, parent: int, follows: int) -> None:
    """Work on what comes through a pipe, until the pipe closes; then end at once, whatever is being done.

    Messages are pickled: first comes ``(make_handler, config)``, then lists of items. Answers are pairs: ``started``;
    ``report`` with a count; ``done`` with a list of outcomes; ``fatal`` with an error that ends all work.

    Args:
        handle: of the pipe.
        parent: the process at the other end.
        follows: 1 if the thread that started this process lives as long as that process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, too, which ends its workers
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    if follows:
        _die_with(parent)
    pipe = _pipe(handle)
    inbox: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_receive, args=(pipe, inbox), daemon=True).start()

    def send(kind: str, value: Any) -> None:
        message = pickle.dumps((kind, value), pickle.HIGHEST_PROTOCOL)
        try:
            pipe.send_bytes(message)
        except OSError:
            os._exit(1)  # nobody is waiting any more

    send("started", None)
    try:
        make_handler, config = pickle.loads(inbox.get())
        handler = make_handler(config)
        while True:
            items = pickle.loads(inbox.get())
            outcomes = outcomes_of(handler, items, lambda count: send("report", count))
            with suppress(OSError, ValueError, AttributeError):
                sys.stdout.flush()  # the process may be killed as soon as it has nothing to do
            try:
                send("done", outcomes)
            except Exception:
                send("done", [sendable(outcome) for outcome in outcomes])
    except Exception as error:
        try:
            send("fatal", error)
        except Exception:  # errors need not be such that they can be sent
            send("fatal", RuntimeError(f"{type(error).__name__}: {error}"))


def _receive(pipe: Any, inbox: SimpleQueue[bytes]) -> None:
    """Take messages when they come, so that the sender never waits, and end with it."""
    while True:
        try:
            inbox.put(pipe.recv_bytes())
        except (EOFError, OSError):
            os._exit(1)


def _pipe(handle: int) -> Any:
    if sys.platform == "win32":
        return connection.PipeConnection(handle)
    os.set_inheritable(handle, False)
    return connection.Connection(handle)


def _die_with(parent: int) -> None:
    """Have Linux kill this process when its parent dies, which helps where a library never lets a thread run."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_DEATH_OF_PARENT, signal.SIGKILL)
    if os.getppid() != parent:  # it died before
        os._exit(1)
