"""Frames of video files: by number, in any order, of any codec, and of files that are damaged."""

from __future__ import annotations

import os
import random
import struct
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from datasets_me.core.frames import VideoError, VideoFile, is_video
from datasets_me.core.pictures import DamageError, decode_frame
from tests.core.videos import SIZE, encode, jpegs, number_of, of_jpegs, picture

DAMAGED = int(os.environ.get("DAMAGED_VIDEOS", "60"))

KINDS = [
    ("a.avi", "mjpeg", "yuvj420p"),
    ("b.mp4", "libx264", "yuv420p"),
    ("reordered.avi", "libx264", "yuv420p"),
    ("c.mov", "mpeg4", "yuv420p"),
    ("deep.mkv", "libx264", "yuv420p10le"),
    ("grey.mkv", "ffv1", "gray"),
    ("d.webm", "libvpx-vp9", "yuv420p"),
    ("e.wmv", "wmv2", "yuv420p"),
    ("camera.mts", "libx264", "yuv420p"),
    ("programme.mpg", "mpeg2video", "yuv420p"),
]


def made(folder: Path, name: str, codec: str, pixels: str, frames: int = 40) -> Path:
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no encoder {codec}")
    return encode(folder / name, frames, codec, pixels)


@pytest.mark.parametrize(("name", "codec", "pixels"), KINDS)
def test_frame_n_is_the_nth_picture(tmp_path: Path, name: str, codec: str, pixels: str) -> None:
    with VideoFile(made(tmp_path, name, codec, pixels)) as video:
        assert len(video) == 40
        assert [number_of(video.read(number, colour=True)[0]) for number in range(40)] == list(range(40))
        there = random.Random(0).sample(range(40), 40)
        assert [number_of(video.read(number, colour=False)[0]) for number in there] == there
        image, mark = video.read(7, colour=True)
        assert image.shape == (SIZE[1], SIZE[0], 3)
        assert image.dtype == np.uint8
        assert abs(image[..., ::-1].astype(int) - picture(7)).mean() < 12
        assert video.read(7, colour=True)[1] == mark != video.read(8, colour=True)[1]


@pytest.mark.parametrize(("name", "codec", "pixels"), KINDS)
def test_what_a_file_says(tmp_path: Path, name: str, codec: str, pixels: str) -> None:
    with VideoFile(made(tmp_path, name, codec, pixels)) as video:
        facts = video.facts
        assert (facts.frames, facts.width, facts.height, facts.fps) == (40, *SIZE, 25)
        assert facts.stated in (40, None)
        assert (facts.hidden, facts.variable, facts.rotation, facts.damage) == (0, False, 0, None)
        assert facts.pixels == pixels
        assert 1 <= facts.key_frames <= 40
        assert number_of(video.read(0, colour=True)[0]) == 0  # after the facts


def test_motion_jpeg_is_the_jpeg_files_bit_for_bit(tmp_path: Path) -> None:
    files = jpegs(6)
    with VideoFile(of_jpegs(tmp_path / "a.avi", files)) as video:
        for number, content in enumerate(files):
            for colour in (True, False):
                image, stored = video.read(number, colour=colour)
                assert np.array_equal(image, decode_frame(content, colour=colour))
                assert stored == content


def test_a_variable_rate_changes_no_number(tmp_path: Path) -> None:
    with VideoFile(of_jpegs(tmp_path / "a.mkv", jpegs(5), times=[0, 1, 2, 9, 10])) as video:
        assert video.facts.variable
        assert [number_of(video.read(number, colour=True)[0]) for number in (4, 3, 0, 2)] == [4, 3, 0, 2]


