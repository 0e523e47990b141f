"""The lines of videos: all of them, in order, in seconds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datasets_me.cards.timeline import apex, timeline
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video


def test_lines_and_bars(two_types: Manifest) -> None:
    lines = timeline(replace(two_types, videos=[])).lines
    assert [(line.subject, line.label) for line in lines] == [
        ("casme_015", "0401"),
        ("casme_016", "0401"),
        ("casme_019", "0401"),
    ]
    first, second = lines[0].bars
    assert (first.start, first.end, first.doubtful, apex(first)) == (0.0, 0.5, False, 7.5 / 30)
    assert second.start == 1.0
    (open_bar,) = lines[2].bars
    assert (open_bar.start, open_bar.end, open_bar.doubtful) == (3.0, pytest.approx(99 / 30), True)


def test_whole_videos_without_annotations_have_a_line(two_types: Manifest) -> None:
    def video(subject: str | None, name: str, layout: str, last: int | None) -> Video:
        return Video(dataset="casme-sq", subject=subject, video=name, layout=layout, last=last, fps=30)

    videos = [
        video("casme_015", "casme_015_0508", "rawpic", 300),
        video(None, "casme_015_0401", "rawpic", 60),
        video(None, "nobody", "rawpic", None),
        video("casme_015", "casme_015_0102", "cropped", 300),
    ]
    made = timeline(replace(two_types, videos=videos))
    assert [(line.subject, line.video, line.length) for line in made.lines] == [
        ("", "nobody", 0.0),
        ("casme_015", "casme_015_0401", 2.0),
        ("casme_015", "casme_015_0508", 10.0),
        ("casme_016", "casme_016_0401", 0.0),
        ("casme_019", "casme_019_0401", 0.0),
    ]
    assert made.end == 10.0


def test_expressions_without_any_frame_are_counted(two_types: Manifest, empty: Manifest) -> None:
    row = two_types.annotations[0].model_copy(update={"onset": None, "apex": None, "offset": None})
    made = timeline(replace(two_types, annotations=[row, *two_types.annotations[1:]]))
    assert (made.unplaced, sum(len(line.bars) for line in made.lines)) == (1, 3)
    nothing = timeline(empty)
    assert (nothing.lines, nothing.unplaced, nothing.end) == ([], 0, 0.0)


def test_frames_out_of_order_are_doubtful(two_types: Manifest) -> None:
    row = two_types.annotations[0].model_copy(update={"onset": 20, "apex": 5, "offset": 30})
    made = timeline(replace(two_types, annotations=[row], videos=[]))
    (bar,) = made.lines[0].bars
    assert (bar.start, bar.end, bar.doubtful, made.doubtful) == (5 / 30, 31 / 30, True, 1)


def test_one_wrong_frame_number_does_not_hide_the_others(two_types: Manifest) -> None:
    rows = [
        two_types.annotations[0].model_copy(update={"video": f"v{number}", "id": str(number)}) for number in range(40)
    ]
    wrong = rows[7].model_copy(update={"offset": 2_000_000_000})
    made = timeline(replace(two_types, annotations=[*rows[:7], wrong, *rows[8:]], videos=[]))
    assert (made.end, made.beyond) == (0.75, 1)
    assert (timeline(two_types).end, timeline(two_types).beyond) == (pytest.approx(99 / 30), 0)
