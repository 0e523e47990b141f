"""Where tests that write and flush many small files do so."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_MEMORY = Path("/dev/shm")
_NEEDED = 2 << 30  # bytes


def in_memory() -> Path | None:
    """A folder in memory, where flushing costs nothing; None (the temporary folder) where there is none of 2 GB."""
    usable = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _NEEDED
    return _MEMORY if usable else None
