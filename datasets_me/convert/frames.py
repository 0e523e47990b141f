"""Frame numbers of a workbook read as 0-based frames."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from datasets_me.convert.sheets import Cell, cell_text, shorten
from datasets_me.core.text import clean, same
from datasets_me.schema.spec import FrameNumbers

_LONGEST = 86_400  # seconds of video, a day; a greater number is a typing mistake in any dataset
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"([+-]?\d+),(\d{1,2}|\d{4,})", re.ASCII)
"""A number with a decimal comma. Before three digits, a comma may as well stand between thousands."""


@dataclass(frozen=True)
class FrameReading:
    """A frame, or None; and the code and reason of a finding where the cell was not a plain number."""

    frame: int | None
    code: str | None = None
    reason: str = ""


def read_number(cell: Cell) -> float | None:
    """The number in a cell or its text; None for anything else, for truth values, and where it is not finite."""
    if isinstance(cell, bool | date | time | timedelta) or cell is None:
        return None
    if isinstance(cell, str):
        cell = _COMMA.sub(r"\1.\2", text) if _COMMA.fullmatch(text := clean(cell)) else text
        if not _NUMBER.fullmatch(cell):
            return None
    try:
        number = float(cell)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def read_frame(cell: Cell, frames: FrameNumbers, sentinels: Sequence[str], fps: float) -> FrameReading:
    """One onset, apex or offset of a video of ``fps`` frames a second.

    Fractions are rounded, then the base is subtracted, so that frames count from 0. A number beyond a day of video is
    not a frame.
    """
    text = clean(cell_text(cell))
    if not text:
        return FrameReading(None, "ME103", "the cell is empty")
    shown = shorten(text)
    if isinstance(cell, date | time | timedelta):
        return FrameReading(None, "ME104", f"{shown} is a date, not a frame number")
    number = read_number(cell)
    if any(same(text, sentinel) or number == read_number(sentinel) is not None for sentinel in sentinels):
        return FrameReading(None, "ME103", f"{shown} means not annotated")
    if number is None:
        return FrameReading(None, "ME104", f"'{shown}' is not a frame number")
    whole = round(number) if frames.rounding == "half-even" else math.floor(number)
    if whole < frames.base:
        if frames.before_first == "clamp" and whole >= 0:
            return FrameReading(0, "ME106", f"{shown} lies before the first frame, {frames.base}; read as that")
        return FrameReading(None, "ME104", f"{shown} lies before the first frame, {frames.base}")
    if whole - frames.base >= _LONGEST * fps:
        return FrameReading(None, "ME104", f"{shown} lies beyond a day of video at {fps:g} frames a second")
    if whole != number:
        return FrameReading(whole - frames.base, "ME105", f"{shown} was rounded to {whole}")
    return FrameReading(whole - frames.base)
