"""Frames by number, from folders and files; what is kept, and what is decoded ahead."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets_me.extract.recordings import of_recordings
from datasets_me.viewer import frames
from datasets_me.viewer.dataset import Dataset, Entry
from datasets_me.viewer.frames import FrameError, FrameStore, Recent
from datasets_me.viewer.session import Session
from tests.core.videos import encode, number_of
from tests.viewer.conftest import entry


def decoded(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def test_frames_of_a_file_by_number_and_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest, root = of_recordings([encode(tmp_path / "film.avi", 40, "mpeg4")])
    (video,) = Dataset(manifest, root).entries
    store = FrameStore(manifest, root)
    for number in (7, 3, 30, 31):
        assert number_of(decoded(store.jpeg(video, number, 480))) == number
    deadline = time.monotonic() + 10
    while (0, 39, 480) not in store._coded and time.monotonic() < deadline:
        time.sleep(0.01)

    def fail(*_: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(store, "image", fail)
    assert number_of(decoded(store.jpeg(video, 39, 480))) == 39
    with pytest.raises(AssertionError, match="decoded again"):
        store.jpeg(video, 0, 480)
    store.close()


def test_frames_before_are_kept_where_somebody_steps_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder begins at a key frame: each step back would decode the same frames again."""
    manifest, root = of_recordings([encode(tmp_path / "film.avi", 40, "mpeg4")])
    (video,) = Dataset(manifest, root).entries
    store, read = FrameStore(manifest, root), list[int]()
    image = store.image

    def noted(entry: Entry, number: int) -> np.ndarray:
        read.append(number)
        return image(entry, number)

    monkeypatch.setattr(store, "image", noted)
    for number in (39, 38, *range(37, 20, -1)):
        assert number_of(decoded(store.jpeg(video, number, 160))) == number
    assert read == [39, *range(22, 39), *range(5, 22)]
    store.jpeg(video, 20, 480)
    assert read[-1] == 20  # of another width, and none before
    store.close()


def test_frames_are_scaled_down_and_never_up(session: Session) -> None:
    video = entry(session, "casme_015_0101")
    store = FrameStore(session.dataset.manifest, session.dataset.root)
    assert decoded(store.jpeg(video, 0, 480)).shape == (36, 48, 3)
    assert decoded(store.jpeg(video, 0, 24)).shape == (18, 24, 3)
    assert decoded(store.strip(video, (0, 9), 18)).shape == (18, 48, 3)
    with pytest.raises(FrameError, match="there is no frame 999"):
        store.jpeg(video, 999, 480)
    store.close()


def test_what_was_not_asked_for_longest_makes_room() -> None:
    kept = Recent[bytes](10, len)
    kept.put("a", b"1234")
    kept.put("b", b"1234")
    assert kept.get("a") == b"1234"
    kept.put("c", b"1234")
    assert ("a" in kept, "b" in kept, "c" in kept) == (True, False, True)
    kept.put("d", b"x" * 50)
    assert ("a" in kept, "c" in kept, kept.get("d")) == (False, False, b"x" * 50)


def test_motion_that_is_known_is_magnified_and_drawn() -> None:
    rng = np.random.default_rng(1)
    field = cv2.GaussianBlur(rng.uniform(0, 255, (160, 160)).astype(np.float32), (0, 0), 3)
    texture = np.repeat(cv2.normalize(field, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)[..., None], 3, axis=2)
    moved = cv2.warpAffine(texture, np.float32([[1, 0, 2], [0, 1, 0]]), (160, 160), borderMode=cv2.BORDER_REFLECT)
    for method in ("dis", "lk", "farneback"):
        u, v = frames.motion(texture, moved, method)
        assert np.median(u) == pytest.approx(2, abs=0.1)
        assert np.median(v) == pytest.approx(0, abs=0.1)
    assert frames.flow_picture(texture, moved, "lk") != frames.flow_picture(texture, moved)
    same = decoded(frames.difference(texture, texture))
    assert abs(same.astype(int) - 128).max() <= 2
    assert decoded(frames.difference(texture, moved)).std() > 5
    assert decoded(frames.flow_picture(texture, moved)).shape == (160, 160, 3)


def test_a_magnified_frame_differs_from_the_frame(session: Session) -> None:
    video = entry(session, "casme_015_0101")
    store = session.frames
    still = decoded(store.magnified(video, (5, 5), 480, 8))
    assert abs(still.astype(int) - decoded(store.jpeg(video, 5, 480))).mean() < 3
    assert store.magnified(video, (5, 9), 480, 8) == store.magnified(video, (5, 9), 480, 8)
