"""Pictures: damaged, enormous, of another kind than their name says."""

from __future__ import annotations

import io
import os
import random
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tests.hostile import damage
from tests.hostile.attack import Attack, Kind, attack
from tests.hostile.world import World, picture

KIND = Kind("pictures")

READS = (
    ("pictures/anger/0.png", "images import {pictures} --schema folder-per-class -o {out}/set --workers 1"),
    ("pictures/anger/0.png", "images quality {set} --root {pictures} -o {out}/quality --workers 1"),
    ("pictures/anger/0.png", "images unify {set} --root {pictures} -o {out}/unified --workers 1"),
    ("pictures/anger/0.png", "images export {set} --root {pictures} -o {out}/images --format webdataset"),
    ("frames/rawpic/s15/15_0401girlcrashing/img005.jpg", "check {manifest} --root {frames} --deep"),
    (
        "frames/rawpic/s15/15_0401girlcrashing/img005.jpg",
        "export clips {manifest} --root {frames} -o {out}/clips --size 16",
    ),
    ("frames/rawpic/s15/15_0401girlcrashing/img005.jpg", "check-split {split} {manifest} --root {frames}"),
)


def _any(world: World, chance: random.Random, content: bytes) -> Attack:
    """The content in the place of a picture or frame, and any verb that decodes it."""
    name, line = chance.choice(READS)
    world.take(name).write_bytes(content)
    return attack(line, world)


def _content(name: str, content: bytes) -> None:
    KIND.add(name, lambda world, chance: _any(world, chance, content))


def _encoded(kind: str, image: np.ndarray) -> bytes:
    return bytes(cv2.imencode(kind, image)[1])


def _png(width: int, height: int, data: bytes, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG of chunks with right checksums, whatever they say."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    about = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", about) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


_JPEG, _PNG = _encoded(".jpg", picture(1)), _encoded(".png", picture(1))
_content("nothing", b"")
_content("jpeg-cut-off", _JPEG[: len(_JPEG) // 2])
_content("jpeg-of-its-head", _JPEG[:20])
_content("png-cut-off", _PNG[: len(_PNG) // 2])
_content("png-bomb", _png(30_000, 30_000, zlib.compress(bytes(30_001 * 30_000), 1)))
_content("png-that-claims-billions", _png(2**31 - 1, 2**31 - 1, zlib.compress(b"x")))
_content("png-of-no-width", _png(0, 5, zlib.compress(b"")))
_content("png-of-one-long-line", _png(1_000_000, 1, zlib.compress(bytes(1_000_001))))
_content("png-of-sixteen-bits", _encoded(".png", picture(1).astype(np.uint16) * 257))
_content("png-of-one-bit", _png(8, 8, zlib.compress(bytes(16)), depth=1))
_content(
    "bmp-below-nought",
    b"BM" + struct.pack("<IHHIIiiHHIIiiII", 1000, 0, 0, 54, 40, -5, -(2**31), 1, 24, 0, 0, 0, 0, 0, 0),
)
_content("eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/tmp/made) (w) file closefile\nshowpage\n")
_content("svg", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>')
_content("text", b"this is no picture\n" * 100)
_content("another-kind-than-its-name", _encoded(".webp", picture(1)))
_content("jpeg-with-text-behind-it", _JPEG + b"x" * 100_000)
_content("tiff-that-goes-round", b"II*\0\x08\0\0\0\x01\0\0\x01\x03\0\x01\0\0\0\x01\0\0\0\x08\0\0\0")
_content("zeros", bytes(100_000))


def _tiff_of_floats() -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.full((9, 9), np.nan, np.float32)).save(content, "TIFF")
    return content.getvalue()


def _gif(frames: int) -> bytes:
    content = io.BytesIO()
    stills = [Image.fromarray(picture(number, (8, 8))) for number in range(frames)]
    stills[0].save(content, "GIF", save_all=True, append_images=stills[1:])
    return content.getvalue()


def _exif() -> bytes:
    content, exif = io.BytesIO(), Image.Exif()
    exif[274] = 99
    exif[270] = "evil\x1b]0;owned\x07"
    Image.fromarray(picture(1)).save(content, "JPEG", exif=exif)
    return content.getvalue()


KIND.add("tiff-of-nan", lambda world, chance: _any(world, chance, _tiff_of_floats()))
KIND.add("gif-of-five-hundred-frames", lambda world, chance: _any(world, chance, _gif(500)))
KIND.add("exif-that-turns-it-to-nowhere", lambda world, chance: _any(world, chance, _exif()))


def _in_place(way: str) -> None:
    """Registers attacks with something in the place of a picture that is no file, for every verb."""
    for number, (name, line) in enumerate(READS):

        def make(world: World, chance: random.Random, name: str = name, line: str = line) -> Attack:
            path = world.take(name)
            path.unlink()
            if way == "pipe":
                os.mkfifo(path)
            elif way == "folder":
                path.mkdir()
            else:
                path.symlink_to({"device": "/dev/zero", "loop": path.name}[way])
            return attack(line, world)

        if way == "pipe" or number % 4 == 0:
            KIND.add(f"{way}-{number}", make)


for _way in ("pipe", "device", "loop", "folder"):
    _in_place(_way)


@KIND.case
def a_table_of_pixels(world: World, chance: random.Random) -> Attack:
    path = world.inputs / "fer2013.csv"
    rows = ["emotion,pixels,Usage", f"0,{' '.join(['7'] * 2304)},Training", "99,1 2 3,x", f"0,{'9' * 5000},Training"]
    rows += ["0,-1 999 nan,\x1b[2J", f"\x07,{' '.join(['256'] * 2304)},Training", "0,,", ",,,,,,", '"', "0"]
    path.write_text("\n".join(rows))
    return attack(f"images import {path} --schema fer2013 -o {{out}}/set --workers 1", world)


@KIND.case
def a_table_of_one_endless_row(world: World, chance: random.Random) -> Attack:
    path = world.inputs / "fer2013.csv"
    path.write_text("emotion,pixels,Usage\n0," + "1 " * 5_000_000 + ",Training\n")
    return attack(f"images import {path} --schema fer2013 -o {{out}}/set --workers 1", world)


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """The bytes of a picture of some kind changed."""
    kind = chance.choice([".jpg", ".png", ".bmp", ".tiff", ".webp"])
    name, line = chance.choice(READS)
    path: Path = world.take(name)
    path.write_bytes(_encoded(kind, picture(chance.randrange(100))))
    if chance.random() < 0.9:
        damage.any_bytes(path, chance)
    return attack(line, world)
