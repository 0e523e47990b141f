"""What is opened in a folder, as the kernel tells it: a file that is read leaves no other trace."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OPEN, _NONBLOCK = 0x20, 0x800
_EVENT = struct.Struct("iIII")


@contextmanager
def opened(folder: Path) -> Iterator[list[str]]:
    """A list that holds, when the block has ended, what was opened in a folder and those in it; Linux only."""
    c = ctypes.CDLL(None, use_errno=True)
    handle = c.inotify_init1(_NONBLOCK)
    if handle < 0:
        raise OSError(ctypes.get_errno(), "no more folders can be watched")
    names: list[str] = []
    try:
        places = {}
        for place in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
            places[c.inotify_add_watch(handle, os.fsencode(place), _OPEN)] = place
        yield names
        try:
            events = os.read(handle, 1 << 20)
        except BlockingIOError:
            return
        while events:
            watch, _, _, length = _EVENT.unpack_from(events)
            name = os.fsdecode(events[_EVENT.size : _EVENT.size + length].rstrip(b"\0"))
            names.append((places[watch] / name).relative_to(folder.parent).as_posix())
            events = events[_EVENT.size + length :]
    finally:
        os.close(handle)
