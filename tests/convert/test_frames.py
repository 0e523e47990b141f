"""Frame numbers: base, sentinels, fractions, dates, text."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.convert.frames import read_frame
from datasets_me.schema.spec import FrameNumbers

ONE = FrameNumbers(base=1)
ZERO = FrameNumbers(base=0)
CLAMP = FrameNumbers(base=1, before_first="clamp")


@pytest.mark.parametrize(
    ("cell", "frames", "sentinels", "frame", "code"),
    [
        (46, ONE, [], 45, None),
        ("46", ONE, [], 45, None),
        (" ４６ ", ONE, [], 45, None),
        (46.0, ONE, [], 45, None),
        (0, ZERO, [], 0, None),
        (0, ONE, ["0"], None, "ME103"),
        ("0", ONE, ["0"], None, "ME103"),
        (0.0, ONE, ["0"], None, "ME103"),
        ("/", ONE, ["/"], None, "ME103"),
        (-1, ONE, ["-1"], None, "ME103"),
        (None, ONE, [], None, "ME103"),
        ("", ONE, [], None, "ME103"),
        (566.4000000000001, ONE, [], 565, "ME105"),
        (3322.9999999999995, ONE, [], 3322, "ME105"),
        (2.5, ONE, [], 1, "ME105"),
        (3.5, ONE, [], 3, "ME105"),
        (3.9, FrameNumbers(base=1, rounding="floor"), [], 2, "ME105"),
        (0, CLAMP, [], 0, "ME106"),
        (-3, CLAMP, [], None, "ME104"),
        (0, ONE, [], None, "ME104"),
        ("see notes", ONE, [], None, "ME104"),
        ("566,4000000000001", ONE, [], 565, "ME105"),
        ("12,0", ONE, [], 11, None),
        ("1,234", ONE, [], None, "ME104"),
        ("1,2,3", ONE, [], None, "ME104"),
        ("46¹", ONE, [], None, "ME104"),
        ("1_000", ONE, [], None, "ME104"),
        ("nan", ONE, [], None, "ME104"),
        ("inf", ONE, [], None, "ME104"),
        (True, ONE, [], None, "ME104"),
        (1e12, ONE, [], None, "ME104"),
        (datetime(2014, 5, 8), ONE, [], None, "ME104"),
        (time(3, 4), ONE, [], None, "ME104"),
    ],
)
def test_cells(cell: Any, frames: FrameNumbers, sentinels: list[str], frame: int | None, code: str | None) -> None:
    reading = read_frame(cell, frames, sentinels, 30)
    assert (reading.frame, reading.code) == (frame, code)


@given(st.one_of(st.integers(), st.floats(), st.text(), st.none(), st.datetimes(), st.booleans()))
def test_any_cell_is_a_frame_or_says_why_not(cell: Any) -> None:
    reading = read_frame(cell, CLAMP, ["-1"], 30)
    assert (reading.frame is None) <= (reading.code is not None)
    assert reading.frame is None or 0 <= reading.frame < 2**31


@pytest.mark.parametrize(
    ("cell", "fps", "frame"),
    [
        (86_400 * 30, 30, 86_400 * 30 - 1),
        (86_400 * 30 + 1, 30, None),
        (86_400 * 30 + 1, 200, 86_400 * 30),
        (1_500_000_000, 30, None),
        ("9" * 5000, 30, None),
        (1e308, 30, None),
        (2**31, 20_000, None),
    ],
)
def test_a_number_beyond_a_day_of_video_is_none(cell: Any, fps: float, frame: int | None) -> None:
    reading = read_frame(cell, ONE, [], fps)
    assert (reading.frame, reading.code) == (frame, None if frame is not None else "ME104")