@pytest.mark.parametrize(
    ("matrix", "rotation", "mirrored", "shown"),
    [
        ((0, 1, -1, 0), -90, False, lambda plain: np.rot90(plain, -1)),  # right becomes down: clockwise
        ((-1, 0, 0, -1), -180, False, lambda plain: np.rot90(plain, 2)),
        ((0, -1, 1, 0), 90, False, np.rot90),
        ((-1, 0, 0, 1), 0, True, np.fliplr),
        ((1, 0, 0, -1), 0, True, np.flipud),
        ((0, 1, 1, 0), -90, True, lambda plain: plain.swapaxes(0, 1)),
    ],
)
def test_a_turned_picture_is_upright(
    tmp_path: Path,
    matrix: tuple[int, ...],
    rotation: int,
    mirrored: bool,
    shown: Callable[[np.ndarray], np.ndarray],
) -> None:
    path = encode(tmp_path / "a.mp4", 3, "mpeg4")
    turned = with_matrix(path, tmp_path / "turned.mp4", *matrix)
    with VideoFile(path) as plain, VideoFile(turned) as video:
        upright = shown(plain.read(2, colour=True)[0])
        assert (video.facts.rotation, video.facts.mirrored) == (rotation, mirrored)
        assert (video.facts.height, video.facts.width) == upright.shape[:2]
        assert np.array_equal(video.read(2, colour=True)[0], upright)


def test_a_picture_turned_by_half_a_right_angle_is_refused(tmp_path: Path) -> None:
    path = with_matrix(encode(tmp_path / "a.mp4", 3, "mpeg4"), tmp_path / "turned.mp4", 0.7, 0.7, -0.7, 0.7)
    with VideoFile(path) as video:
        message = "its first picture cannot be decoded: the video is to be turned by -45 degrees"
        assert video.facts.damage == message


