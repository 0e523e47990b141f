"""Segments tile a video exactly, context included, and their labels are the video's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.export import labels
from datasets_me.export.labels import Span
from datasets_me.export.tiles import tiles
from tests.export.builders import annotation

FRAMES = st.none() | st.integers(0, 220)


@given(st.integers(0, 200), st.integers(1, 90), st.integers(0, 20))
def test_segments_tile_the_video_exactly(count: int, length: int, context: int) -> None:
    video = np.arange(1, count + 1)
    seen = []
    for start, piece in tiles(video, length, context):
        assert start == length * len(seen)
        frames = range(start - context, start + length + context)
        assert piece.tolist() == [frame + 1 if 0 <= frame < count else 0 for frame in frames]
        seen.append(piece[context : context + length])
    whole = np.concatenate(seen) if seen else np.zeros(0, int)
    assert whole[:count].tolist() == video.tolist()
    assert not whole[count:].any()
    assert len(whole) - count < length


@given(
    st.lists(st.tuples(FRAMES, FRAMES, FRAMES, st.sampled_from(["micro", "macro"])), max_size=6),
    st.integers(1, 200),
    st.integers(0, 30),
    st.sampled_from(["mirror", "apex", "fixed:20", "drop"]),
    st.integers(1, 90),
    st.integers(0, 10),
)
def test_labels_of_the_segments_are_those_of_the_video(
    rows: list[tuple[int | None, int | None, int | None, str]],
    count: int,
    start: int,
    offset_missing: str,
    length: int,
    context: int,
) -> None:
    span = Span("v", start, count, count + 1, 30.0)
    read = [
        labels.read(annotation(number, *frames, type=kind), span, offset_missing)
        for number, (*frames, kind) in enumerate(rows, start=1)
    ]
    for label, said in read:
        # what is not labelled whole is named
        whole = None not in (label.onset, label.apex, label.offset)
        assert whole or any(found.severity == "warning" for found in said)
        assert (label.first is None) == (label.reach is None)
    video = labels.array([label for label, _ in read], span)
    cores = [piece[context : context + length] for _, piece in tiles(video, length, context)]
    assert np.array_equal(np.concatenate(cores)[:count], video)
    for column, kind in ((3, "micro"), (7, "macro")):
        action = {
            frame
            for label, _ in read
            if label.type == kind and label.first is not None
            for frame in range(label.first - start, label.last - start + 1)
        }
        assert set(np.flatnonzero(video[:, column]).tolist()) == action