def with_matrix(path: Path, other: Path, a: float, b: float, c: float, d: float) -> Path:
    """A copy of an MP4 file with another matrix in the header of its track."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40
    a, b, c, d = (round(value * (1 << 16)) for value in (a, b, c, d))
    content[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    other.write_bytes(content)
    return other


def test_one_frame(tmp_path: Path) -> None:
    with VideoFile(encode(tmp_path / "a.mp4", 1, "mpeg4")) as video:
        assert (len(video), number_of(video.read(0, colour=True)[0])) == (1, 0)
        for number in (-1, 1):
            with pytest.raises(DamageError, match=r"the video has 1 frame$"):
                video.read(number, colour=True)


def test_an_edit_list_hides_frames(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", 12, "mpeg4", rate=25, g="12")
    with av.open(str(path)) as container:
        ticks = round(Fraction(1, 25) / container.streams.video[0].time_base)
    content = bytearray(path.read_bytes())
    place = content.index(b"elst") + 4 + 4 + 4 + 4  # the time at which the only edit begins, after its length
    content[place : place + 4] = (3 * ticks).to_bytes(4, "big")
    path.write_bytes(content)
    with VideoFile(path) as video:
        assert (len(video), video.facts.hidden, video.facts.stated) == (9, 3, 12)
        assert [number_of(video.read(number, colour=True)[0]) for number in (0, 8, 4)] == [3, 11, 7]
        with pytest.raises(DamageError, match="the video has 9 frames"):
            video.read(9, colour=True)


def test_many_frames_take_no_more_memory(tmp_path: Path) -> None:
    (content,) = jpegs(1)
    path = of_jpegs(tmp_path / "a.avi", [content] * 40_000)
    with VideoFile(path) as video:
        assert video.facts.frames == 40_000
        tracemalloc.start()
        for number in (*range(39_000, 39_300), *range(0, 40_000, 800)):
            video.read(number, colour=False)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1_000_000


def test_files_that_are_no_videos(tmp_path: Path) -> None:
    (tmp_path / "text.avi").write_text("no video")
    (tmp_path / "empty.avi").touch()
    (tmp_path / "folder.avi").mkdir()
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = 44100, 0, Fraction(1, 44100)
        for packet in [*stream.encode(sound), *stream.encode(None)]:
            container.mux(packet)
    with av.open(str(tmp_path / "cover.mp4"), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = *SIZE, "yuvj420p"
        cover.disposition = Disposition.attached_pic.value  # older PyAV takes the number alone
        packet = av.Packet(jpegs(1)[0])
        packet.stream, packet.pts, packet.dts, packet.time_base = cover, 0, 0, Fraction(1, 25)
        container.mux(packet)
    (tmp_path / "picture.avi").write_bytes(jpegs(1)[0])
    for name, message in (
        ("text.avi", "the video cannot be opened: Invalid data found when processing input"),
        ("empty.avi", "the video cannot be opened: Invalid data found when processing input"),
        ("folder.avi", "the video cannot be opened: Is a directory"),
        ("gone.avi", "the video cannot be opened: No such file or directory"),
        ("sound.mp4", "the video cannot be read: there is no video stream in it"),
        ("cover.mp4", "the video cannot be read: there is no video stream in it"),
        ("picture.avi", "the video cannot be read: it is a picture"),
    ):
        with pytest.raises(VideoError) as caught:
            VideoFile(tmp_path / name)
        assert (caught.value.what, caught.value.where) == (message, str(tmp_path / name))


def test_a_frame_that_is_damaged_keeps_its_number(tmp_path: Path) -> None:
    files = jpegs(5)
    files[2] = files[2][: len(files[2]) // 2]
    with VideoFile(of_jpegs(tmp_path / "a.avi", files)) as video:
        with pytest.raises(DamageError):
            video.read(2, colour=True)
        assert [number_of(video.read(number, colour=True)[0]) for number in (0, 1, 3, 4)] == [0, 1, 3, 4]


def test_a_file_that_was_cut_off(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.avi", 40, "mjpeg", "yuvj420p")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with VideoFile(path) as video:
        facts = video.facts
        assert facts.stated == 40
        assert 10 < facts.frames < 30
        assert number_of(video.read(9, colour=True)[0]) == 9


def test_a_file_that_ends_before_its_header_says(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv", 40, "ffv1", "gray")
    with VideoFile(path) as video:
        assert video.facts.damage is None
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with VideoFile(path) as video:
        assert video.facts.damage == f"it ends after {len(video) / 25:.1f} s, its header says 1.6 s"


def test_frames_that_were_cut_off_are_no_variable_rate(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.ts", 60, "libx264", bf="3", sc_threshold="0")
    content = path.read_bytes()
    gaps = 0
    for share in range(10, 100, 5):
        path.write_bytes(content[: len(content) * share // 100])
        with VideoFile(path) as video:
            assert not video.facts.variable
            assert video.facts.timed in (None, 25)
            places = sorted(video._index.places)
            gaps += len({after - before for before, after in pairwise(places)}) > 1
    assert gaps


def test_damaged_files_are_refused_or_read_without_an_error_of_another_kind(tmp_path: Path) -> None:
    rng = random.Random(5)
    whole = [
        encode(tmp_path / f"w{name}", 12, codec, pixels)
        for name, codec, pixels in KINDS
        if codec in av.codecs_available
    ]
    refused = read = 0
    for trial in range(DAMAGED):
        source = whole[trial % len(whole)]
        path = tmp_path / f"damaged{source.suffix}"
        path.write_bytes(spoilt(bytearray(source.read_bytes()), rng))
        try:
            with VideoFile(path) as video:
                assert video.facts.frames == len(video)
                for number in range(min(len(video), 20)):
                    try:
                        assert video.read(number, colour=True)[0].ndim == 3
                        read += 1
                    except DamageError as error:
                        assert error.what
        except VideoError as error:
            assert error.what
            refused += 1
    assert refused and read


def spoilt(content: bytearray, rng: random.Random) -> bytearray:
    kind, place = rng.randrange(5), rng.randrange(len(content))
    if kind == 0:
        return content[:place]
    if kind == 1:
        content[place : place + 300] = bytes(len(content[place : place + 300]))
    elif kind == 2:
        content[place:place] = rng.randbytes(200)
    else:
        for _ in range(50 if kind == 3 else 10):
            content[rng.randrange(len(content) if kind == 3 else 600)] ^= 1 << rng.randrange(8)
    return content


def test_names_of_videos() -> None:
    assert [is_video(name) for name in ("a.AVI", "b.mp4", ".c.mp4", "avi", "d.jpg")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_picture_in_grey_is_that_of_the_colours(tmp_path: Path) -> None:
    with VideoFile(encode(tmp_path / "a.mp4", 3, "mpeg4")) as video:
        grey, colour = (video.read(1, colour=colour)[0] for colour in (False, True))
        assert abs(cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY).astype(int) - grey).max() <= 4
